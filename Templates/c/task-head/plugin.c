/* __NAME__: a task head for ptune in one C file. ptune.h explains every function.
 *
 * It gives each text one of some labels:
 *
 *     scores = W·(mean of the text's hidden rows) + b,   loss = mean cross-entropy
 *
 * Change the maths in `scores` and `loss`, what rows mean in `encode` and `predict`, the hyperparameters in `schema` and
 * `create`, and tests/parity.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_batch_v1 *batches;
static const ptune_data_v1 *data;

typedef struct {
  size_t count;
  char **labels;
  ptune_parameter *weight; /* [labels, hidden] */
  ptune_parameter *bias;   /* [labels] */
} head;

static void destroy(void *self) {
  head *own = self;
  for (size_t i = 0; i < own->count; i++) free(own->labels[i]);
  free(own->labels);
  free(own);
}

/* The schema below declares the arguments after `self`. Where a run leaves `labels` empty, ptune fills in those of the
   training data. Arguments live until the call returns, so what is kept is copied. */
static ptune_status create(ptune_call *call, void **self, const ptune_strings_v1 *labels) {
  if (labels->count < 2) {
    host->fail(call, PTUNE_BAD_ARGUMENT, "it needs two labels or more");
    return PTUNE_BAD_ARGUMENT;
  }
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  head *made = calloc(1, sizeof *made);
  char **names = calloc(labels->count, sizeof *names);
  if (!made || !names) abort();
  for (size_t i = 0; i < labels->count; i++) {
    names[i] = malloc(strlen(labels->items[i]) + 1);
    if (!names[i]) abort();
    strcpy(names[i], labels->items[i]);
  }
  made->count = labels->count;
  made->labels = names;
  ptune_initial_v1 random = {.kind = PTUNE_INITIAL_NORMAL, .a = 0, .b = 0.02f};
  ptune_initial_v1 zero = {.kind = PTUNE_INITIAL_CONSTANT, .a = 0};
  made->weight = parameters->declare(call, "weight", (size_t[]){made->count, facts.hidden_size}, 2, &random);
  made->bias = parameters->declare(call, "bias", (size_t[]){made->count}, 1, &zero);
  if (!made->weight || !made->bias) { /* the host knows why */
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

/* The target of a row is the number of its label. */
static ptune_status encode(void *self, ptune_call *call, ptune_example *example, ptune_targets *to) {
  head *own = self;
  const char *label = data->field(example, "label");
  for (size_t i = 0; label && i < own->count; i++) {
    int32_t target = (int32_t)i;
    if (strcmp(label, own->labels[i]) == 0) return data->emit_integers(to, &target, 1);
  }
  char why[256];
  snprintf(why, sizeof why, label ? "label '%.100s' is not one of the labels" : "the row has no label", label);
  host->fail(call, PTUNE_BAD_ARGUMENT, why);
  return PTUNE_BAD_ARGUMENT;
}

/* Scores [sequences, labels] from hidden rows [rows, hidden]. */
static ptune_tensor *scores(void *self, ptune_call *call, const ptune_tensor *hidden, ptune_batch *batch) {
  head *own = self;
  ptune_sequences_v1 sequences;
  ptune_places_v1 places;
  batches->sequences(batch, &sequences);
  if (batches->places(batch, &places) != PTUNE_OK) return NULL;
  ptune_tensor *means = ops->mean_rows(hidden, places.text_rows, sequences.offsets, sequences.count);
  ptune_tensor *weight = parameters->value(call, own->weight);
  return ops->linear(means, weight, parameters->value(call, own->bias), true);
}

static ptune_tensor *loss(void *self, ptune_call *call, const ptune_tensor *scores, ptune_batch *batch) {
  (void)self, (void)call;
  ptune_all_targets_v1 targets;
  batches->targets(batch, &targets);
  return ops->cross_entropy(scores, targets.integers, NULL, 0);
}

static size_t best(const float *scores, size_t count) {
  size_t best = 0;
  for (size_t i = 1; i < count; i++) best = scores[i] > scores[best] ? i : best;
  return best;
}

/* A text as JSON, in memory that the caller frees: `put` takes JSON, and labels may hold quotes. */
static char *quoted(const char *text) {
  char *json = malloc(6 * strlen(text) + 3), *end = json;
  if (!json) abort();
  *end++ = '"';
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20) {
      end += sprintf(end, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') *end++ = '\\';
      *end++ = *text;
    }
  }
  *end++ = '"';
  *end = 0;
  return json;
}

static ptune_status predict(void *self, ptune_call *call, const float *scores, size_t rows, size_t columns,
                            ptune_example *example, ptune_prediction *to) {
  (void)call, (void)rows, (void)example;
  char *json = quoted(((head *)self)->labels[best(scores, columns)]);
  ptune_status status = data->put(to, "label", json);
  free(json);
  return status;
}

static ptune_status measure(void *self, ptune_call *call, ptune_evaluation *evaluation) {
  (void)self, (void)call;
  size_t count = data->example_count(evaluation), right = 0;
  for (size_t i = 0; i < count; i++) {
    size_t rows, columns, targets;
    const float *scores = data->scores(evaluation, i, &rows, &columns);
    const int32_t *target = data->integers(evaluation, i, &targets);
    right += targets == 1 && best(scores, columns) == (size_t)target[0];
  }
  return data->metric(evaluation, "accuracy", count ? (double)right / (double)count : 0, true);
}

static const ptune_task_head_v1 methods = {
    .struct_size = sizeof methods,
    .score_rows = PTUNE_ROW_PER_SEQUENCE,
    .reading = PTUNE_READS_LABELLED_TEXT,
    .encode = encode,
    .scores = scores,
    .loss = loss,
    .predict = predict,
    .measure = measure,
};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_TASK_HEAD,
    .name = "__NAME__",
    .summary = "one of some labels, from the mean of a text's rows",
    .schema = "__SNAKE__(strings labels=[] \"the labels; those of the training data if none are given\")",
    .documentation = "Trains a linear layer on the mean of a text's hidden rows. Reports accuracy.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_BASE_V1 " " PTUNE_BATCH_V1 " " PTUNE_DATA_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.__NAME__", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  batches = host->interface_for(PTUNE_BATCH_V1);
  data = host->interface_for(PTUNE_DATA_V1);
  return &plugin;
}
