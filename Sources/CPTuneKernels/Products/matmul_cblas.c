#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Products/matmul.h"

/* The values of cblas.h. */
enum { ROW_MAJOR = 101, NOT_TRANSPOSED = 111, TRANSPOSED = 112 };

static void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                     int a_stride, const float *b, int b_stride, float beta, float *c, int c_stride);

/* A CBLAS has no packed layout: this only remembers where the matrix is. */
typedef struct {
  ptk_packed head;
  const float *source;
  size_t stride;
  bool transposed;
} reference;

static bool open_cblas(char *description, size_t capacity) {
#ifdef __APPLE__
  static const char *const names[] = {"/System/Library/Frameworks/Accelerate.framework/Accelerate", NULL};
#else
  static const char *const names[] = {"libopenblas.so.0", "libcblas.so.3", "libblas.so.3", NULL};
#endif
  const char *found;
  void *library = ptk_open_library(names, &found);
  if (!library) return false;
  *(void **)&sgemm = dlsym(library, "cblas_sgemm");
  if (!sgemm) {
    dlclose(library);
    return false;
  }
  /* The engine divides the work over its own threads. */
  void (*set_threads)(int) = NULL;
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  if (set_threads) set_threads(1);
  char *(*configuration)(void) = NULL;
  *(void **)&configuration = dlsym(library, "openblas_get_config");
  const char *name = strrchr(found, '/') ? strrchr(found, '/') + 1 : found;
  /* "OpenBLAS 0.3.21 NO_LAPACKE …": the first two words. */
  int words = 0, length = 0;
  const char *text = configuration ? configuration() : "CBLAS";
  while (text[length] && !(text[length] == ' ' && ++words == 2)) length++;
  snprintf(description, capacity, "%.*s (%s)", length, text, name);
  return true;
}

static void gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                 size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
  sgemm(ROW_MAJOR, transpose_a ? TRANSPOSED : NOT_TRANSPOSED, transpose_b ? TRANSPOSED : NOT_TRANSPOSED, (int)m, (int)n,
        (int)k, alpha, a, (int)a_stride, b, (int)b_stride, beta, c, (int)c_stride);
}

static ptk_packed *pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                        ptk_precision precision) {
  (void)k, (void)n;
  if (precision != PTK_F32) return NULL;
  reference *result = malloc(sizeof *result);
  if (!result) return NULL;
  *result = (reference){{.bytes = sizeof *result}, source, source_stride, transposed};
  return &result->head;
}

static void release(ptk_packed *packed) { free(packed); }

static void multiply(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                     float *c, size_t c_stride) {
  const reference *matrix = (const reference *)b;
  if (bias)
    for (size_t i = 0; i < m; i++) memcpy(c + i * c_stride, bias, b->n * sizeof *c);
  gemm(false, matrix->transposed, m, b->n, b->k, 1, a, a_stride, matrix->source, matrix->stride, bias || adding ? 1 : 0,
       c, c_stride);
}

const ptk_matmul ptk_matmul_cblas = {open_cblas, gemm, pack, release, multiply, NULL};
