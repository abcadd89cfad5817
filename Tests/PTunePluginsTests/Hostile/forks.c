#include <unistd.h>
#define ID "org.example.forks"
#define NAME "forks"
#define SCHEMA "forks(int virtual_tokens=20)"
#include "minimal.h"
__attribute__((constructor)) static void split(void) { (void)(fork() < 0); }
