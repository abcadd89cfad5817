/*
 * Rows of one head are short pieces far apart, which no processor foresees: without a hint, attention of short
 * segments waits for memory more than half of its time. So while one head of a segment is worked on, what the next one
 * needs is brought near, a little after every tile of a product.
 */
#ifndef PTUNE_ATTENTION_PREFETCH_H
#define PTUNE_ATTENTION_PREFETCH_H

#include "Attention/attention_gather.h"

enum { QUEUE_CAPACITY = 16 };

/* Rows of `floats` floats that are needed soon, the last first. */
typedef struct {
  struct {
    const float *values;
    size_t stride, count, floats;
  } parts[QUEUE_CAPACITY];
  size_t count;
} prefetch_queue;

static void queue_rows(prefetch_queue *queue, const float *values, size_t stride, size_t count, size_t floats) {
  if (count == 0 || queue->count == QUEUE_CAPACITY) return;
  queue->parts[queue->count].values = values;
  queue->parts[queue->count].stride = stride;
  queue->parts[queue->count].count = count;
  queue->parts[queue->count].floats = floats;
  queue->count++;
}

/* About as many lines as one tile leaves time for. */
static void prefetch_some(prefetch_queue *queue) {
  enum { LINE_FLOATS = 64 / sizeof(float), LINES = 24 };
  for (size_t lines = 0; queue->count > 0 && lines < LINES;) {
    const size_t last = queue->count - 1, floats = queue->parts[last].floats;
    const float *values = queue->parts[last].values;
    for (size_t j = 0; j < floats; j += LINE_FLOATS, lines++) __builtin_prefetch(values + j, 0, 2);
    queue->parts[last].values += queue->parts[last].stride;
    if (--queue->parts[last].count == 0) queue->count--;
  }
}

/* The key-value head that is worked on after one, in the next segment after the last; false if there is none. */
static bool advance_to_next_head(const ptk_attention *attention, size_t kv_begin, size_t kv_end, size_t *segment,
                                 size_t *kv) {
  if (++*kv < kv_end) return true;
  *kv = kv_begin;
  return ++*segment < attention->segment_count;
}

/* The rows of a segment's queries, or of what is shaped like them: the columns of a key-value head's query heads. */
static void prefetch_heads(prefetch_queue *queue, const ptk_attention *attention, const segment_shape *shape, size_t kv,
                           const float *rows, size_t stride) {
  const size_t floats = attention->heads / attention->kv_heads * attention->head_size;
  if (rows)
    queue_rows(queue, rows + shape->query_begin * stride + kv * floats, stride, shape->query_end - shape->query_begin,
               floats);
}

/* The rows of a segment's keys and values, and of their gradients. */
static void prefetch_sources(prefetch_queue *queue, const ptk_attention *attention, const segment_shape *shape,
                             size_t kv, bool gradients) {
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    const ptk_key_values *source = &attention->sources[range->source];
    const float *const rows[] = {gradients ? source->key_gradients : NULL, gradients ? source->value_gradients : NULL,
                                 source->keys, source->values};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
      if (rows[r])
        queue_rows(queue, rows[r] + row_offset(attention, range, kv), source->stride, (size_t)range->count,
                   attention->head_size);
  }
}

#endif
