/* What only a build with the address sanitizer has: counters of memory in use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Begins to count what malloc and its relatives give out. Once in a process, before other threads. */
void ptune_fuzz_count_memory(void);

/* Bytes in use now, of what was given out since counting began. */
int64_t ptune_fuzz_memory(void);

/* The most bytes that were in use at once since the last call, which is counted from now on. */
int64_t ptune_fuzz_peak_memory(void);
