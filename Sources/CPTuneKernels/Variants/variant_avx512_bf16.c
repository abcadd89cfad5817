#ifdef __x86_64__

#include <immintrin.h>

/* As variant_avx512.c, and products of bf16 numbers by the processor's own instruction. */
#define PTK_VARIANT ptk_variant_avx512_bf16
#define PTK_VARIANT_NAME "avx512_bf16"
#define PTK_VARIANT_ROWS 12
#define PTK_VARIANT_WIDTH 16
#define PTK_VARIANT_HAS_BF16
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"))), \
                             apply_to = function)
#include "Variants/variant_kernels.h"
#pragma clang attribute pop

#endif
