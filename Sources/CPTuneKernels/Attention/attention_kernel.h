/*
 * Segment attention: one key-value head of one segment at a time, everything in cache. The queries come in blocks, so
 * that the scores of a long segment stay small. As in Dao et al., "FlashAttention", arXiv:2205.14135, the backward pass
 * computes the probabilities again from the scores and the sums of their exponentials.
 */
#ifndef PTUNE_ATTENTION_KERNEL_H
#define PTUNE_ATTENTION_KERNEL_H

#include <math.h>

#include "Support/vector_math.h"
#include "Attention/attention_gather.h"
#include "Attention/attention_prefetch.h"
#include "Attention/attention_tile.h"

enum { BLOCK_SCORES = 16384 };

/* How many of a segment's queries to take at once, in whole tiles. */
static size_t block_size(const segment_shape *shape) {
  size_t fitting = BLOCK_SCORES / (shape->keys + 1) / COLUMNS * COLUMNS;
  if (fitting < COLUMNS) fitting = COLUMNS;
  return fitting < MAX_BLOCK_QUERIES ? fitting : MAX_BLOCK_QUERIES;
}

/* Of the `count` queries from `begin` on. */
static void split_into_strips(const ptk_attention *attention, const segment_shape *shape, size_t begin, size_t count,
                              query_strips *strips) {
  strips->count = 0;
  for (size_t i = 0; i < count;) {
    const size_t height = strip_height(count - i);
    strips->begin[strips->count] = i;
    strips->seen[strips->count++] = most_visible(attention, shape, begin + i, height);
    i += height;
  }
  strips->begin[strips->count] = count;
}

/* Of each of the WIDTH columns of scores [keys, stride]: exp(score - maximum) in place, its sum, and the maximum. */
static void column_exponentials(float *scores, size_t keys, size_t stride, float *restrict maxima,
                                float *restrict sums) {
  for (int l = 0; l < WIDTH; l++) maxima[l] = -INFINITY;
  for (int l = 0; l < WIDTH; l++) sums[l] = 0;
  for (size_t i = 0; i < keys; i++)
    for (int l = 0; l < WIDTH; l++) maxima[l] = scores[i * stride + l] > maxima[l] ? scores[i * stride + l] : maxima[l];
  for (size_t i = 0; i < keys; i++)
    for (int l = 0; l < WIDTH; l++) {
      float value = ptk_exp_of_score(scores[i * stride + l] - maxima[l]);
      scores[i * stride + l] = value;
      sums[l] += value;
    }
}

typedef struct {
  float *key_rows, *value_rows; /* [keys, padded_size], where they are gathered */
  float *queries, *result;      /* [block, padded_size] */
  float *transposed;            /* [padded_size, block] */
  float *scores;                /* [keys, block] */
} forward_scratch;

static forward_scratch forward_scratch_for(const segment_shape *shape, size_t block) {
  const size_t gathered = shape->keys * shape->padded_size, rows = block * shape->padded_size;
  forward_scratch at;
  at.key_rows = ptk_scratch(PTK_SCRATCH_ATTENTION, 2 * gathered + 3 * rows + shape->keys * block);
  at.value_rows = at.key_rows + gathered;
  at.queries = at.value_rows + gathered;
  at.result = at.queries + rows;
  at.transposed = at.result + rows;
  at.scores = at.transposed + rows;
  return at;
}

/* scores [keys, wide] = keys·transposed [size, wide], for the queries of `columns` columns, as many keys as they see. */
static void scores_of(const row_run *keys, size_t seen, size_t size, size_t columns, const row_run *transposed,
                      size_t column, float *scores, size_t wide, prefetch_queue *queue) {
  for (size_t begin = 0; begin < seen; begin += keys->count, keys++) {
    const size_t count = keys->count < seen - begin ? keys->count : seen - begin;
    for (size_t i = 0, rows; i < count; i += rows) {
      rows = strip_height(count - i);
      plain_tile(rows, columns,
                 &(tile_task){.left = {keys->values + i * keys->stride, keys->stride},
                              .right = transposed,
                              .column = column,
                              .k = size,
                              .c = scores + (begin + i) * wide + column,
                              .c_stride = wide});
      prefetch_some(queue);
    }
  }
}

/* The scores of a block of queries, keys by queries: so the maxima and sums of many queries come out of one vector. */
static void forward_block(const ptk_attention *attention, const segment_shape *shape, size_t head, size_t begin,
                          size_t count, const row_run *keys, const row_run *values, const forward_scratch *at,
                          float *out, size_t out_stride, float *log_sums, prefetch_queue *queue) {
  const size_t size = attention->head_size, padded = shape->padded_size, wide = padded_to_width(count);
  float maxima[MAX_BLOCK_QUERIES], sums[MAX_BLOCK_QUERIES], *scores = at->scores;
  const row_run queries =
      padded_rows(shape, size, count, attention->queries + begin * attention->query_stride + head * size,
                  attention->query_stride, at->queries);
  transpose(&queries, count, padded, attention->scale, at->transposed, wide);
  const row_run transposed = {at->transposed, wide, size};
  const size_t most = most_visible(attention, shape, begin, count);
  for (size_t i = 0, width; i < count; i += width) {
    const size_t here = count - i < WIDTH ? count - i : WIDTH, next = count - i < COLUMNS ? count - i : COLUMNS;
    size_t seen = most_visible(attention, shape, begin + i, here);
    const size_t both = most_visible(attention, shape, begin + i, next);
    /* Two vectors at once, unless too much of one would be masked. */
    width = next > WIDTH && both - seen <= both / 4 ? COLUMNS : WIDTH;
    if (width == COLUMNS) seen = both;
    scores_of(keys, seen, size, width, &transposed, i, scores, wide, queue);
    for (size_t q = i; q < i + width && q < count; q++)
      for (size_t j = visible_keys(attention, shape, begin + q); j < seen; j++) scores[j * wide + q] = -INFINITY;
    for (size_t v = i; v < i + width; v += WIDTH) {
      column_exponentials(scores + v, seen, wide, maxima + v, sums + v);
      for (size_t j = seen; j < most; j++) STORE(scores + j * wide + v, (vector){0});
    }
  }
  for (size_t i = 0; i < wide; i++) {
    maxima[i] += ptk_log(sums[i]);
    sums[i] = 1.0f / sums[i];
  }
  memcpy(log_sums, maxima, count * sizeof *log_sums);
  query_strips strips;
  split_into_strips(attention, shape, begin, count, &strips);
  const bool direct = padded == size;
  product_over_seen(&strips, true, padded, (left_operand){scores, wide}, values, sums, direct ? out : at->result,
                    direct ? out_stride : padded, queue);
  if (!direct) write_rows(count, size, at->result, padded, out, out_stride);
}

static void attention_forward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                              size_t out_stride, float *log_sums) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const segment_shape shape = shape_of(attention, s);
    const size_t block = block_size(&shape);
    const forward_scratch at = forward_scratch_for(&shape, block);
    for (size_t kv = kv_begin; kv < kv_end; kv++) {
      prefetch_queue queue = {.count = 0};
      size_t next_segment = s, next_kv = kv;
      if (advance_to_next_head(attention, kv_begin, kv_end, &next_segment, &next_kv)) {
        const segment_shape next = shape_of(attention, next_segment);
        prefetch_heads(&queue, attention, &next, next_kv, out, out_stride);
        prefetch_sources(&queue, attention, &next, next_kv, false);
        prefetch_heads(&queue, attention, &next, next_kv, attention->queries, attention->query_stride);
      }
      row_run keys[MAX_RUNS], values[MAX_RUNS];
      gather_rows(attention, &shape, kv, KEYS, at.key_rows, keys);
      gather_rows(attention, &shape, kv, VALUES, at.value_rows, values);
      for (size_t head = kv * group; head < (kv + 1) * group; head++)
        for (size_t begin = shape.query_begin; begin < shape.query_end; begin += block) {
          const size_t left = shape.query_end - begin;
          forward_block(attention, &shape, head, begin, left < block ? left : block, keys, values, &at,
                        out + begin * out_stride + head * size, out_stride, log_sums + head * rows + begin, &queue);
        }
      while (queue.count > 0) prefetch_some(&queue);
    }
  }
}

#endif
