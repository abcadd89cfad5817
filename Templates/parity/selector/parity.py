"""Reference values for `ptune check-plugin --parity`: the selector's formula in plain Python, without the plugin.

α = softmax(s · q·kᵀ / √d) for the query q of each sequence and the keys k of the pool.
"""

import json
import math
import random

random.seed(1)
QUERIES, KEYS, COLUMNS = 2, 4, 16
queries = [[random.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(QUERIES)]
keys = [[random.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(KEYS)]
scale = 1.5


def softmax(scores):
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


weights = [
    softmax([scale * sum(a * b for a, b in zip(query, key)) / math.sqrt(COLUMNS) for key in keys]) for query in queries
]
print(
    json.dumps(
        {
            "parameters": {"scale": [[scale]]},
            "queries": queries,
            "keys": keys,
            "expect": {"weights": weights},
        }
    )
)
