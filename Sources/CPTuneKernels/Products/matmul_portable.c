#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Support/kernel_support.h"
#include "Products/matmul.h"
#include "Products/portable_bf16.h"
#include "Variants/variant.h"

/*
 * Blocked as in Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008: a panel
 * of b over DEPTH stays in the first cache while the strips of a block of a, in the second, run past it. Rows of the block are LEFT_STRIDE apart, no
 * power of two, or they would all want the same places of the cache.
 */
enum { DEPTH = 256, LEFT_STRIDE = DEPTH + 16, BLOCK_ROWS = 240, BLOCK_COLUMNS = 512 };

typedef struct {
  ptk_packed head;
  const ptk_variant *variant; /* whose columns they are */
  float *panels;              /* [⌈n/columns⌉][k][columns] */
} packed_matrix;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

/* source [rows, k], element (r, i) at r·row + i·column, to strips [⌈rows/height⌉][k][height]; what is missing in the last
   one is zero. The panels of a right-hand matrix are the strips of its transpose. */
static void pack_strips(size_t rows, size_t k, size_t height, const float *source, size_t row, size_t column,
                        float *strips) {
  for (size_t begin = 0; begin < rows; begin += height, strips += height * k) {
    size_t here = least(height, rows - begin);
    const float *from = source + begin * row;
    if (here < height)
      for (size_t i = 0; i < k * height; i++) strips[i] = 0;
    if (row == 1) {
      for (size_t i = 0; i < k; i++)
        for (size_t r = 0; r < here; r++) strips[i * height + r] = from[r + i * column];
    } else {
      for (size_t r = 0; r < here; r++)
        for (size_t i = 0; i < k; i++) strips[i * height + r] = from[r * row + i * column];
    }
  }
}

/* scale·source [rows, k], element (r, i) at r·row + i·column, to rows LEFT_STRIDE apart. */
static void copy_left(size_t rows, size_t k, float scale, const float *source, size_t row, size_t column, float *to) {
  if (column == 1 && scale == 1) {
    for (size_t r = 0; r < rows; r++) memcpy(to + r * LEFT_STRIDE, source + r * row, k * sizeof *to);
    return;
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < k; i++) to[r * LEFT_STRIDE + i] = scale * source[r * row + i * column];
}

static bool open_portable(char *description, size_t capacity) {
  snprintf(description, capacity, "built-in kernels (%s)", ptk_kernel_variant());
  return true;
}

/* c = beta·c, before products are added to it. */
static void scale_rows(size_t m, size_t n, float beta, float *c, size_t c_stride) {
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) c[i * c_stride + j] *= beta;
}

static void gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                 size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
  const ptk_variant *variant = ptk_variant_here();
  const size_t a_row = transpose_a ? 1 : a_stride, a_column = transpose_a ? a_stride : 1;
  const size_t b_row = transpose_b ? 1 : b_stride, b_column = transpose_b ? b_stride : 1;
  const size_t depth = least(k, DEPTH);
  float *left = ptk_scratch(PTK_SCRATCH_PRODUCT,
                            least(m, BLOCK_ROWS) * LEFT_STRIDE + depth * up(least(n, BLOCK_COLUMNS), variant->columns));
  float *panels = left + least(m, BLOCK_ROWS) * LEFT_STRIDE;
  if (beta != 0 && beta != 1) scale_rows(m, n, beta, c, c_stride);
  for (size_t column = 0; column < n; column += BLOCK_COLUMNS) {
    size_t columns = least(BLOCK_COLUMNS, n - column);
    for (size_t begin = 0; begin < k; begin += DEPTH) {
      size_t deep = least(DEPTH, k - begin);
      bool adding = beta != 0 || begin > 0;
      pack_strips(columns, deep, variant->columns, b + begin * b_row + column * b_column, b_column, b_row, panels);
      for (size_t row = 0; row < m; row += BLOCK_ROWS) {
        size_t rows = least(BLOCK_ROWS, m - row);
        float *out = c + row * c_stride + column;
        copy_left(rows, deep, alpha, a + row * a_row + begin * a_column, a_row, a_column, left);
        variant->multiply(rows, columns, deep, left, LEFT_STRIDE, panels, deep * variant->columns, adding ? out : NULL,
                          c_stride, out, c_stride);
      }
    }
  }
}

static void release(ptk_packed *packed) {
  if (packed->precision == PTK_BF16) return ptk_bf16_release(packed);
  free(((packed_matrix *)packed)->panels);
  free(packed);
}

static ptk_packed *pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                        ptk_precision precision) {
  if (precision == PTK_BF16) return ptk_bf16_pack(source, source_stride, k, n, transposed);
  packed_matrix *matrix = calloc(1, sizeof *matrix);
  if (!matrix) return NULL;
  matrix->variant = ptk_variant_here();
  const size_t width = matrix->variant->columns;
  matrix->head.bytes = up((up(n, width) * k + 1) * sizeof(float), 64);
  matrix->panels = ptk_allocate(matrix->head.bytes);
  if (!matrix->panels) {
    free(matrix);
    return NULL;
  }
  pack_strips(n, k, width, source, transposed ? source_stride : 1, transposed ? 1 : source_stride, matrix->panels);
  return &matrix->head;
}

static void multiply(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                     float *c, size_t c_stride) {
  if (b->precision == PTK_BF16) return ptk_bf16_multiply(b, m, a, a_stride, bias, adding, c, c_stride);
  const ptk_variant *variant = ((const packed_matrix *)b)->variant;
  const float *panels = ((const packed_matrix *)b)->panels;
  float *left = ptk_scratch(PTK_SCRATCH_PRODUCT, least(m, BLOCK_ROWS) * LEFT_STRIDE);
  for (size_t row = 0; row < m; row += BLOCK_ROWS) {
    size_t rows = least(BLOCK_ROWS, m - row);
    float *out = c + row * c_stride;
    for (size_t begin = 0; begin < b->k; begin += DEPTH) {
      size_t deep = least(DEPTH, b->k - begin);
      copy_left(rows, deep, 1, a + row * a_stride + begin, a_stride, 1, left);
      variant->multiply(rows, b->n, deep, left, LEFT_STRIDE, panels + begin * variant->columns, b->k * variant->columns,
                        begin || adding ? out : bias, begin || adding ? c_stride : 0, out, c_stride);
    }
  }
}

static void multiply_transposed(const ptk_packed *b, size_t m, const float *a, size_t a_stride, bool adding, float *c,
                                size_t c_stride) {
  enum { PANEL_ROWS = 512, PANEL_DEPTH = 1024 };
  const ptk_variant *variant = ((const packed_matrix *)b)->variant;
  const float *panels = ((const packed_matrix *)b)->panels;
  float *transposed =
      ptk_scratch(PTK_SCRATCH_PRODUCT, least(b->n, PANEL_DEPTH) * up(least(m, PANEL_ROWS), variant->columns));
  for (size_t row = 0; row < m; row += PANEL_ROWS)
    for (size_t begin = 0; begin < b->n; begin += PANEL_DEPTH)
      variant->multiply_transposed(least(PANEL_ROWS, m - row), least(PANEL_DEPTH, b->n - begin), b->k,
                                   a + row * a_stride + begin, a_stride, panels + begin * b->k, b->k * variant->columns,
                                   adding || begin > 0, c + row * c_stride, c_stride, transposed);
}

const ptk_matmul ptk_matmul_portable = {open_portable, gemm, pack, release, multiply, multiply_transposed};
