#include "Support/kernel_support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

typedef struct {
  float *floats[PTK_SCRATCH_COUNT];
  size_t capacity[PTK_SCRATCH_COUNT];
} scratch;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local scratch *mine;

static void release(void *pointer) {
  scratch *all = pointer;
  for (int i = 0; i < PTK_SCRATCH_COUNT; i++) free(all->floats[i]);
  free(all);
}

static void make_key(void) { pthread_key_create(&key, release); }

void ptk_out_of_memory(size_t bytes) {
  fprintf(stderr, "ptune: no memory for %zu bytes of working space\n", bytes);
  abort();
}

static void grow(ptk_scratch_purpose purpose, size_t count) {
  pthread_once(&once, make_key);
  if (!mine) {
    mine = calloc(1, sizeof *mine);
    if (!mine) ptk_out_of_memory(sizeof *mine);
    pthread_setspecific(key, mine);
  }
  /* Grown by half at least, so that slowly growing batches do not allocate each time. */
  size_t capacity = mine->capacity[purpose] + mine->capacity[purpose] / 2;
  if (capacity < count) capacity = count;
  size_t bytes = (capacity * sizeof(float) + 63) / 64 * 64;
  free(mine->floats[purpose]);
  mine->floats[purpose] = aligned_alloc(64, bytes);
  if (!mine->floats[purpose]) ptk_out_of_memory(bytes);
  mine->capacity[purpose] = bytes / sizeof(float);
}

float *ptk_scratch(ptk_scratch_purpose purpose, size_t count) {
  if (!mine || mine->capacity[purpose] < count) grow(purpose, count ? count : 1);
  return mine->floats[purpose];
}

void *ptk_allocate(size_t bytes) {
  enum { LINE = 64, LARGE_PAGE = 2 << 20 };
  void *memory;
  if (posix_memalign(&memory, bytes < LARGE_PAGE ? LINE : LARGE_PAGE, bytes) != 0) return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes >= LARGE_PAGE) madvise(memory, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#endif
  return memory;
}
