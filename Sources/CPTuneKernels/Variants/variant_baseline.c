/* What every processor of the architecture has, with the vectors and tiles of tile_kernel.h. */
#define PTK_VARIANT ptk_variant_baseline
#ifdef __ARM_NEON
#define PTK_VARIANT_NAME "neon"
#else
#define PTK_VARIANT_NAME "baseline"
#endif
#include "Variants/variant_kernels.h"
