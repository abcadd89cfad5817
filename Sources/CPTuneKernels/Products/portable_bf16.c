#include "Products/portable_bf16.h"

#include <stdlib.h>
#include <string.h>

#include "Support/kernel_support.h"
#include "Variants/variant.h"

/* As in matmul_portable.c, in words of two numbers each. Measured: a panel that stays in the second cache does better than
   one that fits into the first, for the sums are then kept in registers over most of k. */
enum { DEPTH = 384, BLOCK_ROWS = 240 };

typedef struct {
  ptk_packed head;
  const ptk_variant *variant; /* whose columns they are */
  ptk_pair *panels;           /* [⌈n/columns⌉][pairs][columns] */
} packed_matrix;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t pairs_of(size_t k) { return (k + 1) / 2; }

ptk_packed *ptk_bf16_pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed) {
  packed_matrix *matrix = calloc(1, sizeof *matrix);
  if (!matrix) return NULL;
  const ptk_variant *variant = matrix->variant = ptk_variant_here();
  const size_t width = variant->columns, pairs = pairs_of(k);
  const size_t row = transposed ? 1 : source_stride, column = transposed ? source_stride : 1;
  matrix->head.bytes = ((n + width - 1) / width * width * pairs * sizeof *matrix->panels + 64) / 64 * 64;
  matrix->panels = ptk_allocate(matrix->head.bytes);
  if (!matrix->panels) {
    free(matrix);
    return NULL;
  }
  memset(matrix->panels, 0, matrix->head.bytes);
  for (size_t j = 0; j < n; j++) {
    ptk_pair *panel = matrix->panels + j / width * pairs * width + j % width;
    for (size_t i = 0; i < k; i += 2) {
      const float both[2] = {source[i * row + j * column], i + 1 < k ? source[(i + 1) * row + j * column] : 0};
      uint16_t halves[2];
      variant->round(2, both, halves);
      panel[i / 2 * width] = halves[0] | (uint32_t)halves[1] << 16;
    }
  }
  return &matrix->head;
}

void ptk_bf16_release(ptk_packed *packed) {
  free(((packed_matrix *)packed)->panels);
  free(packed);
}

void ptk_bf16_multiply(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                       float *c, size_t c_stride) {
  const ptk_variant *variant = ((const packed_matrix *)b)->variant;
  const ptk_pair *panels = ((const packed_matrix *)b)->panels;
  const size_t pairs = pairs_of(b->k);
  ptk_pair *left = (ptk_pair *)ptk_scratch(PTK_SCRATCH_PRODUCT, least(m, BLOCK_ROWS) * pairs);
  for (size_t row = 0; row < m; row += BLOCK_ROWS) {
    const size_t rows = least(BLOCK_ROWS, m - row);
    float *out = c + row * c_stride;
    for (size_t i = 0; i < rows; i++) {
      uint16_t *halves = (uint16_t *)(left + i * pairs);
      halves[2 * pairs - 1] = 0;
      variant->round(b->k, a + (row + i) * a_stride, halves);
    }
    for (size_t begin = 0; begin < pairs; begin += DEPTH)
      variant->multiply_bf16(rows, b->n, least(DEPTH, pairs - begin), left + begin, pairs,
                             panels + begin * variant->columns, pairs * variant->columns, begin || adding ? out : bias,
                             begin || adding ? c_stride : 0, out, c_stride);
  }
}
