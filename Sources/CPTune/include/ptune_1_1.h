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

/* --------------------------------------------------------- "ptune.input/1": what enters the first layer */

typedef struct ptune_input_v1 {
  size_t struct_size;
  /* [call, in a base model's create] Word embeddings are multiplied by `scale` (Gemma): where `input_rows` looks them up,
     and where adapters read them with `word_rows`. Rows that an adapter injects are not: they are trained as they enter,
     which is how PEFT has them. `word_table` stays as it is stored. */
  ptune_status (*scale_words)(ptune_call *call, float scale);
} ptune_input_v1;
#define PTUNE_INPUT_V1 "ptune.input/1"

/* ------------------------------------- "ptune.checkpoint/2": lists, slices, and keys that are known */

/* Beside "ptune.checkpoint/1", and in the same calls. For both a number in a key leads into a list: "layer_types.3". */
typedef struct ptune_checkpoint_v2 {
  size_t struct_size;
  /* [call, in create] How many elements the list at a key of config.json has, or how many members the object. What is
     neither is a recorded failure. */
  ptune_found (*config_size)(ptune_call *call, const char *key, size_t *out);
  /* [call, in create] The name of a member of the object at a key, in the order of the file; NULL if there is none.
     Scoped to the call. */
  const char *(*config_member)(ptune_call *call, const char *key, size_t index);
  /* [call, in create] Matrix `index` of a tensor [slices, rows, columns] as a frozen weight of this shape; of one
     [slices, columns, rows] where `transposed`. It shares the tensor's memory. Kept. */
  ptune_tensor *(*weight_slice)(ptune_call *call, const char *name, size_t slices, size_t index, size_t rows,
                                size_t columns, bool transposed);
  /* [call, in create] Names keys of config.json that change nothing of what this base model computes, or that it reads in
     `pooler` or `vocabulary_scores` only. After that the host warns the user of keys that `create` neither read nor
     named and that it does not know itself, since what they ask for may be missing. A key stands for all that is in its
     object. */
  ptune_status (*understand)(ptune_call *call, const char *const *keys, size_t count);
} ptune_checkpoint_v2;
#define PTUNE_CHECKPOINT_V2 "ptune.checkpoint/2"

/* ---------------------------------------- "ptune.parameters/2": how a parameter differs in training */

typedef struct ptune_parameters_v2 {
  size_t struct_size;
  /* [call, in create] Of a parameter that this component declared: it learns at the run's rate times `factor`, above 0. */
  ptune_status (*learning_rate)(ptune_call *call, ptune_parameter *parameter, double factor);
  /* [call, in create] Its weight decay, from 0 on, instead of the run's. */
  ptune_status (*weight_decay)(ptune_call *call, ptune_parameter *parameter, double decay);
} ptune_parameters_v2;
#define PTUNE_PARAMETERS_V2 "ptune.parameters/2"

/* ----------------------------------------------------------------- further codes of ptune_reading */

enum {
  /* As PTUNE_READS_LABELLED_TEXT, but rows to learn from need no label. */
  PTUNE_READS_UNLABELLED_TEXT = 3
};

/* ----------------------------------------------------- "ptune.reads/1": adapters of earlier versions */

/* What any component's `extension` may return for "ptune.reads/1": which adapters of earlier versions it reads. Static. An
   adapter that was trained with another major version of a plugin is refused without it. */
typedef struct ptune_reads_v1 {
  size_t struct_size;
  const char *versions; /* major versions of the plugin, separated by spaces: "1 2" */
} ptune_reads_v1;
#define PTUNE_READS_V1 "ptune.reads/1"

#ifdef __cplusplus
}
#endif
#endif /* PTUNE_1_1_H */
