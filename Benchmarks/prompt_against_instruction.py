"""Measures what prompt tuning of a causal model gains over the untuned model and over instructions written by hand.

    Scripts/setup/fetch-demo --causal
    python Benchmarks/prompt_against_instruction.py --e2e FOLDER --output runs/e2e --report Docs/prompt-quality.md

--e2e is a folder with train.csv and test.csv of the E2E challenge (Novikova et al. 2017): the columns mr, facts about a
restaurant, and ref, a sentence that says them. Rows to train on and to validate on are from train.csv, no facts in both;
the test rows' facts are in neither. The frozen model sees the facts and a line end, and scores the sentence and the token
that ends it: as it is; behind each of the instructions below, plain and in its chat template; and behind a trained prompt.
All score the very same tokens, else the command fails. The best instruction and the best step are those of the validation
rows. What is in --output already is not computed again, so an interrupted run goes on. Prints all perplexities and the most
probable texts for three test rows as one JSON document. Needs nothing but Python.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import subprocess
import sys
import textwrap

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
# What stands for the facts is {}.
INSTRUCTIONS = {
    "describe": "Describe the restaurant in one sentence from these facts: {}",
    "data to text": "Data: {}\nWrite one or two short, fluent English sentences that state all of the data above and "
    "nothing else, as a restaurant guide would.\nText:",
    "review site": "You write for a restaurant guide. Turn the list of attributes into a short natural description. Use "
    "every attribute, invent nothing.\n\nAttributes: {}\n\nDescription:",
}  # fmt: skip
UNTUNED, TRAINED = "facts alone", "trained prompt"
SYSTEM = "You turn lists of facts about restaurants into one short, plain sentence, and say nothing else."


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--e2e", type=pathlib.Path, required=True, help="folder with train.csv and test.csv")
    add("--output", type=pathlib.Path, required=True, help="folder for rows, run file, adapter and results")
    add("--model", default=MODEL, help="a folder, a .gguf file or a name on the hub; by default %(default)s")
    add("--ptune", default=".build/release/ptune")
    add("--rows", type=int, default=800, help="to train on")
    add("--held-out", type=int, default=50, help="to validate on, and as many to test on")
    add("--steps", type=int, default=100)
    add("--batch-size", type=int, default=8)
    add("--virtual-tokens", type=int, default=20)
    add("--learning-rate", type=float, default=0.03)
    add("--compute", default="f32", help="f32 or bf16, in training")
    add("--threads", type=int)
    add("--report", type=pathlib.Path, help="the Markdown file to write")
    return parser.parse_args()


def read(path, count, seed, without=()):
    """A sentence each for so many facts, none of those left out."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [(row["mr"], row["ref"].strip()) for row in csv.DictReader(file)]
    source = random.Random(seed)
    source.shuffle(rows)
    chosen = dict(row for row in rows if row[0] not in without)
    return list(chosen.items())[:count]


def split(options):
    """Rows to train on, of which facts may have several, to validate on and to test on."""
    held_out = read(options.e2e / "train.csv", options.held_out, seed=1)
    test = read(options.e2e / "test.csv", options.held_out, seed=2)
    unseen = {facts for facts, _ in held_out + test}
    with open(options.e2e / "train.csv", encoding="utf-8", newline="") as file:
        train = [(row["mr"], row["ref"].strip()) for row in csv.DictReader(file) if row["mr"] not in unseen]
    random.Random(3).shuffle(train)
    return {"train": train[: options.rows], "validation": held_out, "test": test}


def plain(pattern):
    return lambda facts, text: {"prompt": pattern.format(facts) + "\n", "completion": text}


def chat(pattern, system=None):
    def row(facts, text):
        turns = [{"role": "system", "content": system}] if system else []
        turns += [{"role": "user", "content": pattern.format(facts)}, {"role": "assistant", "content": text}]
        return {"messages": turns}

    return row


def forms():
    """How facts and sentence become a row."""
    yield UNTUNED, plain("{}")
    for name, pattern in INSTRUCTIONS.items():
        yield f"{name}, plain", plain(pattern)
        yield f"{name}, chat", chat(pattern)
    yield "system message, chat", chat("{}", SYSTEM)


def write(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def call(*command):
    print("running:", *command, file=sys.stderr, flush=True)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]} {command[1]} ended with status {done.returncode}")
    return done.stdout.decode()


def train(options, folder):
    run = {
        "base": {"model": options.model},
        "adapter": {
            "plugin": "prompt-tuning", "virtual_tokens": options.virtual_tokens, "initialization": "text",
            "initial_text": INSTRUCTIONS["describe"].format(""),
        },
        "tasks": [{
            "name": "e2e", "head": "causal-lm",
            "data": {
                "train": "train.jsonl", "validation": "validation.jsonl", "text": "prompt", "text_pair": "completion",
            },
        }],
        "training": {
            "max_steps": options.steps, "batch_size": options.batch_size, "learning_rate": options.learning_rate,
            "evaluation_batch_size": 16, "evaluate_every": max(1, options.steps // 4), "checkpoint_every": 5,
            "compute": options.compute,
        } | ({"threads": options.threads} if options.threads else {}),
        "output": str(folder / "run"),
    }  # fmt: skip
    path = folder / "run.yaml"
    path.write_text(json.dumps(run, indent=2) + "\n")  # JSON is YAML
    results = folder / "run/results.json"
    if not results.exists():
        resume = ["--resume"] if (folder / "run/checkpoints").exists() else []
        call(options.ptune, "train", path, "--quiet", *resume)
    return json.loads(results.read_text())


class Scores:
    """The log-probability of each row's sentence, and of how many tokens it is the sum."""

    def __init__(self, options, folder, name, rows, adapter):
        output = folder / f"{name}.scores.jsonl"
        write(folder / f"{name}.jsonl", rows)
        if not output.exists():
            without = [] if adapter else ["--without", "prompt-tuning"]
            threads = ["--threads", options.threads] if options.threads else []
            call(
                options.ptune, "predict", "--adapter", folder / "run/adapter", *without, *threads,
                "--input", folder / f"{name}.jsonl", "--output", output, "--batch-size", 8,
            )  # fmt: skip
        found = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
        self.tokens = [row["tokens"] for row in found]
        self.perplexity = math.exp(-sum(row["log_probability"] for row in found) / sum(self.tokens))


def measure(options, folder, splits):
    """Perplexities by form: of the validation rows; of the test rows those of three forms. And which is the best instruction."""
    known = dict([*forms(), (TRAINED, plain("{}"))])
    measured, tokens = {}, {}

    def score(form, part):
        name = f"{part}-{list(known).index(form)}"
        scores = Scores(options, folder, name, [known[form](*row) for row in splits[part]], adapter=form == TRAINED)
        if scores.tokens != tokens.setdefault(part, scores.tokens):
            sys.exit(f"error: '{form}' scores other tokens of the {part} rows than '{UNTUNED}'")
        measured.setdefault(form, {})[part] = scores.perplexity

    for form in known:
        score(form, "validation")
    best = min(set(known) - {UNTUNED, TRAINED}, key=lambda form: measured[form]["validation"])
    for form in (UNTUNED, best, TRAINED):
        score(form, "test")
    return measured, {part: sum(counts) for part, counts in tokens.items()}, best


def samples(options, folder, splits):
    """Greedy texts for the first test rows: behind the trained prompt."""
    rows = splits["test"][:3]
    write(folder / "samples.jsonl", [{"prompt": facts + "\n"} for facts, _ in rows])
    texts = call(
        options.ptune, "generate", "--adapter", folder / "run/adapter", "--input", folder / "samples.jsonl",
        "--max-new-tokens", 64,
    ).splitlines()  # fmt: skip
    return [(facts, json.loads(text)["text"], ref) for (facts, ref), text in zip(rows, texts, strict=True)]


def report(options, results, measured, best, tokens, sizes):
    paragraphs = [
        f"""{pathlib.Path(options.model).name} reads facts of the E2E challenge and scores a sentence that says them. Perplexity
        is over the tokens of the sentences including their end, which are the same in every row of the table:
        {tokens["validation"]:,} of {sizes["validation"]} validation rows and {tokens["test"]:,} of {sizes["test"]} test
        rows. The instruction and the step are those that are best on the validation rows.""",
        f"""The trained prompt is `prompt-tuning` with {options.virtual_tokens} virtual tokens, {results["adapter"]["parameters"]:,}
        parameters that are initialised with the first instruction's words, after step {results["best_step"]} of {options.steps}; a step has {options.batch_size} of {sizes["train"]}
        rows. The learning rate begins at {options.learning_rate}, products are computed in {options.compute}.""",
    ]  # fmt: skip
    lines = [
        "# A trained prompt against an instruction\n",
        "Written by `Benchmarks/prompt_against_instruction.py --report`; its `--help` says how to run it.\n",
    ]
    lines += [textwrap.fill(" ".join(text.split()), 118, break_on_hyphens=False) + "\n" for text in paragraphs]
    lines += ["| before the facts | validation | test |", "|---|---|---|"]
    for form, values in measured.items():
        mark = " (the best instruction)" if form == best else ""
        test = f"{values['test']:.2f}" if "test" in values else "–"
        lines.append(f"| {form}{mark} | {values['validation']:.2f} | {test} |")
    lines += ["", "The instructions, where `{}` stands for the facts:", ""]
    lines += [f"- {name}: `{json.dumps(text)[1:-1]}`" for name, text in INSTRUCTIONS.items()]
    return "\n".join([*lines, f"- system message: `{SYSTEM}`"]) + "\n"


def main():
    options = arguments()
    folder = options.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    splits = split(options)
    for part in ("train", "validation"):
        write(folder / f"{part}.jsonl", [plain("{}")(*row) for row in splits[part]])
    results = train(options, folder)
    measured, tokens, best = measure(options, folder, splits)
    shown = samples(options, folder, splits)
    if options.report:
        sizes = {part: len(rows) for part, rows in splits.items()}
        options.report.write_text(report(options, results, measured, best, tokens, sizes), encoding="utf-8")
    print(
        json.dumps(
            {"perplexity": measured, "best_instruction": best, "tokens": tokens, "samples": shown},
            indent=2,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
