/*
 * Products with the transpose of a packed right-hand matrix, for matmul_portable.c: gradients need W where results needed
 * Wᵀ, and this lets both come from one copy. The packed matrix takes the role of the left operand, whose elements are
 * broadcast, so that its order in memory does not matter; the other operand, which is far smaller, is transposed instead.
 */
#ifndef PTUNE_MATMUL_TRANSPOSED_KERNEL_H
#define PTUNE_MATMUL_TRANSPOSED_KERNEL_H

#include "Variants/tile_kernel.h"
#include "Variants/transpose_kernel.h"

enum { LINE = 64 / sizeof(float) };

/* c [rows, COLUMNS] = b·aᵀ: of each of `rows` rows of b, COLUMNS apart, n numbers in panels; aᵀ is [n][COLUMNS], of which
   `vectors` vectors are taken. `rows` and `vectors` must be constants where this is inlined. */
PTK_INLINE void transposed_product_tile(const int rows, const int vectors, size_t n, const float *b,
                                        size_t panel_stride, const float *transposed, float *c) {
  vector sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[r][v] = (vector){0};
  for (size_t begin = 0; begin < n; begin += COLUMNS, b += panel_stride) {
    const size_t width = n - begin < COLUMNS ? n - begin : COLUMNS;
    const float *first = b, *second = first + 4 * COLUMNS, *third = second + 4 * COLUMNS;
    for (size_t i = 0; i < width; i++, transposed += COLUMNS) {
      /* The next panel is too far away for the processor to see it coming. */
      if (i * LINE < (size_t)rows * COLUMNS) __builtin_prefetch(b + panel_stride + i * LINE);
      vector right[VECTORS];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) right[v] = LOAD(transposed + v * WIDTH);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *four = r < 4 ? first : r < 8 ? second : third;
        const float left = four[(r % 4) * COLUMNS + i];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
      }
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) STORE(c + r * COLUMNS + v * WIDTH, sums[r][v]);
}

static void transposed_product_tile_of(size_t rows, size_t columns, size_t n, const float *b, size_t panel_stride,
                                       const float *transposed, float *c) {
#define CASE(count)                                                                                     \
  case count:                                                                                           \
    return columns > WIDTH ? transposed_product_tile(count, VECTORS, n, b, panel_stride, transposed, c) \
                           : transposed_product_tile(count, 1, n, b, panel_stride, transposed, c);
  TILE_HEIGHTS(rows, CASE)
#undef CASE
}

/* a [m, n], m at most COLUMNS, to [n][COLUMNS]; rows that are missing are zero. */
static void transpose_panel(size_t m, size_t n, const float *a, size_t a_stride, float *transposed) {
  if (m < COLUMNS) memset(transposed, 0, n * COLUMNS * sizeof *transposed);
  size_t r = 0;
  for (; r + WIDTH <= m; r += WIDTH) {
    const float *from = a + r * a_stride;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
      vector fours[4];
      for (int q = 0; q < 4; q++) fours[q] = load_every_fourth(from + q * a_stride + i, a_stride);
      transpose_fours(fours);
      for (int q = 0; q < 4; q++) STORE(transposed + (i + q) * COLUMNS + r, fours[q]);
    }
    for (; i < n; i++)
      for (size_t l = 0; l < WIDTH; l++) transposed[i * COLUMNS + r + l] = from[l * a_stride + i];
  }
  for (; r < m; r++)
    for (size_t i = 0; i < n; i++) transposed[i * COLUMNS + r] = a[r * a_stride + i];
}

/* c [columns, rows] = the transpose of the tile [rows][COLUMNS], or c + it. */
static void write_transposed(size_t rows, size_t columns, const float *tile, bool adding, float *c, size_t c_stride) {
  size_t r = 0;
  for (; r + 4 <= rows; r += 4)
    for (size_t p = 0; p < columns; p += WIDTH) {
      vector fours[4];
      for (int q = 0; q < 4; q++) fours[q] = LOAD(tile + (r + q) * COLUMNS + p);
      transpose_fours(fours);
      const size_t here = columns - p < WIDTH ? columns - p : WIDTH;
      for (size_t l = 0; l < here; l++) {
        float *out = c + (p + l) * c_stride + r, value[4];
        memcpy(value, (const float *)&fours[l % 4] + l / 4 * 4, sizeof value);
        if (adding)
          for (int q = 0; q < 4; q++) value[q] += out[q];
        memcpy(out, value, sizeof value);
      }
    }
  for (; r < rows; r++)
    for (size_t p = 0; p < columns; p++) {
      float *out = c + p * c_stride + r;
      *out = tile[r * COLUMNS + p] + (adding ? *out : 0);
    }
}

/* c [m, k] = a [m, n]·bᵀ, or c + a·bᵀ when `adding`, with b [k, n] in packed panels [⌈n/columns⌉][k][columns],
   `panel_stride` floats apart; `transposed` is room for aᵀ, [⌈m/columns⌉][n][columns]. */
static void multiply_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                                size_t panel_stride, bool adding, float *c, size_t c_stride, float *transposed) {
  for (size_t i = 0; i < m; i += COLUMNS)
    transpose_panel(m - i < COLUMNS ? m - i : COLUMNS, n, a + i * a_stride, a_stride, transposed + i * n);
  for (size_t j = 0; j < k; j += ROWS) {
    const size_t rows = k - j < ROWS ? k - j : ROWS;
    for (size_t i = 0; i < m; i += COLUMNS) {
      const size_t columns = m - i < COLUMNS ? m - i : COLUMNS;
      float tile[ROWS * COLUMNS];
      transposed_product_tile_of(rows, columns, n, b + j * COLUMNS, panel_stride, transposed + i * n, tile);
      write_transposed(rows, columns, tile, adding, c + i * c_stride + j, c_stride);
    }
  }
}

#endif
