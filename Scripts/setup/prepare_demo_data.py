"""Makes the demo's sentiment data from the source archive of vaderSentiment 3.3.2 (MIT licence).

usage: prepare_demo_data.py ARCHIVE SHA256 FOLDER STAMP

The archive holds the ground truth of Hutto & Gilbert (ICWSM 2014): sentences of four domains, each with the
mean of at least ten human ratings from -4 to 4. Written are FOLDER/DOMAIN/{train,validation,test}.tsv, UTF-8
with the header `sentence<TAB>label`, unquoted.

- The label is the sign of the mean rating. Rows whose mean is exactly 0 have no sign and are dropped; all
  others stay, however mild.
- A sentence that occurs twice in a domain is kept once, so that no test sentence is trained on.
- A row's split and place follow from a hash of its domain and id: 70 % train, 15 % validation, 15 % test,
  in the order of the hash, so that any beginning of a file is a fair sample (the source is not shuffled).
- Text is repaired where the source stored it escaped: HTML entities, and two apostrophes for a quotation
  mark.
"""

import hashlib
import html
import io
import os
import sys
import tarfile

from demo_archive import check, fail, replaced_folder

INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
DOMAINS = {
    "movie-reviews": "movieReviewSnippets",
    "product-reviews": "amazonReviewSnippets",
    "tweets": "tweets",
    "editorials": "nytEditorialSnippets",
}
SPLITS = ("train", "validation", "test")


def place_of(domain, row_id):
    """The split that a row belongs to and its place there: a function of its identity alone."""
    place = int.from_bytes(hashlib.sha256(f"{domain}/{row_id}".encode()).digest()[:8], "big")
    percent = place % 100
    return "train" if percent < 70 else "validation" if percent < 85 else "test", place


def repaired(text):
    """The sentence with entities and doubled apostrophes resolved and every run of white space one space."""
    return " ".join(html.unescape(text).replace("''", '"').split())


def rows_of(domain, content):
    """{split: [(place, sentence, label)]} of the rows of a ground truth file that have a label."""
    seen, rows = set(), {split: [] for split in SPLITS}
    for number, line in enumerate(content.splitlines(), 1):
        try:
            row_id, rating, text = line.split("\t")
            rating = float(rating)
        except ValueError:
            fail(f"{DOMAINS[domain]} line {number} is not `id TAB rating TAB text`", "report this")
        sentence = repaired(text)
        if rating == 0 or not sentence or sentence.lower() in seen:
            continue
        seen.add(sentence.lower())
        split, place = place_of(domain, row_id)
        rows[split].append((place, sentence, "positive" if rating > 0 else "negative"))
    return {split: sorted(found) for split, found in rows.items()}


def main(archive, sha256, folder, stamp):
    check(archive, sha256)
    with tarfile.open(archive) as outer:
        inner = outer.extractfile(INNER).read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as data, replaced_folder(folder, stamp) as new:
        for domain, name in DOMAINS.items():
            content = data.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode("utf-8")
            os.mkdir(os.path.join(new, domain))
            counts = []
            for split, rows in rows_of(domain, content).items():
                with open(f"{new}/{domain}/{split}.tsv", "w", encoding="utf-8", newline="\n") as file:
                    file.write("sentence\tlabel\n")
                    file.writelines(f"{sentence}\t{label}\n" for _, sentence, label in rows)
                share = sum(label == "positive" for _, _, label in rows) / len(rows)
                counts.append(f"{split} {len(rows)} ({share:.1%} positive)")
            print(f"{domain}: {', '.join(counts)}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
