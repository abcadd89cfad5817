#define BEFORE_RETURN                                                \
  host->fail(NULL, PTUNE_UNSUPPORTED, "this machine has no abacus"); \
  return NULL
#include "minimal.h"
