/*
 * Products of packed operands, for matmul_portable.c.
 */
#ifndef PTUNE_MATMUL_KERNEL_H
#define PTUNE_MATMUL_KERNEL_H

#include "Variants/tile_kernel.h"

/* The right-hand tiles are whole in memory; those that stick out of c go through a tile of their own. */
static void multiply_tile(size_t rows, size_t columns, size_t k, left_operand left, const float *b, const float *start,
                          size_t start_stride, float *c, size_t c_stride) {
  if (columns == COLUMNS) return tile_of(rows, k, left, b, start, start_stride, c, c_stride);
  float whole[ROWS * COLUMNS] = {0};
  if (start)
    for (size_t i = 0; i < rows; i++) memcpy(whole + i * COLUMNS, start + i * start_stride, columns * sizeof *whole);
  tile_of(rows, k, left, b, whole, COLUMNS, whole, COLUMNS);
  for (size_t i = 0; i < rows; i++) memcpy(c + i * c_stride, whole + i * COLUMNS, columns * sizeof *whole);
}

static void multiply(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b, size_t panel_stride,
                     const float *start, size_t start_stride, float *c, size_t c_stride) {
  for (size_t j = 0; j < n; j += COLUMNS, b += panel_stride) {
    size_t columns = n - j < COLUMNS ? n - j : COLUMNS;
    for (size_t i = 0, rows; i < m; i += rows) {
      rows = strip_height(m - i);
      multiply_tile(rows, columns, k, (left_operand){a + i * a_stride, a_stride}, b,
                    start ? start + i * start_stride + j : NULL, start_stride, c + i * c_stride + j, c_stride);
    }
  }
}

#endif
