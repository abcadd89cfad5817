"""Reference values for `ptune check-plugin --parity`: the model in plain Python, without the plugin.

x = E[token]; in each layer x = x + softmax(q·kᵀ/√d)·v with q = Wq·x, k = Wk·x, v = Wv·x. The weights are those that
tests/make_model.py writes.
"""

import json
import math
import os
import sys

from make_model import LAYERS, SIZE, main, weights

main(os.path.join(sys.path[0], "tiny-model"))
tensors = weights()
tokens = [3, 1, 4, 1, 5]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


rows = [tensors["words"][token] for token in tokens]
for layer in range(LAYERS):
    queries, keys, values = (
        [times(tensors[f"layers.{layer}.{name}"], row) for row in rows] for name in ("query", "key", "value")
    )
    for index, query in enumerate(queries):
        scores = [math.exp(sum(a * b for a, b in zip(query, key)) / math.sqrt(SIZE)) for key in keys]
        mixed = [sum(s * v[c] for s, v in zip(scores, values)) / sum(scores) for c in range(SIZE)]
        rows[index] = [a + b for a, b in zip(rows[index], mixed)]
print(json.dumps({"batch": [tokens], "expect": {"hidden": rows}}))
