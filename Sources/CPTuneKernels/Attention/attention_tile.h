/*
 * The products of segment attention. They differ from those of matmul_kernel.h in what they are made for: operands that
 * stay where they are, in several runs of rows, and scores of which a part is masked and left out.
 */
#ifndef PTUNE_ATTENTION_TILE_H
#define PTUNE_ATTENTION_TILE_H

#include "Attention/attention_gather.h"
#include "Attention/attention_prefetch.h"

/* c [rows, vectors·WIDTH] = left [rows, k]·right [k, vectors·WIDTH], with right the first k rows of its runs from
   `column` on; each row times its factor, unless NULL; or c + … when adding. */
typedef struct {
  left_operand left;
  const row_run *right;
  size_t column, k;
  const float *factors;
  bool adding;
  float *c;
  size_t c_stride;
} tile_task;

/* `rows`, `vectors` and `transposed` must be constants where this is inlined. */
PTK_INLINE void run_tile(const int rows, const int vectors, const bool transposed, const tile_task *task) {
  vector sums[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[r][v] = (vector){0};
  left_operand left = task->left;
  size_t left_over = task->k;
  for (const row_run *run = task->right; left_over > 0; run++) {
    const size_t count = run->count < left_over ? run->count : left_over;
    add_tile(rows, vectors, transposed, count, left, run->values + task->column, run->stride, sums);
    left.values += transposed ? count * left.stride : count;
    left_over -= count;
  }
  float *c = task->c;
  const size_t c_stride = task->c_stride;
  if (task->factors)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] *= task->factors[r];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      float *to = c + r * c_stride + v * WIDTH;
      STORE(to, task->adding ? LOAD(to) + sums[r][v] : sums[r][v]);
    }
}

/* Not inlined, so that there is one copy of each tile in the processor's cache. */
static __attribute__((noinline)) void plain_tile(size_t rows, size_t columns, const tile_task *task) {
#define CASE(count) \
  case count: return columns < COLUMNS ? run_tile(count, 1, false, task) : run_tile(count, VECTORS, false, task);
  TILE_HEIGHTS(rows, CASE)
#undef CASE
}

/* The same with the left operand's columns contiguous. */
static __attribute__((noinline)) void transposed_tile(size_t rows, size_t columns, const tile_task *task) {
#define CASE(count) \
  case count: return columns < COLUMNS ? run_tile(count, 1, true, task) : run_tile(count, VECTORS, true, task);
  TILE_HEIGHTS(rows, CASE)
#undef CASE
}

enum { MAX_BLOCK_QUERIES = 128 };

/* A block of queries in strips as high as a tile, and of each strip the largest number of keys that one of its queries sees. */
typedef struct {
  size_t count, begin[MAX_BLOCK_QUERIES / 4 + 1], seen[MAX_BLOCK_QUERIES / 4];
} query_strips;

/* c [queries, keys] = left·right [k, keys], as far as each strip sees, in whole vectors. */
static void product_to_seen(const query_strips *strips, size_t k, left_operand left, const row_run *right, float *c,
                            size_t c_stride, prefetch_queue *queue) {
  bool more = true;
  for (size_t j = 0; more; j += COLUMNS) {
    more = false;
    for (size_t s = 0; s < strips->count; s++) {
      const size_t limit = padded_to_width(strips->seen[s]), row = strips->begin[s];
      if (limit <= j) continue;
      if (limit > j + COLUMNS) more = true;
      plain_tile(strips->begin[s + 1] - row, limit - j,
                 &(tile_task){.left = {left.values + row * left.stride, left.stride},
                              .right = right,
                              .column = j,
                              .k = k,
                              .c = c + row * c_stride + j,
                              .c_stride = c_stride});
      prefetch_some(queue);
    }
  }
}

/* c [queries, n] = left [queries, keys]·right [keys, n], over the keys that each strip sees; n in whole vectors. */
static void product_over_seen(const query_strips *strips, bool transposed, size_t n, left_operand left,
                              const row_run *right, const float *factors, float *c, size_t c_stride,
                              prefetch_queue *queue) {
  for (size_t j = 0; j < n; j += COLUMNS)
    for (size_t s = 0; s < strips->count; s++) {
      const size_t row = strips->begin[s];
      (transposed ? transposed_tile : plain_tile)(
          strips->begin[s + 1] - row, n - j,
          &(tile_task){.left = {left.values + row * (transposed ? 1 : left.stride), left.stride},
                       .right = right,
                       .column = j,
                       .k = strips->seen[s],
                       .factors = factors ? factors + row : NULL,
                       .c = c + row * c_stride + j,
                       .c_stride = c_stride});
      prefetch_some(queue);
    }
}

#endif
