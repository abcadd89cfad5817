/*
 * ptune.h: the plugin interface of ptune, version 1. This one file is all a plugin author needs, in any
 * language that can speak C.
 *
 * A plugin is a shared library named libptune_*.so that exports exactly one symbol:
 *
 *     const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *host);
 *
 * It returns a description of the components it holds: base models, adapters (tuning methods), selectors
 * and task heads. The host calls `create` when a run names a component and then the component's methods.
 *
 * VERSIONS. Interface 1.0 is frozen. A struct whose name ends in _v1 never changes its layout, not even at its
 * end; new abilities come as new interfaces, looked up by id (`host->interface_for("ptune.ops/1")`).
 * `struct_size` is an equality check: set it to sizeof the struct. Docs/abi.md says what may change, and has a
 * line for each addition.
 *
 * STRINGS are UTF-8, zero-terminated. BOOLEANS are C99 bool. Every count is a size_t.
 *
 * THREADS. Each function has a tag:
 *   [entry]  during ptune_plugin_entry_v1 or later, on any thread;
 *   [call]   only while the host is inside a function of the plugin, on the thread that made that call, with
 *            the ptune_call (or the object) that this call handed over.
 * A component's methods are called by one thread at a time.
 *
 * LIFETIMES. Each pointer has one of these:
 *   static   lives as long as the process; plugins are never unloaded;
 *   scoped   lives until the host has finished the step (or the call, where that is said). Do not keep it;
 *   kept     lives as long as the component whose `create` made it.
 * A plugin frees nothing that the host gave it. `destroy` frees what the plugin itself allocated.
 *
 * ERRORS. A function that can fail returns a ptune_status, or NULL for a tensor. Call `host->fail` with the
 * reason before you return anything but PTUNE_OK. A tensor function given NULL returns NULL, so a chain of
 * operators needs one check at its end: the host remembers the first failure, with operator and shapes, and
 * reports it together with the plugin, the component and the call.
 *
 * TENSORS are matrices of 32-bit floats, [rows, columns], row-major. Operators record what is to be computed
 * and check shapes at once; values are computed when the host needs them. A batch is packed: its sequences
 * stand end to end, without padding, in one matrix with one row per token.
 */
#ifndef PTUNE_H
#define PTUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PTUNE_ABI_MAJOR 1
#define PTUNE_ABI_MINOR 1

#if defined(__GNUC__) || defined(__clang__)
#define PTUNE_EXPORT __attribute__((visibility("default")))
#else
#define PTUNE_EXPORT
#endif

/* ------------------------------------------------------------------------------------------- basics */

typedef int32_t ptune_status;
enum {
  PTUNE_OK = 0,
  PTUNE_FAILED = 1,       /* the component cannot do this; `fail` said why */
  PTUNE_BAD_ARGUMENT = 2, /* a hyperparameter or an input is wrong; the user can mend it */
  PTUNE_UNSUPPORTED = 3,  /* a combination that makes no sense or is not there yet */
  PTUNE_CANCELLED = 4     /* the user asked to stop */
};

typedef int32_t ptune_kind;
enum { PTUNE_BASE_MODEL = 1, PTUNE_ADAPTER = 2, PTUNE_SELECTOR = 3, PTUNE_TASK_HEAD = 4 };

typedef int32_t ptune_log_level;
enum { PTUNE_LOG_DEBUG = 0, PTUNE_LOG_INFO = 1, PTUNE_LOG_WARNING = 2 };

typedef struct ptune_call ptune_call;             /* the call in progress; scoped to that call */
typedef struct ptune_tensor ptune_tensor;         /* a matrix; scoped, but weights are kept */
typedef struct ptune_parameter ptune_parameter;   /* a trainable matrix; kept */
typedef struct ptune_forward ptune_forward;       /* one forward pass of a base model; scoped */
typedef struct ptune_batch ptune_batch;           /* the examples of a step; scoped */
typedef struct ptune_injections ptune_injections; /* what an adapter adds to a forward pass; scoped */
typedef struct ptune_export ptune_export;         /* receives what an adapter file holds; scoped */
typedef struct ptune_example ptune_example;       /* one row of data; scoped */
typedef struct ptune_arrangement ptune_arrangement; /* receives an example's sequences; scoped */
typedef struct ptune_targets ptune_targets;       /* receives an example's targets; scoped */
typedef struct ptune_prediction ptune_prediction; /* receives an example's prediction; scoped */
typedef struct ptune_evaluation ptune_evaluation; /* all scores of an evaluation; scoped */

/* A hyperparameter of type `strings`. Scoped to the call. */
typedef struct ptune_strings_v1 {
  size_t count;
  const char *const *items;
} ptune_strings_v1;

/* ---------------------------------------------------------------------------------------- the host */

/* What the host hands to the entry function. Static. */
typedef struct ptune_host_v1 {
  size_t struct_size;
  uint32_t abi_major, abi_minor; /* PTUNE_ABI_MAJOR and _MINOR of the host */
  const char *version;           /* of the host, "0.1.0" */

  /* [entry] The interface with this id, "ptune.ops/1" and so on, or NULL. Static. */
  const void *(*interface_for)(const char *id);
  /* [call] States why the call in progress fails. The first reason given wins. `call` may be NULL in the
     entry function. */
  void (*fail)(ptune_call *call, ptune_status status, const char *why);
  /* [call] A message for the user. */
  void (*log)(ptune_call *call, ptune_log_level level, const char *message);
  /* [call] True once the user asked to stop; long work should then return PTUNE_CANCELLED. */
  bool (*cancelled)(ptune_call *call);
  /* [call] 64 random bits, a function of the run's seed and of the calls before. */
  uint64_t (*random)(ptune_call *call);
} ptune_host_v1;

/* ------------------------------------------------------------------------- "ptune.ops/1": operators */

typedef int32_t ptune_unary;
enum {
  PTUNE_RELU = 1,
  PTUNE_GELU = 2,      /* x/2 (1 + erf(x/sqrt 2)) */
  PTUNE_GELU_TANH = 3, /* the tanh approximation: "gelu_new", "gelu_pytorch_tanh" */
  PTUNE_TANH = 4,
  PTUNE_SIGMOID = 5,
  PTUNE_SILU = 6,
  PTUNE_EXP = 7,
  PTUNE_LOG = 8,
  PTUNE_SQRT = 9
};

typedef int32_t ptune_binary;
enum { PTUNE_ADD = 1, PTUNE_SUBTRACT = 2, PTUNE_MULTIPLY = 3, PTUNE_DIVIDE = 4 };

typedef int32_t ptune_axis;
enum {
  PTUNE_OVER_ROWS = 1,    /* [r, c] -> [1, c] */
  PTUNE_OVER_COLUMNS = 2, /* [r, c] -> [r, 1] */
  PTUNE_OVER_ALL = 3      /* [r, c] -> [1, 1] */
};

/* Differentiable operators. All [call]; all results scoped. NULL in gives NULL out. */
typedef struct ptune_ops_v1 {
  size_t struct_size;

  /* Rows and columns of a tensor; both 0 for NULL. */
  void (*shape)(const ptune_tensor *x, size_t *rows, size_t *columns);
  /* Computes x now and copies its rows x columns values to `out`. */
  ptune_status (*read)(const ptune_tensor *x, float *out);

  /* A matrix of given values (copied), and one filled with a single value. */
  ptune_tensor *(*constant)(ptune_call *call, size_t rows, size_t columns, const float *values);
  ptune_tensor *(*fill)(ptune_call *call, size_t rows, size_t columns, float value);

  /* Elementwise. A binary operator's b may also be [1, c], [r, 1] or [1, 1]: it is repeated. */
  ptune_tensor *(*unary)(ptune_unary function, const ptune_tensor *x);
  ptune_tensor *(*binary)(ptune_binary function, const ptune_tensor *a, const ptune_tensor *b);
  /* x·scale + shift */
  ptune_tensor *(*affine)(const ptune_tensor *x, float scale, float shift);
  /* Zeroes each element with this probability and scales the rest by 1/(1-p), in training only. */
  ptune_tensor *(*dropout)(const ptune_tensor *x, float probability);
  /* x, but no gradient flows back through it. */
  ptune_tensor *(*stop_gradient)(const ptune_tensor *x);

  /* op(a)·op(b), where op transposes if asked: [m, k]·[k, n] -> [m, n] */
  ptune_tensor *(*matmul)(const ptune_tensor *a, bool transpose_a, const ptune_tensor *b, bool transpose_b);
  /* x·Wᵀ + bias: x [r, in], weight [out, in], bias [1, out] or NULL -> [r, out] */
  ptune_tensor *(*linear)(const ptune_tensor *x, const ptune_tensor *weight, const ptune_tensor *bias,
                          bool has_bias);
  ptune_tensor *(*transpose)(const ptune_tensor *x);
  ptune_tensor *(*reshape)(const ptune_tensor *x, size_t rows, size_t columns);

  /* Per row: (x - mean)/sqrt(variance + epsilon)·gain + bias, with gain and bias [1, c] (Ba 2016). */
  ptune_tensor *(*layer_norm)(const ptune_tensor *x, const ptune_tensor *gain, const ptune_tensor *bias,
                              float epsilon);
  /* Per row: x/sqrt(mean(x²) + epsilon)·gain (Zhang & Sennrich 2019). */
  ptune_tensor *(*rms_norm)(const ptune_tensor *x, const ptune_tensor *gain, float epsilon);
  ptune_tensor *(*softmax)(const ptune_tensor *x);     /* over each row */
  ptune_tensor *(*log_softmax)(const ptune_tensor *x); /* over each row */
  ptune_tensor *(*sum)(const ptune_tensor *x, ptune_axis axis);
  ptune_tensor *(*mean)(const ptune_tensor *x, ptune_axis axis);

  /* Rows of x by index, [count, c]; an index may repeat. */
  ptune_tensor *(*gather_rows)(const ptune_tensor *x, const int32_t *rows, size_t count);
  /* Row r of the result is row row_of[r] of sources[source_of[r]]; all sources have the same columns. */
  ptune_tensor *(*assemble_rows)(const ptune_tensor *const *sources, size_t source_count,
                                 const int32_t *source_of, const int32_t *row_of, size_t rows);
  /* Row g of the result is the mean of rows[offsets[g]] … rows[offsets[g+1]-1] of x: [groups, c]. */
  ptune_tensor *(*mean_rows)(const ptune_tensor *x, const int32_t *rows, const int32_t *offsets,
                             size_t groups);
  ptune_tensor *(*concatenate_columns)(const ptune_tensor *const *sources, size_t source_count);
  ptune_tensor *(*slice_columns)(const ptune_tensor *x, size_t begin, size_t count);

  /* Mean cross-entropy of row r against class targets[r], over the rows with a target >= 0: [1, 1].
     `class_weights` [columns] or NULL, as torch.nn.CrossEntropyLoss weighs them; `smoothing` in [0, 1). */
  ptune_tensor *(*cross_entropy)(const ptune_tensor *logits, const int32_t *targets,
                                 const float *class_weights, float smoothing);
  /* Mean binary cross-entropy of sigmoid(logits) against targets [rows·columns] in [0, 1]: [1, 1]. */
  ptune_tensor *(*sigmoid_cross_entropy)(const ptune_tensor *logits, const float *targets);
  /* How well row r tells class targets[r]: the logarithm of its softmax there, and 1 where no class has a higher
     score, else 0; both 0 for a row with a target < 0: [rows, 2]. No gradient flows back through it. */
  ptune_tensor *(*target_scores)(const ptune_tensor *logits, const int32_t *targets);
} ptune_ops_v1;
#define PTUNE_OPS_V1 "ptune.ops/1"

/* -------------------------------------------------------------- "ptune.parameters/1": what is trained */

typedef int32_t ptune_initial;
enum {
  PTUNE_INITIAL_CONSTANT = 1, /* every value is a */
  PTUNE_INITIAL_NORMAL = 2,   /* mean a, standard deviation b */
  PTUNE_INITIAL_UNIFORM = 3,  /* in [a, b) */
  PTUNE_INITIAL_VALUES = 4    /* `values`, copied */
};

typedef struct ptune_initial_v1 {
  ptune_initial kind;
  float a, b;
  const float *values;
} ptune_initial_v1;

typedef struct ptune_parameters_v1 {
  size_t struct_size;
  /* [call, in create] Declares a trainable array. The host initialises, optimises, saves and loads it under
     this name, which is unique in the component. Rank 1 to 4. Kept; NULL if it failed. */
  ptune_parameter *(*declare)(ptune_call *call, const char *name, const size_t *shape, size_t rank,
                              const ptune_initial_v1 *initial);
  /* [call] Its value as a tensor [product of all dimensions but the last, last]. */
  ptune_tensor *(*value)(ptune_call *call, ptune_parameter *parameter);
  /* [call] Numbers that the component keeps from step to step and changes itself; no gradient does. They are zero
     when they are first asked for, and `count` is the same each time. Checkpoints of a training hold them, adapter
     files do not. Kept; NULL if it failed. */
  float *(*state)(ptune_call *call, const char *name, size_t count);
} ptune_parameters_v1;
#define PTUNE_PARAMETERS_V1 "ptune.parameters/1"

/* ----------------------------------------------------- "ptune.closures/1": functions made at run time */

typedef struct ptune_closures_v1 {
  size_t struct_size;
  /* [entry] A C function with the arguments that `schema` declares after (ptune_call *, void **self), which
     calls `body` with pointers to all its arguments in order. Static. NULL if the schema is malformed.
     The Swift kit makes a component's `create` with it; a C plugin writes the function itself. */
  void (*(*make_create)(const char *schema,
                        ptune_status (*body)(void *context, void *const *arguments, size_t count),
                        void *context))(void);
} ptune_closures_v1;
#define PTUNE_CLOSURES_V1 "ptune.closures/1"

/* ------------------------------------------------- "ptune.checkpoint/1": what a base model is made of */

typedef int32_t ptune_found;
enum { PTUNE_ABSENT = 0, PTUNE_FOUND = 1, PTUNE_MALFORMED = -1 /* the host recorded the failure */ };

/* "In create" means here: in a base model's `create`, `pooler` and `vocabulary_scores`. What only those two need
   is best loaded in them. */
typedef struct ptune_checkpoint_v1 {
  size_t struct_size;
  /* [call, in create] The value of a key of config.json; a dot leads into an object ("rope_parameters.factor").
     Strings are scoped to the call. A value of another type is a recorded failure. */
  ptune_found (*config_integer)(ptune_call *call, const char *key, int64_t *out);
  ptune_found (*config_number)(ptune_call *call, const char *key, double *out);
  ptune_found (*config_boolean)(ptune_call *call, const char *key, bool *out);
  ptune_found (*config_string)(ptune_call *call, const char *key, const char **out);
  /* [call, in create] Does the checkpoint hold a tensor of this name? */
  bool (*has_weight)(ptune_call *call, const char *name);
  /* [call, in create] A frozen weight of this shape (a vector is [1, n]). Kept. A missing tensor or another
     shape is a recorded failure that names it. `transposed` weights are stored [in, out] (GPT-2) and are
     given as [out, in]. */
  ptune_tensor *(*weight)(ptune_call *call, const char *name, size_t rows, size_t columns, bool transposed);
  /* [call, in create] Rows begin … begin+count-1 of a weight, or those columns of a vector [1, n], as a weight of
     its own: for checkpoints that store queries, keys and values as one. It shares the weight's memory. Kept. */
  ptune_tensor *(*weight_part)(ptune_call *call, const ptune_tensor *weight, size_t begin, size_t count);
} ptune_checkpoint_v1;
#define PTUNE_CHECKPOINT_V1 "ptune.checkpoint/1"

/* ---------------------------------------------- "ptune.base/1": what others may know of the base model */

/* Facts about a base model. */
typedef struct ptune_base_facts_v1 {
  size_t hidden_size, layers;
  size_t key_value_size; /* columns of a layer's keys and of its values */
  size_t attention_heads;
  size_t vocabulary_size;
  size_t positions; /* the longest sequence, virtual tokens included; SIZE_MAX without a limit */
  bool causal;
} ptune_base_facts_v1;

typedef int32_t ptune_special;
enum {
  PTUNE_TOKEN_CLASSIFICATION = 1, /* [CLS] */
  PTUNE_TOKEN_SEPARATOR = 2,      /* [SEP] */
  PTUNE_TOKEN_PADDING = 3,
  PTUNE_TOKEN_MASK = 4,
  PTUNE_TOKEN_UNKNOWN = 5,
  PTUNE_TOKEN_BEGINNING = 6, /* of a text, in a generating model */
  PTUNE_TOKEN_END = 7
};

/* What a layer is given. */
typedef int32_t ptune_layer_part;
enum {
  PTUNE_LAYER_INPUT = 1, /* the rows that the base model passes to `key_rows`: [count, hidden_size] */
  PTUNE_LAYER_KEYS = 2,  /* the keys that it passes to `attention`, rotated if it rotates: [count, key_value_size] */
  PTUNE_LAYER_VALUES = 3 /* the values that it passes to `attention`: [count, key_value_size] */
};

typedef struct ptune_base_v1 {
  size_t struct_size;
  /* [call] */
  void (*facts)(ptune_call *call, ptune_base_facts_v1 *out);
  /* [call] The rows of the word embedding table of these token ids: out [count, hidden_size]. */
  ptune_status (*word_rows)(ptune_call *call, const int32_t *ids, size_t count, float *out);
  /* [call] The whole table as a frozen tensor, [vocabulary_size, hidden_size]. Kept. */
  ptune_tensor *(*word_table)(ptune_call *call);
  /* [call] The token ids of a text, without special tokens; returns how many there are, writes at most
     `capacity`. */
  size_t (*tokenize)(ptune_call *call, const char *text, int32_t *out, size_t capacity);
  /* [call] The ids of the tokens most frequent in the training data, most frequent first; without training
     data, the ordinary tokens of the vocabulary. Returns how many were written. */
  size_t (*frequent_tokens)(ptune_call *call, int32_t *out, size_t capacity);
  /* [call] The base model's own pooling layer applied to rows [n, hidden]; NULL, with a recorded failure,
     where it has none. */
  ptune_tensor *(*pooler)(ptune_call *call, const ptune_tensor *rows);
  /* [call] The base model's scores over its vocabulary for hidden rows [n, hidden]: [n, vocabulary_size];
     NULL, with a recorded failure, where its checkpoint has none. */
  ptune_tensor *(*vocabulary_scores)(ptune_call *call, const ptune_tensor *rows);
  /* [call] The id of a special token; -1 where the tokenizer has none. */
  int32_t (*special_token)(ptune_call *call, ptune_special kind);
  /* [call, in a head's create] The token ids of a word that stands in the place of the mask in the template of
     the head's task: begun with a space where the template has one there. Returns how many there are, writes at
     most `capacity`; 0, with a recorded failure, where the task has no template with a mask. */
  size_t (*tokenize_at_mask)(ptune_call *call, const char *word, int32_t *out, size_t capacity);
  /* [call] What `layer` of the base model is given when it reads these tokens alone, at positions 0, 1, …, with
     nothing injected and no token added: out [count, columns of the part]. */
  ptune_status (*layer_rows)(ptune_call *call, const int32_t *ids, size_t count, size_t layer,
                             ptune_layer_part part, float *out);
} ptune_base_v1;
#define PTUNE_BASE_V1 "ptune.base/1"

/* ------------------------------------------------------------ "ptune.tasks/1": what the run is to learn */

/* For adapters and selectors. Tasks are numbered as ptune_sequences_v1 counts them. Strings are scoped to the
   call. */
typedef struct ptune_tasks_v1 {
  size_t struct_size;
  /* [call] How many tasks the run has. */
  size_t (*count)(ptune_call *call);
  /* [call] A task's name; NULL for a number out of range. */
  const char *(*name)(ptune_call *call, size_t task);
  /* [call] How many labels its head was given, 0 for one without, and each of them. */
  size_t (*label_count)(ptune_call *call, size_t task);
  const char *(*label)(ptune_call *call, size_t task, size_t index);
} ptune_tasks_v1;
#define PTUNE_TASKS_V1 "ptune.tasks/1"

/* ------------------------------------------------------- "ptune.forward/1": inside a base model's forward */

/* The packed rows of a forward pass. Scoped. */
typedef struct ptune_rows_v1 {
  size_t count;
  const int32_t *positions;   /* [count], within each sequence */
  const int32_t *token_types; /* [count], segment A or B */
} ptune_rows_v1;

/* How rotary positions turn the columns of a head (Su et al. 2021, section 3.4). Scoped to the call. */
typedef struct ptune_rotation_v1 {
  const float *frequencies; /* [pairs]: the angle of each pair of columns per position, in radians */
  size_t pairs;             /* the first 2·pairs columns of a head are turned, the others stay as they are */
  float scale;              /* what the turned columns are multiplied by; 1 unless a scaling says otherwise */
  bool interleaved;         /* a pair is columns 2i and 2i+1; else i and i + pairs, as transformers has it */
} ptune_rotation_v1;

/* A base model writes its layers with these, and every tuning method then works on it unseen. */
typedef struct ptune_forward_v1 {
  size_t struct_size;
  /* [call] */
  void (*rows)(ptune_forward *forward, ptune_rows_v1 *out);
  /* [call] The input: word embeddings of the text's tokens, looked up in `table` [vocabulary, hidden], with
     the rows an adapter injects at their places: [rows, hidden]. */
  ptune_tensor *(*input_rows)(ptune_forward *forward, const ptune_tensor *table);
  /* [call] x·Wᵀ + bias with frozen weights, and what an adapter attaches where the weight is a site's ("ptune.sites/1"). */
  ptune_tensor *(*linear)(ptune_forward *forward, const ptune_tensor *x, const ptune_tensor *weight,
                          const ptune_tensor *bias, bool has_bias);
  /* [call] The rows that keys and values of `layer` are computed from: those of the layer's input x, after
     the hidden prefix rows that an adapter injects at this layer. A model that normalises its layers' inputs
     calls this before it does. */
  ptune_tensor *(*key_rows)(ptune_forward *forward, size_t layer, const ptune_tensor *x);
  /* [call] Multi-head attention of each sequence to itself and to what an adapter injects at `layer`:
     softmax(q·kᵀ/sqrt(d))·v per head (Vaswani 2017, eq. 1), with q [rows, heads·d] and k and v, computed
     from key_rows, [key rows, kv_heads·d]. Returns [rows, heads·d]. */
  ptune_tensor *(*attention)(ptune_forward *forward, size_t layer, const ptune_tensor *q,
                             const ptune_tensor *k, const ptune_tensor *v, size_t heads, size_t kv_heads);
  /* [call] Queries [rows, heads·d] turned by the position of each row. */
  ptune_tensor *(*rotate_queries)(ptune_forward *forward, const ptune_tensor *q, size_t heads,
                                  const ptune_rotation_v1 *rotation);
  /* [call] Keys [key rows, kv_heads·d], computed from key_rows of `layer`, turned by the position of each row.
     Hidden prefix rows are at positions 0, 1, … of their own; keys that an adapter injects are never turned. */
  ptune_tensor *(*rotate_keys)(ptune_forward *forward, size_t layer, const ptune_tensor *k, size_t kv_heads,
                               const ptune_rotation_v1 *rotation);
} ptune_forward_v1;
#define PTUNE_FORWARD_V1 "ptune.forward/1"

/* ------------------------------------------------------ "ptune.batch/1": the examples of a step */

/* The sequences of a batch before anything is injected. An example is one sequence, or several where its head has
   `arrange`; the sequences of an example stand together. Scoped. */
typedef struct ptune_sequences_v1 {
  size_t count;
  const int32_t *tokens;  /* all token ids, end to end, special tokens included */
  const int32_t *offsets; /* [count + 1]: sequence s is tokens[offsets[s]] … tokens[offsets[s+1]-1] */
  const int32_t *tasks;   /* [count]: index of each sequence's task in the run */
  size_t example_count;
  const int32_t *example_offsets; /* [example_count + 1]: example e is the sequences example_offsets[e] …
                                     example_offsets[e+1]-1 */
  /* [count]: of sequence s, tokens[offsets[s]] … tokens[context_ends[s]-1] are known before anything is generated: all of
     it, but with a head that reads continued texts only what stands before the first token to be guessed. What an
     adapter makes of a sequence's own text may depend on these tokens alone. */
  const int32_t *context_ends;
  bool training;
} ptune_sequences_v1;

/* Where they stand in the hidden rows of the forward pass. For task heads only. Scoped. */
typedef struct ptune_places_v1 {
  const int32_t *text_rows; /* [all tokens]: the hidden row of each token, in the order of `tokens` */
  const int32_t *first_row; /* [count]: the first row of each sequence, virtual tokens included */
} ptune_places_v1;

/* What `encode` emitted for the examples, end to end. Scoped. */
typedef struct ptune_all_targets_v1 {
  const int32_t *integers;
  const int32_t *integer_offsets; /* [example_count + 1] */
  const float *numbers;
  const int32_t *number_offsets; /* [example_count + 1] */
} ptune_all_targets_v1;

typedef struct ptune_batch_v1 {
  size_t struct_size;
  void (*sequences)(ptune_batch *batch, ptune_sequences_v1 *out);  /* [call] */
  ptune_status (*places)(ptune_batch *batch, ptune_places_v1 *out); /* [call] fails in `inject` */
  void (*targets)(ptune_batch *batch, ptune_all_targets_v1 *out);  /* [call] */
} ptune_batch_v1;
#define PTUNE_BATCH_V1 "ptune.batch/1"

/* ------------------------------------------ "ptune.injections/1": what an adapter adds to the base model */

typedef int32_t ptune_placement;
enum {
  PTUNE_AT_START = 1,    /* before everything, as PEFT does it */
  PTUNE_AFTER_FIRST = 2, /* after the text's first token, so that [CLS] stays at position 0 */
  PTUNE_IN_MIDDLE = 3,   /* after half of the text's tokens */
  PTUNE_AT_END = 4,      /* after everything */
  PTUNE_AT_MARKS = 5     /* where the task's template has its virtual tokens, one row at each place in order */
};

typedef struct ptune_injections_v1 {
  size_t struct_size;
  /* [call] Rows [n, hidden] that stand among the word embeddings of every sequence. Where `per_sequence`,
     rows is [count·n, hidden], n for each sequence in order. What is injected for all sequences alike must not depend
     on their texts: generation computes it once. */
  ptune_status (*input)(ptune_injections *into, const ptune_tensor *rows, ptune_placement placement,
                        bool per_sequence);
  /* [call] Rows [n, hidden] that join the input of `layer`, for its keys and values only. */
  ptune_status (*hidden_prefix)(ptune_injections *into, size_t layer, const ptune_tensor *rows,
                                bool per_sequence);
  /* [call] Keys and values [n, key_value_size] that stand before those of `layer`. */
  ptune_status (*key_value_prefix)(ptune_injections *into, size_t layer, const ptune_tensor *keys,
                                   const ptune_tensor *values, bool per_sequence);
  /* [call] The first token of each sequence is at this position instead of 0. */
  ptune_status (*first_position)(ptune_injections *into, size_t position);
  /* [call] A scalar [1, 1] that is added to the loss. */
  ptune_status (*loss)(ptune_injections *into, const ptune_tensor *scalar);
} ptune_injections_v1;
#define PTUNE_INJECTIONS_V1 "ptune.injections/1"

/* ------------------- "ptune.sites/1": the linear layers of a base model, and what adapters attach to them */

/* What a linear layer computes within its transformer layer: one of these, or the sum of several where a checkpoint
   stores them as one layer, as GPT-2 does with queries, keys and values. */
typedef uint32_t ptune_site_roles;
enum {
  PTUNE_SITE_QUERY = 1,
  PTUNE_SITE_KEY = 2,
  PTUNE_SITE_VALUE = 4,
  PTUNE_SITE_ATTENTION_OUTPUT = 8,
  PTUNE_SITE_FEED_FORWARD_IN = 16,
  PTUNE_SITE_FEED_FORWARD_GATE = 32, /* what the feed-forward network's activation is applied to, where it is gated */
  PTUNE_SITE_FEED_FORWARD_OUT = 64
};

typedef struct ptune_site_v1 {
  const char *name; /* the module's path without what stands before the layers: "h.0.attn.c_attn" */
  size_t layer;
  ptune_site_roles roles;
  size_t inputs, outputs;
} ptune_site_v1;

/* What is attached holds for all sequences of a batch alike and must not depend on their texts: generation computes it
   once. A site computes y = (x ⊙ f)·Wᵀ + bias + Σ s·((x ⊙ f)·Aᵀ)·Bᵀ, and then y ⊙ g: f and g are the products of the
   factors that scale its inputs and its outputs. */
typedef struct ptune_sites_v1 {
  size_t struct_size;
  /* [call, in a base model's create] Makes the linear layer with this weight [outputs, inputs] a site: each `linear` of
     the forward pass with the weight, or with a part of it. Names are unique. */
  ptune_status (*declare)(ptune_call *call, const ptune_tensor *weight, const char *name, size_t layer,
                          ptune_site_roles roles);
  /* [call] How many sites the base model has; those that it declared, in that order. */
  size_t (*count)(ptune_call *call);
  /* [call] A site; false for a number out of range. The name is scoped to the call. */
  bool (*site)(ptune_call *call, size_t index, ptune_site_v1 *out);
  /* [call, in inject] Adds scale·(d(x)·Aᵀ)·Bᵀ to the site's outputs, with A [r, inputs], B [outputs, r], and d dropout
     of the inputs in training (Hu et al. 2021, section 4.1). */
  ptune_status (*low_rank)(ptune_injections *into, size_t site, const ptune_tensor *a, const ptune_tensor *b,
                           float scale, float dropout);
  /* [call, in inject] Multiplies the site's inputs by factors [1, inputs], or its outputs by [1, outputs] (Liu et al.
     2022, section 3.3). */
  ptune_status (*scale_inputs)(ptune_injections *into, size_t site, const ptune_tensor *factors);
  ptune_status (*scale_outputs)(ptune_injections *into, size_t site, const ptune_tensor *factors);
} ptune_sites_v1;
#define PTUNE_SITES_V1 "ptune.sites/1"

/* ---------------------------------------------------- "ptune.export/1": what an adapter file will hold */

typedef struct ptune_export_v1 {
  size_t struct_size;
  /* [call] A tensor of the result, of this shape (NULL: the tensor's own). */
  ptune_status (*tensor)(ptune_export *to, const char *name, const ptune_tensor *value, const size_t *shape,
                         size_t rank);
  /* [call] A hyperparameter that the saved adapter has instead of the one it was trained with; `value` is
     JSON. A reparameterised prefix is saved folded, with its reparameterisation set to none, say. */
  ptune_status (*hyperparameter)(ptune_export *to, const char *name, const char *value);
} ptune_export_v1;
#define PTUNE_EXPORT_V1 "ptune.export/1"

/* ------------------------------------------ "ptune.arrangement/1": the sequences that an example consists of */

typedef int32_t ptune_cut;
enum {
  PTUNE_CUT_LONGER = 0, /* the longer text first, then both alike */
  PTUNE_CUT_FIRST = 1,  /* the first text only */
  PTUNE_CUT_SECOND = 2  /* the second text only */
};

typedef struct ptune_arrangement_v1 {
  size_t struct_size;
  /* [call, in arrange] Appends a text, or two (`second` may be NULL), as the tokenizer's template joins them.
     `cut` says which text gives way where they do not fit. With `overlap` -1 what does not fit is dropped; with
     0 or more the text that gives way is cut into windows, each a sequence with the other text, of which one
     begins with the last `overlap` tokens of the one before it. Spans are bytes of the text as given here. */
  ptune_status (*input)(ptune_arrangement *to, const char *first, const char *second, ptune_cut cut,
                        int32_t overlap);
} ptune_arrangement_v1;
#define PTUNE_ARRANGEMENT_V1 "ptune.arrangement/1"

/* --------------------------------------------------- "ptune.data/1": what a task head sees of the data */

/* An interval of a text's UTF-8 bytes. */
typedef struct ptune_span_v1 {
  /* 0: the sequence's text, 1: its second text, 2…: the further fields of the task's template in their order, -1: a
     special token, or a word of the template's own. */
  int32_t field;
  int32_t begin, end;
} ptune_span_v1;

typedef struct ptune_data_v1 {
  size_t struct_size;
  /* [call] A field of the row ("label", …) as text, or NULL if the row has none. Scoped. */
  const char *(*field)(ptune_example *example, const char *name);
  /* [call] Tokens of the row, special tokens included, and where each came from; those of several sequences end
     to end. Scoped. */
  size_t (*tokens)(ptune_example *example, const int32_t **ids, const ptune_span_v1 **spans);
  /* [call] How many sequences the row is, and where each begins in its tokens: offsets [count + 1]. Scoped. */
  size_t (*sequences)(ptune_example *example, const int32_t **offsets);
  /* [call, in encode] Appends targets of the row. */
  ptune_status (*emit_integers)(ptune_targets *to, const int32_t *values, size_t count);
  ptune_status (*emit_numbers)(ptune_targets *to, const float *values, size_t count);
  /* [call, in predict] Adds a member to the prediction's JSON object; `value` is JSON. */
  ptune_status (*put)(ptune_prediction *to, const char *key, const char *value);

  /* [call, in measure] The examples of the evaluation: their number, the scores of one [rows, columns] (those
     of several sequences end to end) and its targets. Scoped. */
  size_t (*example_count)(ptune_evaluation *evaluation);
  const float *(*scores)(ptune_evaluation *evaluation, size_t example, size_t *rows, size_t *columns);
  const int32_t *(*integers)(ptune_evaluation *evaluation, size_t example, size_t *count);
  const float *(*numbers)(ptune_evaluation *evaluation, size_t example, size_t *count);
  /* [call, in measure] The row of one example; lives until the next call of this function. NULL, with a recorded
     failure, if it cannot be laid out. */
  ptune_example *(*example)(ptune_evaluation *evaluation, size_t example);
  /* [call, in measure] States a metric. The first one is what training selects the best adapter by. */
  ptune_status (*metric)(ptune_evaluation *evaluation, const char *name, double value,
                         bool higher_is_better);
} ptune_data_v1;
#define PTUNE_DATA_V1 "ptune.data/1"

/* ------------------------------------------------------- "ptune.select/1": an adapter asks the selector */

/* A run creates its selector after its adapter. */
typedef struct ptune_select_v1 {
  size_t struct_size;
  /* [call, in an adapter's create] States that this adapter is going to ask for weights over so many keys,
     each of so many columns. An adapter that asks has to say so. */
  ptune_status (*announce)(ptune_call *call, size_t keys, size_t columns);
  /* [call, in a selector's create] What the adapter announced. */
  ptune_status (*announced)(ptune_call *call, size_t *keys, size_t *columns);
  /* [call, in inject] Weights [count, keys] over a pool from queries [count, d] and keys [keys, d], by the
     selector that the run names. Query r belongs to sequence first + r of the batch. */
  ptune_tensor *(*weights)(ptune_call *call, size_t first, const ptune_tensor *queries,
                           const ptune_tensor *keys);
} ptune_select_v1;
#define PTUNE_SELECT_V1 "ptune.select/1"

/* ----------------------------------------------------------------------------------------- components */

/* The methods of each kind. All are [call]s made by the host; `self` is what `create` stored. A method that
   is marked optional may be NULL. */

typedef struct ptune_base_model_v1 {
  size_t struct_size;
  void (*facts)(void *self, ptune_base_facts_v1 *out);
  /* The word embedding table: a weight that create loaded, [vocabulary, hidden]. */
  ptune_tensor *(*word_table)(void *self);
  /* The last hidden rows, [rows, hidden]. */
  ptune_tensor *(*forward)(void *self, ptune_call *call, ptune_forward *forward);
  /* Optional: the model's pooling layer on rows [n, hidden]. */
  ptune_tensor *(*pooler)(void *self, ptune_call *call, const ptune_tensor *rows);
  /* Optional: scores over the vocabulary for hidden rows [n, hidden]: [n, vocabulary]. */
  ptune_tensor *(*vocabulary_scores)(void *self, ptune_call *call, const ptune_tensor *rows);
} ptune_base_model_v1;

typedef struct ptune_adapter_v1 {
  size_t struct_size;
  /* How many positions of the base model's limit the adapter takes from the text. */
  size_t (*positions)(void *self);
  /* States what to add to the forward pass of this batch. */
  ptune_status (*inject)(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into);
  /* Optional: states what the adapter file holds; without it, the parameters under their names. */
  ptune_status (*save)(void *self, ptune_call *call, ptune_export *to);
} ptune_adapter_v1;

typedef struct ptune_selector_v1 {
  size_t struct_size;
  /* Weights [count, keys] from queries [count, d] and keys [keys, d]; the batch holds the sequences that the
     queries belong to, one for each. */
  ptune_tensor *(*weights)(void *self, ptune_call *call, ptune_batch *batch, const ptune_tensor *queries,
                           const ptune_tensor *keys);
} ptune_selector_v1;

typedef int32_t ptune_score_rows;
enum { PTUNE_ROW_PER_SEQUENCE = 1, PTUNE_ROW_PER_TOKEN = 2 };

/* How the texts of a row become a sequence. */
typedef int32_t ptune_reading;
enum {
  /* A text, or a pair of texts, with the special tokens that the tokenizer puts around them. Rows to learn from
     have a label. */
  PTUNE_READS_LABELLED_TEXT = 1,
  /* A text, right after it the second text if there is one, and the token that ends a text: what a causal model
     goes on with. Rows need no label. The field "text_pair" is the second text. */
  PTUNE_READS_CONTINUED_TEXT = 2
};

typedef struct ptune_task_head_v1 {
  size_t struct_size;
  /* What a row of `scores` stands for. */
  ptune_score_rows score_rows;
  /* Optional: names of the columns of `scores`, separated by spaces. Raw scores are then given to the user column
     by column under these names. */
  const char *score_columns;
  ptune_reading reading;
  /* Optional: lays out a row as one or more sequences. Without it a row is its text, or its text and its second
     text. A row has all columns of its file as fields then, not only those that a run names. */
  ptune_status (*arrange)(void *self, ptune_call *call, ptune_example *example, ptune_arrangement *to);
  /* Turns the label fields of a row into targets. */
  ptune_status (*encode)(void *self, ptune_call *call, ptune_example *example, ptune_targets *to);
  /* Scores from hidden rows [rows, hidden]: a row per sequence, or per token of the text. */
  ptune_tensor *(*scores)(void *self, ptune_call *call, const ptune_tensor *hidden, ptune_batch *batch);
  /* The loss [1, 1] of these scores. */
  ptune_tensor *(*loss)(void *self, ptune_call *call, const ptune_tensor *scores, ptune_batch *batch);
  /* What the scores of one example, [rows, columns], mean; those of several sequences stand end to end. */
  ptune_status (*predict)(void *self, ptune_call *call, const float *scores, size_t rows, size_t columns,
                          ptune_example *example, ptune_prediction *to);
  /* Optional: what an evaluation keeps of a batch instead of `scores`, as many rows; for heads whose scores are too
     many to keep. */
  ptune_tensor *(*evaluation_scores)(void *self, ptune_call *call, const ptune_tensor *hidden,
                                     ptune_batch *batch);
  /* Metrics over a whole evaluation. */
  ptune_status (*measure)(void *self, ptune_call *call, ptune_evaluation *evaluation);
} ptune_task_head_v1;

/* What an adapter's `extension` may return for "ptune.recommendation/1": how to train it. Static. */
typedef struct ptune_recommendation_v1 {
  size_t struct_size;
  /* [call] The learning rate of AdamW for this adapter, with its hyperparameters, where the run gives none; 0 for no
     recommendation. */
  double (*learning_rate)(void *self);
} ptune_recommendation_v1;
#define PTUNE_RECOMMENDATION_V1 "ptune.recommendation/1"

/* One component. Static. */
typedef struct ptune_component_v1 {
  size_t struct_size;
  ptune_kind kind;
  const char *name;    /* as users write it: "prefix-tuning" */
  const char *summary; /* one line */
  /* The hyperparameters: `name(type parameter=default limits "what it is", …)`.
       type      int (C int32_t), long (int64_t), float, double, bool, string (const char *),
                 strings (const ptune_strings_v1 *)
       default   a literal: 20, 0.1, true, "text", [] or ["a", "b"]; without one the user must give a value
       limits    [lo..hi], either end may be missing; or {a|b|c} for strings
     The name is the component's, with '_' for '-'. */
  const char *schema;
  const char *documentation; /* Markdown */
  /* The ids of the interfaces it cannot work without, separated by spaces. */
  const char *needs;
  /* The table of functions of its kind, for instance a ptune_adapter_v1. */
  const void *methods;
  /* ptune_status create(ptune_call *call, void **self, …): after these two, the schema's parameters in their
     order, as the C types above. Cast to void (*)(void). The host calls it through libffi. */
  void (*create)(void);
  void (*destroy)(void *self);
  /* Optional: further abilities of this component by id. */
  const void *(*extension)(const struct ptune_component_v1 *component, const char *id);
} ptune_component_v1;

/* What the entry function returns. Static. */
typedef struct ptune_plugin_v1 {
  size_t struct_size;
  const char *id;      /* unique, reversed domain: "org.example.my-method" */
  const char *version; /* "1.0.0" */
  const char *runtime; /* what it was built with: "swift 6.3", "c", "rust 1.80" */
  size_t component_count;
  const ptune_component_v1 *const *components;
} ptune_plugin_v1;

/* [entry] The one symbol of a plugin. Returns NULL, after `host->fail(NULL, …)`, if it cannot work. A host calls it
   once in a process, and never on two threads at the same time. */
PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *host);

#ifdef __cplusplus
}
#endif
#endif /* PTUNE_H */
