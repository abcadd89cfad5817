"""Writes runs/topics/{train,validation,test}.csv for Examples/topics.yaml.

    python3 Examples/make_topics.py

Each row pairs a sentence of the demo's data (Scripts/setup/fetch-demo) with a description; the label says whether the
description fits. Half of the rows are right. What is drawn follows from a seed, so a second call writes the same.
"""

import csv
import os
import pathlib
import random
import sys

DESCRIPTIONS = {
    "movie-reviews": "This is about a film.",
    "product-reviews": "This is about a product that somebody bought.",
    "tweets": "This is a short message to friends.",
    "editorials": "This is from a newspaper.",
}
ROWS = {"train": 500, "validation": 100, "test": 100}  # of each kind of text

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ptune/data"
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "runs/topics"


def sentences(kind, split):
    path = CACHE / kind / f"{split}.tsv"
    if not path.exists():
        sys.exit(f"error: there is no {path}\nhelp: run Scripts/setup/fetch-demo")
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines][: ROWS[split]]


def main():
    generator = random.Random(42)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for split in ROWS:
        rows = []
        for kind, fitting in DESCRIPTIONS.items():
            others = [text for other, text in DESCRIPTIONS.items() if other != kind]
            for index, sentence in enumerate(sentences(kind, split)):
                fits = index % 2 == 0
                rows.append((sentence, fitting if fits else generator.choice(others), "yes" if fits else "no"))
        generator.shuffle(rows)
        with open(FOLDER / f"{split}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["sentence", "description", "fits"])
            writer.writerows(rows)
        print(FOLDER / f"{split}.csv", len(rows), "rows")


if __name__ == "__main__":
    main()
