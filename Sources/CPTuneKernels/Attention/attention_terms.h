/*
 * A block of queries of one segment with the keys that any of them sees: what the forward and the backward pass of
 * attention with terms share.
 */
#ifndef PTUNE_ATTENTION_TERMS_BLOCK_H
#define PTUNE_ATTENTION_TERMS_BLOCK_H

#include "ptune_attention_terms.h"

enum { PTK_TERMS_QUERIES = 64 };

/* A term that goes by distance, in a block: the table's rows that are needed, first … first + count - 1, and of each
   query and key which of them, less first: [queries, keys]. */
typedef struct {
  const ptk_relative *term; /* NULL: there is none */
  int32_t *buckets;
  size_t first, count;
} ptk_block_term;

typedef struct {
  const ptk_attention *attention;
  const ptk_attention_terms *terms;
  size_t begin, queries; /* rows of the queries */
  size_t keys;
  int32_t *order;          /* [keys]: their numbers in the segment */
  int32_t *sources, *rows; /* [keys]: where they come from */
  int32_t *places;         /* [keys] */
  uint8_t *injected;       /* [keys] */
  uint8_t *seen;           /* [queries, keys] */
  float *distances;        /* [queries, keys]: |d|, where a term asks for it */
  ptk_block_term bias, content, position;
  float *keys_of_head, *values_of_head;    /* [keys, head_size] */
  float *scores;                           /* [queries, keys] */
  float *capped;                           /* [queries, keys]: what the cap left, where there is one */
  float *content_scores, *position_scores; /* [queries, content.count], [keys, position.count] */
  float *rest;                             /* room for the backward pass */
} ptk_terms_block;

/* Lays out `count` queries of a segment from row `begin` on, in this thread's scratch, with `rest` floats beside. */
ptk_terms_block ptk_terms_lay_out(const ptk_attention *attention, const ptk_attention_terms *terms, size_t segment,
                                  size_t begin, size_t count, size_t rest);
/* How many rows of a term's table its buckets name; 0 where there is no such term. */
size_t ptk_terms_buckets(const ptk_relative *term);
/* How many keys a segment has. */
size_t ptk_terms_segment_keys(const ptk_attention *attention, size_t segment);
/* Copies keys and values of a key-value head to where they are dense. */
void ptk_terms_gather(const ptk_terms_block *block, size_t kv);
/* The scores of a head, -infinity for keys that a query does not see. */
void ptk_terms_scores(const ptk_terms_block *block, size_t head);
/* Scores → weights, in place; and log Σ exp of each row. */
void ptk_terms_softmax(const ptk_terms_block *block, size_t head, float *log_sums);

#endif
