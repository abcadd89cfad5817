/*
 * Subnormal numbers as zero. Gradients that vanish end in numbers too small for a float's full precision, and processors
 * compute with those five to a hundred times slower. A thread that computes takes them as zero, both where they are
 * operands and where they are results.
 */
#ifndef PTUNE_SUBNORMALS_H
#define PTUNE_SUBNORMALS_H

#include <stdbool.h>
#include <stdint.h>

/* From here on this thread takes subnormal numbers as zero: FTZ and DAZ of x86, FZ of Arm; no change on others. Returns the
   floating-point control register as it was. */
uint64_t ptk_flush_subnormals(void);
/* Sets the floating-point control register of this thread to what ptk_flush_subnormals returned. */
void ptk_restore_float_control(uint64_t control);
/* Whether this thread takes subnormal numbers as zero. */
bool ptk_flushes_subnormals(void);

#endif
