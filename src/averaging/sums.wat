;; Sums of float32 vectors, four floats at a time, each operation rounded as in JavaScript's Math.fround.
;; test/averaging-kernels.test.ts compiles this file and compares it with sums-code.ts, which is what runs.
;;
;; Addresses and `bytes` are bytes, a multiple of 16.
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
)
