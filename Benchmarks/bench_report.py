"""Keeps the results of Benchmarks/bench.py, and makes tables of them."""

import dataclasses
import json

from bench_cells import BATCH, PREFIXES, Cell


def read(place, machine):
    """The latest record of each cell that was measured on this machine, by the cell's name."""
    known = {}
    for line in place.read_text().splitlines() if place.exists() else []:
        record = json.loads(line)
        if record["machine"] == machine:
            name = Cell(**record["cell"]).name if "cell" in record else f"peak {record['threads']}"
            known[name] = record
    return known


def append(place, record):
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def side(record, name):
    """The fastest of a side's variants in training, with its name; None without."""
    found = {variant: figures for variant, figures in record["sides"].items() if variant.startswith(name)}
    if not found:
        return None, None
    best = max(found, key=lambda variant: found[variant]["train"]["examples_per_second"])
    return best.split(" ", 1)[1], found[best]


def scoring(record, name):
    """The highest of a side's rates in scoring."""
    rates = [
        figures["score"]["examples_per_second"]
        for variant, figures in record["sides"].items()
        if variant.startswith(name)
    ]
    return max(rates, default=None)


def padded_rate(figures, work):
    """GFLOP/s of what PEFT computes, padding included."""
    return figures["train"]["necessary_gflops"] * work["padded"] / work["necessary"]


def peaks(measured):
    """GFLOP/s of the fastest matrix product, by the precision of its factors."""
    reached = measured.get("peak", {})
    reduced = [product["rate"] for product in reached.get("products", []) if product["operator"].endswith("bf16")]
    return {"f32": reached.get("peak_gflops"), "bf16": max(reduced, default=None)}


def limit(record, reached, phase="train"):
    """The ratio of the rates if what ptune computes ran at the peak of its precision; None without a peak or PEFT."""
    variant, our = side(record, "ptune")
    theirs = side(record, "peft")[1] if phase == "train" else None
    rate = theirs["train"]["examples_per_second"] if theirs else scoring(record, "peft") if phase == "score" else None
    if not rate or not reached[variant]:
        return None
    return our[phase]["examples_per_second"] / rate * reached[variant] / our[phase]["necessary_gflops"]


def work_ratio(record):
    """Operations of PEFT's padded batches over those that a training step needs."""
    work = record["work"]["train"]
    return work["padded"] / work["necessary"]


def summary(record):
    """Lines for whoever watches."""
    for variant, figures in record["sides"].items():
        train, score = figures["train"], figures["score"]
        yield (
            f"{variant:20} {train['examples_per_second']:8.1f} train ex/s {score['examples_per_second']:8.1f} "
            f"score ex/s {figures['train_peak_bytes'] / 1e6:7.0f} MB  first step "
            f"{figures['first_step_seconds']:.2f} s  {train['necessary_gflops']:.0f} GFLOP/s"
        )


def ratio(a, b, digits=1):
    return f"{a / b:.{digits}f}" if a and b else "–"


def table(header, rows):
    return ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]]


def comparison(known, cells, reached):
    """One row for each cell."""
    peak = reached["f32"]
    header = [
        "model", "method", "train ex/s: ptune", "PEFT", "ratio", "limit", "score ex/s: ptune", "PEFT", "ratio",
        "limit", "work ratio", "of peak: ptune", "PEFT", "memory MB: ptune", "PEFT", "ratio", "first step s: ptune", "PEFT",
    ]  # fmt: skip
    rows = []
    for cell in cells:
        record = known[cell.name]
        ours, our = side(record, "ptune")
        theirs, their = side(record, "peft")
        best = cell.mode == "best"

        def figure(figures, variant, phase):
            if not figures:
                return "–"
            shown = f"{figures[phase]['examples_per_second']:.1f}"
            return f"{shown} ({variant})" if best else shown

        their_rate = their and their["train"]["examples_per_second"]
        score, their_score = scoring(record, "ptune"), scoring(record, "peft")
        work = record["work"]["train"]
        memory, their_memory = our["train_peak_bytes"], their and their["train_peak_bytes"]
        rows.append(
            [
                cell.model, cell.method, figure(our, ours, "train"), figure(their, theirs, "train"),
                ratio(our["train"]["examples_per_second"], their_rate), ratio(limit(record, reached), 1), f"{score:.1f}",
                f"{their_score:.1f}" if their_score else "–", ratio(score, their_score),
                ratio(limit(record, reached, "score"), 1), f"{work_ratio(record):.1f}" if their else "–",
                f"{our['train']['necessary_gflops'] / peak:.0%}" if peak else "–",
                f"{padded_rate(their, work) / peak:.0%}" if peak and their else "–",
                f"{memory / 1e6:.0f}", f"{their_memory / 1e6:.0f}" if their else "–",
                ratio(memory, their_memory, 2), f"{our['first_step_seconds']:.2f}",
                f"{their['first_step_seconds']:.1f}" if their else "–",
            ]
        )  # fmt: skip
    return table(header, rows)


def targets(known, threads, reached):
    """What was aimed at, and the worst cell of each kind."""
    peak = reached["f32"]

    def cells(test):
        found = []
        for record in known.values():
            cell = Cell(**record["cell"]) if "cell" in record else None
            if cell and cell.threads == threads and test(cell):
                found.append((cell, record))
        return found

    def rate(record, who):
        return (side(record, who)[1] or {}).get("train", {}).get("examples_per_second")

    def train(record):
        ours, theirs = rate(record, "ptune"), rate(record, "peft")
        return ours / theirs if ours and theirs else None

    def score(record):
        ours, theirs = scoring(record, "ptune"), scoring(record, "peft")
        return ours / theirs if ours and theirs else None

    def memory(record):
        ours, theirs = side(record, "ptune")[1], side(record, "peft")[1]
        return ours["train_peak_bytes"] / theirs["train_peak_bytes"] if ours and theirs else None

    def share(record):
        return side(record, "ptune")[1]["train"]["necessary_gflops"] / peak if peak else None

    def plain(cell):
        return cell.mode == "as-is" and cell.texts == "short"

    def variant_rate(record, variants):
        rates = [record["sides"][v]["train"]["examples_per_second"] for v in variants if v in record["sides"]]
        return max(rates, default=None)

    def reduced(record, *against):
        ours, other = variant_rate(record, ["ptune bf16"]), variant_rate(record, against)
        return ours / other if ours and other else None

    def reduced_against_peft(record):
        return reduced(record, "peft bf16", "peft bf16-autocast", "peft bf16-compiled")

    lines = [
        ("training, encoders, input prompts", train, lambda c: plain(c) and not c.causal and c.method not in PREFIXES, 5, True),
        ("training, encoders, prefix and P-tuning v2", train, lambda c: plain(c) and not c.causal and c.method in PREFIXES, 6, True),
        ("training, causal, input prompts, 20 tokens", train, lambda c: plain(c) and c.causal and c.method not in PREFIXES and c.tokens == 20, 8, True),
        ("training, causal, input prompts, 100 tokens", train, lambda c: plain(c) and c.causal and c.method not in PREFIXES and c.tokens == 100, 15, True),
        ("training, causal, prefix", train, lambda c: plain(c) and c.causal and c.method in PREFIXES and c.tokens == 20, 6, True),
        ("inference, encoders", score, lambda c: plain(c) and not c.causal, 4, True),
        ("inference, causal", score, lambda c: plain(c) and c.causal, 8, True),
        ("training against PEFT at its best", train, lambda c: c.mode == "best", 3, True),
        ("bf16 against PEFT in bf16", reduced_against_peft, lambda c: c.mode == "best", 2.5, True),
        ("bf16 against ptune in single precision", lambda r: reduced(r, "ptune f32"), lambda c: c.mode == "best", 1.5, True),
        ("peak memory of training, encoders", memory, lambda c: plain(c) and not c.causal, 0.4, False),
        ("peak memory of training, causal", memory, lambda c: plain(c) and c.causal, 0.3, False),
        ("share of the peak, BERT-base", share, lambda c: plain(c) and c.model == "bert-base" and c.tokens == 20, 0.70, True),
        ("share of the peak, MiniLM", share, lambda c: plain(c) and c.model == "minilm-l6" and c.tokens == 20, 0.55, True),
        ("seconds to the first step, MiniLM", lambda r: side(r, "ptune")[1]["first_step_seconds"], lambda c: plain(c) and c.model == "minilm-l6", 1, False),
    ]  # fmt: skip
    phase = {train: "train", score: "score", reduced_against_peft: "train"}
    found = [
        (
            what, [(measure(record), cell) for cell, record in cells(test)],
            [limit(record, reached, phase[measure]) for _, record in cells(test)] if measure in phase else [], aim, more,
        )
        for what, measure, test, aim, more in lines
    ]  # fmt: skip
    found += [
        (
            "a step with 200 prompt tokens against 1, causal",
            growth(known, threads),
            necessary_growth(known, threads),
            1.2,
            False,
        ),
        (f"{threads} threads against 1", speedups(known, threads), [], 1.85, True),
    ]
    rows = []
    for what, pairs, limits, aim, more in found:
        values = sorted(((value, cell) for value, cell in pairs if value is not None), key=lambda pair: pair[0])
        sign = "≥" if more else "≤"
        if values:
            worst, cell = values[0 if more else -1]
            middle = values[len(values) // 2][0]
            met = worst >= aim if more else worst <= aim
            where = ", ".join(
                [cell.model, cell.method, str(cell.tokens)] + (["long texts"] if cell.texts == "long" else [])
            )
            limits = sorted(filter(None, limits))
            highest = f"{limits[0]:.1f}–{limits[-1]:.1f}" if limits else "–"
            rows.append(
                [what, f"{sign} {aim}", f"{middle:.2f}", f"{worst:.2f} ({where})", highest, "yes" if met else "no"]
            )
        else:
            rows.append([what, f"{sign} {aim}", "–", "–", "–", "not measured"])
    return table(["what", "aim", "median cell", "worst cell", "limit", "met"], rows)


def alone_records(known):
    """The records of the cells in which ptune was alone, by their cells."""
    return {
        Cell(**record["cell"]): record for record in known.values() if record.get("cell", {}).get("mode") == "alone"
    }


def alone_rates(known):
    """ptune's training examples/s of each of them."""
    return {
        cell: record["sides"]["ptune f32"]["train"]["examples_per_second"]
        for cell, record in alone_records(known).items()
    }


def growth(known, threads):
    """[(a step's time with 200 virtual tokens over that with 1, cell)]"""
    rates = alone_rates(known)
    pairs = [(cell, dataclasses.replace(cell, tokens=1)) for cell in rates if cell.tokens == 200]
    return [(rates[one] / rates[cell], cell) for cell, one in pairs if one in rates and cell.threads == threads]


def necessary_growth(known, threads):
    """By how much the operations that such a step needs grow."""
    needed = {
        cell: record["work"]["train"]["necessary"] / record["sides"]["ptune f32"]["train"]["batches"]
        for cell, record in alone_records(known).items()
    }
    pairs = [(cell, dataclasses.replace(cell, tokens=1)) for _, cell in growth(known, threads)]
    return [needed[cell] / needed[one] for cell, one in pairs]


def speedups(known, threads):
    """[(training with all threads over that with one, cell)]"""
    rates = alone_rates(known)
    pairs = [(cell, dataclasses.replace(cell, threads=threads)) for cell in rates if cell.threads == 1]
    return [(rates[many] / rates[one], many) for one, many in pairs if many in rates]


def alone(known, threads):
    """Tables of ptune alone: growth with the prompt, and threads."""
    rates, lines = alone_rates(known), []
    grown = [cell for cell in rates if cell.threads == threads and cell.tokens != 20]
    kinds = sorted({(cell.model, cell.texts) for cell in grown})
    lengths = sorted({20} | {cell.tokens for cell in grown})
    rows = []
    for model, texts in kinds:
        cells = [Cell(model, "prompt", tokens, texts, "alone", threads) for tokens in lengths]
        times = [BATCH / rates[cell] if cell in rates else None for cell in cells]
        shown = [f"{time * 1e3:.0f}" if time else "–" for time in times]
        rows.append([model, texts, *shown, ratio(times[-1], times[0], 2)])
    if rows:
        lines += ["", "## Growth with the prompt", "", "Milliseconds of a training step, prompt tuning.", ""]
        lines += table(["model", "texts", *[f"{n} tokens" for n in lengths], "longest / shortest"], rows)
    rows = []
    for speedup, many in speedups(known, threads):
        one = dataclasses.replace(many, threads=1)
        rows.append([many.model, many.method, f"{rates[one]:.1f}", f"{rates[many]:.1f}", f"{speedup:.2f}"])
    if rows:
        lines += ["", "## Threads", "", "Training examples/s.", ""]
        lines += table(["model", "method", "1 thread", f"{threads} threads", "ratio"], rows)
    return lines


def document(known, threads):
    """The report."""
    measured = known.get(f"peak {threads}", {})
    reached = peaks(measured)
    peak = reached["f32"]
    cells = [Cell(**record["cell"]) for record in known.values() if "cell" in record]
    machine = next((record["machine"] for record in known.values()), "none")
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench PYTHON=…`, with a Python that has torch, transformers and peft. Results are kept",
        "in Benchmarks/results.jsonl, and only missing ones are measured; `Benchmarks/bench.py --help` says how to",
        "measure some of them, or again.",
        "",
        f"Machine: {machine}; {threads} threads on both sides.",
        f"The fastest single-precision matrix product measured here reaches {peak:.0f} GFLOP/s." if peak else "",
        *([measured["remark"]] if "remark" in measured else []),
        "",
        "Both sides have the same weights (random ones, of the real sizes), the same batches of 16 film reviews as token ids,",
        "the same method, optimiser and learning rate. The processes of a cell alternate, some steps each, in",
        "several rounds; rates come from the median of each batch over the rounds. *Short* texts have 25 tokens on",
        "average and are in random order; *long* ones have 256. Encoders classify texts; causal models learn the next token of every text,",
        "and scoring gives each text's log-probabilities. PEFT is used as its users do: padded batches, dropout as in the",
        "models' configs, transformers' default attention.",
        "",
        "- *work ratio*: operations of PEFT's padded batches over those that the step needs (Benchmarks/bench_work.py),",
        "  which holds on any processor.",
        "- *of peak*: the operations that a training step needs, over its time and the peak; for PEFT, those that it computes.",
        "  PyTorch's library for matrix products, MKL, uses no AVX-512 on AMD's processors. Where AVX-512 is twice",
        " as fast as AVX2 (Zen 5), this leaves more than half of the single-precision speed unused, and largely",
        " explains ratios above the work ratio; where it is not (Zen 4), PEFT loses less, and the ratio is closer",
        " to the work ratio.",
        "- *limit*: the ratio if everything in ptune's step ran at the peak of its precision. Nothing that",
        " computes these operations can exceed it on this machine, so aims above it are out of reach here. For the",
        " growth with the prompt, it is the growth of the operations.",
        "- *memory*: peak memory of the process, from its start through training.",
        "- *first step*: from the start of the process to the end of the first training step.",
        "",
        "## Aims",
        "",
        *targets(known, threads, reached),
    ]
    for title, mode, texts, many in [
        ("Short texts, 20 virtual tokens", "as-is", "short", False),
        ("Short texts, 100 virtual tokens", "as-is", "short", True),
        ("Texts of 256 tokens, 20 virtual tokens", "as-is", "long", False),
        ("Each side at its best", "best", "short", False),
    ]:
        here = [
            cell
            for cell in cells
            if (cell.mode, cell.texts) == (mode, texts) and (cell.tokens == 100) == many and cell.threads == threads
        ]
        if here:
            lines += ["", f"## {title}", ""]
            if mode == "best":
                lines += [
                    "Texts of similar length share a batch, PEFT runs without dropout, and each side takes the fastest of its",
                    "variants: single precision, bfloat16 by autocast or throughout, or compiled where that was measured.",
                    "Shares are of the peak in single precision, which bfloat16 may exceed.",
                    "",
                ]
            lines += comparison(known, here, reached)
    failed = [f"- {name}: {who}: {why}" for name, r in known.items() for who, why in r.get("failed", {}).items()]
    if failed:
        lines += ["", "## What did not run", "", *failed]
    return "\n".join(lines + alone(known, threads)) + "\n"
