;; Sums of float32 vectors, four floats at a time, each operation rounded as in JavaScript's Math.fround.
;;
;; Addresses and `bytes` are bytes, a multiple of 16.
;;
;; bfloat16 is the upper half of a float32. It is rounded to the nearest, to the even one of two that are as near: half a
;; unit less one is added to the bits, and the last bit that stays; beyond the largest one that is infinity. What is no
;; number stays none, whatever its bits are. `halves` are bytes of bfloat16, a multiple of 16: those of eight numbers.
(module
  (import "summing" "memory" (memory 1 65536 shared))

  ;; into = left + right
  (func (export "add") (param $into i32) (param $left i32) (param $right i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $into) (local.get $bytes)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (v128.store (local.get $into)
          (f32x4.add (v128.load (local.get $left)) (v128.load (local.get $right))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $left (i32.add (local.get $left) (i32.const 16)))
        (local.set $right (i32.add (local.get $right) (i32.const 16)))
        (br $next))))

  ;; into = (left + right) / divisor. The result is the sum of the squares of what comes out, in float64.
  (func (export "mean") (param $into i32) (param $left i32) (param $right i32) (param $bytes i32) (param $divisor f32)
    (result f64)
    (local $end i32) (local $mean v128) (local $divisors v128) (local $low v128) (local $high v128) (local $wide v128)
    (local.set $divisors (f32x4.splat (local.get $divisor)))
    (local.set $end (i32.add (local.get $into) (local.get $bytes)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (local.set $mean
          (f32x4.div
            (f32x4.add (v128.load (local.get $left)) (v128.load (local.get $right)))
            (local.get $divisors)))
        (v128.store (local.get $into) (local.get $mean))
        (local.set $wide (f64x2.promote_low_f32x4 (local.get $mean)))
        (local.set $low (f64x2.add (local.get $low) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $mean) (local.get $mean))))
        (local.set $high (f64x2.add (local.get $high) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $left (i32.add (local.get $left) (i32.const 16)))
        (local.set $right (i32.add (local.get $right) (i32.const 16)))
        (br $next)))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low)))
      (f64.add (f64x2.extract_lane 0 (local.get $high)) (f64x2.extract_lane 1 (local.get $high)))))

  ;; into (bfloat16) = from (float32), rounded
  (func (export "narrow") (param $into i32) (param $from i32) (param $halves i32)
    (local $end i32) (local $low v128) (local $high v128) (local $bias v128) (local $one v128) (local $quiet v128)
    (local.set $bias (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff))
    (local.set $one (v128.const i32x4 1 1 1 1))
    (local.set $quiet (v128.const i32x4 0x400000 0x400000 0x400000 0x400000))
    (local.set $end (i32.add (local.get $into) (local.get $halves)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (local.set $low (v128.load (local.get $from)))
        (local.set $high (v128.load offset=16 (local.get $from)))
        (local.set $low
          (v128.bitselect
            (v128.or (local.get $low) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $low) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $low) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $low) (local.get $low))))
        (local.set $high
          (v128.bitselect
            (v128.or (local.get $high) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $high) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $high) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $high) (local.get $high))))
        (v128.store (local.get $into)
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $low) (i32.const 16))
            (i32x4.shr_s (local.get $high) (i32.const 16))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $from (i32.add (local.get $from) (i32.const 32)))
        (br $next))))

  ;; into (float32) = from (bfloat16), exactly
  (func (export "widen") (param $into i32) (param $from i32) (param $halves i32)
    (local $end i32) (local $eight v128) (local $zero v128)
    (local.set $end (i32.add (local.get $from) (local.get $halves)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $eight (v128.load (local.get $from)))
        (v128.store (local.get $into)
          (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $zero) (local.get $eight)))
        (v128.store offset=16 (local.get $into)
          (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $zero) (local.get $eight)))
        (local.set $into (i32.add (local.get $into) (i32.const 32)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br $next))))

  ;; into = left + right, all bfloat16: the sum in float32, rounded
  (func (export "addBfloat16") (param $into i32) (param $left i32) (param $right i32) (param $halves i32)
    (local $end i32) (local $one_side v128) (local $other_side v128) (local $zero v128)
    (local $low v128) (local $high v128) (local $bias v128) (local $one v128) (local $quiet v128)
    (local.set $bias (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff))
    (local.set $one (v128.const i32x4 1 1 1 1))
    (local.set $quiet (v128.const i32x4 0x400000 0x400000 0x400000 0x400000))
    (local.set $end (i32.add (local.get $into) (local.get $halves)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (local.set $one_side (v128.load (local.get $left)))
        (local.set $other_side (v128.load (local.get $right)))
        (local.set $low
          (f32x4.add
            (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $zero) (local.get $one_side))
            (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $zero) (local.get $other_side))))
        (local.set $high
          (f32x4.add
            (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $zero) (local.get $one_side))
            (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $zero) (local.get $other_side))))
        (local.set $low
          (v128.bitselect
            (v128.or (local.get $low) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $low) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $low) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $low) (local.get $low))))
        (local.set $high
          (v128.bitselect
            (v128.or (local.get $high) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $high) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $high) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $high) (local.get $high))))
        (v128.store (local.get $into)
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $low) (i32.const 16))
            (i32x4.shr_s (local.get $high) (i32.const 16))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $left (i32.add (local.get $left) (i32.const 16)))
        (local.set $right (i32.add (local.get $right) (i32.const 16)))
        (br $next))))

  ;; floats (float32) and into (bfloat16) = (left + right) / divisor, of bfloat16, rounded. The result is the sum of the
  ;; squares of what comes out, in float64.
  (func (export "meanBfloat16")
    (param $into i32) (param $floats i32) (param $left i32) (param $right i32) (param $halves i32) (param $divisor f32)
    (result f64)
    (local $end i32) (local $low v128) (local $high v128) (local $bias v128) (local $one v128) (local $quiet v128)
    (local $mask v128) (local $wide v128) (local $even v128) (local $odd v128)
    (local $one_side v128) (local $other_side v128) (local $zero v128) (local $divisors v128)
    (local.set $bias (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff))
    (local.set $one (v128.const i32x4 1 1 1 1))
    (local.set $quiet (v128.const i32x4 0x400000 0x400000 0x400000 0x400000))
    (local.set $mask (v128.const i32x4 0xffff0000 0xffff0000 0xffff0000 0xffff0000))
    (local.set $divisors (f32x4.splat (local.get $divisor)))
    (local.set $end (i32.add (local.get $into) (local.get $halves)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (local.set $one_side (v128.load (local.get $left)))
        (local.set $other_side (v128.load (local.get $right)))
        (local.set $low
          (f32x4.div
            (f32x4.add
              (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $zero) (local.get $one_side))
              (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $zero) (local.get $other_side)))
            (local.get $divisors)))
        (local.set $high
          (f32x4.div
            (f32x4.add
              (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $zero) (local.get $one_side))
              (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $zero) (local.get $other_side)))
            (local.get $divisors)))
        (local.set $low
          (v128.bitselect
            (v128.or (local.get $low) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $low) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $low) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $low) (local.get $low))))
        (local.set $high
          (v128.bitselect
            (v128.or (local.get $high) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $high) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $high) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $high) (local.get $high))))
        (v128.store (local.get $into)
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $low) (i32.const 16))
            (i32x4.shr_s (local.get $high) (i32.const 16))))
        (local.set $low (v128.and (local.get $low) (local.get $mask)))
        (local.set $high (v128.and (local.get $high) (local.get $mask)))
        (v128.store (local.get $floats) (local.get $low))
        (v128.store offset=16 (local.get $floats) (local.get $high))
        (local.set $wide (f64x2.promote_low_f32x4 (local.get $low)))
        (local.set $even (f64x2.add (local.get $even) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $low) (local.get $low))))
        (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide (f64x2.promote_low_f32x4 (local.get $high)))
        (local.set $even (f64x2.add (local.get $even) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $high) (local.get $high))))
        (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $floats (i32.add (local.get $floats) (i32.const 32)))
        (local.set $left (i32.add (local.get $left) (i32.const 16)))
        (local.set $right (i32.add (local.get $right) (i32.const 16)))
        (br $next)))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $even)) (f64x2.extract_lane 1 (local.get $even)))
      (f64.add (f64x2.extract_lane 0 (local.get $odd)) (f64x2.extract_lane 1 (local.get $odd)))))

  ;; Rounds floats where they lie, and puts them into `into` as bfloat16. The result is the sum of the squares of what
  ;; comes out, in float64.
  (func (export "round") (param $into i32) (param $floats i32) (param $halves i32) (result f64)
    (local $end i32) (local $low v128) (local $high v128) (local $bias v128) (local $one v128) (local $quiet v128)
    (local $mask v128) (local $wide v128) (local $even v128) (local $odd v128)
    (local.set $bias (v128.const i32x4 0x7fff 0x7fff 0x7fff 0x7fff))
    (local.set $one (v128.const i32x4 1 1 1 1))
    (local.set $quiet (v128.const i32x4 0x400000 0x400000 0x400000 0x400000))
    (local.set $mask (v128.const i32x4 0xffff0000 0xffff0000 0xffff0000 0xffff0000))
    (local.set $end (i32.add (local.get $into) (local.get $halves)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $into) (local.get $end)))
        (local.set $low (v128.load (local.get $floats)))
        (local.set $high (v128.load offset=16 (local.get $floats)))
        (local.set $low
          (v128.bitselect
            (v128.or (local.get $low) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $low) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $low) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $low) (local.get $low))))
        (local.set $high
          (v128.bitselect
            (v128.or (local.get $high) (local.get $quiet))
            (i32x4.add
              (i32x4.add (local.get $high) (local.get $bias))
              (v128.and (i32x4.shr_u (local.get $high) (i32.const 16)) (local.get $one)))
            (f32x4.ne (local.get $high) (local.get $high))))
        (v128.store (local.get $into)
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $low) (i32.const 16))
            (i32x4.shr_s (local.get $high) (i32.const 16))))
        (local.set $low (v128.and (local.get $low) (local.get $mask)))
        (local.set $high (v128.and (local.get $high) (local.get $mask)))
        (v128.store (local.get $floats) (local.get $low))
        (v128.store offset=16 (local.get $floats) (local.get $high))
        (local.set $wide (f64x2.promote_low_f32x4 (local.get $low)))
        (local.set $even (f64x2.add (local.get $even) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $low) (local.get $low))))
        (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide (f64x2.promote_low_f32x4 (local.get $high)))
        (local.set $even (f64x2.add (local.get $even) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $wide
          (f64x2.promote_low_f32x4
            (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $high) (local.get $high))))
        (local.set $odd (f64x2.add (local.get $odd) (f64x2.mul (local.get $wide) (local.get $wide))))
        (local.set $into (i32.add (local.get $into) (i32.const 16)))
        (local.set $floats (i32.add (local.get $floats) (i32.const 32)))
        (br $next)))
    (f64.add
      (f64.add (f64x2.extract_lane 0 (local.get $even)) (f64x2.extract_lane 1 (local.get $even)))
      (f64.add (f64x2.extract_lane 0 (local.get $odd)) (f64x2.extract_lane 1 (local.get $odd)))))
)
