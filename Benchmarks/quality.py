"""Trains ptune's methods, and the same with PyTorch (PEFT where it has the method), and compares their quality.

    python Benchmarks/quality.py --model MODEL --sst2 FOLDER --entities FOLDER --squad FOLDER \\
        --results runs/quality.json --report Docs/quality.md

Data, each left out with its option:
  --sst2      train.tsv and dev.tsv as in GLUE's SST-2: the columns sentence and label (0, 1)
  --entities  train.conll and dev.conll: a word and its tag a line, blank lines between sentences, such as CoNLL-2003
              or WNUT-17; --entities-name says which
  --squad     train.json and validation.json as SQuAD's: questions without an answer are passed over

Both sides get the same rows, base model, batch size, steps, learning rate, schedule, optimiser, prompt length, kind of
start and head. PyTorch trains twice: the side `pytorch` has its own random numbers and order of batches, `lockstep`
starts where ptune starts and takes ptune's batches, so that only the arithmetic differs, and dropout's masks. With
several tasks ptune also trains them together. Each result is kept in --results, and what is there is not trained
again; the report is made of it. Prints the results as one JSON document. Runs one training at a time.

Needs what Scripts/generate/fixtures/requirements.txt lists.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import quality_report

HERE = pathlib.Path(__file__).resolve().parent
P = 20
POOL = {"plugin": "prompt-pool", "pool_size": 10, "virtual_tokens": 5}
MPT = {"plugin": "multitask-prompt-tuning", "form": "factors", "rank": 1, "virtual_tokens": P}
# The adapter as in a run file, its recommended learning rate, and what makes the other side's prompt.
METHODS = {
    "prompt-tuning": ({"plugin": "prompt-tuning"}, 3e-2, "PEFT"),
    "prefix-tuning key-value": ({"plugin": "prefix-tuning"}, 3e-2, "PEFT"),
    "prefix-tuning mlp": ({"plugin": "prefix-tuning", "reparameterization": "mlp"}, 1e-3, "PEFT"),
    "prefix-tuning hidden": ({"plugin": "prefix-tuning", "form": "hidden"}, 3e-2, "plain PyTorch"),
    "p-tuning mlp": ({"plugin": "p-tuning", "encoder": "mlp"}, 1e-3, "PEFT"),
    "p-tuning lstm": ({"plugin": "p-tuning", "encoder": "lstm"}, 1e-3, "PEFT"),
    "p-tuning-v2": ({"plugin": "p-tuning-v2", "dropout": 0.1}, 3e-2, "PEFT and dropout"),
    "prompt-pool attention": (POOL, 1e-2, "plain PyTorch"),
    "multitask-prompt-tuning factors": (MPT, 1e-2, "PEFT"),
}
COMMON = {
    "evaluation_batch_size": 64, "optimizer": "adamw", "schedule": "linear", "warmup_ratio": 0.06,
    "weight_decay": 0.01, "clip_norm": 1,
}  # fmt: skip
TASKS = {
    "sentences": {
        "head": {"plugin": "sequence-classification", "pooling": "mean", "dropout": 0},
        "data": {"format": "tsv", "text": "sentence", "label": "label", "maximum_rows": 5000},
        "training": {"epochs": 1, "batch_size": 32, "maximum_length": 64},
        "measures": ["accuracy"],
    },
    "entities": {
        "head": {"plugin": "token-classification", "dropout": 0},
        "data": {"format": "conll"},
        "training": {"epochs": 2, "batch_size": 32, "maximum_length": 64},
        "measures": ["f1"],
    },
    "questions": {
        "head": {"plugin": "extractive-qa", "doc_stride": 64},
        "data": {"format": "squad"},
        "training": {"epochs": 2, "batch_size": 16, "maximum_length": 192},
        "measures": ["exact_match", "f1"],
    },
}
TOGETHER_TRAINING = {"epochs": 1, "batch_size": 32, "maximum_length": 192}
TOGETHER = ["multitask-prompt-tuning factors", "prefix-tuning key-value"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", required=True, help="folder of a BERT encoder, such as all-MiniLM-L6-v2")
    add("--sst2", type=pathlib.Path)
    add("--entities", type=pathlib.Path)
    add("--entities-name", default="CoNLL-2003")
    add("--squad", type=pathlib.Path)
    add("--questions", type=int, nargs=2, default=[1000, 400], help="how many to train on and to measure on")
    add("--ptune", default=".build/release/ptune")
    add("--python", default=sys.executable, help="one with torch, transformers, peft and seqeval")
    add("--threads", type=int, default=os.cpu_count())
    add("--seeds", type=int, nargs="+", default=[42])
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD")
    add("--tasks", nargs="+", choices=[*TASKS, "together"], default=[*TASKS, "together"])
    add("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="what to train")
    add("--results", type=pathlib.Path, required=True)
    add("--report", type=pathlib.Path, help="the Markdown file to write")
    return parser.parse_args()


def answerable(source, target, count):
    """Writes the first questions that have an answer, one for each paragraph's turn, as a SQuAD file."""
    paragraphs = [p for article in json.loads(source.read_text())["data"] for p in article["paragraphs"]]
    turns = [[q for q in p["qas"] if q["answers"]] for p in paragraphs]
    chosen = [
        (turn, number)
        for turn in range(max(map(len, turns)))
        for number, questions in enumerate(turns)
        if turn < len(questions)
    ][:count]
    made = [
        {"context": paragraphs[number]["context"], "qas": [turns[number][turn]]}
        for turn, number in sorted(chosen, key=lambda place: place[::-1])
    ]
    target.write_text(json.dumps({"version": "1.1", "data": [{"title": "chosen", "paragraphs": made}]}))


def files(options, folder):
    """The training and the test file of each task whose data is given."""
    found = {}
    if options.sst2:
        found["sentences"] = options.sst2 / "train.tsv", options.sst2 / "dev.tsv"
    if options.entities:
        found["entities"] = options.entities / "train.conll", options.entities / "dev.conll"
    if options.squad:
        found["questions"] = folder / "train.json", folder / "validation.json"
        for path, count in zip(found["questions"], options.questions):
            answerable(options.squad / path.name, path, count)
    return {task: tuple(str(path.resolve()) for path in paths) for task, paths in found.items()}


def settings(options, method, tasks, paths, seed):
    """What both sides are told: the parts of a run file."""
    adapter, rate, _ = METHODS[method]
    training = TASKS[tasks[0]]["training"]
    if len(tasks) > 1:
        training = TOGETHER_TRAINING
    return {
        "model": str(pathlib.Path(options.model).resolve()),
        "adapter": {"virtual_tokens": P} | adapter,
        "selector": "attention" if adapter["plugin"] == "prompt-pool" else None,
        "tasks": [
            {
                "name": task, "head": TASKS[task]["head"],
                "data": TASKS[task]["data"] | dict(zip(("train", "test"), paths[task])),
            }
            for task in tasks
        ],
        "training": COMMON | training | {"learning_rate": rate, "seed": seed, "threads": options.threads},
    }  # fmt: skip


def document(command):
    """The JSON document that a command prints last."""
    print("running:", *map(str, command), file=sys.stderr, flush=True)
    # PyTorch's threads otherwise wait for each other in a loop, which takes the processor from the one waited for
    # where other programs run too.
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{done.stderr[-2000:]}\nerror: {command[0]} ended with status {done.returncode}")
    return json.loads(done.stdout[done.stdout.index("{") :])


def run_file(told, folder):
    run = {
        "base": {"model": told["model"]}, "adapter": told["adapter"], "selector": told["selector"],
        "tasks": told["tasks"], "output": str(folder / "output"),
        "training": {"checkpoint_every": "never"} | told["training"],
    }  # fmt: skip
    path = folder / "run.yaml"
    path.write_text(json.dumps({key: value for key, value in run.items() if value}))  # JSON is YAML
    return path


def by_ptune(options, told, folder):
    result = document([options.ptune, "train", run_file(told, folder), "--json", "--quiet"])
    return {
        "metrics": result["metrics"]["test"],
        "trainable_parameters": result["trainable_parameters"],
        "steps": result["steps"],
        "examples_per_second": result["examples_per_second"],
    }


def by_pytorch(options, told, folder):
    task = told["tasks"][0]
    path = folder / "settings.json"
    path.write_text(json.dumps(told | {"head": task["head"]} | task["data"]))
    result = document([options.python, HERE / "pytorch_quality.py", path])
    return result | {"metrics": {task["name"]: result["metrics"]}}


def in_lockstep(options, told, folder):
    task = told["tasks"][0]
    # A checkpoint after one step, whose learning rate is 0: the warm-up begins there.
    data = {key: value for key, value in task["data"].items() if key != "test"}
    training = told["training"] | {"max_steps": 1, "checkpoint_every": 1}
    path = run_file(told | {"tasks": [task | {"data": data}], "training": training}, folder)
    document([options.ptune, "train", path, "--json", "--quiet"])
    ours = json.loads((folder / "output/metrics.jsonl").read_text().splitlines()[0])["loss"]
    start = folder / "output/checkpoints/step-1.safetensors"
    result = by_pytorch(options, told | {"start": str(start)}, folder)
    # Dropout's masks differ; all else would be another start or another batch.
    if not told["adapter"].get("dropout") and abs(ours - result["first_loss"]) > 1e-3:
        sys.exit(f"error: not in lockstep: the first loss is {ours} by ptune, {result['first_loss']} by PyTorch")
    return result


SIDES = {"ptune": by_ptune, "pytorch": by_pytorch, "lockstep": in_lockstep}


def machine():
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def main():
    options = arguments()
    results = json.loads(options.results.read_text()) if options.results.exists() else {"runs": []}
    results |= {
        "machine": machine(), "threads": options.threads, "base": pathlib.Path(options.model).name,
        "entities_name": options.entities_name, "together": TOGETHER_TRAINING,
    }  # fmt: skip
    known = {(run["method"], run["tasks"], run["side"], run["seed"]) for run in results["runs"]}
    with tempfile.TemporaryDirectory() as name:
        paths = files(options, pathlib.Path(name))
        wanted = [
            (seed, method, [task], side)
            for task in options.tasks if task in paths
            for seed in options.seeds for method in options.methods for side in options.sides
        ]  # fmt: skip
        if "together" in options.tasks and len(paths) > 1:
            wanted += [(seed, method, list(paths), "ptune") for seed in options.seeds
                       for method in TOGETHER if method in options.methods]  # fmt: skip
        for seed, method, tasks, side in wanted:
            if (method, "+".join(tasks), side, seed) in known:
                continue
            told = settings(options, method, tasks, paths, seed)
            result = SIDES[side](options, told, pathlib.Path(name))
            print(method, tasks, side, json.dumps(result["metrics"]), file=sys.stderr, flush=True)
            results["runs"].append({"method": method, "tasks": "+".join(tasks), "side": side, "seed": seed} | result)
            options.results.write_text(json.dumps(results, indent=1) + "\n")
    if options.report:
        options.report.write_text(quality_report.markdown(results, METHODS, TASKS, COMMON))
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
