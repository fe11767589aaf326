"""The OCR engines that scripts/bench/ocr.py compares, each read in a process of its own.

Run as a script (ocr_engines.py NAME) it is the worker: a path per line in, a JSON string out.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np

Read = Callable[[str], str]


def _in_order(boxes: Iterable[Any], texts: Iterable[str], scores: Iterable[float]) -> str:
    """Text in the reading order of agentctx, so that engines differ in what they read only."""
    from agentctx.plugins.screenshot.layout import reading_order, text_of
    from agentctx.plugins.screenshot.ocr import Line, bounds

    found = zip(boxes, texts, scores, strict=True)
    return text_of(reading_order([Line(t, bounds(np.array(b)), float(s)) for b, t, s in found]))


def _agentctx() -> Read:
    """The engine as the screenshot plugin runs it."""
    import cv2

    from agentctx.plugins.screenshot.layout import reading_order, text_of
    from agentctx.plugins.screenshot.ocr import shared
    from agentctx.weights.store import WeightStore

    engine = shared(WeightStore().find("ppocr-v6-small"))

    def read(path: str) -> str:
        pixels = cv2.imread(path)
        return text_of(reading_order(engine.recognise(pixels, engine.detect(pixels))))

    return read


def _rapidocr(**changes: object) -> Read:
    """RapidOCR 3 with the models its wheel carries; changes are params with "__" for "."."""
    from rapidocr import RapidOCR

    params = {key.replace("__", "."): value for key, value in changes.items()}
    engine = RapidOCR(params={"Global.log_level": "critical", **params})

    def read(path: str) -> str:
        found = engine(path)
        return "" if found.boxes is None else _in_order(found.boxes, found.txts, found.scores)

    return read


def _rapidocr1(**changes: object) -> Read:
    """RapidOCR 1.4 (rapidocr-onnxruntime) with PP-OCRv4."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(**changes)

    def read(path: str) -> str:
        found, _ = engine(path)
        return _in_order(*zip(*found, strict=True)) if found else ""

    return read


def _tesseract(scale: int, mode: int) -> Read:
    """Tesseract in its page segmentation mode, on the picture enlarged scale times."""
    import pytesseract
    from PIL import Image

    def read(path: str) -> str:
        with Image.open(path) as picture:
            grey = picture.convert("L")
        if scale > 1:
            grey = grey.resize((grey.width * scale, grey.height * scale), Image.Resampling.BICUBIC)
        return str(pytesseract.image_to_string(grey, lang="eng", config=f"--psm {mode}"))

    return read


def _size_mb(*distributions: str) -> float:
    """Installed size of Python distributions, megabytes; 0 for one that is absent."""
    total = 0
    for name in distributions:
        try:
            listed = files(name) or []
        except PackageNotFoundError:
            continue
        total += sum(p.stat().st_size for f in listed if (p := Path(str(f.locate()))).is_file())
    return total / 1e6


@dataclass(frozen=True, slots=True)
class Engine:
    """How to make a reader, and what it adds to an installation."""

    make: Callable[[], Read]
    distributions: tuple[str, ...]
    extra_mb: float = 0.0

    @property
    def install_mb(self) -> float:
        """Size of the engine's own files (without onnxruntime, OpenCV and numpy), megabytes."""
        return _size_mb(*self.distributions) + self.extra_mb


# Installed-Size of Debian packages: tesseract-ocr with eng and osd, its library and leptonica.
DEBIAN_MB = 22.8
V6 = ("rapidocr",)
V4 = ("rapidocr-onnxruntime",)
PLAIN = {"Global__use_cls": False}
ENGINES = {
    "agentctx (PP-OCRv6 small)": Engine(_agentctx, V6),
    "rapidocr 3 (PP-OCRv6 small)": Engine(partial(_rapidocr), V6),
    "- no angle classifier": Engine(partial(_rapidocr, **PLAIN), V6),
    "- one line a batch": Engine(partial(_rapidocr, **PLAIN, Rec__rec_batch_num=1), V6),
    "- one thread": Engine(
        partial(_rapidocr, **PLAIN, EngineConfig__onnxruntime__intra_op_num_threads=1), V6),
    "- detection at 960 at most": Engine(
        partial(_rapidocr, **PLAIN, Det__limit_type="max", Det__limit_side_len=960), V6),
    "rapidocr-onnxruntime (PP-OCRv4)": Engine(partial(_rapidocr1), V4),
    "- v4, no angle classifier": Engine(partial(_rapidocr1, use_cls=False), V4),
    "tesseract": Engine(partial(_tesseract, 1, 3), ("pytesseract",), DEBIAN_MB),
    "tesseract, twice enlarged": Engine(partial(_tesseract, 2, 3), ("pytesseract",), DEBIAN_MB),
    "tesseract, sparse, enlarged": Engine(partial(_tesseract, 2, 11), ("pytesseract",), DEBIAN_MB),
}  # fmt: skip


class Worker:
    """One engine in its own process, so that its memory and its threads are its own."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._ask("")  # waits until the engine is loaded

    def _ask(self, line: str) -> dict[str, Any]:
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(line + "\n")
        pipe.flush()
        answer = answers.readline()
        if not answer:
            raise SystemExit(f"the engine's process ended: {self._process.args}")
        return dict(json.loads(answer))

    def read(self, picture: Path) -> dict[str, Any]:
        """The ``text`` of a picture, ``seconds`` on the clock and ``cpu`` seconds of all cores."""
        return self._ask(str(picture))

    def peak_mb(self) -> float:
        """Highest resident memory so far, megabytes (of Tesseract's own process for Tesseract)."""
        return float(self._ask("")["peak_mb"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


def _usage() -> list[resource.struct_rusage]:
    return [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _usage())


def serve(name: str) -> None:
    """Answer a path with its text and times, an empty line with the peak memory in megabytes."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    read = ENGINES[name].make()
    for line in sys.stdin:
        path = line.rstrip("\n")
        answer: dict[str, object] = {"peak_mb": max(u.ru_maxrss for u in _usage()) / 1024}
        if path:
            cpu, started = _cpu(), time.perf_counter()
            answer["text"] = read(path)
            answer |= {"seconds": time.perf_counter() - started, "cpu": _cpu() - cpu}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
