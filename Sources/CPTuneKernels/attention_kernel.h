/*
 * Segment attention: one key-value head of one segment at a time, everything in cache. The keys are gathered from
 * their ranges once, transposed for the products that run over them; the queries come in blocks, so that the scores of
 * a long segment stay small. As in Dao et al., "FlashAttention", arXiv:2205.14135, the backward pass computes the
 * probabilities again from the scores and the sums of their exponentials.
 */
#include "attention_gather.h"

enum { SCORES = 16384, BLOCK = 128, VISIBLE_BLOCK = 32 };

/* c [m, n] = a·b, or += if adding; n is a multiple of WIDTH. `transposed` must be constant. */
PTK_INLINE void product_of(const bool transposed, size_t m, size_t n, size_t k, left_operand a, const float *b,
                           size_t b_stride, bool adding, float *c, size_t c_stride) {
  for (size_t j = 0; j < n; j += COLUMNS)
    for (size_t i = 0, rows; i < m; i += rows) {
      rows = strip_height(m - i);
      left_operand left = {a.values + i * (transposed ? 1 : a.stride), a.stride};
      float *target = c + i * c_stride + j;
      const float *start = adding ? target : NULL;
      if (n - j >= COLUMNS)
        tile_of(rows, VECTORS, transposed, k, left, b + j, b_stride, start, c_stride, target, c_stride);
      else
        tile_of(rows, 1, transposed, k, left, b + j, b_stride, start, c_stride, target, c_stride);
    }
}

static void product(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b, size_t b_stride,
                    bool adding, float *c, size_t c_stride) {
  product_of(false, m, n, k, (left_operand){a, a_stride}, b, b_stride, adding, c, c_stride);
}

/* The same with a the transpose of what is there. */
static void transposed_product(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                               size_t b_stride, bool adding, float *c, size_t c_stride) {
  product_of(true, m, n, k, (left_operand){a, a_stride}, b, b_stride, adding, c, c_stride);
}

/* How many of a segment's queries to take at once, in whole vectors: fewer where they see different numbers of keys,
   since a block computes as many scores for each as its most seeing query needs. */
static size_t block_size(const ptk_attention *attention, const segment_shape *shape) {
  size_t most = attention->visible ? VISIBLE_BLOCK : BLOCK, fitting = SCORES / (shape->keys + 1) / COLUMNS * COLUMNS;
  if (fitting < COLUMNS) fitting = COLUMNS;
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

/* Of each of the WIDTH columns of scores [keys, stride]: exp(score - maximum) in place, its sum, and the maximum. */
static void column_exponentials(float *scores, size_t keys, size_t stride, float *restrict maxima,
                                float *restrict sums) {
  for (int l = 0; l < WIDTH; l++) maxima[l] = -INFINITY;
  for (int l = 0; l < WIDTH; l++) sums[l] = 0;
  for (size_t i = 0; i < keys; i++)
    for (int l = 0; l < WIDTH; l++)
      maxima[l] = scores[i * stride + l] > maxima[l] ? scores[i * stride + l] : maxima[l];
  for (size_t i = 0; i < keys; i++)
    for (int l = 0; l < WIDTH; l++) {
      float value = ptk_exp_of_score(scores[i * stride + l] - maxima[l]);
      scores[i * stride + l] = value;
      sums[l] += value;
    }
}

/* The scores of a block of queries, keys by queries: so the maxima and sums of many queries come out of one vector. */
static void forward_block(const ptk_attention *attention, const segment_shape *shape, size_t head, size_t begin,
                          size_t count, const float *keys, const float *values, float *queries, float *transposed,
                          float *scores, float *result, float *out, size_t out_stride, float *log_sums) {
  const size_t size = attention->head_size, padded = shape->padded_size, wide = padded_to_width(count);
  const size_t seen = most_visible(attention, shape, begin, count);
  float maxima[BLOCK], sums[BLOCK];
  copy_rows(count, size, padded, attention->scale,
            attention->queries + begin * attention->query_stride + head * size, attention->query_stride, queries);
  memset(queries + count * padded, 0, (wide - count) * padded * sizeof *queries);
  transpose(wide, padded, queries, transposed);
  transposed_product(seen, wide, size, keys, shape->padded_keys, transposed, wide, false, scores, wide);
  for (size_t i = 0; i < count; i++)
    for (size_t j = visible_keys(attention, shape, begin + i); j < seen; j++) scores[j * wide + i] = -INFINITY;
  for (size_t i = 0; i < wide; i += WIDTH) column_exponentials(scores + i, seen, wide, maxima + i, sums + i);
  transposed_product(count, padded, seen, scores, wide, values, padded, false, result, padded);
  for (size_t i = 0; i < count; i++)
    write_scaled(size, 1.0f / sums[i], result + i * padded, out + i * out_stride);
  for (size_t i = 0; i < wide; i++) maxima[i] += ptk_log(sums[i]);
  memcpy(log_sums, maxima, count * sizeof *log_sums);
}

static void attention_forward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                              size_t out_stride, float *log_sums) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const segment_shape shape = shape_of(attention, s);
    const size_t block = block_size(attention, &shape), padded = shape.padded_size;
    const size_t gathered = shape.padded_keys * padded;
    float *key_rows = ptk_scratch(PTK_SCRATCH_ATTENTION, 3 * gathered + (3 * padded + shape.keys) * block);
    float *keys = key_rows + gathered, *values = keys + gathered, *queries = values + gathered;
    float *transposed = queries + block * padded, *result = transposed + block * padded;
    float *scores = result + block * padded;
    for (size_t kv = kv_begin; kv < kv_end; kv++) {
      gather_rows(attention, &shape, kv, GATHER_KEYS, key_rows);
      gather_rows(attention, &shape, kv, GATHER_VALUES, values);
      transpose(shape.padded_keys, padded, key_rows, keys);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t left = shape.query_end - begin;
          forward_block(attention, &shape, head, begin, left < block ? left : block, keys, values, queries, transposed,
                        scores, result, out + begin * out_stride + head * size, out_stride,
                        log_sums + head * rows + begin);
        }
    }
  }
}
