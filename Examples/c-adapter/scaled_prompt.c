/* scaled-prompt: a tuning method in one C file.
 *
 * It trains a prompt of n rows and a gate for each row, and puts gate·row at the input of the base model:
 *
 *     p_i = g_i · r_i,   i = 1 … n,   r [n, hidden] from the vocabulary, g [n, 1] = 1 at first
 *
 * A gate near 0 shows that the model does without that row. Build it, and see that ptune finds it:
 *
 *     cc -std=c11 -fPIC -shared -I Sources/CPTune/include -o libptune_scaled_prompt.so \
 *         Examples/c-adapter/scaled_prompt.c
 *     ptune describe scaled-prompt --plugin-path .
 *
 * A run names it like any other adapter: `adapter: {plugin: scaled-prompt, virtual_tokens: 20}`.
 */
#include <stdlib.h>
#include <string.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_injections_v1 *injections;

typedef struct {
  size_t rows;
  ptune_placement placement;
  ptune_parameter *prompt; /* [rows, hidden] */
  ptune_parameter *gates;  /* [rows, 1] */
} scaled_prompt;

/* Fills rows [count, hidden] with the embeddings of the most frequent tokens. */
static ptune_status vocabulary_rows(ptune_call *call, size_t count, float *rows) {
  int32_t *tokens = calloc(count, sizeof *tokens);
  if (!tokens) return PTUNE_FAILED;
  size_t found = base->frequent_tokens(call, tokens, count);
  for (size_t i = found; found > 0 && i < count; i++) tokens[i] = tokens[i % found];
  ptune_status status = found > 0 ? base->word_rows(call, tokens, count, rows) : PTUNE_FAILED;
  free(tokens);
  return status;
}

/* The schema below declares the arguments after `self`. */
static ptune_status create(ptune_call *call, void **self, int32_t virtual_tokens, const char *placement) {
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  scaled_prompt *made = calloc(1, sizeof *made);
  float *rows = malloc((size_t)virtual_tokens * facts.hidden_size * sizeof *rows);
  ptune_status status = PTUNE_FAILED;
  if (!made || !rows) {
    host->fail(call, PTUNE_FAILED, "out of memory");
  } else if ((status = vocabulary_rows(call, (size_t)virtual_tokens, rows)) == PTUNE_OK) {
    made->rows = (size_t)virtual_tokens;
    made->placement = strcmp(placement, "start") == 0 ? PTUNE_AT_START : PTUNE_AFTER_FIRST;
    ptune_initial_v1 from_vocabulary = {.kind = PTUNE_INITIAL_VALUES, .values = rows};
    ptune_initial_v1 one = {.kind = PTUNE_INITIAL_CONSTANT, .a = 1};
    made->prompt = parameters->declare(call, "prompt", (size_t[]){made->rows, facts.hidden_size}, 2, &from_vocabulary);
    made->gates = parameters->declare(call, "gates", (size_t[]){made->rows, 1}, 2, &one);
    status = made->prompt && made->gates ? PTUNE_OK : PTUNE_FAILED;
  } else {
    host->fail(call, status, "the base model has no word embeddings to start from");
  }
  free(rows);
  if (status == PTUNE_OK) *self = made;
  else free(made);
  return status;
}

static size_t positions(void *self) { return ((scaled_prompt *)self)->rows; }

/* A failed operator gives NULL and NULL in gives NULL out, so `input` reports whatever went wrong. */
static ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  (void)batch; /* every example gets the same prompt */
  scaled_prompt *adapter = self;
  ptune_tensor *prompt = parameters->value(call, adapter->prompt);
  ptune_tensor *gates = parameters->value(call, adapter->gates);
  return injections->input(into, ops->binary(PTUNE_MULTIPLY, prompt, gates), adapter->placement, false);
}

static const ptune_adapter_v1 methods = {.struct_size = sizeof methods, .positions = positions, .inject = inject};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_ADAPTER,
    .name = "scaled-prompt",
    .summary = "prompt rows at the input, each with a trained gate",
    .schema =
        "scaled_prompt(int virtual_tokens=20 [1..1024] \"rows of the prompt\",\n"
        "  string placement=\"after-first\" {after-first|start} \"where it stands\")",
    .documentation = "Trains n·hidden + n numbers: a prompt as in Lester et al. (2021) and a gate for each row.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_BASE_V1 " " PTUNE_INJECTIONS_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = free,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.scaled-prompt", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
  return &plugin;
}
