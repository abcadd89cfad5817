#ifdef PTUNE_HAVE_ONEDNN

#include "Products/onednn_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "Products/matmul.h"

struct onednn_functions onednn;
dnnl_engine_t onednn_engine;

/* From the OpenMP runtime that the library itself links, if it does: the setting is the calling thread's own. */
static void (*set_openmp_threads)(int);
static pthread_key_t stream_key;
static _Thread_local dnnl_stream_t stream;

static bool find_functions(void *library) {
#define FIND(name)                                        \
  *(void **)&onednn.name = dlsym(library, "dnnl_" #name); \
  if (!onednn.name) return false;
  ONEDNN_FUNCTIONS(FIND)
#undef FIND
  *(void **)&set_openmp_threads = dlsym(library, "omp_set_num_threads");
  return true;
}

static void destroy_stream(void *pointer) { onednn.stream_destroy(pointer); }

bool onednn_open(char *description, size_t capacity) {
#if defined(__APPLE__)
  static const char *const names[] = {"libdnnl.dylib", "/opt/homebrew/lib/libdnnl.dylib",
                                      "/usr/local/lib/libdnnl.dylib", NULL};
#elif DNNL_VERSION_MAJOR >= 3
  static const char *const names[] = {"libdnnl.so.3", NULL};
#else
  static const char *const names[] = {"libdnnl.so.2", NULL};
#endif
  const char *found;
  void *library = ptk_open_library(names, &found);
  if (!library) return false;
  if (find_functions(library) && onednn.version()->major == DNNL_VERSION_MAJOR &&
      onednn.engine_create(&onednn_engine, dnnl_cpu, 0) == dnnl_success &&
      pthread_key_create(&stream_key, destroy_stream) == 0) {
    const dnnl_version_t *version = onednn.version();
    snprintf(description, capacity, "oneDNN %d.%d.%d (%s)", version->major, version->minor, version->patch, found);
    return true;
  }
  dlclose(library);
  return false;
}

dnnl_stream_t onednn_stream(void) {
  if (!stream) {
    if (set_openmp_threads) set_openmp_threads(1);
    if (onednn.stream_create(&stream, onednn_engine, dnnl_stream_in_order) != dnnl_success) return NULL;
    pthread_setspecific(stream_key, stream);
  }
  return stream;
}

static dnnl_data_type_t type_of(ptk_precision precision) { return precision == PTK_BF16 ? dnnl_bf16 : dnnl_f32; }

#if DNNL_VERSION_MAJOR >= 3

bool onednn_strided_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns,
                           size_t row_stride, size_t column_stride) {
  dnnl_dims_t dimensions = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
  dnnl_dims_t strides = {(dnnl_dim_t)row_stride, (dnnl_dim_t)column_stride};
  layout->value = NULL;
  return onednn.memory_desc_create_with_strides(&layout->value, 2, dimensions, type_of(precision), strides) ==
         dnnl_success;
}

bool onednn_any_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns) {
  dnnl_dims_t dimensions = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
  layout->value = NULL;
  return onednn.memory_desc_create_with_tag(&layout->value, 2, dimensions, type_of(precision), dnnl_format_tag_any) ==
         dnnl_success;
}

bool onednn_copy_layout(onednn_layout *layout, onednn_layout_reference source) {
  layout->value = NULL;
  return source && onednn.memory_desc_clone(&layout->value, source) == dnnl_success;
}

void onednn_free_layout(onednn_layout *layout) {
  if (layout->value) onednn.memory_desc_destroy(layout->value);
  layout->value = NULL;
}

static bool create_product(dnnl_primitive_desc_t *product, const onednn_layout *a, const onednn_layout *b,
                           const onednn_layout *bias, const onednn_layout *c, dnnl_primitive_attr_t attributes) {
  return onednn.matmul_primitive_desc_create(product, onednn_engine, a->value, b->value, bias ? bias->value : NULL,
                                             c->value, attributes) == dnnl_success;
}

#else

bool onednn_strided_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns,
                           size_t row_stride, size_t column_stride) {
  dnnl_dims_t dimensions = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
  dnnl_dims_t strides = {(dnnl_dim_t)row_stride, (dnnl_dim_t)column_stride};
  return onednn.memory_desc_init_by_strides(&layout->value, 2, dimensions, type_of(precision), strides) == dnnl_success;
}

bool onednn_any_layout(onednn_layout *layout, ptk_precision precision, size_t rows, size_t columns) {
  dnnl_dims_t dimensions = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
  return onednn.memory_desc_init_by_tag(&layout->value, 2, dimensions, type_of(precision), dnnl_format_tag_any) ==
         dnnl_success;
}

bool onednn_copy_layout(onednn_layout *layout, onednn_layout_reference source) {
  if (source) layout->value = *source;
  return source != NULL;
}

void onednn_free_layout(onednn_layout *layout) { (void)layout; /* In this API it is a plain value. */ }

static bool create_product(dnnl_primitive_desc_t *product, const onednn_layout *a, const onednn_layout *b,
                           const onednn_layout *bias, const onednn_layout *c, dnnl_primitive_attr_t attributes) {
  dnnl_matmul_desc_t operation;
  return onednn.matmul_desc_init(&operation, &a->value, &b->value, bias ? &bias->value : NULL, &c->value) ==
             dnnl_success &&
         onednn.primitive_desc_create(product, &operation, attributes, onednn_engine, NULL) == dnnl_success;
}

#endif

dnnl_primitive_desc_t onednn_describe_product(ptk_precision precision, size_t m, size_t n, size_t k, bool has_bias,
                                              const onednn_layout *weights) {
  onednn_layout a = {0}, bias = {0}, c = {0};
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_primitive_desc_t product = NULL;
  /* Working memory of the library's own would tie a primitive to the thread that made it. */
  if (onednn.primitive_attr_create(&attributes) != dnnl_success ||
      onednn.primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) != dnnl_success ||
      !onednn_strided_layout(&a, precision, m, k, k, 1) || !onednn_strided_layout(&c, PTK_F32, m, n, n, 1) ||
      !onednn_strided_layout(&bias, PTK_F32, 1, n, n, 1) ||
      !create_product(&product, &a, weights, has_bias ? &bias : NULL, &c, attributes))
    product = NULL;
  onednn_free_layout(&a);
  onednn_free_layout(&bias);
  onednn_free_layout(&c);
  if (attributes) onednn.primitive_attr_destroy(attributes);
  return product;
}

size_t onednn_working_bytes(dnnl_primitive_desc_t product) {
  onednn_layout_reference working = onednn.primitive_desc_query_md(product, dnnl_query_scratchpad_md, 0);
  return working ? onednn.memory_desc_get_size(working) : 0;
}

#endif
