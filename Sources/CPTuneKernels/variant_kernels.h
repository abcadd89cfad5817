/* Included once by each variant_*.c, after WIDTH (floats in a vector), VECTORS and ROWS (of a tile). */
#include "variant.h"

#include "tile_kernel.h"

#include "matmul_kernel.h"

#include "attention_kernel.h"

const ptk_variant PTK_VARIANT = {PTK_VARIANT_NAME, ROWS, COLUMNS, multiply, attention_forward, attention_backward};
