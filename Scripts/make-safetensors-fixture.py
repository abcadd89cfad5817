"""Writes Tests/PTuneFormatsTests/ReferenceFile.swift: a small file as the reference implementation saves it.

Needs torch and safetensors. Run from the repository's root.
"""

import torch
from safetensors.torch import save

tensors = {
    "weight": torch.tensor([[1.0, -2.5, 3.25], [0.0, 1e-8, -1e30]]),
    "double": torch.tensor([0.1, -1e300], dtype=torch.float64),
    "half": torch.tensor([1.0, -0.5, 65504.0, 6e-8, float("inf"), 0.1], dtype=torch.float16),
    "brain": torch.tensor([1.0, -0.1, 3e38], dtype=torch.bfloat16),
    "ids": torch.tensor([0, -1, 2**40]),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros(0, 4),
    "mask": torch.tensor([True, False, True]),
}
floats = {name: t.to(torch.float32).flatten().tolist() for name, t in tensors.items() if t.is_floating_point()}


def swift(value):
    return {"inf": ".infinity", "-inf": "-.infinity"}.get(str(value), repr(value))


lines = [
    "// Written by Scripts/make-safetensors-fixture.py.",
    "",
    "/// A small file as the reference implementation saves it.",
    "enum ReferenceFile {",
    "  static let hexadecimal = \"\"\"",
]
digits = save(tensors, metadata={"format": "pt"}).hex()
lines += ["    " + digits[at : at + 96] for at in range(0, len(digits), 96)]
lines += ['    """', "", "  static let floats: [String: [Float]] = ["]
lines += [f'    "{name}": [{", ".join(map(swift, values))}],' for name, values in sorted(floats.items())]
lines += ["  ]", "}", ""]
with open("Tests/PTuneFormatsTests/ReferenceFile.swift", "w") as file:
    file.write("\n".join(lines))
