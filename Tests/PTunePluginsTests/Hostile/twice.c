/* The same name twice. */
#define COMPONENT_COUNT 2
#include "minimal.h"
