"""Reference values for `ptune check-plugin --parity`: the head's formulas in plain Python, without the plugin.

scores = W·(mean of a text's hidden rows) + b, loss = the mean cross-entropy of the right labels. The model of the check
has 16 columns.
"""

import json
import math
import random

random.seed(1)
LENGTHS, LABELS, COLUMNS = [3, 2], ["a", "b", "c"], 16
hidden = [[random.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(sum(LENGTHS))]
weight = [[random.gauss(0, 1) for _ in range(COLUMNS)] for _ in LABELS]
bias = [random.gauss(0, 1) for _ in LABELS]
targets = [2, 0]

scores, loss, begin = [], 0.0, 0
for length, target in zip(LENGTHS, targets):
    rows = hidden[begin : begin + length]
    begin += length
    mean = [sum(column) / length for column in zip(*rows)]
    score = [sum(w * x for w, x in zip(row, mean)) + b for row, b in zip(weight, bias)]
    scores.append(score)
    loss += (math.log(sum(math.exp(s) for s in score)) - score[target]) / len(LENGTHS)
print(
    json.dumps(
        {
            "hyperparameters": {"labels": LABELS},
            "parameters": {"weight": weight, "bias": [bias]},
            "batch": [[1] * length for length in LENGTHS],
            "hidden": hidden,
            "targets": [[target] for target in targets],
            "expect": {"scores": scores, "loss": [[loss]]},
        }
    )
)
