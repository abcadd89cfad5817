#include "Products/matmul.h"

#ifdef PTUNE_HAVE_ONEDNN

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "Support/kernel_support.h"
#include "Products/onednn_library.h"
#include "Variants/variant.h"

/*
 * oneDNN compiles a primitive for each number of rows, which differs in every batch, so the rows are taken in pieces
 * of a few fixed sizes: 128 while there are as many, then at most one of 64, then what is left. That last piece is
 * rounded up to a multiple of 8 and overlaps the rows before it, which are then computed twice, unless there are
 * none: so up to 64 rows are one piece of exactly that size. That bounds the primitives of a shape to 73, of about
 * half a millisecond each, at full speed.
 */
enum { LARGE = 128, MEDIUM = 64, STEP = 8 };

typedef struct {
  dnnl_primitive_t primitive;
  onednn_layout a, c, working; /* kept for the memory objects of each call */
  size_t working_bytes;
} product;

/* The layout and the primitives of all packed matrices of one size and precision: made once, kept while the process
   lives. */
typedef struct shape {
  ptk_precision precision;
  size_t k, n;
  onednn_layout weights, bias;
  _Atomic(product *) products[2][LARGE + 1]; /* by bias and by rows */
  struct shape *next;
} shape;

typedef struct {
  ptk_packed head;
  shape *shape;
  void *values;
  dnnl_memory_t memory;
} packed_matrix;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static shape *shapes;

static product *make_product(const shape *shape, size_t m, bool has_bias) {
  product *result = calloc(1, sizeof *result);
  if (!result) return NULL;
  dnnl_primitive_desc_t description =
      onednn_describe_product(shape->precision, m, shape->n, shape->k, has_bias, &shape->weights);
  bool made =
      description && onednn_strided_layout(&result->a, shape->precision, m, shape->k, shape->k, 1) &&
      onednn_strided_layout(&result->c, PTK_F32, m, shape->n, shape->n, 1) &&
      onednn_copy_layout(&result->working, onednn.primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0)) &&
      onednn.primitive_create(&result->primitive, description) == dnnl_success;
  if (made) result->working_bytes = onednn_working_bytes(description);
  if (description) onednn.primitive_desc_destroy(description);
  if (made) return result;
  free(result);
  return NULL;
}

/* NULL if oneDNN cannot make it. */
static product *product_for(shape *shape, size_t m, bool has_bias) {
  _Atomic(product *) *place = &shape->products[has_bias][m];
  product *found = atomic_load_explicit(place, memory_order_acquire);
  if (found) return found;
  pthread_mutex_lock(&lock);
  found = atomic_load(place);
  if (!found) {
    found = make_product(shape, m, has_bias);
    atomic_store(place, found);
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* With the lock held: the layout is the one that a product of many rows prefers; the others take it as well. */
static shape *make_shape(ptk_precision precision, size_t k, size_t n) {
  shape *result = calloc(1, sizeof *result);
  if (!result) return NULL;
  result->precision = precision;
  result->k = k;
  result->n = n;
  onednn_layout any = {0};
  dnnl_primitive_desc_t description =
      onednn_any_layout(&any, precision, k, n) ? onednn_describe_product(precision, LARGE, n, k, false, &any) : NULL;
  bool made =
      description &&
      onednn_copy_layout(&result->weights, onednn.primitive_desc_query_md(description, dnnl_query_weights_md, 0)) &&
      onednn_strided_layout(&result->bias, PTK_F32, 1, n, n, 1);
  if (description) onednn.primitive_desc_destroy(description);
  onednn_free_layout(&any);
  if (made) result->products[false][LARGE] = make_product(result, LARGE, false);
  if (result->products[false][LARGE]) return result;
  free(result);
  return NULL;
}

static shape *shape_for(ptk_precision precision, size_t k, size_t n) {
  pthread_mutex_lock(&lock);
  shape *found = shapes;
  while (found && !(found->precision == precision && found->k == k && found->n == n)) found = found->next;
  if (!found && (found = make_shape(precision, k, n))) {
    found->next = shapes;
    shapes = found;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static dnnl_memory_t memory(const onednn_layout *layout, const void *values) {
  dnnl_memory_t result = NULL;
  onednn.memory_create(&result, ONEDNN_LAYOUT(layout), onednn_engine, (void *)values);
  return result;
}

static bool reorder(const onednn_layout *from, const float *source, const onednn_layout *to, dnnl_memory_t target) {
  dnnl_memory_t input = memory(from, source);
  dnnl_primitive_desc_t description = NULL;
  dnnl_primitive_t primitive = NULL;
  dnnl_stream_t stream = onednn_stream();
  bool done = input && stream &&
              onednn.reorder_primitive_desc_create(&description, ONEDNN_LAYOUT(from), onednn_engine, ONEDNN_LAYOUT(to),
                                                   onednn_engine, NULL) == dnnl_success &&
              onednn.primitive_create(&primitive, description) == dnnl_success;
  if (done) {
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, input}, {DNNL_ARG_TO, target}};
    done = onednn.primitive_execute(primitive, stream, 2, arguments) == dnnl_success &&
           onednn.stream_wait(stream) == dnnl_success;
  }
  if (primitive) onednn.primitive_destroy(primitive);
  if (description) onednn.primitive_desc_destroy(description);
  if (input) onednn.memory_destroy(input);
  return done;
}

static void release(ptk_packed *packed) {
  packed_matrix *matrix = (packed_matrix *)packed;
  if (matrix->memory) onednn.memory_destroy(matrix->memory);
  free(matrix->values);
  free(matrix);
}

static ptk_packed *pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                        ptk_precision precision) {
  if (precision == PTK_BF16 && !ptk_has_bf16()) return NULL;
  packed_matrix *matrix = calloc(1, sizeof *matrix);
  if (!matrix) return NULL;
  if (k == 0 || n == 0) return &matrix->head;
  onednn_stream(); /* Primitives remember the number of threads they were made for. */
  matrix->shape = shape_for(precision, k, n);
  onednn_layout plain = {0};
  bool done = false;
  if (matrix->shape &&
      onednn_strided_layout(&plain, PTK_F32, k, n, transposed ? 1 : source_stride, transposed ? source_stride : 1)) {
    const onednn_layout *layout = &matrix->shape->weights;
    matrix->head.bytes = (onednn.memory_desc_get_size(ONEDNN_LAYOUT(layout)) + 63) / 64 * 64;
    matrix->values = ptk_allocate(matrix->head.bytes);
    if (matrix->values && (matrix->memory = memory(layout, matrix->values)))
      done = reorder(&plain, source, layout, matrix->memory);
  }
  onednn_free_layout(&plain);
  if (done) return &matrix->head;
  release(&matrix->head);
  return NULL;
}

/* `m` dense rows, those of a in the matrix's precision: false if oneDNN failed. */
static bool multiply_piece(const packed_matrix *b, size_t m, const void *a, const float *bias, float *c) {
  dnnl_stream_t stream = onednn_stream();
  const product *product = stream ? product_for(b->shape, m, bias != NULL) : NULL;
  if (!product) return false;
  float *working =
      product->working_bytes ? ptk_scratch(PTK_SCRATCH_LIBRARY, product->working_bytes / sizeof(float) + 1) : NULL;
  dnnl_exec_arg_t arguments[5] = {
      {DNNL_ARG_WEIGHTS, b->memory}, {DNNL_ARG_SRC, memory(&product->a, a)}, {DNNL_ARG_DST, memory(&product->c, c)}};
  int count = 3;
  if (bias) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, memory(&b->shape->bias, bias)};
  if (working) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, memory(&product->working, working)};
  bool done = onednn.primitive_execute(product->primitive, stream, count, arguments) == dnnl_success &&
              onednn.stream_wait(stream) == dnnl_success;
  for (int i = 1; i < count; i++)
    if (arguments[i].memory) onednn.memory_destroy(arguments[i].memory);
  return done;
}

static void copy_rows(size_t rows, size_t columns, const float *from, size_t from_stride, float *to, size_t to_stride) {
  for (size_t i = 0; i < rows; i++) memcpy(to + i * to_stride, from + i * from_stride, columns * sizeof *to);
}

static void round_rows(size_t rows, size_t columns, const float *from, size_t from_stride, uint16_t *to) {
  for (size_t i = 0; i < rows; i++) ptk_variant_here()->round(columns, from + i * from_stride, to + i * columns);
}

static void add_rows(size_t rows, size_t columns, const float *from, float *to, size_t to_stride) {
  for (size_t i = 0; i < rows; i++) ptk_add(columns, from + i * columns, to + i * to_stride);
}

static void multiply(const ptk_packed *head, size_t m, const float *a, size_t a_stride, const float *bias, bool adding,
                     float *c, size_t c_stride) {
  const packed_matrix *b = (const packed_matrix *)head;
  size_t k = head->k, n = head->n, begin = 0;
  const bool dense_a = a_stride == k, stages_c = adding || c_stride != n, rounds = head->precision == PTK_BF16;
  while (begin < m) {
    size_t left = m - begin, rows = left, again = 0;
    if (left >= LARGE) {
      rows = LARGE;
    } else if (left > MEDIUM) {
      rows = MEDIUM;
    } else if (m > MEDIUM) {
      rows = (left + STEP - 1) / STEP * STEP;
      again = rows - left;
      begin = m - rows;
    }
    const float *from = a + begin * a_stride;
    const void *input = from;
    float *output = c + begin * c_stride;
    if (rounds || !dense_a || stages_c) {
      float *staging = ptk_scratch(PTK_SCRATCH_STAGING, rows * (k + n));
      if (rounds || !dense_a) input = staging;
      if (rounds) round_rows(rows, k, from, a_stride, (uint16_t *)staging);
      else if (!dense_a) copy_rows(rows, k, from, a_stride, staging, k);
      if (stages_c) output = staging + rows * k;
    }
    /* What can fail here is only memory: pack() has made a product of this shape. */
    if (!multiply_piece(b, rows, input, bias, output)) ptk_out_of_memory(rows * (k + n) * sizeof *c);
    if (adding) add_rows(rows - again, n, output + again * n, c + (begin + again) * c_stride, c_stride);
    else if (stages_c) copy_rows(rows, n, output, n, c + begin * c_stride, c_stride);
    begin += rows;
  }
}

/* In row-major order, unlike the Fortran function of that name. */
static void gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                 size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
  if (!onednn_stream() ||
      onednn.sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, alpha,
                   a, (dnnl_dim_t)a_stride, b, (dnnl_dim_t)b_stride, beta, c, (dnnl_dim_t)c_stride) != dnnl_success)
    ptk_out_of_memory(m * n * sizeof *c);
}

const ptk_matmul ptk_matmul_onednn = {onednn_open, gemm, pack, release, multiply, NULL};

#else

/* Compiled without oneDNN's header: never there. */
static bool open_none(char *description, size_t capacity) {
  (void)description, (void)capacity;
  return false;
}

const ptk_matmul ptk_matmul_onednn = {open_none, NULL, NULL, NULL, NULL, NULL};

#endif
