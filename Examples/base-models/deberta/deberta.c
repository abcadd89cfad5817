/*
 * DeBERTa v2 and v3 as a base model in one C file, against ptune.h and ptune_1_1.h alone (He et al. 2021 and 2023,
 * https://arxiv.org/abs/2006.03654, https://arxiv.org/abs/2111.09543): an encoder whose scores compare contents with
 * relative positions besides contents with contents.
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

/* A linear layer, or a norm. */
typedef struct {
  ptune_tensor *weight, *bias;
} affine;

typedef struct {
  affine query, key, value, output, attention_norm, up, down, last_norm;
  affine position_query, position_key; /* NULL where content's own are used */
} layer;

typedef struct {
  ptune_base_facts_v1 facts;
  size_t heads, inner, types;
  size_t span;     /* half the rows of the table of relative positions */
  size_t farthest; /* distances beyond this are in the last bucket */
  bool has_positions, content_to_position, position_to_content, shares_projections, normed_positions;
  int32_t *buckets; /* [2·farthest + 1]: of the distances -farthest … farthest */
  float epsilon, scale;
  ptune_tensor *words, *positions, *token_types, *relative;
  affine word_norm, relative_norm;
  const char *prefix;
  layer *layers;
} model;

static void destroy(void *self) {
  free(((model *)self)->buckets);
  free(((model *)self)->layers);
  free(self);
}

static bool refuse(ptune_call *call, ptune_status status, const char *format, const char *what) {
  char why[256];
  snprintf(why, sizeof why, format, what);
  host->fail(call, status, why);
  return false;
}

/* ---------------------------------------------------------------------------------------------- config.json */

/* A positive number; 0, with the reason recorded, if there is none. */
static size_t count(ptune_call *call, const char *key) {
  int64_t value = 0;
  if (checkpoint->config_integer(call, key, &value) == PTUNE_FOUND && value > 0) return (size_t)value;
  refuse(call, PTUNE_BAD_ARGUMENT, "config.json: %s is missing or not positive", key);
  return 0;
}

static int64_t integer(ptune_call *call, const char *key, int64_t absent) {
  int64_t value = absent;
  return checkpoint->config_integer(call, key, &value) == PTUNE_FOUND ? value : absent;
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

static void read_attention_type(model *made, const char *text) {
  if (strstr(text, "c2p")) made->content_to_position = true;
  if (strstr(text, "p2c")) made->position_to_content = true;
}

/* What is compared with positions: a list, or a text with bars in older files. */
static void read_attention_types(ptune_call *call, model *made) {
  char key[32];
  const char *text = "";
  for (int i = 0;; i++) {
    snprintf(key, sizeof key, "pos_att_type.%d", i);
    if (checkpoint->config_string(call, key, &text) != PTUNE_FOUND) {
      if (i == 0 && checkpoint->config_string(call, "pos_att_type", &text) == PTUNE_FOUND)
        read_attention_type(made, text);
      return;
    }
    read_attention_type(made, text);
  }
}

/* The row of the table for a query so far behind a key, in single precision as the original has it: near distances have
   rows of their own, farther ones share them, ever more of them (He et al. 2021, appendix A.5). */
static int32_t bucket(const model *own, int64_t behind, size_t log_buckets) {
  const int64_t span = (int64_t)own->span, middle = (int64_t)log_buckets / 2, apart = behind < 0 ? -behind : behind;
  int64_t row = behind;
  if (log_buckets && apart > middle) {
    const float share = logf((float)apart / (float)middle) / logf((float)(own->farthest - 1) / (float)middle);
    row = (int64_t)(ceilf(share * (float)(middle - 1)) + (float)middle);
    row = behind < 0 ? -row : row;
  }
  row += span;
  return (int32_t)(row < 0 ? 0 : row >= 2 * span ? 2 * span - 1 : row);
}

static bool read_config(ptune_call *call, model *made) {
  if (!expect(call, "model_type", "deberta-v2") || !expect(call, "hidden_act", "gelu")) return false;
  size_t size = count(call, "hidden_size"), layers = count(call, "num_hidden_layers");
  size_t vocabulary = count(call, "vocab_size"), positions = count(call, "max_position_embeddings");
  made->heads = count(call, "num_attention_heads");
  made->inner = count(call, "intermediate_size");
  if (!size || !layers || !vocabulary || !positions || !made->heads || !made->inner) return false;
  if (size % made->heads)
    return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: hidden_size is not a multiple of %s", "num_attention_heads");
  if (integer(call, "conv_kernel_size", 0) > 0)
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: %s: convolutions between rows are not supported",
                  "conv_kernel_size");
  if (integer(call, "embedding_size", (int64_t)size) != (int64_t)size)
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: %s other than hidden_size is not supported", "embedding_size");
  if (!flag(call, "relative_attention", false))
    return refuse(call, PTUNE_UNSUPPORTED, "config.json: %s is false; that is not supported", "relative_attention");
  made->has_positions = flag(call, "position_biased_input", true);
  made->types = (size_t)integer(call, "type_vocab_size", 0);
  made->shares_projections = flag(call, "share_att_key", false);
  read_attention_types(call, made);
  const char *normed = "none";
  checkpoint->config_string(call, "norm_rel_ebd", &normed);
  made->normed_positions = strstr(normed, "layer_norm") != NULL;
  made->facts = (ptune_base_facts_v1){.hidden_size = size,
                                      .layers = layers,
                                      .key_value_size = size,
                                      .attention_heads = made->heads,
                                      .vocabulary_size = vocabulary,
                                      .positions = made->has_positions ? positions : SIZE_MAX,
                                      .causal = false};
  double epsilon = 1e-7;
  checkpoint->config_number(call, "layer_norm_eps", &epsilon);
  made->epsilon = (float)epsilon;
  const int parts = 1 + made->content_to_position + made->position_to_content;
  made->scale = 1 / sqrtf((float)(size / made->heads) * (float)parts);
  int64_t farthest = integer(call, "max_relative_positions", -1), log_buckets = integer(call, "position_buckets", -1);
  made->farthest = farthest < 1 ? positions : (size_t)farthest;
  made->span = log_buckets > 0 ? (size_t)log_buckets : made->farthest;
  if (made->farthest > 1 << 24 || made->span > 1 << 24 || log_buckets == 1)
    return refuse(call, PTUNE_BAD_ARGUMENT, "config.json: %s is out of range", "max_relative_positions");
  made->buckets = calloc(2 * made->farthest + 1, sizeof *made->buckets);
  made->layers = calloc(layers, sizeof *made->layers);
  if (!made->buckets || !made->layers) abort();
  for (int64_t i = -(int64_t)made->farthest; i <= (int64_t)made->farthest; i++)
    made->buckets[i + (int64_t)made->farthest] = bucket(made, -i, log_buckets > 0 ? (size_t)log_buckets : 0);
  return true;
}

/* -------------------------------------------------------------------------------------------------- weights */

/* NAME.weight and NAME.bias; [1, columns] for a norm. */
static bool load(ptune_call *call, const char *path, const char *name, size_t rows, size_t columns, affine *into) {
  char full[192];
  snprintf(full, sizeof full, "%s%s.weight", path, name);
  into->weight = checkpoint->weight(call, full, rows, columns, false);
  snprintf(full, sizeof full, "%s%s.bias", path, name);
  into->bias = checkpoint->weight(call, full, 1, rows == 1 ? columns : rows, false);
  return into->weight && into->bias;
}

/* A linear layer that adapters may attach to. */
static bool load_site(ptune_call *call, const char *path, size_t index, const char *name, size_t rows, size_t columns,
                      ptune_site_roles role, affine *into) {
  char site[128];
  snprintf(site, sizeof site, "layer.%zu.%s", index, name);
  return load(call, path, name, rows, columns, into) &&
         sites->declare(call, into->weight, site, index, role) == PTUNE_OK;
}

static bool load_layer(ptune_call *call, size_t index, const model *own) {
  const size_t size = own->facts.hidden_size, inner = own->inner;
  layer *to = &own->layers[index];
  char path[96];
  snprintf(path, sizeof path, "%sencoder.layer.%zu.", own->prefix, index);
  if (!load_site(call, path, index, "attention.self.query_proj", size, size, PTUNE_SITE_QUERY, &to->query) ||
      !load_site(call, path, index, "attention.self.key_proj", size, size, PTUNE_SITE_KEY, &to->key) ||
      !load_site(call, path, index, "attention.self.value_proj", size, size, PTUNE_SITE_VALUE, &to->value) ||
      !load_site(call, path, index, "attention.output.dense", size, size, PTUNE_SITE_ATTENTION_OUTPUT, &to->output) ||
      !load(call, path, "attention.output.LayerNorm", 1, size, &to->attention_norm) ||
      !load_site(call, path, index, "intermediate.dense", inner, size, PTUNE_SITE_FEED_FORWARD_IN, &to->up) ||
      !load_site(call, path, index, "output.dense", size, inner, PTUNE_SITE_FEED_FORWARD_OUT, &to->down) ||
      !load(call, path, "output.LayerNorm", 1, size, &to->last_norm))
    return false;
  if (own->shares_projections) return true;
  return (!own->content_to_position ||
          load(call, path, "attention.self.pos_key_proj", size, size, &to->position_key)) &&
         (!own->position_to_content ||
          load(call, path, "attention.self.pos_query_proj", size, size, &to->position_query));
}

static ptune_tensor *load_table(ptune_call *call, const model *own, const char *name, size_t rows) {
  char full[128];
  snprintf(full, sizeof full, "%s%s.weight", own->prefix, name);
  return checkpoint->weight(call, full, rows, own->facts.hidden_size, false);
}

/* Keys that do not change the hidden rows, or that `pooler` reads. */
static const char *const understood[] = {
    "attention_probs_dropout_prob", "hidden_dropout_prob", "legacy", "pooler_dropout", "pooler_hidden_act",
    "pooler_hidden_size",           "tie_word_embeddings"};

static bool load_all(ptune_call *call, model *made) {
  made->prefix = checkpoint->has_weight(call, "deberta.embeddings.word_embeddings.weight") ? "deberta." : "";
  made->words = load_table(call, made, "embeddings.word_embeddings", made->facts.vocabulary_size);
  made->relative = load_table(call, made, "encoder.rel_embeddings", 2 * made->span);
  if (made->has_positions)
    made->positions = load_table(call, made, "embeddings.position_embeddings", made->facts.positions);
  if (made->types) made->token_types = load_table(call, made, "embeddings.token_type_embeddings", made->types);
  if (!made->words || !made->relative || (made->has_positions && !made->positions) ||
      (made->types && !made->token_types))
    return false;
  const size_t size = made->facts.hidden_size;
  if (!load(call, made->prefix, "embeddings.LayerNorm", 1, size, &made->word_norm)) return false;
  if (made->normed_positions && !load(call, made->prefix, "encoder.LayerNorm", 1, size, &made->relative_norm))
    return false;
  for (size_t i = 0; i < made->facts.layers; i++)
    if (!load_layer(call, i, made)) return false;
  return more->understand(call, understood, sizeof understood / sizeof *understood) == PTUNE_OK;
}

static ptune_status create(ptune_call *call, void **self) {
  model *made = calloc(1, sizeof *made);
  if (!made) abort();
  if (!read_config(call, made) || !load_all(call, made)) { /* the host knows what is wrong */
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

/* ------------------------------------------------------------------------------------------------ the model */

static void facts(void *self, ptune_base_facts_v1 *out) { *out = ((model *)self)->facts; }

static ptune_tensor *word_table(void *self) { return ((model *)self)->words; }

static ptune_tensor *norm(const model *own, affine weights, const ptune_tensor *x) {
  return ops->layer_norm(x, weights.weight, weights.bias, own->epsilon);
}

static ptune_tensor *linear(ptune_forward *pass, affine weights, const ptune_tensor *x) {
  return forwards->linear(pass, x, weights.weight, weights.bias, true);
}

/* `relative`: the table of relative positions, [2·span, hidden]. */
static ptune_tensor *run_layer(const model *own, ptune_forward *pass, size_t index, const ptune_tensor *relative,
                               ptune_tensor *x) {
  const layer *weights = &own->layers[index];
  ptune_tensor *source = forwards->key_rows(pass, index, x);
  ptune_attention_term_v1 terms[3] = {{PTUNE_ATTENTION_SCALE, &own->scale}};
  size_t terms_count = 1;
  ptune_relative_v1 keys = {NULL, own->buckets, 2 * own->farthest + 1, -(int32_t)own->farthest};
  ptune_relative_v1 queries = keys;
  if (own->content_to_position) {
    keys.table = linear(pass, own->shares_projections ? weights->key : weights->position_key, relative);
    terms[terms_count++] = (ptune_attention_term_v1){PTUNE_ATTENTION_CONTENT_TO_POSITION, &keys};
  }
  if (own->position_to_content) {
    queries.table = linear(pass, own->shares_projections ? weights->query : weights->position_query, relative);
    terms[terms_count++] = (ptune_attention_term_v1){PTUNE_ATTENTION_POSITION_TO_CONTENT, &queries};
  }
  ptune_tensor *attended =
      attention->attend(pass, index, linear(pass, weights->query, x), linear(pass, weights->key, source),
                        linear(pass, weights->value, source), own->heads, own->heads, terms, terms_count);
  x = norm(own, weights->attention_norm, ops->binary(PTUNE_ADD, linear(pass, weights->output, attended), x));
  ptune_tensor *inner = ops->unary(PTUNE_GELU, linear(pass, weights->up, x));
  return norm(own, weights->last_norm, ops->binary(PTUNE_ADD, linear(pass, weights->down, inner), x));
}

static ptune_tensor *forward(void *self, ptune_call *call, ptune_forward *pass) {
  (void)call;
  const model *own = self;
  ptune_rows_v1 rows;
  forwards->rows(pass, &rows);
  ptune_tensor *x = forwards->input_rows(pass, own->words);
  if (own->positions) x = ops->binary(PTUNE_ADD, x, ops->gather_rows(own->positions, rows.positions, rows.count));
  if (own->token_types) x = ops->binary(PTUNE_ADD, x, ops->gather_rows(own->token_types, rows.token_types, rows.count));
  x = norm(own, own->word_norm, x);
  const ptune_tensor *relative = own->normed_positions ? norm(own, own->relative_norm, own->relative) : own->relative;
  for (size_t i = 0; i < own->facts.layers; i++) x = run_layer(own, pass, i, relative, x);
  return x;
}

static ptune_tensor *pooler(void *self, ptune_call *call, const ptune_tensor *rows) {
  const model *own = self;
  affine dense;
  if (!expect(call, "pooler_hidden_act", "gelu") ||
      !load(call, "", "pooler.dense", own->facts.hidden_size, own->facts.hidden_size, &dense))
    return NULL;
  return ops->unary(PTUNE_GELU, ops->linear(rows, dense.weight, dense.bias, true));
}

/* ----------------------------------------------------------------------------------------------- the plugin */

static const ptune_base_model_v1 methods = {
    .struct_size = sizeof methods, .facts = facts, .word_table = word_table, .forward = forward, .pooler = pooler};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_BASE_MODEL,
    .name = "deberta-v2",
    .summary = "DeBERTa v2 and v3",
    .schema = "deberta_v2()",
    .documentation =
        "Encoders whose config.json says `model_type: deberta-v2` (He et al. 2021, "
        "https://arxiv.org/abs/2006.03654): DeBERTa v3 and mDeBERTa of any size, and DeBERTa v2 without "
        "convolutions. Checkpoints of the bare model and those of a classifier load.",
    .needs = PTUNE_OPS_V1 " " PTUNE_CHECKPOINT_V1 " " PTUNE_CHECKPOINT_V2 " " PTUNE_FORWARD_V1 " " PTUNE_ATTENTION_V1
                          " " PTUNE_SITES_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.deberta", "1.0.0", "c", 1, components};

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
