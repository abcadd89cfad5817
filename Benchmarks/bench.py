"""Compares ptune with PEFT, both training and scoring by turns on the same weights and batches, and writes a report.

    python Benchmarks/bench.py --ptune .build/release/ptune [--sets short,best] [--models bert-base] [--methods prompt]

Each comparison is a cell: base model / method / virtual tokens / texts / mode / threads. All who take part in a cell
are started one after the other and wait; then they take a few steps each, by turns, several rounds. Finished cells are
in --results and are not measured again without --again, so that a run can be stopped, and continued or widened later.
Needs what Scripts/setup/fetch-demo fetches, and for the models and PEFT what Scripts/generate/fixtures/requirements.txt lists.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import bench_cells
import bench_inputs
import bench_report
import bench_work

HERE = pathlib.Path(__file__).resolve().parent
QUICK = {"models": "minilm-l6,gpt2", "methods": "prompt,prefix", "sets": "short"}


class Contestant:
    """A process that takes steps when it is told to."""

    def __init__(self, name, command):
        self.name, self.command = name, list(map(str, command))
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the process)
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        self.first_step = None
        self.seconds = {"train": [], "score": []}
        self.memory = {}

    def tell(self, command, count):
        """Its seconds for `count` steps; None once it has failed."""
        try:
            self.process.stdin.write(f"{command} {count}\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or "{}")
        except BrokenPipeError:
            answer = {}
        if "seconds" not in answer:
            return None
        if self.first_step is None:
            self.first_step = time.perf_counter() - self.started
        self.memory[command] = answer["peak_memory_bytes"]
        return answer["seconds"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def reason(self):
        """Why it failed, in one line."""
        self.end()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors.read().splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("error:")] or lines[-1:]
        return (told or ["it ended without a word"])[0][:300]


def command(side, variant, cell, options):
    folder = options.cache
    rows = bench_inputs.rows(cell.texts, cell.mode == "best", folder)
    model = bench_inputs.model(cell.model, folder)
    if side == "ptune":
        run = folder / "runs" / f"{cell.name.replace('/', '-')}-{variant}.yaml"
        run.parent.mkdir(parents=True, exist_ok=True)
        run.write_text(bench_cells.run_file(cell, model, rows, variant))
        return [options.ptune, "bench", "steps", run]
    told = json.dumps(dataclasses.asdict(cell))
    return [
        options.python, HERE / "bench_peft.py", "--cell", told, "--model", model, "--rows", rows,
        "--variant", variant,
    ]  # fmt: skip


def measure(cell, options):
    """The record of a cell."""
    parts, failed = [], {}
    for side, variant in bench_cells.contestants(cell, options.compile, options.reduced):
        part = Contestant(f"{side} {variant}", command(side, variant, cell, options))
        if part.tell("train", 1) and part.tell("train", 1):
            parts.append(part)
        else:
            failed[part.name] = part.reason()
            print(f"  {part.name} failed: {failed[part.name]}", file=sys.stderr)
    for phase in ["train", "score"]:
        slowest = 0.0
        for part in list(parts):
            once = part.tell(phase, 1)
            if once is None:
                failed[part.name] = part.reason()
                parts.remove(part)
            else:
                slowest = max(slowest, once[0])
        count = int(min(bench_inputs.BATCHES, max(2, options.round_seconds / max(slowest, 1e-9))))
        for _ in range(options.rounds):
            for part in list(parts):
                seconds = part.tell(phase, count)
                if seconds is None:
                    failed[part.name] = part.reason()
                    parts.remove(part)
                else:
                    part.seconds[phase].append(seconds)
    data = bench_inputs.batches(bench_inputs.rows(cell.texts, cell.mode == "best", options.cache))
    record = {"cell": dataclasses.asdict(cell), "machine": machine(), "failed": failed, "sides": {}}
    for part in parts:
        part.end()
        record["sides"][part.name] = figures = {
            "first_step_seconds": part.first_step,
            "train_peak_bytes": part.memory["train"],
        }
        for index, phase in enumerate(["train", "score"]):
            # The median of a batch over the rounds, and their sum.
            times = [statistics.median(batch) for batch in zip(*part.seconds[phase])]
            needed = sum(bench_work.necessary(cell, batch)[index] for batch in data[: len(times)])
            computed = sum(bench_work.padded(cell, batch)[index] for batch in data[: len(times)])
            figures[phase] = {
                "batches": len(times),
                "examples_per_second": bench_cells.BATCH * len(times) / sum(times),
                "necessary_gflops": needed / sum(times) * 1e-9,
                "rounds": part.seconds[phase],
            }
            record.setdefault("work", {})[phase] = {"necessary": needed, "padded": computed}
    return record


def peak(options):
    """GFLOP/s of the fastest matrix product of this machine."""
    print("measuring matrix products", file=sys.stderr)
    told = [options.ptune, "bench", "operators", "--quick", "--json", "--threads", str(options.threads)]
    return json.loads(subprocess.run(told, check=True, stdout=subprocess.PIPE, text=True).stdout)


def machine():
    """What the figures belong to."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []
    about = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in lines if ":" in line}
    name = about.get("model name", platform.processor() or platform.machine())
    if "cpu family" in about:
        name += f" (family {about['cpu family']}, model {about['model']})"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--ptune", default=".build/release/ptune")
    add("--python", default=sys.executable, help="one with torch, transformers and peft, for PEFT's side")
    add("--sets", help="some of: short, many-tokens, long, best, growth, one-thread; all by default")
    add("--models", help="some of: " + ", ".join(bench_cells.MODELS))
    add("--methods", help="some of: " + ", ".join(bench_cells.METHODS))
    add("--quick", action="store_true", help=f"the same as {QUICK}, where these are not given")
    add("--again", action="store_true", help="measure cells that have a result, too")
    add("--limit-seconds", type=float, help="begin no further cell after so long")
    add("--threads", type=int, default=os.cpu_count())
    add("--rounds", type=int, default=3)
    add("--round-seconds", type=float, default=2.5, help="steps of a round take the slowest side about that")
    add("--compile", action="store_true", help="give PEFT torch.compile too, in the set `best`: minutes a cell")
    add("--reduced", action="store_true", help="give ptune `compute: bf16` too, in the set `best`")
    add("--results", type=pathlib.Path, default=HERE / "results.jsonl")
    add("--report", type=pathlib.Path, help="write the report here")
    add("--cache", type=pathlib.Path, default=bench_inputs.CACHE / "bench", help="for models and rows")
    add("--remark", help="a sentence for the report: what else the machine did meanwhile, say")
    add("--report-only", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.quick:
        for name, value in QUICK.items():
            setattr(options, name, getattr(options, name) or value)
    return options


def chosen(options):
    """The cells that were asked for, each once."""
    known = bench_cells.sets(options.threads)
    names = options.sets.split(",") if options.sets else list(known)
    for given, valid, what in [
        (names, known, "set"),
        ((options.models or "").split(",") if options.models else [], bench_cells.MODELS, "model"),
        ((options.methods or "").split(",") if options.methods else [], bench_cells.METHODS, "method"),
    ]:
        for name in given:
            if name not in valid:
                sys.exit(f"error: there is no {what} '{name}'\nhelp: there are {', '.join(valid)}")
    cells = dict.fromkeys(cell for name in names for cell in known[name])
    return [
        cell
        for cell in cells
        if (not options.models or cell.model in options.models.split(","))
        and (not options.methods or cell.method in options.methods.split(","))
    ]


def main():
    options = arguments()
    cells = chosen(options)
    known = bench_report.read(options.results, machine())
    begin = time.monotonic()
    if not options.report_only:
        probe = [options.python, "-c", "import torch, transformers, peft"]
        if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
            sys.exit(
                f"error: {options.python} has no torch, transformers or peft\n"
                "help: python3 -m venv .venv && .venv/bin/pip install -r Scripts/generate/fixtures/requirements.txt, then "
                "make bench PYTHON=.venv/bin/python"
            )
        key = f"peak {options.threads}"
        if key not in known or options.again:
            known[key] = {"peak": peak(options), "machine": machine(), "threads": options.threads}
            bench_report.append(options.results, known[key])
        missing = [cell for cell in cells if options.again or cell.name not in known]
        for place, cell in enumerate(missing):
            if options.limit_seconds and time.monotonic() - begin > options.limit_seconds:
                print(f"{len(missing) - place} cells are left", file=sys.stderr)
                break
            print(f"[{place + 1}/{len(missing)}] {cell.name}", file=sys.stderr)
            known[cell.name] = measure(cell, options)
            bench_report.append(options.results, known[cell.name])
            for line in bench_report.summary(known[cell.name]):
                print(f"  {line}", file=sys.stderr)
    measured = known.get(f"peak {options.threads}")
    if options.remark and measured:
        measured["remark"] = options.remark
        bench_report.append(options.results, measured)
    if options.report:
        options.report.write_text(bench_report.document(known, options.threads))
    print(json.dumps([known[cell.name] for cell in cells if cell.name in known]))


if __name__ == "__main__":
    main()
