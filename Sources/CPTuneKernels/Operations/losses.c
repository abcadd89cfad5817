#include <math.h>

#include "Support/kernel_support.h"
#include "ptune_kernels.h"
#include "Operations/row_reductions.h"

PTK_CLONES void ptk_softmax_forward(size_t rows, size_t columns, bool logarithm, const float *x, float *y) {
  for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
    const float max = ptk_row_max(columns, x);
    if (logarithm) {
      const float log_sum = max + logf(ptk_row_sum_exp(columns, x, max));
      for (size_t j = 0; j < columns; j++) y[j] = x[j] - log_sum;
    } else {
      for (size_t j = 0; j < columns; j++) y[j] = ptk_exp_of_score(x[j] - max);
      const float scale = 1.0f / ptk_row_sum(columns, y);
      for (size_t j = 0; j < columns; j++) y[j] *= scale;
    }
  }
}

PTK_CLONES void ptk_softmax_backward(size_t rows, size_t columns, bool logarithm, const float *y, const float *dy,
                                     float *dx) {
  for (size_t i = 0; i < rows; i++, y += columns, dy += columns, dx += columns) {
    if (logarithm) {
      const float sum = ptk_row_sum(columns, dy);
      for (size_t j = 0; j < columns; j++) dx[j] += dy[j] - ptk_exp_of_score(y[j]) * sum;
    } else {
      const float sum = ptk_row_dot(columns, dy, y);
      for (size_t j = 0; j < columns; j++) dx[j] += y[j] * (dy[j] - sum);
    }
  }
}

/* With weights w, target t and smoothing e, as torch defines it:
   loss = (1 - e)·w_t·(-log p_t) + e/columns · Σ_c w_c·(-log p_c). */
PTK_CLONES double ptk_cross_entropy_forward(size_t rows, size_t columns, const float *logits, const int32_t *targets,
                                            const float *class_weights, float smoothing, float *log_sums,
                                            double *weight_sum) {
  const float total_weight = class_weights ? ptk_row_sum(columns, class_weights) : (float)columns;
  double loss = 0, weights = 0;
  for (size_t i = 0; i < rows; i++, logits += columns) {
    log_sums[i] = 0;
    if (targets[i] < 0) continue;
    const float max = ptk_row_max(columns, logits);
    const float log_sum = log_sums[i] = max + logf(ptk_row_sum_exp(columns, logits, max));
    const double weight = class_weights ? class_weights[targets[i]] : 1;
    weights += weight;
    loss += (1.0 - smoothing) * weight * ((double)log_sum - logits[targets[i]]);
    if (smoothing != 0) {
      const float weighted = class_weights ? ptk_row_dot(columns, logits, class_weights) : ptk_row_sum(columns, logits);
      loss += (double)smoothing / (double)columns * ((double)log_sum * total_weight - weighted);
    }
  }
  *weight_sum = weights;
  return loss;
}

PTK_CLONES void ptk_cross_entropy_backward(size_t rows, size_t columns, const float *logits, const int32_t *targets,
                                           const float *class_weights, float smoothing, const float *log_sums,
                                           float factor, float *dlogits) {
  const float total_weight = class_weights ? ptk_row_sum(columns, class_weights) : (float)columns;
  const float spread = factor * smoothing / (float)columns;
  for (size_t i = 0; i < rows; i++, logits += columns, dlogits += columns) {
    if (targets[i] < 0) continue;
    const float hit = factor * (1 - smoothing) * (class_weights ? class_weights[targets[i]] : 1);
    const float scale = hit + spread * total_weight, log_sum = log_sums[i];
    for (size_t j = 0; j < columns; j++) dlogits[j] += scale * ptk_exp_of_score(logits[j] - log_sum);
    dlogits[targets[i]] -= hit;
    if (spread != 0)
      for (size_t j = 0; j < columns; j++) dlogits[j] -= spread * (class_weights ? class_weights[j] : 1);
  }
}

PTK_CLONES double ptk_cross_entropy_in_place(size_t columns, float *logits, int32_t target, const float *class_weights,
                                             float smoothing, double *weight) {
  if (target < 0) {
    for (size_t j = 0; j < columns; j++) logits[j] = 0;
    *weight = 0;
    return 0;
  }
  const float own = class_weights ? class_weights[target] : 1, share = smoothing / (float)columns;
  const float total_weight = class_weights ? ptk_row_sum(columns, class_weights) : (float)columns;
  const float max = ptk_row_max(columns, logits), hit = logits[target];
  float weighted = 0;
  if (smoothing != 0)
    weighted = class_weights ? ptk_row_dot(columns, logits, class_weights) : ptk_row_sum(columns, logits);
  for (size_t j = 0; j < columns; j++) logits[j] = ptk_exp_of_score(logits[j] - max);
  const float sum = ptk_row_sum(columns, logits), log_sum = max + logf(sum);
  const float scale = ((1 - smoothing) * own + share * total_weight) / sum;
  for (size_t j = 0; j < columns; j++) logits[j] *= scale;
  logits[target] -= (1 - smoothing) * own;
  if (smoothing != 0)
    for (size_t j = 0; j < columns; j++) logits[j] -= share * (class_weights ? class_weights[j] : 1);
  *weight = own;
  return (1.0 - smoothing) * own * ((double)log_sum - hit) +
         (double)share * ((double)log_sum * total_weight - weighted);
}

PTK_CLONES void ptk_target_scores(size_t rows, size_t columns, const float *logits, const int32_t *targets,
                                  float *out) {
  for (size_t i = 0; i < rows; i++, logits += columns, out += 2) {
    out[0] = out[1] = 0;
    if (targets[i] < 0) continue;
    const float max = ptk_row_max(columns, logits), own = logits[targets[i]];
    out[0] = own - max - logf(ptk_row_sum_exp(columns, logits, max));
    out[1] = own >= max;
  }
}
