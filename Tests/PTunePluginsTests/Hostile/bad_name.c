#define NAME "Good Name"
#include "minimal.h"
