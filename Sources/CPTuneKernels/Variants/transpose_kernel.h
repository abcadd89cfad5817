/*
 * Transposing in registers: of every four lanes the same, 4 by 4.
 */
#ifndef PTUNE_TRANSPOSE_KERNEL_H
#define PTUNE_TRANSPOSE_KERNEL_H

#include "Variants/tile_kernel.h"

/* Per four lanes of two vectors: their chosen elements, those of the second counted from WIDTH. */
#if PTK_VARIANT_WIDTH == 16
#define FOURS(p, q, r, s) \
  p, q, r, s, p + 4, q + 4, r + 4, s + 4, p + 8, q + 8, r + 8, s + 8, p + 12, q + 12, r + 12, s + 12
#elif PTK_VARIANT_WIDTH == 8
#define FOURS(p, q, r, s) p, q, r, s, p + 4, q + 4, r + 4, s + 4
#else
#define FOURS(p, q, r, s) p, q, r, s
#endif
#define PICK(a, b, p, q, r, s) __builtin_shufflevector(a, b, FOURS(p, q, r, s))

/* Lanes 4g … 4g+3 of result i are lane 4g+i of each of the four. */
PTK_INLINE void transpose_fours(vector v[4]) {
  const vector low = PICK(v[0], v[1], 0, WIDTH, 1, WIDTH + 1), high = PICK(v[0], v[1], 2, WIDTH + 2, 3, WIDTH + 3);
  const vector next = PICK(v[2], v[3], 0, WIDTH, 1, WIDTH + 1), last = PICK(v[2], v[3], 2, WIDTH + 2, 3, WIDTH + 3);
  v[0] = PICK(low, next, 0, 1, WIDTH, WIDTH + 1);
  v[1] = PICK(low, next, 2, 3, WIDTH + 2, WIDTH + 3);
  v[2] = PICK(high, last, 0, 1, WIDTH, WIDTH + 1);
  v[3] = PICK(high, last, 2, 3, WIDTH + 2, WIDTH + 3);
}

/* Four floats of each row 0, 4, … of `from`. */
PTK_INLINE vector load_every_fourth(const float *from, size_t stride) {
  vector result;
  for (int l = 0; l < WIDTH; l += 4) memcpy((float *)&result + l, from + (size_t)l * stride, 4 * sizeof(float));
  return result;
}

#endif
