"""The lines of text in a picture, by RapidOCR with the PP-OCRv6 small models.

scripts/bench/ocr.py holds the measurement that chose the engine and these settings. RapidOCR's
parts are driven one by one: a detector that finds lines at full resolution, and a recogniser
that reads them side by side, one thread each. onnxruntime's own threads wait for each other in
a busy loop, which costs half as much processor time again on lines this small.
"""

import ctypes
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require

Pixels = NDArray[np.uint8]
Quad = NDArray[np.float32]

# A detector run holds some 200 bytes per pixel, and keeps most of them; what is larger than 1920 x
# 1080 is detected in tiles.
_TILE_PIXELS = 1920 * 1088
_TILE_SIDE = 4096
# The detector enlarges a tile until its shorter side has so many pixels. RapidOCR's 736 finds the
# same lines in small pictures at ten times the cost.
_SHORTEST_SIDE = 320
_THINNEST = 1 / 8  # so that enlarging a thin tile does not make it huge
_LEAST_CONFIDENCE = 0.5
_SLANT = 2.0  # pixels
_SMALLEST = 3  # pixels
_LOWEST = 5  # pixels; no letter is lower

_engines: dict[tuple[Path, int], "Ocr"] = {}
_engines_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where it is (left, top, right, bottom in pixels) and how sure (0..1)."""

    text: str
    box: tuple[int, int, int, int]
    confidence: float


class Ocr:
    """Finds and reads lines. Loads the models; use `shared` to do so once per process."""

    def __init__(self, models: Path, threads: int) -> None:
        rapidocr = require("rapidocr", extra="screen")
        plain = {
            "Global.log_level": "critical",
            "Global.use_cls": False,  # screens are not upside down
            "Global.use_preprocess_img": False,  # it would shrink all above 2000 pixels
            "Global.use_vertical_padding": False,
            "Det.limit_side_len": _SHORTEST_SIDE,
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
        }
        cores = "EngineConfig.onnxruntime.intra_op_num_threads"
        self._detector = rapidocr.RapidOCR(
            params={**plain, "Global.use_rec": False, cores: threads}
        )
        self._recogniser = rapidocr.RapidOCR(params={**plain, "Global.use_det": False, cores: 1})
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="agentctx-ocr")
        self._lock = threading.Lock()  # the detector keeps state between its steps

    def detect(
        self,
        pixels: Pixels,
        check_time: Callable[[], None] = lambda: None,
        shortest: int = _SHORTEST_SIDE,
    ) -> list[Quad]:
        """The corners, float32 [4, 2] clockwise from top left, of each line in BGR pixels.

        ``check_time`` is called between steps, and may raise, here as in `recognise`. What has a
        side below ``shortest`` is enlarged.
        """
        height, width = pixels.shape[:2]
        if min(height, width) < _LOWEST:
            return []
        quads: list[Quad] = []
        try:
            for top, left, tile in _tiles(pixels):
                check_time()
                if (tile == tile[0, 0]).all():  # blank, which the detector takes seconds to find
                    continue
                with self._lock:
                    if self._detector.text_det is not None:  # it is made when it first runs
                        self._detector.text_det.limit_side_len = shortest
                    boxes = self._detector(tile).boxes
                if boxes is not None:
                    quads.extend(np.asarray(boxes, np.float32) + np.array([left, top], np.float32))
        finally:
            if height * width > _TILE_PIXELS:
                _give_back()
        inside = [np.clip(q, 0, np.array([width, height], np.float32)) for q in quads]
        return [quad for quad in inside if np.ptp(quad, axis=0).min() >= _SMALLEST]

    def recognise(
        self,
        pixels: Pixels,
        quads: Sequence[Quad],
        check_time: Callable[[], None] = lambda: None,
    ) -> list[Line]:
        """The lines at those places, in their order; what is no text, or unsure, is left out."""
        crops = [_crop(pixels, quad) for quad in quads]
        # The longest first, so that no thread ends up alone with one.
        order = sorted(range(len(crops)), key=lambda i: -crops[i].shape[1] / crops[i].shape[0])
        found: list[Line | None] = [None] * len(crops)
        results = self._pool.map(self._read, [crops[i] for i in order])
        for i, read in zip(order, results, strict=True):
            check_time()
            if read is not None:
                found[i] = Line(read[0], bounds(quads[i]), read[1])
        return [line for line in found if line is not None]

    def _read(self, crop: Pixels) -> tuple[str, float] | None:
        result = self._recogniser(crop)
        text, confidence = str(result.txts[0]).strip(), float(result.scores[0])
        return (text, round(confidence, 3)) if text and confidence >= _LEAST_CONFIDENCE else None


def shared(models: Path, threads: int = 0) -> Ocr:
    """The process's engine over those models; ``threads`` 0 is one per core."""
    threads = threads or _cores()
    with _engines_lock:
        if (models, threads) not in _engines:
            _engines[models, threads] = Ocr(models, threads)
        return _engines[models, threads]


def _give_back() -> None:
    """Give freed memory to the system: glibc would keep it, up to 600 MB after a large picture."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and no need
        if trim is not None:
            trim(0)


def _cores() -> int:
    """How many this process may use, where the system tells it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bounds(quad: Quad) -> tuple[int, int, int, int]:
    """The upright box around four corners."""
    left, top = np.floor(quad.min(axis=0))
    right, bottom = np.ceil(quad.max(axis=0))
    return int(left), int(top), int(right), int(bottom)


def _crop(pixels: Pixels, quad: Quad) -> Pixels:
    """The line on its own, upright: cut out where it is level, else turned by perspective."""
    left, top, right, bottom = bounds(quad)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    if np.abs(quad - corners).max() <= _SLANT:
        crop = pixels[top:bottom, left:right]
    else:
        cv2: Any = require("cv2", extra="screen")
        width = max(1, round(math.dist(quad[0], quad[1])))
        height = max(1, round(math.dist(quad[0], quad[3])))
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(quad, target)
        crop = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    # A tall crop is a line that runs downwards.
    return np.rot90(crop) if crop.shape[0] >= 1.5 * crop.shape[1] else crop


def _tiles(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """The picture in tiles (top, left, pixels) that a detector run can hold, none of them thin."""
    height, width = pixels.shape[:2]
    rows = min(_TILE_SIDE, max(1, _TILE_PIXELS // min(width, _TILE_SIDE)))
    for top, bottom in _spans(pixels, height, rows, axis=0):
        band = pixels[top:bottom]
        for left, right in _spans(band, width, _TILE_SIDE, axis=1):
            tile = band[:, left:right]
            least_height = math.ceil((right - left) * _THINNEST)
            least_width = math.ceil((bottom - top) * _THINNEST)
            missing = [(0, max(0, least_height - tile.shape[0])),
                       (0, max(0, least_width - tile.shape[1])), (0, 0)]  # fmt: skip
            yield top, left, np.ascontiguousarray(np.pad(tile, missing, mode="edge"))


def _spans(pixels: Pixels, length: int, limit: int, axis: int) -> list[tuple[int, int]]:
    """Cut a length into spans up to a limit, each cut where there is least to cut through."""
    spans, start = [], 0
    while length - start > limit:
        early, late = start + limit - limit // 4, start + limit
        strip = pixels[early:late] if axis == 0 else pixels[:, early:late]
        # Text changes along a row or column; space between lines does not.
        busy = np.abs(np.diff(strip[..., 1].astype(np.int16), axis=1 - axis)).mean(axis=1 - axis)
        start, end = early + int(busy.argmin()), start
        spans.append((end, start))
    return [*spans, (start, length)]
