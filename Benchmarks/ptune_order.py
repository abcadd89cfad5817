"""ptune's order of batches and its trained values at the start, for runs in lockstep.

The order is that of BatchPlan.shuffled with SeededGenerator: xoshiro256** seeded by SplitMix64, Lemire's multiplication
with rejection, Fisher-Yates.
"""

from safetensors.torch import load_file

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def split_mix(state):
    """Endless 64-bit numbers."""
    while True:
        state = (state + GOLDEN) & MASK
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield z ^ z >> 31


def rotated(value, by):
    return (value << by | value >> (64 - by)) & MASK


class Generator:
    def __init__(self, seed, stream):
        mixer = split_mix(next(split_mix(seed)) ^ (stream * GOLDEN & MASK))
        self.state = [next(mixer) for _ in range(4)]

    def next(self):
        a, b, c, d = self.state
        result = (rotated(b * 5 & MASK, 7) * 9) & MASK
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        self.state = [a, b, c ^ (self.state[1] << 17 & MASK), rotated(d, 45)]
        return result

    def below(self, bound):
        product = self.next() * bound
        while product & MASK < (-bound & MASK) % bound:
            product = self.next() * bound
        return product >> 64

    def shuffle(self, elements):
        for last in range(len(elements) - 1, 0, -1):
            other = self.below(last + 1)
            elements[last], elements[other] = elements[other], elements[last]


def batches(examples, size, seed, epoch):
    """The batches of a pass, counted from 0."""
    generator, order, window = Generator(seed, epoch), list(examples), 50 * size
    generator.shuffle(order)
    order = [e for i in range(0, len(order), window) for e in sorted(order[i : i + window], key=len)]
    made = [order[i : i + size] for i in range(0, len(order), size)]
    generator.shuffle(made)
    return made


def start(path, task, model, head, head_names):
    """Sets what is trained to the values of ptune's checkpoint; all of it has to be there."""
    part = ".values"  # the others are the optimiser's
    tensors = {name.removesuffix(part): value for name, value in load_file(path).items() if name.endswith(part)}
    named = {f"head.{task}.{name}": parameter for name, parameter in zip(head_names, (head.weight, head.bias))}
    own = {"pool": "pool", "weight": "encoder.weight", "bias": "encoder.bias", "prompt": "prompt_embeddings"}
    own |= {"prefix_task_cols": f"tasks.{task}.columns", "prefix_task_rows": f"tasks.{task}.rows"}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        name = name.rpartition("prompt_encoder.default.")[2].removeprefix("encoder.")
        name = own.get(name, name)
        if f"adapter.{name}" not in tensors and name == "embedding.weight":
            name = "prompt_embeddings"
        named[f"adapter.{name}"] = parameter
    assert named.keys() == tensors.keys(), f"{sorted(named.keys() ^ tensors.keys())} on one side only"
    for name, parameter in named.items():
        parameter.data.copy_(tensors[name].view(parameter.shape))
