#include "Attention/attention_terms.h"

#include <math.h>
#include <string.h>

#include "Operations/row_reductions.h"
#include "Support/kernel_support.h"

size_t ptk_terms_segment_keys(const ptk_attention *attention, size_t segment) {
  const ptk_segment *at = &attention->segments[segment];
  size_t keys = 0;
  for (int32_t i = 0; i < at->range_count; i++) keys += (size_t)attention->ranges[at->range_begin + i].count;
  return keys;
}

static size_t most_visible(const ptk_attention *attention, size_t begin, size_t count, size_t keys) {
  if (!attention->visible) return keys;
  size_t most = 0;
  for (size_t i = begin; i < begin + count; i++)
    if ((size_t)attention->visible[i] > most) most = (size_t)attention->visible[i];
  return most < keys ? most : keys;
}

/* Whether a key at this distance is in the window. */
PTK_INLINE bool in_window(const ptk_attention_terms *terms, int32_t distance, bool injected) {
  return (injected && terms->keeps_injected) || (distance >= -terms->left && distance <= terms->right);
}

/* The keys that a query of the block may see: in a long text with a window these are few. */
static void choose_keys(ptk_terms_block *block, size_t segment, size_t most) {
  const ptk_attention_terms *terms = block->terms;
  const ptk_segment *at = &block->attention->segments[segment];
  int32_t lowest = INT32_MAX, highest = INT32_MIN;
  for (size_t i = block->begin; i < block->begin + block->queries; i++) {
    const int32_t place = terms->query_places[i];
    if (place < lowest) lowest = place;
    if (place > highest) highest = place;
  }
  size_t number = 0;
  for (int32_t r = 0; r < at->range_count; r++) {
    const ptk_range *range = &block->attention->ranges[at->range_begin + r];
    const size_t first = (size_t)terms->source_begins[range->source] + (size_t)range->begin;
    for (int32_t i = 0; i < range->count && number < most; i++, number++) {
      const int32_t place = terms->key_places[first + (size_t)i];
      const bool injected = terms->injected[first + (size_t)i];
      /* From the last query backwards and from the first one forwards. */
      const bool near = (injected && terms->keeps_injected) || ((int64_t)place >= (int64_t)lowest - terms->left &&
                                                                (int64_t)place <= (int64_t)highest + terms->right);
      if (!near) continue;
      block->order[block->keys] = (int32_t)number;
      block->sources[block->keys] = range->source;
      block->rows[block->keys] = range->begin + i;
      block->injected[block->keys] = injected;
      block->places[block->keys++] = place;
    }
  }
}

static void find_seen(ptk_terms_block *block) {
  const ptk_attention_terms *terms = block->terms;
  for (size_t i = 0; i < block->queries; i++) {
    const size_t query = block->begin + i;
    const int32_t place = terms->query_places[query];
    const int32_t visible = block->attention->visible ? block->attention->visible[query] : INT32_MAX;
    for (size_t j = 0; j < block->keys; j++)
      block->seen[i * block->keys + j] =
          block->order[j] < visible && in_window(terms, block->places[j] - place, block->injected[j]);
  }
}

static void find_buckets(const ptk_terms_block *block, ptk_block_term *into) {
  const ptk_relative *term = into->term;
  if (!term) return;
  int32_t lowest = INT32_MAX, highest = INT32_MIN;
  for (size_t i = 0; i < block->queries; i++) {
    const int32_t place = block->terms->query_places[block->begin + i];
    for (size_t j = 0; j < block->keys; j++) {
      int32_t index = block->places[j] - place - term->first;
      index = index < 0 ? 0 : index;
      index = index >= term->distances ? term->distances - 1 : index;
      const int32_t bucket = into->buckets[i * block->keys + j] = term->buckets[index];
      lowest = bucket < lowest ? bucket : lowest;
      highest = bucket > highest ? bucket : highest;
    }
  }
  if (lowest > highest) return;
  into->first = (size_t)lowest;
  into->count = (size_t)(highest - lowest) + 1;
  for (size_t i = 0; i < block->queries * block->keys; i++) into->buckets[i] -= lowest;
}

size_t ptk_terms_buckets(const ptk_relative *term) {
  int32_t most = 0;
  for (int32_t i = 0; term->table && i < term->distances; i++)
    if (term->buckets[i] >= most) most = term->buckets[i] + 1;
  return (size_t)most;
}

ptk_terms_block ptk_terms_lay_out(const ptk_attention *attention, const ptk_attention_terms *terms, size_t segment,
                                  size_t begin, size_t count, size_t rest) {
  const size_t most = most_visible(attention, begin, count, ptk_terms_segment_keys(attention, segment));
  const size_t pairs = count * most, gathered = most * attention->head_size;
  const size_t content = ptk_terms_buckets(&terms->content_to_position);
  const size_t position = ptk_terms_buckets(&terms->position_to_content);
  float *at = ptk_scratch(PTK_SCRATCH_ATTENTION, 5 * most + (pairs + 3) / 4 + 6 * pairs + 2 * gathered +
                                                     count * content + most * position + rest);
  ptk_terms_block block = {.attention = attention, .terms = terms, .begin = begin, .queries = count};
#define TAKE(type, floats) (type *)at, at += (floats)
  block.order = TAKE(int32_t, most);
  block.sources = TAKE(int32_t, most);
  block.rows = TAKE(int32_t, most);
  block.places = TAKE(int32_t, most);
  block.injected = TAKE(uint8_t, most);
  block.seen = TAKE(uint8_t, (pairs + 3) / 4);
  block.bias.buckets = TAKE(int32_t, pairs);
  block.content.buckets = TAKE(int32_t, pairs);
  block.position.buckets = TAKE(int32_t, pairs);
  block.distances = TAKE(float, pairs);
  block.scores = TAKE(float, pairs);
  block.capped = TAKE(float, pairs);
  block.keys_of_head = TAKE(float, gathered);
  block.values_of_head = TAKE(float, gathered);
  block.content_scores = TAKE(float, count *content);
  block.position_scores = TAKE(float, most *position);
#undef TAKE
  block.rest = at;
  block.bias.term = terms->bias.table ? &terms->bias : NULL;
  block.content.term = terms->content_to_position.table ? &terms->content_to_position : NULL;
  block.position.term = terms->position_to_content.table ? &terms->position_to_content : NULL;
  choose_keys(&block, segment, most);
  find_seen(&block);
  find_buckets(&block, &block.bias);
  find_buckets(&block, &block.content);
  find_buckets(&block, &block.position);
  if (terms->slopes)
    for (size_t i = 0; i < count; i++)
      for (size_t j = 0; j < block.keys; j++)
        block.distances[i * block.keys + j] = fabsf((float)(block.places[j] - terms->query_places[begin + i]));
  return block;
}

void ptk_terms_gather(const ptk_terms_block *block, size_t kv) {
  const size_t size = block->attention->head_size;
  for (size_t j = 0; j < block->keys; j++) {
    const ptk_key_values *source = &block->attention->sources[block->sources[j]];
    const size_t from = (size_t)block->rows[j] * source->stride + kv * size;
    memcpy(block->keys_of_head + j * size, source->keys + from, size * sizeof(float));
    memcpy(block->values_of_head + j * size, source->values + from, size * sizeof(float));
  }
}

static PTK_CLONES void cap_scores(size_t count, float cap, float *scores, float *capped) {
  for (size_t i = 0; i < count; i++) scores[i] = capped[i] = cap * ptk_tanh(scores[i] / cap);
}

static PTK_CLONES void subtract_distances(size_t count, float slope, const float *distances, float *scores) {
  for (size_t i = 0; i < count; i++) scores[i] -= slope * distances[i];
}

void ptk_terms_scores(const ptk_terms_block *block, size_t head) {
  const ptk_attention *attention = block->attention;
  const ptk_attention_terms *terms = block->terms;
  const size_t size = attention->head_size, keys = block->keys, pairs = block->queries * keys;
  const float *queries = attention->queries + block->begin * attention->query_stride + head * size;
  ptk_gemm(false, true, block->queries, keys, size, attention->scale, queries, attention->query_stride,
           block->keys_of_head, size, 0, block->scores, keys);
  const ptk_block_term *content = &block->content, *position = &block->position, *bias = &block->bias;
  if (content->term) {
    ptk_gemm(false, true, block->queries, content->count, size, attention->scale, queries, attention->query_stride,
             content->term->table + content->first * content->term->stride + head * size, content->term->stride, 0,
             block->content_scores, content->count);
    for (size_t i = 0; i < block->queries; i++)
      for (size_t j = 0; j < keys; j++)
        block->scores[i * keys + j] +=
            block->content_scores[i * content->count + (size_t)content->buckets[i * keys + j]];
  }
  if (position->term) {
    ptk_gemm(false, true, keys, position->count, size, attention->scale, block->keys_of_head, size,
             position->term->table + position->first * position->term->stride + head * size, position->term->stride, 0,
             block->position_scores, position->count);
    for (size_t i = 0; i < block->queries; i++)
      for (size_t j = 0; j < keys; j++)
        block->scores[i * keys + j] +=
            block->position_scores[j * position->count + (size_t)position->buckets[i * keys + j]];
  }
  if (terms->soft_cap > 0) cap_scores(pairs, terms->soft_cap, block->scores, block->capped);
  if (terms->slopes) subtract_distances(pairs, terms->slopes[head], block->distances, block->scores);
  if (bias->term) {
    const float *column = bias->term->table + bias->first * bias->term->stride + head;
    for (size_t i = 0; i < pairs; i++) block->scores[i] += column[(size_t)bias->buckets[i] * bias->term->stride];
  }
  for (size_t i = 0; i < pairs; i++)
    if (!block->seen[i]) block->scores[i] = -INFINITY;
}

static PTK_CLONES void softmax_row(size_t count, float *scores, const float *sink, float *log_sum) {
  float greatest = ptk_row_max(count, scores);
  if (sink && *sink > greatest) greatest = *sink;
  *log_sum = -INFINITY;
  if (greatest == -INFINITY) {
    for (size_t j = 0; j < count; j++) scores[j] = 0;
    return;
  }
  for (size_t j = 0; j < count; j++) scores[j] = ptk_exp_of_score(scores[j] - greatest);
  const float sum = ptk_row_sum(count, scores) + (sink ? ptk_exp_of_score(*sink - greatest) : 0);
  *log_sum = greatest + ptk_log(sum);
  const float share = 1.0f / sum;
  for (size_t j = 0; j < count; j++) scores[j] *= share;
}

void ptk_terms_softmax(const ptk_terms_block *block, size_t head, float *log_sums) {
  const float *sink = block->terms->sinks ? block->terms->sinks + head : NULL;
  for (size_t i = 0; i < block->queries; i++)
    softmax_row(block->keys, block->scores + i * block->keys, sink, log_sums + i);
}
