;; Wants deliveries at odd addresses, another one each time.
(module
  (memory (export "memory") 18)

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\12\00\00\00\40\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "realloc_misaligned")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")
  (global $at (mut i32) (i32.const 0x10001))

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $at (i32.add (global.get $at) (i32.const 2)))
    (global.get $at))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)
    ;; The bytes are where they were wanted, whole.
    (if (i32.ne (local.get 7) (global.get $at)) (then (unreachable)))
    (if (i32.ne (i32.load8_u (local.get 7)) (i32.const 0x6f)) (then (unreachable)))
    (i32.const 2)))
