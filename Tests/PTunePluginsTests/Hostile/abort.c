#include <stdio.h>
#include <stdlib.h>
#include "minimal.h"
__attribute__((constructor)) static void give_up(void) {
  fprintf(stderr, "no licence found\nsecond line\n");
  abort();
}
