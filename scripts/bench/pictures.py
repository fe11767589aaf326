"""How well photographs are found by words and by photographs, and what that costs.

    python scripts/bench/pictures.py --photos DIR --screens DIR --json pictures.json

DIR of photos: ``labels.json``, a list of ``file`` and ``label``, whose files begin with the synset
(``n01498041_stingray.JPEG``); the paraphrases are in `photo_paraphrases.json`. DIR of screens: as
``agentctx eval`` takes it, with ``tasks.json``. ``--wordnet`` names WordNet 3.0's ``data.noun``
(Debian: wordnet-base), whose definitions are then asked for as well: nobody of this project wrote
them. Takes some minutes, most of it reading the screens; ``--memory`` names where what was read is
kept for the next time.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import picture_methods as methods
from picture_methods import Matrix
from PIL import Image, ImageOps

from agentctx import Memory, Observation
from agentctx.config import Config
from agentctx.evaluate.datasets import screens as screen_tasks
from agentctx.records import Hit, Passage
from agentctx.services import SharedServices
from agentctx.vision import efficientnet
from agentctx.vision.classes import ENCODER, classes, vectors
from agentctx.vision.classifier import FILE, WEIGHTS, Classifier, pixels_of
from agentctx.weights.torch_pickle import read_state_dict

PARAPHRASES = Path(__file__).with_name("photo_paraphrases.json")
ENCODERS = ("minilm", "sensor-features", "pictures", "picture-features")
REPEATS = 40
PAUSE = 0.03  # seconds


def main() -> None:
    """Measure, print tables, and keep everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--screens", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--memory", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    photos = Photos(arguments.photos, arguments.wordnet)
    report: dict[str, Any] = {}
    for name, measure in (
        ("words", lambda: methods.held_out(photos.data(), photos.queries())),
        ("pictures", lambda: by_picture(photos)),
        ("cost", lambda: cost(photos)),
        ("memory", lambda: together(photos, arguments.screens, arguments.memory)),
    ):
        report[name] = measure()
        if arguments.json:
            arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    show(report)


class Photos:
    """The photos, their labels and paraphrases, and what the classifier sees in them."""

    def __init__(self, folder: Path, wordnet: Path | None) -> None:
        rows = json.loads((folder / "labels.json").read_text("utf-8"))
        told = json.loads(PARAPHRASES.read_text("utf-8"))
        self.files = [folder / row["file"] for row in rows]
        synsets = [row["file"].partition("_")[0] for row in rows]
        known = [told.get(synset) for synset in synsets]
        if absent := [row["label"] for row, one in zip(rows, known, strict=True) if one is None]:
            raise SystemExit(f"no paraphrase of {', '.join(absent)} in {PARAPHRASES.name}")
        self.words = {
            "label": [row["label"] for row in rows],
            "paraphrase": [one["paraphrase"] for one in known],
        }
        self.kinds = [one["kind"] for one in known]
        if wordnet:
            self.words["definition"] = definitions(wordnet, synsets, self.words["label"])
        self.services = SharedServices(Config())
        self.images = [Image.open(file).convert("RGB") for file in self.files]
        self.seen = self.look(self.images, "photo")

    def look(self, images: Sequence[Image.Image], name: str) -> tuple[Matrix, Matrix]:
        """Features and probabilities."""
        pictures = [(f"{name} {n}", partial(_same, one)) for n, one in enumerate(images)]
        seen = Classifier(self.services.weights).look(pictures)
        return np.array([s.features for s in seen]), np.array([s.probabilities for s in seen])

    def encoded(self, texts: Sequence[str]) -> Matrix:
        """MiniLM's vectors."""
        nothing = Observation(text="-")
        passages = [Passage(nothing, 0, text, 0, len(text)) for text in texts]
        return self.services.encoder(ENCODER).encode(passages).vectors

    def queries(self) -> dict[str, Matrix]:
        """The vectors of every kind of query."""
        return {kind: self.encoded(texts) for kind, texts in self.words.items()}

    def data(self) -> methods.Data:
        """What the methods are given."""
        state = read_state_dict(self.services.weights.find(WEIGHTS) / FILE)
        names = self.encoded([one.name for one in classes()])
        return methods.Data(*self.seen, state["_fc.weight"], names, vectors())


def _same(image: Image.Image) -> Image.Image:
    return image


def definitions(path: Path, synsets: Sequence[str], labels: Sequence[str]) -> list[str]:
    """WordNet's first definition of each synset, without the words of its label."""
    glosses = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(" "):
            glosses[f"n{line[:8]}"] = re.sub(r"\(.*?\)", "", line.split("|")[1].split(";")[0])
    found = []
    for synset, label in zip(synsets, labels, strict=True):
        stems = tuple(word[:5] for word in re.findall(r"\w+", label.lower()) if len(word) > 3)
        words = [w for w in glosses[synset].split() if not w.lower().startswith(stems or "\0")]
        found.append(" ".join(words))
    return found


# -- by example ------------------------------------------------------------------------------------


def recompressed(image: Image.Image) -> Image.Image:
    """At half the size, as a bad JPEG."""
    out = BytesIO()
    image.resize((image.width // 2, image.height // 2)).save(out, "JPEG", quality=20)
    return Image.open(out).convert("RGB")


def corner(image: Image.Image) -> Image.Image:
    """The upper left 60 % of both sides."""
    return image.crop((0, 0, int(image.width * 0.6), int(image.height * 0.6)))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "recompressed": recompressed,
    "corner": corner,
    "grey": lambda image: image.convert("L").convert("RGB"),
}


def by_picture(photos: Photos) -> dict[str, Any]:
    """A changed photo is to find the one it was made of, and a photo others of its kind."""
    features, shares = photos.seen
    spaces = {
        "picture": np.sqrt(shares),
        "picture-features": methods.unit(features),
    }
    report: dict[str, Any] = {}
    for name, change in CHANGES.items():
        new, likely = photos.look([change(image) for image in photos.images], name)
        asked = {"picture": np.sqrt(likely), "picture-features": methods.unit(new)}
        scores = {space: asked[space] @ rows.T for space, rows in spaces.items()}
        report[name] = {
            space: methods.recalls(methods.ranks(one)) for space, one in both(scores).items()
        }
    alike = {space: rows @ rows.T for space, rows in spaces.items()}
    kinds = np.array(photos.kinds)
    report["same kind"] = {}
    for space, scores in both(alike).items():
        np.fill_diagonal(scores, -1.0)
        nearest = np.argsort(-scores, axis=1)[:, :3]
        right = (kinds[nearest] == kinds[:, None]).mean(axis=1)
        report["same kind"][space] = {"precision@3": float(right.mean())}
    return report


def both(scores: dict[str, Matrix]) -> dict[str, Matrix]:
    """Each space, and their reciprocal rank fusion."""
    places = [np.argsort(np.argsort(-one, axis=1), axis=1) for one in scores.values()]
    return {**scores, "both": sum(1.0 / (61.0 + place) for place in places)}


# -- what it costs ---------------------------------------------------------------------------------


def cost(photos: Photos) -> dict[str, float]:
    """Milliseconds per photo: ours against onnxruntime alone on the same photos, in turn.

    Onnxruntime alone is given the same graph and pixels, with its own options. Its threads spin for
    a while after each run, which would slow what comes next: so there is a pause before each.
    """
    path = photos.services.weights.find(WEIGHTS) / FILE
    begun = time.perf_counter()
    graph = efficientnet.build(read_state_dict(path))
    built = time.perf_counter() - begun
    bare = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    classifier = Classifier(photos.services.weights)
    images = photos.images[:8]

    def alone() -> None:
        bare.run(None, {"pixels": np.stack([pixels_of(image) for image in images])})

    took: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(REPEATS):
        # Under new keys, since what was looked at is remembered.
        asked = [(f"{turn} {n}", partial(_same, one)) for n, one in enumerate(images)]
        works: dict[str, Callable[[], object]] = {
            "bare": alone,
            "ours": partial(classifier.look, asked),
        }
        for name, work in works.items():
            time.sleep(PAUSE)
            begun = time.perf_counter()
            work()
            took[name].append((time.perf_counter() - begun) / len(images) * 1e3)
    found = {f"{name}_ms": statistics.median(times) for name, times in took.items()}
    share = found["bare_ms"] / found["ours_ms"]
    return {**found, "throughput_of_bare": share, "graph_ms": built * 1e3,
            "graph_mb": len(graph) / 1e6}  # fmt: skip


# -- in a memory -----------------------------------------------------------------------------------


def together(photos: Photos, folder: Path, kept: Path | None) -> dict[str, Any]:
    """Photos, screens, and both in one memory, by the default stack's `Memory.search`."""
    (collection,) = screen_tasks.read(folder).collections
    screens = {item.id: item for item in collection.items}
    report: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        Memory.open(kept or Path(place) / "all", Config(encoders=ENCODERS)) as memory,
    ):
        memory.add(photos.files, session="photos")
        for item in screens.values():
            memory.add(item.content, session=item.group)
        found = memory.timeline()
        told = {Path(one.source).name: one.modality for one in found}
        report["photos told"] = sum(told[file.name] == "picture" for file in photos.files)
        report["screens taken for photos"] = sum(
            told[Path(str(item.content)).name] == "picture" for item in screens.values()
        )
        parts = {
            "photos": [one for one in found if one.session == "photos"],
            "screens": [one for one in found if one.session != "photos"],
            "both": found,
        }
        for name, part in parts.items():
            with Memory.open(Path(place) / name, Config(encoders=ENCODERS)) as one:
                one.add(part)
                report[name] = searched(one, photos, collection.queries, name)
        report["search_ms"] = search_cost(Path(place), parts["screens"], photos)
    return report


def searched(memory: Memory, photos: Photos, tasks: Any, name: str) -> dict[str, Any]:  # noqa: ANN401
    """Recalls of photos by each kind of words, and of screens by their tasks."""
    report: dict[str, Any] = {}
    if name != "screens":
        for kind in ("label", "paraphrase"):
            texts = photos.words[kind]
            right = [{file.name} for file in photos.files]
            report[kind] = recalled(memory, texts, right)
    if name != "photos":
        right = [{Path(id_).name for id_ in task.relevant} for task in tasks]
        report["tasks"] = recalled(memory, [task.content for task in tasks], right)
    return report


def recalled(memory: Memory, texts: Sequence[str], right: Sequence[set[str]]) -> dict[str, Any]:
    """Whether one of the right files is first, or among five; and how often nothing is found."""
    answers: list[list[Hit]] = [memory.search(text, limit=5) for text in texts]
    places = [
        next((n for n, hit in enumerate(hits) if Path(hit.source).name in wanted), 99)
        for hits, wanted in zip(answers, right, strict=True)
    ]
    nothing = sum(not hits for hits in answers)
    return {**methods.recalls(np.array(places)), "nothing": nothing}


def search_cost(place: Path, part: Sequence[Observation], photos: Photos) -> dict[str, float]:
    """Milliseconds per search of the same screens with and without the spaces, in every order.

    ``more`` is the median of what the same question takes longer with them.
    """
    took: dict[str, list[float]] = {"without": [], "with": [], "with photos": []}
    orders = list(permutations(took))
    with (
        Memory.open(place / "few", Config(encoders=ENCODERS[:2])) as few,
        Memory.open(place / "screens", Config(encoders=ENCODERS)) as many,
        Memory.open(place / "both", Config(encoders=ENCODERS)) as all_,
    ):
        few.add(part)
        memories = {"without": few, "with": many, "with photos": all_}
        for memory in memories.values():
            memory.search("the first search loads what there is")
        for turn, text in enumerate(photos.words["paraphrase"]):
            for name in orders[turn % len(orders)]:
                begun = time.perf_counter()
                memories[name].search(text)
                took[name].append((time.perf_counter() - begun) * 1e3)
    more = [a - b for a, b in zip(took["with"], took["without"], strict=True)]
    found = {name: statistics.median(times) for name, times in took.items()}
    return {**found, "more": statistics.median(more)}


# -- tables ----------------------------------------------------------------------------------------


def cell(found: dict[str, list[float]], name: str) -> str:
    """A recall with its interval."""
    value, low, high = found[name]
    return f"{value:.3f} ({low:.2f} to {high:.2f})"


def show(report: dict[str, Any]) -> None:
    """Markdown tables of everything."""
    kinds = [kind for kind in next(iter(report["words"].values())) if kind != "chosen"]
    heads = [f"{kind} R@{depth}" for kind in kinds for depth in (1, 5)]
    print("| method | " + " | ".join(heads) + " |\n" + "|---" * (1 + len(heads)) + "|")
    for name, of in report["words"].items():
        cells = [cell(of[kind], f"r@{depth}") for kind in kinds for depth in (1, 5)]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| by picture | space | R@1 | R@5 |\n|---|---|---|---|")
    for change, spaces in report["pictures"].items():
        for space, of in spaces.items():
            if "r@1" in of:
                print(f"| {change} | {space} | {cell(of, 'r@1')} | {cell(of, 'r@5')} |")
            else:
                print(f"| {change} | {space} | P@3 {of['precision@3']:.3f} | |")
    print("\n| in a memory of | asked by | R@1 | R@5 | nothing found |\n|---|---|---|---|---|")
    for name in ("photos", "screens", "both"):
        for kind, of in report["memory"][name].items():
            line = f"{cell(of, 'r@1')} | {cell(of, 'r@5')} | {of['nothing']}"
            print(f"| {name} | {kind} | {line} |")
    for name in ("photos told", "screens taken for photos", "search_ms"):
        print(f"\n{name}: {report['memory'][name]}")
    print(f"\ncost: {report['cost']}")


if __name__ == "__main__":
    main()
