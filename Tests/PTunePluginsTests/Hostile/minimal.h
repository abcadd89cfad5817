/* A plugin with one adapter that does nothing. The files beside this one spoil it, each in its own way, by
   defining some of these before they include it. */
#include "ptune.h"

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef ID
#define ID "org.example.good"
#endif
#ifndef NAME
#define NAME "good"
#endif
#ifndef SCHEMA
#define SCHEMA "good(int virtual_tokens=20 [1..512] \"rows\")"
#endif
#ifndef KIND
#define KIND PTUNE_ADAPTER
#endif
#ifndef NEEDS
#define NEEDS PTUNE_OPS_V1
#endif
#ifndef INJECT
#define INJECT inject
#endif
#ifndef METHODS_SIZE
#define METHODS_SIZE sizeof(ptune_adapter_v1)
#endif
#ifndef COMPONENT_SIZE
#define COMPONENT_SIZE sizeof(ptune_component_v1)
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(ptune_plugin_v1)
#endif
#ifndef COMPONENT_COUNT
#define COMPONENT_COUNT 1
#endif
#ifndef BEFORE_RETURN
#define BEFORE_RETURN (void)host
#endif

static size_t positions(void *self) { return self == NULL; }

static inline ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  return self || call || batch || into ? PTUNE_FAILED : PTUNE_OK;
}

static ptune_status create(ptune_call *call, void **self, int32_t virtual_tokens) {
  *self = call;
  return virtual_tokens > 0 ? PTUNE_OK : PTUNE_BAD_ARGUMENT;
}

static const ptune_adapter_v1 methods = {METHODS_SIZE, positions, INJECT, NULL};

static const ptune_component_v1 component = {
    .struct_size = COMPONENT_SIZE,
    .kind = KIND,
    .name = NAME,
    .summary = "does nothing",
    .schema = SCHEMA,
    .documentation = "",
    .needs = NEEDS,
    .methods = &methods,
    .create = (void (*)(void))create,
};

static const ptune_component_v1 *const components[] = {[0 ... COMPONENT_COUNT - 1] = &component};
static const ptune_plugin_v1 plugin = {PLUGIN_SIZE, ID, VERSION, "c", COMPONENT_COUNT, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *host) {
  BEFORE_RETURN;
  return &plugin;
}
