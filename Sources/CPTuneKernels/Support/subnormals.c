#include "ptune_subnormals.h"

#if defined(__x86_64__)

#include <xmmintrin.h>

/* Bits of MXCSR: results (FTZ), and operands (DAZ). */
enum { FLUSH = 1 << 15 | 1 << 6 };
static uint64_t control(void) { return _mm_getcsr(); }
static void set_control(uint64_t value) { _mm_setcsr((unsigned)value); }

#elif defined(__aarch64__)

/* The bit FZ of FPCR: results and operands. */
enum { FLUSH = 1 << 24 };
static uint64_t control(void) {
  uint64_t value;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(value));
  return value;
}
static void set_control(uint64_t value) { __asm__ __volatile__("msr fpcr, %0" : : "r"(value)); }

#else

enum { FLUSH = 0 };
static uint64_t control(void) { return 0; }
static void set_control(uint64_t value) { (void)value; }

#endif

uint64_t ptk_flush_subnormals(void) {
  const uint64_t before = control();
  if ((before & FLUSH) != FLUSH) set_control(before | FLUSH);
  return before;
}

void ptk_restore_float_control(uint64_t value) {
  if (control() != value) set_control(value);
}

bool ptk_flushes_subnormals(void) { return FLUSH != 0 && (control() & FLUSH) == FLUSH; }
