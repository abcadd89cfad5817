/* A task head for the tests of interface 1.1: it needs no label, and its parameters learn at rates of their own. */
#include <stdlib.h>

#include "ptune_1_1.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_parameters_v2 *training;
static const ptune_base_v1 *base;
static const ptune_batch_v1 *batches;
static const ptune_data_v1 *data;

typedef struct {
  ptune_parameter *fast, *slow; /* [1, hidden] each; alike at first */
} head;

static void destroy(void *self) { free(self); }

static ptune_status create(ptune_call *call, void **self, double slowness, double decay) {
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  head *made = calloc(1, sizeof *made);
  if (!made) abort();
  const ptune_initial_v1 ones = {.kind = PTUNE_INITIAL_CONSTANT, .a = 1};
  const size_t shape[] = {1, facts.hidden_size};
  made->fast = parameters->declare(call, "fast", shape, 2, &ones);
  made->slow = parameters->declare(call, "slow", shape, 2, &ones);
  if (!made->fast || !made->slow || training->learning_rate(call, made->slow, slowness) != PTUNE_OK ||
      training->weight_decay(call, made->slow, decay) != PTUNE_OK) {
    destroy(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static ptune_status encode(void *self, ptune_call *call, ptune_example *example, ptune_targets *to) {
  (void)self, (void)call, (void)example;
  const int32_t one = 1;
  return data->emit_integers(to, &one, 1);
}

/* One score a text: mean(hidden)·(fast + slow). */
static ptune_tensor *scores(void *self, ptune_call *call, const ptune_tensor *hidden, ptune_batch *batch) {
  head *own = self;
  ptune_sequences_v1 sequences;
  ptune_places_v1 places;
  batches->sequences(batch, &sequences);
  if (batches->places(batch, &places) != PTUNE_OK) return NULL;
  ptune_tensor *means = ops->mean_rows(hidden, places.text_rows, sequences.offsets, sequences.count);
  ptune_tensor *both = ops->binary(PTUNE_ADD, parameters->value(call, own->fast), parameters->value(call, own->slow));
  return ops->linear(means, both, NULL, false);
}

static ptune_tensor *loss(void *self, ptune_call *call, const ptune_tensor *scores, ptune_batch *batch) {
  (void)self, (void)call, (void)batch;
  return ops->mean(ops->binary(PTUNE_MULTIPLY, scores, scores), PTUNE_OVER_ALL);
}

static ptune_status predict(void *self, ptune_call *call, const float *scores, size_t rows, size_t columns,
                            ptune_example *example, ptune_prediction *to) {
  (void)self, (void)call, (void)scores, (void)rows, (void)columns, (void)example;
  return data->put(to, "read", "true");
}

static ptune_status measure(void *self, ptune_call *call, ptune_evaluation *evaluation) {
  (void)self, (void)call;
  return data->metric(evaluation, "texts", (double)data->example_count(evaluation), true);
}

static const ptune_task_head_v1 methods = {.struct_size = sizeof methods,
                                           .score_rows = PTUNE_ROW_PER_SEQUENCE,
                                           .reading = PTUNE_READS_UNLABELLED_TEXT,
                                           .encode = encode,
                                           .scores = scores,
                                           .loss = loss,
                                           .predict = predict,
                                           .measure = measure};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_TASK_HEAD,
    .name = "unlabelled",
    .summary = "a head without labels",
    .schema =
        "unlabelled(double slowness=0.1 \"what the slow parameter's rate is multiplied by\", "
        "double decay=0.0 \"its weight decay\")",
    .documentation = "For tests.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_PARAMETERS_V2 " " PTUNE_BASE_V1 " " PTUNE_BATCH_V1
                          " " PTUNE_DATA_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.unlabelled", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  training = host->interface_for(PTUNE_PARAMETERS_V2);
  base = host->interface_for(PTUNE_BASE_V1);
  batches = host->interface_for(PTUNE_BATCH_V1);
  data = host->interface_for(PTUNE_DATA_V1);
  return &plugin;
}
