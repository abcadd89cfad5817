/*
 * Rows of one head are short pieces far apart, which no processor sees coming: without a hint, attention of short
 * segments waits for memory more than half of its time. So while one head of a segment is worked on, what the next one
 * needs is brought near, a little after every tile of a product.
 */

enum { COMING = 16 };

/* Rows of `floats` floats that are needed soon, the last first. */
typedef struct {
  struct {
    const float *values;
    size_t stride, count, floats;
  } parts[COMING];
  size_t count;
} coming_rows;

static void will_need(coming_rows *coming, const float *values, size_t stride, size_t count, size_t floats) {
  if (count == 0 || coming->count == COMING) return;
  coming->parts[coming->count].values = values;
  coming->parts[coming->count].stride = stride;
  coming->parts[coming->count].count = count;
  coming->parts[coming->count].floats = floats;
  coming->count++;
}

/* About as many lines as one tile leaves time for. */
static void fetch_some(coming_rows *coming) {
  enum { LINE_FLOATS = 64 / sizeof(float), LINES = 24 };
  for (size_t lines = 0; coming->count > 0 && lines < LINES;) {
    const size_t last = coming->count - 1, floats = coming->parts[last].floats;
    const float *values = coming->parts[last].values;
    for (size_t j = 0; j < floats; j += LINE_FLOATS, lines++) __builtin_prefetch(values + j, 0, 2);
    coming->parts[last].values += coming->parts[last].stride;
    if (--coming->parts[last].count == 0) coming->count--;
  }
}

/* The key-value head that is worked on after one, in the next segment after the last; false if there is none. */
static bool go_on(const ptk_attention *attention, size_t kv_begin, size_t kv_end, size_t *segment, size_t *kv) {
  if (++*kv < kv_end) return true;
  *kv = kv_begin;
  return ++*segment < attention->segment_count;
}

/* The rows of a segment's queries, or of what is shaped like them: the columns of a key-value head's query heads. */
static void will_need_heads(coming_rows *coming, const ptk_attention *attention, const segment_shape *shape, size_t kv,
                            const float *rows, size_t stride) {
  const size_t floats = attention->heads / attention->kv_heads * attention->head_size;
  if (rows)
    will_need(coming, rows + shape->query_begin * stride + kv * floats, stride, shape->query_end - shape->query_begin,
              floats);
}

/* The rows of a segment's keys and values, and of their gradients. */
static void will_need_sources(coming_rows *coming, const ptk_attention *attention, const segment_shape *shape,
                              size_t kv, bool gradients) {
  for (size_t i = 0; i < shape->range_count; i++) {
    const ptk_range *range = &shape->ranges[i];
    const ptk_key_values *source = &attention->sources[range->source];
    const float *const rows[] = {gradients ? source->key_gradients : NULL, gradients ? source->value_gradients : NULL,
                                 source->keys, source->values};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
      if (rows[r])
        will_need(coming, rows[r] + place_of(attention, range, kv), source->stride, (size_t)range->count,
                  attention->head_size);
  }
}
