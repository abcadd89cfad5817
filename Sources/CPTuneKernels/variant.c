#include "variant.h"

const ptk_variant *ptk_variant_here(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return &ptk_variant_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &ptk_variant_avx2;
#endif
  return &ptk_variant_baseline;
}

const char *ptk_kernel_variant(void) { return ptk_variant_here()->name; }

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
