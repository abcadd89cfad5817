"""What ptune is attacked with. Each case changes a copy of a folder with models, data, a run file and a trained adapter."""

# Tables of cases, as compact as they read best.
# fmt: off

import json
import os
import shutil
import struct

EDGES = [-1, 0, 1, 2**31 - 1, 2**31, 2**62, 2**63 - 1, -(2**63), 1e308, "x", None, True, [], {}]
CONTROLS = "\x1b]0;mine\x07\x1b[2J\u009b31m\u202e\r\x7f"


class Case:
    """Commands, and what is done to their inputs before.

    outputs: what they may change, seen from the folder of the case.
    plain_output: whether standard output is data that may hold anything.
    """

    def __init__(self, name, commands, change=lambda folder: None, outputs=(), variables=None, plain_output=False):
        self.name = name
        self.commands = commands
        self.prepare = change
        self.outputs = list(outputs)
        self.variables = variables
        self.plain_output = plain_output

    def environment(self, hub):
        return self.variables(hub) if self.variables else {}


def write_inputs(folder):
    words = ["film", "plot", "story", "actor"]
    rows = [f"the {words[i % 4]} was {'good' if i % 2 else 'bad'}\t{'positive' if i % 2 else 'negative'}" for i in range(16)]
    for name in ("train.tsv", "dev.tsv"):
        with open(os.path.join(folder, name), "w") as file:
            file.write("sentence\tlabel\n" + "\n".join(rows) + "\n")
    with open(os.path.join(folder, "run.yaml"), "w") as file:
        file.write("""base: {model: model}
adapter: {plugin: p-tuning-v2, virtual_tokens: 4, depth: 2}
tasks:
  - name: tone
    head: {plugin: sequence-classification, dropout: 0}
    data: {train: train.tsv, validation: dev.tsv, text: sentence}
training: {epochs: 1, batch_size: 8, learning_rate: 0.01, threads: 2}
output: out
""")


TRAIN = ["train", "run.yaml", "--max-steps", "2", "--quiet", "--no-report"]
PREDICT = ["predict", "--adapter", "out/adapter", "--text", "the film was good"]
INSPECT = ["inspect", "out/adapter"]
TOKENIZE = ["tokenize", "--model", "model", "--text", "the film was good"]
CAUSAL = ["generate", "--model", "causal", "--prompt", "the film was", "--max-new-tokens", "4"]
CHAT = CAUSAL + ["--chat"]
REPORT = ["report", "out"]


def read_json(path):
    with open(path) as file:
        return json.load(file)


def write_json(path, document):
    with open(path, "w") as file:
        json.dump(document, file)


def edit(path, change):
    """A change of a JSON file."""

    def apply(folder):
        full = os.path.join(folder, path)
        document = read_json(full) if os.path.exists(full) else {}
        write_json(full, change(document) or document)

    return apply


def put(path, keys, value):
    """A change of one member of a JSON file."""

    def change(document):
        place = document
        for key in keys[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[keys[-1]] = value

    return edit(path, change)


def write(path, content):
    def apply(folder):
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if os.path.lexists(full):
            os.remove(full)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    return apply


def replaced(path, make):
    """Puts something else in the place of a file or folder."""

    def apply(folder):
        full = os.path.join(folder, path)
        if os.path.isdir(full) and not os.path.islink(full):
            shutil.rmtree(full)
        elif os.path.lexists(full):
            os.remove(full)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        make(full)

    return apply


def sparse(size):
    def make(path):
        with open(path, "wb") as file:
            file.truncate(size)

    return make


def link(target):
    return lambda path: os.symlink(target, path)


def header(length, text=b""):
    return struct.pack("<Q", length & (2**64 - 1)) + text


def tensor(shape, offsets, kind="F32"):
    text = json.dumps({"a": {"dtype": kind, "shape": shape, "data_offsets": offsets}}).encode()
    return header(len(text), text) + b"\0" * 64


def all_at_once(*changes):
    def apply(folder):
        for change in changes:
            change(folder)

    return apply


def models():
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
                "max_position_embeddings", "type_vocab_size"):
        for value in EDGES:
            yield Case(f"model config {key}={value!r}", [PREDICT], put("model/config.json", [key], value))
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
                "vocab_size", "max_position_embeddings"):
        for value in EDGES + [800_000_000]:
            yield Case(f"causal config {key}={value!r}", [CAUSAL], put("causal/config.json", [key], value))
    for key in ("factor", "rope_theta", "original_max_position_embeddings", "rope_type"):
        for value in EDGES + [CONTROLS]:
            yield Case(f"causal rope {key}={value!r}", [CAUSAL], put("causal/config.json", ["rope_parameters", key], value))
    for key in ("eos_token_id", "bos_token_id", "model_type"):
        for value in EDGES + [CONTROLS]:
            yield Case(f"causal {key}={value!r}", [CAUSAL], put("causal/config.json", [key], value))
    for name, content in {
        "deep": b"[" * 1_000_000, "empty": b"", "bytes": bytes(range(256)), "number": b"1" * 1_000_000,
        "controls": json.dumps({CONTROLS: CONTROLS, "model_type": CONTROLS}).encode(),
    }.items():
        for path, command in (("model/config.json", PREDICT), ("causal/tokenizer.json", CAUSAL), ("out/adapter/adapter_config.json", INSPECT)):
            yield Case(f"{path} {name}", [command], write(path, content))


def weights():
    contents = {
        "no header": b"", "half": b"\1\2\3", "huge header": header(2**63 - 1), "all ones": b"\xff" * 64,
        "2^31 header": header(2**31) + b"{" * 100, "deep": header(200_000, b"[" * 200_000),
        "shape 2^62": tensor([2**62, 4], [0, 64]), "shape 2^31": tensor([2**31, 2**31], [0, 64]),
        "negative": tensor([-1], [0, 4]), "offsets": tensor([16], [0, 2**63 - 1]), "back": tensor([16], [64, 0]),
        "none": tensor([0], [0, 0]), "type": tensor([16], [0, 64], CONTROLS),
    }
    for name, content in contents.items():
        for path, command in (("model/model.safetensors", PREDICT), ("out/adapter/adapter_model.safetensors", PREDICT),
                              ("causal/model.safetensors", CAUSAL)):
            yield Case(f"{path} {name}", [command], write(path, content))
    gguf = {
        "count": b"GGUF" + struct.pack("<IQQ", 3, 2**62, 2**62),
        "text": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**63),
        "array": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 4, 2**62),
        "short": b"GGUF",
    }
    for name, content in gguf.items():
        yield Case(f"gguf {name}", [["generate", "--model", "m.gguf", "--prompt", "a"]], write("m.gguf", content))


def tokenizers():
    path = "causal/tokenizer.json"
    replace = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 8}
    grow = {"type": "Sequence", "normalizers": [replace] * 12}
    special = {"type": "TemplateProcessing", "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
               "special_tokens": {"x": {"id": "x", "ids": [1] * 100_000, "tokens": ["x"]}},
               "single": [{"SpecialToken": {"id": "x", "type_id": 0}}] * 3000 + [{"Sequence": {"id": "A", "type_id": 0}}]}
    commands = [["tokenize", "--model", "causal", "--text", "aaaa banana", "--special"], CAUSAL]
    for name, change in {
        "12 replacements": put(path, ["normalizer"], grow),
        "200,000 prepends": put(path, ["normalizer"], {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "x"}] * 200_000}),
        "a long prepend": put(path, ["normalizer"], {"type": "Prepend", "prepend": "x" * 1_000_000}),
        "a processor of 3,000 x 100,000": put(path, ["post_processor"], special),
        "decoders that grow": put(path, ["decoder"], {"type": "Sequence", "decoders": [replace] * 12}),
        "strips": put(path, ["decoder"], {"type": "Strip", "content": "a", "start": 65535, "stop": 65535}),
        "controls": put(path, ["added_tokens"], [{"id": 0, "content": CONTROLS, "special": True}]),
        "an added id": put(path, ["added_tokens"], [{"id": 16_777_215, "content": "x"}]),
    }.items():
        yield Case(f"tokenizer {name}", commands, change)
    for value in (16_777_215, 2**31, 2**62, -1, 1.5, None):
        yield Case(f"tokenizer id {value!r}", commands, put(path, ["model", "vocab", "far"], value))
    marks = "a" + "\u0323\u0301" * 50_000
    yield Case("combining marks", [["tokenize", "--model", "model", "--input", "marks.txt", "--output", "ids"]],
               write("marks.txt", marks), outputs=["ids"])


def templates():
    big = "{% set x = 'a' * 1000000 %}"
    ns = "{% set n = namespace(x='ab') %}{% for i in range(60) %}"
    bodies = {
        "doubled": ns + "{% set n.x = n.x + n.x %}{% endfor %}", "joined": ns + "{% set n.x = n.x ~ n.x %}{% endfor %}",
        "multiplied": "{{ 'a' * 10000 * 10000 * 10000 }}", "replaced": big + "{{ x|replace('a', x) }}",
        "unique": "{{ range(100000)|unique|list|length }}",
        "indexed": big + "{% for i in range(100000) %}{% if x[999999] == 'b' %}{% endif %}{% endfor %}",
        "indented": "{{ [1]|tojson(indent=9223372036854775807) }}", "lists": ns.replace("'ab'", "[1]") + "{% set n.x = n.x + n.x %}{% endfor %}",
        "tree": ns.replace("'ab'", "[1]") + "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }}",
        "macro": "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "loops": "{% for a in range(99999) %}" * 4 + "{% endfor %}" * 4,
        "deep": "(" * 100_000, "exception": "{{ raise_exception('\\x1b[2J" + CONTROLS.replace("\r", "") + "') }}",
        "numbers": "{{ 9223372036854775807 + 1 }}", "ranges": "{{ range(-9223372036854775807, 9223372036854775807)|length }}",
        "division": "{{ 1 // 0 }}", "slices": "{{ 'abc'[9223372036854775807:-9223372036854775807:-9223372036854775807] }}",
        "find": "{{ (('a' * 1000000) ~ 'b').find(('a' * 500000) ~ 'b') }}",
    }
    for name, body in bodies.items():
        yield Case(f"template {name}", [CHAT], put("causal/tokenizer_config.json", ["chat_template"], body), plain_output=True)


def adapters():
    path = "out/adapter/adapter_config.json"
    adapter = ["ptune", "adapter", "hyperparameters"]
    for key in ("num_virtual_tokens", "token_dim", "num_layers", "num_attention_heads", "num_transformer_submodules", "r", "lora_alpha"):
        for value in EDGES:
            yield Case(f"adapter {key}={value!r}", [PREDICT, INSPECT], put(path, [key], value))
    for key in ("virtual_tokens", "depth", "pool_size"):
        for value in EDGES + [4096]:
            yield Case(f"adapter own {key}={value!r}", [PREDICT, INSPECT], put(path, adapter + [key], value))
    for name, keys in {"path": ["base_model_name_or_path"], "type": ["peft_type"], "task": ["task_type"],
                       "revision": ["revision"], "version": ["ptune", "version"]}.items():
        for value in (CONTROLS, "../../../../etc/passwd", "x" * 100_000, 7, None, "owner/name@" + CONTROLS):
            yield Case(f"adapter {name}={str(value)[:12]!r}", [PREDICT, INSPECT], put(path, keys, value))

    def own_pool(document):
        ptune = document.get("ptune", {})
        ptune["adapter"] = {"plugin": "prompt-pool", "hyperparameters": {"pool_size": 4096, "virtual_tokens": 4096}}
        ptune["selector"] = {"plugin": "attention", "hyperparameters": {}}
        document["ptune"] = ptune

    yield Case("adapter pool 4096 x 4096", [PREDICT, INSPECT], edit(path, own_pool))


def places():
    """Links, pipes, devices, sparse files and loops in the place of files."""
    kinds = {
        "pipe": os.mkfifo, "sparse": sparse(1 << 40), "link out": link("../../others/a"), "loop": link("loop"),
        "null": link("/dev/null"), "zero": link("/dev/zero"), "folder": os.mkdir, "tty": link("/dev/tty"),
    }
    for name, make in kinds.items():
        for path, commands in {
            "model/config.json": [PREDICT], "model/model.safetensors": [PREDICT], "model/vocab.txt": [PREDICT],
            "causal/tokenizer.json": [CAUSAL], "out/adapter/adapter_config.json": [INSPECT, PREDICT],
            "out/adapter/adapter_model.safetensors": [INSPECT, PREDICT], "run.yaml": [TRAIN], "train.tsv": [TRAIN],
        }.items():
            yield Case(f"{path} is a {name}", commands, replaced(path, make), outputs=["out"])
        for path in ("metrics.jsonl", "run.yaml", "report.html", "results.json", "predictions.jsonl", ".lock",
                     "checkpoints", "adapter", "selection.json", "adapter/README.md"):
            if name == "loop":
                make = link(os.path.basename(path))
            yield Case(f"out/{path} is a {name}", [REPORT, TRAIN], replaced(f"out/{path}", make), outputs=["out"])
    others = all_at_once(
        replaced("out/way", link("../../others")), replaced("out/deep/loop", link("../..")),
        lambda folder: open(os.path.join(folder, "..", "others", ".ptune-1-1.partial"), "w").close())
    yield Case("leftovers behind links", [TRAIN], others, outputs=["out"])
    yield Case("push of links", [["push", "out/adapter", "o/n"]], replaced("out/adapter/README.md", link("../../../others/a")),
               variables=lambda hub: {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.endpoint("plain"), "HF_TOKEN": "hf_x"})
    rows = ["predict", "--adapter", "out/adapter", "--input", "dev.tsv"]
    for name, arguments in {"predict": rows + ["--output", "dev.tsv"], "alias": rows + ["--output", "alias.tsv"],
                            "tokenize": ["tokenize", "--model", "model", "--input", "dev.tsv", "--output", "alias.tsv"]}.items():
        yield Case(f"output over input, {name}", [arguments], replaced("alias.tsv", link("dev.tsv")))
    for name in ("/dev/null", "/dev/stdout", "-"):
        yield Case(f"output to {name}", [rows + ["--output", name]])


def data():
    rows = ["predict", "--adapter", "out/adapter", "--input"]
    contents = {
        "nul": b"sentence\tlabel\n\0\0\tpositive\n", "controls": f"sentence\tlabel\n{CONTROLS}\tpositive\n".replace("\r", "").encode(),
        "label controls": f"sentence\tlabel\ngood\t{CONTROLS}\n".replace("\r", "").encode(), "long": b"sentence\tlabel\n" + b"a " * 2_000_000 + b"\tpositive\n",
        "columns": b"\t" * 1_000_000 + b"\n", "lines": b"\n" * 1_000_000, "quotes": b"sentence\tlabel\n\"" * 10_000, "marks": ("sentence\n" + "\u0301\u0323" * 100_000).encode(),
    }
    for name, content in contents.items():
        yield Case(f"data {name}", [rows + ["x.tsv"], TRAIN], all_at_once(write("x.tsv", content), write("train.tsv", content)),
                   outputs=["out"])
    for name, content in {"deep": b'{"text": ' + b"[" * 500_000, "number": b'{"text": "a", "id": ' + b"9" * 100_000 + b"}",
                          "ids": b'{"input_ids": [2147483648, -1, 9223372036854775807]}', "none": b'{"input_ids": []}',
                          "empty": b'{"text": ""}', "null": b"null", "id": json.dumps({"text": "a", "id": CONTROLS}).encode()}.items():
        yield Case(f"jsonl {name}", [rows + ["x.jsonl"]], write("x.jsonl", content))
    yield Case("data sparse", [rows + ["x.tsv"]], replaced("x.tsv", sparse(1 << 26)))
    yield Case("data pipe", [rows + ["x.tsv"]], replaced("x.tsv", os.mkfifo))
    yield Case("names with controls", [["inspect", CONTROLS], ["train", CONTROLS], ["tokenize", "--model", CONTROLS, "--text", "a"],
                                       rows + [CONTROLS], ["report", CONTROLS]])


def runs():
    for key in ("epochs", "max_steps", "batch_size", "evaluation_batch_size", "accumulation", "learning_rate", "warmup_steps",
                "log_every", "evaluate_every", "checkpoint_every", "keep_checkpoints", "maximum_length", "seed", "threads",
                "predictions", "skip_limit", "samples"):
        for value in (-1, 0, 1, 1024, 2**31, 2**62, 2**63 - 1, "1e308", CONTROLS):
            arguments = ["train", "run.yaml", "--quiet", "--no-report", "--set", f"training.{key}={value}"]
            if key != "max_steps":
                arguments += ["--max-steps", "2"]
            if key == "max_steps" and value in (1024, 2**31, 2**62, 2**63 - 1):
                arguments += ["--epochs", "1"]
            yield Case(f"training.{key}={value!r}", [arguments], outputs=["out"])
    for key, value in (("virtual_tokens", 2**62), ("depth", 2**31), ("virtual_tokens", -1), ("virtual_tokens", 0)):
        yield Case(f"adapter.{key}={value}", [TRAIN + ["--set", f"adapter.{key}={value}"]], outputs=["out"])
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}]\n" for p, c in zip("abcdefghi", "bcdefghij"))
    for name, content in {"bomb": bomb, "deep": "[" * 100_000, "controls": f"base: {{model: \"{CONTROLS[:4]}\"}}\n", "nul": "base: \0"}.items():
        yield Case(f"run file {name}", [["train", "run.yaml"]], write("run.yaml", content))
    for key in ("max-new-tokens", "batch-size", "top-k", "threads", "seed"):
        for value in (-1, 0, 2**31, 2**62, 2**63 - 1):
            yield Case(f"generate --{key} {value}", [CAUSAL + [f"--{key}", str(value)]])


def metrics():
    lines = {
        "numbers": '{"event": "step", "step": 9223372036854775807, "loss": 1e308}\n{"event": "step", "step": -1, "loss": -1e308}\n',
        "controls": json.dumps({"event": CONTROLS, "step": 1, "loss": 1}) + "\n", "deep": "[" * 200_000 + "\n", "types": '{"event": [], "step": {}}\n',
    }
    for name, content in lines.items():
        for file in ("metrics.jsonl", "results.json", "predictions.jsonl"):
            yield Case(f"report {file} {name}", [REPORT], write(f"out/{file}", content), outputs=["out/report.html"])


def hubs():
    import hub

    for way in hub.WAYS:
        yield Case(
            f"hub {way}", [["pull", "owner/name"]], outputs=["../hf", "hf"],
            variables=lambda server, way=way: {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": server.endpoint(way), "HF_HOME": "hf", "HF_HUB_DOWNLOAD_TIMEOUT": "2"})


def listed():
    """All cases that have a name, in a fixed order."""
    for family in (models, weights, tokenizers, templates, adapters, places, data, runs, metrics, hubs):
        yield from family()


def random_case(generator):
    """A file with some bytes or members changed, and a command that reads it."""
    path, commands, outputs = generator.choice([
        ("model/config.json", [PREDICT], []), ("model/model.safetensors", [PREDICT], []), ("model/vocab.txt", [PREDICT], []),
        ("causal/config.json", [CAUSAL], []), ("causal/tokenizer.json", [CAUSAL], []), ("causal/model.safetensors", [CAUSAL], []),
        ("causal/tokenizer_config.json", [CHAT], []), ("out/adapter/adapter_config.json", [PREDICT, INSPECT], []),
        ("out/adapter/adapter_model.safetensors", [PREDICT, INSPECT], []), ("run.yaml", [TRAIN], ["out"]),
        ("train.tsv", [TRAIN], ["out"]), ("out/metrics.jsonl", [REPORT], ["out/report.html"]),
        ("out/predictions.jsonl", [REPORT], ["out/report.html"]),
    ])
    seed = generator.randrange(1 << 30)

    def change(folder):
        import random

        own = random.Random(seed)
        full = os.path.join(folder, path)
        with open(full, "rb") as file:
            content = bytearray(file.read())
        for _ in range(own.randint(1, 6)):
            place = own.randrange(max(1, min(len(content), 4096 if own.random() < 0.7 else len(content))))
            way = own.randrange(5)
            if way == 0:
                content[place:place + 1] = bytes([own.randrange(256)])
            elif way == 1:
                del content[place:place + own.randint(1, 64)]
            elif way == 2:
                content[place:place] = content[place:place + own.randint(1, 256)]
            elif way == 3:
                content[place:place] = str(own.choice([-1, 0, 2**31, 2**62, 2**63 - 1])).encode()
            else:
                content[place:place] = CONTROLS.encode()
        with open(full, "wb") as file:
            file.write(content)

    return Case(f"random {seed} {path}", commands, change, outputs, plain_output=path.startswith("causal"))
