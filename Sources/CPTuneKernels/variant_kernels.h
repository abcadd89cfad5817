/* Included once by each variant_*.c, after PTK_VARIANT_WIDTH (floats in a vector) and PTK_VARIANT_ROWS (of a tile). */
#include "variant.h"

#include "tile_kernel.h"

#include "matmul_kernel.h"

#include "turned_kernel.h"

#include "attention_kernel.h"

#include "attention_backward_kernel.h"

const ptk_variant PTK_VARIANT = {PTK_VARIANT_NAME, ROWS, COLUMNS, multiply, multiply_turned, attention_forward,
                                 attention_backward};
