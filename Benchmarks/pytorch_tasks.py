"""The tasks of pytorch_quality.py: data, loss, predictions and metrics, as ptune's heads have them."""

import collections
import csv
import json
import pathlib
import sys

import torch
from seqeval import metrics as seqeval
from torch.nn import functional
from transformers import AutoTokenizer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Scripts/generate/fixtures"))
import squad_scores


class Example:
    """A row: its sequences [(ids, token types)], and what its task has to know of it."""

    def __init__(self, sequences, label, **more):
        self.sequences, self.label, self.more = sequences, label, more

    def __len__(self):
        return sum(len(ids) for ids, _ in self.sequences)


def task(settings):
    kinds = {
        "sequence-classification": Sentences, "token-classification": Entities, "extractive-qa": Questions,
    }  # fmt: skip
    return kinds[settings["head"]["plugin"]](settings)


class Task:
    zero_bias, head_names = True, ("classifier.weight", "classifier.bias")

    def __init__(self, settings):
        self.tokenizer = AutoTokenizer.from_pretrained(settings["model"])
        self.maximum = settings["training"]["maximum_length"]
        self.head, self.labels = settings["head"], None
        self.train = self.read(settings["train"], settings.get("maximum_rows"))
        self.test = self.read(settings["test"], settings.get("maximum_rows"))

    def frequent(self):
        """The training data's tokens without special ones, the most frequent first."""
        counts = collections.Counter()
        for example in self.train:
            for ids, _ in example.sequences:
                counts.update(ids)
        special = set(self.tokenizer.all_special_ids)
        return [token for token, _ in counts.most_common() if token not in special]


class Sentences(Task):
    outputs = 2

    def read(self, path, limit):
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:limit]
        texts = self.tokenizer([row["sentence"] for row in rows], truncation=True, max_length=self.maximum)
        return [Example([(ids, [0] * len(ids))], int(row["label"])) for ids, row in zip(texts["input_ids"], rows)]

    def pooled(self, hidden, mask):
        return (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)

    def loss(self, scores, batch):
        return functional.cross_entropy(scores, torch.tensor([example.label for example in batch]))

    def predictions(self, scores, batch):
        return [(best == example.label) for best, example in zip(scores.argmax(1).tolist(), batch)]

    def metrics(self, predicted):
        return {"accuracy": sum(predicted) / len(predicted)}


class Entities(Task):
    @property
    def outputs(self):
        return len(self.labels)

    def read(self, path, limit):
        rows = [[]]
        for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n"):
            columns = line.split()
            if columns:
                rows[-1].append((columns[0], columns[-1]))
            elif rows[-1]:
                rows.append([])
        rows = [row for row in rows if row][:limit]
        if self.labels is None:
            self.labels = sorted({tag for row in rows for _, tag in row})
        return [self.example([word for word, _ in row], [tag for _, tag in row]) for row in rows]

    def example(self, words, tags):
        made = self.tokenizer(words, is_split_into_words=True, truncation=True, max_length=self.maximum)
        pieces, seen, targets = made.word_ids(), set(), []
        for word in pieces:  # the first piece of a word speaks for it
            targets.append(self.labels.index(tags[word]) if word is not None and word not in seen else -100)
            seen.add(word)
        ids = made["input_ids"]
        return Example([(ids, [0] * len(ids))], targets, tags=tags, pieces=pieces)

    def pooled(self, hidden, mask):
        return hidden

    def loss(self, scores, batch):
        targets = torch.full(scores.shape[:2], -100)
        for row, example in zip(targets, batch):
            row[: len(example.label)] = torch.tensor(example.label)
        return functional.cross_entropy(scores.flatten(0, 1), targets.flatten())

    def predictions(self, scores, batch):
        made = []
        for row, example in zip(scores.argmax(2).tolist(), batch):
            tags = ["O"] * len(example.more["tags"])  # a word that was cut off counts as O
            for best, target, word in zip(row, example.label, example.more["pieces"]):
                if target != -100:
                    tags[word] = self.labels[best]
            made.append((example.more["tags"], tags))
        return made

    def metrics(self, predicted):
        targets, tags = zip(*predicted)
        scores = {"f1": seqeval.f1_score, "precision": seqeval.precision_score, "recall": seqeval.recall_score}
        return {name: float(score(list(targets), list(tags))) for name, score in scores.items()}


class Questions(Task):
    outputs, zero_bias = 2, False  # the head's layer starts as nn.Linear does
    head_names = ("qa_outputs.weight", "qa_outputs.bias")

    def read(self, path, limit):
        articles = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["data"]
        rows = [
            (question["question"], paragraph["context"], question["answers"])
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
        return [self.example(*row) for row in rows[:limit]]

    def example(self, question, context, answers):
        made = self.tokenizer(
            question, context, truncation="only_second", max_length=self.maximum, stride=self.head["doc_stride"],
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        begin = answers[0]["answer_start"]
        end, places, spans = begin + len(answers[0]["text"]), [], []
        for window, offsets in enumerate(made["offset_mapping"]):
            own = [i for i, part in enumerate(made.sequence_ids(window)) if part == 1]
            places.append({i: offsets[i] for i in own})
            first = [i for i in own if offsets[i][0] <= begin]
            last = [i for i in own if offsets[i][1] >= end]
            spans.append((first[-1], last[0]) if first and last and first[-1] <= last[0] else (0, 0))
        sequences = list(zip(made["input_ids"], made["token_type_ids"]))
        return Example(sequences, spans, places=places, context=context, gold=[a["text"] for a in answers])

    def pooled(self, hidden, mask):
        return hidden.masked_fill(mask[:, :, None] == 0, 0)

    def loss(self, scores, batch):
        lengths = [len(ids) for example in batch for ids, _ in example.sequences]
        inside = torch.arange(scores.shape[1])[None] < torch.tensor(lengths)[:, None]
        scores = scores.masked_fill(~inside[:, :, None], float("-inf"))
        spans = torch.tensor([span for example in batch for span in example.label])
        return sum(functional.cross_entropy(scores[:, :, side], spans[:, side]) for side in (0, 1)) / 2

    def predictions(self, scores, batch, count=20, longest=30):
        made, row = [], 0
        for example in batch:
            best = (float("-inf"), "")
            for places in example.more["places"]:
                start, end = scores[row].T.tolist()
                row += 1
                starts, ends = (sorted(places, key=lambda i: -side[i])[:count] for side in (start, end))
                for s in starts:
                    for e in ends:
                        if 0 <= e - s < longest and start[s] + end[e] > best[0]:
                            best = start[s] + end[e], example.more["context"][places[s][0] : places[e][1]]
            made.append((best[1], example.more["gold"]))
        return made

    def metrics(self, predicted):
        return squad_scores.metrics(*zip(*predicted), no_answer=False)
