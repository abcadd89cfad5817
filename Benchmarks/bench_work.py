"""Counts the arithmetic that a step needs, and what PEFT's padded batches compute.

Necessary is: the texts' own rows, unpadded; a prompt in front of a causal model once a batch; of the last layer and
the vocabulary the rows that the loss reads; no gradients of frozen weights, and none below the lowest trained rows.
Multiplications and additions of matrix products and attention count as two operations; everything else is left out.
"""

from bench_cells import MODELS, PREFIXES

SIZES = {
    "bert": {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072},
    "distilbert": {"hidden_size": 768, "num_hidden_layers": 6, "intermediate_size": 3072},
    "gpt2": {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072, "vocab_size": 50257},
    "llama": {},
}


class Sizes:
    """Operations for one row in one layer of a model."""

    def __init__(self, name):
        family, given = MODELS[name]
        sizes = SIZES[family] | given
        hidden = sizes["hidden_size"]
        ratio = sizes.get("num_key_value_heads", 1) / sizes.get("num_attention_heads", 1)
        self.layers, self.hidden = sizes["num_hidden_layers"], hidden
        self.query = 2 * hidden * hidden
        self.keys = 2 * 2 * hidden * hidden * ratio
        products = 3 if family == "llama" else 2
        self.rest = 2 * hidden * hidden + products * 2 * hidden * sizes["intermediate_size"]
        self.vocabulary = 2 * hidden * sizes.get("vocab_size", 0)

    def layer(self, rows, queries=None):
        """Operations of a layer's matrix products; `queries`: of how many rows more than keys is wanted."""
        queries = rows if queries is None else queries
        return rows * self.keys + queries * (self.query + self.rest)


def necessary(cell, batch):
    """(operations of a training step, of scoring, rows) of a batch of (ids, label)."""
    sizes, lengths = Sizes(cell.model), [len(ids) for ids, _ in batch]
    prefix, tokens = cell.method in PREFIXES, cell.tokens
    shared = cell.causal and not prefix and cell.method != "pool"
    own = [n if prefix or shared else n + tokens for n in lengths]
    rows = sum(own) + (tokens if shared else 0)

    def attention(read):
        # Of each sequence: rows that attend times rows that they see.
        pairs = 0
        for mine, wanted in zip(own, read):
            seen = mine + (tokens if prefix or shared else 0)
            pairs += wanted * (seen - (mine - 1) / 2 if cell.causal else seen)
        return 4 * sizes.hidden * pairs

    whole = attention(own) + (4 * sizes.hidden * tokens * (tokens + 1) / 2 if shared else 0)
    # A language model scores every token but the last of each text, a classifier one row.
    wanted = [n - 1 for n in lengths] if cell.causal else [1] * len(batch)
    last = sizes.layer(rows, sum(wanted)) + attention(wanted)
    vocabulary = sum(wanted) * sizes.vocabulary
    below = (sizes.layers - 1) * (sizes.layer(rows) + whole)
    scoring = below + last + vocabulary
    # Backwards each product is done once more, for the gradient of its rows, and attention takes twice its four products.
    backward = scoring + (sizes.layers - 1) * whole + attention(wanted)
    if prefix:  # nothing below the first layer's keys and values is trained
        backward -= rows * (sizes.query + sizes.keys)
    return scoring + backward, scoring, rows


def padded(cell, batch):
    """The same for PEFT, which computes every row of the padded batch and the logits of all of them."""
    sizes, longest = Sizes(cell.model), max(len(ids) for ids, _ in batch)
    prefix = cell.method in PREFIXES
    own, seen = longest + (0 if prefix else cell.tokens), longest + cell.tokens
    rows = len(batch) * own
    attention = 4 * sizes.hidden * len(batch) * own * seen
    scoring = sizes.layers * (sizes.layer(rows) + attention) + rows * sizes.vocabulary
    backward = scoring + sizes.layers * attention - (rows * (sizes.query + sizes.keys) if prefix else 0)
    return scoring + backward, scoring, rows
