/*
 * What a library for matrix products offers to matmul.c.
 */
#ifndef PTUNE_MATMUL_H
#define PTUNE_MATMUL_H

#include "ptune_kernels.h"

typedef struct ptk_matmul ptk_matmul;

/* The head of every backend's own packed matrix. */
struct ptk_packed {
  const ptk_matmul *backend;
  ptk_precision precision;
  size_t k, n, bytes;
};

struct ptk_matmul {
  /* Opens the library; called once, before all others. Fills in the description when it returns true. */
  bool (*open)(char *description, size_t capacity);
  /* m, n and k are not 0, here and in `multiply`; `pack` may get any. */
  void (*gemm)(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
               size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride);
  /* Leaves the head of the result to its caller, but for `bytes`. NULL for a precision that it has no products of. */
  ptk_packed *(*pack)(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                      ptk_precision precision);
  void (*release)(ptk_packed *packed);
  /* `bias` is NULL where it adds to c. */
  void (*multiply)(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                   float *c, size_t c_stride);
  /* c [m, k] = a [m, n]·bᵀ; NULL for a library whose packed matrices serve one direction only. */
  void (*multiply_transposed)(const ptk_packed *b, size_t m, const float *a, size_t a_stride, bool adding, float *c,
                              size_t c_stride);
};

extern const ptk_matmul ptk_matmul_onednn, ptk_matmul_cblas, ptk_matmul_portable;

/* Opens the first library of these names that is there (NULL-terminated); its name through `found`. */
void *ptk_open_library(const char *const *names, const char **found);

#endif
