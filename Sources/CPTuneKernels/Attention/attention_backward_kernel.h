/*
 * The backward pass of segment attention; see attention_kernel.h.
 */
#ifndef PTUNE_ATTENTION_BACKWARD_KERNEL_H
#define PTUNE_ATTENTION_BACKWARD_KERNEL_H

#include "Attention/attention_kernel.h"

/* Without the last ranges' keys, where nobody wants a gradient that depends on theirs: the first layer of a base model
   with a prefix trains the prefix alone. */
static segment_shape backward_shape_of(const ptk_attention *attention, size_t segment, const float *query_gradients) {
  segment_shape shape = shape_of(attention, segment);
  if (query_gradients) return shape;
  while (shape.range_count > 0) {
    const ptk_range *last = &shape.ranges[shape.range_count - 1];
    const ptk_key_values *source = &attention->sources[last->source];
    if (source->key_gradients || source->value_gradients) break;
    shape.keys -= (size_t)last->count;
    shape.range_count--;
  }
  shape.padded_keys = padded_to_width(shape.keys);
  return shape;
}

/* What is gathered for one key-value head, and the scratch of a block of its queries. */
typedef struct {
  float *key_rows, *value_rows; /* [keys, padded_size], where they are gathered */
  float *key_gradients, *value_gradients;
  float *keys, *values;                /* their transposes, [padded_size, padded_keys] */
  float *queries, *gradients, *result; /* [block, padded_size] */
  float *scores, *score_gradients;              /* [block, padded_keys] */
} backward_scratch;

static backward_scratch backward_scratch_for(const segment_shape *shape, size_t block) {
  const size_t gathered = shape->padded_keys * shape->padded_size, rows = block * shape->padded_size;
  backward_scratch at;
  at.keys = ptk_scratch(PTK_SCRATCH_ATTENTION, 6 * gathered + 3 * rows + 2 * block * shape->padded_keys);
  at.values = at.keys + gathered;
  at.scores = at.values + gathered;
  at.score_gradients = at.scores + block * shape->padded_keys;
  at.queries = at.score_gradients + block * shape->padded_keys;
  at.gradients = at.queries + rows;
  at.result = at.gradients + rows;
  at.key_rows = at.result + rows;
  at.value_rows = at.key_rows + gathered;
  at.key_gradients = at.value_rows + gathered;
  at.value_gradients = at.key_gradients + gathered;
  return at;
}

/* Of a row: scores → probabilities, in the first `count`, 0 up to `padded`; and with them the gradients of the
   probabilities → those of the scores before scaling. `mean` is Σ gradient·probability, which is out·out_gradient. */
static void differentiate_scores(float *restrict scores, float *restrict gradients, size_t count, size_t padded,
                                 float scale, float log_sum, float mean) {
  for (size_t i = count; i < padded; i++) scores[i] = -INFINITY;
  for (size_t i = 0; i < padded; i += WIDTH)
    for (int l = 0; l < WIDTH; l++) {
      float probability = ptk_exp_of_score(scores[i + l] * scale - log_sum);
      scores[i + l] = probability;
      gradients[i + l] = probability * ((gradients[i + l] - mean) * scale);
    }
}

/* Adds to the gradients of `count` keys, those from `first_key` on: leftᵀ [keys, queries]·right [queries, n]. Queries that
   see none of a strip's keys are passed over. */
static void add_key_gradients(const ptk_attention *attention, const segment_shape *shape, size_t begin, size_t queries,
                              size_t first_key, size_t count, const float *left, const row_run *right, size_t n,
                              float *c, size_t c_stride, prefetch_queue *queue) {
  for (size_t j = 0; j < n; j += COLUMNS)
    for (size_t i = 0, rows, from = 0; i < count; i += rows) {
      rows = strip_height(count - i);
      while (from < queries && visible_keys(attention, shape, begin + from) <= first_key + i) from++;
      if (from == queries) break;
      const row_run seeing = {right->values + from * right->stride, right->stride, queries - from};
      transposed_tile(rows, n - j,
                      &(tile_task){.left = {left + from * shape->padded_keys + first_key + i, shape->padded_keys},
                                   .right = &seeing,
                                   .column = j,
                                   .k = queries - from,
                                   .adding = true,
                                   .c = c + i * c_stride + j,
                                   .c_stride = c_stride});
      prefetch_some(queue);
    }
}

/* Adds what a block of queries, which sees `seen` keys, gives to the gradients of keys and values that are wanted. */
static void add_source_gradients(const ptk_attention *attention, const segment_shape *shape, size_t kv, size_t begin,
                                 size_t seen, const backward_scratch *at, const row_run *queries,
                                 const row_run *gradients, prefetch_queue *queue) {
  const size_t padded = shape->padded_size;
  for (size_t i = 0, key = 0; i < shape->range_count && key < seen; i++) {
    const ptk_range *range = &shape->ranges[i];
    const ptk_key_values *source = &attention->sources[range->source];
    const size_t offset = row_offset(attention, range, kv), left = seen - key;
    const size_t count = (size_t)range->count < left ? (size_t)range->count : left;
    const size_t stride = shape->in_place ? source->stride : padded;
    if (source->value_gradients)
      add_key_gradients(attention, shape, begin, gradients->count, key, count, at->scores, gradients, padded,
                        shape->in_place ? source->value_gradients + offset : at->value_gradients + key * padded, stride,
                        queue);
    if (source->key_gradients)
      add_key_gradients(attention, shape, begin, queries->count, key, count, at->score_gradients, queries, padded,
                        shape->in_place ? source->key_gradients + offset : at->key_gradients + key * padded, stride,
                        queue);
    key += count;
  }
}

/* Adds what was gathered to the gradients of the sources that want them. */
static void scatter_gradients(const ptk_attention *attention, const segment_shape *shape, size_t kv,
                              const backward_scratch *at) {
  const size_t size = attention->head_size, padded = shape->padded_size;
  for (size_t i = 0, key = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    const ptk_key_values *source = &attention->sources[range->source];
    const size_t offset = row_offset(attention, range, kv), count = (size_t)range->count;
    if (source->key_gradients)
      add_rows(count, size, at->key_gradients + key * padded, padded, source->key_gradients + offset, source->stride);
    if (source->value_gradients)
      add_rows(count, size, at->value_gradients + key * padded, padded, source->value_gradients + offset,
               source->stride);
    key += count;
  }
}

/* `out`, `out_gradients` and `query_gradients` are at the block's first row and head. */
static void backward_block(const ptk_attention *attention, const segment_shape *shape, size_t kv, size_t head,
                           size_t begin, size_t count, const row_run *key_rows, const backward_scratch *at,
                           const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                           float *query_gradients, size_t query_gradient_stride, prefetch_queue *queue) {
  const size_t size = attention->head_size, padded = shape->padded_size, wide = shape->padded_keys;
  const row_run queries =
      padded_rows(shape, size, count, attention->queries + begin * attention->query_stride + head * size,
                  attention->query_stride, at->queries);
  const row_run gradients = padded_rows(shape, size, count, out_gradients, out_stride, at->gradients);
  query_strips strips;
  split_into_strips(attention, shape, begin, count, &strips);
  const row_run keys = {at->keys, wide, size}, values = {at->values, wide, size};
  product_to_seen(&strips, size, (left_operand){queries.values, queries.stride}, &keys, at->scores, wide, queue);
  product_to_seen(&strips, size, (left_operand){gradients.values, gradients.stride}, &values, at->score_gradients, wide,
                  queue);
  const size_t seen = most_visible(attention, shape, begin, count);
  for (size_t s = 0; s < strips.count; s++)
    for (size_t i = strips.begin[s]; i < strips.begin[s + 1]; i++) {
      const size_t here = padded_to_width(strips.seen[s]);
      float *scores = at->scores + i * wide, *score_gradients = at->score_gradients + i * wide;
      differentiate_scores(scores, score_gradients, visible_keys(attention, shape, begin + i), here, attention->scale,
                           log_sums[i], dot(size, out_gradients + i * out_stride, out + i * out_stride));
      for (size_t j = here; j < seen; j += WIDTH) {
        STORE(scores + j, (vector){0});
        STORE(score_gradients + j, (vector){0});
      }
    }
  add_source_gradients(attention, shape, kv, begin, seen, at, &queries, &gradients, queue);
  if (!query_gradients) return;
  const bool direct = padded == size;
  product_over_seen(&strips, false, padded, (left_operand){at->score_gradients, wide}, key_rows, NULL,
                    direct ? query_gradients : at->result, direct ? query_gradient_stride : padded, queue);
  if (!direct) write_rows(count, size, at->result, padded, query_gradients, query_gradient_stride);
}

static void attention_backward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                               const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                               float *query_gradients, size_t query_gradient_stride) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const segment_shape shape = backward_shape_of(attention, s, query_gradients);
    if (shape.keys == 0) continue;
    const size_t block = block_size(&shape), gathered = shape.padded_keys * shape.padded_size;
    const backward_scratch at = backward_scratch_for(&shape, block);
    for (size_t kv = kv_begin; kv < kv_end; kv++) {
      prefetch_queue queue = {.count = 0};
      size_t next_segment = s, next_kv = kv;
      if (advance_to_next_head(attention, kv_begin, kv_end, &next_segment, &next_kv)) {
        const segment_shape next = backward_shape_of(attention, next_segment, query_gradients);
        prefetch_heads(&queue, attention, &next, next_kv, query_gradients, query_gradient_stride);
        prefetch_heads(&queue, attention, &next, next_kv, out, out_stride);
        prefetch_heads(&queue, attention, &next, next_kv, out_gradients, out_stride);
        prefetch_sources(&queue, attention, &next, next_kv, true);
        prefetch_heads(&queue, attention, &next, next_kv, attention->queries, attention->query_stride);
      }
      row_run keys[MAX_RUNS], values[MAX_RUNS];
      gather_rows(attention, &shape, kv, KEYS, at.key_rows, keys);
      gather_rows(attention, &shape, kv, VALUES, at.value_rows, values);
      if (!shape.in_place) memset(at.key_gradients, 0, 2 * gathered * sizeof *at.key_gradients);
      transpose(keys, shape.keys, shape.padded_size, 1, at.keys, shape.padded_keys);
      transpose(values, shape.keys, shape.padded_size, 1, at.values, shape.padded_keys);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t left = shape.query_end - begin, here = begin * out_stride + head * size;
          backward_block(attention, &shape, kv, head, begin, left < block ? left : block, keys, &at, out + here,
                         out_gradients + here, out_stride, log_sums + head * rows + begin,
                         query_gradients ? query_gradients + begin * query_gradient_stride + head * size : NULL,
                         query_gradient_stride, &queue);
        }
      if (!shape.in_place) scatter_gradients(attention, &shape, kv, &at);
      while (queue.count > 0) prefetch_some(&queue);
    }
  }
}

#endif
