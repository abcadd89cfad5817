"""A folder in which a small training runs, is stopped by stop.c, and is looked at."""

import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parents[2]
DEADLY = ["kill", "torn", "cut", "cut-zeros", "cut-names"]
FULL = ["full", "full-once"]
RUN = """
base: {model: model}
adapter: {plugin: p-tuning-v2, virtual_tokens: TOKENS, depth: 2, dropout: 0.3}
tasks:
  - name: tone
    head: {plugin: sequence-classification}
    data: {train: train.tsv, validation: dev.tsv, text: sentence}
training: {epochs: 3, batch_size: 8, learning_rate: 0.02, warmup_steps: 2, log_every: 1, evaluate_every: 3,
  checkpoint_every: 2, early_stopping_patience: 2, threads: 1}
output: out
"""
TIMES = {"examples_per_second", "seconds", "time"}
# A file of the user's own in an adapter folder, which stays.
NOTES = "adapter/NOTES.txt"


def sentences(rows):
    other = ["the", "film", "movie", "story", "plot", "actor", "scene"]
    telling = [["good", "great", "fine", "fun", "warm"], ["bad", "worse", "dull", "cold", "slow"]]
    lines = ["sentence\tlabel"]
    for row in range(rows):
        words = [other[(row * 5 + word * 3) % len(other)] for word in range(row % 4 + 1)]
        lines.append(f"{' '.join(words)} was {telling[row % 2][row // 2 % 5]}\t{['positive', 'negative'][row % 2]}")
    return "\n".join(lines) + "\n"


def build_shim(to):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("clang")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", to, HERE / "stop.c", "-ldl"], check=True)


class Desk:
    def __init__(self, ptune, shim, folder):
        self.ptune, self.shim, self.folder = ptune, shim, folder
        self.out = folder / "out"
        self.valid = set()
        folder.mkdir(exist_ok=True)
        shutil.copytree(PACKAGE / "Tests/Fixtures/tiny-bert", folder / "model")
        (folder / "train.tsv").write_text(sentences(16))
        (folder / "dev.tsv").write_text(sentences(8))
        (folder / "old.yaml").write_text(RUN.replace("TOKENS", "3"))
        (folder / "run.yaml").write_text(RUN.replace("TOKENS", "4"))
        # The probe reads its plugins once for all runs.
        self.environment = dict(os.environ, HOME=str(folder), XDG_CACHE_HOME=str(folder / "cache"), LC_ALL="C")

    def run(self, *arguments, how=None, at=0, under=None):
        environment = dict(self.environment)
        count, listed = self.folder / "count", self.folder / "list"
        count.unlink(missing_ok=True)
        listed.unlink(missing_ok=True)
        if how:
            environment.update(
                LD_PRELOAD=str(self.shim),
                PTUNE_STOP_UNDER=str(under or self.out),
                PTUNE_STOP_AT=str(at),
                PTUNE_STOP_HOW=how,
                PTUNE_STOP_COUNT=str(count),
                PTUNE_STOP_LIST=str(listed),
            )
        done = subprocess.run(
            [self.ptune, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        done.count = int(count.read_text()) if count.exists() else 0
        done.operations = listed.read_text().splitlines() if listed.exists() else []
        return done

    def train(self, *arguments, **keywords):
        anew = [] if "--resume" in arguments else ["--overwrite"]
        return self.run("train", "run.yaml", "--quiet", *anew, *arguments, **keywords)

    def prepare(self, scenario):
        """The folder that a scenario begins with; returns a copy of it and the arguments of its training."""
        shutil.rmtree(self.out, ignore_errors=True)
        if scenario == "again":
            must(self.run("train", "old.yaml", "--quiet"))
            (self.out / NOTES).write_text("mine\n")
        elif scenario == "resumed":
            count = self.train(how="kill").count
            shutil.rmtree(self.out)
            stopped = self.train(how="kill", at=count // 2)
            assert stopped.returncode == -signal.SIGKILL
        start = self.folder / f"start-{scenario}"
        if self.out.exists():
            shutil.copytree(self.out, start)
        return start, ["--resume"] if scenario == "resumed" else []

    def reset(self, start):
        shutil.rmtree(self.out, ignore_errors=True)
        for left in self.folder.glob("out.*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if start.exists():
            shutil.copytree(start, self.out)
        return self.files()

    def files(self):
        if not self.out.exists():
            return {}
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for path in sorted(self.out.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    def result(self):
        """What has to be the same bit for bit."""
        files = self.files()
        # Desks differ in where they are, and what a run begins with may come from another one.
        desks = re.compile(re.escape(str(self.folder.parent).encode()) + rb"/desk(-\d+)?")
        result = {
            name: desks.sub(b"DESK", bytes)
            for name, bytes in files.items()
            if name in ("run.yaml", "predictions.jsonl") or name.startswith("adapter/")
        }
        result["metrics.jsonl"] = [
            {key: value for key, value in json.loads(line).items() if key not in TIMES}
            for line in files["metrics.jsonl"].splitlines()
        ]
        for name, bytes in files.items():
            if name.startswith("checkpoints/"):
                # Behind the header; that holds seconds.
                result[name] = bytes[8 + struct.unpack("<Q", bytes[:8])[0] :]
        result["leftovers"] = [name for name in files if ".partial" in name or "/." in f"/{name}"]
        return result

    def problems(self, before):
        """What is wrong with the folder as a crash left it."""
        files = self.files()
        adapter = [name for name in files if name.startswith("adapter/") and ".partial" not in name]
        if adapter or "adapter/adapter_config.json" in before:
            # The same bytes predict the same.
            state = hash(tuple((name, files[name]) for name in adapter))
            done = None if state in self.valid else self.run("predict", "--adapter", "out/adapter", "--text", "a film")
            if done and done.returncode != 0:
                yield f"the adapter {adapter}: {done.stderr.strip()}"
            else:
                self.valid.add(state)
        if NOTES in before and NOTES not in files:
            yield f"{NOTES} is lost"
        for name, bytes in files.items():
            if name.startswith("checkpoints/step-"):
                try:
                    length = struct.unpack("<Q", bytes[:8])[0]
                    header = json.loads(bytes[8 : 8 + length])
                    ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
                    assert 8 + length + max(ends) == len(bytes)
                except Exception as error:
                    yield f"{name} is not whole: {error!r}"
        for line in files.get("metrics.jsonl", b"").split(b"\n")[:-1]:
            try:
                json.loads(line)
            except ValueError:
                yield f"metrics.jsonl has the line {line!r}"


def must(done):
    assert done.returncode == 0, done.stderr
    return done
