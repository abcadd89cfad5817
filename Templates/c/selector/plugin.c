/* __NAME__: a selector for ptune in one C file. ptune.h explains every function.
 *
 * It weighs the entries of a prompt pool by attention with a trained scale s, which is 1 at first:
 *
 *     α = softmax(s · q·kᵀ / √d)
 *
 * Change the maths in `weights`, the hyperparameters in `schema` and `create`, and tests/parity.py.
 */
#include <math.h>
#include <stdlib.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;

typedef struct {
  ptune_parameter *scale; /* [1, 1] */
} selector;

/* The schema below declares the arguments after `self`, in this order. */
static ptune_status create(ptune_call *call, void **self, double start) {
  selector *made = calloc(1, sizeof *made);
  if (!made) {
    host->fail(call, PTUNE_FAILED, "out of memory");
    return PTUNE_FAILED;
  }
  ptune_initial_v1 initial = {.kind = PTUNE_INITIAL_CONSTANT, .a = (float)start};
  made->scale = parameters->declare(call, "scale", (size_t[]){1, 1}, 2, &initial);
  if (!made->scale) { /* the host knows why */
    free(made);
    return PTUNE_FAILED;
  }
  *self = made;
  return PTUNE_OK;
}

/* Weights [count, keys] from queries [count, d] and keys [keys, d]. */
static ptune_tensor *weights(void *self, ptune_call *call, ptune_batch *batch, const ptune_tensor *queries,
                             const ptune_tensor *keys) {
  (void)batch;
  size_t count, columns;
  ops->shape(queries, &count, &columns);
  ptune_tensor *products = ops->matmul(queries, false, keys, true);
  ptune_tensor *scaled = ops->affine(products, 1 / sqrtf((float)columns), 0);
  ptune_tensor *scale = parameters->value(call, ((selector *)self)->scale);
  return ops->softmax(ops->binary(PTUNE_MULTIPLY, scaled, scale));
}

static const ptune_selector_v1 methods = {.struct_size = sizeof methods, .weights = weights};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_SELECTOR,
    .name = "__NAME__",
    .summary = "attention over the pool with a trained scale",
    .schema = "__SNAKE__(double start=1 [0.01..100] \"the scale at first\")",
    .documentation = "Trains one number, the scale of the products of query and keys.",
    .needs = PTUNE_OPS_V1 " " PTUNE_PARAMETERS_V1,
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
  return &plugin;
}
