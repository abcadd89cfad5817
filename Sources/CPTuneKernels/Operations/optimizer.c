#include <math.h>

#include "Support/kernel_support.h"
#include "ptune_kernels.h"

PTK_CLONES void ptk_adamw(size_t count, float *parameter, const float *gradient, float *first_moment,
                          float *second_moment, float learning_rate, float beta1, float beta2, float epsilon,
                          float weight_decay, int64_t step) {
  const float rate = (float)(learning_rate / (1 - pow(beta1, (double)step)));
  const float correction = (float)(1 / sqrt(1 - pow(beta2, (double)step)));
  const float keep = 1 - learning_rate * weight_decay;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i];
    const float m = first_moment[i] = beta1 * first_moment[i] + (1 - beta1) * g;
    const float v = second_moment[i] = beta2 * second_moment[i] + (1 - beta2) * g * g;
    parameter[i] = parameter[i] * keep - rate * m / (sqrtf(v) * correction + epsilon);
  }
}

/* ε₁ of the paper, which keeps means of squares above zero. */
static const float square_floor = 1e-30f;

PTK_CLONES void ptk_adafactor_factored(size_t rows, size_t columns, float *gradient, float *row_means,
                                       float *column_means, float decay) {
  const float row_share = (1 - decay) / (float)columns, column_share = (1 - decay) / (float)rows;
  for (size_t j = 0; j < columns; j++) column_means[j] *= decay;
  double total = 0;
  for (size_t i = 0; i < rows; i++) {
    const float *g = gradient + i * columns;
    double sum = 0;
    for (size_t j = 0; j < columns; j++) {
      const float square = g[j] * g[j] + square_floor;
      sum += square;
      column_means[j] += column_share * square;
    }
    row_means[i] = decay * row_means[i] + row_share * (float)sum;
    total += row_means[i];
  }
  for (size_t i = 0; i < rows; i++) {
    float *g = gradient + i * columns;
    const float scale = (float)(1 / sqrt(row_means[i] / (total / (double)rows)));
    for (size_t j = 0; j < columns; j++) g[j] *= scale / sqrtf(column_means[j]);
  }
}

PTK_CLONES void ptk_adafactor_whole(size_t count, float *gradient, float *means, float decay) {
  for (size_t i = 0; i < count; i++) {
    means[i] = decay * means[i] + (1 - decay) * (gradient[i] * gradient[i] + square_floor);
    gradient[i] /= sqrtf(means[i]);
  }
}

PTK_CLONES void ptk_descend(size_t count, float *parameter, const float *direction, float keep, float rate) {
  for (size_t i = 0; i < count; i++) parameter[i] = keep * parameter[i] - rate * direction[i];
}

PTK_CLONES double ptk_sum_of_squares(size_t count, const float *x) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
  return sum;
}
