#include "ptune_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ptune_subnormals.h"

/* How often a waiting thread looks before it sleeps: some tens of microseconds. */
enum { SPINS = 4000 };

/* Apart from each other, since each is written to all the time. */
typedef struct {
  _Alignas(64) atomic_size_t next; /* the first of its pieces that nobody has taken */
  size_t end;
} share;

typedef struct {
  ptk_pool *pool;
  size_t index;
} worker;

struct ptk_pool {
  size_t threads;
  pthread_t *handles;
  worker *workers;
  share *shares;
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

/* A thread's own share first, so that it finds again in its cache what it worked on before; then what is left of the
   others', who may have been interrupted or be slower. */
static void take_pieces(ptk_pool *pool, size_t index) {
  for (size_t i = 0; i < pool->threads; i++) {
    share *from = &pool->shares[(index + i) % pool->threads];
    for (;;) {
      if (atomic_load_explicit(&from->next, memory_order_relaxed) >= from->end) break;
      const size_t piece = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
      if (piece >= from->end) break;
      pool->body(pool->context, piece);
    }
  }
}

static void *work(void *argument) {
  worker *self = argument;
  ptk_pool *pool = self->pool;
  unsigned long seen = 0;
  ptk_flush_subnormals();
  for (;;) {
    seen = wait_for_section(pool, seen);
    if (atomic_load(&pool->stopping)) return NULL;
    take_pieces(pool, self->index);
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
  pool->shares = aligned_alloc(_Alignof(share), threads * sizeof *pool->shares);
  if (pool->handles == NULL || pool->workers == NULL || pool->shares == NULL) {
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
  free(pool->shares);
  free(pool);
}

void ptk_pool_run(ptk_pool *pool, size_t pieces, void (*body)(void *, size_t), void *context) {
  const uint64_t float_control = ptk_flush_subnormals();
  pool->body = body;
  pool->context = context;
  for (size_t i = 0; i < pool->threads; i++) {
    atomic_store_explicit(&pool->shares[i].next, pieces * i / pool->threads, memory_order_relaxed);
    pool->shares[i].end = pieces * (i + 1) / pool->threads;
  }
  atomic_store(&pool->unfinished, pool->threads - 1);
  start_section(pool);
  take_pieces(pool, 0);
  for (int spin = 0; atomic_load_explicit(&pool->unfinished, memory_order_acquire) != 0; spin++) {
    relax();
    if (spin > SPINS) sched_yield();
  }
  ptk_restore_float_control(float_control);
}
