#ifdef __x86_64__

/* 12 of 16 registers hold the tile. */
#define PTK_VARIANT ptk_variant_avx2
#define PTK_VARIANT_NAME "avx2"
#define PTK_VARIANT_ROWS 6
#define PTK_VARIANT_WIDTH 8
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "Variants/variant_kernels.h"
#pragma clang attribute pop

#endif
