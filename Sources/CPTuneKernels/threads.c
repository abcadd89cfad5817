#include "ptune_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* How often a waiting thread looks before it sleeps: some tens of microseconds. */
enum { SPINS = 4000 };

typedef struct {
  ptk_pool *pool;
  size_t index;
} worker;

struct ptk_pool {
  size_t threads;
  pthread_t *handles;
  worker *workers;
  void (*body)(void *, size_t);
  void *context;
  atomic_ulong section;   /* counts sections; a change starts one */
  atomic_size_t unfinished;
  atomic_size_t asleep;
  atomic_bool stopping;
  pthread_mutex_t lock;
  pthread_cond_t wake;
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

static unsigned long wait_for_section(ptk_pool *pool, unsigned long seen) {
  for (int spin = 0; spin < SPINS; spin++) {
    unsigned long now = atomic_load_explicit(&pool->section, memory_order_acquire);
    if (now != seen) return now;
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->asleep, 1);
  unsigned long now;
  while ((now = atomic_load(&pool->section)) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->asleep, 1);
  pthread_mutex_unlock(&pool->lock);
  return now;
}

static void *work(void *argument) {
  worker *self = argument;
  ptk_pool *pool = self->pool;
  unsigned long seen = 0;
  for (;;) {
    seen = wait_for_section(pool, seen);
    if (atomic_load(&pool->stopping)) return NULL;
    pool->body(pool->context, self->index);
    atomic_fetch_sub_explicit(&pool->unfinished, 1, memory_order_release);
  }
}

static void start_section(ptk_pool *pool) {
  atomic_fetch_add(&pool->section, 1);
  if (atomic_load(&pool->asleep) == 0) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
}

ptk_pool *ptk_pool_create(size_t threads) {
  ptk_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->threads = 1;
  pool->handles = calloc(threads, sizeof *pool->handles);
  pool->workers = calloc(threads, sizeof *pool->workers);
  if (pool->handles == NULL || pool->workers == NULL) {
    ptk_pool_destroy(pool);
    return NULL;
  }
  for (size_t index = 1; index < threads; index++) {
    pool->workers[index] = (worker){pool, index};
    if (pthread_create(&pool->handles[index], NULL, work, &pool->workers[index]) != 0) {
      ptk_pool_destroy(pool);
      return NULL;
    }
    pool->threads = index + 1;
  }
  return pool;
}

void ptk_pool_destroy(ptk_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->stopping, true);
  start_section(pool);
  for (size_t index = 1; index < pool->threads; index++) pthread_join(pool->handles[index], NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->wake);
  free(pool->handles);
  free(pool->workers);
  free(pool);
}

void ptk_pool_run(ptk_pool *pool, void (*body)(void *, size_t), void *context) {
  if (pool->threads == 1) {
    body(context, 0);
    return;
  }
  pool->body = body;
  pool->context = context;
  atomic_store(&pool->unfinished, pool->threads - 1);
  start_section(pool);
  body(context, 0);
  for (int spin = 0; atomic_load_explicit(&pool->unfinished, memory_order_acquire) != 0; spin++) {
    relax();
    if (spin > SPINS) sched_yield();
  }
}
