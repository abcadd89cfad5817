int ptune_test_symbol_that_nobody_defines(void);
#define BEFORE_RETURN \
  if (ptune_test_symbol_that_nobody_defines()) return host == NULL ? &plugin : NULL
#include "minimal.h"
