"""Writes a tiny checkpoint of this model type with random weights, for the tests: python3 tests/make_model.py FOLDER"""

import json
import os
import random
import struct
import sys

LAYERS, SIZE, VOCABULARY = 2, 8, 32


def weights():
    """Name -> rows of numbers, the same each time, in single precision."""
    random.seed(2)

    def matrix(rows):
        return [
            [struct.unpack("f", struct.pack("f", random.gauss(0, 0.5)))[0] for _ in range(SIZE)] for _ in range(rows)
        ]

    tensors = {"words": matrix(VOCABULARY)}
    for layer in range(LAYERS):
        for name in ("query", "key", "value"):
            tensors[f"layers.{layer}.{name}"] = matrix(SIZE)
    return tensors


def main(folder):
    os.makedirs(folder, exist_ok=True)
    config = {
        "model_type": "__NAME__",
        "hidden_size": SIZE,
        "num_hidden_layers": LAYERS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 128,
    }
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=2)
    with open(f"{folder}/vocab.txt", "w") as file:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        words = "a the it was film plot good great fun warm bad dull slow cold and not very so is of to in".split()
        file.write("\n".join((special + words + [f"##{c}" for c in "abcdefghij"])[:VOCABULARY]) + "\n")
    header, data = {}, b""
    for name, rows in weights().items():
        values = [value for row in rows for value in row]
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {
            "dtype": "F32",
            "shape": [len(rows), SIZE],
            "data_offsets": [len(data), len(data) + len(packed)],
        }
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    main(sys.argv[1])
