#define SCHEMA "good(int virtual_tokens=20, flaot rate=0.1)"
#include "minimal.h"
