"""Every built-in encoder and reranker, and the double, hold their contract."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agentctx import Observation, registry
from agentctx.contracts import Candidate, Services
from agentctx.encoders.clip_onnx import ClipONNX
from agentctx.encoders.minilm import MiniLM
from agentctx.encoders.pictures import PictureFeatures, Pictures
from agentctx.encoders.sensor import SensorFeatures
from agentctx.records import Media, Passage
from agentctx.rerankers.cross_encoder_onnx import CrossEncoderONNX
from agentctx.rerankers.late_interaction import LateInteraction
from agentctx.testing.contracts import EncoderContract, RerankerContract, TextEncoderContract
from agentctx.testing.doubles import FixedServices, HashEncoder

TINY = Path(__file__).parents[1] / "rerankers" / "tiny_cross_encoder"
TINY_CLIP = Path(__file__).parents[1] / "encoders" / "tiny_clip"


class TestMiniLM(TextEncoderContract):
    factory = MiniLM


class TestMiniLMWithLongPassages(TextEncoderContract):
    factory = MiniLM
    options = {"max_tokens": 256, "threads": 1}  # noqa: RUF012


class TestHashEncoder(TextEncoderContract):
    factory = HashEncoder


class TestHashEncoderWithShortPassages(TextEncoderContract):
    factory = HashEncoder
    options = {"max_words": 5}  # noqa: RUF012


def window(*shape: float, **statistics: float | str | tuple[str, ...]) -> Observation:
    attributes = {"mean": 2.0, "std": 0.5, "min": 1.0, "max": 3.0, "last": 2.0, "slope": 0.0}
    return Observation(
        modality="sensor", duration=60.0, attributes={"shape": shape, **attributes, **statistics}
    )


class TestSensorFeatures(EncoderContract):
    factory = SensorFeatures

    @pytest.fixture
    def observations(self) -> Sequence[Observation]:
        return [
            window(*range(-8, 8), slope=3.0),
            window(*[-1.0, 1.0] * 8, events=("oscillation",), frequency=0.1),
            window(*[-0.3] * 15, 4.0, max=9.0, events=("spike",)),
            window(*[0.0] * 16, mean=5.0, std=0.0, min=5.0, max=5.0, last=5.0),
        ]

    @pytest.fixture
    def foreign(self) -> Sequence[Observation]:
        return [
            Observation(text="vibration rises"),
            Observation(modality="sensor", text="Spike.", attributes={"event": "spike"}),
            window(1.0, 2.0),
        ]


class TestClipONNX(EncoderContract):
    factory = ClipONNX
    options = {"model": TINY_CLIP, "batch": 2}  # noqa: RUF012

    @pytest.fixture
    def observations(self) -> Sequence[Observation]:
        media = [Media.of_file("original", "image/png", path) for path in TINY_CLIP.glob("*.png")]
        return [Observation(modality="screenshot", media=(one,)) for one in media]

    @pytest.fixture
    def foreign(self) -> Sequence[Observation]:
        return [
            Observation(text="a red pump"),
            Observation(modality="screenshot", text="a screen without its picture"),
            Observation(modality="sensor", text="rises"),
        ]


class TestLateInteraction(RerankerContract):
    factory = LateInteraction


class TestLateInteractionWithStoredTokens(RerankerContract):
    factory = LateInteraction
    options = {"encoder": "double", "before": 0.5}  # noqa: RUF012

    @pytest.fixture
    def services(self) -> Services:
        return FixedServices(encoders={"double": HashEncoder()})

    @pytest.fixture
    def candidates(self) -> Sequence[Candidate]:
        texts = ["the pump stopped", "the seal leaks", "soup for lunch", "stop the pump", "a b"]
        observations = [Observation(text=text) for text in texts]
        tokens = HashEncoder().encode([Passage(o, 0, o.text, 0, 99) for o in observations]).tokens
        assert tokens is not None
        return [
            Candidate(one.text, one, tokens[row] if row % 2 else None, (((row + 1) % 5, 1),))
            for row, one in enumerate(observations)
        ]


class TestCrossEncoderONNX(RerankerContract):
    factory = CrossEncoderONNX
    options = {"model": TINY, "batch": 2}  # noqa: RUF012


@pytest.mark.parametrize("kind", ["encoders", "rerankers"])
def test_none_is_left_out(kind: str) -> None:
    suites = {suite.factory for suite in globals().values() if hasattr(suite, "factory")}
    factories = {name: registry.factory(kind, name) for name in registry.names(kind)}
    # Those of photographs are in tests/pictures; those on torch, not here, in tests/models.
    suites |= {Pictures, PictureFeatures}
    here = {n: f for n, f in factories.items() if not registry.missing(getattr(f, "requires", ()))}
    assert [name for name, factory in here.items() if factory not in suites] == []
