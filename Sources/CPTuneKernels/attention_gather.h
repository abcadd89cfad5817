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
static void copy_rows(size_t count, size_t size, size_t padded, float scale, const float *from, size_t stride,
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

/* to [padded_keys, padded_size] */
static void gather_rows(const ptk_attention *attention, const segment_shape *shape, size_t kv, gathered what,
                        float *to) {
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    copy_rows((size_t)range->count, attention->head_size, shape->padded_size, 1,
              range_rows(attention, range, kv, what), attention->sources[range->source].stride, to);
    to += (size_t)range->count * shape->padded_size;
  }
  memset(to, 0, (shape->padded_keys - shape->keys) * shape->padded_size * sizeof *to);
}

/* Per four lanes of two vectors: their chosen elements, those of the second counted from WIDTH. */
#if PTK_VARIANT_WIDTH == 16
#define LANES(p, q, r, s) \
  p, q, r, s, p + 4, q + 4, r + 4, s + 4, p + 8, q + 8, r + 8, s + 8, p + 12, q + 12, r + 12, s + 12
#elif PTK_VARIANT_WIDTH == 8
#define LANES(p, q, r, s) p, q, r, s, p + 4, q + 4, r + 4, s + 4
#else
#define LANES(p, q, r, s) p, q, r, s
#endif
#define SHUFFLE(a, b, p, q, r, s) __builtin_shufflevector(a, b, LANES(p, q, r, s))

/* Four floats of each row r, r + 4, … of `from`. */
PTK_INLINE vector load_fours(const float *from, size_t stride) {
  vector result;
  for (int l = 0; l < WIDTH; l += 4) memcpy((float *)&result + l, from + (size_t)l * stride, 4 * sizeof(float));
  return result;
}

/* to [columns, rows] = the transpose of from [rows, columns], both in whole vectors: 4 columns of WIDTH rows at once. */
static void transpose(size_t rows, size_t columns, const float *from, float *to) {
  for (size_t i = 0; i < rows; i += WIDTH)
    for (size_t j = 0; j < columns; j += 4) {
      const float *here = from + i * columns + j;
      vector a = load_fours(here, columns), b = load_fours(here + columns, columns);
      vector c = load_fours(here + 2 * columns, columns), d = load_fours(here + 3 * columns, columns);
      vector ab = SHUFFLE(a, b, 0, WIDTH, 1, WIDTH + 1), ab_high = SHUFFLE(a, b, 2, WIDTH + 2, 3, WIDTH + 3);
      vector cd = SHUFFLE(c, d, 0, WIDTH, 1, WIDTH + 1), cd_high = SHUFFLE(c, d, 2, WIDTH + 2, 3, WIDTH + 3);
      float *there = to + j * rows + i;
      STORE(there, SHUFFLE(ab, cd, 0, 1, WIDTH, WIDTH + 1));
      STORE(there + rows, SHUFFLE(ab, cd, 2, 3, WIDTH + 2, WIDTH + 3));
      STORE(there + 2 * rows, SHUFFLE(ab_high, cd_high, 0, 1, WIDTH, WIDTH + 1));
      STORE(there + 3 * rows, SHUFFLE(ab_high, cd_high, 2, 3, WIDTH + 2, WIDTH + 3));
    }
}

static float dot(size_t size, const float *x, const float *y) {
#pragma clang fp reassociate(on)
  vector lanes = {0};
  size_t j = 0;
  for (; j + WIDTH <= size; j += WIDTH) lanes += LOAD(x + j) * LOAD(y + j);
  float sum = 0;
  for (int l = 0; l < WIDTH; l++) sum += lanes[l];
  for (; j < size; j++) sum += x[j] * y[j];
  return sum;
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
