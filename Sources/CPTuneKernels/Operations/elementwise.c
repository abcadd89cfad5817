#include "Support/kernel_support.h"
#include "ptune_kernels.h"
#include "Support/vector_math.h"

static const float sqrt_half = 0.707106781f, sqrt_2_over_pi = 0.797884561f, one_over_sqrt_2_pi = 0.398942280f;
static const float tanh_cubic = 0.044715f;

PTK_INLINE float relu(float x) { return x < 0 ? 0 : x; } /* NaN stays. */
PTK_INLINE float gelu(float x) { return 0.5f * x * (1.0f + ptk_erf(x * sqrt_half)); }
PTK_INLINE float gelu_tanh(float x) {
  return 0.5f * x * (1.0f + ptk_tanh(sqrt_2_over_pi * (x + tanh_cubic * x * x * x)));
}
PTK_INLINE float silu(float x) { return x * ptk_sigmoid(x); }
PTK_INLINE float square_root(float x) { return sqrtf(x); }

/* f'(x), from x and y = f(x). */
PTK_INLINE float relu_derivative(float x, float y) { return (void)y, x > 0 ? 1.0f : 0.0f; }
PTK_INLINE float gelu_derivative(float x, float y) {
  (void)y;
  return 0.5f * (1.0f + ptk_erf(x * sqrt_half)) + x * one_over_sqrt_2_pi * ptk_exp(-0.5f * x * x);
}
PTK_INLINE float gelu_tanh_derivative(float x, float y) {
  (void)y;
  float t = ptk_tanh(sqrt_2_over_pi * (x + tanh_cubic * x * x * x));
  return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * sqrt_2_over_pi * (1.0f + 3.0f * tanh_cubic * x * x);
}
PTK_INLINE float tanh_derivative(float x, float y) { return (void)x, 1.0f - y * y; }
PTK_INLINE float sigmoid_derivative(float x, float y) { return (void)x, y * (1.0f - y); }
PTK_INLINE float silu_derivative(float x, float y) {
  (void)y;
  float s = ptk_sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}
PTK_INLINE float exp_derivative(float x, float y) { return (void)x, y; }
PTK_INLINE float log_derivative(float x, float y) { return (void)y, 1.0f / x; }
PTK_INLINE float sqrt_derivative(float x, float y) { return (void)x, 0.5f / y; }

/* (value of ptk_unary, name, function, derivative) */
#define UNARY_FUNCTIONS(X)                                     \
  X(PTK_RELU, relu, relu, relu_derivative)                     \
  X(PTK_GELU, gelu, gelu, gelu_derivative)                     \
  X(PTK_GELU_TANH, gelu_tanh, gelu_tanh, gelu_tanh_derivative) \
  X(PTK_TANH, tanh, ptk_tanh, tanh_derivative)                 \
  X(PTK_SIGMOID, sigmoid, ptk_sigmoid, sigmoid_derivative)     \
  X(PTK_SILU, silu, silu, silu_derivative)                     \
  X(PTK_EXP, exp, ptk_exp, exp_derivative)                     \
  X(PTK_LOG, log, ptk_log, log_derivative)                     \
  X(PTK_SQRT, sqrt, square_root, sqrt_derivative)

#define DEFINE(value, name, function, derivative)                                                                    \
  PTK_CLONES static void name##_forward(size_t count, const float *x, float *y) {                                    \
    for (size_t i = 0; i < count; i++) y[i] = function(x[i]);                                                        \
  }                                                                                                                  \
  PTK_CLONES static void name##_backward(size_t count, const float *x, const float *y, const float *dy, bool adding, \
                                         float *dx) {                                                                \
    if (adding)                                                                                                      \
      for (size_t i = 0; i < count; i++) dx[i] += dy[i] * derivative(x[i], y[i]);                                    \
    else                                                                                                             \
      for (size_t i = 0; i < count; i++) dx[i] = dy[i] * derivative(x[i], y[i]);                                     \
  }
UNARY_FUNCTIONS(DEFINE)
#undef DEFINE

void ptk_unary_forward(ptk_unary function, size_t count, const float *x, float *y) {
#define CASE(value, name, function, derivative) \
  case value: return name##_forward(count, x, y);
  switch (function) { UNARY_FUNCTIONS(CASE) }
#undef CASE
}

void ptk_unary_backward(ptk_unary function, size_t count, const float *x, const float *y, const float *dy, bool adding,
                        float *dx) {
#define CASE(value, name, function, derivative) \
  case value: return name##_backward(count, x, y, dy, adding, dx);
  switch (function) { UNARY_FUNCTIONS(CASE) }
#undef CASE
}

/* f(x), and f'(x) through `derivative`: what the two have in common is computed once. */
PTK_INLINE float gelu_with_derivative(float x, float *derivative) {
  const float half = 0.5f * (1.0f + ptk_erf(x * sqrt_half));
  *derivative = half + x * one_over_sqrt_2_pi * ptk_exp_of_score(-0.5f * x * x);
  return x * half;
}
PTK_INLINE float gelu_tanh_with_derivative(float x, float *derivative) {
  const float t = ptk_tanh(sqrt_2_over_pi * (x + tanh_cubic * x * x * x)), half = 0.5f * (1.0f + t);
  *derivative = half + 0.5f * x * (1.0f - t * t) * sqrt_2_over_pi * (1.0f + 3.0f * tanh_cubic * x * x);
  return x * half;
}
PTK_INLINE float silu_with_derivative(float x, float *derivative) {
  const float s = ptk_sigmoid(x);
  *derivative = s * (1.0f + x * (1.0f - s));
  return x * s;
}

#define DEFINE(name)                                                                                                   \
  PTK_CLONES static void name##_forward_with_derivative(size_t count, const float *restrict x, float *restrict y,      \
                                                        float *restrict derivative) {                                  \
    for (size_t i = 0; i < count; i++) y[i] = name##_with_derivative(x[i], &derivative[i]);                            \
  }                                                                                                                    \
  PTK_CLONES static void name##_gated_forward(size_t count, const float *x, const float *y, float *z) {                \
    for (size_t i = 0; i < count; i++) z[i] = name(x[i]) * y[i];                                                       \
  }                                                                                                                    \
  PTK_CLONES static void name##_gated_backward(size_t count, const float *x, const float *y, const float *dz,          \
                                               bool adding_x, float *restrict dx, bool adding_y, float *restrict dy) { \
    for (size_t i = 0; i < count; i++) {                                                                               \
      float derivative;                                                                                                \
      const float factor = name##_with_derivative(x[i], &derivative);                                                  \
      if (dx) dx[i] = dz[i] * y[i] * derivative + (adding_x ? dx[i] : 0);                                              \
      if (dy) dy[i] = dz[i] * factor + (adding_y ? dy[i] : 0);                                                         \
    }                                                                                                                  \
  }
DEFINE(gelu)
DEFINE(gelu_tanh)
DEFINE(silu)
#undef DEFINE

/* Others have no such form, and are not asked for. */
#define CALL(suffix, ...)                                       \
  switch (function) {                                           \
    case PTK_GELU: return gelu_##suffix(__VA_ARGS__);           \
    case PTK_GELU_TANH: return gelu_tanh_##suffix(__VA_ARGS__); \
    case PTK_SILU: return silu_##suffix(__VA_ARGS__);           \
    default: return;                                            \
  }

void ptk_unary_forward_with_derivative(ptk_unary function, size_t count, const float *x, float *y, float *derivative) {
  CALL(forward_with_derivative, count, x, y, derivative);
}

void ptk_gated_forward(ptk_unary function, size_t count, const float *x, const float *y, float *z) {
  CALL(gated_forward, count, x, y, z);
}

void ptk_gated_backward(ptk_unary function, size_t count, const float *x, const float *y, const float *dz,
                        bool adding_x, float *dx, bool adding_y, float *dy) {
  CALL(gated_backward, count, x, y, dz, adding_x, dx, adding_y, dy);
}
#undef CALL

PTK_CLONES void ptk_combine(ptk_binary function, size_t count, const float *x, const float *y, float *z) {
  switch (function) {
    case PTK_ADD:
      for (size_t i = 0; i < count; i++) z[i] = x[i] + y[i];
      return;
    case PTK_SUBTRACT:
      for (size_t i = 0; i < count; i++) z[i] = x[i] - y[i];
      return;
    case PTK_MULTIPLY:
      for (size_t i = 0; i < count; i++) z[i] = x[i] * y[i];
      return;
    case PTK_DIVIDE:
      for (size_t i = 0; i < count; i++) z[i] = x[i] / y[i];
  }
}

PTK_CLONES void ptk_multiply(size_t count, const float *x, const float *y, bool adding, float *z) {
  if (adding)
    for (size_t i = 0; i < count; i++) z[i] += x[i] * y[i];
  else
    for (size_t i = 0; i < count; i++) z[i] = x[i] * y[i];
}

PTK_CLONES void ptk_add(size_t count, const float *x, float *y) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

PTK_CLONES void ptk_add_scaled(size_t count, float scale, const float *x, float *y) {
  for (size_t i = 0; i < count; i++) y[i] += scale * x[i];
}

PTK_CLONES void ptk_add_bias(size_t rows, size_t columns, const float *bias, float *y, size_t y_stride) {
  for (size_t i = 0; i < rows; i++, y += y_stride)
    for (size_t j = 0; j < columns; j++) y[j] += bias[j];
}

PTK_CLONES void ptk_sum_rows(size_t rows, size_t columns, const float *x, size_t x_stride, float *out) {
  for (size_t i = 0; i < rows; i++, x += x_stride)
    for (size_t j = 0; j < columns; j++) out[j] += x[j];
}
