"""Runs the demo with ptune and with PyTorch, and prints both side by side.

    python3 Benchmarks/compare_demo.py --ptune .build/release/ptune --run Examples/demo.yaml

Benchmarks/demo.json states the run file's hyperparameters for PyTorch. Accuracy should agree within a point.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def document(command):
    """The JSON document that a command ends its output with."""
    print("running:", *map(str, command), file=sys.stderr)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]} ended with status {done.returncode}")
    return json.loads(done.stdout[done.stdout.index("{") :])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ptune", default=".build/release/ptune")
    parser.add_argument("--run", default="Examples/demo.yaml")
    parser.add_argument("--settings", default=HERE / "demo.json")
    parser.add_argument("--python", default=sys.executable, help="one with torch, transformers and peft")
    options = parser.parse_args()
    if subprocess.run([options.python, "-c", "import torch, transformers, peft"], stderr=-3).returncode:
        sys.exit(
            f"error: {options.python} has no torch, transformers or peft\n"
            "help: python3 -m venv .venv && .venv/bin/pip install -r Scripts/fixtures/requirements.txt, then "
            ".venv/bin/python Benchmarks/compare_demo.py"
        )
    results = {
        "ptune": document([options.ptune, "train", options.run, "--json"]),
        "pytorch": document([options.python, HERE / "pytorch_demo.py", "--settings", options.settings]),
    }
    rows = ["trainable_parameters", "steps", "seconds", "examples_per_second"]
    metrics = sorted(set().union(*(result["metrics"] for result in results.values())))
    print(f"{'':28}", *(f"{name:>12}" for name in results))
    for row in rows:
        print(f"{row:28}", *(f"{result.get(row, '-')!s:>12.12}" for result in results.values()))
    for row in metrics:
        print(f"{row:28}", *(f"{result['metrics'].get(row, '-')!s:>12.12}" for result in results.values()))


if __name__ == "__main__":
    main()
