#define ID "org.example.\xff"
#include "minimal.h"
