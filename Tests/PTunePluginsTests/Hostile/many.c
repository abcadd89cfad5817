/* Ten thousand components, the same one each time. */
#define COMPONENT_COUNT 10000
#include "minimal.h"
