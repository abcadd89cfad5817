"""Shows that a training's memory stays flat: samples the resident memory of `ptune train` over its steps.

    python3 Benchmarks/memory.py [--steps 500] [--batch-size 16]

Prints one JSON document: resident bytes at each tenth of the run, the peak, and the growth from the half to the end.
Linux only: it reads /proc.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time


def resident(process):
    """Resident bytes of a running process; None once it has ended."""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return None
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) * 1024 if lines else None


def steps_done(metrics):
    """The last step in metrics.jsonl, 0 before the first."""
    if not metrics.exists():
        return 0
    steps = [json.loads(line)["step"] for line in metrics.read_text().splitlines() if '"step"' in line]
    return steps[-1] if steps else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ptune", default=".build/release/ptune")
    parser.add_argument("--run", default="Examples/demo.yaml")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch-size", type=int, default=16)
    options = parser.parse_args()
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        command = [options.ptune, "train", options.run, "--quiet", "--output", folder]
        command += ["--max-steps", str(options.steps), "--batch-size", str(options.batch_size), "--epochs", "99"]
        command += ["--set", "training.evaluate_every=never", "--set", "training.log_every=1"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        metrics = pathlib.Path(folder, "metrics.jsonl")
        while process.poll() is None:
            bytes_now, step = resident(process), steps_done(metrics)
            # The evaluation at the end has batches of its own.
            if bytes_now and 0 < step < options.steps:
                samples.append((step, bytes_now))
            time.sleep(0.2)
        if process.returncode != 0:
            sys.exit(f"error: ptune ended with status {process.returncode}; run it alone to see why")
    if not samples:
        sys.exit("error: the run was over before a sample was taken; give more --steps")

    def at(share):
        return min(samples, key=lambda sample: abs(sample[0] - share * options.steps))[1]

    result = {
        "steps": options.steps,
        "resident_bytes": {f"{10 * tenth} %": at(tenth / 10) for tenth in range(1, 11)},
        "peak_bytes": max(memory for _, memory in samples),
        "growth_after_half_bytes": at(1) - at(0.5),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
