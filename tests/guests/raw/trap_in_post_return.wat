;; Traps when the host says that it has read what `poll` returned.
(module
  (memory (export "memory") 18)

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\13\00\00\00\40\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "trap_in_post_return")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0x10000))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)
    (i32.const 2))

  (func (export "cabi_post_poll") (param i32)
    (unreachable)))
