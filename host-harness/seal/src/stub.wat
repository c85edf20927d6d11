(module
  ;;IMPORTS;;

  (memory (export "memory") 1)
  ;; Bytes 16 to 64 are for results, then two lines of text, then what is passed in and out.
  (global $heap (mut i32) (i32.const 8192))
  (global $clock (mut i64) (i64.const 0))
  (global $out (mut i32) (i32.const 0))
  (global $err (mut i32) (i32.const 0))

  ;; Everything that is passed in one call fits behind one another. The next call begins again.
  (func $realloc (export "cabi_realloc") (param $old i32) (param $before i32) (param $align i32)
    (param $size i32) (result i32)
    (local $at i32) (local $end i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (if (i32.lt_u (local.get $end) (local.get $at)) (then unreachable))
    (if (i32.gt_u (local.get $end) (i32.mul (memory.size) (i32.const 65536)))
      (then
        (if
          (i32.eq
            (memory.grow
              (i32.add
                (i32.shr_u
                  (i32.sub (local.get $end) (i32.mul (memory.size) (i32.const 65536)))
                  (i32.const 16))
                (i32.const 1)))
            (i32.const -1))
          (then unreachable))))
    (if (local.get $before)
      (then
        (memory.copy (local.get $at) (local.get $old)
          (select (local.get $before) (local.get $size)
            (i32.lt_u (local.get $before) (local.get $size))))))
    (global.set $heap (local.get $end))
    (local.get $at))
  (func $again (global.set $heap (i32.const 8192)))

  ;; The empty list, the empty text, the option that is absent, the result without a value.
  (func $nothing (result i32)
    (call $again)
    (memory.fill (i32.const 16) (i32.const 0) (i32.const 48))
    (i32.const 16))
  ;; The end of a stream, where the error stands this far behind the result.
  (func $closed (param $behind i32) (result i32)
    (drop (call $nothing))
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store8 (i32.add (i32.const 16) (local.get $behind)) (i32.const 1))
    (i32.const 16))
  (func $room (result i32)
    (drop (call $nothing))
    (i64.store (i32.const 24) (i64.const 65536))
    (i32.const 16))

  (func $now (result i64)
    (global.set $clock (i64.add (global.get $clock) (i64.const 1000000)))
    (global.get $clock))
  (func $date (result i32)
    (local $now i64)
    (local.set $now (call $now))
    (drop (call $nothing))
    (i64.store (i32.const 16) (i64.div_u (local.get $now) (i64.const 1000000000)))
    (i32.store (i32.const 24)
      (i32.wrap_i64 (i64.rem_u (local.get $now) (i64.const 1000000000))))
    (i32.const 16))
  (func $step (result i32)
    (drop (call $nothing))
    (i32.store (i32.const 24) (i32.const 1000000))
    (i32.const 16))

  (func $bytes (param $length i64) (result i32)
    (local $at i32) (local $size i32)
    (if (i64.gt_u (local.get $length) (i64.const 0x1000000)) (then unreachable))
    (local.set $size (i32.wrap_i64 (local.get $length)))
    (drop (call $nothing))
    (local.set $at
      (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (local.get $size)))
    (memory.fill (local.get $at) (i32.const 0x5a) (local.get $size))
    (i32.store (i32.const 16) (local.get $at))
    (i32.store (i32.const 20) (local.get $size))
    (call $again)
    (i32.const 16))
  (func $seed (result i32)
    (drop (call $nothing))
    (i64.store (i32.const 16) (i64.const 0x5a5a5a5a5a5a5a5a))
    (i64.store (i32.const 24) (i64.const 0x5a5a5a5a5a5a5a5a))
    (i32.const 16))

  ;; Everything is ready: the numbers of all that was asked about.
  (func $all (param $list i32) (param $count i32) (result i32)
    (local $at i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $count)))
        (i32.store
          (i32.add (local.get $list) (i32.shl (local.get $at) (i32.const 2)))
          (local.get $at))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (drop (call $nothing))
    (i32.store (i32.const 16) (local.get $list))
    (i32.store (i32.const 20) (local.get $count))
    (i32.const 16))

  ;; Collects a line, and logs it at its end. Stream 1 is standard output, which is info; 2 is
  ;; standard error, a warning.
  (func $say (param $stream i32) (param $text i32) (param $length i32)
    (local $at i32) (local $byte i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $byte (i32.load8_u (i32.add (local.get $text) (local.get $at))))
        (if (i32.eq (local.get $byte) (i32.const 10))
          (then (call $line (local.get $stream)))
          (else
            ;; A long line is cut before a character, where there is one.
            (if
              (i32.and
                (i32.ge_u (call $filled (local.get $stream)) (i32.const 2048))
                (i32.or
                  (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80))
                  (i32.ge_u (call $filled (local.get $stream)) (i32.const 2056))))
              (then (call $line (local.get $stream))))
            (i32.store8
              (i32.add (call $start (local.get $stream)) (call $filled (local.get $stream)))
              (local.get $byte))
            (call $fill (local.get $stream)
              (i32.add (call $filled (local.get $stream)) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
  (func $start (param $stream i32) (result i32)
    (i32.mul (local.get $stream) (i32.const 2560)))
  (func $filled (param $stream i32) (result i32)
    (select (global.get $out) (global.get $err) (i32.eq (local.get $stream) (i32.const 1))))
  (func $fill (param $stream i32) (param $filled i32)
    (if (i32.eq (local.get $stream) (i32.const 1))
      (then (global.set $out (local.get $filled)))
      (else (global.set $err (local.get $filled)))))
  ;; Logs what was collected. A byte that is no UTF-8 becomes a question mark.
  (func $line (param $stream i32)
    (local $at i32) (local $length i32)
    (local.set $length (call $filled (local.get $stream)))
    (call $fill (local.get $stream) (i32.const 0))
    (block $readable
      (loop $next
        (local.set $at
          (i32.add (local.get $at)
            (call $readable
              (i32.add (call $start (local.get $stream)) (local.get $at))
              (i32.sub (local.get $length) (local.get $at)))))
        (br_if $readable (i32.ge_u (local.get $at) (local.get $length)))
        (i32.store8
          (i32.add (call $start (local.get $stream)) (local.get $at))
          (i32.const 0x3f))
        (br $next)))
    (if (local.get $length)
      (then
        (call $log (local.get $stream) (call $start (local.get $stream)) (local.get $length)))))
  (func $end
    (call $line (i32.const 1))
    (call $line (i32.const 2)))

  ;;UTF-8;;

  ;;EXPORTS;;
)
