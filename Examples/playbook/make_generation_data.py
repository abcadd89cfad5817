"""Makes the data of generation.yaml from the demo's film reviews: a prompt "… The sentiment is" and the word that follows.

usage: python3 Examples/playbook/make_generation_data.py

Writes runs/playbook/words/{train,validation,test}.jsonl, from what Scripts/setup/fetch-demo fetched.
"""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "Examples/data/movie-reviews"
TARGET = ROOT / "runs/playbook/words"


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        with open(SOURCE / f"{split}.tsv", encoding="utf-8") as source:
            rows = [line.rstrip("\n").split("\t") for line in source][1:]
        with open(TARGET / f"{split}.jsonl", "w", encoding="utf-8") as target:
            for sentence, label in rows:
                row = {"prompt": f"{sentence} The sentiment is", "completion": f" {label}"}
                target.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{TARGET} is written")


if __name__ == "__main__":
    main()
