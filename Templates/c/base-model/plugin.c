/* __NAME__: a base model for ptune in one C file. ptune.h explains every function.
 *
 * An encoder of attention layers with one head and nothing else, for checkpoints whose config.json has the model_type
 * "__NAME__":
 *
 *     x = E[token];   in each layer  x = x + softmax(q·kᵀ/√d)·v,   q = Wq·x, k = Wk·x, v = Wv·x
 *
 * Change the layers in `create` and `forward`, and tests/parity.py and tests/make_model.py with them. `key_rows` and
 * `attention` are what every tuning method attaches to: a model that calls them for each layer works with all.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_checkpoint_v1 *checkpoint;
static const ptune_forward_v1 *forwards;

typedef struct {
  ptune_tensor *query, *key, *value; /* [hidden, hidden]; kept */
} layer;

typedef struct {
  ptune_base_facts_v1 facts;
  ptune_tensor *words; /* [vocabulary, hidden] */
  layer *layers;
} model;

static void destroy(void *self) {
  free(((model *)self)->layers);
  free(self);
}

/* A key of config.json that has to be a positive number. */
static size_t count(ptune_call *call, const char *key) {
  int64_t value = 0;
  ptune_found found = checkpoint->config_integer(call, key, &value);
  if (found == PTUNE_FOUND && value > 0) return (size_t)value;
  char why[128];
  snprintf(why, sizeof why, "config.json: %s is missing or not positive", key);
  host->fail(call, PTUNE_BAD_ARGUMENT, why);
  return 0;
}

static ptune_tensor *square(ptune_call *call, size_t index, const char *name, size_t size) {
  char full[64];
  snprintf(full, sizeof full, "layers.%zu.%s", index, name);
  return checkpoint->weight(call, full, size, size, false);
}

static ptune_status create(ptune_call *call, void **self) {
  size_t size = count(call, "hidden_size"), layers = count(call, "num_hidden_layers");
  size_t vocabulary = count(call, "vocab_size"), positions = count(call, "max_position_embeddings");
  if (!size || !layers || !vocabulary || !positions) return PTUNE_BAD_ARGUMENT;
  model *made = calloc(1, sizeof *made);
  layer *all = calloc(layers, sizeof *all);
  if (!made || !all) abort();
  made->layers = all;
  made->facts = (ptune_base_facts_v1){.hidden_size = size,
                                      .layers = layers,
                                      .key_value_size = size,
                                      .attention_heads = 1,
                                      .vocabulary_size = vocabulary,
                                      .positions = positions,
                                      .causal = false};
  made->words = checkpoint->weight(call, "words", vocabulary, size, false);
  bool complete = made->words != NULL;
  for (size_t i = 0; i < layers; i++) {
    all[i] = (layer){square(call, i, "query", size), square(call, i, "key", size), square(call, i, "value", size)};
    complete = complete && all[i].query && all[i].key && all[i].value;
  }
  if (!complete) { /* the host knows which weight is missing */
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static void facts(void *self, ptune_base_facts_v1 *out) { *out = ((model *)self)->facts; }

static ptune_tensor *word_table(void *self) { return ((model *)self)->words; }

/* The last hidden rows, [rows, hidden]. */
static ptune_tensor *forward(void *self, ptune_call *call, ptune_forward *pass) {
  (void)call;
  model *own = self;
  ptune_tensor *x = forwards->input_rows(pass, own->words);
  for (size_t i = 0; i < own->facts.layers; i++) {
    const layer *weights = &own->layers[i];
    ptune_tensor *rows = forwards->key_rows(pass, i, x);
    ptune_tensor *q = forwards->linear(pass, x, weights->query, NULL, false);
    ptune_tensor *k = forwards->linear(pass, rows, weights->key, NULL, false);
    ptune_tensor *v = forwards->linear(pass, rows, weights->value, NULL, false);
    x = ops->binary(PTUNE_ADD, x, forwards->attention(pass, i, q, k, v, 1, 1));
  }
  return x;
}

static const ptune_base_model_v1 methods = {
    .struct_size = sizeof methods, .facts = facts, .word_table = word_table, .forward = forward};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_BASE_MODEL,
    .name = "__NAME__",
    .summary = "an encoder of attention layers and nothing else",
    .schema = "__SNAKE__()",
    .documentation = "For checkpoints of the model type __NAME__.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_FORWARD_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.__NAME__", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  checkpoint = host->interface_for(PTUNE_CHECKPOINT_V1);
  forwards = host->interface_for(PTUNE_FORWARD_V1);
  return &plugin;
}
