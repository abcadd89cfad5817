"""Compares ptune's tokenizers with the package `tokenizers`: ids first, then time, on one thread.

usage: python Benchmarks/tokenizer_speed.py [--ptune PATH] [--text FILE…] [--lines N] [--repeats N] [--keep FOLDER]

Needs the package tokenizers. It trains a vocabulary of each kind on the text: WordPiece as BERT's, byte-level
byte-pair encodings as GPT-2's and as Llama 3's, byte-pair encoding with byte fallback as Llama 2's, unigram as
XLM-R's. The text is the files' lines, by default the demo's reviews, and as many lines again of many scripts, code and
noise, from a fixed seed. Every line has to get the same ids from both, else the command fails. Then both cut all lines
in turn (A B A B …), `tokenizers` in one call of encode_batch with parallelism switched off. Prints one JSON document:
for each kind the seconds of each pass and the ratio of the medians, `tokenizers` to ptune.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ptune"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# First and last character of blocks of letters, marks, digits, signs and symbols.
BLOCKS = [
    (0x21, 0x7E), (0xA1, 0x17F), (0x300, 0x36F), (0x391, 0x3C9), (0x410, 0x44F), (0x5D0, 0x5EA), (0x621, 0x64A),
    (0x660, 0x669), (0x905, 0x939), (0xE01, 0xE2E), (0x10D0, 0x10F0), (0x1100, 0x1112), (0x2010, 0x2027),
    (0x2200, 0x22FF), (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0xFF21, 0xFF5A),
    (0x1F300, 0x1F64F),
]  # fmt: skip
CODE = [
    "def f(x):",
    "\treturn x * 2",
    "for (int i = 0; i < n; i++) {",
    "}",
    "let a = b ?? c",
    "<p class='x'>",
    "x += 1e-3;",
]


def noise(count):
    """Lines of many scripts, of code, and of anything."""
    source, lines = random.Random(7), []
    for _ in range(count):
        kind = source.random()
        if kind < 0.2:
            line = source.choice(["", "  ", "\t"]) + source.choice(CODE) + "  // " + str(source.randint(0, 10**6))
        else:
            blocks = BLOCKS if kind > 0.8 else source.sample(BLOCKS, 2)
            words = []
            for _ in range(source.randint(1, 14)):
                low, high = source.choice(blocks)
                word = "".join(chr(source.randint(low, high)) for _ in range(source.randint(1, 8)))
                words.append(word if source.random() < 0.9 else word + source.choice([".", ",", "!?", "'s", "  "]))
            line = source.choice([" ", " ", "  ", "\u00a0"]).join(words)
        lines.append(line)
    return lines


def kinds():
    """Tokenizers without a vocabulary, and what trains one."""
    wordpiece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    wordpiece.normalizer = normalizers.BertNormalizer(lowercase=True)
    wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    wordpiece.decoder = decoders.WordPiece()
    yield (
        "wordpiece",
        wordpiece,
        trainers.WordPieceTrainer(vocab_size=20000, special_tokens=["[UNK]", "[CLS]", "[SEP]"]),
    )

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    gpt2 = Tokenizer(models.BPE())
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    gpt2.decoder = decoders.ByteLevel()
    yield "byte-level BPE (GPT-2)", gpt2, trainers.BpeTrainer(vocab_size=20000, initial_alphabet=alphabet)

    llama3 = Tokenizer(models.BPE(ignore_merges=True))
    llama3.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    llama3.decoder = decoders.ByteLevel()
    yield "byte-level BPE (Llama 3)", llama3, trainers.BpeTrainer(vocab_size=20000, initial_alphabet=alphabet)

    llama2 = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama2.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    llama2.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    yield (
        "BPE with byte fallback",
        llama2,
        trainers.BpeTrainer(vocab_size=20000, special_tokens=special, limit_alphabet=1000),
    )

    unigram = Tokenizer(models.Unigram())
    unigram.normalizer = normalizers.NFKC()
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.decoder = decoders.Metaspace()
    yield "unigram", unigram, trainers.UnigramTrainer(vocab_size=12000, unk_token="<unk>", special_tokens=["<unk>"])


def median_ratio(theirs, ours):
    return statistics.median(theirs) / statistics.median(ours)


def run_ptune(ptune, tokenizer, lines, output):
    command = [ptune, "tokenize", "--model", tokenizer, "--input", lines, "--output", output, "--json", "--offline"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(name, tokenizer, trainer, lines, folder, options):
    stem = "".join(letter if letter.isalnum() else "-" for letter in name)
    path, text, output = (str(folder / f"{stem}.{ending}") for ending in ("json", "txt", "jsonl"))
    if not os.path.exists(path):
        tokenizer.train_from_iterator(lines, trainer)
        if isinstance(trainer, trainers.BpeTrainer) and tokenizer.model.byte_fallback:
            strip_added_bytes(tokenizer)
        tokenizer.save(path)
    tokenizer = Tokenizer.from_file(path)
    pathlib.Path(text).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    ours, theirs, tokens = [], [], 0
    for number in range(options.repeats):
        result = run_ptune(options.ptune, path, text, output)
        ours.append(result["seconds"])
        start = time.perf_counter()
        encodings = tokenizer.encode_batch(lines, add_special_tokens=False)
        theirs.append(time.perf_counter() - start)
        if number == 0:
            tokens = result["tokens"]
            compare(name, lines, encodings, output)
    return {
        "kind": name,
        "lines": len(lines),
        "tokens": tokens,
        "different_lines": 0,
        "ptune_seconds": ours,
        "tokenizers_seconds": theirs,
        "ratio": median_ratio(theirs, ours),
    }


def strip_added_bytes(tokenizer):
    """The trainer makes the byte tokens special ones, which the text would be searched for; in models they are not."""
    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = [each for each in document["added_tokens"] if not each["content"].startswith("<0x")]
    tokenizer.__setstate__(json.dumps(document).encode())


def compare(name, lines, encodings, output):
    with open(output, encoding="utf-8") as ids:
        for line, encoding, own in zip(lines, encodings, ids, strict=True):
            if json.loads(own) != encoding.ids:
                sys.exit(f"error: {name} differs on {line!r}:\n  ptune      {own}  tokenizers {encoding.ids}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ptune", default=".build/release/ptune")
    parser.add_argument("--text", nargs="*", type=pathlib.Path)
    parser.add_argument("--lines", type=int, default=20000, help="at least so many lines; noise makes up the rest")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kind", help="only those whose name holds this")
    parser.add_argument(
        "--keep", type=pathlib.Path, help="keep the trained tokenizers here, and take those that are here"
    )
    options = parser.parse_args()
    files = options.text if options.text is not None else sorted((CACHE / "data").rglob("*.tsv"))
    if not files:
        sys.exit("error: there is no text\nhelp: run Scripts/setup/fetch-demo, or name files with --text")
    real = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]
    real = [line.replace("\r", " ") for line in real][: options.lines]
    lines = real + noise(max(options.lines - len(real), len(real)))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        folder = options.keep or folder
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        for name, tokenizer, trainer in kinds():
            if options.kind is None or options.kind in name:
                results.append(measure(name, tokenizer, trainer, lines, pathlib.Path(folder), options))
    print(json.dumps({"real_lines": len(real), "lines": len(lines), "results": results}, indent=2))


if __name__ == "__main__":
    main()
