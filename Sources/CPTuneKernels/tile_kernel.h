/*
 * The product that all others are made of: one tile of c, kept in registers.
 */
#include <stddef.h>
#include <string.h>

#include "kernel_support.h"

enum { COLUMNS = VECTORS * WIDTH };
typedef float vector __attribute__((vector_size(4 * WIDTH)));
typedef float unaligned_vector __attribute__((vector_size(4 * WIDTH), aligned(4)));

#define LOAD(pointer) ((vector) * (const unaligned_vector *)(pointer))
#define STORE(pointer, value) (*(unaligned_vector *)(pointer) = (value))

/* Where the elements of a left operand are: strides of its rows and columns. */
typedef struct {
  const float *values;
  size_t row, column;
} left_operand;

/* c [rows, vectors·WIDTH] = start + a [rows, k]·b [k, vectors·WIDTH]; start NULL is zero. `rows` and `vectors` must be
   constants where this is inlined. */
PTK_INLINE void tile(const int rows, const int vectors, size_t k, left_operand a, const float *b, size_t b_stride,
                     const float *start, size_t start_stride, float *c, size_t c_stride) {
  vector sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++)
      sums[r][v] = start ? LOAD(start + r * start_stride + v * WIDTH) : (vector){0};
  for (size_t i = 0; i < k; i++) {
    vector right[VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) right[v] = LOAD(b + i * b_stride + v * WIDTH);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const float left = a.values[r * a.row + i * a.column];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) STORE(c + r * c_stride + v * WIDTH, sums[r][v]);
}

/* The same for any number of rows up to ROWS. */
PTK_INLINE void tile_of(size_t rows, const int vectors, size_t k, left_operand a, const float *b, size_t b_stride,
                        const float *start, size_t start_stride, float *c, size_t c_stride) {
#define CASE(count)                                                                        \
  case count:                                                                              \
    if (count <= ROWS) tile(count <= ROWS ? count : ROWS, vectors, k, a, b, b_stride, start, start_stride, c, c_stride); \
    return;
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
  }
#undef CASE
}
