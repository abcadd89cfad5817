/*
 * Segment attention: one key-value head of one segment at a time, everything in cache. The keys are gathered from
 * their ranges once, transposed for the products that run over them; the queries come in blocks, so that the scores of
 * a long segment stay small. As in Dao et al., "FlashAttention", arXiv:2205.14135, the backward pass computes the
 * probabilities again from the scores and the sums of their exponentials.
 */
#include "attention_gather.h"

enum { SCORES = 32768, BLOCK = 96, VISIBLE_BLOCK = 48 };

/* c [m, n] = a·b, or += if adding; n is a multiple of WIDTH. */
static void product(size_t m, size_t n, size_t k, left_operand a, const float *b, size_t b_stride, bool adding,
                    float *c, size_t c_stride) {
  for (size_t j = 0; j < n; j += COLUMNS)
    for (size_t i = 0; i < m; i += ROWS) {
      size_t rows = m - i < ROWS ? m - i : ROWS;
      left_operand left = {a.values + i * a.row, a.row, a.column};
      float *target = c + i * c_stride + j;
      const float *start = adding ? target : NULL;
      if (n - j >= COLUMNS)
        tile_of(rows, VECTORS, k, left, b + j, b_stride, start, c_stride, target, c_stride);
      else
        tile_of(rows, 1, k, left, b + j, b_stride, start, c_stride, target, c_stride);
    }
}

/* How many of a segment's queries to take at once: fewer where they see different numbers of keys, since a block
   computes as many scores for each as its most seeing query needs. */
static size_t block_size(const ptk_attention *attention, const segment_shape *shape) {
  size_t most = attention->visible ? VISIBLE_BLOCK : BLOCK;
  size_t fitting = SCORES / (shape->padded_keys + 1) / ROWS * ROWS;
  if (fitting < ROWS) fitting = ROWS;
  return fitting < most ? fitting : most;
}

static size_t visible_keys(const ptk_attention *attention, const segment_shape *shape, size_t query) {
  if (!attention->visible) return shape->keys;
  size_t count = (size_t)attention->visible[query];
  return count < shape->keys ? count : shape->keys;
}

static size_t most_visible(const ptk_attention *attention, const segment_shape *shape, size_t begin, size_t count) {
  size_t most = 0;
  for (size_t i = begin; i < begin + count; i++) {
    size_t here = visible_keys(attention, shape, i);
    if (here > most) most = here;
  }
  return most;
}

/* scores → exp(scores - max) over the first `count`, 0 up to `padded`; the sum of it, and the maximum through `max`. */
static float exponentials(float *scores, size_t count, size_t padded, float *max) {
  for (size_t i = count; i < padded; i++) scores[i] = -INFINITY;
  float lanes[WIDTH], best = -INFINITY, sum = 0;
  for (int l = 0; l < WIDTH; l++) lanes[l] = -INFINITY;
  for (size_t i = 0; i < padded; i += WIDTH)
    for (int l = 0; l < WIDTH; l++) lanes[l] = scores[i + l] > lanes[l] ? scores[i + l] : lanes[l];
  for (int l = 0; l < WIDTH; l++) best = lanes[l] > best ? lanes[l] : best;
  for (int l = 0; l < WIDTH; l++) lanes[l] = 0;
  for (size_t i = 0; i < padded; i += WIDTH)
    for (int l = 0; l < WIDTH; l++) {
      float value = ptk_exp(scores[i + l] - best);
      scores[i + l] = value;
      lanes[l] += value;
    }
  for (int l = 0; l < WIDTH; l++) sum += lanes[l];
  *max = best;
  return sum;
}

static void attention_forward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                              size_t out_stride, float *log_sums) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t kv = kv_begin; kv < kv_end; kv++)
    for (size_t s = 0; s < attention->segment_count; s++) {
      const segment_shape shape = shape_of(attention, s);
      const size_t block = block_size(attention, &shape), wide = shape.padded_keys, padded = shape.padded_size;
      float *keys = ptk_scratch(PTK_SCRATCH_ATTENTION, (size + block) * wide + (shape.keys + 2 * block) * padded);
      float *values = keys + size * wide, *queries = values + shape.keys * padded;
      float *result = queries + block * padded, *scores = result + block * padded;
      gather_columns(attention, &shape, kv, GATHER_KEYS, keys);
      gather_rows(attention, &shape, kv, GATHER_VALUES, values);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t count = shape.query_end - begin < block ? shape.query_end - begin : block;
          const size_t seen = most_visible(attention, &shape, begin, count), seen_wide = padded_to_width(seen);
          copy_block(count, size, padded, attention->scale,
                     attention->queries + begin * attention->query_stride + head * size, attention->query_stride,
                     queries);
          product(count, seen_wide, size, (left_operand){queries, padded, 1}, keys, wide, false, scores, wide);
          float scales[BLOCK];
          for (size_t i = 0; i < count; i++) {
            float max, sum = exponentials(scores + i * wide, visible_keys(attention, &shape, begin + i), seen_wide,
                                          &max);
            scales[i] = 1.0f / sum;
            log_sums[head * rows + begin + i] = max + logf(sum);
          }
          product(count, padded, seen, (left_operand){scores, wide, 1}, values, padded, false, result, padded);
          for (size_t i = 0; i < count; i++)
            write_scaled(size, scales[i], result + i * padded, out + (begin + i) * out_stride + head * size);
        }
    }
}

/* scores → probabilities, in the first `count` of each row, 0 up to `padded`; and with them the gradients of the
   probabilities → those of the scores. `mean` is Σ gradient·probability, which is out·out_gradient. */
static void score_gradients(float *scores, float *gradients, size_t count, size_t padded, float log_sum, float mean) {
  for (size_t i = count; i < padded; i++) scores[i] = -INFINITY;
  for (size_t i = 0; i < padded; i += WIDTH)
    for (int l = 0; l < WIDTH; l++) {
      float probability = ptk_exp(scores[i + l] - log_sum);
      scores[i + l] = probability;
      gradients[i + l] = probability * (gradients[i + l] - mean);
    }
}

static void attention_backward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                               const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                               float *query_gradients, size_t query_gradient_stride) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t kv = kv_begin; kv < kv_end; kv++)
    for (size_t s = 0; s < attention->segment_count; s++) {
      const segment_shape shape = shape_of(attention, s);
      const size_t block = block_size(attention, &shape), wide = shape.padded_keys, padded = shape.padded_size;
      const size_t gathered = shape.keys * padded;
      float *keys = ptk_scratch(PTK_SCRATCH_ATTENTION,
                                2 * (size + block) * wide + 3 * gathered + 3 * block * padded);
      float *values = keys + size * wide, *key_rows = values + size * wide;
      float *key_gradients = key_rows + gathered, *value_gradients = key_gradients + gathered;
      float *queries = value_gradients + gathered, *gradients = queries + block * padded;
      float *result = gradients + block * padded, *scores = result + block * padded;
      float *slopes = scores + block * wide;
      gather_columns(attention, &shape, kv, GATHER_KEYS, keys);
      gather_columns(attention, &shape, kv, GATHER_VALUES, values);
      if (query_gradients) gather_rows(attention, &shape, kv, GATHER_KEYS, key_rows);
      if (shape.wants_gradients) memset(key_gradients, 0, 2 * gathered * sizeof *key_gradients);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t count = shape.query_end - begin < block ? shape.query_end - begin : block;
          const size_t seen = most_visible(attention, &shape, begin, count), seen_wide = padded_to_width(seen);
          const float *out_gradient = out_gradients + begin * out_stride + head * size;
          copy_block(count, size, padded, attention->scale,
                     attention->queries + begin * attention->query_stride + head * size, attention->query_stride,
                     queries);
          copy_block(count, size, padded, 1, out_gradient, out_stride, gradients);
          product(count, seen_wide, size, (left_operand){queries, padded, 1}, keys, wide, false, scores, wide);
          product(count, seen_wide, size, (left_operand){gradients, padded, 1}, values, wide, false, slopes, wide);
          for (size_t i = 0; i < count; i++)
            score_gradients(scores + i * wide, slopes + i * wide, visible_keys(attention, &shape, begin + i),
                            seen_wide, log_sums[head * rows + begin + i],
                            ptk_row_dot(size, out_gradient + i * out_stride,
                                        out + (begin + i) * out_stride + head * size));
          if (shape.wants_gradients) {
            product(seen, padded, count, (left_operand){scores, 1, wide}, gradients, padded, true, value_gradients,
                    padded);
            product(seen, padded, count, (left_operand){slopes, 1, wide}, queries, padded, true, key_gradients,
                    padded);
          }
          if (!query_gradients) continue;
          product(count, padded, seen, (left_operand){slopes, wide, 1}, key_rows, padded, false, result, padded);
          for (size_t i = 0; i < count; i++)
            write_scaled(size, attention->scale, result + i * padded,
                         query_gradients + (begin + i) * query_gradient_stride + head * size);
        }
      if (shape.wants_gradients) scatter_gradients(attention, &shape, kv, key_gradients, value_gradients);
    }
}
