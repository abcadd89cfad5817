/*
 * ptune_1_1.h: what interface 1.1 adds to ptune.h, which it includes and leaves as it was.
 *
 * Every addition is an interface of its own, looked up by its id. A ptune of 1.0 answers NULL for these ids; a
 * component that cannot work without one lists it in `needs`. What ptune.h says of strings, threads, lifetimes and
 * errors holds here.
 */
#ifndef PTUNE_1_1_H
#define PTUNE_1_1_H

#include "ptune.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------- "ptune.attention/1": attention with more than a product */

/*
 * The score of query i for key j in one head is
 *
 *     s = cap(scale·(q_i·k_j + q_i·C_b + k_j·P_b)) - slope·|d| + B_b
 *
 * with d the place of the key less the place of the query, and b the bucket of d. Each part is there if its term is.
 * The weights of a query are the softmax over the keys that it sees: in a causal model those up to its own row, within
 * the window if there is one.
 *
 * PLACES. A row stands at its position; virtual tokens at the input are rows like any other. A model may give a token
 * no position of its own (RoBERTa's padding), but it takes a place. `first_position` moves all rows of a sequence alike
 * and changes no distance. What an adapter injects as hidden prefix rows or as keys has no position in the text. It
 * stands in front of the first row of its sequence, as if it were tokens there: with n such keys the last is at d = -1
 * of the first row and the first at d = -n. So transformers reads the prefixes of PEFT. Keys that all sequences share
 * stand next to the text, those of each sequence before them. Rotary positions follow their own rule (`rotate_keys`).
 * In generation, keys of earlier steps keep their places.
 */

/* A term's kind. A list has each kind at most once, in any order. A kind that the host does not know is a recorded
   failure. */
typedef int32_t ptune_attention_kind;
enum {
  PTUNE_ATTENTION_SCALE = 1,    /* `value` is a const float *: scale, instead of 1/sqrt(d) */
  PTUNE_ATTENTION_SOFT_CAP = 2, /* a const float *: c > 0 of cap(x) = c·tanh(x/c) (Gemma 2) */
  PTUNE_ATTENTION_WINDOW = 3,   /* a const ptune_window_v1 * */
  PTUNE_ATTENTION_ALIBI = 4,    /* a const float *: the slope of each head, [heads] (Press et al. 2022) */
  /* a const ptune_relative_v1 * with a table B [buckets, heads]: a bias for each head (T5) */
  PTUNE_ATTENTION_RELATIVE_BIAS = 5,
  /* a const ptune_relative_v1 * with a table C [buckets, heads·d]: keys of distances (DeBERTa, content to position) */
  PTUNE_ATTENTION_CONTENT_TO_POSITION = 6,
  /* a const ptune_relative_v1 * with a table P [buckets, heads·d]: queries of distances (DeBERTa, position to content)
   */
  PTUNE_ATTENTION_POSITION_TO_CONTENT = 7,
  /* a const ptune_tensor * [1, heads]: a score in each softmax that goes to no value */
  PTUNE_ATTENTION_SINKS = 8
};

/* One term. Scoped to the call, with all that it points to. */
typedef struct ptune_attention_term_v1 {
  ptune_attention_kind kind;
  const void *value; /* what the kind says */
} ptune_attention_term_v1;

/* A query sees keys at distances -left … right. SIZE_MAX is no limit. */
typedef struct ptune_window_v1 {
  size_t left, right;
  /* Whether keys that an adapter injects stay inside the window however far the text has moved on. If not, they leave
     it as the tokens in whose place they stand would: so transformers reads PEFT's prefixes, where it takes them. */
  bool keeps_injected;
} ptune_window_v1;

/* Rows of a table by distance. Gradients flow into the table. */
typedef struct ptune_relative_v1 {
  const ptune_tensor *table;
  const int32_t *buckets; /* [distances]: the table's row for the distances first, first + 1, … */
  size_t distances;
  int32_t first; /* what is below has the first bucket, what is above the list has the last */
} ptune_relative_v1;

typedef struct ptune_attention_v1 {
  size_t struct_size;
  /* [call] `attention` of "ptune.forward/1" with terms: q [rows, heads·d], k and v [key rows, kv_heads·d], result
     [rows, heads·d]. Adapters, gradients and generation work on it as on the one without. */
  ptune_tensor *(*attend)(ptune_forward *forward, size_t layer, const ptune_tensor *q, const ptune_tensor *k,
                          const ptune_tensor *v, size_t heads, size_t kv_heads, const ptune_attention_term_v1 *terms,
                          size_t term_count);
  /* [call, after key_rows of this layer] The position of each of its rows, as `rotate_keys` has them: hidden prefix
     rows at 0, 1, … of their own, then the sequences' rows. Returns how many there are, 0 if it failed. Scoped. */
  size_t (*key_positions)(ptune_forward *forward, size_t layer, const int32_t **positions);
} ptune_attention_v1;
#define PTUNE_ATTENTION_V1 "ptune.attention/1"

#ifdef __cplusplus
}
#endif
#endif /* PTUNE_1_1_H */
