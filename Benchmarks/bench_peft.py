"""PEFT's side of Benchmarks/bench.py: the same protocol as `ptune bench steps`.

    python bench_peft.py --cell '{"model": …}' --model FOLDER --rows FILE --variant f32

`train N` and `score N`, a line each on standard input, take the first N batches; each is answered by one line of JSON.
Variants: f32 as PEFT's users start; bf16-autocast; bf16, the whole model; bf16-compiled, by torch.compile.
"""

import argparse
import json
import os
import pathlib
import sys
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
warnings.filterwarnings("ignore")

import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

from bench_cells import LEARNING_RATE, METHODS, Cell  # noqa: E402
from bench_inputs import batches  # noqa: E402


def peak_memory():
    """Of this process alone, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def tuned(cell, folder, variant, best):
    """The base model wrapped by PEFT."""
    kind = transformers.AutoModelForCausalLM if cell.causal else transformers.AutoModelForSequenceClassification
    # At its best the peer has no dropout in the frozen model, as ptune has none, and attention may be fused.
    calm = {}
    if best:
        names = {
            "bert": ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"],
            "distilbert": ["dropout", "attention_dropout", "seq_classif_dropout"],
            "gpt2": ["resid_pdrop", "embd_pdrop", "attn_pdrop"], "llama": ["attention_dropout"],
        }  # fmt: skip
        calm = dict.fromkeys(names[cell.family], 0.0)
    dtype = torch.bfloat16 if variant in ("bf16", "bf16-compiled") else torch.float32
    base = kind.from_pretrained(folder, dtype=dtype, **calm)
    name, arguments = METHODS[cell.method][1]
    if cell.model == "distilbert":  # PEFT does not find these in DistilBertConfig
        arguments = arguments | {"token_dim": 768, "num_attention_heads": 12, "num_layers": 6}
    config = getattr(peft, name)(
        task_type="CAUSAL_LM" if cell.causal else "SEQ_CLS", num_virtual_tokens=cell.tokens, **arguments
    )
    return peft.get_peft_model(base, config)


def tensors(batch, causal):
    """A batch, padded to its longest text."""
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in batch])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
    labels = ids.masked_fill(mask == 0, -100) if causal else None
    if not causal:
        labels = torch.tensor([int(label == "positive") for _, label in batch])
    return {"input_ids": ids, "attention_mask": mask}, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True, type=pathlib.Path)
    parser.add_argument("--variant", required=True)
    options = parser.parse_args()
    cell = Cell(**json.loads(options.cell))
    torch.set_num_threads(cell.threads)
    torch.manual_seed(0)
    model = tuned(cell, options.model, options.variant, cell.mode == "best")
    data = [tensors(batch, cell.causal) for batch in batches(options.rows)]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LEARNING_RATE)
    run = torch.compile(model, dynamic=True) if options.variant == "bf16-compiled" else model
    autocast = options.variant == "bf16-autocast"

    def train(inputs, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = run(**inputs, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def score(inputs, _):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            run(**inputs)

    for line in sys.stdin:
        command, count = line.split()
        model.train(command == "train")
        seconds, result = [], None
        for index in range(int(count)):
            begin = time.perf_counter()
            result = (train if command == "train" else score)(*data[index % len(data)])
            seconds.append(time.perf_counter() - begin)
        answer = {"command": line.strip(), "seconds": seconds, "peak_memory_bytes": peak_memory()}
        print(json.dumps(answer | ({"loss": result} if command == "train" else {})), flush=True)


if __name__ == "__main__":
    main()
