/*
 * ModernBERT as a base model in one C file, against ptune.h and ptune_1_1.h alone (Warner et al. 2024,
 * https://arxiv.org/abs/2412.13663): an encoder with rotary positions and gated feed-forward networks, whose layers see a
 * window around each token in turn with layers that see all of the text, each kind with rotary positions of its own.
 *
 *     make PTUNE_INCLUDE=/usr/local/include && make check PTUNE=ptune
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptune_1_1.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_checkpoint_v1 *checkpoint;
static const ptune_checkpoint_v2 *lists;
static const ptune_forward_v1 *forwards;
static const ptune_attention_v1 *attention;
static const ptune_sites_v1 *sites;

/* A linear layer, or a norm; NULL for a bias that there is none of. */
typedef struct {
  ptune_tensor *weight, *bias;
} affine;

typedef struct {
  affine attention_norm; /* NULL in the first layer */
  affine query, key, value, output, feed_forward_norm, gate, up, down;
  bool is_local;
} layer;

enum { GLOBAL, LOCAL, KINDS };

typedef struct {
  ptune_base_facts_v1 facts;
  size_t heads, head_size, inner, reach; /* reach: how far a local layer sees to each side */
  float epsilon;
  bool norm_bias, attention_bias, inner_bias, decoder_bias, classifier_bias;
  float *frequencies[KINDS]; /* [head size / 2] */
  ptune_tensor *words;
  affine word_norm, last_norm;
  layer *layers;
} model;

static void destroy(void *self) {
  model *own = self;
  for (int kind = 0; kind < KINDS; kind++) free(own->frequencies[kind]);
  free(own->layers);
  free(own);
}

static bool refuse(ptune_call *call, ptune_status status, const char *format, const char *what) {
  char why[256];
  snprintf(why, sizeof why, format, what);
  host->fail(call, status, why);
  return false;
}

/* ---------------------------------------------------------------------------------------------- config.json */

/* A positive number; `absent` where there is no such key, and a failure if that is 0. */
static size_t count(ptune_call *call, const char *key, size_t absent) {
  int64_t value = (int64_t)absent;
  if (checkpoint->config_integer(call, key, &value) != PTUNE_MALFORMED && value > 0) return (size_t)value;
  refuse(call, PTUNE_BAD_ARGUMENT, "config.json: %s is missing or not positive", key);
  return 0;
}

static double number(ptune_call *call, const char *key, double absent) {
  double value = absent;
  return checkpoint->config_number(call, key, &value) == PTUNE_FOUND ? value : absent;
}

static bool flag(ptune_call *call, const char *key, bool absent) {
  bool value = absent;
  return checkpoint->config_boolean(call, key, &value) == PTUNE_FOUND ? value : absent;
}

/* A text that has to be this one. */
static bool expect(ptune_call *call, const char *key, const char *expected) {
  const char *text = expected;
  if (checkpoint->config_string(call, key, &text) == PTUNE_MALFORMED) return false;
  if (strcmp(text, expected) == 0) return true;
  char why[256];
  snprintf(why, sizeof why, "config.json: %s '%.100s' is not supported; known: %s", key, text, expected);
  host->fail(call, PTUNE_UNSUPPORTED, why);
  return false;
}

static bool read_rotation(ptune_call *call, model *made, int kind) {
  const char *group = kind == LOCAL ? "sliding_attention" : "full_attention";
  char key[96];
  snprintf(key, sizeof key, "rope_parameters.%s.rope_type", group);
  if (!expect(call, key, "default")) return false;
  snprintf(key, sizeof key, "rope_parameters.%s.rope_theta", group);
  double theta = number(
      call, key, number(call, kind == LOCAL ? "local_rope_theta" : "global_rope_theta", kind == LOCAL ? 1e4 : 1.6e5));
  if (!(theta > 1)) return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: %s has to be above 1", key);
  made->frequencies[kind] = calloc(made->head_size / 2, sizeof(float));
  if (!made->frequencies[kind]) abort();
  for (size_t i = 0; i < made->head_size / 2; i++)
    made->frequencies[kind][i] = (float)pow(theta, -2.0 * (double)i / (double)made->head_size);
  return true;
}

/* Which layers see a window only: layer_types says so, or all but every n-th one do. */
static bool read_layer_types(ptune_call *call, model *made) {
  size_t size = 0;
  ptune_found found = lists->config_size(call, "layer_types", &size);
  if (found == PTUNE_MALFORMED) return false;
  size_t pattern = found == PTUNE_FOUND ? 0 : count(call, "global_attn_every_n_layers", 3);
  if (found == PTUNE_FOUND && size != made->facts.layers)
    return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: layer_types has not as many elements as %s says",
                  "num_hidden_layers");
  for (size_t i = 0; i < made->facts.layers; i++) {
    if (found == PTUNE_ABSENT) {
      if (!pattern) return false;
      made->layers[i].is_local = i % pattern != 0;
      continue;
    }
    char key[48];
    const char *type = "";
    snprintf(key, sizeof key, "layer_types.%zu", i);
    if (checkpoint->config_string(call, key, &type) != PTUNE_FOUND) return false;
    made->layers[i].is_local = strcmp(type, "sliding_attention") == 0;
    if (!made->layers[i].is_local && strcmp(type, "full_attention") != 0)
      return refuse(call, PTUNE_UNSUPPORTED, "config.json: layer type '%s' is not supported", type);
  }
  return true;
}

static bool read_config(ptune_call *call, model *made) {
  if (!expect(call, "model_type", "modernbert") || !expect(call, "hidden_activation", "gelu")) return false;
  size_t size = count(call, "hidden_size", 0), layers = count(call, "num_hidden_layers", 0);
  size_t vocabulary = count(call, "vocab_size", 0), positions = count(call, "max_position_embeddings", 8192);
  made->heads = count(call, "num_attention_heads", 0);
  made->inner = count(call, "intermediate_size", 0);
  made->reach = count(call, "local_attention", 128) / 2;
  if (!size || !layers || !vocabulary || !positions || !made->heads || !made->inner) return false;
  made->head_size = size / made->heads;
  if (size % made->heads || made->head_size % 2)
    return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: hidden_size has to be a multiple of twice %s",
                  "num_attention_heads");
  made->facts = (ptune_base_facts_v1){.hidden_size = size,
                                      .layers = layers,
                                      .key_value_size = size,
                                      .attention_heads = made->heads,
                                      .vocabulary_size = vocabulary,
                                      .positions = positions,
                                      .causal = false};
  made->layers = calloc(layers, sizeof *made->layers);
  if (!made->layers) abort();
  made->epsilon = (float)number(call, "norm_eps", 1e-5);
  made->norm_bias = flag(call, "norm_bias", false);
  made->attention_bias = flag(call, "attention_bias", false);
  made->inner_bias = flag(call, "mlp_bias", false);
  made->decoder_bias = flag(call, "decoder_bias", true);
  made->classifier_bias = flag(call, "classifier_bias", false);
  return read_layer_types(call, made) && read_rotation(call, made, GLOBAL) && read_rotation(call, made, LOCAL);
}

/* -------------------------------------------------------------------------------------------------- weights */

/* NAME.weight and NAME.bias; [1, columns] for a norm. False if one is missing. */
static bool load(ptune_call *call, const char *name, size_t rows, size_t columns, bool has_bias, affine *into) {
  char full[192];
  snprintf(full, sizeof full, "%s.weight", name);
  into->weight = checkpoint->weight(call, full, rows, columns, false);
  if (!has_bias) return into->weight != NULL;
  snprintf(full, sizeof full, "%s.bias", name);
  into->bias = checkpoint->weight(call, full, 1, rows == 1 ? columns : rows, false);
  return into->weight && into->bias;
}

/* Some outputs of a layer as one of their own. */
static bool part(ptune_call *call, affine whole, size_t begin, size_t size, affine *into) {
  into->weight = checkpoint->weight_part(call, whole.weight, begin, size);
  if (whole.bias) into->bias = checkpoint->weight_part(call, whole.bias, begin, size);
  return into->weight && (!whole.bias || into->bias);
}

/* A linear layer that adapters may attach to. */
static bool load_site(ptune_call *call, const char *path, size_t index, const char *name, size_t rows, size_t columns,
                      bool has_bias, ptune_site_roles roles, affine *into) {
  char full[160], site[128];
  snprintf(full, sizeof full, "%s%s", path, name);
  snprintf(site, sizeof site, "layers.%zu.%s", index, name);
  return load(call, full, rows, columns, has_bias, into) &&
         sites->declare(call, into->weight, site, index, roles) == PTUNE_OK;
}

static bool load_norm(ptune_call *call, const model *own, const char *path, const char *name, affine *into) {
  char full[160];
  snprintf(full, sizeof full, "%s%s", path, name);
  return load(call, full, 1, own->facts.hidden_size, own->norm_bias, into);
}

static bool load_layer(ptune_call *call, const char *prefix, size_t index, const model *own) {
  const size_t size = own->facts.hidden_size, inner = own->inner;
  layer *to = &own->layers[index];
  char path[96];
  snprintf(path, sizeof path, "%slayers.%zu.", prefix, index);
  affine fused = {0}, wide = {0};
  return (index == 0 || load_norm(call, own, path, "attn_norm", &to->attention_norm)) &&
         load_site(call, path, index, "attn.Wqkv", 3 * size, size, own->attention_bias,
                   PTUNE_SITE_QUERY | PTUNE_SITE_KEY | PTUNE_SITE_VALUE, &fused) &&
         part(call, fused, 0, size, &to->query) && part(call, fused, size, size, &to->key) &&
         part(call, fused, 2 * size, size, &to->value) &&
         load_site(call, path, index, "attn.Wo", size, size, own->attention_bias, PTUNE_SITE_ATTENTION_OUTPUT,
                   &to->output) &&
         load_norm(call, own, path, "mlp_norm", &to->feed_forward_norm) &&
         load_site(call, path, index, "mlp.Wi", 2 * inner, size, own->inner_bias,
                   PTUNE_SITE_FEED_FORWARD_GATE | PTUNE_SITE_FEED_FORWARD_IN, &wide) &&
         part(call, wide, 0, inner, &to->gate) && part(call, wide, inner, inner, &to->up) &&
         load_site(call, path, index, "mlp.Wo", size, inner, own->inner_bias, PTUNE_SITE_FEED_FORWARD_OUT, &to->down);
}

/* Keys that do not change the hidden rows, or that `vocabulary_scores` reads. */
static const char *const understood[] = {"attention_dropout",   "classifier_activation",     "classifier_dropout",
                                         "classifier_pooling",  "deterministic_flash_attn",  "embedding_dropout",
                                         "mlp_dropout",         "initializer_cutoff_factor", "sparse_prediction",
                                         "tie_word_embeddings", "reference_compile",         "sparse_pred_ignore_index",
                                         "layer_norm_eps",      "position_embedding_type"};

static ptune_status create(ptune_call *call, void **self) {
  model *made = calloc(1, sizeof *made);
  if (!made) abort();
  bool complete = read_config(call, made);
  const char *prefix = checkpoint->has_weight(call, "model.embeddings.tok_embeddings.weight") ? "model." : "";
  if (complete) {
    char name[64];
    snprintf(name, sizeof name, "%sembeddings.tok_embeddings.weight", prefix);
    made->words = checkpoint->weight(call, name, made->facts.vocabulary_size, made->facts.hidden_size, false);
  }
  complete = complete && made->words && load_norm(call, made, prefix, "embeddings.norm", &made->word_norm) &&
             load_norm(call, made, prefix, "final_norm", &made->last_norm);
  for (size_t i = 0; complete && i < made->facts.layers; i++) complete = load_layer(call, prefix, i, made);
  complete = complete && lists->understand(call, understood, sizeof understood / sizeof *understood) == PTUNE_OK;
  if (!complete) { /* the host knows what is wrong */
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

/* ------------------------------------------------------------------------------------------------ the model */

static void facts(void *self, ptune_base_facts_v1 *out) { *out = ((model *)self)->facts; }

static ptune_tensor *word_table(void *self) { return ((model *)self)->words; }

static ptune_tensor *norm(const model *own, ptune_call *call, affine weights, const ptune_tensor *x) {
  if (!weights.weight) return ops->affine(x, 1, 0);
  ptune_tensor *bias = weights.bias ? weights.bias : ops->fill(call, 1, own->facts.hidden_size, 0);
  return ops->layer_norm(x, weights.weight, bias, own->epsilon);
}

static ptune_tensor *linear(ptune_forward *pass, affine weights, const ptune_tensor *x) {
  return forwards->linear(pass, x, weights.weight, weights.bias, weights.bias != NULL);
}

static ptune_tensor *attend(const model *own, ptune_call *call, ptune_forward *pass, size_t index, ptune_tensor *x) {
  const layer *weights = &own->layers[index];
  const ptune_rotation_v1 rotation = {own->frequencies[weights->is_local ? LOCAL : GLOBAL], own->head_size / 2, 1,
                                      false};
  ptune_tensor *source = norm(own, call, weights->attention_norm, forwards->key_rows(pass, index, x));
  ptune_tensor *q = linear(pass, weights->query, norm(own, call, weights->attention_norm, x));
  q = forwards->rotate_queries(pass, q, own->heads, &rotation);
  ptune_tensor *k = forwards->rotate_keys(pass, index, linear(pass, weights->key, source), own->heads, &rotation);
  /* A prefix stands for no token, so every token sees it. */
  const ptune_window_v1 window = {own->reach, own->reach, true};
  const ptune_attention_term_v1 terms[] = {{PTUNE_ATTENTION_WINDOW, &window}};
  ptune_tensor *attended = attention->attend(pass, index, q, k, linear(pass, weights->value, source), own->heads,
                                             own->heads, terms, weights->is_local ? 1 : 0);
  return linear(pass, weights->output, attended);
}

static ptune_tensor *feed_forward(const model *own, ptune_call *call, ptune_forward *pass, const layer *weights,
                                  ptune_tensor *x) {
  ptune_tensor *normed = norm(own, call, weights->feed_forward_norm, x);
  ptune_tensor *gate = ops->unary(PTUNE_GELU, linear(pass, weights->gate, normed));
  return linear(pass, weights->down, ops->binary(PTUNE_MULTIPLY, gate, linear(pass, weights->up, normed)));
}

static ptune_tensor *forward(void *self, ptune_call *call, ptune_forward *pass) {
  const model *own = self;
  ptune_tensor *x = norm(own, call, own->word_norm, forwards->input_rows(pass, own->words));
  for (size_t i = 0; i < own->facts.layers; i++) {
    x = ops->binary(PTUNE_ADD, x, attend(own, call, pass, i, x));
    x = ops->binary(PTUNE_ADD, x, feed_forward(own, call, pass, &own->layers[i], x));
  }
  return norm(own, call, own->last_norm, x);
}

/* The head of the masked language model. */
static ptune_tensor *vocabulary_scores(void *self, ptune_call *call, const ptune_tensor *rows) {
  const model *own = self;
  const size_t size = own->facts.hidden_size;
  affine dense = {0}, after = {0};
  if (!load(call, "head.dense", size, size, own->classifier_bias, &dense) ||
      !load(call, "head.norm", 1, size, own->norm_bias, &after))
    return NULL;
  ptune_tensor *bias = NULL;
  if (own->decoder_bias && !(bias = checkpoint->weight(call, "decoder.bias", 1, own->facts.vocabulary_size, false)))
    return NULL;
  ptune_tensor *table = own->words;
  if (!flag(call, "tie_word_embeddings", true))
    table = checkpoint->weight(call, "decoder.weight", own->facts.vocabulary_size, size, false);
  if (!expect(call, "classifier_activation", "gelu")) return NULL;
  ptune_tensor *x = ops->unary(PTUNE_GELU, ops->linear(rows, dense.weight, dense.bias, dense.bias != NULL));
  return ops->linear(norm(own, call, after, x), table, bias, bias != NULL);
}

/* ----------------------------------------------------------------------------------------------- the plugin */

static const ptune_base_model_v1 methods = {.struct_size = sizeof methods,
                                            .facts = facts,
                                            .word_table = word_table,
                                            .forward = forward,
                                            .vocabulary_scores = vocabulary_scores};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_BASE_MODEL,
    .name = "modernbert",
    .summary = "ModernBERT",
    .schema = "modernbert()",
    .documentation =
        "Encoders whose config.json says `model_type: modernbert` (Warner et al. 2024, "
        "https://arxiv.org/abs/2412.13663). Checkpoints of the bare model, those of a masked language model "
        "and those of a classifier all load.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_CHECKPOINT_V2 " " PTUNE_FORWARD_V1 " " PTUNE_ATTENTION_V1
                          " " PTUNE_SITES_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.modernbert", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  checkpoint = host->interface_for(PTUNE_CHECKPOINT_V1);
  lists = host->interface_for(PTUNE_CHECKPOINT_V2);
  forwards = host->interface_for(PTUNE_FORWARD_V1);
  attention = host->interface_for(PTUNE_ATTENTION_V1);
  sites = host->interface_for(PTUNE_SITES_V1);
  return &plugin;
}
