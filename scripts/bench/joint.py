"""Compare every family of joint picture-text spaces with its library, at the size of CLIP ViT-B/32.

    pip install 'agentctx[default,open-clip,sentence-transformers,transformers]' onnx
    python scripts/bench/joint.py --json joint.json
    python scripts/bench/joint.py --tiny tests/encoders/tiny_clip

Models with random weights are made and saved; each is then asked by the library used directly and
by our encoder for the same picture files and texts, in turn, so that both have the same machine.
Told are the lowest cosine between the two, the median of the ratios of their rates (1 is as fast as
the library, more is faster) by the clock and, for a machine that does other things as well, by the
processor's time, and how much memory a process of each needs. ``--tiny`` keeps a small
export and the reference's vectors for the tests that need no torch. Ends with 1 when a cosine is
below 0.9999.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from agentctx.config import Config
from agentctx.contracts import Encoder
from agentctx.records import Media, Observation, Passage
from agentctx.services import SharedServices

sys.path.insert(0, str(Path(__file__).parents[1]))

ALIKE = 0.9999
BATCH = 16
# The encoder, and the model it is tried with.
FAMILIES = (
    ("open-clip", "open_clip"),
    ("clip-transformers", "clip"),
    ("clip-transformers", "siglip"),
    ("clip-sentence-transformers", "sentence_transformers"),
    ("clip-onnx", "clip-onnx"),
    ("clip-transformers", "siglip2"),
)
TEXTS = [
    "a red pump beside a blue wall",
    "two circles",
    "what the chart showed when the bearing was at its hottest, and the alarm had not been raised",
    "a screen with a list of alarms",
]
VERSIONS = ("open_clip_torch", "sentence-transformers", "transformers", "torch", "onnxruntime")
Rows = NDArray[np.float32]


def draw(folder: Path, count: int) -> list[Path]:
    """JPEG files of 1024 x 768 and 800 x 600 pixels: gradients with shapes and lines of text."""
    random = np.random.default_rng(6)
    paths = []
    for number in range(count):
        width, height = ((1024, 768), (800, 600))[number % 2]
        noise = random.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
        image = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(image)
        for _ in range(12):
            x, y = (int(random.integers(0, side)) for side in (width, height))
            pen.ellipse((x, y, x + 120, y + 90), fill=tuple(random.integers(0, 256, 3).tolist()))
            pen.text((x, y), "PUMP-A vibration high", fill="white")
        paths.append(folder / f"{number}.jpg")
        image.save(paths[-1], quality=85)
    return paths


def ours(name: str, model: Path, threads: int) -> Encoder:
    """Our encoder, on the processor."""
    options: dict[str, object] = {"model": str(model), "device": "cpu", "batch": BATCH}
    options |= {"templates": ["{}"]} | ({"threads": threads} if name == "clip-onnx" else {})
    return SharedServices(Config(options={name: options})).encoder(name)


def look_with(encoder: Encoder, paths: Sequence[Path]) -> Rows:
    """Picture files as a memory has them."""
    observations = [
        Observation(
            modality="picture", media=(Media("original", "image/jpeg", path.name, 1, path),)
        )
        for path in paths
    ]
    return encoder.encode([Passage(one, 0, "", 0, 0) for one in observations]).vectors


def read_with(encoder: Encoder, texts: Sequence[str]) -> Rows:
    """Queries, one by one, as they come."""
    return np.concatenate([encoder.encode_query(Observation(text=one)).vectors for one in texts])


def library(kind: str, models: Path, threads: int) -> tuple[Callable[..., Rows], ...]:
    """The same two by the library itself."""
    from model_parts import libraries

    if kind.endswith("-onnx"):
        source = models / kind.removesuffix("-onnx")
        look, read = libraries.of_onnx(models / kind, source, threads)
    else:
        of = getattr(libraries, f"of_{kind}", libraries.of_transformers)
        look, read = of(models / kind)

    def pictures(paths: Sequence[Path]) -> Rows:
        parts = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
        return np.concatenate(
            [look([Image.open(path).convert("RGB") for path in part]) for part in parts]
        )

    return pictures, lambda texts: np.concatenate([read([text]) for text in texts])


def seconds(run: Callable[[], object]) -> NDArray[np.float64]:
    """How long it takes, and how much of the processor."""
    started = np.array([time.perf_counter(), time.process_time()])
    run()
    return np.array([time.perf_counter(), time.process_time()]) - started


def in_turn(
    one: Callable[[], object], other: Callable[[], object], repeats: int
) -> tuple[list[float], float]:
    """The seconds of the library over ours, run after one another in changing order.

    The median of the ratios of each, on the clock and of the processor; and our own seconds.
    """
    ratios, own = [], []
    for number in range(repeats):
        both = [one, other] if number % 2 else [other, one]
        taken = {run: seconds(run) for run in both}
        ratios.append(taken[one] / taken[other])
        own.append(float(taken[other][0]))
    return np.median(ratios, axis=0).round(3).tolist(), median(own)


def compare(
    name: str, kind: str, models: Path, paths: list[Path], settings: argparse.Namespace
) -> dict[str, object]:
    """One row of the table."""
    look, read = library(kind, models, settings.threads)
    encoder = ours(name, models / kind, settings.threads)
    wanted, found = look(paths), look_with(encoder, paths)
    cosines = [alike(found, wanted), alike(read_with(encoder, TEXTS), read(TEXTS))]
    asked = TEXTS if settings.quick else TEXTS * 4
    pictures, taken = in_turn(
        lambda: look(paths), lambda: look_with(encoder, paths), settings.repeats
    )
    texts, _ = in_turn(lambda: read(asked), lambda: read_with(encoder, asked), settings.repeats)
    row: dict[str, object] = {
        "encoder": name,
        "model": kind,
        "lowest cosine": min(cosines),
        "pictures, ratios by clock and processor": pictures,
        "texts, ratios by clock and processor": texts,
        "pictures/s": round(len(paths) / taken, 1),
    }
    if not settings.quick:
        for whose in ("ours", "library"):
            row[f"memory, {whose}, MB"] = peak(name, kind, models, paths, settings.threads, whose)
    return row


def alike(one: Rows, other: Rows) -> float:
    """The lowest cosine between rows that should be the same."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / lengths).min())


def peak(
    name: str, kind: str, models: Path, paths: Sequence[Path], threads: int, whose: str
) -> int:
    """The most memory that a process holds that looks at the pictures and reads the texts."""
    command = [sys.executable, __file__, "--threads", str(threads), "--alone", whose]
    given = [name, kind, str(models), str(paths[0].parent)]
    done = subprocess.run([*command, *given], check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1])


def alone(settings: argparse.Namespace) -> int:
    """The work of the process that `peak` starts."""
    whose, name, kind, models, folder = settings.alone
    paths = sorted(Path(folder).glob("*.jpg"))
    if whose == "ours":
        encoder = ours(name, Path(models) / kind, settings.threads)
        look_with(encoder, paths)
        read_with(encoder, TEXTS)
    else:
        look, read = library(kind, Path(models), settings.threads)
        look(paths)
        read(TEXTS)
    # What `resource` tells begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text("ascii")
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
    return 0


def tiny(out: Path, folder: Path) -> None:
    """A small export and what transformers makes of some pictures and texts, kept in ``out``."""
    from model_parts import joint, libraries

    source = joint.clip(folder / "clip")
    shutil.rmtree(out, ignore_errors=True)
    joint.onnx(out, source)
    for extra in ("special_tokens_map.json", "vocab.json", "merges.txt"):
        (out / extra).unlink(missing_ok=True)
    look, read = libraries.of_transformers(source)
    pictures = {}
    for number, (mode, size) in enumerate(
        [("RGB", (40, 27)), ("L", (31, 64)), ("P", (90, 33)), ("RGB", (12, 9))]
    ):
        noise = np.random.default_rng(number).integers(0, 256, (5, 7, 3), np.uint8)
        image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)
        image.save(out / f"{number}.png")
        row = look([image.convert("RGB")])[0]
        pictures[f"{number}.png"] = (row / np.linalg.norm(row)).round(6).tolist()
    texts = {}
    for text in (*TEXTS, "größe 漢字", "Two  Circles!"):
        row = read([text])[0]
        texts[text] = (row / np.linalg.norm(row)).round(6).tolist()
    golden = {"versions": {one: version(one) for one in VERSIONS}}
    text = json.dumps({**golden, "pictures": pictures, "texts": texts}, ensure_ascii=False)
    (out / "golden.json").write_text(text + "\n", "utf-8")


def main() -> int:
    """Make the models, compare, print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--tiny", type=Path, help="keep a small export and golden vectors here")
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="few texts, and no memory")
    parser.add_argument("--only", help="the encoder to compare")
    parser.add_argument("--alone", nargs=5, help=argparse.SUPPRESS)
    settings = parser.parse_args()
    import torch

    torch.set_num_threads(settings.threads)
    if settings.alone:
        return alone(settings)
    with tempfile.TemporaryDirectory() as folder:
        if settings.tiny:
            tiny(settings.tiny, Path(folder))
            return 0
        found = measured(Path(folder), settings)
    if settings.json:
        settings.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0 if all(float(str(row["lowest cosine"])) >= ALIKE for row in found["rows"]) else 1


def measured(folder: Path, settings: argparse.Namespace) -> dict[str, list[dict[str, object]]]:
    """Everything that is told."""
    from model_parts import joint

    (folder / "pictures").mkdir()
    paths = draw(folder / "pictures", settings.pictures)
    rows = []
    for name, kind in FAMILIES:
        if settings.only not in (None, name):
            continue
        if kind.endswith("-onnx"):
            source = joint.clip(folder / kind.removesuffix("-onnx"), joint.BASE)
            joint.onnx(folder / kind, source)
        else:
            getattr(joint, kind)(folder / kind, joint.BASE)
        rows.append(compare(name, kind, folder, paths, settings))
        print(json.dumps(rows[-1]), flush=True)
        shutil.rmtree(folder / kind)
    return {"versions": [{one: version(one) for one in VERSIONS}], "rows": rows}


if __name__ == "__main__":
    sys.exit(main())
