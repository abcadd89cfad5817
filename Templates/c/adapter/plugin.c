/* __NAME__: a tuning method for ptune in one C file. ptune.h explains every function.
 *
 * It trains a prompt of n rows and a gate for each row, and puts gate·row at the input of the base model:
 *
 *     p_i = g_i · r_i,   i = 1 … n,   r [n, hidden],   g [n, 1] = 1 at first
 *
 * Change the maths in `inject`, the hyperparameters in `schema` and `create`, and tests/parity.py.
 */
#include <stdlib.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_injections_v1 *injections;

typedef struct {
  size_t rows;
  ptune_parameter *prompt; /* [rows, hidden] */
  ptune_parameter *gates;  /* [rows, 1] */
} adapter;

/* The schema below declares the arguments after `self`, in this order. */
static ptune_status create(ptune_call *call, void **self, int32_t virtual_tokens) {
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  adapter *made = calloc(1, sizeof *made);
  if (!made) {
    host->fail(call, PTUNE_FAILED, "out of memory");
    return PTUNE_FAILED;
  }
  ptune_initial_v1 random = {.kind = PTUNE_INITIAL_NORMAL, .a = 0, .b = 0.02f};
  ptune_initial_v1 one = {.kind = PTUNE_INITIAL_CONSTANT, .a = 1};
  made->rows = (size_t)virtual_tokens;
  made->prompt = parameters->declare(call, "prompt", (size_t[]){made->rows, facts.hidden_size}, 2, &random);
  made->gates = parameters->declare(call, "gates", (size_t[]){made->rows, 1}, 2, &one);
  if (!made->prompt || !made->gates) { /* the host knows why */
    free(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

static size_t positions(void *self) { return ((adapter *)self)->rows; }

/* Operators are recorded, not computed; gradients follow by themselves. A failed one gives NULL, and NULL in gives
   NULL out, so `input` reports whatever went wrong. */
static ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  (void)batch; /* every example gets the same prompt */
  adapter *own = self;
  ptune_tensor *prompt = parameters->value(call, own->prompt);
  ptune_tensor *gates = parameters->value(call, own->gates);
  ptune_tensor *rows = ops->binary(PTUNE_MULTIPLY, prompt, gates);
  return injections->input(into, rows, PTUNE_AT_START, false);
}

static const ptune_adapter_v1 methods = {.struct_size = sizeof methods, .positions = positions, .inject = inject};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_ADAPTER,
    .name = "__NAME__",
    .summary = "prompt rows at the input, each with a trained gate",
    .schema = "__SNAKE__(int virtual_tokens=20 [1..1024] \"rows of the prompt\")",
    .documentation = "Trains n·hidden + n numbers: a prompt and a gate for each of its rows.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1 " " PTUNE_BASE_V1 " " PTUNE_INJECTIONS_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = free,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.__NAME__", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
  return &plugin;
}
