"""Writes what both sides read: base models with random weights of the real sizes, and batches of token ids.

The texts are the demo's film reviews, cut by the demo's tokenizer; Scripts/setup/fetch-demo fetches both. Every model gets
the same ids, which are in the vocabulary of each.
"""

import csv
import json
import os
import pathlib
import random

from bench_cells import BATCH, MODELS

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ptune"
TOKENIZER = CACHE / "models/sentence-transformers--all-MiniLM-L6-v2/tokenizer.json"
REVIEWS = CACHE / "data/movie-reviews/train.tsv"
BATCHES = 8
LONG = 256


def model(name, folder):
    """The folder of a base model, written unless it is there."""
    place = folder / "models" / name
    if (place / "model.safetensors").exists():
        return place
    import torch
    import transformers

    family, sizes = MODELS[name]
    torch.manual_seed(0)
    kinds = {
        "bert": (transformers.BertConfig, transformers.BertForSequenceClassification),
        "distilbert": (transformers.DistilBertConfig, transformers.DistilBertForSequenceClassification),
        "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
        "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    }
    config, kind = kinds[family]
    made = kind(config(**sizes))
    # Written beside and moved, so that an interruption leaves no half of a model.
    beside = place.with_name(name + ".part")
    made.save_pretrained(beside)
    os.replace(beside, place)
    return place


def rows(texts, ordered, folder):
    """A file of rows, a batch after the other: {"input_ids": […], "label": "…"}; in the order of their lengths where
    texts of like length shall share a batch."""
    place = folder / "rows" / f"{texts}{'-ordered' if ordered else ''}.jsonl"
    if place.exists():
        return place
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with open(REVIEWS, encoding="utf-8", newline="") as file:
        reviews = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    random.Random(1).shuffle(reviews)
    encoded = [(tokenizer.encode(row["sentence"]).ids, row["label"]) for row in reviews]
    made = []
    if texts == "long":
        # Reviews end to end, between the same [CLS] and [SEP], cut to one length.
        first, last = encoded[0][0][0], encoded[0][0][-1]
        inner = [id for ids, _ in encoded for id in ids[1:-1]]
        step = LONG - 2
        made = [([first] + inner[i * step : (i + 1) * step] + [last], encoded[i][1]) for i in range(BATCH * BATCHES)]
    else:
        made = encoded[: BATCH * BATCHES]
    if ordered:
        made.sort(key=lambda row: len(row[0]))
        batches = [made[i : i + BATCH] for i in range(0, len(made), BATCH)]
        # Every second batch first, so that any few of them are short and long ones.
        made = [row for batch in batches[::2] + batches[1::2] for row in batch]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("".join(json.dumps({"input_ids": ids, "label": label}) + "\n" for ids, label in made))
    return place


def batches(place):
    """[[(ids, label)]] of a file of rows."""
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    made = [(line["input_ids"], line["label"]) for line in lines]
    return [made[i : i + BATCH] for i in range(0, len(made), BATCH)]
