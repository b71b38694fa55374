;; Has more memory than is kept for the next flow.
(module
  (memory (export "memory") 8)

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\05\00\00\00\40\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "large")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0x8000))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)

    (i32.const 2)))
