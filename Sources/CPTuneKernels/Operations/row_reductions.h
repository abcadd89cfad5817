/*
 * Sums and maxima over a row. Sums may be taken in any order, which is fixed by the compiler: the same input gives the
 * same bits.
 */
#ifndef PTUNE_ROW_REDUCTIONS_H
#define PTUNE_ROW_REDUCTIONS_H

#include "Support/vector_math.h"

PTK_INLINE float ptk_row_sum(size_t count, const float *x) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i];
  return sum;
}

PTK_INLINE float ptk_row_dot(size_t count, const float *x, const float *y) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

/* Of the numbers: NaN is passed over. */
PTK_INLINE float ptk_row_max(size_t count, const float *x) {
  enum { LANES = 16 };
  float best = -INFINITY;
  size_t i = 0;
  if (count >= LANES) {
    float lanes[LANES];
    for (size_t l = 0; l < LANES; l++) lanes[l] = -INFINITY;
    for (; i + LANES <= count; i += LANES)
      for (size_t l = 0; l < LANES; l++) lanes[l] = x[i + l] > lanes[l] ? x[i + l] : lanes[l];
    for (size_t l = 0; l < LANES; l++) best = lanes[l] > best ? lanes[l] : best;
  }
  for (; i < count; i++) best = x[i] > best ? x[i] : best;
  return best;
}

/* Σ exp(x - shift), shift being the maximum */
PTK_INLINE float ptk_row_sum_exp(size_t count, const float *x, float shift) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += ptk_exp_of_score(x[i] - shift);
  return sum;
}

#endif
