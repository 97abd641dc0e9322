;; The hot loop of codec.ts, in WebAssembly with SIMD. `npm run codec` assembles it into
;; codec-wasm.ts; test/erasure/codec-wasm.test.ts compares the two.
;;
;; A product with a fixed weight is the sum of the products of the two halves of the byte, so two
;; tables of 16 products are enough, and i8x16.swizzle looks 16 bytes up at once.
(module
  ;; 1 MiB, never more: tables and strips of blocks, laid out by simd-kernel.ts.
  (memory (export "memory") 16 16)

  ;; Writes to `target` the weighted sum of the sources, 64 bytes at a time up to `length`.
  ;; Source c is at `sources` + c * `stride`; the tables of its weight, of the low and of the high
  ;; halves, are at `tables` + 32 c. There is at least one source, and at least one byte.
  (func (export "sum")
    (param $tables i32) (param $sources i32) (param $sourceCount i32) (param $stride i32)
    (param $target i32) (param $length i32)
    (local $at i32) (local $source i32) (local $table i32) (local $left i32)
    (local $lows v128) (local $highs v128) (local $mask v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $sumA v128) (local $sumB v128) (local $sumC v128) (local $sumD v128)
    (local.set $mask (i8x16.splat (i32.const 15)))
    (loop $positions
      (local.set $sumA (v128.const i64x2 0 0))
      (local.set $sumB (v128.const i64x2 0 0))
      (local.set $sumC (v128.const i64x2 0 0))
      (local.set $sumD (v128.const i64x2 0 0))
      (local.set $source (i32.add (local.get $sources) (local.get $at)))
      (local.set $table (local.get $tables))
      (local.set $left (local.get $sourceCount))
      (loop $everySource
        (local.set $lows (v128.load (local.get $table)))
        (local.set $highs (v128.load offset=16 (local.get $table)))
        (local.set $a (v128.load (local.get $source)))
        (local.set $b (v128.load offset=16 (local.get $source)))
        (local.set $c (v128.load offset=32 (local.get $source)))
        (local.set $d (v128.load offset=48 (local.get $source)))
        (local.set $sumA (v128.xor (local.get $sumA) (v128.xor
          (i8x16.swizzle (local.get $lows) (v128.and (local.get $a) (local.get $mask)))
          (i8x16.swizzle (local.get $highs)
            (v128.and (i16x8.shr_u (local.get $a) (i32.const 4)) (local.get $mask))))))
        (local.set $sumB (v128.xor (local.get $sumB) (v128.xor
          (i8x16.swizzle (local.get $lows) (v128.and (local.get $b) (local.get $mask)))
          (i8x16.swizzle (local.get $highs)
            (v128.and (i16x8.shr_u (local.get $b) (i32.const 4)) (local.get $mask))))))
        (local.set $sumC (v128.xor (local.get $sumC) (v128.xor
          (i8x16.swizzle (local.get $lows) (v128.and (local.get $c) (local.get $mask)))
          (i8x16.swizzle (local.get $highs)
            (v128.and (i16x8.shr_u (local.get $c) (i32.const 4)) (local.get $mask))))))
        (local.set $sumD (v128.xor (local.get $sumD) (v128.xor
          (i8x16.swizzle (local.get $lows) (v128.and (local.get $d) (local.get $mask)))
          (i8x16.swizzle (local.get $highs)
            (v128.and (i16x8.shr_u (local.get $d) (i32.const 4)) (local.get $mask))))))
        (local.set $source (i32.add (local.get $source) (local.get $stride)))
        (local.set $table (i32.add (local.get $table) (i32.const 32)))
        (br_if $everySource
          (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $source (i32.add (local.get $target) (local.get $at)))
      (v128.store (local.get $source) (local.get $sumA))
      (v128.store offset=16 (local.get $source) (local.get $sumB))
      (v128.store offset=32 (local.get $source) (local.get $sumC))
      (v128.store offset=48 (local.get $source) (local.get $sumD))
      (br_if $positions
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $length))))))
