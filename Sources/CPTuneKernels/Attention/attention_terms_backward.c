#include <math.h>
#include <string.h>

#include "Attention/attention_terms.h"
#include "Operations/row_reductions.h"
#include "Support/kernel_support.h"

/* What the backward pass needs beside a block. */
typedef struct {
  float *slopes;                          /* [queries, keys]: gradients of the scores */
  float *key_gradients, *value_gradients; /* [keys, head_size] */
  float *content_gradients, *position_gradients;
} gradient_room;

static gradient_room room_in(const ptk_terms_block *block) {
  const size_t gathered = block->keys * block->attention->head_size;
  gradient_room room;
  room.slopes = block->rest;
  room.key_gradients = room.slopes + block->queries * block->keys;
  room.value_gradients = room.key_gradients + gathered;
  room.content_gradients = room.value_gradients + gathered;
  room.position_gradients = room.content_gradients + block->queries * block->content.count;
  return room;
}

/* At least what room_in takes: every key of the segment, and every row of the tables. */
static size_t room_for(const ptk_attention *attention, const ptk_attention_terms *terms, size_t segment,
                       size_t queries) {
  const size_t keys = ptk_terms_segment_keys(attention, segment);
  return queries * keys + 2 * keys * attention->head_size + queries * ptk_terms_buckets(&terms->content_to_position) +
         keys * ptk_terms_buckets(&terms->position_to_content);
}

/* From the weights and the gradients of the weights: those of the scores, in place. */
static PTK_CLONES void score_gradients(size_t count, const float *restrict weights, float mean,
                                       float *restrict slopes) {
  for (size_t j = 0; j < count; j++) slopes[j] = weights[j] * (slopes[j] - mean);
}

static PTK_CLONES void weights_of(size_t count, float log_sum, float *scores) {
  for (size_t j = 0; j < count; j++) scores[j] = ptk_exp_of_score(scores[j] - log_sum);
}

static PTK_CLONES float dot(size_t count, const float *x, const float *y) { return ptk_row_dot(count, x, y); }

/* Through the cap: d cap(x)/dx = 1 - (cap(x)/c)². */
static PTK_CLONES void through_cap(size_t count, float cap, const float *restrict capped, float *restrict slopes) {
  for (size_t i = 0; i < count; i++) slopes[i] *= 1.0f - capped[i] / cap * (capped[i] / cap);
}

static void add_bias_gradients(const ptk_terms_block *block, size_t head, const float *slopes) {
  const ptk_relative *term = block->bias.term;
  if (!term || !term->gradients) return;
  float *column = term->gradients + block->bias.first * term->stride + head;
  for (size_t i = 0; i < block->queries * block->keys; i++)
    column[(size_t)block->bias.buckets[i] * term->stride] += slopes[i];
}

/* Scores → weights, and their gradients → those of the scores before the bias; and what the sinks get. */
static void differentiate_softmax(const ptk_terms_block *block, size_t head, const float *out,
                                  const float *out_gradients, size_t out_stride, const float *log_sums, float *slopes) {
  const size_t keys = block->keys, size = block->attention->head_size;
  const ptk_attention_terms *terms = block->terms;
  for (size_t i = 0; i < block->queries; i++) {
    float *weights = block->scores + i * keys;
    if (log_sums[i] == -INFINITY) {
      memset(weights, 0, keys * sizeof *weights);
      memset(slopes + i * keys, 0, keys * sizeof *slopes);
      continue;
    }
    const float mean = dot(size, out + i * out_stride, out_gradients + i * out_stride);
    weights_of(keys, log_sums[i], weights);
    score_gradients(keys, weights, mean, slopes + i * keys);
    if (terms->sinks && terms->sink_gradients)
      terms->sink_gradients[head] -= ptk_exp_of_score(terms->sinks[head] - log_sums[i]) * mean;
  }
}

/* Adds to the gradients of a table's rows and of the rows that were multiplied with them, `rows` [count, size]. */
static void through_table(const ptk_block_term *at, size_t head, size_t size, float scale, size_t count,
                          const float *rows, size_t stride, const float *gradients, float *row_gradients,
                          size_t row_gradient_stride) {
  const ptk_relative *term = at->term;
  const size_t place = at->first * term->stride + head * size;
  if (row_gradients)
    ptk_gemm(false, false, count, size, at->count, scale, gradients, at->count, term->table + place, term->stride, 1,
             row_gradients, row_gradient_stride);
  if (term->gradients)
    ptk_gemm(true, false, at->count, size, count, scale, gradients, at->count, rows, stride, 1, term->gradients + place,
             term->stride);
}

static void differentiate_products(const ptk_terms_block *block, size_t head, const gradient_room *room,
                                   float *query_gradients, size_t query_gradient_stride) {
  const ptk_attention *attention = block->attention;
  const size_t size = attention->head_size, keys = block->keys, queries = block->queries;
  const float *q = attention->queries + block->begin * attention->query_stride + head * size;
  if (query_gradients)
    ptk_gemm(false, false, queries, size, keys, attention->scale, room->slopes, keys, block->keys_of_head, size, 0,
             query_gradients, query_gradient_stride);
  ptk_gemm(true, false, keys, size, queries, attention->scale, room->slopes, keys, q, attention->query_stride, 1,
           room->key_gradients, size);
  const ptk_block_term *content = &block->content, *position = &block->position;
  if (content->term) {
    memset(room->content_gradients, 0, queries * content->count * sizeof(float));
    for (size_t i = 0; i < queries; i++)
      for (size_t j = 0; j < keys; j++)
        room->content_gradients[i * content->count + (size_t)content->buckets[i * keys + j]] +=
            room->slopes[i * keys + j];
    through_table(content, head, size, attention->scale, queries, q, attention->query_stride, room->content_gradients,
                  query_gradients, query_gradient_stride);
  }
  if (position->term) {
    memset(room->position_gradients, 0, keys * position->count * sizeof(float));
    for (size_t i = 0; i < queries; i++)
      for (size_t j = 0; j < keys; j++)
        room->position_gradients[j * position->count + (size_t)position->buckets[i * keys + j]] +=
            room->slopes[i * keys + j];
    through_table(position, head, size, attention->scale, keys, block->keys_of_head, size, room->position_gradients,
                  room->key_gradients, size);
  }
}

static void add_to_sources(const ptk_terms_block *block, size_t kv, const gradient_room *room) {
  const size_t size = block->attention->head_size;
  for (size_t j = 0; j < block->keys; j++) {
    const ptk_key_values *source = &block->attention->sources[block->sources[j]];
    const size_t to = (size_t)block->rows[j] * source->stride + kv * size;
    if (source->key_gradients) ptk_add(size, room->key_gradients + j * size, source->key_gradients + to);
    if (source->value_gradients) ptk_add(size, room->value_gradients + j * size, source->value_gradients + to);
  }
}

void ptk_attention_terms_backward(const ptk_attention *attention, const ptk_attention_terms *terms, size_t rows,
                                  size_t kv_begin, size_t kv_end, const float *out, const float *out_gradients,
                                  size_t out_stride, const float *log_sums, float *query_gradients,
                                  size_t query_gradient_stride) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const size_t first = (size_t)attention->segments[s].query_begin;
    const size_t end = first + (size_t)attention->segments[s].query_count;
    for (size_t begin = first, count; begin < end; begin += count) {
      count = end - begin < PTK_TERMS_QUERIES ? end - begin : PTK_TERMS_QUERIES;
      const ptk_terms_block block =
          ptk_terms_lay_out(attention, terms, s, begin, count, room_for(attention, terms, s, count));
      const gradient_room room = room_in(&block);
      const size_t keys = block.keys, gathered = keys * size;
      for (size_t kv = kv_begin; kv < kv_end; kv++) {
        ptk_terms_gather(&block, kv);
        memset(room.key_gradients, 0, 2 * gathered * sizeof(float));
        for (size_t head = kv * group; head < (kv + 1) * group; head++) {
          const size_t place = begin * out_stride + head * size;
          ptk_terms_scores(&block, head);
          ptk_gemm(false, true, count, keys, size, 1, out_gradients + place, out_stride, block.values_of_head, size, 0,
                   room.slopes, keys);
          differentiate_softmax(&block, head, out + place, out_gradients + place, out_stride,
                                log_sums + head * rows + begin, room.slopes);
          ptk_gemm(true, false, keys, size, count, 1, block.scores, keys, out_gradients + place, out_stride, 1,
                   room.value_gradients, size);
          add_bias_gradients(&block, head, room.slopes);
          if (terms->soft_cap > 0) through_cap(count * keys, terms->soft_cap, block.capped, room.slopes);
          differentiate_products(&block, head, &room,
                                 query_gradients ? query_gradients + begin * query_gradient_stride + head * size : NULL,
                                 query_gradient_stride);
        }
        add_to_sources(&block, kv, &room);
      }
    }
  }
}
