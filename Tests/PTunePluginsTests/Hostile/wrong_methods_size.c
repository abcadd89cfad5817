#define METHODS_SIZE 24
#include "minimal.h"
