/*
 * oneDNN, opened at run time: its functions, and a layer over the two ways (API 2 and 3) in which it describes
 * matrices and makes primitives. The major version of the header must be that of the library.
 */
#ifndef PTUNE_ONEDNN_LIBRARY_H
#define PTUNE_ONEDNN_LIBRARY_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#include "ptune_kernels.h"

#define ONEDNN_COMMON_FUNCTIONS(X)      \
  X(version)                            \
  X(engine_create)                      \
  X(stream_create)                      \
  X(stream_wait)                        \
  X(stream_destroy)                     \
  X(memory_create)                      \
  X(memory_destroy)                     \
  X(memory_desc_get_size)               \
  X(primitive_attr_create)              \
  X(primitive_attr_destroy)             \
  X(primitive_attr_set_scratchpad_mode) \
  X(primitive_create)                   \
  X(primitive_destroy)                  \
  X(primitive_desc_destroy)             \
  X(primitive_desc_query_md)            \
  X(primitive_execute)                  \
  X(reorder_primitive_desc_create)      \
  X(sgemm)

#if DNNL_VERSION_MAJOR >= 3
#define ONEDNN_FUNCTIONS(X)          \
  ONEDNN_COMMON_FUNCTIONS(X)         \
  X(memory_desc_create_with_strides) \
  X(memory_desc_create_with_tag)     \
  X(memory_desc_clone)               \
  X(memory_desc_destroy)             \
  X(matmul_primitive_desc_create)
#else
#define ONEDNN_FUNCTIONS(X)      \
  ONEDNN_COMMON_FUNCTIONS(X)     \
  X(memory_desc_init_by_strides) \
  X(memory_desc_init_by_tag)     \
  X(matmul_desc_init)            \
  X(primitive_desc_create)
#endif

#define ONEDNN_MEMBER(name) __typeof__(&dnnl_##name) name;
extern struct onednn_functions {
  ONEDNN_FUNCTIONS(ONEDNN_MEMBER)
} onednn;
#undef ONEDNN_MEMBER

extern dnnl_engine_t onednn_engine;

/* Opens the library and makes the engine. */
bool onednn_open(char *description, size_t capacity);
/* This thread's stream, NULL without memory; its products use one OpenMP thread from here on. */
dnnl_stream_t onednn_stream(void);

/* How a matrix lies in memory; each one made is freed by its owner. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t onednn_layout_reference;
typedef struct {
  dnnl_memory_desc_t value;
} onednn_layout;
#define ONEDNN_LAYOUT(layout) ((layout)->value)
#else
typedef const dnnl_memory_desc_t *onednn_layout_reference;
typedef struct {
  dnnl_memory_desc_t value;
} onednn_layout;
#define ONEDNN_LAYOUT(layout) (&(layout)->value)
#endif

bool onednn_strided_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns,
                           size_t row_stride, size_t column_stride);
/* The one that the primitive prefers. */
bool onednn_any_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns);
bool onednn_copy_layout(onednn_layout *layout, onednn_layout_reference source);
void onednn_free_layout(onednn_layout *layout);

/* A product [m, k]·[k, n] (+ bias [n]) of dense rows, the factors in `precision` and the rest in single precision, with
   `weights` for the [k, n]; working memory is the caller's. NULL if there is none. */
dnnl_primitive_desc_t onednn_describe_product(ptk_precision precision, size_t m, size_t n, size_t k, bool has_bias,
                                              const onednn_layout *weights);
/* Working memory that a product needs, in bytes. */
size_t onednn_working_bytes(dnnl_primitive_desc_t product);

#endif
