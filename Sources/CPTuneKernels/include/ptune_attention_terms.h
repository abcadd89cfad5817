/*
 * Segment attention with what depends on where queries and keys stand, and with what bends or joins the softmax. These
 * kernels serve every combination of terms; attention without any is faster in ptk_attention_forward.
 *
 * The score of query i for key j in a head is
 *     s = cap(scale·(q_i·k_j + q_i·C_b + k_j·P_b)) - slope·|d| + B_b
 * with d the place of the key less that of the query, and b the bucket of d.
 */
#ifndef PTUNE_ATTENTION_TERMS_H
#define PTUNE_ATTENTION_TERMS_H

#include "ptune_kernels.h"

/* Rows of a table by distance; no such term where `table` is NULL. */
typedef struct {
  const float *table; /* [buckets, stride] */
  float *gradients;   /* as the table: added to by the backward pass, unless NULL */
  size_t stride;
  const int32_t *buckets; /* [distances]: the rows of the distances first, first + 1, …; beyond, those of its ends */
  int32_t distances, first;
} ptk_relative;

typedef struct {
  float soft_cap; /* c of cap(x) = c·tanh(x/c); 0: none */
  /* A query sees keys at distances -left … right; injected ones everywhere if `keeps_injected`. INT32_MAX: no limit. */
  int32_t left, right;
  bool keeps_injected;
  const float *slopes; /* [heads], or NULL */
  ptk_relative bias; /* B, [buckets, heads] */
  ptk_relative content_to_position; /* C, [buckets, heads·head_size] */
  ptk_relative position_to_content; /* P, [buckets, heads·head_size] */
  const float *sinks; /* [heads], or NULL: a score in each softmax that goes to no value */
  float *sink_gradients; /* added to by the backward pass, unless NULL */
  const int32_t *query_places; /* [query rows] */
  /* Of the rows of all sources, those of source s from source_begins[s] on. */
  const int32_t *key_places;
  const uint8_t *injected; /* 1 for a key that stands for no token */
  const int32_t *source_begins;
} ptk_attention_terms;

/* As ptk_attention_forward and ptk_attention_backward, with terms. A query that sees no key has a result of 0. */
void ptk_attention_terms_forward(const ptk_attention *attention, const ptk_attention_terms *terms, size_t rows,
                                 size_t kv_begin, size_t kv_end, float *out, size_t out_stride, float *log_sums);
void ptk_attention_terms_backward(const ptk_attention *attention, const ptk_attention_terms *terms, size_t rows,
                                  size_t kv_begin, size_t kv_end, const float *out, const float *out_gradients,
                                  size_t out_stride, const float *log_sums, float *query_gradients,
                                  size_t query_gradient_stride);
/* weights [keys of the segment]: what a query of a segment gives to each key in one head. */
void ptk_attention_terms_weights(const ptk_attention *attention, const ptk_attention_terms *terms, size_t segment,
                                 size_t query, size_t head, float *weights);

#endif
