#define KIND 99
#include "minimal.h"
