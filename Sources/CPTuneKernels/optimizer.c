#include <math.h>

#include "kernel_support.h"
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

PTK_CLONES double ptk_sum_of_squares(size_t count, const float *x) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
  return sum;
}
