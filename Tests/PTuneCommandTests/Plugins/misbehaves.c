/* An adapter that does what its hyperparameter says, while a training calls it. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "ptune.h"

static const ptune_host_v1 *host;
static const ptune_ops_v1 *ops;
static const ptune_injections_v1 *injections;
static const ptune_parameters_v1 *parameters;
static char how[64];
static ptune_parameter *own;

static bool is(const char *name) { return strcmp(how, name) == 0; }

static void *from_another_thread(void *call) { return ops->fill(call, 2, 32, 1); }

static ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  static ptune_tensor *kept;
  ptune_tensor *ones = ops->fill(call, 2, 32, 1);
  (void)self, (void)batch;
  if (is("garbage")) return injections->input(into, (ptune_tensor *)0xdeadbeef12345678, PTUNE_AT_START, false);
  if (is("batch-as-tensor")) return injections->input(into, (ptune_tensor *)batch, PTUNE_AT_START, false);
  if (is("garbage-injections")) return injections->input((ptune_injections *)&how, ones, PTUNE_AT_START, false);
  if (is("kept")) {
    if (kept) return injections->input(into, kept, PTUNE_AT_START, false);
    kept = ones;
  }
  if (is("shape")) return injections->input(into, ops->fill(call, 2, 7, 1), PTUNE_AT_START, false);
  if (is("not-a-number")) return injections->input(into, ops->affine(ones, 1.0f / 0.0f, 0), PTUNE_AT_START, false);
  if (is("another-thread")) {
    pthread_t thread;
    void *made = NULL;
    if (pthread_create(&thread, NULL, from_another_thread, call) == 0) pthread_join(thread, &made);
    return injections->input(into, made, PTUNE_AT_START, false);
  }
  if (is("without-end"))
    for (ptune_tensor *next = ones; next;) next = ops->affine(next, 1, 0);
  if (is("too-large")) return injections->input(into, ops->fill(call, (size_t)-5, 32, 1), PTUNE_AT_START, false);
  if (is("no-reason")) return PTUNE_FAILED;
  if (is("strange-status")) return 77;
  if (is("segfault")) *(volatile int *)8 = 1;
  if (is("abort")) abort();
  if (is("frees-twice")) {
    void *volatile memory = malloc(40);
    free(memory);
    free(memory);
  }
  return injections->input(into, parameters->value(call, own), PTUNE_AT_START, false);
}

static ptune_status create(ptune_call *call, void **self, const char *named) {
  if (strlen(named) >= sizeof how) return PTUNE_BAD_ARGUMENT;
  strcpy(how, named);
  const size_t shape[] = {2, 32};
  const ptune_initial_v1 one = {.kind = PTUNE_INITIAL_CONSTANT, .a = 1};
  own = parameters->declare(call, "rows", shape, 2, &one);
  if (is("parameter-twice")) parameters->declare(call, "rows", shape, 2, &one);
  *self = &how;
  return own ? PTUNE_OK : PTUNE_FAILED;
}

static size_t positions(void *self) { return self ? 2 : 0; }
static const ptune_adapter_v1 methods = {sizeof methods, positions, inject, NULL};
static const ptune_component_v1 component = {
    .struct_size = sizeof component,
    .kind = PTUNE_ADAPTER,
    .name = "misbehaves",
    .summary = "does what it should not",
    .schema = "misbehaves(string how \"what\")",
    .documentation = "",
    .needs = PTUNE_OPS_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
};
static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.misbehaves", "1.0.0", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *given) {
  host = given;
  ops = host->interface_for(PTUNE_OPS_V1);
  injections = host->interface_for(PTUNE_INJECTIONS_V1);
  parameters = host->interface_for(PTUNE_PARAMETERS_V1);
  return &plugin;
}
