"""Sensor windows by example: unit vectors in which alike is near, whatever scale and unit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import Encoder, Source
from agentctx.encoders.sensor import SensorFeatures
from agentctx.errors import QueryError
from agentctx.plugins.sensor import Sensor
from agentctx.records import Observation, Passage
from agentctx.services import SharedServices

START = datetime(2026, 3, 14, 8, tzinfo=UTC)
KINDS = ("calm", "spike", "step", "rise", "fall", "wave")


def encoder() -> SensorFeatures:
    return SensorFeatures(SharedServices(Config()))


def encode(windows: Sequence[Observation]) -> np.ndarray:
    return encoder().encode([Passage(w, 0, w.text, 0, len(w.text)) for w in windows]).vectors


def shaken(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A minute of one kind over noise of deviation 1."""
    minute = rng.normal(0, 1, 60)
    if kind == "spike":
        minute[rng.integers(5, 55)] += rng.uniform(10, 30)
    elif kind == "step":
        minute[rng.integers(15, 45) :] += rng.uniform(8, 20)
    elif kind in ("rise", "fall"):
        ramp = np.linspace(0, rng.uniform(8, 20), 60)
        minute += ramp if kind == "rise" else -ramp
    elif kind == "wave":
        angle = np.arange(60) * 2 * np.pi / rng.uniform(5, 15) + rng.uniform(0, 6)
        minute += rng.uniform(3, 8) * np.sin(angle)
    return minute


def fleet(seed: int, folder: Path) -> tuple[list[Observation], np.ndarray]:
    """Windows of six channels of different scales as the plugin makes them, with their kinds.

    Over half of the 60 minutes of each channel are calm.
    """
    rng = np.random.default_rng(seed)
    columns, kinds = [], {}
    for number in range(6):
        picked = rng.choice(KINDS, size=60, p=[0.55, 0.09, 0.09, 0.09, 0.09, 0.09])
        shape = np.concatenate([shaken(kind, rng) for kind in picked])
        columns.append(10.0 ** rng.uniform(-2, 3) * (rng.uniform(-50, 50) + shape))
        kinds[f"c{number}"] = picked
    second = int(START.timestamp()) + np.arange(3600)
    path = folder / f"{seed}.csv"
    header = "time," + ",".join(kinds)
    np.savetxt(path, np.column_stack([second, *columns]), "%.12g", ",", header=header, comments="")
    observations = Sensor(SharedServices(Config())).observe(Source(path, path.read_bytes()[:4096]))
    windows = [o for o in observations if encoder().accepts(o)]
    labels = [kinds[str(w.attributes["channel"])][w.captured_at.minute] for w in windows]
    return windows, np.array(labels)


def test_alike_windows_of_other_channels_are_found_by_example(tmp_path: Path) -> None:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for seed in range(3):
        windows, labels = fleet(seed, tmp_path)
        channels = np.array([w.attributes["channel"] for w in windows])
        vectors = encode(windows)
        scores = np.where(channels[:, None] == channels, -9.0, vectors @ vectors.T)
        best = np.argsort(-scores, axis=1)[:, :5]
        for kind in KINDS:
            found[kind] += (labels[best] == kind).mean(axis=1)[labels == kind].tolist()
    precision = {kind: float(np.mean(values)) for kind, values in found.items()}
    # A spike is one window in eleven: 0.09 by chance.
    assert min(precision.values()) > 0.85, precision


def window(**attributes: object) -> Observation:
    base: dict[str, object] = {
        "channel": "a", "shape": tuple(np.linspace(-1.6, 1.6, 16).tolist()), "mean": 5.0,
        "std": 2.0, "min": 1.0, "max": 9.0, "last": 9.0, "slope": 8.0, "frequency": 0.0,
        "events": ("drift",),
    }  # fmt: skip
    return Observation(
        modality="sensor",
        captured_at=START,
        duration=60.0,
        attributes=base | attributes,  # type: ignore[arg-type]
    )


_FLOAT = st.floats(-1e9, 1e9)
_SHAPE = st.lists(st.floats(-4, 4), min_size=16, max_size=16).map(tuple)


@settings(deadline=None)
@given(_SHAPE, _FLOAT, st.floats(0, 1e9), _FLOAT, _FLOAT, st.floats(0, 1e5))
def test_every_window_has_a_finite_unit_vector(
    shape: tuple[float, ...], mean: float, std: float, high: float, slope: float, hertz: float
) -> None:
    one = window(shape=shape, mean=mean, std=std, max=high, slope=slope, frequency=hertz)
    (vector,) = encode([one])
    assert vector.dtype == np.float32
    assert vector.shape == (encoder().card.dimension,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@settings(deadline=None)
@given(st.floats(0.001, 1000))
def test_units_do_not_matter(scale: float) -> None:
    names = ("mean", "std", "min", "max", "last", "slope")
    scaled = window(**{name: window().attributes[name] * scale for name in names})  # type: ignore[operator]
    assert np.allclose(*encode([window(), scaled]), atol=1e-6)


def test_a_query_is_encoded_as_a_window_is() -> None:
    assert np.array_equal(encoder().encode_query(window()).vectors, encode([window()]))
    assert encode([]).shape == (0, encoder().card.dimension)


def test_what_is_no_window_is_not_accepted() -> None:
    event = Observation(modality="sensor", text="Spike", attributes={"event": "spike"})
    words = Observation(modality="text", text="a spike")
    for other in (event, words, window(shape=(1.0, 2.0))):
        assert not encoder().accepts(other)
        with pytest.raises(QueryError, match="window of sensor readings"):
            encoder().encode_query(other)


def test_a_window_that_never_moves_is_near_others_like_it_only() -> None:
    still = {"shape": (0.0,) * 16, "std": 0.0, "slope": 0.0, "events": ()}
    flat = window(**still, mean=5.0, min=5.0, max=5.0, last=5.0)
    other = window(**still, mean=-80.0, min=-80.0, max=-80.0, last=-80.0)
    vectors = encode([flat, other, window()])
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-6)
    assert vectors[0] @ vectors[2] < 0.2


def test_the_card_tells_what_made_the_vectors() -> None:
    card = encoder().card
    assert isinstance(encoder(), Encoder)
    assert (card.name, card.space, card.modalities) == ("sensor-features", "sensor", ("sensor",))
    assert card == encoder().card
    assert card.dimension == 55
    assert len(card.digest) == 64
