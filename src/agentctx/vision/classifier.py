"""The classifier at work: pictures in, their features and their likely classes out."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Weights
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.records import Media
from agentctx.vision import efficientnet
from agentctx.weights.torch_pickle import read_state_dict

if TYPE_CHECKING:
    from PIL.Image import Image

WEIGHTS = "efficientnet-lite0"
FILE = "efficientnet-lite0-57934424.pth"
# The part of the shorter side that is looked at, in the middle, and how pixels are scaled: as the
# network was trained and is evaluated (tensorflow/tpu, efficientnet/lite).
_CROP = 224 / (224 + 32)
_MEAN, _DEVIATION = 127.0, 128.0
# One by one takes a quarter longer on two cores; more at once than this is not faster.
_BATCH = 8
_REMEMBERED = 256


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the network makes of a picture.

    ``features`` [1280] are what its last layer goes by, and ``probabilities`` [1000] how likely
    that layer finds each class.
    """

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class Classifier:
    """EfficientNet-Lite0 over ImageNet's classes; its model is loaded at first use.

    ``threads``: cores to use, 0 for all.
    """

    def __init__(self, weights: Weights, threads: int = 0) -> None:
        if threads < 0:
            raise ConfigError(f"threads is {threads}; it cannot be negative")
        self._weights = weights
        self._threads = threads or os.cpu_count() or 1

    def look(self, pictures: Sequence[tuple[str, Callable[[], "Image"]]]) -> list[Seen]:
        """What is seen in each picture, in order: a key, and what opens it as RGB pixels.

        The last few hundred are remembered by their keys, for the whole process: what reads a
        picture and what encodes it look at it once.
        """
        known = {key: seen for key, _ in pictures if (seen := _remembered(key))}
        new = {key: opened for key, opened in pictures if key not in known}
        for keys, pixels in _batches(new):
            session = _session(self._weights.find(WEIGHTS) / FILE, self._threads)
            features, logits = session.run(["features", "logits"], {"pixels": pixels})
            for key, *row in zip(keys, features, _softmax(logits), strict=True):
                known[key] = Seen(*row)
                _remember(key, known[key])
        return [known[key] for key, _ in pictures]


def key_of(media: Sequence[Media]) -> str:
    """What tells a picture from others: the digest of its thumbnail, else of its first file."""
    digests = {one.kind: one.digest for one in reversed(media)}
    return digests.get("thumbnail") or digests.get("original", "")


def pixels_of(image: "Image") -> NDArray[np.float32]:
    """The middle of a picture as the network takes it, float32 [3, 224, 224]."""
    bicubic = require("PIL.Image", extra="screen").Resampling.BICUBIC
    crop = _CROP * min(image.size)
    left, top = ((side - crop) / 2 for side in image.size)
    box = (left, top, left + crop, top + crop)
    small = image.resize((efficientnet.SIDE, efficientnet.SIDE), bicubic, box=box)
    scaled = (np.asarray(small, np.float32) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _batches(
    pictures: Mapping[str, Callable[[], "Image"]],
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    left = iter(pictures.items())
    while batch := list(islice(left, _BATCH)):
        yield [key for key, _ in batch], np.stack([pixels_of(opened()) for _, opened in batch])


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


_seen: dict[str, Seen] = {}
_lock = threading.Lock()


def _remembered(key: str) -> Seen | None:
    with _lock:
        return _seen.get(key)


def _remember(key: str, seen: Seen) -> None:
    with _lock:
        while len(_seen) >= _REMEMBERED:
            _seen.pop(next(iter(_seen)))
        _seen[key] = seen


# Once per process, however many memories are open; safe to use from several threads.
@cache
def _session(path: Path, threads: int) -> Any:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads sleep instead of spinning: the user's other programs need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    model = efficientnet.build(read_state_dict(path))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
