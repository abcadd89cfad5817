/*
 * Gemma 3 (text) as a base model in one C file, against ptune.h and ptune_1_1.h alone (Gemma Team 2025,
 * https://arxiv.org/abs/2503.19786): a causal transformer with word embeddings that are scaled, four norms a layer and one
 * for the queries and keys of each head, and layers that see a window of the text in turn with layers that see all of it,
 * each kind with rotary positions of its own.
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
static const ptune_input_v1 *input;
static const ptune_forward_v1 *forwards;
static const ptune_attention_v1 *attention;
static const ptune_sites_v1 *sites;

typedef struct {
  ptune_tensor *query, *key, *value, *output, *gate, *up, *down;
  ptune_tensor *input_norm, *after_attention_norm, *before_feed_forward_norm,
      *after_feed_forward_norm; /* [1, hidden] */
  ptune_tensor *query_norm, *key_norm; /* [1, head size] */
  bool is_local;
} layer;

enum { GLOBAL, LOCAL, KINDS };

typedef struct {
  ptune_base_facts_v1 facts;
  size_t heads, kv_heads, head_size, window;
  float epsilon, scale, soft_cap; /* soft_cap: of the logits; 0 where there is none */
  bool tied;
  float *frequencies[KINDS]; /* [head size / 2] */
  ptune_tensor *words, *last_norm;
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

/* The angles of one kind of layer: from rope_parameters, or from the keys that older files have. */
static bool read_rotation(ptune_call *call, model *made, int kind) {
  const char *group = kind == LOCAL ? "sliding_attention" : "full_attention";
  char key[96];
  snprintf(key, sizeof key, "rope_parameters.%s.rope_theta", group);
  double theta =
      number(call, key, number(call, kind == LOCAL ? "rope_local_base_freq" : "rope_theta", kind == LOCAL ? 1e4 : 1e6));
  const char *type = "default";
  snprintf(key, sizeof key, "rope_parameters.%s.rope_type", group);
  if (checkpoint->config_string(call, key, &type) == PTUNE_ABSENT && kind == GLOBAL)
    checkpoint->config_string(call, "rope_scaling.rope_type", &type);
  double factor = 1;
  if (strcmp(type, "linear") == 0) {
    snprintf(key, sizeof key, "rope_parameters.%s.factor", group);
    factor = number(call, key, number(call, "rope_scaling.factor", 0));
  } else if (strcmp(type, "default") != 0) {
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: rope_type '%s' is not supported; known: default, linear",
                  type);
  }
  if (!(factor >= 1) || !(theta > 1))
    return refuse(call, PTUNE_BAD_ARGUMENT,
                  "config.json: the rotary positions of %s need a theta above 1 and a factor from 1 on", group);
  made->frequencies[kind] = calloc(made->head_size / 2, sizeof(float));
  if (!made->frequencies[kind]) abort();
  for (size_t i = 0; i < made->head_size / 2; i++)
    made->frequencies[kind][i] = (float)(pow(theta, -2.0 * (double)i / (double)made->head_size) / factor);
  return true;
}

/* Which layers see a window only: layer_types says so, or every n-th one does not. */
static bool read_layer_types(ptune_call *call, model *made) {
  size_t size = 0;
  ptune_found found = lists->config_size(call, "layer_types", &size);
  if (found == PTUNE_MALFORMED) return false;
  size_t pattern = found == PTUNE_FOUND ? 0 : count(call, "sliding_window_pattern", 6);
  if (found == PTUNE_FOUND && size != made->facts.layers)
    return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: layer_types has not as many elements as %s says",
                  "num_hidden_layers");
  for (size_t i = 0; i < made->facts.layers; i++) {
    if (found == PTUNE_ABSENT) {
      made->layers[i].is_local = (i + 1) % pattern != 0;
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
  const char *type = "gemma3_text", *activation = "gelu_pytorch_tanh";
  checkpoint->config_string(call, "model_type", &type);
  if (strcmp(type, "gemma3_text") != 0)
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: model_type '%s' is another architecture than gemma3_text",
                  type);
  checkpoint->config_string(call, "hidden_activation", &activation);
  if (strcmp(activation, "gelu_pytorch_tanh") != 0)
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: hidden_activation '%s' is not supported", activation);
  for (size_t i = 0; i < 2; i++) {
    const char *key = i ? "use_bidirectional_attention" : "attention_bias";
    if (flag(call, key, false))
      return refuse(call, PTUNE_UNSUPPORTED, "config.json: %s is true; that is not supported", key);
  }
  if (number(call, "attn_logit_softcapping", 0) != 0)
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: %s is set; Gemma 3 has no such cap", "attn_logit_softcapping");
  size_t size = count(call, "hidden_size", 0), layers = count(call, "num_hidden_layers", 0);
  made->heads = count(call, "num_attention_heads", 0);
  made->kv_heads = count(call, "num_key_value_heads", made->heads);
  made->head_size = count(call, "head_dim", 256);
  made->window = count(call, "sliding_window", 4096);
  size_t vocabulary = count(call, "vocab_size", 0), positions = count(call, "max_position_embeddings", 131072);
  if (!size || !layers || !made->heads || !made->kv_heads || !made->head_size || !made->window || !vocabulary ||
      !positions)
    return false;
  if (made->heads % made->kv_heads || made->head_size % 2)
    return refuse(call, PTUNE_BAD_ARGUMENT,
                  "config.json: num_attention_heads has to be a multiple of %s, and head_dim even",
                  "num_key_value_heads");
  made->facts = (ptune_base_facts_v1){.hidden_size = size,
                                      .layers = layers,
                                      .key_value_size = made->kv_heads * made->head_size,
                                      .attention_heads = made->heads,
                                      .vocabulary_size = vocabulary,
                                      .positions = positions,
                                      .causal = true};
  made->layers = calloc(layers, sizeof *made->layers);
  if (!made->layers) abort();
  made->epsilon = (float)number(call, "rms_norm_eps", 1e-6);
  made->scale = (float)pow(number(call, "query_pre_attn_scalar", 256), -0.5);
  made->soft_cap = (float)number(call, "final_logit_softcapping", 0);
  made->tied = flag(call, "tie_word_embeddings", true);
  return read_layer_types(call, made) && read_rotation(call, made, GLOBAL) && read_rotation(call, made, LOCAL) &&
         input->scale_words(call, sqrtf((float)size)) == PTUNE_OK;
}

/* -------------------------------------------------------------------------------------------------- weights */

static ptune_tensor *load(ptune_call *call, const char *prefix, size_t index, const char *name, size_t rows,
                          size_t columns) {
  char full[160];
  snprintf(full, sizeof full, "%slayers.%zu.%s.weight", prefix, index, name);
  return checkpoint->weight(call, full, rows, columns, false);
}

/* A linear layer that adapters may attach to. */
static ptune_tensor *load_site(ptune_call *call, const char *prefix, size_t index, const char *name, size_t rows,
                               size_t columns, ptune_site_roles role) {
  ptune_tensor *weight = load(call, prefix, index, name, rows, columns);
  char site[128];
  snprintf(site, sizeof site, "layers.%zu.%s", index, name);
  return weight && sites->declare(call, weight, site, index, role) == PTUNE_OK ? weight : NULL;
}

static bool load_layer(ptune_call *call, const char *prefix, size_t index, size_t inner, const model *own) {
  const size_t size = own->facts.hidden_size, wide = own->heads * own->head_size, narrow = own->facts.key_value_size;
  layer *to = &own->layers[index];
  to->query = load_site(call, prefix, index, "self_attn.q_proj", wide, size, PTUNE_SITE_QUERY);
  to->key = load_site(call, prefix, index, "self_attn.k_proj", narrow, size, PTUNE_SITE_KEY);
  to->value = load_site(call, prefix, index, "self_attn.v_proj", narrow, size, PTUNE_SITE_VALUE);
  to->output = load_site(call, prefix, index, "self_attn.o_proj", size, wide, PTUNE_SITE_ATTENTION_OUTPUT);
  to->gate = load_site(call, prefix, index, "mlp.gate_proj", inner, size, PTUNE_SITE_FEED_FORWARD_GATE);
  to->up = load_site(call, prefix, index, "mlp.up_proj", inner, size, PTUNE_SITE_FEED_FORWARD_IN);
  to->down = load_site(call, prefix, index, "mlp.down_proj", size, inner, PTUNE_SITE_FEED_FORWARD_OUT);
  to->input_norm = load(call, prefix, index, "input_layernorm", 1, size);
  to->after_attention_norm = load(call, prefix, index, "post_attention_layernorm", 1, size);
  to->before_feed_forward_norm = load(call, prefix, index, "pre_feedforward_layernorm", 1, size);
  to->after_feed_forward_norm = load(call, prefix, index, "post_feedforward_layernorm", 1, size);
  to->query_norm = load(call, prefix, index, "self_attn.q_norm", 1, own->head_size);
  to->key_norm = load(call, prefix, index, "self_attn.k_norm", 1, own->head_size);
  ptune_tensor *const *all = &to->query;
  for (size_t i = 0; i < 13; i++)
    if (!all[i]) return false;
  return true;
}

/* Keys that do not change what is computed here, and what `vocabulary_scores` reads. */
static const char *const understood[] = {"attention_dropout", "intermediate_size", "use_bidirectional_attention"};

static ptune_status create(ptune_call *call, void **self) {
  model *made = calloc(1, sizeof *made);
  if (!made) abort();
  bool complete = read_config(call, made);
  const char *prefix = checkpoint->has_weight(call, "model.embed_tokens.weight") ? "model." : "";
  size_t inner = complete ? count(call, "intermediate_size", 0) : 0;
  if (complete) {
    char name[64];
    snprintf(name, sizeof name, "%sembed_tokens.weight", prefix);
    made->words = checkpoint->weight(call, name, made->facts.vocabulary_size, made->facts.hidden_size, false);
    snprintf(name, sizeof name, "%snorm.weight", prefix);
    made->last_norm = checkpoint->weight(call, name, 1, made->facts.hidden_size, false);
  }
  complete = complete && inner && made->words && made->last_norm;
  for (size_t i = 0; complete && i < made->facts.layers; i++) complete = load_layer(call, prefix, i, inner, made);
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

/* x/rms(x)·(1 + w) */
static ptune_tensor *norm(const model *own, const ptune_tensor *x, const ptune_tensor *weight) {
  return ops->rms_norm(x, ops->affine(weight, 1, 1), own->epsilon);
}

/* The same of each head: [n, heads·d]. */
static ptune_tensor *norm_heads(const model *own, const ptune_tensor *x, size_t heads, const ptune_tensor *weight) {
  size_t rows, columns;
  ops->shape(x, &rows, &columns);
  ptune_tensor *by_head = ops->reshape(x, rows * heads, own->head_size);
  return ops->reshape(norm(own, by_head, weight), rows, columns);
}

static ptune_tensor *linear(ptune_forward *pass, const ptune_tensor *x, const ptune_tensor *weight) {
  return forwards->linear(pass, x, weight, NULL, false);
}

static ptune_tensor *attend(const model *own, ptune_forward *pass, size_t index, ptune_tensor *x) {
  const layer *weights = &own->layers[index];
  const ptune_rotation_v1 rotation = {own->frequencies[weights->is_local ? LOCAL : GLOBAL], own->head_size / 2, 1,
                                      false};
  ptune_tensor *source = norm(own, forwards->key_rows(pass, index, x), weights->input_norm);
  ptune_tensor *q = linear(pass, norm(own, x, weights->input_norm), weights->query);
  q = forwards->rotate_queries(pass, norm_heads(own, q, own->heads, weights->query_norm), own->heads, &rotation);
  ptune_tensor *k = norm_heads(own, linear(pass, source, weights->key), own->kv_heads, weights->key_norm);
  k = forwards->rotate_keys(pass, index, k, own->kv_heads, &rotation);
  /* transformers lets a prefix of PEFT leave the window like the tokens in whose place it stands. */
  const ptune_window_v1 window = {own->window - 1, 0, false};
  ptune_attention_term_v1 terms[2] = {{PTUNE_ATTENTION_SCALE, &own->scale}};
  size_t count = 1;
  if (weights->is_local) terms[count++] = (ptune_attention_term_v1){PTUNE_ATTENTION_WINDOW, &window};
  ptune_tensor *attended = attention->attend(pass, index, q, k, linear(pass, source, weights->value), own->heads,
                                             own->kv_heads, terms, count);
  return norm(own, linear(pass, attended, weights->output), weights->after_attention_norm);
}

static ptune_tensor *feed_forward(const model *own, ptune_forward *pass, const layer *weights, ptune_tensor *x) {
  ptune_tensor *normed = norm(own, x, weights->before_feed_forward_norm);
  ptune_tensor *gate = ops->unary(PTUNE_GELU_TANH, linear(pass, normed, weights->gate));
  ptune_tensor *inner = ops->binary(PTUNE_MULTIPLY, gate, linear(pass, normed, weights->up));
  return norm(own, linear(pass, inner, weights->down), weights->after_feed_forward_norm);
}

static ptune_tensor *forward(void *self, ptune_call *call, ptune_forward *pass) {
  (void)call;
  const model *own = self;
  ptune_tensor *x = forwards->input_rows(pass, own->words);
  for (size_t i = 0; i < own->facts.layers; i++) {
    x = ops->binary(PTUNE_ADD, x, attend(own, pass, i, x));
    x = ops->binary(PTUNE_ADD, x, feed_forward(own, pass, &own->layers[i], x));
  }
  return norm(own, x, own->last_norm);
}

static ptune_tensor *vocabulary_scores(void *self, ptune_call *call, const ptune_tensor *rows) {
  const model *own = self;
  ptune_tensor *table = own->words;
  if (!own->tied)
    table = checkpoint->weight(call, "lm_head.weight", own->facts.vocabulary_size, own->facts.hidden_size, false);
  ptune_tensor *scores = ops->linear(rows, table, NULL, false);
  if (!(own->soft_cap > 0)) return scores;
  return ops->affine(ops->unary(PTUNE_TANH, ops->affine(scores, 1 / own->soft_cap, 0)), own->soft_cap, 0);
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
    .name = "gemma3-text",
    .summary = "Gemma 3, the text models",
    .schema = "gemma3_text()",
    .documentation =
        "Causal models whose config.json says `model_type: gemma3_text` (Gemma Team 2025, "
        "https://arxiv.org/abs/2503.19786): Gemma 3 270M and 1B, pretrained or instruction-tuned.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_CHECKPOINT_V2 " " PTUNE_INPUT_V1 " " PTUNE_FORWARD_V1
                          " " PTUNE_ATTENTION_V1 " " PTUNE_SITES_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.gemma3", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  checkpoint = host->interface_for(PTUNE_CHECKPOINT_V1);
  lists = host->interface_for(PTUNE_CHECKPOINT_V2);
  input = host->interface_for(PTUNE_INPUT_V1);
  forwards = host->interface_for(PTUNE_FORWARD_V1);
  attention = host->interface_for(PTUNE_ATTENTION_V1);
  sites = host->interface_for(PTUNE_SITES_V1);
  return &plugin;
}
