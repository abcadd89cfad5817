"""What the demo's two unpacking scripts share: checking an archive and replacing a folder whole."""

import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager


def fail(what, to_do):
    """Ends the script with the project's two-line error."""
    sys.exit(f"error: {what}\nhelp: {to_do}")


def check(archive, sha256):
    """Ends the script unless the file has this SHA-256."""
    digest = hashlib.sha256()
    try:
        with open(archive, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as problem:
        fail(f"{archive}: {problem.strerror}", "run Scripts/setup/fetch-demo, which downloads it")
    if digest.hexdigest() != sha256:
        fail(
            f"{archive} has SHA-256 {digest.hexdigest()}, expected {sha256}",
            "the download is damaged or was replaced; delete it and run Scripts/setup/fetch-demo again",
        )


@contextmanager
def replaced_folder(folder, stamp):
    """A new, empty folder that takes the place of `folder` when the block ends without an error.

    Until then the old one stays, so an interruption leaves the old folder or the new one, whole. The file
    `.source` inside says what it was made from.
    """
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    new = tempfile.mkdtemp(prefix=".new-", dir=parent)
    try:
        yield new
        with open(os.path.join(new, ".source"), "w") as file:
            file.write(stamp + "\n")
        os.chmod(new, 0o755)  # mkdtemp makes it private
        with tempfile.TemporaryDirectory(prefix=".old-", dir=parent) as old:
            if os.path.isdir(folder):
                os.rename(folder, os.path.join(old, "folder"))
            os.rename(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
