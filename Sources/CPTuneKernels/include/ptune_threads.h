/* A pool of worker threads for short parallel sections: workers spin a little before they sleep, because the
   next section follows within microseconds during a step. */
#ifndef PTUNE_THREADS_H
#define PTUNE_THREADS_H

#include <stddef.h>

typedef struct ptk_pool ptk_pool;

/* A pool that runs sections on `threads` threads, the caller's among them. NULL without memory or threads. */
ptk_pool *ptk_pool_create(size_t threads);
void ptk_pool_destroy(ptk_pool *pool);
/* Calls body(context, piece) once for every piece in 0 … pieces-1 and returns when all have returned. Each thread begins
   with the same share of the pieces every time; one that has finished its own goes on with others'. All of them, the
   caller's too, take subnormal numbers as zero meanwhile (ptune_subnormals.h). One caller at a time. */
void ptk_pool_run(ptk_pool *pool, size_t pieces, void (*body)(void *context, size_t piece), void *context);

#endif
