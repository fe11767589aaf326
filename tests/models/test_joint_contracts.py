"""Every family of joint spaces keeps the contract of an encoder that agentctx offers."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agentctx import Observation
from agentctx.contracts import JointEncoder, Services
from agentctx.encoders.clip_onnx import ClipONNX
from agentctx.encoders.clip_sentence_transformers import SentenceTransformersClip
from agentctx.encoders.clip_transformers import TransformersClip
from agentctx.encoders.open_clip import OpenClip
from agentctx.testing.contracts import EncoderContract

from .pictures import observation, pictures


class Joint(EncoderContract):
    """The suite, with pictures to keep and a small model of the family."""

    __test__ = False
    contract = JointEncoder
    kind = ""

    @pytest.fixture(autouse=True)
    def _model(self, checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"model": checkpoint(self.kind), "batch": 2, "device": "cpu"}
        monkeypatch.setattr(type(self), "options", options)

    @pytest.fixture
    def observations(self) -> Sequence[Observation]:
        made = pictures()
        kept = [observation(made[name]) for name in ("odd", "wide", "grey")]
        return [*kept, observation(made["palette"], "picture")]

    @pytest.fixture
    def foreign(self) -> Sequence[Observation]:
        return [
            Observation(text="a red pump"),
            Observation(modality="screenshot", text="a screen without its picture"),
            Observation(modality="sensor", text="rises"),
        ]

    def test_words_are_queries(self, services: Services) -> None:
        encoder = self.make(services)
        found = encoder.encode_query(Observation(text="a red pump")).vectors
        assert found.shape == (1, encoder.card.dimension)
        assert encoder.accepts_query(Observation(modality="speech", text="a red pump"))
        assert not encoder.accepts_query(Observation(text=" \n"))
        assert not encoder.accepts_query(Observation(modality="sensor", text="rises"))


class TestOpenClip(Joint):
    __test__ = True
    factory = OpenClip
    kind = "open_clip"


class TestTransformersClip(Joint):
    __test__ = True
    factory = TransformersClip
    kind = "clip"


class TestTransformersSiglip(Joint):
    __test__ = True
    factory = TransformersClip
    kind = "siglip"


class TestTransformersSiglip2(Joint):
    __test__ = True
    factory = TransformersClip
    kind = "siglip2"


class TestSentenceTransformersClip(Joint):
    __test__ = True
    factory = SentenceTransformersClip
    kind = "sentence_transformers"


class TestClipONNX(Joint):
    __test__ = True
    factory = ClipONNX
    kind = "clip-onnx"


class TestSiglipONNX(Joint):
    __test__ = True
    factory = ClipONNX
    kind = "siglip-onnx"
