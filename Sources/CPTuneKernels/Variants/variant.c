#include "Variants/variant.h"

#include <stdatomic.h>
#include <string.h>

#include "ptune_kernels_backends.h"

static _Atomic(const ptk_variant *) best;
/* What ptk_use_kernel_variant chose for this thread. */
static _Thread_local const ptk_variant *chosen;

static bool runs_here(const ptk_variant *variant) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (variant == &ptk_variant_avx512_bf16)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
  if (variant == &ptk_variant_avx512) return __builtin_cpu_supports("avx512f");
  if (variant == &ptk_variant_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return variant == &ptk_variant_baseline;
}

/* The best first. */
static const ptk_variant *const variants[] = {
#ifdef __x86_64__
    &ptk_variant_avx512_bf16, &ptk_variant_avx512, &ptk_variant_avx2,
#endif
    &ptk_variant_baseline};
enum { VARIANTS = sizeof variants / sizeof *variants };

const ptk_variant *ptk_variant_here(void) {
  if (chosen) return chosen;
  const ptk_variant *found = atomic_load_explicit(&best, memory_order_acquire);
  for (int i = 0; !found; i++)
    if (runs_here(variants[i])) atomic_store(&best, found = variants[i]);
  return found;
}

bool ptk_use_kernel_variant(const char *name) {
  for (int i = 0; i < VARIANTS; i++)
    if (strcmp(variants[i]->name, name) == 0 && runs_here(variants[i])) {
      chosen = variants[i];
      return true;
    }
  return false;
}

const char *ptk_kernel_variant(void) { return ptk_variant_here()->name; }

bool ptk_has_bf16(void) { return ptk_variant_here()->has_bf16; }

void ptk_attention_forward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                           size_t out_stride, float *log_sums) {
  ptk_variant_here()->attention_forward(attention, rows, kv_begin, kv_end, out, out_stride, log_sums);
}

void ptk_attention_backward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                            const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                            float *query_gradients, size_t query_gradient_stride) {
  ptk_variant_here()->attention_backward(attention, rows, kv_begin, kv_end, out, out_gradients, out_stride, log_sums,
                                         query_gradients, query_gradient_stride);
}
