#ifdef __x86_64__

/* 24 of 32 registers hold the tile. */
#define PTK_VARIANT ptk_variant_avx512
#define PTK_VARIANT_NAME "avx512"
#define PTK_VARIANT_ROWS 12
#define PTK_VARIANT_WIDTH 16
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#include "Variants/variant_kernels.h"
#pragma clang attribute pop

#endif
