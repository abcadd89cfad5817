#include "ptune_curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Numbers of libcurl's interface, which it keeps for ever (curl/curl.h): kind times 10,000, plus the option's own. */
enum {
  LONG = 0,
  POINTER = 10000,
  FUNCTION = 20000,
  OFFSET = 30000,

  WRITEDATA = POINTER + 1,
  URL = POINTER + 2,
  ERRORBUFFER = POINTER + 10,
  WRITEFUNCTION = FUNCTION + 11,
  POSTFIELDS = POINTER + 15,
  LOW_SPEED_LIMIT = LONG + 19,
  LOW_SPEED_TIME = LONG + 20,
  HTTPHEADER = POINTER + 23,
  HEADERDATA = POINTER + 29,
  CUSTOMREQUEST = POINTER + 36,
  NOPROGRESS = LONG + 43,
  NOBODY = LONG + 44,
  POST = LONG + 47,
  XFERINFODATA = POINTER + 57,
  CAINFO = POINTER + 65,
  CONNECTTIMEOUT = LONG + 78,
  HEADERFUNCTION = FUNCTION + 79,
  NOSIGNAL = LONG + 99,
  POSTFIELDSIZE_LARGE = OFFSET + 120,
  PROTOCOLS = LONG + 181,
  XFERINFOFUNCTION = FUNCTION + 219,

  HTTP_AND_HTTPS = 1 | 2,
  GLOBAL_ALL = 3,
  OUT_OF_MEMORY = 27,
};

struct list;

static struct {
  int (*global_init)(long);
  void *(*easy_init)(void);
  void (*easy_cleanup)(void *);
  void (*easy_reset)(void *);
  int (*easy_setopt)(void *, int, ...);
  int (*easy_perform)(void *);
  const char *(*easy_strerror)(int);
  struct list *(*slist_append)(struct list *, const char *);
  void (*slist_free_all)(struct list *);
} curl;

static bool loaded;

static bool find(void *library) {
  struct {
    const char *name;
    void *function;
  } wanted[] = {
      {"curl_global_init", &curl.global_init},       {"curl_easy_init", &curl.easy_init},
      {"curl_easy_cleanup", &curl.easy_cleanup},     {"curl_easy_reset", &curl.easy_reset},
      {"curl_easy_setopt", &curl.easy_setopt},       {"curl_easy_perform", &curl.easy_perform},
      {"curl_easy_strerror", &curl.easy_strerror},   {"curl_slist_append", &curl.slist_append},
      {"curl_slist_free_all", &curl.slist_free_all},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    void *symbol = dlsym(library, wanted[i].name);
    if (!symbol) return false;
    memcpy(wanted[i].function, &symbol, sizeof symbol);
  }
  return true;
}

static void load(void) {
  static const char *const names[] = {
#ifdef __APPLE__
      "/usr/lib/libcurl.4.dylib",
#else
      "libcurl.so.4",
      "libcurl-gnutls.so.4",
#endif
  };
  for (size_t i = 0; i < sizeof names / sizeof *names && !loaded; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    loaded = library && find(library) && curl.global_init(GLOBAL_ALL) == 0;
  }
}

bool ptune_curl_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return loaded;
}

void *ptune_curl_open(void) { return curl.easy_init(); }

void ptune_curl_close(void *connection) { curl.easy_cleanup(connection); }

static size_t header(char *line, size_t size, size_t count, void *request) {
  const ptune_curl_request *r = request;
  r->take_header(r->context, line, size * count);
  return size * count;
}

static size_t body(char *bytes, size_t size, size_t count, void *request) {
  const ptune_curl_request *r = request;
  /* Anything but the size of the piece makes libcurl give up. */
  return r->take_body(r->context, bytes, size * count) ? size * count : SIZE_MAX;
}

static int progress(void *request, int64_t all, int64_t received, int64_t to_send, int64_t sent) {
  (void)all, (void)received, (void)to_send;
  const ptune_curl_request *r = request;
  return r->is_cancelled(r->context, (uint64_t)sent);
}

ptune_curl_result ptune_curl_perform(void *connection, const ptune_curl_request *request) {
  ptune_curl_result result = {.code = OUT_OF_MEMORY};
  /* libcurl writes more into it than fits beside the code. */
  char message[256] = "";
  struct list *headers = NULL;
  for (size_t i = 0; i < request->header_count; i++) {
    struct list *longer = curl.slist_append(headers, request->headers[i]);
    if (!longer) goto end;
    headers = longer;
  }
  curl.easy_reset(connection);
#define SET(option, value) curl.easy_setopt(connection, option, value)
  SET(URL, request->url);
  SET(PROTOCOLS, (long)HTTP_AND_HTTPS);
  SET(NOSIGNAL, 1L);
  SET(ERRORBUFFER, message);
  SET(HTTPHEADER, headers);
  SET(CONNECTTIMEOUT, request->connect_seconds);
  SET(LOW_SPEED_LIMIT, 1L);
  SET(LOW_SPEED_TIME, request->idle_seconds);
  if (request->authorities) SET(CAINFO, request->authorities);
  if (request->body) {
    SET(POST, 1L);
    SET(POSTFIELDS, request->body);
    SET(POSTFIELDSIZE_LARGE, (int64_t)request->body_size);
  }
  if (strcmp(request->method, "HEAD") == 0) {
    SET(NOBODY, 1L);
  } else {
    SET(CUSTOMREQUEST, request->method);
  }
  SET(HEADERFUNCTION, header);
  SET(HEADERDATA, (void *)request);
  SET(WRITEFUNCTION, body);
  SET(WRITEDATA, (void *)request);
  SET(NOPROGRESS, 0L);
  SET(XFERINFOFUNCTION, progress);
  SET(XFERINFODATA, (void *)request);
  result.code = curl.easy_perform(connection);
  /* The request and the buffer are gone when this returns. */
  SET(ERRORBUFFER, NULL);
#undef SET
end:
  if (result.code != 0) {
    snprintf(result.message, sizeof result.message, "%s", message[0] ? message : curl.easy_strerror(result.code));
  }
  curl.slist_free_all(headers);
  return result;
}
