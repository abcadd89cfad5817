#include <math.h>

#include "Support/kernel_support.h"
#include "ptune_kernels.h"
#include "Operations/row_reductions.h"

PTK_INLINE float sum_of_squares_about(size_t count, const float *x, float center) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += (x[i] - center) * (x[i] - center);
  return sum;
}

PTK_CLONES void ptk_layer_norm_forward(size_t rows, size_t columns, const float *x, const float *gain,
                                       const float *bias, float epsilon, float *y, float *mean, float *rstd) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    const float m = mean[i] = ptk_row_sum(columns, x) / (float)columns;
    const float r = rstd[i] = 1.0f / sqrtf(sum_of_squares_about(columns, x, m) / (float)columns + epsilon);
    for (size_t j = 0; j < columns; j++) y[j] = (x[j] - m) * r * gain[j] + bias[j];
  }
}

/* With h = (x - mean)·rstd and g = dy·gain: dx = rstd·(g - mean(g) - h·mean(g·h)). */
PTK_INLINE void layer_norm_row_gradient(size_t columns, const float *x, const float *gain, float mean, float rstd,
                                        const float *dy, bool adding, float *dx) {
#pragma clang fp reassociate(on)
  float sum = 0, product = 0;
  for (size_t j = 0; j < columns; j++) {
    const float g = dy[j] * gain[j];
    sum += g;
    product += g * ((x[j] - mean) * rstd);
  }
  sum /= (float)columns;
  product /= (float)columns;
  if (adding)
    for (size_t j = 0; j < columns; j++) dx[j] += rstd * (dy[j] * gain[j] - sum - (x[j] - mean) * rstd * product);
  else
    for (size_t j = 0; j < columns; j++) dx[j] = rstd * (dy[j] * gain[j] - sum - (x[j] - mean) * rstd * product);
}

PTK_CLONES void ptk_layer_norm_backward(size_t rows, size_t columns, const float *x, const float *gain,
                                        const float *mean, const float *rstd, const float *dy, bool adding, float *dx,
                                        float *dgain, float *dbias) {
  for (size_t i = 0; i < rows; i++, x += columns, dy += columns) {
    if (dx) layer_norm_row_gradient(columns, x, gain, mean[i], rstd[i], dy, adding, dx + i * columns);
    if (dgain)
      for (size_t j = 0; j < columns; j++) dgain[j] += dy[j] * ((x[j] - mean[i]) * rstd[i]);
    if (dbias)
      for (size_t j = 0; j < columns; j++) dbias[j] += dy[j];
  }
}

PTK_CLONES void ptk_rms_norm_forward(size_t rows, size_t columns, const float *x, const float *gain, float epsilon,
                                     float *y, float *rstd) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    const float r = rstd[i] = 1.0f / sqrtf(ptk_row_dot(columns, x, x) / (float)columns + epsilon);
    for (size_t j = 0; j < columns; j++) y[j] = x[j] * r * gain[j];
  }
}

/* With h = x·rstd and g = dy·gain: dx = rstd·(g - h·mean(g·h)). */
PTK_INLINE void rms_norm_row_gradient(size_t columns, const float *x, const float *gain, float rstd, const float *dy,
                                      bool adding, float *dx) {
#pragma clang fp reassociate(on)
  float product = 0;
  for (size_t j = 0; j < columns; j++) product += dy[j] * gain[j] * (x[j] * rstd);
  product /= (float)columns;
  if (adding)
    for (size_t j = 0; j < columns; j++) dx[j] += rstd * (dy[j] * gain[j] - x[j] * rstd * product);
  else
    for (size_t j = 0; j < columns; j++) dx[j] = rstd * (dy[j] * gain[j] - x[j] * rstd * product);
}

PTK_CLONES void ptk_rms_norm_backward(size_t rows, size_t columns, const float *x, const float *gain, const float *rstd,
                                      const float *dy, bool adding, float *dx, float *dgain) {
  for (size_t i = 0; i < rows; i++, x += columns, dy += columns) {
    if (dx) rms_norm_row_gradient(columns, x, gain, rstd[i], dy, adding, dx + i * columns);
    if (dgain)
      for (size_t j = 0; j < columns; j++) dgain[j] += dy[j] * (x[j] * rstd[i]);
  }
}
