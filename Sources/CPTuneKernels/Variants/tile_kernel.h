/*
 * The product that all others are made of: one tile of c, kept in registers.
 */
#ifndef PTUNE_TILE_KERNEL_H
#define PTUNE_TILE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "Support/kernel_support.h"
#include "Support/vector_math.h"

/* Floats of a vector and rows of a tile, as variant_*.c sets them; else those that every processor of the architecture
   has registers for. */
#ifndef PTK_VARIANT_WIDTH
#define PTK_VARIANT_WIDTH 4
#ifdef __ARM_NEON
#define PTK_VARIANT_ROWS 8
#else
#define PTK_VARIANT_ROWS 4
#endif
#endif

enum { WIDTH = PTK_VARIANT_WIDTH, VECTORS = 2, ROWS = PTK_VARIANT_ROWS, COLUMNS = VECTORS * WIDTH };
typedef float vector __attribute__((vector_size(4 * WIDTH)));
typedef float unaligned_vector __attribute__((vector_size(4 * WIDTH), aligned(4)));

#define LOAD(pointer) ((vector)(*(const unaligned_vector *)(pointer)))
#define STORE(pointer, value) (*(unaligned_vector *)(pointer) = (value))

/* A left operand [rows, k]: its rows, or with `transposed` its columns, are contiguous and `stride` apart. */
typedef struct {
  const float *values;
  size_t stride;
} left_operand;

/* sums [rows][vectors] += a [rows, k]·b [k, vectors·WIDTH]. `rows`, `vectors` and `transposed` must be constants where this
   is inlined. */
PTK_INLINE void add_tile(const int rows, const int vectors, const bool transposed, size_t k, left_operand a,
                         const float *b, size_t b_stride, vector sums[ROWS][VECTORS]) {
  /* A pointer for every four rows: the processor adds up to three strides to each by itself. */
  const size_t stride = a.stride;
  const float *first = a.values, *second = first + 4 * stride, *third = second + 4 * stride;
  for (size_t i = 0; i < k; i++) {
    vector right[VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) right[v] = LOAD(b + v * WIDTH);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const float *four = r < 4 ? first : r < 8 ? second : third;
      const float left = transposed ? first[r] : four[(r % 4) * stride];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
    }
    b += b_stride;
    first += transposed ? stride : 1;
    second++;
    third++;
  }
}

/* c [rows, COLUMNS] = start + a [rows, k]·b [k, COLUMNS]; start NULL is zero. `rows` must be a constant where this is
   inlined. */
PTK_INLINE void tile(const int rows, size_t k, left_operand a, const float *b, const float *start, size_t start_stride,
                     float *c, size_t c_stride) {
  vector sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) sums[r][v] = start ? LOAD(start + r * start_stride + v * WIDTH) : (vector){0};
  add_tile(rows, VECTORS, false, k, a, b, COLUMNS, sums);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) STORE(c + r * c_stride + v * WIDTH, sums[r][v]);
}

/* The height of the next of the strips that `left` rows are cut into. They are nearly equal: a low one would not keep the
   processor busy. */
PTK_INLINE size_t strip_height(size_t left) {
  const size_t strips = (left + ROWS - 1) / ROWS;
  return (left + strips - 1) / strips;
}

/* A switch over the heights that a tile can have, so that each is a constant where its case is. */
#if PTK_VARIANT_ROWS > 8
#define TILE_HEIGHTS(rows, CASE) \
  switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) }
#elif PTK_VARIANT_ROWS > 6
#define TILE_HEIGHTS(rows, CASE) \
  switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
#elif PTK_VARIANT_ROWS > 4
#define TILE_HEIGHTS(rows, CASE) \
  switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) }
#else
#define TILE_HEIGHTS(rows, CASE) \
  switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) }
#endif

/* The same for any number of rows up to ROWS. */
PTK_INLINE void tile_of(size_t rows, size_t k, left_operand a, const float *b, const float *start, size_t start_stride,
                        float *c, size_t c_stride) {
#define CASE(count) \
  case count: return tile(count, k, a, b, start, start_stride, c, c_stride);
  TILE_HEIGHTS(rows, CASE)
#undef CASE
}

#endif
