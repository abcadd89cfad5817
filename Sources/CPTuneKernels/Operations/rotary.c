#include <string.h>

#include "Support/kernel_support.h"
#include "ptune_kernels.h"

PTK_INLINE void rotate_halves(size_t pairs, const float *cosines, const float *sines, float direction, const float *x,
                              float *restrict y) {
  for (size_t i = 0; i < pairs; i++) {
    const float a = x[i], b = x[i + pairs], s = direction * sines[i];
    y[i] = a * cosines[i] - b * s;
    y[i + pairs] = b * cosines[i] + a * s;
  }
}

PTK_INLINE void rotate_neighbours(size_t pairs, const float *cosines, const float *sines, float direction,
                                  const float *x, float *restrict y) {
  for (size_t i = 0; i < pairs; i++) {
    const float a = x[2 * i], b = x[2 * i + 1], s = direction * sines[i];
    y[2 * i] = a * cosines[i] - b * s;
    y[2 * i + 1] = b * cosines[i] + a * s;
  }
}

PTK_CLONES void ptk_rotate(size_t rows, size_t heads, size_t head_size, size_t pairs, bool interleaved,
                           const int32_t *positions, const float *cosines, const float *sines, float direction,
                           const float *x, float *y) {
  for (size_t row = 0; row < rows; row++) {
    const float *c = cosines + (size_t)positions[row] * pairs, *s = sines + (size_t)positions[row] * pairs;
    for (size_t head = 0; head < heads; head++, x += head_size, y += head_size) {
      if (interleaved) rotate_neighbours(pairs, c, s, direction, x, y);
      else rotate_halves(pairs, c, s, direction, x, y);
      memcpy(y + 2 * pairs, x + 2 * pairs, (head_size - 2 * pairs) * sizeof *y);
    }
  }
}
