"""What a stretch of readings looks like, as a vector: for query by example among sensor windows.

Everything in it is free of scale and unit, so that a spike in a pressure is near a spike in a
vibration. It is computed from the attributes of a window alone; no model, no readings.
"""

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.contracts import Services
from agentctx.errors import QueryError
from agentctx.records import Embeddings, EncoderCard, Observation, Passage

_POINTS = 16
_EVENTS = ("above limit", "below limit", "step", "dropout", "spike", "drift", "oscillation")
# The parts of a vector and the length each may have at most before the whole is made of length 1.
# The events say what happened and weigh most; the curve as it is tells a rise at the end from one
# at the begin; its sorted values and spectrum do not care when in the window it happened.
_WEIGHTS = {
    "curve": 0.6,  # 16 z-scored means over time
    "sorted": 0.8,  # the same by size: spiky, two levels, or even
    "spectrum": 0.6,  # their magnitudes in the Fourier domain: slow or fast
    "extremes": 1.2,  # how far highest, lowest and last are from the mean, in deviations
    "trend": 0.8,  # slope against deviation, with its sign
    "spread": 0.3,  # deviation against mean
    "events": 1.6,  # one flag per kind
    "frequency": 0.5,  # of an oscillation, on a logarithmic scale
}
_CONSTANT = 0.2  # one more number, the same in all: what a window that never moves is made of
_DIMENSION = 2 * _POINTS + _POINTS // 2 + 3 + 1 + 1 + len(_EVENTS) + 2 + 1
_VERSION = "sensor-features/1"


class SensorFeatures:
    """Windows of sensor readings as float32 unit vectors [55], from their attributes alone.

    The parts and their weights are in ``_WEIGHTS``. A window whose readings never move has only
    a constant part, so that it is near others like it.
    """

    def __init__(self, services: Services) -> None:
        del services

    @property
    def card(self) -> EncoderCard:
        """The card; its digest covers all constants."""
        constants = json.dumps([_VERSION, _POINTS, _EVENTS, _CONSTANT, sorted(_WEIGHTS.items())])
        return EncoderCard(
            name="sensor-features",
            revision=_VERSION.rpartition("/")[2],
            space="sensor",
            dimension=_DIMENSION,
            modalities=("sensor",),
            licence="Apache-2.0",
            digest=hashlib.sha256(constants.encode()).hexdigest(),
        )

    def accepts(self, observation: Observation) -> bool:
        """Whether it is a window of readings: modality ``sensor`` with a ``shape``."""
        shape = observation.attributes.get("shape")
        return (
            observation.modality == "sensor" and isinstance(shape, tuple) and len(shape) == _POINTS
        )

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        """One row per window."""
        rows = [self._vector(passage.observation) for passage in passages]
        return Embeddings(np.array(rows, dtype=np.float32).reshape(-1, _DIMENSION))

    def encode_query(self, query: Observation) -> Embeddings:
        """The row of a window given as an example; raises QueryError for anything else."""
        if not self.accepts(query):
            raise QueryError(
                "only a window of sensor readings can be looked for by example; this is an "
                f"observation of modality {query.modality!r}"
            )
        return Embeddings(self._vector(query)[None, :])

    def _vector(self, window: Observation) -> NDArray[np.float32]:
        parts = _parts(window)
        scaled = [_WEIGHTS[name] * _bounded(parts[name]) for name in _WEIGHTS]
        vector = np.concatenate([*scaled, [_CONSTANT]])
        unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


def _bounded(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """A part of at most length 1."""
    return part / max(1.0, float(np.linalg.norm(part)))


def _parts(window: Observation) -> dict[str, NDArray[np.float64]]:
    shape = np.asarray(window.attributes["shape"], dtype=np.float64)
    mean, std = _number(window, "mean"), _number(window, "std")
    unit = std or 1.0
    # tanh holds each ratio to -1..1: beyond a few deviations, more of it means the same.
    extremes = [(_number(window, name) - mean) / unit for name in ("max", "min", "last")]
    usual = np.array([2.0, -2.0, 0.0])  # of a minute of noise at 1 Hz
    change = _number(window, "slope") * window.duration / 60.0
    frequency = _number(window, "frequency")
    cycles = math.log10(1.0 + frequency * max(window.duration, 1.0)) if frequency else 0.0
    kinds = window.attributes.get("events", ())
    present = kinds if isinstance(kinds, tuple) else ()
    return {
        "curve": shape / _POINTS**0.5,
        "sorted": np.sort(shape) / _POINTS**0.5,
        "spectrum": np.abs(np.fft.rfft(shape))[1:] / (_POINTS * 2**-0.5),
        "extremes": np.tanh((np.array(extremes) - usual) / 4.0) * bool(std),
        "trend": np.array([math.tanh(change / unit / 3.0) if std else 0.0]),
        "spread": np.array([math.tanh(std / (abs(mean) + std))]) if std else np.zeros(1),
        "events": np.array([float(kind in present) for kind in _EVENTS]),
        "frequency": np.array([float(frequency > 0), cycles / 6.0]) / 2**0.5,
    }


def _number(window: Observation, name: str) -> float:
    value = window.attributes.get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0
