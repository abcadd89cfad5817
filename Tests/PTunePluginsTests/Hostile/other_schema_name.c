#define SCHEMA "better(int virtual_tokens=20)"
#include "minimal.h"
