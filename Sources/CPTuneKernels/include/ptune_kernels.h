/*
 * The compute kernels of the engine: what Swift cannot express as fast.
 *
 * Every function is single-threaded and works on the rows (or heads) it is given; the engine splits the work
 * over its threads. Matrices are row-major 32-bit floats; a stride counts floats from one row to the next.
 * Functions that accumulate say so; with a parameter `adding` they do if it is true; all others overwrite their
 * result.
 */
#ifndef PTUNE_KERNELS_H
#define PTUNE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------ matrix products */

typedef enum { PTK_AUTOMATIC = 0, PTK_ONEDNN = 1, PTK_CBLAS = 2, PTK_PORTABLE = 3 } ptk_backend;

/* Chooses the library for matrix products, once per process: oneDNN if it can be opened, else a CBLAS, else
   the loops in this target. Returns false if the one asked for is not there, or another was chosen before. */
bool ptk_choose_backend(ptk_backend wanted);
ptk_backend ptk_chosen_backend(void);
/* "oneDNN 2.6.3 (libdnnl.so.2)", say; "not found" for a backend that is missing. Static. */
const char *ptk_backend_description(ptk_backend backend);
/* "avx512_bf16", "avx512", "avx2", "neon" or "baseline": what the other kernels here were compiled for and use.
   Static. */
const char *ptk_kernel_variant(void);

/* c = alpha·op(a)·op(b) + beta·c, with op(a) [m, k] and op(b) [k, n]. */
void ptk_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
              size_t a_stride, const float *b, size_t b_stride, float beta, float *c, size_t c_stride);

/* What the factors of a product are rounded to. PTK_BF16 keeps 8 bits of the 24 and adds up in single precision. */
typedef enum { PTK_F32 = 0, PTK_BF16 = 1 } ptk_precision;
/* Whether this processor multiplies bf16 numbers by instructions of its own, twice as fast as single precision.
   Products in PTK_BF16 work without, no faster. */
bool ptk_has_bf16(void);
/* What computes products in PTK_BF16: "oneDNN 2.6.3 (libdnnl.so.2)", say. Static. */
const char *ptk_bf16_description(void);

/* A frozen matrix [k, n] in the layout that the chosen backend likes best. */
typedef struct ptk_packed ptk_packed;
/* Packs b, or its transpose: with `transposed`, `source` is [n, k] (a linear layer's weight). In PTK_BF16 it takes half
   the memory, and products round the rows of a as well. NULL without memory. Keeps no pointer to `source`, except with
   a backend that cannot pack: then `source` must outlive the result. */
ptk_packed *ptk_pack(const float *source, size_t source_stride, size_t k, size_t n, bool transposed,
                     ptk_precision precision);
/* Whether one packed copy of a matrix is best for products with it and with its transpose. */
bool ptk_packs_both_ways(void);
/* As ptk_pack in PTK_F32, for both; keeps no pointer to `source`. */
ptk_packed *ptk_pack_both_ways(const float *source, size_t source_stride, size_t k, size_t n, bool transposed);
void ptk_packed_free(ptk_packed *packed);
size_t ptk_packed_bytes(const ptk_packed *packed);
/* c = a·b (+ bias, [n], unless NULL): a [m, k], c [m, n]. */
void ptk_gemm_packed(const ptk_packed *b, size_t m, const float *a, size_t a_stride, const float *bias, float *c,
                     size_t c_stride);
/* c += a·b. */
void ptk_gemm_packed_add(const ptk_packed *b, size_t m, const float *a, size_t a_stride, float *c, size_t c_stride);
/* c = a·bᵀ: a [m, n], c [m, k]; b is from ptk_pack_both_ways. */
void ptk_gemm_packed_transposed(const ptk_packed *b, size_t m, const float *a, size_t a_stride, bool adding, float *c,
                                size_t c_stride);

/* ---------------------------------------------------------------------------------- segment attention */

/* Scores with more in them than a product are in ptune_attention_terms.h. */

/* Keys and values that segments draw from, [rows, kv_heads·head_size] each, and, in the backward pass, where
   their gradients are added (NULL: not wanted). */
typedef struct {
  const float *keys, *values;
  float *key_gradients, *value_gradients;
  size_t stride;
} ptk_key_values;

typedef struct {
  int32_t source, begin, count; /* rows begin … begin+count-1 of sources[source] */
} ptk_range;

typedef struct {
  int32_t query_begin, query_count; /* rows of the queries */
  int32_t range_begin, range_count; /* of `ranges`: the keys these queries see, in this order */
} ptk_segment;

typedef struct {
  size_t heads, kv_heads, head_size;
  float scale;
  const float *queries; /* [query rows, heads·head_size] */
  size_t query_stride;
  const ptk_key_values *sources;
  const ptk_range *ranges;
  const ptk_segment *segments;
  size_t segment_count;
  /* [query rows]: how many of its segment's keys, counted in the order of the ranges, a query sees; NULL for
     all. At least 1 each. */
  const int32_t *visible;
} ptk_attention;

/* out [query rows, heads·head_size] = softmax(scale·q·kᵀ)·v for the heads of kv heads kv_begin … kv_end-1.
   `log_sums` [heads, query rows] gets log Σ exp of each row of scaled scores, for the backward pass. `rows` is
   the number of query rows in all. */
void ptk_attention_forward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end, float *out,
                           size_t out_stride, float *log_sums);
/* Overwrites query_gradients (unless NULL) for those heads, and adds to the sources' gradients. */
void ptk_attention_backward(const ptk_attention *attention, size_t rows, size_t kv_begin, size_t kv_end,
                            const float *out, const float *out_gradients, size_t out_stride, const float *log_sums,
                            float *query_gradients, size_t query_gradient_stride);

/* -------------------------------------------------------------------------------------- normalisation */

/* y = (x - mean)·rstd·gain + bias per row; saves mean and rstd [rows]. */
void ptk_layer_norm_forward(size_t rows, size_t columns, const float *x, const float *gain, const float *bias,
                            float epsilon, float *y, float *mean, float *rstd);
/* Writes dx, and adds to dgain and dbias; each may be NULL. */
void ptk_layer_norm_backward(size_t rows, size_t columns, const float *x, const float *gain, const float *mean,
                             const float *rstd, const float *dy, bool adding, float *dx, float *dgain, float *dbias);
/* y = x·rstd·gain with rstd = 1/sqrt(mean(x²)+epsilon). */
void ptk_rms_norm_forward(size_t rows, size_t columns, const float *x, const float *gain, float epsilon, float *y,
                          float *rstd);
void ptk_rms_norm_backward(size_t rows, size_t columns, const float *x, const float *gain, const float *rstd,
                           const float *dy, bool adding, float *dx, float *dgain);

/* ------------------------------------------------------------------------------------ rotary positions */

/* Turns the first 2·pairs columns of each of the `heads` heads of a row by the angles of its position; columns beyond
   are copied. Pairs are columns i and i + pairs, or 2i and 2i+1 where `interleaved`. `cosines` and `sines` are
   [positions, pairs]; direction -1 turns back, which is the gradient. */
void ptk_rotate(size_t rows, size_t heads, size_t head_size, size_t pairs, bool interleaved, const int32_t *positions,
                const float *cosines, const float *sines, float direction, const float *x, float *y);

/* ---------------------------------------------------------------------------------------- elementwise */

/* The values of ptune_unary in ptune.h. */
typedef enum {
  PTK_RELU = 1,
  PTK_GELU,
  PTK_GELU_TANH,
  PTK_TANH,
  PTK_SIGMOID,
  PTK_SILU,
  PTK_EXP,
  PTK_LOG,
  PTK_SQRT
} ptk_unary;
void ptk_unary_forward(ptk_unary function, size_t count, const float *x, float *y);
/* dx = dy·f'(x), from x and y = f(x) as the function needs. */
void ptk_unary_backward(ptk_unary function, size_t count, const float *x, const float *y, const float *dy, bool adding,
                        float *dx);
/* y = f(x), and with it f'(x), for PTK_GELU, PTK_GELU_TANH and PTK_SILU, whose derivatives cost more from x alone. */
void ptk_unary_forward_with_derivative(ptk_unary function, size_t count, const float *x, float *y, float *derivative);
/* z = f(x)·y, for the same functions. */
void ptk_gated_forward(ptk_unary function, size_t count, const float *x, const float *y, float *z);
/* From dz: dx, and dy; each may be NULL, and they are not the same. */
void ptk_gated_backward(ptk_unary function, size_t count, const float *x, const float *y, const float *dz,
                        bool adding_x, float *dx, bool adding_y, float *dy);

/* z = x + y, x - y, x·y or x/y. */
typedef enum { PTK_ADD = 1, PTK_SUBTRACT, PTK_MULTIPLY, PTK_DIVIDE } ptk_binary;
void ptk_combine(ptk_binary function, size_t count, const float *x, const float *y, float *z);
/* z = x·y */
void ptk_multiply(size_t count, const float *x, const float *y, bool adding, float *z);

/* y += x; y += scale·x */
void ptk_add(size_t count, const float *x, float *y);
void ptk_add_scaled(size_t count, float scale, const float *x, float *y);
/* y[r, :] += bias */
void ptk_add_bias(size_t rows, size_t columns, const float *bias, float *y, size_t y_stride);
/* Adds each column's sum over the rows of x to out [columns]. */
void ptk_sum_rows(size_t rows, size_t columns, const float *x, size_t x_stride, float *out);

/* Softmax, or its logarithm, over each row. */
void ptk_softmax_forward(size_t rows, size_t columns, bool logarithm, const float *x, float *y);
/* dx += the gradient, from the result y. */
void ptk_softmax_backward(size_t rows, size_t columns, bool logarithm, const float *y, const float *dy, float *dx);

/* Per row with target >= 0: its loss -Σ_c q_c·log p_c with smoothed target distribution q, weighted as
   torch.nn.CrossEntropyLoss does; returns Σ weighted losses, and Σ weights through `weight_sum`. Writes
   log Σ exp of each such row to `log_sums` [rows], 0 for the others. `class_weights` may be NULL. */
double ptk_cross_entropy_forward(size_t rows, size_t columns, const float *logits, const int32_t *targets,
                                 const float *class_weights, float smoothing, float *log_sums, double *weight_sum);
/* dlogits += factor·∂(Σ weighted losses)/∂logits. */
void ptk_cross_entropy_backward(size_t rows, size_t columns, const float *logits, const int32_t *targets,
                                const float *class_weights, float smoothing, const float *log_sums, float factor,
                                float *dlogits);

/* Of one row: returns its loss, with its weight, and makes ∂loss/∂logits of its logits; both are 0 without a target. */
double ptk_cross_entropy_in_place(size_t columns, float *logits, int32_t target, const float *class_weights,
                                  float smoothing, double *weight);

/* out [rows, 2]: log softmax(logits)[target], and 1 where no class scores higher than the target, else 0; both 0
   where the target is negative. */
void ptk_target_scores(size_t rows, size_t columns, const float *logits, const int32_t *targets, float *out);

/* ------------------------------------------------------------------------------------------ optimiser */

/* One AdamW step (Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW computes it), step counted from 1. */
void ptk_adamw(size_t count, float *parameter, const float *gradient, float *first_moment, float *second_moment,
               float learning_rate, float beta1, float beta2, float epsilon, float weight_decay, int64_t step);
/* Turns a gradient [rows, columns] into Adafactor's step before it is clipped (Shazeer & Stern 2018, algorithm 4,
   lines 5 to 7): the running means of its squares over each row and each column decay by `decay`. */
void ptk_adafactor_factored(size_t rows, size_t columns, float *gradient, float *row_means, float *column_means,
                            float decay);
/* The same with a running mean of its own for each number (algorithm 5). */
void ptk_adafactor_whole(size_t count, float *gradient, float *means, float decay);
/* parameter = keep·parameter - rate·direction */
void ptk_descend(size_t count, float *parameter, const float *direction, float keep, float rate);
/* Σ x², in double. */
double ptk_sum_of_squares(size_t count, const float *x);

#endif
