#include "ptune_inflate.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* zlib's z_stream, which it keeps for ever (zlib.h). */
typedef struct zlib_stream {
  const unsigned char *next_in;
  unsigned avail_in;
  unsigned long total_in;
  unsigned char *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *message;
  void *state;
  void *(*allocate)(void *, unsigned, unsigned);
  void (*release)(void *, void *);
  void *opaque;
  int data_type;
  unsigned long adler, reserved;
} zlib_stream;

enum {
  ZLIB_OK = 0,
  ZLIB_END = 1,
  ZLIB_NO_PROGRESS = -5,
  ZLIB_NO_FLUSH = 0,
  /* The largest window, and a gzip header around it. */
  ZLIB_GZIP_WINDOW = 15 + 16,
};

/* zstd's buffers (zstd.h). */
typedef struct zstd_input {
  const void *bytes;
  size_t size, place;
} zstd_input;

typedef struct zstd_output {
  void *bytes;
  size_t size, place;
} zstd_output;

static struct {
  int (*init)(zlib_stream *, int, const char *, int);
  int (*inflate)(zlib_stream *, int);
  int (*reset)(zlib_stream *);
  int (*end)(zlib_stream *);
} zlib;

static struct {
  void *(*create)(void);
  size_t (*release)(void *);
  size_t (*decompress)(void *, zstd_output *, zstd_input *);
  unsigned (*is_error)(size_t);
} zstd;

static bool has_zlib, has_zstd;

typedef struct symbol {
  const char *name;
  void *function;
} symbol;

static bool find(const char *const *names, size_t name_count, const symbol *wanted, size_t count) {
  void *library = NULL;
  for (size_t i = 0; i < name_count && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
  for (size_t i = 0; i < count; i++) {
    void *found = dlsym(library, wanted[i].name);
    if (!found) return false;
    memcpy(wanted[i].function, &found, sizeof found);
  }
  return true;
}

static void load(void) {
#ifdef __APPLE__
  static const char *const zlibs[] = {"/usr/lib/libz.1.dylib"};
  static const char *const zstds[] = {"libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib"};
#else
  static const char *const zlibs[] = {"libz.so.1"};
  static const char *const zstds[] = {"libzstd.so.1"};
#endif
  const symbol of_zlib[] = {
      {"inflateInit2_", &zlib.init},
      {"inflate", &zlib.inflate},
      {"inflateReset", &zlib.reset},
      {"inflateEnd", &zlib.end},
  };
  const symbol of_zstd[] = {
      {"ZSTD_createDStream", &zstd.create},
      {"ZSTD_freeDStream", &zstd.release},
      {"ZSTD_decompressStream", &zstd.decompress},
      {"ZSTD_isError", &zstd.is_error},
  };
#define COUNT(list) (sizeof(list) / sizeof(list)[0])
  has_zlib = find(zlibs, COUNT(zlibs), of_zlib, COUNT(of_zlib));
  has_zstd = find(zstds, COUNT(zstds), of_zstd, COUNT(of_zstd));
#undef COUNT
}

bool ptune_inflate_load(ptune_compression compression) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return compression == PTUNE_GZIP ? has_zlib : has_zstd;
}

struct ptune_inflater {
  ptune_compression compression;
  bool ended;
  zlib_stream stream;
  void *frames;
};

ptune_inflater *ptune_inflate_open(ptune_compression compression) {
  ptune_inflater *inflater = calloc(1, sizeof *inflater);
  if (!inflater) return NULL;
  inflater->compression = compression;
  bool opened;
  if (compression == PTUNE_GZIP) {
    /* zlib compares the first digit of the version and the size of the struct. */
    opened = zlib.init(&inflater->stream, ZLIB_GZIP_WINDOW, "1", (int)sizeof inflater->stream) == ZLIB_OK;
  } else {
    inflater->frames = zstd.create();
    opened = inflater->frames != NULL;
  }
  if (opened) return inflater;
  free(inflater);
  return NULL;
}

void ptune_inflate_close(ptune_inflater *inflater) {
  if (inflater->compression == PTUNE_GZIP) {
    zlib.end(&inflater->stream);
  } else {
    zstd.release(inflater->frames);
  }
  free(inflater);
}

static ptune_inflation inflate_gzip(ptune_inflater *inflater, const void *input, size_t input_size, size_t *taken,
                                    void *output, size_t output_size, size_t *given) {
  zlib_stream *stream = &inflater->stream;
  if (inflater->ended) {
    if (zlib.reset(stream) != ZLIB_OK) return PTUNE_DAMAGED;
    inflater->ended = false;
  }
  unsigned in = input_size > UINT_MAX ? UINT_MAX : (unsigned)input_size;
  unsigned out = output_size > UINT_MAX ? UINT_MAX : (unsigned)output_size;
  stream->next_in = input;
  stream->avail_in = in;
  stream->next_out = output;
  stream->avail_out = out;
  int status = zlib.inflate(stream, ZLIB_NO_FLUSH);
  *taken = in - stream->avail_in;
  *given = out - stream->avail_out;
  if (status == ZLIB_END) {
    inflater->ended = true;
    return PTUNE_INFLATED;
  }
  return status == ZLIB_OK || status == ZLIB_NO_PROGRESS ? PTUNE_INFLATING : PTUNE_DAMAGED;
}

static ptune_inflation inflate_zstd(ptune_inflater *inflater, const void *input, size_t input_size, size_t *taken,
                                    void *output, size_t output_size, size_t *given) {
  zstd_input in = {input, input_size, 0};
  zstd_output out = {output, output_size, 0};
  size_t left = zstd.decompress(inflater->frames, &out, &in);
  *taken = in.place;
  *given = out.place;
  if (zstd.is_error(left)) return PTUNE_DAMAGED;
  return left == 0 ? PTUNE_INFLATED : PTUNE_INFLATING;
}

ptune_inflation ptune_inflate(ptune_inflater *inflater, const void *input, size_t input_size, size_t *taken,
                              void *output, size_t output_size, size_t *given) {
  return inflater->compression == PTUNE_GZIP
             ? inflate_gzip(inflater, input, input_size, taken, output, output_size, given)
             : inflate_zstd(inflater, input, input_size, taken, output, output_size, given);
}
