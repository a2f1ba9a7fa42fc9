;; The inner loops of the wasm engine's kernels, four floats at a time, in the memory of TensorFlow.js's own module.
;;
;; All numbers are float32. Addresses, strides and sizes called `bytes` are bytes, counts are counts of floats.
;; A loop over floats reads up to 16 bytes past its last one, which the heap's footer allows, and writes none.
(module
  (import "tensorflow" "memory" (memory 0))

  ;; ---- Matrix product ----

  ;; Four lanes of a strip, any strides; lanes from `lanes` on are zero.
  (func $packScalars
    (param $source i32) (param $laneStride i32) (param $depthStride i32)
    (param $target i32) (param $step i32) (param $lanes i32) (param $depth i32)
    (local $lane i32) (local $from i32) (local $to i32)
    (if (i32.eqz (local.get $depth)) (then (return)))
    (loop $depths
      (v128.store (local.get $target) (v128.const i32x4 0 0 0 0))
      (local.set $from (local.get $source))
      (local.set $to (local.get $target))
      (local.set $lane (i32.const 0))
      (block $done
        (loop $next
          (br_if $done (i32.ge_s (local.get $lane) (local.get $lanes)))
          (f32.store (local.get $to) (f32.load (local.get $from)))
          (local.set $from (i32.add (local.get $from) (local.get $laneStride)))
          (local.set $to (i32.add (local.get $to) (i32.const 4)))
          (local.set $lane (i32.add (local.get $lane) (i32.const 1)))
          (br $next)))
      (local.set $source (i32.add (local.get $source) (local.get $depthStride)))
      (local.set $target (i32.add (local.get $target) (local.get $step)))
      (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
      (br_if $depths (local.get $depth))))

  ;; A strip of four lanes that lie side by side.
  (func $packAlong
    (param $source i32) (param $depthStride i32) (param $target i32) (param $step i32) (param $depth i32)
    (loop $depths
      (v128.store (local.get $target) (v128.load (local.get $source)))
      (local.set $source (i32.add (local.get $source) (local.get $depthStride)))
      (local.set $target (i32.add (local.get $target) (local.get $step)))
      (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
      (br_if $depths (local.get $depth))))

  ;; A strip of four lanes each of which lies along the depth: 4 x 4 floats are transposed at a time.
  (func $packAcross
    (param $source i32) (param $laneStride i32) (param $target i32) (param $step i32) (param $depth i32)
    (local $row1 i32) (local $row2 i32) (local $row3 i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $ab v128) (local $cd v128)
    (local.set $row1 (i32.add (local.get $source) (local.get $laneStride)))
    (local.set $row2 (i32.add (local.get $row1) (local.get $laneStride)))
    (local.set $row3 (i32.add (local.get $row2) (local.get $laneStride)))
    (block $done
      (loop $depths
        (br_if $done (i32.lt_u (local.get $depth) (i32.const 4)))
        (local.set $a (v128.load (local.get $source)))
        (local.set $b (v128.load (local.get $row1)))
        (local.set $c (v128.load (local.get $row2)))
        (local.set $d (v128.load (local.get $row3)))
        (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
        (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
        (local.set $a (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
        (local.set $c (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
        (v128.store (local.get $target)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
        (local.set $target (i32.add (local.get $target) (local.get $step)))
        (v128.store (local.get $target)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
        (local.set $target (i32.add (local.get $target) (local.get $step)))
        (v128.store (local.get $target)
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $c)))
        (local.set $target (i32.add (local.get $target) (local.get $step)))
        (v128.store (local.get $target)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $c)))
        (local.set $target (i32.add (local.get $target) (local.get $step)))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (local.set $row1 (i32.add (local.get $row1) (i32.const 16)))
        (local.set $row2 (i32.add (local.get $row2) (i32.const 16)))
        (local.set $row3 (i32.add (local.get $row3) (i32.const 16)))
        (local.set $depth (i32.sub (local.get $depth) (i32.const 4)))
        (br $depths)))
    (call $packScalars (local.get $source) (local.get $laneStride) (i32.const 4)
      (local.get $target) (local.get $step) (i32.const 4) (local.get $depth)))

  ;; A block of a matrix, packed for `multiply`: panels of `width` lanes (4 or 8), each [depth, width]. What a panel
  ;; has more than the block is zero.
  (func (export "pack")
    (param $source i32) (param $laneStride i32) (param $depthStride i32)
    (param $target i32) (param $width i32) (param $lanes i32) (param $depth i32)
    (local $step i32) (local $panel i32) (local $column i32)
    (local.set $step (i32.shl (local.get $width) (i32.const 2)))
    (loop $panels
      (local.set $panel (local.get $target))
      (local.set $column (i32.const 0))
      (loop $strips
        (if (i32.lt_s (local.get $lanes) (i32.const 4))
          (then
            (call $packScalars (local.get $source) (local.get $laneStride) (local.get $depthStride)
              (local.get $panel) (local.get $step) (local.get $lanes) (local.get $depth)))
          (else
            (if (i32.eq (local.get $laneStride) (i32.const 4))
              (then
                (call $packAlong (local.get $source) (local.get $depthStride)
                  (local.get $panel) (local.get $step) (local.get $depth)))
              (else
                (call $packAcross (local.get $source) (local.get $laneStride)
                  (local.get $panel) (local.get $step) (local.get $depth))))))
        (local.set $lanes (i32.sub (local.get $lanes) (i32.const 4)))
        (local.set $source (i32.add (local.get $source) (i32.shl (local.get $laneStride) (i32.const 2))))
        (local.set $panel (i32.add (local.get $panel) (i32.const 16)))
        (local.set $column (i32.add (local.get $column) (i32.const 4)))
        (br_if $strips (i32.lt_u (local.get $column) (local.get $width))))
      (local.set $target (i32.add (local.get $target) (i32.mul (local.get $depth) (local.get $step))))
      (br_if $panels (i32.gt_s (local.get $lanes) (i32.const 0)))))

  ;; C = A B, or C += A B, for 4 x 8 floats of C. a [depth, 4], b [depth, 8]. A turn of the loop is one step of
  ;; depth: unrolled, or with more of C, V8 keeps sums on the stack and it is a quarter slower.
  (func $tile
    (param $a i32) (param $b i32) (param $c i32) (param $stride i32) (param $depth i32) (param $accumulate i32)
    (local $c1 i32) (local $c2 i32) (local $c3 i32) (local $end i32)
    (local $left v128) (local $right v128) (local $value v128)
    (local $l0 v128) (local $l1 v128) (local $l2 v128) (local $l3 v128)
    (local $r0 v128) (local $r1 v128) (local $r2 v128) (local $r3 v128)
    (local.set $c1 (i32.add (local.get $c) (local.get $stride)))
    (local.set $c2 (i32.add (local.get $c1) (local.get $stride)))
    (local.set $c3 (i32.add (local.get $c2) (local.get $stride)))
    (if (local.get $accumulate)
      (then
        (local.set $l0 (v128.load (local.get $c)))
        (local.set $r0 (v128.load offset=16 (local.get $c)))
        (local.set $l1 (v128.load (local.get $c1)))
        (local.set $r1 (v128.load offset=16 (local.get $c1)))
        (local.set $l2 (v128.load (local.get $c2)))
        (local.set $r2 (v128.load offset=16 (local.get $c2)))
        (local.set $l3 (v128.load (local.get $c3)))
        (local.set $r3 (v128.load offset=16 (local.get $c3)))))
    (local.set $end (i32.add (local.get $b) (i32.shl (local.get $depth) (i32.const 5))))
    (loop $depths
      (local.set $left (v128.load (local.get $b)))
      (local.set $right (v128.load offset=16 (local.get $b)))
      (local.set $value (v128.load32_splat (local.get $a)))
      (local.set $l0 (f32x4.add (local.get $l0) (f32x4.mul (local.get $value) (local.get $left))))
      (local.set $r0 (f32x4.add (local.get $r0) (f32x4.mul (local.get $value) (local.get $right))))
      (local.set $value (v128.load32_splat offset=4 (local.get $a)))
      (local.set $l1 (f32x4.add (local.get $l1) (f32x4.mul (local.get $value) (local.get $left))))
      (local.set $r1 (f32x4.add (local.get $r1) (f32x4.mul (local.get $value) (local.get $right))))
      (local.set $value (v128.load32_splat offset=8 (local.get $a)))
      (local.set $l2 (f32x4.add (local.get $l2) (f32x4.mul (local.get $value) (local.get $left))))
      (local.set $r2 (f32x4.add (local.get $r2) (f32x4.mul (local.get $value) (local.get $right))))
      (local.set $value (v128.load32_splat offset=12 (local.get $a)))
      (local.set $l3 (f32x4.add (local.get $l3) (f32x4.mul (local.get $value) (local.get $left))))
      (local.set $r3 (f32x4.add (local.get $r3) (f32x4.mul (local.get $value) (local.get $right))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 32)))
      (br_if $depths (i32.lt_u (local.get $b) (local.get $end))))
    (v128.store (local.get $c) (local.get $l0))
    (v128.store offset=16 (local.get $c) (local.get $r0))
    (v128.store (local.get $c1) (local.get $l1))
    (v128.store offset=16 (local.get $c1) (local.get $r1))
    (v128.store (local.get $c2) (local.get $l2))
    (v128.store offset=16 (local.get $c2) (local.get $r2))
    (v128.store (local.get $c3) (local.get $l3))
    (v128.store offset=16 (local.get $c3) (local.get $r3)))

  ;; What of a tile [4, 8] lies in C.
  (func $copyEdge
    (param $tile i32) (param $c i32) (param $stride i32)
    (param $rows i32) (param $columns i32) (param $accumulate i32)
    (local $at i32) (local $to i32) (local $end i32)
    (loop $nextRow
      (local.set $at (local.get $tile))
      (local.set $to (local.get $c))
      (local.set $end (i32.add (local.get $c) (i32.shl (local.get $columns) (i32.const 2))))
      (loop $nextColumn
        (f32.store (local.get $to)
          (if (result f32) (local.get $accumulate)
            (then (f32.add (f32.load (local.get $to)) (f32.load (local.get $at))))
            (else (f32.load (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $to (i32.add (local.get $to) (i32.const 4)))
        (br_if $nextColumn (i32.lt_u (local.get $to) (local.get $end))))
      (local.set $tile (i32.add (local.get $tile) (i32.const 32)))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows))))

  ;; C [rows, columns], a row `stride` bytes, = or += A B, both packed. `edge` is room for a tile, 128 bytes.
  ;; A panel of B stays in the first-level cache while A goes by.
  (func (export "multiply")
    (param $a i32) (param $b i32) (param $c i32) (param $stride i32)
    (param $rows i32) (param $columns i32) (param $depth i32) (param $accumulate i32) (param $edge i32)
    (local $panel i32) (local $to i32) (local $rowsLeft i32)
    (loop $nextColumns
      (local.set $panel (local.get $a))
      (local.set $to (local.get $c))
      (local.set $rowsLeft (local.get $rows))
      (loop $nextRows
        (if (i32.and (i32.ge_s (local.get $rowsLeft) (i32.const 4)) (i32.ge_s (local.get $columns) (i32.const 8)))
          (then
            (call $tile (local.get $panel) (local.get $b) (local.get $to) (local.get $stride)
              (local.get $depth) (local.get $accumulate)))
          (else
            (call $tile (local.get $panel) (local.get $b) (local.get $edge) (i32.const 32)
              (local.get $depth) (i32.const 0))
            (call $copyEdge (local.get $edge) (local.get $to) (local.get $stride)
              (select (i32.const 4) (local.get $rowsLeft) (i32.ge_s (local.get $rowsLeft) (i32.const 4)))
              (select (i32.const 8) (local.get $columns) (i32.ge_s (local.get $columns) (i32.const 8)))
              (local.get $accumulate))))
        (local.set $panel (i32.add (local.get $panel) (i32.shl (local.get $depth) (i32.const 4))))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $stride) (i32.const 2))))
        (local.set $rowsLeft (i32.sub (local.get $rowsLeft) (i32.const 4)))
        (br_if $nextRows (i32.gt_s (local.get $rowsLeft) (i32.const 0))))
      (local.set $b (i32.add (local.get $b) (i32.shl (local.get $depth) (i32.const 5))))
      (local.set $c (i32.add (local.get $c) (i32.const 32)))
      (local.set $columns (i32.sub (local.get $columns) (i32.const 8)))
      (br_if $nextColumns (i32.gt_s (local.get $columns) (i32.const 0)))))

  ;; ---- Convolution ----

  ;; Which part of `length` pixels from `first` on lies in a row of `width` pixels: from, to. Empty where to <= from.
  (func $clip (param $first i32) (param $length i32) (param $width i32) (result i32 i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $first) (local.get $length)))
    (select (local.get $first) (i32.const 0) (i32.gt_s (local.get $first) (i32.const 0)))
    (select (local.get $end) (local.get $width) (i32.lt_s (local.get $end) (local.get $width))))

  ;; target = source. Not memory.copy: most pieces are short, and it takes longer to start than they to copy.
  (func $copy (param $source i32) (param $target i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $source) (local.get $bytes)))
    (block $copied
      (loop $vectors
        (br_if $copied (i32.lt_u (i32.sub (local.get $end) (local.get $source)) (i32.const 16)))
        (v128.store (local.get $target) (v128.load (local.get $source)))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (br $vectors)))
    (block $complete
      (loop $rest
        (br_if $complete (i32.ge_u (local.get $source) (local.get $end)))
        (f32.store (local.get $target) (f32.load (local.get $source)))
        (local.set $source (i32.add (local.get $source) (i32.const 4)))
        (local.set $target (i32.add (local.get $target) (i32.const 4)))
        (br $rest))))

  ;; target += source
  (func $add (param $source i32) (param $target i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $source) (local.get $bytes)))
    (block $added
      (loop $vectors
        (br_if $added (i32.lt_u (i32.sub (local.get $end) (local.get $source)) (i32.const 16)))
        (v128.store (local.get $target)
          (f32x4.add (v128.load (local.get $target)) (v128.load (local.get $source))))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (br $vectors)))
    (block $complete
      (loop $rest
        (br_if $complete (i32.ge_u (local.get $source) (local.get $end)))
        (f32.store (local.get $target)
          (f32.add (f32.load (local.get $target)) (f32.load (local.get $source))))
        (local.set $source (i32.add (local.get $source) (i32.const 4)))
        (local.set $target (i32.add (local.get $target) (i32.const 4)))
        (br $rest))))

  ;; What each of `places` places of a filter's row sees of one image row: im2col. Or, with `scatter`, the way back:
  ;; adds what the places hold to the pixels they see. The filter has `filterWidth` pixels of `pixel` bytes and moves
  ;; by `step` pixels; it starts `padding` pixels left of the row, and what it sees outside is zero. Places are
  ;; `stride` bytes apart in the columns. A width of 0 is a row of padding.
  (func (export "moveRow")
    (param $row i32) (param $width i32) (param $pixel i32) (param $columns i32) (param $stride i32)
    (param $places i32) (param $filterWidth i32) (param $step i32) (param $padding i32) (param $scatter i32)
    (local $first i32) (local $from i32) (local $to i32) (local $image i32) (local $column i32) (local $bytes i32)
    (local.set $first (i32.sub (i32.const 0) (local.get $padding)))
    (loop $next
      (call $clip (local.get $first) (local.get $filterWidth) (local.get $width))
      (local.set $to)
      (local.set $from)
      (if
        (i32.and
          (i32.eqz (local.get $scatter))
          (i32.lt_s (i32.sub (local.get $to) (local.get $from)) (local.get $filterWidth)))
        (then
          (memory.fill (local.get $columns) (i32.const 0)
            (i32.mul (local.get $filterWidth) (local.get $pixel)))))
      (if (i32.gt_s (local.get $to) (local.get $from))
        (then
          (local.set $image (i32.add (local.get $row) (i32.mul (local.get $from) (local.get $pixel))))
          (local.set $column
            (i32.add (local.get $columns)
              (i32.mul (i32.sub (local.get $from) (local.get $first)) (local.get $pixel))))
          (local.set $bytes (i32.mul (i32.sub (local.get $to) (local.get $from)) (local.get $pixel)))
          (if (local.get $scatter)
            (then (call $add (local.get $column) (local.get $image) (local.get $bytes)))
            (else (call $copy (local.get $image) (local.get $column) (local.get $bytes))))))
      (local.set $columns (i32.add (local.get $columns) (local.get $stride)))
      (local.set $first (i32.add (local.get $first) (local.get $step)))
      (local.set $places (i32.sub (local.get $places) (i32.const 1)))
      (br_if $next (local.get $places))))

  ;; ---- Elementwise ----

  ;; The first `count` floats of four, 1 to 3.
  (func $storeFew (param $at i32) (param $value v128) (param $count i32)
    (v128.store32_lane 0 (local.get $at) (local.get $value))
    (if (i32.ge_u (local.get $count) (i32.const 2))
      (then (v128.store32_lane offset=4 1 (local.get $at) (local.get $value))))
    (if (i32.ge_u (local.get $count) (i32.const 3))
      (then (v128.store32_lane offset=8 2 (local.get $at) (local.get $value)))))

  ;; target = gradient where features > 0, slope * gradient elsewhere. With gradient = features it is leakyRelu itself.
  (func (export "leak")
    (param $gradient i32) (param $features i32) (param $target i32) (param $count i32) (param $slope f32)
    (local $value v128)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $value (v128.load (local.get $gradient)))
        (local.set $value
          (v128.bitselect
            (local.get $value)
            (f32x4.mul (local.get $value) (f32x4.splat (local.get $slope)))
            (f32x4.gt (v128.load (local.get $features)) (v128.const f32x4 0 0 0 0))))
        (if (i32.lt_u (local.get $count) (i32.const 4))
          (then
            (call $storeFew (local.get $target) (local.get $value) (local.get $count))
            (return)))
        (v128.store (local.get $target) (local.get $value))
        (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
        (local.set $features (i32.add (local.get $features) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $next))))

  ;; target = gradient * (1 - output^2)
  (func (export "tanhGradient")
    (param $gradient i32) (param $output i32) (param $target i32) (param $count i32)
    (local $value v128)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $value (v128.load (local.get $output)))
        (local.set $value
          (f32x4.mul
            (v128.load (local.get $gradient))
            (f32x4.sub (v128.const f32x4 1 1 1 1) (f32x4.mul (local.get $value) (local.get $value)))))
        (if (i32.lt_u (local.get $count) (i32.const 4))
          (then
            (call $storeFew (local.get $target) (local.get $value) (local.get $count))
            (return)))
        (v128.store (local.get $target) (local.get $value))
        (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
        (local.set $output (i32.add (local.get $output) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $next))))

  ;; ---- Batch norm: matrices [rows, channels], vectors [channels] with room for a multiple of four ----

  ;; sums = sum over rows of features
  (func (export "sumRows")
    (param $features i32) (param $rows i32) (param $channels i32) (param $sums i32)
    (local $at i32) (local $bytes i32)
    (local.set $bytes (i32.shl (local.get $channels) (i32.const 2)))
    (memory.fill (local.get $sums) (i32.const 0)
      (i32.and (i32.add (local.get $bytes) (i32.const 15)) (i32.const -16)))
    (loop $nextRow
      (local.set $at (i32.const 0))
      (loop $next
        (v128.store (i32.add (local.get $sums) (local.get $at))
          (f32x4.add
            (v128.load (i32.add (local.get $sums) (local.get $at)))
            (v128.load (i32.add (local.get $features) (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
      (local.set $features (i32.add (local.get $features) (local.get $bytes)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows))))

  ;; sums = sum over rows of values * (features - mean); with values = 0, of (features - mean)^2
  (func (export "sumProducts")
    (param $values i32) (param $features i32) (param $mean i32)
    (param $rows i32) (param $channels i32) (param $sums i32)
    (local $at i32) (local $bytes i32) (local $centred v128)
    (local.set $bytes (i32.shl (local.get $channels) (i32.const 2)))
    (memory.fill (local.get $sums) (i32.const 0)
      (i32.and (i32.add (local.get $bytes) (i32.const 15)) (i32.const -16)))
    (loop $nextRow
      (local.set $at (i32.const 0))
      (loop $next
        (local.set $centred
          (f32x4.sub
            (v128.load (i32.add (local.get $features) (local.get $at)))
            (v128.load (i32.add (local.get $mean) (local.get $at)))))
        (v128.store (i32.add (local.get $sums) (local.get $at))
          (f32x4.add
            (v128.load (i32.add (local.get $sums) (local.get $at)))
            (f32x4.mul
              (local.get $centred)
              (if (result v128) (local.get $values)
                (then (v128.load (i32.add (local.get $values) (local.get $at))))
                (else (local.get $centred))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
      (local.set $features (i32.add (local.get $features) (local.get $bytes)))
      (if (local.get $values)
        (then (local.set $values (i32.add (local.get $values) (local.get $bytes)))))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows))))

  ;; target = values * valueScale + features * featureScale + shift; without the first product where values = 0
  (func (export "scaleRows")
    (param $values i32) (param $features i32) (param $target i32) (param $rows i32) (param $channels i32)
    (param $valueScale i32) (param $featureScale i32) (param $shift i32)
    (local $at i32) (local $bytes i32) (local $value v128)
    (local.set $bytes (i32.shl (local.get $channels) (i32.const 2)))
    (loop $nextRow
      (local.set $at (i32.const 0))
      (loop $next
        (local.set $value
          (f32x4.add
            (f32x4.mul
              (v128.load (i32.add (local.get $features) (local.get $at)))
              (v128.load (i32.add (local.get $featureScale) (local.get $at))))
            (v128.load (i32.add (local.get $shift) (local.get $at)))))
        (if (local.get $values)
          (then
            (local.set $value
              (f32x4.add
                (local.get $value)
                (f32x4.mul
                  (v128.load (i32.add (local.get $values) (local.get $at)))
                  (v128.load (i32.add (local.get $valueScale) (local.get $at))))))))
        (if (i32.lt_u (i32.sub (local.get $bytes) (local.get $at)) (i32.const 16))
          (then
            (call $storeFew (i32.add (local.get $target) (local.get $at)) (local.get $value)
              (i32.shr_u (i32.sub (local.get $bytes) (local.get $at)) (i32.const 2))))
          (else (v128.store (i32.add (local.get $target) (local.get $at)) (local.get $value))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
      (if (local.get $values)
        (then (local.set $values (i32.add (local.get $values) (local.get $bytes)))))
      (local.set $features (i32.add (local.get $features) (local.get $bytes)))
      (local.set $target (i32.add (local.get $target) (local.get $bytes)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows)))))
