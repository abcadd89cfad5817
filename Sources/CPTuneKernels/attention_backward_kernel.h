/*
 * The backward pass of segment attention; see attention_kernel.h.
 */

/* What is gathered for one key-value head, and the scratch of a block of its queries. */
typedef struct {
  float *key_rows, *value_rows; /* [padded_keys, padded_size] */
  float *keys, *values;         /* their transposes */
  float *key_gradients, *value_gradients;
  float *queries, *gradients, *result; /* [block, padded_size] */
  float *scores, *slopes;              /* [block, padded_keys] */
} backward_scratch;

static backward_scratch backward_scratch_for(const segment_shape *shape, size_t block) {
  const size_t gathered = shape->padded_keys * shape->padded_size, rows = block * shape->padded_size;
  backward_scratch at;
  at.key_rows =
      ptk_scratch(PTK_SCRATCH_ATTENTION, 6 * gathered + 3 * rows + 2 * block * shape->padded_keys);
  at.value_rows = at.key_rows + gathered;
  at.keys = at.value_rows + gathered;
  at.values = at.keys + gathered;
  at.key_gradients = at.values + gathered;
  at.value_gradients = at.key_gradients + gathered;
  at.queries = at.value_gradients + gathered;
  at.gradients = at.queries + rows;
  at.result = at.gradients + rows;
  at.scores = at.result + rows;
  at.slopes = at.scores + block * shape->padded_keys;
  return at;
}

/* Of a row: scores → probabilities, in the first `count`, 0 up to `padded`; and with them the gradients of the
   probabilities → those of the scores. `mean` is Σ gradient·probability, which is out·out_gradient. */
static void score_gradients(float *restrict scores, float *restrict gradients, size_t count, size_t padded,
                            float log_sum, float mean) {
  for (size_t i = count; i < padded; i++) scores[i] = -INFINITY;
  for (size_t i = 0; i < padded; i += WIDTH)
    for (int l = 0; l < WIDTH; l++) {
      float probability = ptk_exp_of_score(scores[i + l] - log_sum);
      scores[i + l] = probability;
      gradients[i + l] = probability * (gradients[i + l] - mean);
    }
}

/* `out`, `out_gradients` and `query_gradients` are at the block's first row and head. */
static void backward_block(const ptk_attention *attention, const segment_shape *shape, size_t head, size_t begin,
                           size_t count, const backward_scratch *at, const float *out, const float *out_gradients,
                           size_t out_stride, const float *log_sums, float *query_gradients,
                           size_t query_gradient_stride) {
  const size_t size = attention->head_size, padded = shape->padded_size, wide = shape->padded_keys;
  const size_t seen = most_visible(attention, shape, begin, count), seen_wide = padded_to_width(seen);
  copy_rows(count, size, padded, attention->scale,
            attention->queries + begin * attention->query_stride + head * size, attention->query_stride, at->queries);
  copy_rows(count, size, padded, 1, out_gradients, out_stride, at->gradients);
  product(count, seen_wide, size, at->queries, padded, at->keys, wide, false, at->scores, wide);
  product(count, seen_wide, size, at->gradients, padded, at->values, wide, false, at->slopes, wide);
  for (size_t i = 0; i < count; i++)
    score_gradients(at->scores + i * wide, at->slopes + i * wide, visible_keys(attention, shape, begin + i), seen_wide,
                    log_sums[i], dot(size, at->gradients + i * padded, out + i * out_stride));
  if (shape->wants_gradients) {
    transposed_product(seen, padded, count, at->scores, wide, at->gradients, padded, true, at->value_gradients, padded);
    transposed_product(seen, padded, count, at->slopes, wide, at->queries, padded, true, at->key_gradients, padded);
  }
  if (!query_gradients) return;
  product(count, padded, seen, at->slopes, wide, at->key_rows, padded, false, at->result, padded);
  for (size_t i = 0; i < count; i++)
    write_scaled(size, attention->scale, at->result + i * padded, query_gradients + i * query_gradient_stride);
}

static void attention_backward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                               const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                               float *query_gradients, size_t query_gradient_stride) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const segment_shape shape = shape_of(attention, s);
    const size_t block = block_size(attention, &shape), gathered = shape.padded_keys * shape.padded_size;
    const backward_scratch at = backward_scratch_for(&shape, block);
    for (size_t kv = kv_begin; kv < kv_end; kv++) {
      gather_rows(attention, &shape, kv, GATHER_KEYS, at.key_rows);
      gather_rows(attention, &shape, kv, GATHER_VALUES, at.value_rows);
      transpose(shape.padded_keys, shape.padded_size, at.key_rows, at.keys);
      transpose(shape.padded_keys, shape.padded_size, at.value_rows, at.values);
      if (shape.wants_gradients) memset(at.key_gradients, 0, 2 * gathered * sizeof *at.key_gradients);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t left = shape.query_end - begin, here = begin * out_stride + head * size;
          backward_block(attention, &shape, head, begin, left < block ? left : block, &at, out + here,
                         out_gradients + here, out_stride, log_sums + head * rows + begin,
                         query_gradients ? query_gradients + begin * query_gradient_stride + head * size : NULL,
                         query_gradient_stride);
        }
      if (shape.wants_gradients) scatter_gradients(attention, &shape, kv, at.key_gradients, at.value_gradients);
    }
  }
}
