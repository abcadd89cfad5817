/*
 * The kernels of one instruction set. Included once by each variant_*.c, after PTK_VARIANT, PTK_VARIANT_NAME and, where
 * they are not those of tile_kernel.h, PTK_VARIANT_WIDTH and PTK_VARIANT_ROWS.
 */
#ifndef PTUNE_VARIANT_KERNELS_H
#define PTUNE_VARIANT_KERNELS_H

#include "Attention/attention_backward_kernel.h"
#include "Attention/attention_kernel.h"
#include "Variants/bf16_kernel.h"
#include "Variants/matmul_kernel.h"
#include "Variants/matmul_transposed_kernel.h"
#include "Variants/variant.h"

/* A header that is compiled alone has no variant to define. */
#ifdef PTK_VARIANT
const ptk_variant PTK_VARIANT = {
    .name = PTK_VARIANT_NAME,
#ifdef PTK_VARIANT_HAS_BF16
    .has_bf16 = true,
#endif
    .columns = COLUMNS,
    .multiply = multiply,
    .multiply_transposed = multiply_transposed,
    .multiply_bf16 = multiply_bf16,
    .round = round_to_bf16,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
};
#endif

#endif
