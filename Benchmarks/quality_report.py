"""The Markdown report of quality.py's results."""

import json
import statistics

TITLES = {"sentences": "SST-2", "entities": "{entities_name}", "questions": "SQuAD"}
HEADER = """# Quality against PyTorch

Written by `Benchmarks/quality.py --report`; its `--help` says how to run it. Numbers are percent on the test rows after
the last step; a difference is ptune's result minus PyTorch's, of means where there are several seeds.
"""
SETTING = """Both sides get the same rows, frozen base model ({base}), batch size, number of steps, learning rate, schedule,
optimiser (AdamW), prompt length, kind of start and head. The order of the batches and the random numbers are each
side's own, so that two runs differ as two seeds do; "in lockstep" is PyTorch's result from ptune's start with ptune's
order of batches, to be held against ptune's first. "PEFT" makes the prompt with PEFT's own encoder, which is joined to
the text by plain PyTorch over transformers' BertModel, so that both pool the text's own rows; "plain PyTorch" is a
method that PEFT lacks. PEFT's multi-task factors start around 0; here they start near 1 on both sides.

Machine: {processor}, {cores} cores, {system}; {threads} threads, one training at a time. Examples/s are from training
steps of the same runs, while other programs used the machine too: they are data, no claim.
"""


def percent(value):
    return f"{100 * value:.1f}"


def values(results, method, tasks, side, task, measure):
    """The results of all seeds."""
    return [
        run["metrics"][task][measure]
        for run in results["runs"]
        if (run["method"], run["tasks"], run["side"]) == (method, tasks, side)
    ]


def cell(found):
    """The mean, and what it is the mean of."""
    if not found:
        return "–"
    mean = percent(statistics.mean(found))
    return mean if len(found) == 1 else f"{mean} ({', '.join(map(percent, found))})"


def rows_of_task(results, methods, task, measures):
    for method, (_, rate, other) in methods.items():
        runs = [run for run in results["runs"] if (run["method"], run["tasks"]) == (method, task)]
        by_side = {side: [run for run in runs if run["side"] == side] for side in ("ptune", "pytorch")}
        if not all(by_side.values()):
            continue
        cells = [method, other, f"{rate:g}"]
        for measure in measures:
            ours, theirs = (values(results, method, task, side, task, measure) for side in by_side)
            difference = 100 * (statistics.mean(ours) - statistics.mean(theirs))
            alike = values(results, method, task, "lockstep", task, measure)
            cells += [cell(ours), cell(theirs), f"{difference:+.1f}", cell(alike)]
        counts = [sorted({run["trainable_parameters"] for run in side}) for side in by_side.values()]
        same = counts[0] == counts[1] and len(counts[0]) == 1
        cells.append(f"{counts[0][0]:,}" if same else f"{counts[0]} / {counts[1]}")
        speeds = [statistics.mean(run["examples_per_second"] for run in side) for side in by_side.values()]
        cells.append(" / ".join(f"{speed:.0f}" for speed in speeds))
        yield cells


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def settings_line(results, task, tasks):
    training = tasks[task]["training"]
    rows = next(run["rows"] for run in results["runs"] if run["tasks"] == task and "rows" in run)
    steps = sorted({run["steps"] for run in results["runs"] if run["tasks"] == task})
    return (
        f"{rows['train']:,} rows to train on, {rows['test']:,} to measure on; {training['epochs']} epoch(s) of batches "
        f"of {training['batch_size']}: {' or '.join(map(str, steps))} steps; texts or windows of at most "
        f"{training['maximum_length']} tokens; head `{json.dumps(tasks[task]['head'])}`.\n"
    )


def markdown(results, methods, tasks, common):
    title = lambda task: TITLES[task].format(**results)
    parts = [HEADER, SETTING.format(**results, **results["machine"])]
    parts.append(f"Common to all: `{json.dumps(common)}`; 20 virtual tokens; a pool has 10 entries of 5. "
                 "Methods as in a run file:\n")  # fmt: skip
    parts.append(table(["method", "adapter"], [[name, f"`{json.dumps(m[0])}`"] for name, m in methods.items()]))
    for task, told in tasks.items():
        rows = list(rows_of_task(results, methods, task, told["measures"]))
        if not rows:
            continue
        parts += [f"## {title(task)}\n", settings_line(results, task, tasks)]
        header = ["method", "other side", "learning rate"]
        for measure in told["measures"]:
            header += [f"ptune {measure}", f"PyTorch {measure}", "difference", "in lockstep"]
        parts.append(table(header + ["trainable", "examples/s, ptune / PyTorch"], rows))
    together = [run for run in results["runs"] if "+" in run["tasks"]]
    if together:
        rows = []
        for run in together:
            cells = [run["method"], str(run["steps"]), f"{run['trainable_parameters']:,}"]
            for task in run["tasks"].split("+"):
                for measure in tasks[task]["measures"]:
                    alone = values(results, run["method"], task, "ptune", task, measure)
                    cells.append(f"{percent(run['metrics'][task][measure])} / {cell(alone)}")
            rows.append(cells)
        names = [
            f"{title(task)} {measure}" for task in together[0]["tasks"].split("+") for measure in tasks[task]["measures"]
        ]  # fmt: skip
        parts += [
            "## All tasks together\n",
            f"One adapter for all tasks, ptune alone: `{json.dumps(results['together'])}`, batches of one task, in "
            "proportion to its rows. Each cell: together / the task alone.\n",
            table(["method", "steps", "trainable", *names], rows),
        ]
    return "\n".join(parts)
