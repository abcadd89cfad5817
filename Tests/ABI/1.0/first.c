/* A plugin of the first release: one component of each kind, built against the ptune.h beside it. Neither changes any
 * more; every ptune of version 1 has to load what comes of them.
 *
 *   cc -std=c11 -fPIC -shared -I Tests/ABI/1.0 -o libptune_first.so Tests/ABI/1.0/first.c
 */
#include <stdlib.h>
#include <string.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_injections_v1 *injections;
static const ptune_checkpoint_v1 *checkpoint;
static const ptune_forward_v1 *forwards;
static const ptune_batch_v1 *batches;
static const ptune_data_v1 *data;
static const ptune_sites_v1 *sites;

static ptune_status no_memory(ptune_call *call) {
  host->fail(call, PTUNE_FAILED, "out of memory");
  return PTUNE_FAILED;
}

/* ------------------------------------------------- adapter: gated prompt rows, and a factor on each query's outputs */

typedef struct {
  size_t rows, count;
  ptune_parameter *prompt, *gates;
  size_t *places;             /* [count] sites of queries */
  ptune_parameter **factors; /* [count] */
} adapter;

static void adapter_destroy(void *self) {
  free(((adapter *)self)->places);
  free(((adapter *)self)->factors);
  free(self);
}

static ptune_status adapter_create(ptune_call *call, void **self, int32_t virtual_tokens, double gate) {
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  size_t all = sites->count(call);
  adapter *made = calloc(1, sizeof *made);
  if (!made) return no_memory(call);
  made->places = calloc(all + 1, sizeof *made->places);
  made->factors = calloc(all + 1, sizeof *made->factors);
  if (!made->places || !made->factors) {
    adapter_destroy(made);
    return no_memory(call);
  }
  ptune_initial_v1 random = {.kind = PTUNE_INITIAL_NORMAL, .a = 0, .b = 0.02f};
  ptune_initial_v1 open = {.kind = PTUNE_INITIAL_CONSTANT, .a = (float)gate};
  ptune_initial_v1 one = {.kind = PTUNE_INITIAL_CONSTANT, .a = 1};
  made->rows = (size_t)virtual_tokens;
  made->prompt = parameters->declare(call, "prompt", (size_t[]){made->rows, facts.hidden_size}, 2, &random);
  made->gates = parameters->declare(call, "gates", (size_t[]){made->rows, 1}, 2, &open);
  bool complete = made->prompt && made->gates;
  for (size_t index = 0; complete && index < all; index++) {
    ptune_site_v1 site;
    if (!sites->site(call, index, &site) || site.roles != PTUNE_SITE_QUERY) continue;
    made->places[made->count] = index;
    made->factors[made->count] = parameters->declare(call, site.name, (size_t[]){site.outputs}, 1, &one);
    complete = made->factors[made->count++] != NULL;
  }
  if (!complete) {
    adapter_destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static size_t adapter_positions(void *self) { return ((adapter *)self)->rows; }

static ptune_status adapter_inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  (void)batch;
  adapter *own = self;
  for (size_t index = 0; index < own->count; index++) {
    ptune_tensor *factors = parameters->value(call, own->factors[index]);
    ptune_status status = sites->scale_outputs(into, own->places[index], factors);
    if (status != PTUNE_OK) return status;
  }
  ptune_tensor *prompt = parameters->value(call, own->prompt);
  ptune_tensor *rows = ops->binary(PTUNE_MULTIPLY, prompt, parameters->value(call, own->gates));
  return injections->input(into, rows, PTUNE_AT_START, false);
}

static const ptune_adapter_v1 adapter_methods = {
    .struct_size = sizeof adapter_methods, .positions = adapter_positions, .inject = adapter_inject};

static const ptune_component_v1 adapter_component = {
    .struct_size = sizeof adapter_component,
    .kind = PTUNE_ADAPTER,
    .name = "first-adapter",
    .summary = "gated prompt rows, and factors on queries",
    .schema = "first_adapter(int virtual_tokens=4 [1..64] \"rows of the prompt\", "
              "double gate=1 \"the gates at first\")",
    .documentation = "Of the first release, to see that it still works.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_BASE_V1 " " PTUNE_INJECTIONS_V1 " " PTUNE_SITES_V1,
    .methods = &adapter_methods,
    .create = (void (*)(void))adapter_create,
    .destroy = adapter_destroy,
};

/* ----------------------------------------------------------------------------- selector: attention with a scale */

static ptune_status selector_create(ptune_call *call, void **self, double start) {
  ptune_initial_v1 initial = {.kind = PTUNE_INITIAL_CONSTANT, .a = (float)start};
  *self = parameters->declare(call, "scale", (size_t[]){1, 1}, 2, &initial);
  return *self ? PTUNE_OK : PTUNE_FAILED;
}

static void selector_destroy(void *self) { (void)self; /* the host's own */ }

static ptune_tensor *selector_weights(void *self, ptune_call *call, ptune_batch *batch,
                                      const ptune_tensor *queries, const ptune_tensor *keys) {
  (void)batch;
  ptune_tensor *products = ops->matmul(queries, false, keys, true);
  return ops->softmax(ops->binary(PTUNE_MULTIPLY, products, parameters->value(call, self)));
}

static const ptune_selector_v1 selector_methods = {
    .struct_size = sizeof selector_methods, .weights = selector_weights};

static const ptune_component_v1 selector_component = {
    .struct_size = sizeof selector_component,
    .kind = PTUNE_SELECTOR,
    .name = "first-selector",
    .summary = "attention with a trained scale",
    .schema = "first_selector(double start=0.25 [0.01..100] \"the scale at first\")",
    .documentation = "Of the first release, to see that it still works.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1,
    .methods = &selector_methods,
    .create = (void (*)(void))selector_create,
    .destroy = selector_destroy,
};

/* -------------------------------------------------------------------------------- head: one of some labels */

typedef struct {
  size_t count;
  char **labels;
  ptune_parameter *weight, *bias;
} head;

static void head_destroy(void *self) {
  head *own = self;
  for (size_t index = 0; own->labels && index < own->count; index++) free(own->labels[index]);
  free(own->labels);
  free(own);
}

static ptune_status head_create(ptune_call *call, void **self, const ptune_strings_v1 *labels) {
  if (labels->count < 2) {
    host->fail(call, PTUNE_BAD_ARGUMENT, "it needs two labels or more");
    return PTUNE_BAD_ARGUMENT;
  }
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  head *made = calloc(1, sizeof *made);
  if (!made) return no_memory(call);
  made->count = labels->count;
  made->labels = calloc(labels->count, sizeof *made->labels);
  for (size_t index = 0; index < labels->count; index++) {
    char *copy = made->labels ? malloc(strlen(labels->items[index]) + 1) : NULL;
    if (!copy) {
      head_destroy(made);
      return no_memory(call);
    }
    made->labels[index] = strcpy(copy, labels->items[index]);
  }
  ptune_initial_v1 random = {.kind = PTUNE_INITIAL_NORMAL, .a = 0, .b = 0.02f};
  ptune_initial_v1 zero = {.kind = PTUNE_INITIAL_CONSTANT, .a = 0};
  made->weight = parameters->declare(call, "weight", (size_t[]){made->count, facts.hidden_size}, 2, &random);
  made->bias = parameters->declare(call, "bias", (size_t[]){made->count}, 1, &zero);
  if (!made->weight || !made->bias) {
    head_destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static ptune_status head_encode(void *self, ptune_call *call, ptune_example *example, ptune_targets *to) {
  head *own = self;
  const char *label = data->field(example, "label");
  for (size_t index = 0; label && index < own->count; index++) {
    int32_t target = (int32_t)index;
    if (strcmp(label, own->labels[index]) == 0) return data->emit_integers(to, &target, 1);
  }
  host->fail(call, PTUNE_BAD_ARGUMENT, "the row has none of the labels");
  return PTUNE_BAD_ARGUMENT;
}

static ptune_tensor *head_scores(void *self, ptune_call *call, const ptune_tensor *hidden, ptune_batch *batch) {
  head *own = self;
  ptune_sequences_v1 sequences;
  ptune_places_v1 places;
  batches->sequences(batch, &sequences);
  if (batches->places(batch, &places) != PTUNE_OK) return NULL;
  ptune_tensor *means = ops->mean_rows(hidden, places.text_rows, sequences.offsets, sequences.count);
  ptune_tensor *weight = parameters->value(call, own->weight);
  return ops->linear(means, weight, parameters->value(call, own->bias), true);
}

static ptune_tensor *head_loss(void *self, ptune_call *call, const ptune_tensor *scores, ptune_batch *batch) {
  (void)self, (void)call;
  ptune_all_targets_v1 targets;
  batches->targets(batch, &targets);
  return ops->cross_entropy(scores, targets.integers, NULL, 0);
}

static size_t best(const float *scores, size_t count) {
  size_t best = 0;
  for (size_t index = 1; index < count; index++) best = scores[index] > scores[best] ? index : best;
  return best;
}

static ptune_status head_predict(void *self, ptune_call *call, const float *scores, size_t rows, size_t columns,
                                 ptune_example *example, ptune_prediction *to) {
  (void)self, (void)call, (void)rows, (void)example;
  char digit[2] = {(char)('0' + best(scores, columns) % 10), 0};
  return data->put(to, "class", digit);
}

static ptune_status head_measure(void *self, ptune_call *call, ptune_evaluation *evaluation) {
  (void)self, (void)call;
  size_t count = data->example_count(evaluation), right = 0;
  for (size_t index = 0; index < count; index++) {
    size_t rows, columns, targets;
    const float *scores = data->scores(evaluation, index, &rows, &columns);
    const int32_t *target = data->integers(evaluation, index, &targets);
    right += targets == 1 && best(scores, columns) == (size_t)target[0];
  }
  return data->metric(evaluation, "accuracy", count ? (double)right / (double)count : 0, true);
}

static const ptune_task_head_v1 head_methods = {
    .struct_size = sizeof head_methods,
    .score_rows = PTUNE_ROW_PER_SEQUENCE,
    .reading = PTUNE_READS_LABELLED_TEXT,
    .encode = head_encode,
    .scores = head_scores,
    .loss = head_loss,
    .predict = head_predict,
    .measure = head_measure,
};

static const ptune_component_v1 head_component = {
    .struct_size = sizeof head_component,
    .kind = PTUNE_TASK_HEAD,
    .name = "first-head",
    .summary = "one of some labels, from the mean of a text's rows",
    .schema = "first_head(strings labels=[] \"the labels; those of the training data if none are given\")",
    .documentation = "Of the first release, to see that it still works.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_BASE_V1 " " PTUNE_BATCH_V1 " " PTUNE_DATA_V1,
    .methods = &head_methods,
    .create = (void (*)(void))head_create,
    .destroy = head_destroy,
};

/* ------------------------------------------- base model: the attention of a BERT checkpoint's first layer alone */

typedef struct {
  ptune_base_facts_v1 facts;
  ptune_tensor *words, *query, *key, *value;
} model;

static size_t positive(ptune_call *call, const char *key) {
  int64_t value = 0;
  if (checkpoint->config_integer(call, key, &value) == PTUNE_FOUND && value > 0) return (size_t)value;
  host->fail(call, PTUNE_BAD_ARGUMENT, "config.json lacks a positive number");
  return 0;
}

static ptune_status model_create(ptune_call *call, void **self) {
  size_t size = positive(call, "hidden_size"), vocabulary = positive(call, "vocab_size");
  size_t positions = positive(call, "max_position_embeddings");
  if (!size || !vocabulary || !positions) return PTUNE_BAD_ARGUMENT;
  model *made = calloc(1, sizeof *made);
  if (!made) return no_memory(call);
  made->facts = (ptune_base_facts_v1){
      .hidden_size = size, .layers = 1, .key_value_size = size, .attention_heads = 1,
      .vocabulary_size = vocabulary, .positions = positions, .causal = false};
  const char *names[] = {"encoder.layer.0.attention.self.query.weight", "encoder.layer.0.attention.self.key.weight",
                         "encoder.layer.0.attention.self.value.weight"};
  ptune_tensor **places[] = {&made->query, &made->key, &made->value};
  ptune_site_roles roles[] = {PTUNE_SITE_QUERY, PTUNE_SITE_KEY, PTUNE_SITE_VALUE};
  const char *short_names[] = {"query", "key", "value"};
  made->words = checkpoint->weight(call, "embeddings.word_embeddings.weight", vocabulary, size, false);
  bool complete = made->words != NULL;
  for (size_t index = 0; index < 3 && complete; index++) {
    *places[index] = checkpoint->weight(call, names[index], size, size, false);
    complete = *places[index] &&
               sites->declare(call, *places[index], short_names[index], 0, roles[index]) == PTUNE_OK;
  }
  if (!complete) {
    free(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static void model_facts(void *self, ptune_base_facts_v1 *out) { *out = ((model *)self)->facts; }

static ptune_tensor *model_word_table(void *self) { return ((model *)self)->words; }

static ptune_tensor *model_forward(void *self, ptune_call *call, ptune_forward *pass) {
  (void)call;
  model *own = self;
  ptune_tensor *x = forwards->input_rows(pass, own->words);
  ptune_tensor *rows = forwards->key_rows(pass, 0, x);
  ptune_tensor *q = forwards->linear(pass, x, own->query, NULL, false);
  ptune_tensor *k = forwards->linear(pass, rows, own->key, NULL, false);
  ptune_tensor *v = forwards->linear(pass, rows, own->value, NULL, false);
  return ops->binary(PTUNE_ADD, x, forwards->attention(pass, 0, q, k, v, 1, 1));
}

static const ptune_base_model_v1 model_methods = {
    .struct_size = sizeof model_methods, .facts = model_facts, .word_table = model_word_table,
    .forward = model_forward};

static const ptune_component_v1 model_component = {
    .struct_size = sizeof model_component,
    .kind = PTUNE_BASE_MODEL,
    .name = "first-model",
    .summary = "word embeddings and the attention of one layer",
    .schema = "first_model()",
    .documentation = "Of the first release, to see that it still works.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_FORWARD_V1 " " PTUNE_SITES_V1,
    .methods = &model_methods,
    .create = (void (*)(void))model_create,
    .destroy = free,
};

/* ------------------------------------------------------------------------------------------------- the plugin */

static const ptune_component_v1 *const components[] = {
    &adapter_component, &selector_component, &head_component, &model_component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.first", "1.0.0", "c", 4, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
  checkpoint = host->interface_for(PTUNE_CHECKPOINT_V1);
  forwards = host->interface_for(PTUNE_FORWARD_V1);
  batches = host->interface_for(PTUNE_BATCH_V1);
  data = host->interface_for(PTUNE_DATA_V1);
  sites = host->interface_for(PTUNE_SITES_V1);
  return &plugin;
}
