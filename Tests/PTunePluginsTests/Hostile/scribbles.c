#include <unistd.h>
#include "minimal.h"
__attribute__((constructor)) static void scribble(void) {
  ssize_t written = write(3, "hello", 6);
  (void)written;
}
