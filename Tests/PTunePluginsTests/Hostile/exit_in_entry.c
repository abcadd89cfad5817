#include <stdlib.h>
#define BEFORE_RETURN exit(host == NULL)
#include "minimal.h"
