/* What every processor of the architecture has. */
#define PTK_VARIANT ptk_variant_baseline
#ifdef __ARM_NEON
#define PTK_VARIANT_NAME "neon"
enum { WIDTH = 4, VECTORS = 2, ROWS = 8 };
#else
#define PTK_VARIANT_NAME "baseline"
enum { WIDTH = 4, VECTORS = 2, ROWS = 4 };
#endif
#include "variant_kernels.h"
