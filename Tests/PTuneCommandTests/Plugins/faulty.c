/* An adapter with a prompt at the input and one fault, which the compiler is told by name. */
#include <stdlib.h>

#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_injections_v1 *injections;
#ifdef FORGETS
static const ptune_export_v1 *exports;
#endif

enum { ROWS = 3 };
static ptune_parameter *prompt;

#ifdef EXPORTS_MORE
PTUNE_EXPORT int matmul(void) { return 1; }
#endif

static ptune_status create(ptune_call *call, void **self, int32_t unused) {
  (void)unused;
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  ptune_initial_v1 initial = {.kind = PTUNE_INITIAL_NORMAL, .b = 0.5f};
  prompt = parameters->declare(call, "prompt", (size_t[]){ROWS, facts.hidden_size}, 2, &initial);
#ifdef REFUSES
  host->fail(call, PTUNE_UNSUPPORTED, "it does not like this model");
  return PTUNE_UNSUPPORTED;
#endif
  *self = malloc(1);
  return prompt ? PTUNE_OK : PTUNE_FAILED;
}

static size_t positions(void *self) {
  (void)self;
#ifdef SAYS_TOO_LITTLE
  return ROWS - 1;
#else
  return ROWS;
#endif
}

static ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  (void)self, (void)batch;
  ptune_tensor *rows = parameters->value(call, prompt);
#ifdef WRONG_GRADIENT
  ptune_tensor *half = ops->affine(rows, 0.5f, 0);
  rows = ops->binary(PTUNE_ADD, half, ops->stop_gradient(half));
#endif
#ifdef NOT_THE_SAME_TWICE
  static float calls;
  rows = ops->affine(rows, 1, calls += 0.01f);
#endif
#ifdef LEAKS
  volatile char *forgotten = malloc(4096);
  forgotten[0] = 1;
#endif
#ifdef CRASHES
  *(volatile int *)8 = 1;
#endif
#ifdef HANGS
  for (volatile int i = 1; i;) {}
#endif
  return injections->input(into, rows, PTUNE_AT_START, false);
}

#ifdef FORGETS
static ptune_status save(void *self, ptune_call *call, ptune_export *to) {
  (void)self;
  ptune_tensor *rows = parameters->value(call, prompt);
  return exports->tensor(to, "another", rows, NULL, 0);
}
#endif

static const ptune_adapter_v1 methods = {
    .struct_size = sizeof methods,
    .positions = positions,
    .inject = inject,
#ifdef FORGETS
    .save = save,
#endif
};

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_ADAPTER,
    .name = "faulty",
    .summary = "a prompt at the input",
#ifdef UNDOCUMENTED
    .schema = "faulty(int unused=1)",
    .documentation = "",
#else
    .schema = "faulty(int unused=1 \"nothing\")",
    .documentation = "Trains three rows.",
#endif
    .needs = "",
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = free,
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.faulty", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
#ifdef FORGETS
  exports = host->interface_for(PTUNE_EXPORT_V1);
#endif
#ifdef NEEDS_ITS_HOST
  size_t size = ops->struct_size;
  (void)size;
#endif
  return &plugin;
}
