"""Trains the demo with ptune and with PyTorch by turns, and prints one JSON document with both and their ratio.

    python3 Benchmarks/compare_demo.py [--repeats 2] [--max-steps 100]

The same model, data, hyperparameters, batch size and threads on both sides; Benchmarks/demo.json states the run
file's hyperparameters for PyTorch. Accuracy should agree within a point when all steps are taken. A table for
people goes to standard error.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def document(command):
    """The JSON document that a command prints."""
    print("running:", *map(str, command), file=sys.stderr)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]} ended with status {done.returncode}; run it alone to see why")
    return json.loads(done.stdout[done.stdout.index("{") :])


def figures(result):
    """What both sides report, under the same names."""
    metrics = result["metrics"]
    if "test" in metrics:  # ptune: by part of the data and task
        metrics = {
            f"{part}_accuracy": next(iter(tasks.values()))["accuracy"] for part, tasks in metrics.items() if tasks
        }
    else:
        metrics = {name: value for name, value in metrics.items() if name.endswith("accuracy")}
    names = ["trainable_parameters", "steps", "seconds", "examples_per_second", "peak_memory_bytes"]
    return {name: result[name] for name in names if name in result} | metrics


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ptune", default=".build/release/ptune")
    parser.add_argument("--run", default="Examples/demo.yaml")
    parser.add_argument("--settings", default=HERE / "demo.json")
    parser.add_argument("--python", default=sys.executable, help="one with torch, transformers and peft")
    parser.add_argument("--repeats", type=int, default=1, help="how often both run, by turns")
    parser.add_argument("--max-steps", type=int, default=0, help="0: all of them")
    options = parser.parse_args()
    probe = subprocess.run([options.python, "-c", "import torch, transformers, peft"], stderr=subprocess.DEVNULL)
    if probe.returncode:
        sys.exit(
            f"error: {options.python} has no torch, transformers or peft\n"
            "help: python3 -m venv .venv && .venv/bin/pip install -r Scripts/generate/fixtures/requirements.txt, then "
            "make bench PYTHON=.venv/bin/python"
        )
    limit = ["--max-steps", options.max_steps] if options.max_steps else []
    runs = {"ptune": [], "pytorch": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            ptune = [options.ptune, "train", options.run, "--json", "--quiet", "--output", folder]
            runs["ptune"].append(figures(document(ptune + limit)))
            pytorch = [options.python, HERE / "pytorch_demo.py", "--settings", options.settings]
            runs["pytorch"].append(figures(document(pytorch + limit)))
    medians = {
        side: {name: statistics.median(run[name] for run in results) for name in results[0]}
        for side, results in runs.items()
    }
    shared = [name for name in medians["ptune"] if name in medians["pytorch"]]
    result = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "run": options.run,
        "max_steps": options.max_steps or None,
        "runs": runs,
        "medians": medians,
        "ratio": {
            name: medians["ptune"][name] / medians["pytorch"][name]
            for name in ["examples_per_second", "peak_memory_bytes"]
            if name in shared
        },
    }
    print(f"{'':24}{'ptune':>16}{'pytorch':>16}", file=sys.stderr)
    for name in shared:
        print(f"{name:24}{medians['ptune'][name]:>16.6g}{medians['pytorch'][name]:>16.6g}", file=sys.stderr)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
