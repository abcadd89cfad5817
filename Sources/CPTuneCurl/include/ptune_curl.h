/*
 * The system's libcurl, opened when the hub is first asked for something: linking it would load some thirty libraries
 * at every start of ptune. Its functions take their options as variable arguments, which Swift cannot pass.
 */
#ifndef PTUNE_CURL_H
#define PTUNE_CURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One exchange. Texts are NUL-terminated; all pointers are borrowed until ptune_curl_perform returns. */
typedef struct ptune_curl_request {
  const char *method; /* "GET", "HEAD", "POST", "PUT" */
  const char *url;    /* http or https */
  const char *const *headers;
  size_t header_count;
  const void *body; /* NULL for none */
  uint64_t body_size;
  long connect_seconds; /* how long making the connection may take */
  long idle_seconds;    /* how long nothing may arrive */
  const char *authorities; /* a file of certificates; NULL for the system's */
  void *context;
  /* A line of the head; of several heads (100, then 200) each begins with "HTTP/". */
  void (*take_header)(void *context, const char *line, size_t size);
  /* A piece of the body; false gives up. */
  bool (*take_body)(void *context, const void *bytes, size_t size);
  /* Asked several times a second, with the bytes of the body sent so far; true gives up. */
  bool (*is_cancelled)(void *context, uint64_t sent);
} ptune_curl_request;

/* How it ended. */
typedef struct ptune_curl_result {
  int code; /* 0, or libcurl's number for what went wrong (CURLE_…) */
  char message[256];
} ptune_curl_result;

/* Opens libcurl; false if the system has none. Any thread, any number of times. */
bool ptune_curl_load(void);

/* A connection that is kept between exchanges; NULL without memory. After ptune_curl_load. */
void *ptune_curl_open(void);
void ptune_curl_close(void *connection);

/* Runs one exchange, redirects not followed. One at a time on a connection. */
ptune_curl_result ptune_curl_perform(void *connection, const ptune_curl_request *request);

#endif
