/*
 * What segment attention reads and writes: the rows of a segment's sources, in place where a product can take them so,
 * else gathered into contiguous scratch whose rows are padded to whole vectors.
 */
#ifndef PTUNE_ATTENTION_GATHER_H
#define PTUNE_ATTENTION_GATHER_H

#include <string.h>

#include "Variants/tile_kernel.h"
#include "Variants/transpose_kernel.h"
#include "ptune_kernels.h"

/* More ranges than this are gathered; they may be of a row each. */
enum { MAX_RUNS = 4 };

/* `count` rows, `stride` apart. */
typedef struct {
  const float *values;
  size_t stride, count;
} row_run;

typedef struct {
  size_t query_begin, query_end, keys;
  size_t padded_keys, padded_size; /* keys and head_size in whole vectors */
  const ptk_range *ranges;
  size_t range_count;
  bool in_place; /* the sources' rows, and their gradients, are used where they are */
} segment_shape;

static size_t padded_to_width(size_t count) { return (count + WIDTH - 1) / WIDTH * WIDTH; }

static segment_shape shape_of(const ptk_attention *attention, size_t index) {
  /* Longer segments are worth the copy: their rows are read again and again. */
  enum { SHORT = 128 };
  const ptk_segment *segment = &attention->segments[index];
  segment_shape shape = {.query_begin = (size_t)segment->query_begin,
                         .query_end = (size_t)segment->query_begin + (size_t)segment->query_count,
                         .padded_size = padded_to_width(attention->head_size),
                         .ranges = attention->ranges + segment->range_begin,
                         .range_count = (size_t)segment->range_count};
  for (size_t i = 0; i < shape.range_count; i++) shape.keys += (size_t)shape.ranges[i].count;
  shape.padded_keys = padded_to_width(shape.keys);
  shape.in_place = shape.padded_size == attention->head_size && shape.range_count <= MAX_RUNS && shape.keys <= SHORT;
  return shape;
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

/* to [count, padded] = from [count, size] */
static void copy_rows(size_t count, size_t size, size_t padded, const float *from, size_t stride, float *to) {
  for (size_t i = 0; i < count; i++, from += stride, to += padded) {
    size_t j = 0;
    for (; j + WIDTH <= size; j += WIDTH) STORE(to + j, LOAD(from + j));
    for (; j < size; j++) to[j] = from[j];
    for (; j < padded; j++) to[j] = 0;
  }
}

/* `count` rows in place, or copied where they have to be padded. */
static row_run padded_rows(const segment_shape *shape, size_t size, size_t count, const float *from, size_t stride,
                           float *buffer) {
  if (shape->padded_size == size) return (row_run){from, stride, count};
  copy_rows(count, size, shape->padded_size, from, stride, buffer);
  return (row_run){buffer, shape->padded_size, count};
}

static void write_rows(size_t count, size_t size, const float *from, size_t from_stride, float *to, size_t stride) {
  for (size_t i = 0; i < count; i++, from += from_stride, to += stride) memcpy(to, from, size * sizeof *to);
}

static void add_rows(size_t count, size_t size, const float *from, size_t from_stride, float *to, size_t stride) {
  for (size_t i = 0; i < count; i++, from += from_stride, to += stride) {
    size_t j = 0;
    for (; j + WIDTH <= size; j += WIDTH) STORE(to + j, LOAD(to + j) + LOAD(from + j));
    for (; j < size; j++) to[j] += from[j];
  }
}

static size_t row_offset(const ptk_attention *attention, const ptk_range *range, size_t kv) {
  return (size_t)range->begin * attention->sources[range->source].stride + kv * attention->head_size;
}

typedef enum { KEYS, VALUES } key_or_value;

static const float *range_rows(const ptk_attention *attention, const ptk_range *range, size_t kv, key_or_value what) {
  const ptk_key_values *source = &attention->sources[range->source];
  return (what == KEYS ? source->keys : source->values) + row_offset(attention, range, kv);
}

/* The rows in place, or else gathered into `buffer` [keys, padded_size], as one run. Returns the number of runs. */
static size_t gather_rows(const ptk_attention *attention, const segment_shape *shape, size_t kv, key_or_value what,
                          float *buffer, row_run runs[MAX_RUNS]) {
  if (!shape->in_place) runs[0] = (row_run){buffer, shape->padded_size, shape->keys};
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    const size_t count = (size_t)range->count, stride = attention->sources[range->source].stride;
    const float *from = range_rows(attention, range, kv, what);
    if (shape->in_place) {
      runs[i] = (row_run){from, stride, count};
    } else {
      copy_rows(count, attention->head_size, shape->padded_size, from, stride, buffer);
      buffer += count * shape->padded_size;
    }
  }
  return shape->in_place ? shape->range_count : 1;
}

/* Four floats of every fourth row, from column j on. */
PTK_INLINE vector load_fours(const float *const *rows, size_t j) {
  vector result;
  for (int l = 0; l < WIDTH; l += 4) memcpy((float *)&result + l, rows[l] + j, 4 * sizeof(float));
  return result;
}

/* to [size, padded] = scale·the transpose of the runs' rows; size in whole vectors. The columns up to the next whole
   vector repeat the last row. Four columns of WIDTH rows at once. */
static void transpose(const row_run *runs, size_t count, size_t size, float scale, float *to, size_t padded) {
  const float *row = runs->values;
  size_t left = runs->count;
  for (size_t i = 0; i < count; i += WIDTH) {
    const float *rows[WIDTH];
    for (size_t l = 0; l < WIDTH; l++) {
      for (; left == 0; left = runs->count) row = (++runs)->values;
      rows[l] = row;
      if (i + l + 1 >= count) continue;
      row += runs->stride;
      left--;
    }
    for (size_t j = 0; j < size; j += 4) {
      vector fours[4];
      for (int q = 0; q < 4; q++) fours[q] = load_fours(rows + q, j);
      transpose_fours(fours);
      for (int q = 0; q < 4; q++) STORE(to + (j + q) * padded + i, fours[q] * scale);
    }
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

#endif
