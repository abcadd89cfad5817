/* A good plugin: its create takes every type of hyperparameter and writes down what it was given. */
#include <stdio.h>
#include <string.h>
#include "ptune.h"

static char seen[512];

static ptune_status create(ptune_call *call, void **self, int32_t i, int64_t l, float f, double d, bool b,
                           const char *s, const ptune_strings_v1 *list, int32_t last) {
  int used =
      snprintf(seen, sizeof seen, "%d %lld %.9g %.17g %s <%s>", i, (long long)l, (double)f, d, b ? "true" : "false", s);
  for (size_t n = 0; n < list->count; n++)
    used += snprintf(seen + used, sizeof seen - (size_t)used, " <%s>", list->items[n]);
  snprintf(seen + used, sizeof seen - (size_t)used, " %d", last);
  if (i == 13) return PTUNE_BAD_ARGUMENT;
  *self = call;
  return PTUNE_OK;
}

static int destroyed;
static void destroy(void *self) { destroyed += self != NULL; }
static const int *destructions(void) { return &destroyed; }

/* Calls a function that the host made as only C can call it. */
static ptune_status call_closure(void (*made)(void), ptune_call *call, void **self) {
  static const char *const items[] = {"x", "y z"};
  static const ptune_strings_v1 list = {2, items};
  typedef ptune_status made_create(ptune_call *, void **, int32_t, int64_t, float, double, bool, const char *,
                                   const ptune_strings_v1 *, int32_t);
  return ((made_create *)made)(call, self, -7, INT64_MAX, 0.1f, -2.5e-300, true, "caf\xc3\xa9", &list, 42);
}

static const ptune_component_v1 component;
static const void *extension(const ptune_component_v1 *asked, const char *id) {
  if (asked != &component) return NULL;
  if (strcmp(id, "test.seen/1") == 0) return seen;
  if (strcmp(id, "test.destructions/1") == 0) return destructions();
  if (strcmp(id, "test.call/1") == 0) return (const void *)call_closure;
  return NULL;
}

static size_t positions(void *self) { return self == NULL; }
static ptune_status inject(void *self, ptune_call *call, ptune_batch *batch, ptune_injections *into) {
  return self || call || batch || into ? PTUNE_FAILED : PTUNE_OK;
}

static const ptune_adapter_v1 methods = {sizeof(ptune_adapter_v1), positions, inject, NULL};
static const ptune_component_v1 component = {
    .struct_size = sizeof(ptune_component_v1),
    .kind = PTUNE_ADAPTER,
    .name = "every-type",
    .summary = "takes hyperparameters of every type",
    .schema =
        "every_type(int i [..100] \"a required one\", long l=5000000000, float f=0.1 [0..1],\n"
        "  double d=1e-300, bool b=false, string s=\"mean\" {mean|first|none}, strings list=[],\n"
        "  int last=-3)",
    .documentation = "Writes down what it was given.",
    .needs = PTUNE_CLOSURES_V1,
    .methods = &methods,
    .create = (void (*)(void))create,
    .destroy = destroy,
    .extension = extension,
};
static const ptune_component_v1 *const components[] = {&component};
static const ptune_plugin_v1 plugin = {sizeof(ptune_plugin_v1), "org.example.every-type", "0.3.1", "c", 1, components};

PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *host) {
  /* Insisting on an interface here is allowed. */
  return host->interface_for(PTUNE_OPS_V1) != NULL ? &plugin : NULL;
}
