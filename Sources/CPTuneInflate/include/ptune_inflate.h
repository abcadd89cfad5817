/*
 * The system's zlib and libzstd, opened when a compressed file is first read: they are then needed by those alone who
 * have such files.
 */
#ifndef PTUNE_INFLATE_H
#define PTUNE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ptune_compression { PTUNE_GZIP, PTUNE_ZSTD } ptune_compression;

typedef struct ptune_inflater ptune_inflater;

typedef enum ptune_inflation {
  PTUNE_INFLATING, /* more input or more room is wanted */
  PTUNE_INFLATED,  /* a member (gzip) or a frame (zstd) ended; another one may follow */
  PTUNE_DAMAGED,
} ptune_inflation;

/* Opens the library; false if the system has none. Any thread, any number of times. */
bool ptune_inflate_load(ptune_compression compression);

/* After ptune_inflate_load; NULL without memory. */
ptune_inflater *ptune_inflate_open(ptune_compression compression);
void ptune_inflate_close(ptune_inflater *inflater);

/* Turns input into output, as much as there is of the one and as fits into the other; says how much it took and gave. */
ptune_inflation ptune_inflate(ptune_inflater *inflater, const void *input, size_t input_size, size_t *taken,
                              void *output, size_t output_size, size_t *given);

#endif
