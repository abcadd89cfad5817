/* What every processor of the architecture has. */
#define PTK_VARIANT ptk_variant_baseline
#ifdef __ARM_NEON
#define PTK_VARIANT_NAME "neon"
#define PTK_VARIANT_ROWS 8
#else
#define PTK_VARIANT_NAME "baseline"
#define PTK_VARIANT_ROWS 4
#endif
#define PTK_VARIANT_WIDTH 4
#include "variant_kernels.h"
