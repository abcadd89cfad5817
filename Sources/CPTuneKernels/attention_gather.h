/*
 * Between the rows of the sources and the contiguous scratch of attention_kernel.h. Rows are padded to whole vectors;
 * the padding is zero.
 */
#include "row_reductions.h"

typedef enum { GATHER_KEYS, GATHER_VALUES } gathered;

typedef struct {
  size_t query_begin, query_end, keys;
  size_t padded_keys, padded_size; /* keys and head_size in whole vectors */
  const ptk_range *ranges;
  size_t range_count;
  bool wants_gradients; /* some source does */
} segment_shape;

static size_t padded_to_width(size_t count) { return (count + WIDTH - 1) / WIDTH * WIDTH; }

static segment_shape shape_of(const ptk_attention *attention, size_t index) {
  const ptk_segment *segment = &attention->segments[index];
  segment_shape shape = {.query_begin = (size_t)segment->query_begin,
                         .query_end = (size_t)segment->query_begin + (size_t)segment->query_count,
                         .padded_size = padded_to_width(attention->head_size),
                         .ranges = attention->ranges + segment->range_begin,
                         .range_count = (size_t)segment->range_count};
  for (size_t i = 0; i < shape.range_count; i++) {
    const ptk_key_values *source = &attention->sources[shape.ranges[i].source];
    shape.keys += (size_t)shape.ranges[i].count;
    if (source->key_gradients || source->value_gradients) shape.wants_gradients = true;
  }
  shape.padded_keys = padded_to_width(shape.keys);
  return shape;
}

static const float *range_rows(const ptk_attention *attention, const ptk_range *range, size_t kv, gathered what) {
  const ptk_key_values *source = &attention->sources[range->source];
  return (what == GATHER_KEYS ? source->keys : source->values) + (size_t)range->begin * source->stride +
         kv * attention->head_size;
}

/* to [count, padded] = scale·from [count, size] */
static void copy_block(size_t count, size_t size, size_t padded, float scale, const float *from, size_t stride,
                       float *to) {
  for (size_t i = 0; i < count; i++, from += stride, to += padded) {
    size_t j = 0;
    for (; j + WIDTH <= size; j += WIDTH) STORE(to + j, LOAD(from + j) * scale);
    for (; j < size; j++) to[j] = from[j] * scale;
    for (; j < padded; j++) to[j] = 0;
  }
}

static void write_scaled(size_t size, float scale, const float *from, float *to) {
  size_t j = 0;
  for (; j + WIDTH <= size; j += WIDTH) STORE(to + j, LOAD(from + j) * scale);
  for (; j < size; j++) to[j] = from[j] * scale;
}

/* to [keys, padded_size] */
static void gather_rows(const ptk_attention *attention, const segment_shape *shape, size_t kv, gathered what,
                        float *to) {
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    copy_block((size_t)range->count, attention->head_size, shape->padded_size, 1,
               range_rows(attention, range, kv, what), attention->sources[range->source].stride, to);
    to += (size_t)range->count * shape->padded_size;
  }
}

typedef float quad __attribute__((vector_size(16)));
typedef float unaligned_quad __attribute__((vector_size(16), aligned(4)));

/* to [4 columns, 4 rows] = from [4 rows, 4 columns] */
PTK_INLINE void transpose_quad(const float *from, size_t stride, float *to, size_t to_stride) {
  quad a = *(const unaligned_quad *)from, b = *(const unaligned_quad *)(from + stride);
  quad c = *(const unaligned_quad *)(from + 2 * stride), d = *(const unaligned_quad *)(from + 3 * stride);
  quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(unaligned_quad *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(unaligned_quad *)(to + to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(unaligned_quad *)(to + 2 * to_stride) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *(unaligned_quad *)(to + 3 * to_stride) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* to [size, …, to_stride apart] = the transpose of from [count, size] */
static void transpose_block(size_t count, size_t size, const float *from, size_t stride, float *to,
                            size_t to_stride) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    size_t j = 0;
    for (; j + 4 <= size; j += 4) transpose_quad(from + i * stride + j, stride, to + j * to_stride + i, to_stride);
    for (; j < size; j++)
      for (size_t r = i; r < i + 4; r++) to[j * to_stride + r] = from[r * stride + j];
  }
  for (; i < count; i++)
    for (size_t j = 0; j < size; j++) to[j * to_stride + i] = from[i * stride + j];
}

/* to [head_size, padded_keys] */
static void gather_columns(const ptk_attention *attention, const segment_shape *shape, size_t kv, gathered what,
                           float *to) {
  size_t done = 0;
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    transpose_block((size_t)range->count, attention->head_size, range_rows(attention, range, kv, what),
                    attention->sources[range->source].stride, to + done, shape->padded_keys);
    done += (size_t)range->count;
  }
  for (size_t j = 0; j < attention->head_size; j++)
    for (size_t i = done; i < shape->padded_keys; i++) to[j * shape->padded_keys + i] = 0;
}

static void add_rows(size_t count, size_t size, const float *from, size_t from_stride, float *to, size_t stride) {
  for (size_t i = 0; i < count; i++, from += from_stride, to += stride) {
    size_t j = 0;
    for (; j + WIDTH <= size; j += WIDTH) STORE(to + j, LOAD(to + j) + LOAD(from + j));
    for (; j < size; j++) to[j] += from[j];
  }
}

/* Adds [keys, padded_size] to the gradients of the sources that want them. */
static void scatter_gradients(const ptk_attention *attention, const segment_shape *shape, size_t kv,
                              const float *key_gradients, const float *value_gradients) {
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    const ptk_key_values *source = &attention->sources[range->source];
    const size_t at = (size_t)range->begin * source->stride + kv * attention->head_size;
    const size_t count = (size_t)range->count, size = attention->head_size, padded = shape->padded_size;
    if (source->key_gradients)
      add_rows(count, size, key_gradients, padded, source->key_gradients + at, source->stride);
    if (source->value_gradients)
      add_rows(count, size, value_gradients, padded, source->value_gradients + at, source->stride);
    key_gradients += count * padded;
    value_gradients += count * padded;
  }
}
