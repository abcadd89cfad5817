#define NEEDS "ptune.ops/1 ptune.ops/7 ptune.telepathy/1"
#include "minimal.h"
