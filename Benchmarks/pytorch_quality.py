"""Trains one of ptune's methods on one task with PyTorch, for Benchmarks/quality.py.

    python Benchmarks/pytorch_quality.py SETTINGS.json

SETTINGS is what quality.py hands to both sides: "model"; "adapter", "head" and "training" with the keys of the run
file; "format", "train" and "test" of the data; with "start", a checkpoint of ptune, the training begins with its
values and takes ptune's batches. Prints one JSON document: metrics on the test data, steps, examples/s, trainable
parameters.

What PEFT has is PEFT's: the prompt encoder with its layers and start, made by get_peft_model. Its rows are joined to
the text here, because PEFT has no mean over the text's own rows, shifts token labels and answers, and drops token
types of questions; where PEFT's own forward applies the two are compared before training. What PEFT lacks (hidden
prefixes, pools, dropout on a prefix) is plain PyTorch. The base model is transformers' BertModel, frozen, in eval mode.
"""

import json
import math
import pathlib
import random
import sys
import time

import torch
from peft import (
    MultitaskPromptTuningConfig,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
)  # fmt: skip
from torch import nn
from torch.nn import functional
from transformers import BertModel, DynamicCache

import ptune_order
import pytorch_tasks

FREQUENT = 5000  # Lester et al. 2021, section 3.2


class Prompted(nn.Module):
    """A frozen BertModel with one method's prompt."""

    def __init__(self, model, adapter, frequent):
        super().__init__()
        base = BertModel.from_pretrained(model).eval().requires_grad_(False)
        config, self.count = base.config, adapter["virtual_tokens"]
        self.method, self.adapter, self.hidden = adapter["plugin"], adapter, config.hidden_size
        self.layers, self.heads = config.num_hidden_layers, config.num_attention_heads
        words, self.peft = base.embeddings.word_embeddings.weight, None
        self.at_input = self.method not in ("prefix-tuning", "p-tuning-v2")
        common = {"task_type": "FEATURE_EXTRACTION", "num_virtual_tokens": self.count}
        if self.method == "prompt-tuning":
            self.encode(base, PromptTuningConfig(**common))
            self.encoder.embedding.weight.data.copy_(words[sampled(frequent, self.count)])
        elif self.method == "p-tuning":
            self.encode(base, PromptEncoderConfig(
                encoder_reparameterization_type=adapter["encoder"].upper(), encoder_hidden_size=self.hidden, **common,
            ))  # fmt: skip
        elif self.method == "multitask-prompt-tuning":
            self.encode(base, MultitaskPromptTuningConfig(num_tasks=1, num_ranks=adapter["rank"], **common))
            # PEFT's factors start around 0, and so its prompt at 0; near ones the task starts with the shared prompt.
            self.encoder.prefix_task_cols.data += 1 / adapter["rank"]
            self.encoder.prefix_task_rows.data += 1
            self.encoder.embedding.weight.data.copy_(words[sampled(frequent, self.count)])
        elif self.method == "prompt-pool":
            self.pool = nn.Parameter(words[sampled(frequent, adapter["pool_size"] * self.count)].clone())
            self.weight, self.bias = nn.Parameter(torch.eye(self.hidden)), nn.Parameter(torch.zeros(self.hidden))
        elif adapter.get("form") == "hidden":
            self.prompt = nn.Parameter(torch.randn(self.count, self.layers * self.hidden))
        else:
            projection = adapter.get("reparameterization") == "mlp"
            self.encode(base, PrefixTuningConfig(
                prefix_projection=projection, encoder_hidden_size=self.hidden, **common,
            ))  # fmt: skip
        self.base = base

    def encode(self, base, config):
        config.inference_mode = False
        self.peft = get_peft_model(base, config)
        self.encoder = self.peft.prompt_encoder["default"]

    def rows(self, words, mask):
        """The prompt: [P, columns], or [batch, P, hidden] where each text has its own."""
        if self.method == "prompt-pool":  # E(x) = tanh(W·x̄ + b), softmax(E(x)·kᵀ), k the means of entries' rows
            mean = (words * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            query = torch.tanh(mean @ self.weight.T + self.bias)
            entries = self.pool.view(-1, self.count, self.hidden)
            return torch.einsum("bk,klh->blh", (query @ entries.mean(1).T).softmax(1), entries)
        if self.peft is None:
            return self.prompt
        inputs = [torch.arange(self.count)[None]]
        if self.method == "multitask-prompt-tuning":
            inputs.append(torch.tensor([0]))
        rows = self.encoder(*inputs)[0]
        return functional.dropout(rows, self.adapter.get("dropout", 0), self.training)

    def cache(self, rows, size):
        """Keys and values in front of each layer's, from rows [P, 2·layers·hidden] or [P, layers·hidden]."""
        cache = DynamicCache()
        for number, layer in enumerate(self.base.encoder.layer):
            attention = layer.attention.self
            if self.adapter.get("form") == "hidden":
                row = rows.view(self.count, self.layers, self.hidden)[:, number]
                pair = attention.key(row), attention.value(row)
            else:
                pair = rows.view(self.count, self.layers, 2, self.hidden)[:, number].unbind(1)
            split = [part.view(1, self.count, self.heads, -1).transpose(1, 2) for part in pair]
            cache.update(*(part.expand(size, -1, -1, -1) for part in split), number)
        return cache

    def forward(self, ids, types, mask):
        """The last hidden rows of the text's own tokens: [batch, longest, hidden]."""
        words = self.base.embeddings.word_embeddings(ids)
        rows = self.rows(words, mask)
        longer = torch.cat([mask.new_ones(len(ids), self.count), mask], 1)
        if not self.at_input:
            return self.base(
                input_ids=ids, token_type_ids=types, attention_mask=longer,
                past_key_values=self.cache(rows, len(ids)),
            ).last_hidden_state  # fmt: skip
        joined = torch.cat([rows.expand(len(ids), -1, -1), words], 1)
        types = functional.pad(types, (self.count, 0))
        output = self.base(inputs_embeds=joined, token_type_ids=types, attention_mask=longer)
        return output.last_hidden_state[:, self.count :]

    @torch.no_grad()
    def check(self, ids, types, mask):
        """Fails if PEFT's own forward pass gives other rows."""
        if self.peft is None or self.method == "multitask-prompt-tuning":  # which PEFT cannot run without a head
            return
        self.eval()
        theirs = self.peft(input_ids=ids, attention_mask=mask).last_hidden_state[:, -ids.shape[1] :]
        ours = self(ids, torch.zeros_like(types), mask)
        difference = ((theirs - ours) * mask[:, :, None]).abs().max().item()
        assert difference < 1e-4, f"differs from PEFT's forward pass by {difference}"
        self.train()

    def train(self, mode=True):  # the frozen model has no dropout in training either
        super().train(mode)
        self.base.eval()
        return self


def sampled(frequent, count):
    """Tokens drawn from the most frequent ones of the training data."""
    return torch.tensor(random.sample(frequent[:FREQUENT], count))


def batches(examples, size, shuffle):
    """Batches of texts of like length; for training sorted within windows of 50 batches only, then shuffled."""
    order, window = list(examples), 50 * size if shuffle else len(examples)
    if shuffle:
        random.shuffle(order)
    windows = [sorted(order[i : i + window], key=len) for i in range(0, len(order), window)]
    order = [example for part in windows for example in part]
    made = [order[i : i + size] for i in range(0, len(order), size)]
    if shuffle:
        random.shuffle(made)
    return made


def padded(batch):
    """ids, token types and mask of all sequences of a batch."""
    sequences = [sequence for example in batch for sequence in example.sequences]
    longest = max(len(ids) for ids, _ in sequences)
    fill = lambda values: values + [0] * (longest - len(values))
    ids = torch.tensor([fill(ids) for ids, _ in sequences])
    types = torch.tensor([fill(types) for _, types in sequences])
    return ids, types, torch.tensor([fill([1] * len(ids)) for ids, _ in sequences])


def run(settings):
    training, began = settings["training"], time.perf_counter()
    torch.set_num_threads(training["threads"])
    torch.manual_seed(training["seed"])
    random.seed(training["seed"])
    task = pytorch_tasks.task(settings)
    model = Prompted(settings["model"], settings["adapter"], task.frequent())
    head = nn.Linear(model.hidden, task.outputs)
    if task.zero_bias:
        nn.init.zeros_(head.bias)
    if start := settings.get("start"):
        ptune_order.start(start, settings["tasks"][0]["name"], model, head, task.head_names)
    trained = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=training["learning_rate"], weight_decay=training["weight_decay"])
    steps = training["epochs"] * math.ceil(len(task.train) / training["batch_size"])
    warmup = math.ceil(training["warmup_ratio"] * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: n / warmup if n < warmup else (steps - n) / max(1, steps - warmup)
    )
    model.train()
    model.check(*padded(task.train[:4]))
    step = examples = 0
    seconds = 0.0
    losses = []
    for epoch in range(training["epochs"]):
        order = (task.train, training["batch_size"])
        order = ptune_order.batches(*order, training["seed"], epoch) if start else batches(*order, shuffle=True)
        for batch in order:
            started = time.perf_counter()
            inputs = padded(batch)
            loss = task.loss(head(task.pooled(model(*inputs), inputs[2])), batch)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, training["clip_norm"])
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            step += 1
            if step > 5:  # the first steps warm caches and allocators
                examples += len(batch)
                seconds += time.perf_counter() - started
    model.eval()
    predicted = []
    with torch.no_grad():
        for batch in batches(task.test, training["evaluation_batch_size"], shuffle=False):
            inputs = padded(batch)
            scores = head(task.pooled(model(*inputs), inputs[2]))
            predicted += task.predictions(scores, batch)
    return {
        "metrics": task.metrics(predicted),
        "rows": {"train": len(task.train), "test": len(task.test)},
        "trainable_parameters": sum(p.numel() for p in trained),
        "steps": step,
        "first_loss": losses[0],
        "loss": sum(losses[-20:]) / len(losses[-20:]),
        "examples_per_second": examples / seconds,
        "seconds": time.perf_counter() - began,
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(pathlib.Path(sys.argv[1]).read_text()))))
