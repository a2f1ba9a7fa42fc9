;; The two passes of resample.ts, four channels at a time.
;;
;; Weights are fixed-point numbers of 22 bits; sums start at a half, for rounding. All loads and stores take four
;; bytes where three or fewer may be meant: buffers have slack at their end.
(module
  (memory (export "memory") 1)

  ;; Four sums as four bytes.
  (func $store (param $at i32) (param $sums v128)
    (local.set $sums (i32x4.shr_u (local.get $sums) (i32.const 22)))
    (local.set $sums (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
    (i32.store (local.get $at)
      (i32x4.extract_lane 0 (i8x16.narrow_i16x8_u (local.get $sums) (local.get $sums)))))

  ;; The sum over `count` taps, `step` bytes apart.
  (func $weigh (param $at i32) (param $step i32) (param $weight i32) (param $count i32) (result v128)
    (local $sums v128)
    (local $end i32)
    (local.set $sums (i32x4.splat (i32.const 0x200000)))
    (local.set $end (i32.add (local.get $weight) (i32.shl (local.get $count) (i32.const 2))))
    (loop $taps
      (local.set $sums
        (i32x4.add (local.get $sums)
          (i32x4.mul
            (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at))))
            (v128.load32_splat (local.get $weight)))))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
      (br_if $taps (i32.lt_u (local.get $weight) (local.get $end))))
    (local.get $sums))

  ;; One row, narrowed: [source width, 3] -> [length, 3]. starts, counts: i32 [length]; weights: i32 [length, stride].
  (func (export "narrowRow")
    (param $source i32) (param $target i32)
    (param $starts i32) (param $counts i32) (param $weights i32) (param $stride i32) (param $length i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $starts) (i32.shl (local.get $length) (i32.const 2))))
    (loop $columns
      (call $store (local.get $target)
        (call $weigh
          (i32.add (local.get $source) (i32.mul (i32.load (local.get $starts)) (i32.const 3)))
          (i32.const 3) (local.get $weights) (i32.load (local.get $counts))))
      (local.set $target (i32.add (local.get $target) (i32.const 3)))
      (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
      (local.set $counts (i32.add (local.get $counts) (i32.const 4)))
      (local.set $weights (i32.add (local.get $weights) (i32.shl (local.get $stride) (i32.const 2))))
      (br_if $columns (i32.lt_u (local.get $starts) (local.get $end)))))

  ;; One row out of `count` rows of `rowBytes` each.
  (func (export "mergeRows")
    (param $source i32) (param $target i32) (param $weights i32) (param $count i32) (param $rowBytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $target) (local.get $rowBytes)))
    (loop $bytes
      (call $store (local.get $target)
        (call $weigh (local.get $source) (local.get $rowBytes) (local.get $weights) (local.get $count)))
      (local.set $source (i32.add (local.get $source) (i32.const 4)))
      (local.set $target (i32.add (local.get $target) (i32.const 4)))
      (br_if $bytes (i32.lt_u (local.get $target) (local.get $end))))))
