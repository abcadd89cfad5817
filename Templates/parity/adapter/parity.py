"""Reference values for `ptune check-plugin --parity`: the method's formula in plain Python, without the plugin.

p_i = g_i · r_i for each row i of the prompt. The model of the check has 16 columns.
"""

import json
import random

random.seed(1)
ROWS, COLUMNS = 3, 16
prompt = [[random.gauss(0, 1) for _ in range(COLUMNS)] for _ in range(ROWS)]
gates = [[random.gauss(1, 0.5)] for _ in range(ROWS)]
print(
    json.dumps(
        {
            "hyperparameters": {"virtual_tokens": ROWS},
            "parameters": {"prompt": prompt, "gates": gates},
            "expect": {"input": [[gate[0] * value for value in row] for row, gate in zip(prompt, gates)]},
        }
    )
)
