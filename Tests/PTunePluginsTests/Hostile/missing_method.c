#define INJECT NULL
#include "minimal.h"
