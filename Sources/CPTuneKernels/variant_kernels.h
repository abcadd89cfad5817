/* Included once by each variant_*.c, after PTK_VARIANT_WIDTH (floats in a vector) and PTK_VARIANT_ROWS (of a tile). */
#include "variant.h"

#include "tile_kernel.h"

#include "matmul_kernel.h"

#include "bf16_kernel.h"

#include "transpose_kernel.h"

#include "turned_kernel.h"

#include "attention_kernel.h"

#include "attention_backward_kernel.h"

const ptk_variant PTK_VARIANT = {
    .name = PTK_VARIANT_NAME,
#ifdef PTK_VARIANT_HAS_BF16
    .has_bf16 = true,
#endif
    .columns = COLUMNS,
    .multiply = multiply,
    .multiply_turned = multiply_turned,
    .multiply_bf16 = multiply_bf16,
    .round = round_to_bf16,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
};
