"""Trains ptune's methods with PyTorch, on the same model, data and hyperparameters, for comparison.

    python Benchmarks/pytorch_demo.py --method prefix-tuning --virtual-tokens 20 --learning-rate 1e-2

Prints one JSON document: accuracy on validation and test data against the majority class, seconds,
examples/s, trainable parameters. prompt-tuning at the start and the key-value form of prefix-tuning and
p-tuning-v2 run through PEFT; what PEFT lacks (a prompt after [CLS], the hidden form) is plain PyTorch over
transformers' BertModel. The base model is frozen, in eval mode; the head is one linear layer on a pooled row.

Needs torch, transformers and peft, and what Scripts/setup/fetch-demo fetches.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import resource
import time

import torch
from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model
from torch import nn
from transformers import AutoTokenizer, BertModel, DynamicCache

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ptune"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--settings", help="a JSON file with any of the options below (virtual_tokens, …); options win")
    add("--model", default=str(CACHE / "models/sentence-transformers--all-MiniLM-L6-v2"))
    add("--data", default=str(CACHE / "data/movie-reviews"), help="folder with {train,validation,test}.tsv")
    add("--method", default="prefix-tuning", choices=["prompt-tuning", "prefix-tuning", "p-tuning-v2", "none"])
    add(
        "--form",
        default="key-value",
        choices=["key-value", "hidden"],
        help="of prefix-tuning and p-tuning-v2",
    )
    add("--placement", default="start", choices=["start", "after-first"], help="of prompt-tuning")
    add("--virtual-tokens", type=int, default=20)
    add("--initial", default="vocabulary", choices=["vocabulary", "normal"], help="of prompt-tuning")
    add("--initial-std", type=float, default=1.0, help="of a normal prompt and of every prefix")
    add("--pooling", default="mean", choices=["mean", "cls", "first"])
    add("--learning-rate", type=float, default=1e-2)
    add("--weight-decay", type=float, default=0.01)
    add("--warmup-ratio", type=float, default=0.1)
    add("--clip", type=float, default=1.0)
    add("--batch-size", type=int, default=32)
    add("--epochs", type=int, default=3)
    add("--max-length", type=int, default=128)
    add("--max-steps", type=int, default=0, help="0: no limit")
    add("--train-rows", type=int, default=0, help="0: all; else a sample drawn with the seed")
    add("--evaluation-rows", type=int, default=0, help="0: all; else the first rows (they are shuffled)")
    add("--seed", type=int, default=42)
    add("--threads", type=int, default=2)
    add("--bf16", action="store_true", help="autocast to bfloat16")
    first, _ = parser.parse_known_args()
    if first.settings:
        parser.set_defaults(**json.loads(pathlib.Path(first.settings).read_text()))
    return parser.parse_args()


class Tuned(nn.Module):
    """A frozen BertModel, one tuning method and a linear head."""

    def __init__(self, options, labels):
        super().__init__()
        base = BertModel.from_pretrained(options.model).eval().requires_grad_(False)
        config, tokens = base.config, options.virtual_tokens
        hidden, layers, heads = config.hidden_size, config.num_hidden_layers, config.num_attention_heads
        self.options, self.tokens, self.config = options, tokens, config
        self.uses_peft = False
        if options.method == "prompt-tuning":
            if options.initial == "vocabulary":
                rows = torch.randint(config.vocab_size, [tokens])
                initial = base.embeddings.word_embeddings.weight[rows].clone()
            else:
                initial = torch.randn(tokens, hidden) * options.initial_std
            if options.placement == "start":
                base = self.peft(base, PromptTuningConfig("FEATURE_EXTRACTION", num_virtual_tokens=tokens), initial)
            else:
                self.prompt = nn.Parameter(initial)
        elif options.method != "none":
            if options.form == "key-value":
                initial = torch.randn(tokens, layers * 2 * hidden) * options.initial_std
                base = self.peft(base, PrefixTuningConfig("FEATURE_EXTRACTION", num_virtual_tokens=tokens), initial)
            else:
                self.prompt = nn.Parameter(torch.randn(layers, tokens, hidden) * options.initial_std)
        self.heads, self.base = heads, base
        self.head = nn.Linear(hidden, labels)

    def peft(self, base, config, initial):
        """The model wrapped by PEFT, its virtual tokens set to these values."""
        self.uses_peft = True
        config.inference_mode = False
        wrapped = get_peft_model(base, config)
        wrapped.prompt_encoder["default"].embedding.weight.data.copy_(initial)
        return wrapped

    def split(self, rows):  # [P, hidden] -> [1, heads, P, hidden / heads]
        return rows.view(1, self.tokens, self.heads, -1).transpose(1, 2)

    def rows(self, ids, mask):
        """The last hidden rows, and how many of them stand before the text's own."""
        options, count = self.options, len(ids)
        if options.method == "none":
            return self.base(input_ids=ids, attention_mask=mask).last_hidden_state, 0
        if self.uses_peft:
            hidden = self.base(input_ids=ids, attention_mask=mask).last_hidden_state
            return hidden, hidden.shape[1] - ids.shape[1]
        longer = torch.cat([mask.new_ones(count, self.tokens), mask], 1)
        if options.method == "prompt-tuning":  # after-first: [CLS], prompt, the rest
            words = self.base.embeddings.word_embeddings(ids)
            prompt = self.prompt.expand(count, -1, -1)
            joined = torch.cat([words[:, :1], prompt, words[:, 1:]], 1)
            hidden = self.base(inputs_embeds=joined, attention_mask=longer).last_hidden_state
            return torch.cat([hidden[:, :1], hidden[:, 1 + self.tokens :]], 1), 0
        # The hidden form is a key-value prefix that each layer's own projections make; the text's positions
        # stay where they are.
        cache = DynamicCache()
        for number, layer in enumerate(self.base.encoder.layer):
            attention, rows = layer.attention.self, self.prompt[number]
            keys, values = self.split(attention.key(rows)), self.split(attention.value(rows))
            cache.update(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1), number)
        positions = torch.arange(ids.shape[1]).expand(count, -1)
        hidden = self.base(
            input_ids=ids, attention_mask=longer, past_key_values=cache, position_ids=positions
        ).last_hidden_state
        return hidden, 0

    def forward(self, ids, mask):
        hidden, before = self.rows(ids, mask)
        if self.options.pooling == "first":
            return self.head(hidden[:, 0])
        if self.options.pooling == "cls":
            return self.head(hidden[:, before])
        weights = mask[:, :, None].to(hidden.dtype)
        return self.head((hidden[:, before:] * weights).sum(1) / weights.sum(1))


def read(path, tokenizer, options, limit=0):
    """[(token ids, label)] of a TSV file."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = rows[:limit] if limit else rows
    length = options.max_length - options.virtual_tokens
    ids = tokenizer([row["sentence"] for row in rows], truncation=True, max_length=length)["input_ids"]
    return list(zip(ids, (int(row["label"] == "positive") for row in rows)))


def batches(rows, size, shuffle):
    """Batches of rows of like length: sorted within windows of 50 batches, then shuffled."""
    rows = list(rows)
    if shuffle:
        random.shuffle(rows)
        windows = [rows[i : i + 50 * size] for i in range(0, len(rows), 50 * size)]
        rows = [row for window in windows for row in sorted(window, key=lambda row: len(row[0]))]
    else:
        rows.sort(key=lambda row: len(row[0]))
    made = [rows[i : i + size] for i in range(0, len(rows), size)]
    if shuffle:
        random.shuffle(made)
    return made


def padded(batch):
    """ids, mask and labels of a batch, padded to its longest text."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in batch])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
    return ids, mask, torch.tensor([label for _, label in batch])


@torch.no_grad()
def accuracy(model, rows, options):
    right = 0
    for batch in batches(rows, 64, shuffle=False):
        ids, mask, labels = padded(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            right += (model(ids, mask).argmax(1) == labels).sum().item()
    return right / len(rows)


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    train = read(f"{options.data}/train.tsv", tokenizer, options)
    if options.train_rows:
        train = random.sample(train, options.train_rows)
    validation = read(f"{options.data}/validation.tsv", tokenizer, options, options.evaluation_rows)
    test = read(f"{options.data}/test.tsv", tokenizer, options, options.evaluation_rows)

    model = Tuned(options, labels=2)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=options.learning_rate, weight_decay=options.weight_decay)
    steps = options.epochs * -(-len(train) // options.batch_size)
    steps = min(steps, options.max_steps) if options.max_steps else steps
    warmup = int(options.warmup_ratio * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: n / warmup if n < warmup else (steps - n) / max(1, steps - warmup)
    )

    step, examples, training_seconds, best = 0, 0, 0.0, (-1.0, None)
    history, began = [], time.perf_counter()
    for _ in range(options.epochs):
        losses = []
        for batch in batches(train, options.batch_size, shuffle=True):
            if step == steps:
                break
            started = time.perf_counter()
            ids, mask, labels = padded(batch)
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
                loss = nn.functional.cross_entropy(model(ids, mask).float(), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(trainable, options.clip)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            step += 1
            if step > 5:  # the first steps warm caches and allocators
                examples += len(batch)
                training_seconds += time.perf_counter() - started
        score = accuracy(model, validation, options)
        history.append({"loss": sum(losses) / max(1, len(losses)), "validation_accuracy": score})
        if score > best[0]:
            best = score, [p.detach().clone() for p in trainable]
    seconds = time.perf_counter() - began
    for parameter, value in zip(trainable, best[1]):
        parameter.data.copy_(value)

    def majority(rows):
        positive = sum(label for _, label in rows) / len(rows)
        return max(positive, 1 - positive)

    names = "method form placement virtual_tokens initial initial_std pooling learning_rate batch_size epochs"
    head = sum(p.numel() for p in model.head.parameters())
    print(
        json.dumps(
            {
                "settings": {name: getattr(options, name) for name in [*names.split(), "seed"]},
                "train_examples": len(train),
                "steps": step,
                "trainable_parameters": sum(p.numel() for p in trainable),
                "adapter_parameters": sum(p.numel() for p in trainable) - head,
                "metrics": {
                    "validation_accuracy": best[0],
                    "test_accuracy": accuracy(model, test, options),
                    "validation_majority": majority(validation),
                    "test_majority": majority(test),
                },
                "epochs": history,
                "seconds": round(seconds, 2),
                "examples_per_second": round(examples / training_seconds, 1) if training_seconds else None,
                "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
