#define BEFORE_RETURN ((const ptune_ops_v1 *)host->interface_for(PTUNE_OPS_V1))->fill(NULL, 1, 1, 0)
#include "minimal.h"
