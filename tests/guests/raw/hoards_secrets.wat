;; Fills all memory that it can get, and traps when it finds something there before it does. What it does
;; then is what the client says, a letter a delivery:
;;   c  look at all memory                  l  never return
;;   f  fill all memory                     m  grow memory as long as that works
;;   g  grow memory, look at what is new    s  call itself until the stack is full
;;   r  be ready                            t  trap
;;   others: wait for the next
(module
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 0x1000))

  ;; The description at 0: name, version, doc, TCP ports, UDP ports, patterns, records, objects, each as
  ;; address and length.
  (data (i32.const 0) "\00\01\00\00\0e\00\00\00\40\01\00\00\05\00\00\00\00\00\00\00\00\00\00\00\50\01\00\00\01\00\00\00")
  (data (i32.const 0x100) "hoards_secrets")
  (data (i32.const 0x140) "1.0.0")
  (data (i32.const 0x150) "\09\00")

  ;; Looks at all from a place on.
  (func $scan (param $at i32)
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16))))))

  (func $fill
    (memory.fill (i32.const 0x3000) (i32.const 0x5e)
      (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 0x3000))))

  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (local.get 0)))

  (func $is (param $what i32) (param $letter i32) (result i32)
    (i32.eq (local.get $what) (local.get $letter)))

  (func (export "describe") (result i32)
    (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 0x2000))

  (func (export "open")
    (param i32 i64 i64 i32 i32 i64 i64 i32 i32 i64 i32 i32 i32 i32 i32))

  (func (export "poll") (param $case i32) (param i32 i64 i64 i32 i32 i32 i32 i32) (result i32)
    (local $what i32)
    (if (local.get $case) (then (return (i32.const 0))))
    (local.set $what (i32.load8_u (i32.const 0x2000)))
    (if (call $is (local.get $what) (i32.const 0x63)) (then ;; c
      (call $scan (i32.const 0x3000)))) ;; behind the place of deliveries
    (if (call $is (local.get $what) (i32.const 0x67)) (then ;; g
      (call $scan (i32.shl (memory.grow (i32.const 40)) (i32.const 16)))))
    (if (call $is (local.get $what) (i32.const 0x66)) (then (call $fill))) ;; f
    (if (call $is (local.get $what) (i32.const 0x6c)) (then (loop $ever (br $ever)))) ;; l
    (if (call $is (local.get $what) (i32.const 0x6d)) (then ;; m
      (loop $more
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))))
    (if (call $is (local.get $what) (i32.const 0x73)) (then (drop (call $recurse (i32.const 0))))) ;; s
    (if (call $is (local.get $what) (i32.const 0x74)) (then (unreachable))) ;; t
    (call $is (local.get $what) (i32.const 0x72)))) ;; r
