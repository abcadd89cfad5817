/*
 * Products of bf16 numbers, added up in single precision. A bf16 number is the upper half of a float; the operands hold
 * two of neighbouring k side by side, which is what the processors' instructions take.
 */
#ifndef PTUNE_BF16_KERNEL_H
#define PTUNE_BF16_KERNEL_H

#ifdef PTK_VARIANT_HAS_BF16
#include <immintrin.h>
#endif

#include "Variants/tile_kernel.h"
#include "Variants/variant.h"

typedef uint32_t words __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t unaligned_words __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

#ifdef PTK_VARIANT_HAS_BF16

PTK_INLINE vector add_products(vector sum, uint32_t left, words right) {
  return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)left), (__m512bh)right);
}

#else

PTK_INLINE vector add_products(vector sum, uint32_t left, words right) {
  const uint32_t upper = 0xffff0000u;
  sum += ptk_from_bits((int32_t)(left << 16)) * (vector)(right << 16);
  return sum + ptk_from_bits((int32_t)(left & upper)) * (vector)(right & upper);
}

#endif

/* c [rows, COLUMNS] = start + a·b, as `tile` in tile_kernel.h. */
PTK_INLINE void bf16_tile(const int rows, size_t pairs, const ptk_pair *a, size_t a_stride, const ptk_pair *b,
                          const float *start, size_t start_stride, float *c, size_t c_stride) {
  vector sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) sums[r][v] = start ? LOAD(start + r * start_stride + v * WIDTH) : (vector){0};
  const ptk_pair *first = a, *second = first + 4 * a_stride, *third = second + 4 * a_stride;
  for (size_t i = 0; i < pairs; i++, b += COLUMNS) {
    words right[VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) right[v] = (words)(*(const unaligned_words *)(b + v * WIDTH));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const uint32_t left = (r < 4 ? first : r < 8 ? second : third)[i + (r % 4) * a_stride];
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) sums[r][v] = add_products(sums[r][v], left, right[v]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) STORE(c + r * c_stride + v * WIDTH, sums[r][v]);
}

static void bf16_tile_of(size_t rows, size_t pairs, const ptk_pair *a, size_t a_stride, const ptk_pair *b,
                         const float *start, size_t start_stride, float *c, size_t c_stride) {
#define CASE(count) \
  case count: return bf16_tile(count, pairs, a, a_stride, b, start, start_stride, c, c_stride);
  TILE_HEIGHTS(rows, CASE)
#undef CASE
}

static void multiply_bf16(size_t m, size_t n, size_t pairs, const ptk_pair *a, size_t a_stride, const ptk_pair *b,
                          size_t panel_stride, const float *start, size_t start_stride, float *c, size_t c_stride) {
  for (size_t j = 0; j < n; j += COLUMNS, b += panel_stride) {
    const size_t columns = n - j < COLUMNS ? n - j : COLUMNS;
    for (size_t i = 0, rows; i < m; i += rows) {
      rows = strip_height(m - i);
      const ptk_pair *left = a + i * a_stride;
      const float *from = start ? start + i * start_stride + j : NULL;
      float *to = c + i * c_stride + j;
      if (columns == COLUMNS) {
        bf16_tile_of(rows, pairs, left, a_stride, b, from, start_stride, to, c_stride);
        continue;
      }
      float whole[ROWS * COLUMNS] = {0};
      if (from)
        for (size_t r = 0; r < rows; r++) memcpy(whole + r * COLUMNS, from + r * start_stride, columns * sizeof *whole);
      bf16_tile_of(rows, pairs, left, a_stride, b, whole, COLUMNS, whole, COLUMNS);
      for (size_t r = 0; r < rows; r++) memcpy(to + r * c_stride, whole + r * COLUMNS, columns * sizeof *whole);
    }
  }
}

/* A NaN stays one: rounding could carry its payload into infinity. */
PTK_INLINE uint16_t rounded_to_bf16(float value) {
  const uint32_t bits = (uint32_t)ptk_to_bits(value);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : rounded);
}

static void round_to_bf16(size_t count, const float *from, uint16_t *to) {
  size_t i = 0;
#ifdef PTK_VARIANT_HAS_BF16
  for (; i + 32 <= count; i += 32) {
    const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i));
    memcpy(to + i, &both, sizeof both);
  }
#endif
  for (; i < count; i++) to[i] = rounded_to_bf16(from[i]);
}

#endif
