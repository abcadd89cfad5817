"""The Markdown report of quality.py's results."""

import json
import statistics

TITLES = {"sentences": "SST-2", "entities": "{entities_name}", "questions": "SQuAD"}
HEADER = """# Quality against PyTorch

Written by `Benchmarks/quality.py --report`; its `--help` says how to run it. Numbers are percent on the test rows after
the last step. A difference is ptune's result minus PyTorch's, over the seeds that both have; results of several
seeds are in brackets after their mean.
"""
SETTING = """Both sides get the same rows, frozen base model ({base}), batch size, number of
steps, learning rate, schedule, optimiser (AdamW), prompt length, initialisation and head. PyTorch is trained twice:

- *lockstep*: it starts from exactly ptune's initial values, and uses ptune's batches in ptune's order. Only the
  arithmetic differs, and the dropout masks if a method has dropout.
- *own start*: it draws its own initial values of the same kind, and its own order. Two such runs differ as two
  seeds do. With so few steps, the difference can be large; where lockstep agrees with ptune, initial values and
  order caused it.

"PEFT" makes the prompt with PEFT's own encoder, and plain PyTorch combines it with the text in transformers'
BertModel, so that both sides pool the text's own rows; where PEFT's own forward pass applies, it gives the same
rows.
"plain PyTorch" is a method that PEFT lacks. PEFT's multi-task factors start around 0; here they start near 1 on both
sides.

Machine: {processor}, {cores} cores, {system}; {threads} threads, one training at a time. Examples/s
are from training steps of the same runs, while other programs used the machine too, so they are only indicative.
"""


def percent(value):
    return f"{100 * value:.1f}"


def values(results, method, tasks, side, task, measure):
    """The result of each seed."""
    return {
        run["seed"]: run["metrics"][task][measure]
        for run in results["runs"]
        if (run["method"], run["tasks"], run["side"]) == (method, tasks, side)
    }


def cell(found):
    """The mean, and what it is the mean of."""
    if not found:
        return "–"
    each = [found[seed] for seed in sorted(found)]
    mean = percent(statistics.mean(each))
    return mean if len(each) == 1 else f"{mean} ({', '.join(map(percent, each))})"


def rows_of_task(results, methods, task, measures):
    """A row for each method that ptune and PyTorch were both trained with."""
    for method, (_, rate, other) in methods.items():
        runs = [run for run in results["runs"] if (run["method"], run["tasks"]) == (method, task)]
        sides = [[run for run in runs if (run["side"] == "ptune") == ours] for ours in (True, False)]
        if not all(sides):
            continue
        cells = [method, other, f"{rate:g}"]
        for measure in measures:
            ours, alike, own = (
                values(results, method, task, side, task, measure) for side in ("ptune", "lockstep", "pytorch")
            )
            cells += [cell(ours), cell(alike), difference(ours, alike), cell(own), difference(ours, own)]
        counts = {run["trainable_parameters"] for run in runs}
        cells.append(" or ".join(f"{count:,}" for count in sorted(counts)))
        key = "examples_per_second"
        speeds = [statistics.mean(run[key] for run in side if key in run) for side in sides]
        cells.append(" / ".join(f"{speed:.0f}" for speed in speeds))
        yield cells


def difference(ours, theirs):
    """Of means, over the seeds that both have."""
    if not theirs:
        return "–"
    seeds = ours.keys() & theirs.keys()
    mean = lambda found: statistics.mean(found[seed] for seed in seeds)
    return f"{100 * (mean(ours) - mean(theirs)):+.1f}" if seeds else "–"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def settings_line(results, task, tasks):
    training = tasks[task]["training"]
    rows = next(run["rows"] for run in results["runs"] if run["tasks"] == task and "rows" in run)
    steps = sorted({run["steps"] for run in results["runs"] if run["tasks"] == task})
    return (
        f"{rows['train']:,} training rows, {rows['test']:,} test rows; {training['epochs']} "
        f"{'pass' if training['epochs'] == 1 else 'passes'} over them in batches "
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
            header += [f"ptune {measure}", "lockstep", "difference", "own start", "difference"]
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
            f"{title(task)} {measure}"
            for task in together[0]["tasks"].split("+")
            for measure in tasks[task]["measures"]
        ]
        parts += [
            "## All tasks together\n",
            f"One adapter for all tasks, only ptune: `{json.dumps(results['together'])}`, batches of one task, in "
            "proportion to its rows. Each cell: together / the task alone, with the passes and the batch size of its "
            "section above, so that the steps of a task differ.\n",
            table(["method", "steps", "trainable", *names], rows),
        ]
    return "\n".join(parts)
