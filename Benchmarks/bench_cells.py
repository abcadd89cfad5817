"""What is compared: base models, methods, texts, and how each side is told of them."""

import dataclasses
import json

# Sizes as in the published config.json files; what is left out has the value of transformers' config class.
MODELS = {
    "minilm-l6": ("bert", {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536}),
    "distilbert": ("distilbert", {}),
    "bert-base": ("bert", {}),
    "gpt2": ("gpt2", {}),
    "smollm2-135m": (
        "llama",
        {
            "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
            "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
        },
    ),
}  # fmt: skip
CAUSAL = {"gpt2", "llama"}
# The adapter as in a run file, and PEFT's config class with its arguments; None where PEFT has no such method.
METHODS = {
    "prompt": ({"plugin": "prompt-tuning"}, ("PromptTuningConfig", {})),
    "prefix": ({"plugin": "prefix-tuning"}, ("PrefixTuningConfig", {"prefix_projection": False})),
    "p-tuning": (
        {"plugin": "p-tuning", "encoder": "mlp", "encoder_hidden_size": 128},
        ("PromptEncoderConfig", {"encoder_hidden_size": 128}),
    ),
    "p-tuning-v2": (
        {"plugin": "p-tuning-v2", "dropout": 0},
        ("PrefixTuningConfig", {"prefix_projection": False}),
    ),
    "pool": ({"plugin": "prompt-pool", "pool_size": 10}, None),
}
PREFIXES = {"prefix", "p-tuning-v2"}
BATCH = 16
LEARNING_RATE = 1e-3


@dataclasses.dataclass(frozen=True)
class Cell:
    """One comparison."""

    model: str
    method: str
    tokens: int = 20
    texts: str = "short"
    # "as-is": both sides as their users start; "best": every trick that either side has.
    mode: str = "as-is"
    threads: int = 2

    @property
    def name(self):
        parts = [self.model, self.method, str(self.tokens), self.texts, self.mode, str(self.threads)]
        return "/".join(parts)

    @property
    def family(self):
        return MODELS[self.model][0]

    @property
    def causal(self):
        return self.family in CAUSAL

    @property
    def has_peer(self):
        """Whether PEFT has the method and runs it on this model; 0.21 refuses prefixes on DistilBERT."""
        return METHODS[self.method][1] is not None and not (self.model == "distilbert" and self.method in PREFIXES)


def sets(threads):
    """The cells that make up the whole benchmark, by the name of the set."""

    def cells(models, methods, **rest):
        return [Cell(model, method, threads=threads, **rest) for model in models for method in methods]

    every = list(MODELS)
    return {
        "short": cells(every, METHODS),
        "many-tokens": cells(every, ["prompt", "prefix"], tokens=100),
        "long": cells(["minilm-l6", "bert-base", "gpt2"], ["prompt", "prefix"], texts="long"),
        "best": cells(every, ["prompt", "prefix"], mode="best"),
        "growth": [
            Cell(model, "prompt", tokens=tokens, mode="alone", threads=threads)
            for model in ["gpt2", "smollm2-135m"]
            for tokens in [1, 20, 100, 200]
        ]
        + [Cell("gpt2", "prompt", tokens=tokens, texts="long", mode="alone", threads=threads) for tokens in [1, 200]],
        "one-thread": [
            Cell(model, method, mode="alone", threads=count)
            for model in ["minilm-l6", "bert-base", "gpt2"]
            for method in ["prompt", "prefix"]
            for count in [1, threads]
        ],
    }


def head(cell):
    """The head as in a run file: what PEFT's model of this family has."""
    if cell.causal:
        return {"plugin": "causal-lm"}
    head = {"plugin": "sequence-classification", "pooling": "first", "dropout": 0}
    if cell.family == "distilbert":
        return head | {"hidden_layers": 1, "activation": "relu"}
    return head | {"base_pooler": True}


def run_file(cell, model, rows, variant):
    """A run file of ptune; JSON is YAML."""
    adapter = METHODS[cell.method][0] | {"virtual_tokens": cell.tokens}
    run = {
        "base": {"model": str(model)},
        "adapter": adapter,
        "tasks": [{"name": "bench", "head": head(cell), "data": {"train": str(rows), "format": "jsonl"}}],
        "training": {
            "batch_size": BATCH, "learning_rate": LEARNING_RATE, "clip_norm": 0, "weight_decay": 0.01,
            "threads": cell.threads,
        },
        "output": str(rows.parent / "unused"),
    }  # fmt: skip
    if cell.method == "pool":
        run["selector"] = {"plugin": "attention"}
    if variant == "bf16":
        run["training"]["compute"] = "bf16"
    return json.dumps(run, indent=1)


def contestants(cell, compiled, reduced):
    """Who takes part: [(side, variant)]."""
    if cell.mode == "alone":
        return [("ptune", "f32")]
    if cell.mode == "as-is":
        return [("ptune", "f32")] + ([("peft", "f32")] if cell.has_peer else [])
    peers = ["f32", "bf16-autocast", "bf16"] + (["bf16-compiled"] if compiled else [])
    ours = ["f32"] + (["bf16"] if reduced else [])
    return [("ptune", v) for v in ours] + ([("peft", v) for v in peers] if cell.has_peer else [])
