/*
 * The kernels that need their vectors written out (matrix products and attention) exist once per instruction set:
 * variant_*.c sets the vector width and the size of a tile, and includes variant_kernels.h.
 */
#ifndef PTUNE_VARIANT_H
#define PTUNE_VARIANT_H

#include "ptune_kernels.h"

/* Two bf16 numbers of neighbouring k, the first in the low half: written as halves, read as a word. */
typedef uint32_t __attribute__((may_alias)) ptk_pair;

typedef struct {
  const char *name;
  bool has_bf16; /* instructions for products of bf16 numbers */
  size_t columns; /* of a panel */
  /* c = start + a·b, with a row-major and b in packed panels [⌈n/columns⌉][k][columns], `panel_stride` floats apart.
     Row i of start is at start + i·start_stride (stride 0: a bias); NULL is zero. */
  void (*multiply)(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b, size_t panel_stride,
                   const float *start, size_t start_stride, float *c, size_t c_stride);
  /* c = a·bᵀ, or c + a·bᵀ when `adding`, with b in panels as above, [k, n], a row-major [m, n] and c [m, k]; `transposed` is
     room for [⌈m/columns⌉][n][columns]. */
  void (*multiply_transposed)(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              size_t panel_stride, bool adding, float *c, size_t c_stride, float *transposed);
  /* As `multiply`, of bf16 numbers in pairs: a row-major, [m, pairs] with a_stride pairs from row to row, b in panels
     [⌈n/columns⌉][pairs][columns]. */
  void (*multiply_bf16)(size_t m, size_t n, size_t pairs, const ptk_pair *a, size_t a_stride, const ptk_pair *b,
                        size_t panel_stride, const float *start, size_t start_stride, float *c, size_t c_stride);
  /* Rounds to bf16, to even where two are as near. */
  void (*round)(size_t count, const float *from, uint16_t *to);
  void (*attention_forward)(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                            size_t out_stride, float *log_sums);
  void (*attention_backward)(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                             const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                             float *query_gradients, size_t query_gradient_stride);
} ptk_variant;

extern const ptk_variant ptk_variant_baseline;
#ifdef __x86_64__
extern const ptk_variant ptk_variant_avx2, ptk_variant_avx512, ptk_variant_avx512_bf16;
#endif

/* The best that this processor runs. */
const ptk_variant *ptk_variant_here(void);

#endif
