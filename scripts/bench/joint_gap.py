"""The modality gap of a small joint space of pictures and words, trained here in about a minute.

    python scripts/bench/joint_gap.py --json joint.json --html joint.html --vectors joint.npz

Drawings of one shape each (four shapes, six colours, two sizes, nine places: 432 kinds) and
captions of them go through two small networks in numpy, trained as CLIP is (Radford et al., 2021:
a symmetric cross-entropy over the cosines of a batch). A fifth of the kinds is held out: no picture
and no caption of them is seen in training. Of these kinds everything is measured, after some steps
of training each: how far pictures and captions lie apart, which finds which by the bare vectors,
and what a question for a picture finds among the pictures and captions of other kinds.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentctx.evaluate import gap
from agentctx.evaluate.gap import ANY, Gap, Paired, SpaceGap
from agentctx.evaluate.html import gap_page, write
from agentctx.evaluate.tables import tables
from agentctx.retrieve.gap import Calibration

SIDE, WIDTH, DIMENSION = 24, 256, 64
BATCH, RATE, TEMPERATURE = 128, 1e-3, 0.01  # the temperature is where that of CLIP ends
SEED = 20260314

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = {
    "red": (0.9, 0.1, 0.1),
    "green": (0.1, 0.7, 0.2),
    "blue": (0.1, 0.2, 0.9),
    "yellow": (0.9, 0.9, 0.1),
    "purple": (0.6, 0.1, 0.7),
    "grey": (0.5, 0.5, 0.5),
}
SIZES = {"small": 0.11, "large": 0.2}
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
TEMPLATES = (
    "a {size} {colour} {shape} at the {row} {column}",
    "the {column} {row} has a {shape} that is {colour} and {size}",
    "{shape} {colour} {size} {row} {column}",
    "there is a {colour} {shape} of {size} size on the {column} at the {row}",
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """What a drawing shows, and its caption says."""

    shape: str
    colour: str
    size: str
    row: str
    column: str

    def caption(self, template: str) -> str:
        """The caption in one of several wordings."""
        return template.format(**asdict(self))


KINDS = [Kind(*values) for values in product(SHAPES, COLOURS, SIZES, ROWS, COLUMNS)]


def drawn(kind: Kind, random: np.random.Generator) -> Floats:
    """A drawing [24, 24, 3], flat, with place, size, shade and background a little by chance."""
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
    down = 0.22 + 0.28 * ROWS.index(kind.row) + random.normal(0, 0.02)
    across = 0.22 + 0.28 * COLUMNS.index(kind.column) + random.normal(0, 0.02)
    half = SIZES[kind.size] * random.uniform(0.9, 1.1)
    u, v = (x - across) / half, (y - down) / half
    inside = {
        "circle": u**2 + v**2 < 1,
        "square": np.maximum(abs(u), abs(v)) < 0.9,
        "triangle": (v < 0.8) & (v > 2 * abs(u) - 1),
        "cross": ((abs(u) < 0.3) | (abs(v) < 0.3)) & (np.maximum(abs(u), abs(v)) < 1),
    }[kind.shape]
    picture = np.full((SIDE, SIDE, 3), random.uniform(0.85, 1.0))
    picture[inside] = np.clip(np.array(COLOURS[kind.colour]) + random.normal(0, 0.05, 3), 0, 1)
    picture += random.normal(0, 0.02, picture.shape)
    return picture.astype(np.float32).ravel()


def vocabulary() -> dict[str, int]:
    """Every word of every caption, by its place."""
    words = {word for kind in KINDS for one in TEMPLATES for word in kind.caption(one).split()}
    return {word: place for place, word in enumerate(sorted(words))}


def counted(captions: Sequence[str], words: dict[str, int]) -> Floats:
    """Captions as counts of words, float32 [n, words]."""
    found = np.zeros((len(captions), len(words)), np.float32)
    for row, caption in enumerate(captions):
        for word in caption.split():
            found[row, words[word]] += 1
    return found


class Tower:
    """Two layers with a rectifier between them, and unit length at the end."""

    def __init__(self, inputs: int, random: np.random.Generator) -> None:
        def layer(rows: int, columns: int) -> Floats:
            return random.normal(0, (2 / rows) ** 0.5, (rows, columns)).astype(np.float32)

        zeros = [np.zeros(n, np.float32) for n in (WIDTH, DIMENSION)]
        self.weights = [layer(inputs, WIDTH), zeros[0], layer(WIDTH, DIMENSION), zeros[1]]
        self._moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.weights]

    def forward(self, inputs: Floats) -> tuple[Floats, Floats, Floats]:
        """The unit rows, their lengths before, and the hidden layer."""
        hidden = np.maximum(inputs @ self.weights[0] + self.weights[1], 0)
        out = hidden @ self.weights[2] + self.weights[3]
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
        return out / lengths, lengths, hidden

    def learn(
        self, inputs: Floats, seen: tuple[Floats, Floats, Floats], by: Floats, t: int
    ) -> None:
        """One step of Adam (Kingma & Ba, 2015); ``by``: the gradient of the loss by unit rows."""
        unit, lengths, hidden = seen
        out = (by - unit * (unit * by).sum(axis=1, keepdims=True)) / lengths
        inner = (out @ self.weights[2].T) * (hidden > 0)
        slopes = [inputs.T @ inner, inner.sum(axis=0), hidden.T @ out, out.sum(axis=0)]
        for weight, slope, (first, second) in zip(self.weights, slopes, self._moments, strict=True):
            first += 0.1 * (slope - first)
            second += 0.001 * (slope**2 - second)
            size = RATE * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
            weight -= size * first / (np.sqrt(second) + 1e-8)


def softmax(logits: Floats) -> Floats:
    """Each row as shares of 1."""
    shares: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@dataclass
class Model:
    """Both towers."""

    pictures: Tower
    words: Tower

    def step(self, drawings: Floats, captions: Floats, t: int) -> None:
        """One batch of pairs, of which no two are of one kind."""
        one, other = self.pictures.forward(drawings), self.words.forward(captions)
        logits = one[0] @ other[0].T / TEMPERATURE
        own = np.eye(len(logits), dtype=np.float32)
        by = (softmax(logits) - own + (softmax(logits.T) - own).T) / (2 * len(logits) * TEMPERATURE)
        self.pictures.learn(drawings, one, by @ other[0], t)
        self.words.learn(captions, other, by.T @ one[0], t)


@dataclass
class Data:
    """Kinds to learn from with several drawings of each, and kinds that are held out."""

    learned: list[Kind]
    held: list[Kind]
    drawings: Floats
    words: dict[str, int]

    @classmethod
    def made(cls, random: np.random.Generator) -> "Data":
        """Everything, from one seed."""
        order = random.permutation(len(KINDS))
        held = len(KINDS) // 5
        learned = [KINDS[n] for n in order[held:]]
        drawings = np.stack([[drawn(kind, random) for _ in range(12)] for kind in learned])
        return cls(learned, [KINDS[n] for n in order[:held]], drawings, vocabulary())

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
        """Batches of drawings and captions, without end."""
        while True:
            chosen = random.permutation(len(self.learned))[:BATCH]
            pictures = self.drawings[chosen, random.integers(0, 12, BATCH)]
            wordings = random.integers(0, len(TEMPLATES), BATCH)
            captions = [
                self.learned[kind].caption(TEMPLATES[one])
                for kind, one in zip(chosen, wordings, strict=True)
            ]
            yield pictures, counted(captions, self.words)


def measured(name: str, model: Model, data: Data, random: np.random.Generator) -> SpaceGap:
    """The gap of held-out pictures, of questions for them, and of captions of other kinds."""
    rows = {
        "picture": model.pictures.forward(np.stack([drawn(k, random) for k in data.held]))[0],
        "text": _said(model, data, data.learned, 0),
        "text query": _said(model, data, data.held, 1),
    }
    # Of what was learned from, as a memory would know it: other pictures and other questions.
    known = {
        "picture": model.pictures.forward(data.drawings[:, 0])[0],
        "text": rows["text"],
        "text query": _said(model, data, data.learned, 1),
    }
    moved = {name: gap.shift(one, known[name].mean(axis=0)) for name, one in rows.items()}
    items = [known["picture"], known["text"]]
    places = np.array([0] * len(rows["picture"]) + [1] * len(rows["text"]))
    cosines = rows["text query"] @ np.concatenate([rows["picture"], rows["text"]]).T
    calibrated = Calibration.fitted(known["text query"][:16], items).calibrated(cosines, places)
    return gap.compared(name, rows, _pairs(rows, calibrated), _pairs(moved))


def _said(model: Model, data: Data, kinds: Sequence[Kind], template: int) -> Floats:
    captions = [kind.caption(TEMPLATES[template]) for kind in kinds]
    return model.words.forward(counted(captions, data.words))[0]


def _pairs(rows: dict[str, Floats], calibrated: Floats | None = None) -> list[Paired]:
    queries, pictures = rows["text query"], rows["picture"]
    everything = np.concatenate([pictures, rows["text"]])
    own = np.eye(len(queries), dtype=bool)
    among_all = np.eye(len(queries), len(everything), dtype=bool)
    return [
        Paired("text query", "picture", queries @ pictures.T, own),
        Paired("text query", ANY, queries @ everything.T, among_all, calibrated),
    ]


def main() -> None:
    """Train, measure, show."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 400, 1500])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--html", type=Path, help="a page with tables and plots (extra eval)")
    parser.add_argument("--vectors", type=Path, help="held-out pictures and captions, as .npz")
    given = parser.parse_args()
    random = np.random.default_rng(SEED)
    data = Data.made(random)
    model = Model(Tower(SIDE * SIDE * 3, random), Tower(len(data.words), random))
    batches = enumerate(data.batches(random), 1)
    spaces, done = [], 0
    for steps in sorted(given.steps):
        for t, batch in islice(batches, steps - done):
            model.step(*batch, t)
        done = steps
        spaces.append(measured(f"after-{steps}-steps", model, data, np.random.default_rng(SEED)))
    found = Gap(spaces)
    for table in tables(found, "drawings"):
        print(f"\n{table.title}\n\n| {' | '.join(table.columns)} |")
        print("|" + "---|" * len(table.columns))
        print("\n".join(f"| {' | '.join(row)} |" for row in table.rows))
    if given.json:
        given.json.write_text(json.dumps(asdict(found)), "utf-8")
    if given.html:
        write(gap_page(found, "drawings"), given.html)
    if given.vectors:
        seen = [drawn(kind, np.random.default_rng(SEED)) for kind in data.held]
        np.savez(
            given.vectors,
            pictures=model.pictures.forward(np.stack(seen))[0],
            captions=_said(model, data, data.held, 0),
            said=np.array([kind.caption(TEMPLATES[0]) for kind in data.held]),
        )


if __name__ == "__main__":
    sys.exit(main())
