;; Traps when it finds something in memory, or a value of its global, that it has not put there.
(module
  (memory (export "memory") 4)
  (global $mark (mut i32) (i32.const 7))

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\0f\00\00\00\40\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "finds_leftovers")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")

  ;; What it begins with, and the second and third page, where no delivery is placed.
  (func $scan (local $at i32)
    (if (i32.ne (global.get $mark) (i32.const 7)) (then (unreachable)))
    (if (i32.ne (i32.load (i32.const 0x140)) (i32.const 0x2e302e31)) (then (unreachable)))
    (local.set $at (i32.const 0x10000))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 0x30000)))))

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0x30000))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)
    (call $scan)
    (global.set $mark (i32.const 8))
    (memory.fill (i32.const 0) (i32.const 0xaa) (i32.const 0x1000))
    (memory.fill (i32.const 0x10000) (i32.const 0xaa) (i32.const 0x20000))
    (i32.const 2)))
