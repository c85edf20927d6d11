  ;; How many bytes from the beginning are UTF-8: a log line can have no others.
  (func $readable (param $text i32) (param $length i32) (result i32)
    (local $at i32) (local $byte i32) (local $more i32) (local $least i32) (local $most i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $byte (i32.load8_u (i32.add (local.get $text) (local.get $at))))
        ;; The permitted range of the second byte is narrower after four first bytes.
        (local.set $least (i32.const 0x80))
        (local.set $most (i32.const 0xbf))
        (if (i32.lt_u (local.get $byte) (i32.const 0x80))
          (then (local.set $more (i32.const 0)))
          (else
            (br_if $end (i32.lt_u (local.get $byte) (i32.const 0xc2)))
            (br_if $end (i32.gt_u (local.get $byte) (i32.const 0xf4)))
            (local.set $more
              (i32.add (i32.const 1)
                (i32.add
                  (i32.ge_u (local.get $byte) (i32.const 0xe0))
                  (i32.ge_u (local.get $byte) (i32.const 0xf0)))))
            (if (i32.eq (local.get $byte) (i32.const 0xe0))
              (then (local.set $least (i32.const 0xa0))))
            (if (i32.eq (local.get $byte) (i32.const 0xed))
              (then (local.set $most (i32.const 0x9f))))
            (if (i32.eq (local.get $byte) (i32.const 0xf0))
              (then (local.set $least (i32.const 0x90))))
            (if (i32.eq (local.get $byte) (i32.const 0xf4))
              (then (local.set $most (i32.const 0x8f))))))
        (br_if $end
          (i32.gt_u
            (i32.add (i32.add (local.get $at) (local.get $more)) (i32.const 1))
            (local.get $length)))
        (local.set $byte (local.get $at))
        (block $character
          (loop $continuation
            (br_if $character (i32.eqz (local.get $more)))
            (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
            (local.set $more (i32.sub (local.get $more) (i32.const 1)))
            (br_if $end
              (i32.gt_u
                (i32.sub
                  (i32.load8_u (i32.add (local.get $text) (local.get $byte)))
                  (local.get $least))
                (i32.sub (local.get $most) (local.get $least))))
            (local.set $least (i32.const 0x80))
            (local.set $most (i32.const 0xbf))
            (br $continuation)))
        (local.set $at (i32.add (local.get $byte) (i32.const 1)))
        (br $next)))
    (local.get $at))
