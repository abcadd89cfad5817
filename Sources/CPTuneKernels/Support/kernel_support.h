/*
 * What the kernels share: compilation for several processors, and scratch memory.
 */
#ifndef PTUNE_KERNEL_SUPPORT_H
#define PTUNE_KERNEL_SUPPORT_H

#include <stddef.h>

/* A function marked PTK_CLONES is compiled for AVX-512, for AVX2 with FMA and for the baseline; the loader picks
   one. What it calls must be PTK_INLINE to be compiled along with it. Under the thread sanitizer there is one version:
   what the loader calls to pick is instrumented there, and runs before the sanitizer is ready. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PTK_ONE_VERSION
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(PTK_ONE_VERSION)
#define PTK_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define PTK_CLONES
#endif
#define PTK_INLINE static inline __attribute__((always_inline))

/* Each thread has one buffer per purpose, so that kernels may call each other. */
typedef enum {
  PTK_SCRATCH_PRODUCT,   /* packed blocks of a matrix product's operands */
  PTK_SCRATCH_STAGING,   /* rows copied to where they are dense */
  PTK_SCRATCH_LIBRARY,   /* working memory that a library asks for */
  PTK_SCRATCH_ATTENTION, /* gathered queries, keys, values and their scores */
  PTK_SCRATCH_COUNT
} ptk_scratch_purpose;

/* At least `count` floats, 64-byte aligned, of this thread's own; valid until the next call for the same purpose
   on this thread. Grows and is reused, so steady work allocates nothing; freed when the thread ends. Ends the
   process if there is no memory: a kernel has no way to report it. */
float *ptk_scratch(ptk_scratch_purpose purpose, size_t count);

/* Memory for a packed matrix, 64-byte aligned, to be freed with free(); NULL if there is none. Where the system offers
   large pages the matrix is in those, as far as it fills them: every product walks through all of it. */
void *ptk_allocate(size_t bytes);

/* Ends the process with a message: the kernels cannot report an error, and nothing sensible can follow. */
_Noreturn void ptk_out_of_memory(size_t bytes);

#endif
