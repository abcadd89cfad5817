#include "Products/matmul.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ptune_kernels_backends.h"

enum { BACKENDS = 3 };
static const ptk_matmul *const backends[BACKENDS] = {&ptk_matmul_onednn, &ptk_matmul_cblas, &ptk_matmul_portable};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum { UNTRIED, AVAILABLE, MISSING } states[BACKENDS];
static char descriptions[BACKENDS][96];
static atomic_int chosen; /* a ptk_backend; PTK_AUTOMATIC until one is chosen */

/* With the lock held. */
static bool available(ptk_backend backend) {
  int i = (int)backend - 1;
  if (i < 0 || i >= BACKENDS) return false;
  if (states[i] == UNTRIED) {
    states[i] = backends[i]->open(descriptions[i], sizeof descriptions[i]) ? AVAILABLE : MISSING;
    if (states[i] == MISSING) strcpy(descriptions[i], "not found");
  }
  return states[i] == AVAILABLE;
}

bool ptk_backend_is_available(ptk_backend backend) {
  pthread_mutex_lock(&lock);
  bool result = available(backend);
  pthread_mutex_unlock(&lock);
  return result;
}

bool ptk_choose_backend(ptk_backend wanted) {
  pthread_mutex_lock(&lock);
  int now = atomic_load(&chosen);
  if (now == PTK_AUTOMATIC) {
    ptk_backend first = wanted == PTK_AUTOMATIC ? PTK_ONEDNN : wanted;
    ptk_backend last = wanted == PTK_AUTOMATIC ? PTK_PORTABLE : wanted;
    for (ptk_backend backend = first; backend <= last && now == PTK_AUTOMATIC; backend++)
      if (available(backend)) now = backend;
    atomic_store(&chosen, now);
  }
  pthread_mutex_unlock(&lock);
  return now != PTK_AUTOMATIC && (wanted == PTK_AUTOMATIC || (int)wanted == now);
}

ptk_backend ptk_chosen_backend(void) {
  int now = atomic_load_explicit(&chosen, memory_order_acquire);
  if (now != PTK_AUTOMATIC) return (ptk_backend)now;
  ptk_choose_backend(PTK_AUTOMATIC);
  return (ptk_backend)atomic_load(&chosen);
}

const char *ptk_backend_description(ptk_backend backend) {
  if (backend == PTK_AUTOMATIC) backend = ptk_chosen_backend();
  if ((int)backend < 1 || (int)backend > BACKENDS) return "not found";
  ptk_backend_is_available(backend);
  return descriptions[backend - 1];
}

void *ptk_open_library(const char *const *names, const char **found) {
  for (; *names; names++) {
    void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (library) {
      *found = *names;
      return library;
    }
  }
  return NULL;
}

/* c = beta·c (+ bias): what is left of a product over nothing. */
static void scale_rows(size_t m, size_t n, float beta, const float *bias, float *c, size_t c_stride) {
  for (size_t i = 0; i < m; i++, c += c_stride)
    for (size_t j = 0; j < n; j++) c[j] = (beta == 0 ? 0 : beta * c[j]) + (bias ? bias[j] : 0);
}

static void gemm(const ptk_matmul *backend, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                 float alpha, const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
                 size_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0 || alpha == 0) return scale_rows(m, n, beta, NULL, c, c_stride);
  backend->gemm(transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}

void ptk_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
              size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
  gemm(backends[ptk_chosen_backend() - 1], transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c,
       c_stride);
}

bool ptk_gemm_with(ptk_backend backend, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                   const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
                   size_t c_stride) {
  if (!ptk_backend_is_available(backend)) return false;
  gemm(backends[backend - 1], transpose_a, transpose_b, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
  return true;
}

ptk_packed *ptk_pack_with(ptk_backend backend, const float *source, size_t source_stride, size_t k, size_t n,
                          bool transposed, ptk_precision precision) {
  if (!ptk_backend_is_available(backend)) return NULL;
  ptk_packed *packed = backends[backend - 1]->pack(source, source_stride, k, n, transposed, precision);
  if (!packed) return NULL;
  packed->backend = backends[backend - 1];
  packed->precision = precision;
  packed->k = k;
  packed->n = n;
  return packed;
}

/* Measured: the loops here are as fast as oneDNN with AVX-512's instructions for bf16, but they know nothing of AMX. */
static ptk_backend bf16_backend(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("amx-bf16") && ptk_has_bf16() && ptk_chosen_backend() == PTK_ONEDNN) return PTK_ONEDNN;
#endif
  return PTK_PORTABLE;
}

ptk_packed *ptk_pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                     ptk_precision precision) {
  const ptk_backend backend = precision == PTK_BF16 ? bf16_backend() : ptk_chosen_backend();
  return ptk_pack_with(backend, source, source_stride, k, n, transposed, precision);
}

const char *ptk_bf16_description(void) { return ptk_backend_description(bf16_backend()); }

/* Measured: the loops here are as fast as oneDNN with AVX-512, and a second copy of the weights buys nothing. Elsewhere a
   library is the faster one, if there is one. */
bool ptk_packs_both_ways(void) {
  const ptk_backend backend = ptk_chosen_backend();
  return backend == PTK_PORTABLE || (backend == PTK_ONEDNN && strncmp(ptk_kernel_variant(), "avx512", 6) == 0);
}

ptk_packed *ptk_pack_both_ways(const float *source, size_t source_stride, size_t k, size_t n, bool transposed) {
  return ptk_pack_with(PTK_PORTABLE, source, source_stride, k, n, transposed, PTK_F32);
}

void ptk_packed_free(ptk_packed *packed) {
  if (packed) packed->backend->release(packed);
}

size_t ptk_packed_bytes(const ptk_packed *packed) { return packed ? packed->bytes : 0; }

void ptk_gemm_packed(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, float *c,
                     size_t c_stride) {
  if (m == 0 || b->n == 0) return;
  if (b->k == 0) return scale_rows(m, b->n, 0, bias, c, c_stride);
  b->backend->multiply(b, m, a, a_stride, bias, false, c, c_stride);
}

void ptk_gemm_packed_add(const ptk_packed *b, size_t m, const float *a, size_t a_stride, float *c, size_t c_stride) {
  if (m == 0 || b->n == 0 || b->k == 0) return;
  b->backend->multiply(b, m, a, a_stride, NULL, true, c, c_stride);
}

void ptk_gemm_packed_transposed(const ptk_packed *b, size_t m, const float *a, size_t a_stride, bool adding, float *c,
                                size_t c_stride) {
  if (m == 0 || b->k == 0) return;
  if (b->n == 0) return scale_rows(m, b->k, adding ? 1 : 0, NULL, c, c_stride);
  b->backend->multiply_transposed(b, m, a, a_stride, adding, c, c_stride);
}
