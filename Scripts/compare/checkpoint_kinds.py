"""The checkpoints of Scripts/compare/checkpoints: every family, in odd shapes and with rare settings, as save_pretrained writes them.

A kind with `refused` is one that ptune has to refuse by naming that key.
"""

import dataclasses
import json
import typing

import torch
import transformers

VOCABULARY = 160
POSITIONS = 128
LENGTHS = (7, 1, 17, 3)


@dataclasses.dataclass
class Kind:
    """A checkpoint in the making."""

    name: str
    family: str
    config: dict
    #: What ptune says that it does not know; empty where it does.
    refused: str = ""
    #: What save_pretrained is told.
    saving: dict = dataclasses.field(default_factory=dict)
    #: What becomes of config.json then, as other programs and versions write it.
    edit: typing.Callable = None
    dtype: torch.dtype = torch.float32
    #: Whether the model is saved without a head.
    is_bare: bool = False

    @property
    def is_causal(self):
        return self.family in ("gpt2", "llama", "qwen2", "mistral", "qwen3", "phi")

    def save(self, folder, labels):
        """The checkpoint with random weights; an encoder has a head over so many labels."""
        config = transformers.AutoConfig.for_model(self.family, **SIZES[self.family] | self.config)
        kind = transformers.AutoModelForCausalLM
        if self.is_bare:
            kind = transformers.AutoModel
        elif not self.is_causal:
            config.num_labels, kind = labels, transformers.AutoModelForSequenceClassification
        model = randomised(kind.from_config(config), seed=len(self.name))
        model.to(self.dtype).save_pretrained(folder, **self.saving)
        (folder / "generation_config.json").unlink(missing_ok=True)
        if self.edit:
            path = folder / "config.json"
            document = json.loads(path.read_text())
            self.edit(document)
            path.write_text(json.dumps(document))


def randomised(model, seed):
    """Weights that make texts differ from each other."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_gain = parameter.dim() == 1 and name.endswith("weight")
            values = torch.randn(parameter.shape, generator=random) * (0.1 if parameter.dim() == 1 else 0.2)
            parameter.copy_(values + 1 if is_gain else values)
    return model.eval()


LLAMA = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": POSITIONS, "bos_token_id": None,
    "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip
BERT = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": POSITIONS,
}  # fmt: skip
SIZES = {
    "llama": LLAMA, "qwen2": LLAMA, "mistral": LLAMA | {"sliding_window": None}, "qwen3": LLAMA | {"head_dim": 8},
    "phi": LLAMA,
    "gpt2": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS,
             "bos_token_id": None, "eos_token_id": None},
    "bert": BERT, "roberta": BERT | {"type_vocab_size": 1, "pad_token_id": 1},
    "xlm-roberta": BERT | {"type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5},
    "distilbert": {"vocab_size": VOCABULARY, "dim": 32, "hidden_dim": 40, "n_layers": 2, "n_heads": 4,
                   "max_position_embeddings": POSITIONS},
}  # fmt: skip


def rows(kind):
    """Tokens of unequal lengths; BERT's have two segments."""
    random = torch.Generator().manual_seed(5)
    made = [{"input_ids": torch.randint(6, VOCABULARY, [n], generator=random).tolist()} for n in LENGTHS]
    if kind.family == "bert":
        for row in made:
            row["token_type_ids"] = torch.randint(0, 2, [len(row["input_ids"])], generator=random).tolist()
    return made


def greedy(model, inputs, count):
    """The most probable continuation, and how far apart the two best tokens were at least."""
    made = model.generate(
        **inputs, do_sample=False, max_new_tokens=count, pad_token_id=0, eos_token_id=None, output_logits=True,
        return_dict_in_generate=True,
    )  # fmt: skip
    best = torch.stack(made.logits).topk(2).values
    return made.sequences[0, inputs["input_ids"].shape[1] :].tolist(), (best[..., 0] - best[..., 1]).min().item()


def rope(**settings):
    return {"rope_parameters": {"rope_theta": 500.0} | settings}


def old_rope(scaling):
    """config.json as transformers 4 wrote it."""

    def edit(document):
        document.pop("rope_parameters", None)
        document["torch_dtype"] = document.pop("dtype", "float32")
        document |= {"rope_theta": 500.0, "rope_scaling": scaling, "pretraining_tp": 1}

    return edit


def changed(**keys):
    return lambda document: document.update(keys)


def without(*keys):
    def edit(document):
        for key in keys:
            document.pop(key, None)

    return edit


LLAMA3 = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def llamas():
    def llama(name, refused="", edit=None, saving=None, dtype=torch.float32, **config):
        return Kind(f"llama, {name}", "llama", config, refused, saving or {}, edit, dtype)

    yield llama("as it is")
    yield llama("one key-value head", num_attention_heads=6, num_key_value_heads=1, hidden_size=48)
    yield llama("as many key-value heads", num_attention_heads=2, num_key_value_heads=2)
    yield llama("one head", num_attention_heads=1, num_key_value_heads=1)
    yield llama("heads wider than hidden", hidden_size=36, num_attention_heads=3, num_key_value_heads=3, head_dim=14)
    yield llama("heads narrower than hidden", head_dim=4, num_key_value_heads=1)
    yield llama("one layer, inner 7", num_hidden_layers=1, intermediate_size=7)
    yield llama("tied", tie_word_embeddings=True)
    yield llama("biases", attention_bias=True, mlp_bias=True)
    yield llama("large epsilon", rms_norm_eps=0.01)
    yield llama("F16", dtype=torch.float16)
    yield llama("BF16", dtype=torch.bfloat16)
    yield llama("shards", saving={"max_shard_size": "8KB"})
    yield llama("no optional key", edit=without("rms_norm_eps", "head_dim", "hidden_act", "attention_bias", "mlp_bias",
                "tie_word_embeddings", "dtype", "architectures", "rope_parameters"))  # fmt: skip
    for name in ("gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_python_tanh", "gelu_accurate",
                 "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "swish", "tanh"):  # fmt: skip
        yield llama(f"hidden_act {name}", hidden_act=name)
    yield llama("hidden_act mish", "hidden_act", hidden_act="mish")
    yield llama("rope default", **rope(rope_type="default"))
    yield llama("rope linear", **rope(rope_type="linear", factor=3.0))
    yield llama("rope dynamic", **rope(rope_type="dynamic", factor=2.0))
    yield llama("rope llama3", **rope(**LLAMA3))
    yield llama("rope yarn", **rope(**YARN))
    yield llama("rope yarn, all settings", **rope(
        **YARN, beta_fast=4.0, beta_slow=0.5, mscale=0.7, mscale_all_dim=0.4, truncate=False))  # fmt: skip
    yield llama("rope longrope", "longrope", **rope(
        rope_type="longrope", factor=2.0, short_factor=[1.0] * 4, long_factor=[2.0] * 4,
        original_max_position_embeddings=64))  # fmt: skip
    yield llama("rope partial", "partial_rotary_factor", **rope(rope_type="default", partial_rotary_factor=0.5))
    yield llama("rope of transformers 4, none", edit=old_rope(None))
    yield llama("rope of transformers 4, linear", edit=old_rope({"type": "linear", "factor": 2.0}))
    yield llama("rope of transformers 4, dynamic", edit=old_rope({"type": "dynamic", "factor": 2.0}))
    yield llama("rope of transformers 4, llama3", edit=old_rope(LLAMA3))
    yield llama("rope of transformers 4, yarn", edit=old_rope(YARN))
    yield Kind("llama, bare", "llama", {"tie_word_embeddings": True}, is_bare=True)


def other_decoders():
    def kind(family, name, refused="", edit=None, dtype=torch.float32, saving=None, **config):
        return Kind(f"{family}, {name}", family, config, refused, saving or {}, edit, dtype)

    yield kind("qwen2", "as it is")
    yield kind("qwen2", "tied, BF16, one key-value head", tie_word_embeddings=True, num_key_value_heads=1,
               dtype=torch.bfloat16)  # fmt: skip
    yield kind("qwen2", "sliding window switched off", edit=changed(use_sliding_window=False, sliding_window=8))
    yield kind("qwen2", "sliding window", "use_sliding_window", use_sliding_window=True, sliding_window=8,
               max_window_layers=1)  # fmt: skip
    yield kind("qwen2", "rope yarn", **rope(**YARN))
    yield kind("mistral", "as it is")
    yield kind("mistral", "narrow heads", head_dim=6)
    yield kind("mistral", "window wider than texts", sliding_window=100)
    yield kind("qwen3", "as it is", "qwen3")
    yield kind("phi", "as it is", "phi")
    yield kind("gpt2", "as it is")
    yield kind("gpt2", "one head, inner 9", n_head=1, n_inner=9)
    yield kind("gpt2", "scaled by layer", scale_attn_by_inverse_layer_idx=True)
    yield kind("gpt2", "scaled by layer, reordered", scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True)
    yield kind("gpt2", "reordered", reorder_and_upcast_attn=True)
    yield kind("gpt2", "unscaled", scale_attn_weights=False)
    yield kind("gpt2", "large epsilon", layer_norm_epsilon=0.01)
    yield kind("gpt2", "untied", tie_word_embeddings=False)
    yield kind("gpt2", "F16", dtype=torch.float16)
    yield kind("gpt2", "shards", saving={"max_shard_size": "8KB"})
    for name in ("gelu", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"):
        yield kind("gpt2", f"activation_function {name}", activation_function=name)
    yield kind("gpt2", "activation_function leaky_relu", "activation_function", activation_function="leaky_relu")
    yield kind("gpt2", "cross-attention", "add_cross_attention", add_cross_attention=True)
    yield Kind("gpt2, bare", "gpt2", {}, is_bare=True)


def encoders():
    def kind(family, name, refused="", edit=None, dtype=torch.float32, saving=None, **config):
        return Kind(f"{family}, {name}", family, config, refused, saving or {}, edit, dtype)

    yield kind("bert", "as it is")
    yield kind("bert", "one head, one layer", num_attention_heads=1, num_hidden_layers=1)
    yield kind("bert", "three types", type_vocab_size=3)
    yield kind("bert", "large epsilon", layer_norm_eps=0.01)
    yield kind("bert", "F16", dtype=torch.float16)
    yield kind("bert", "shards", saving={"max_shard_size": "8KB"})
    for name in ("gelu_new", "gelu_fast", "quick_gelu", "relu", "silu"):
        yield kind("bert", f"hidden_act {name}", hidden_act=name)
    yield kind("bert", "hidden_act linear", "hidden_act", hidden_act="linear")
    yield kind(
        "bert",
        "config of transformers 4",
        edit=changed(
            position_embedding_type="absolute",
            torch_dtype="float32",
            classifier_dropout=None,
            gradient_checkpointing=False,
        ),
    )
    yield kind(
        "bert", "relative positions", "position_embedding_type", edit=changed(position_embedding_type="relative_key")
    )
    yield kind("bert", "decoder", "is_decoder", edit=changed(is_decoder=True))
    for padding in (0, 1, 5):
        yield kind("roberta", f"padding token {padding}", pad_token_id=padding)
    yield kind("roberta", "BF16, large epsilon", dtype=torch.bfloat16, layer_norm_eps=0.001)
    yield kind("roberta", "hidden_act gelu_new", hidden_act="gelu_new")
    yield kind("xlm-roberta", "as it is")
    yield kind("xlm-roberta", "wide", hidden_size=48, num_attention_heads=3, num_hidden_layers=3)
    yield kind("distilbert", "as it is")
    yield kind("distilbert", "one head, relu", n_heads=1, activation="relu")
    yield kind("distilbert", "sinusoidal positions", sinusoidal_pos_embds=True)
    yield kind("distilbert", "F16", dtype=torch.float16)


def with_tokenizer(name, tokenizer):
    """A causal model for a vocabulary."""
    return Kind(name, "llama", {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": 256})


def all_kinds():
    yield from llamas()
    yield from other_decoders()
    yield from encoders()
