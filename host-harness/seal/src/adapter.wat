;; WASI preview 1 for a connector: nothing gets in. Text for standard output and error becomes log
;; lines. It uses the memory of the module that it is put under, and has none of its own.
(module
  (import "env" "memory" (memory 0))
  (import "smp:connector/log@0.2.0" "write" (func $log (param i32 i32 i32)))
  (global $clock (mut i64) (i64.const 0))

  ;; No arguments and no environment: two counts, both zero.
  (func $nothing (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 0))
    (i32.store (local.get 1) (i32.const 0))
    (i32.const 0))
  (func (export "args_sizes_get") (param i32 i32) (result i32)
    (call $nothing (local.get 0) (local.get 1)))
  (func (export "environ_sizes_get") (param i32 i32) (result i32)
    (call $nothing (local.get 0) (local.get 1)))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; A clock that counts: a millisecond at each question, from 1970 on.
  (func (export "clock_time_get") (param i32 i64 i32) (result i32)
    (global.set $clock (i64.add (global.get $clock) (i64.const 1000000)))
    (i64.store (local.get 2) (global.get $clock))
    (i32.const 0))
  (func (export "clock_res_get") (param i32 i32) (result i32)
    (i64.store (local.get 1) (i64.const 1000000))
    (i32.const 0))

  ;; Fixed bytes.
  (func (export "random_get") (param $to i32) (param $length i32) (result i32)
    (memory.fill (local.get $to) (i32.const 0x5a) (local.get $length))
    (i32.const 0))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "fd_close") (param i32) (result i32) (i32.const 0))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 0))
  ;; Standard input, output and error are character devices; there is nothing else.
  (func (export "fd_fdstat_get") (param $fd i32) (param $to i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (memory.fill (local.get $to) (i32.const 0) (i32.const 24))
    (i32.store8 (local.get $to) (i32.const 2))
    (i64.store offset=8 (local.get $to) (i64.const -1))
    (i32.const 0))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 0))
  ;; No folder is open.
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 70))
  ;; The end of the input.
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32)
    (i32.store (local.get 3) (i32.const 0))
    (i32.const 0))

  ;; Each piece of text is a line. Bytes that are no UTF-8 are left out, and end it: the text is
  ;; the guest's own memory, which is not written to.
  (func (export "fd_write") (param $fd i32) (param $pieces i32) (param $count i32) (param $to i32)
    (result i32)
    (local $written i32) (local $length i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $length (i32.load offset=4 (local.get $pieces)))
        (call $line (local.get $fd) (i32.load (local.get $pieces)) (local.get $length))
        (local.set $written (i32.add (local.get $written) (local.get $length)))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $to) (local.get $written))
    (i32.const 0))

  (func $line (param $fd i32) (param $text i32) (param $length i32)
    (local $readable i32)
    (block $whole
      (br_if $whole (i32.eqz (local.get $length)))
      (br_if $whole
        (i32.ne
          (i32.load8_u
            (i32.sub (i32.add (local.get $text) (local.get $length)) (i32.const 1)))
          (i32.const 10)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (local.set $readable (call $readable (local.get $text) (local.get $length)))
        (if (local.get $readable)
          ;; Standard output is info, standard error a warning.
          (then (call $log (local.get $fd) (local.get $text) (local.get $readable)))
          (else (local.set $readable (i32.const 1))))
        (local.set $text (i32.add (local.get $text) (local.get $readable)))
        (local.set $length (i32.sub (local.get $length) (local.get $readable)))
        (br $next))))

  ;;UTF-8;;

  (func (export "proc_exit") (param i32) unreachable)
  ;;TRAPS;;
)
