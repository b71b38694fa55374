;; Says in every place that it could think of that it may have a gigabyte, and then takes a megabyte
;; more than it may.
(module
  (@custom "limits" "[cells]\nmemory = '1 GiB'\n")
  (memory (export "memory") 1 16384)
  (global (export "memory_limit") i32 (i32.const 0x40000000))

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\0b\00\00\00\40\01\00\00\05\00\00\00\00\02\00\00\24\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "claims_much")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")
  (data (i32.const 0x200) "[cells.claims_much]\nmemory = '1 GiB'")

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0x8000))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param i32 i32 i64 i64 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 80)))
    (i32.const 0)))
