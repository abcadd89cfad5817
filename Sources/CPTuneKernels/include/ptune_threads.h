/* A pool of worker threads for short parallel sections: workers spin a little before they sleep, because the
   next section follows within microseconds during a step. */
#ifndef PTUNE_THREADS_H
#define PTUNE_THREADS_H

#include <stddef.h>

typedef struct ptk_pool ptk_pool;

/* A pool that runs sections on `threads` threads, the caller's among them. NULL without memory or threads. */
ptk_pool *ptk_pool_create(size_t threads);
void ptk_pool_destroy(ptk_pool *pool);
/* Calls body(context, index) for every index in 0 … threads-1, each on its own thread, and returns when all
   have. One caller at a time. */
void ptk_pool_run(ptk_pool *pool, void (*body)(void *context, size_t index), void *context);

#endif
