#define PLUGIN_SIZE (sizeof(ptune_plugin_v1) + 8)
#include "minimal.h"
