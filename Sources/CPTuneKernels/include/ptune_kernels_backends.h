/*
 * Matrix products by a named backend, and the kernels for a named instruction set, whatever the process has chosen:
 * for tests that compare them with each other, and for measurements.
 */
#ifndef PTUNE_KERNELS_BACKENDS_H
#define PTUNE_KERNELS_BACKENDS_H

#include "ptune_kernels.h"

/* Whether the backend is there; opens its library on first use. */
bool ptk_backend_is_available(ptk_backend backend);
/* As ptk_gemm and ptk_pack; false, or NULL, if the backend is not there, or has no products of that precision here.
   ptk_gemm_packed takes the result. */
bool ptk_gemm_with(ptk_backend backend, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                   const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
                   size_t c_stride);
ptk_packed *ptk_pack_with(ptk_backend backend, const float *source, size_t source_stride, size_t k, size_t n,
                          bool transposed, ptk_precision precision);

/* From here on attention and PTK_PORTABLE run the kernels of this name (see ptk_kernel_variant) on this thread, and on
   no other, and ptk_has_bf16 answers for them: results of two variants differ in the last bits, and others may be computing. False, and no change, if
   this processor has not the instructions. */
bool ptk_use_kernel_variant(const char *name);

#endif
