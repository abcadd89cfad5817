/*
 * BLOOM as a base model in one C file, against ptune.h and ptune_1_1.h alone (Scao et al. 2022,
 * https://arxiv.org/abs/2211.05100): a causal transformer without positions, whose scores fall with the distance (ALiBi),
 * with a norm behind the word embeddings, and queries, keys and values of each head stored side by side.
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
static const ptune_checkpoint_v2 *more;
static const ptune_forward_v1 *forwards;
static const ptune_attention_v1 *attention;
static const ptune_sites_v1 *sites;

typedef struct {
  ptune_tensor *weight, *bias;
} affine; /* of a linear layer, or of a norm */

typedef struct {
  affine first_norm, fused, output, second_norm, up, down;
} layer;

typedef struct {
  ptune_base_facts_v1 facts;
  double epsilon;
  bool residual_after_norm, tied;
  ptune_tensor *words;
  affine word_norm, last_norm;
  float *slopes; /* [heads] */
  layer *layers;
} model;

static void destroy(void *self) {
  free(((model *)self)->slopes);
  free(((model *)self)->layers);
  free(self);
}

/* ------------------------------------------------------------------------------------- config and weights */

/* A positive number under one of two names; 0, with the reason recorded, if there is none. */
static size_t count(ptune_call *call, const char *key, const char *older) {
  int64_t value = 0;
  ptune_found found = checkpoint->config_integer(call, key, &value);
  if (found == PTUNE_ABSENT) found = checkpoint->config_integer(call, older, &value);
  if (found == PTUNE_FOUND && value > 0) return (size_t)value;
  char why[128];
  snprintf(why, sizeof why, "config.json: %s is missing or not positive", key);
  host->fail(call, PTUNE_BAD_ARGUMENT, why);
  return 0;
}

static bool flag(ptune_call *call, const char *key, bool absent) {
  bool value = absent;
  return checkpoint->config_boolean(call, key, &value) == PTUNE_FOUND ? value : absent;
}

/* NAME.weight and NAME.bias, both [1, columns] for a norm. */
static affine load(ptune_call *call, const char *path, const char *name, size_t rows, size_t columns) {
  char full[160];
  affine made;
  snprintf(full, sizeof full, "%s%s.weight", path, name);
  made.weight = checkpoint->weight(call, full, rows, columns, false);
  snprintf(full, sizeof full, "%s%s.bias", path, name);
  made.bias = checkpoint->weight(call, full, 1, rows == 1 ? columns : rows, false);
  return made;
}

/* A linear layer that adapters may attach to. */
static affine load_site(ptune_call *call, const char *path, size_t index, const char *name, size_t rows, size_t columns,
                        ptune_site_roles roles) {
  affine made = load(call, path, name, rows, columns);
  char site[128];
  snprintf(site, sizeof site, "h.%zu.%s", index, name);
  if (made.weight && made.bias && sites->declare(call, made.weight, site, index, roles) != PTUNE_OK) made.weight = NULL;
  return made;
}

static bool load_layer(ptune_call *call, const char *prefix, size_t index, size_t size, layer *into) {
  char path[96];
  snprintf(path, sizeof path, "%sh.%zu.", prefix, index);
  into->first_norm = load(call, path, "input_layernorm", 1, size);
  into->fused = load_site(call, path, index, "self_attention.query_key_value", 3 * size, size,
                          PTUNE_SITE_QUERY | PTUNE_SITE_KEY | PTUNE_SITE_VALUE);
  into->output = load_site(call, path, index, "self_attention.dense", size, size, PTUNE_SITE_ATTENTION_OUTPUT);
  into->second_norm = load(call, path, "post_attention_layernorm", 1, size);
  into->up = load_site(call, path, index, "mlp.dense_h_to_4h", 4 * size, size, PTUNE_SITE_FEED_FORWARD_IN);
  into->down = load_site(call, path, index, "mlp.dense_4h_to_h", size, 4 * size, PTUNE_SITE_FEED_FORWARD_OUT);
  const affine *all = &into->first_norm;
  for (size_t i = 0; i < sizeof *into / sizeof *all; i++)
    if (!all[i].weight || !all[i].bias) return false;
  return true;
}

/* Press et al. 2022, and their way for numbers of heads that are no power of two. */
static void fill_slopes(float *slopes, size_t heads) {
  size_t power = 1;
  while (2 * power <= heads) power *= 2;
  for (size_t i = 0; i < heads; i++)
    slopes[i] = (float)(i < power ? pow(2, -8.0 * (double)(i + 1) / (double)power)
                                  : pow(2, -4.0 * (double)(2 * (i - power) + 1) / (double)power));
}

/* Keys that do not change what is computed here. */
static const char *const understood[] = {"attention_dropout",
                                         "hidden_dropout",
                                         "attention_softmax_in_fp32",
                                         "bias_dropout_fusion",
                                         "masked_softmax_fusion",
                                         "offset_alibi",
                                         "pretraining_tp",
                                         "slow_but_exact",
                                         "skip_bias_add",
                                         "skip_bias_add_qkv",
                                         "seq_length",
                                         "n_inner",
                                         "unk_token_id",
                                         "tie_word_embeddings"};

static ptune_status create(ptune_call *call, void **self) {
  const char *type = NULL;
  if (checkpoint->config_string(call, "model_type", &type) == PTUNE_FOUND && strcmp(type, "bloom") != 0) {
    host->fail(call, PTUNE_UNSUPPORTED, "config.json: this plugin computes models of the type 'bloom' only");
    return PTUNE_UNSUPPORTED;
  }
  size_t size = count(call, "hidden_size", "n_embed"), layers = count(call, "n_layer", "num_hidden_layers");
  size_t heads = count(call, "n_head", "num_attention_heads"), vocabulary = count(call, "vocab_size", "vocab_size");
  if (!size || !layers || !heads || !vocabulary) return PTUNE_BAD_ARGUMENT;
  if (size % heads) {
    host->fail(call, PTUNE_BAD_ARGUMENT, "config.json: hidden_size is not a multiple of n_head");
    return PTUNE_BAD_ARGUMENT;
  }
  model *made = calloc(1, sizeof *made);
  if (!made) abort();
  made->layers = calloc(layers, sizeof *made->layers);
  made->slopes = calloc(heads, sizeof *made->slopes);
  if (!made->layers || !made->slopes) abort();
  made->facts = (ptune_base_facts_v1){.hidden_size = size,
                                      .layers = layers,
                                      .key_value_size = size,
                                      .attention_heads = heads,
                                      .vocabulary_size = vocabulary,
                                      .positions = SIZE_MAX,
                                      .causal = true};
  made->epsilon = 1e-5;
  checkpoint->config_number(call, "layer_norm_epsilon", &made->epsilon);
  made->residual_after_norm = flag(call, "apply_residual_connection_post_layernorm", false);
  made->tied = flag(call, "tie_word_embeddings", true);
  fill_slopes(made->slopes, heads);
  const char *prefix = checkpoint->has_weight(call, "transformer.word_embeddings.weight") ? "transformer." : "";
  char name[64];
  snprintf(name, sizeof name, "%sword_embeddings.weight", prefix);
  made->words = checkpoint->weight(call, name, vocabulary, size, false);
  made->word_norm = load(call, prefix, "word_embeddings_layernorm", 1, size);
  made->last_norm = load(call, prefix, "ln_f", 1, size);
  bool complete =
      made->words && made->word_norm.weight && made->word_norm.bias && made->last_norm.weight && made->last_norm.bias;
  for (size_t i = 0; i < layers && complete; i++) complete = load_layer(call, prefix, i, size, &made->layers[i]);
  complete = complete && more->understand(call, understood, sizeof understood / sizeof *understood) == PTUNE_OK;
  if (!complete) { /* the host knows what is missing */
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

/* ---------------------------------------------------------------------------------------------- the model */

static void facts(void *self, ptune_base_facts_v1 *out) { *out = ((model *)self)->facts; }

static ptune_tensor *word_table(void *self) { return ((model *)self)->words; }

static ptune_tensor *norm(const model *own, affine weights, const ptune_tensor *x) {
  return ops->layer_norm(x, weights.weight, weights.bias, (float)own->epsilon);
}

static ptune_tensor *linear(ptune_forward *pass, affine weights, const ptune_tensor *x) {
  return forwards->linear(pass, x, weights.weight, weights.bias, true);
}

/* Part 0, 1 or 2 (queries, keys, values) of rows [n, heads·3·d] that hold all three of each head: [n, heads·d]. */
static ptune_tensor *part(const model *own, const ptune_tensor *fused, size_t index) {
  size_t rows, columns, heads = own->facts.attention_heads, size = own->facts.hidden_size / heads;
  ops->shape(fused, &rows, &columns);
  ptune_tensor *by_head = ops->reshape(fused, rows * heads, 3 * size);
  return ops->reshape(ops->slice_columns(by_head, index * size, size), rows, heads * size);
}

/* The last `count` rows of x. */
static ptune_tensor *last_rows(ptune_call *call, ptune_tensor *x, size_t count) {
  size_t rows, columns;
  ops->shape(x, &rows, &columns);
  if (rows == count) return x;
  int32_t *wanted = malloc(count * sizeof *wanted);
  if (!wanted || rows < count) {
    free(wanted);
    host->fail(call, PTUNE_FAILED, "the rows of a layer could not be told from its prefix");
    return NULL;
  }
  for (size_t i = 0; i < count; i++) wanted[i] = (int32_t)(rows - count + i);
  ptune_tensor *result = ops->gather_rows(x, wanted, count);
  free(wanted);
  return result;
}

static ptune_tensor *run_layer(model *own, ptune_call *call, ptune_forward *pass, size_t index, ptune_tensor *x) {
  const layer *weights = &own->layers[index];
  const size_t heads = own->facts.attention_heads;
  size_t rows, columns;
  ops->shape(x, &rows, &columns);
  /* The rows of x are the last ones of those that keys are computed from. */
  ptune_tensor *normed = norm(own, weights->first_norm, forwards->key_rows(pass, index, x));
  ptune_tensor *fused = linear(pass, weights->fused, normed);
  const ptune_attention_term_v1 terms[] = {{PTUNE_ATTENTION_ALIBI, own->slopes}};
  ptune_tensor *attended = attention->attend(pass, index, part(own, last_rows(call, fused, rows), 0),
                                             part(own, fused, 1), part(own, fused, 2), heads, heads, terms, 1);
  ptune_tensor *residual = own->residual_after_norm ? last_rows(call, normed, rows) : x;
  x = ops->binary(PTUNE_ADD, linear(pass, weights->output, attended), residual);
  normed = norm(own, weights->second_norm, x);
  residual = own->residual_after_norm ? normed : x;
  ptune_tensor *inner = ops->unary(PTUNE_GELU_TANH, linear(pass, weights->up, normed));
  return ops->binary(PTUNE_ADD, linear(pass, weights->down, inner), residual);
}

static ptune_tensor *forward(void *self, ptune_call *call, ptune_forward *pass) {
  model *own = self;
  ptune_tensor *x = norm(own, own->word_norm, forwards->input_rows(pass, own->words));
  for (size_t i = 0; i < own->facts.layers; i++) x = run_layer(own, call, pass, i, x);
  return norm(own, own->last_norm, x);
}

static ptune_tensor *vocabulary_scores(void *self, ptune_call *call, const ptune_tensor *rows) {
  model *own = self;
  ptune_tensor *table = own->words;
  if (!own->tied)
    table = checkpoint->weight(call, "lm_head.weight", own->facts.vocabulary_size, own->facts.hidden_size, false);
  return ops->linear(rows, table, NULL, false);
}

/* --------------------------------------------------------------------------------------------- the plugin */

static const ptune_base_model_v1 methods = {.struct_size = sizeof methods,
                                            .facts = facts,
                                            .word_table = word_table,
                                            .forward = forward,
                                            .vocabulary_scores = vocabulary_scores};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_BASE_MODEL,
    .name = "bloom",
    .summary = "BLOOM and BLOOMZ",
    .schema = "bloom()",
    .documentation =
        "Causal models whose config.json says `model_type: bloom` (Scao et al. 2022, "
        "https://arxiv.org/abs/2211.05100), BLOOMZ among them. Checkpoints of the bare model, those with a "
        "language model's head and those of a classifier all load.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_CHECKPOINT_V2 " " PTUNE_FORWARD_V1 " " PTUNE_ATTENTION_V1
                          " " PTUNE_SITES_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.bloom", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  checkpoint = host->interface_for(PTUNE_CHECKPOINT_V1);
  more = host->interface_for(PTUNE_CHECKPOINT_V2);
  forwards = host->interface_for(PTUNE_FORWARD_V1);
  attention = host->interface_for(PTUNE_ATTENTION_V1);
  sites = host->interface_for(PTUNE_SITES_V1);
  return &plugin;
}
