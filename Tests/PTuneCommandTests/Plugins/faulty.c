/* An adapter with a prompt at the input and one fault, which the compiler is told by name. */
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ptune_1_1.h"

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef PARAMETER
#define PARAMETER "prompt"
#endif

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_parameters_v1 *parameters;
static const ptune_base_v1 *base;
static const ptune_injections_v1 *injections;
static const ptune_batch_v1 *batches;
#ifdef FORGETS
static const ptune_export_v1 *exports;
#endif

enum { ROWS = 3 };

typedef struct {
  ptune_parameter *prompt;
  float steps;
} method;
#ifdef SHARES_ITS_INSTANCES
static ptune_parameter *latest;
#endif

#ifdef LEAVES_A_THREAD
static void *sleeps(void *unused) {
  for (;;) pause();
  return unused;
}
#endif

#ifdef EXPORTS_MORE
PTUNE_EXPORT int matmul(void) { return 1; }
#endif

static ptune_status create(ptune_call *call, void **self, int32_t unused) {
  (void)unused;
  ptune_base_facts_v1 facts;
  base->facts(call, &facts);
  ptune_initial_v1 initial = {.kind = PTUNE_INITIAL_NORMAL, .b = 0.5f};
  method *made = calloc(1, sizeof *made);
  made->prompt = parameters->declare(call, PARAMETER, (size_t[]){ROWS, facts.hidden_size}, 2, &initial);
#ifdef SHARES_ITS_INSTANCES
  latest = made->prompt;
#endif
#ifdef LEAVES_A_THREAD
  pthread_t thread;
  pthread_create(&thread, NULL, sleeps, NULL);
#endif
#ifdef ROUNDS_OTHERWISE
  fesetround(FE_UPWARD);
#endif
#ifdef REFUSES
  host->fail(call, PTUNE_UNSUPPORTED, "it does not like this model");
  return PTUNE_UNSUPPORTED;
#endif
  *self = made;
  return made->prompt ? PTUNE_OK : PTUNE_FAILED;
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
  method *own = self;
  ptune_sequences_v1 all;
  batches->sequences(batch, &all);
  ptune_parameter *prompt = own->prompt;
#ifdef SHARES_ITS_INSTANCES
  prompt = latest;
#endif
  ptune_tensor *rows = parameters->value(call, prompt);
#ifdef KEEPS_A_STATE
  own->steps += all.training ? 0.1f : 0;
  if (!all.training) rows = ops->affine(rows, 1, own->steps);
#endif
#ifdef DRIFTS
  own->steps += all.training ? 0.1f : 0;
  rows = ops->affine(rows, 1, all.training ? own->steps : 0);
#endif
#ifdef ANOTHER_IN_EVALUATION
  rows = ops->affine(rows, all.training ? 1 : 1.1f, 0);
#endif
#ifdef READS_THE_CONTINUATION
  rows = ops->affine(rows, 1, 0.01f * (float)all.tokens[all.offsets[1] - 1]);
#endif
#ifdef READS_PAST_THE_END
  rows = ops->affine(rows, 1, all.tokens[all.offsets[all.count]] > 0 ? 0.5f : 0);
#endif
#ifdef WRITES_INTO
  ((int32_t *)all.tokens)[0] = 1;
#endif
#ifdef WRITES_PAST
  ((int32_t *)all.offsets)[all.count + 1] = 7;
#endif
#ifdef NOT_FINITE_ALONE
  if (all.count == 1) rows = ops->affine(rows, NAN, 0);
#endif
#ifdef GOES_ON
  (void)host->cancelled(call);
#endif
#ifdef DRAWS_IN_EVALUATION
  rows = ops->affine(rows, 1, (float)(host->random(call) % 7) / 100);
#endif
#ifdef LEAKS_A_LITTLE
  volatile char *little = malloc(100);
  little[0] = 1;
#endif
#ifdef OPENS_FILES
  if (dup(2) < 0) return PTUNE_FAILED;
#endif
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
  ptune_tensor *rows = parameters->value(call, ((method *)self)->prompt);
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

#ifdef READS
static const void *extension(const ptune_component_v1 *component, const char *id) {
  (void)component;
  static const ptune_reads_v1 reads = {sizeof reads, READS};
  return strcmp(id, PTUNE_READS_V1) == 0 ? &reads : NULL;
}
#endif

static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_ADAPTER,
    .name = "faulty",
    .summary = "a prompt at the input",
#ifdef BLANK
    .schema = "faulty(int unused=1 \" \")",
    .documentation = " \n",
#elif defined(UNDOCUMENTED)
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
#ifdef READS
    .extension = extension,
#endif
};

static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.faulty", VERSION, "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  base = host->interface_for(PTUNE_BASE_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
  batches = host->interface_for(PTUNE_BATCH_V1);
#ifdef FORGETS
  exports = host->interface_for(PTUNE_EXPORT_V1);
#endif
#ifdef NEEDS_ITS_HOST
  size_t size = ops->struct_size;
  (void)size;
#endif
  return &plugin;
}
