/*
 * The products in bf16 of matmul_portable.c.
 */
#ifndef PTUNE_PORTABLE_BF16_H
#define PTUNE_PORTABLE_BF16_H

#include "Products/matmul.h"

ptk_packed *ptk_bf16_pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed);
void ptk_bf16_release(ptk_packed *packed);
void ptk_bf16_multiply(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                       float *c, size_t c_stride);

#endif
