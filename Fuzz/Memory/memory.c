#include <stdatomic.h>

#include "ptune_fuzz_memory.h"

/* From the sanitizers' runtime (sanitizer/allocator_interface.h). */
int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                              void (*free_hook)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static atomic_llong in_use, peak;

static void given(const volatile void *pointer, size_t size) {
  if (!pointer) return;
  long long now = atomic_fetch_add_explicit(&in_use, (long long)size, memory_order_relaxed) + (long long)size;
  long long before = atomic_load_explicit(&peak, memory_order_relaxed);
  while (now > before &&
         !atomic_compare_exchange_weak_explicit(&peak, &before, now, memory_order_relaxed, memory_order_relaxed)) {}
}

static void taken_back(const volatile void *pointer) {
  if (!pointer) return;
  long long size = (long long)__sanitizer_get_allocated_size(pointer);
  atomic_fetch_sub_explicit(&in_use, size, memory_order_relaxed);
}

void ptune_fuzz_count_memory(void) { __sanitizer_install_malloc_and_free_hooks(given, taken_back); }

int64_t ptune_fuzz_memory(void) { return atomic_load_explicit(&in_use, memory_order_relaxed); }

int64_t ptune_fuzz_peak_memory(void) {
  return atomic_exchange_explicit(&peak, atomic_load_explicit(&in_use, memory_order_relaxed), memory_order_relaxed);
}
