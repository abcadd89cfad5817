#define COMPONENT_SIZE (sizeof(ptune_component_v1) - 8)
#include "minimal.h"
