#include "Attention/attention_terms.h"

#include <string.h>

void ptk_attention_terms_forward(const ptk_attention *attention, const ptk_attention_terms *terms, size_t rows,
                                 size_t kv_begin, size_t kv_end, float *out, size_t out_stride, float *log_sums) {
  const size_t group = attention->heads / attention->kv_heads, size = attention->head_size;
  for (size_t s = 0; s < attention->segment_count; s++) {
    const size_t first = (size_t)attention->segments[s].query_begin;
    const size_t end = first + (size_t)attention->segments[s].query_count;
    for (size_t begin = first, count; begin < end; begin += count) {
      count = end - begin < PTK_TERMS_QUERIES ? end - begin : PTK_TERMS_QUERIES;
      const ptk_terms_block block = ptk_terms_lay_out(attention, terms, s, begin, count, 0);
      for (size_t kv = kv_begin; kv < kv_end; kv++) {
        ptk_terms_gather(&block, kv);
        for (size_t head = kv * group; head < (kv + 1) * group; head++) {
          ptk_terms_scores(&block, head);
          ptk_terms_softmax(&block, head, log_sums + head * rows + begin);
          ptk_gemm(false, false, count, size, block.keys, 1, block.scores, block.keys, block.values_of_head, size, 0,
                   out + begin * out_stride + head * size, out_stride);
        }
      }
    }
  }
}

void ptk_attention_terms_weights(const ptk_attention *attention, const ptk_attention_terms *terms, size_t segment,
                                 size_t query, size_t head, float *weights) {
  const ptk_terms_block block = ptk_terms_lay_out(attention, terms, segment, query, 1, 0);
  float log_sum;
  ptk_terms_gather(&block, head / (attention->heads / attention->kv_heads));
  ptk_terms_scores(&block, head);
  ptk_terms_softmax(&block, head, &log_sum);
  memset(weights, 0, ptk_terms_segment_keys(attention, segment) * sizeof *weights);
  for (size_t j = 0; j < block.keys; j++) weights[block.order[j]] = block.scores[j];
}
