/*
 * Elementary functions of one float, without branches or calls, so that the loops around them become vector code.
 * Polynomials are minimax fits; errors were measured over all floats, or over the range named, in units in the last
 * place (ulp).
 */
#ifndef PTUNE_VECTOR_MATH_H
#define PTUNE_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "Support/kernel_support.h"

PTK_INLINE float ptk_from_bits(int32_t bits) {
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

PTK_INLINE int32_t ptk_to_bits(float value) {
  int32_t result;
  memcpy(&result, &value, sizeof result);
  return result;
}

/* 1 + r + r²·P(r) with x = n·log 2 + r; n as a whole number through `power`. */
PTK_INLINE float ptk_exp_of_rest(float x, int32_t *power) {
  /* Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits. */
  const float rounder = 12582912.0f;
  float shifted = x * 1.44269504f + rounder;
  float whole = shifted - rounder;
  *power = ptk_to_bits(shifted) - ptk_to_bits(rounder);
  float r = x - whole * 0.693145751953125f;
  r = r - whole * 1.42860677e-6f;
  float p = 1.979024387e-4f;
  p = p * r + 1.394475855e-3f;
  p = p * r + 8.333497674e-3f;
  p = p * r + 4.166629363e-2f;
  p = p * r + 1.666666586e-1f;
  p = p * r + 5.000000068e-1f;
  return (r * r) * p + r + 1.0f;
}

/* 1 ulp. Overflows to infinity, underflows through the subnormals to 0. */
PTK_INLINE float ptk_exp(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -105.0f ? -105.0f : x;
  int32_t n;
  float y = ptk_exp_of_rest(x, &n);
  /* In two steps, since 2^n alone may leave the range of normal floats. */
  int32_t half = n >> 1;
  return y * ptk_from_bits((half + 127) << 23) * ptk_from_bits((n - half + 127) << 23);
}

/* The same for a score less the greatest one, or less log Σ exp: x at most a little above 0. What would be subnormal
   is 0, so that masked scores (-infinity) do not cost the processor's slow path for subnormals. */
PTK_INLINE float ptk_exp_of_score(float x) {
  float inside = x < -87.0f ? -87.0f : x;
  int32_t n;
  float y = ptk_exp_of_rest(inside, &n) * ptk_from_bits((n + 127) << 23);
  return x < -87.0f ? 0.0f : y;
}

/* For |x| <= 1 x + x·P(x²), else 1 - exp(-Q(|x|)). */
PTK_INLINE float ptk_erf(float x) {
  float t = fabsf(x), s = x * x;
  t = t > 4.0f ? 4.0f : t;
  float p = 7.853861158e-5f;
  p = p * s - 8.010193567e-4f;
  p = p * s + 5.188327679e-3f;
  p = p * s - 2.685381193e-2f;
  p = p * s + 1.128358515e-1f;
  p = p * s - 3.761262582e-1f;
  p = p * s + 1.283791657e-1f;
  float q = 2.144552125e-5f;
  q = q * t - 4.385294315e-4f;
  q = q * t + 4.190853363e-3f;
  q = q * t - 2.517180254e-2f;
  q = q * t + 1.083615431e-1f;
  q = q * t + 6.332724221e-1f;
  q = q * t + 1.129552037f;
  q = q * t - 1.824593618e-4f;
  float large = copysignf(1.0f - ptk_exp(-q), x);
  float small = p * x + x;
  return fabsf(x) > 1.0f ? large : small;
}

/* For |x| < 0.625 x + x³·P(x²), else 1 - 2/(exp(2|x|) + 1). */
PTK_INLINE float ptk_tanh(float x) {
  float t = fabsf(x), s = x * x;
  float p = -5.704986770e-3f;
  p = p * s + 2.063908700e-2f;
  p = p * s - 5.373971500e-2f;
  p = p * s + 1.333144220e-1f;
  p = p * s - 3.333328194e-1f;
  float small = (p * s) * x + x;
  float large = copysignf(1.0f - 2.0f / (ptk_exp(2.0f * t) + 1.0f), x);
  return t < 0.625f ? small : large;
}

PTK_INLINE float ptk_sigmoid(float x) { return 1.0f / (1.0f + ptk_exp(-x)); }

/* n·log 2 + f - f²/2 + f³·P(f), x = 2^n·(1 + f) with 1 + f in [√½, √2). */
PTK_INLINE float ptk_log(float x) {
  float scaled = x < 1.17549435e-38f ? x * 33554432.0f : x; /* Subnormals: times 2²⁵. */
  int32_t bits = ptk_to_bits(scaled) - 0x3f3504f3;          /* Less √½. */
  float n = (float)(bits >> 23) - (x < 1.17549435e-38f ? 25.0f : 0.0f);
  float f = ptk_from_bits((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;
  float p = 6.752098305e-2f;
  p = p * f - 1.168498138e-1f;
  p = p * f + 1.189083580e-1f;
  p = p * f - 1.240434104e-1f;
  p = p * f + 1.421905480e-1f;
  p = p * f - 1.666804277e-1f;
  p = p * f + 2.000214274e-1f;
  p = p * f - 2.500000916e-1f;
  p = p * f + 3.333331229e-1f;
  float s = f * f;
  float y = (f * s) * p + n * 1.42860677e-6f;
  y = y - 0.5f * s;
  y = (f + y) + n * 0.693145751953125f;
  y = x == INFINITY ? x : y;
  y = x == 0.0f ? -INFINITY : y;
  return x >= 0.0f ? y : NAN;
}

#endif
