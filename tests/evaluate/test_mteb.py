"""The MTEB models, by what MTEB asks of them. MTEB itself brings torch, and is not installed here:
``scripts/bench/mteb_tasks.py`` runs its own evaluation on both.
"""

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest

from agentctx import Config
from agentctx.encoders.minilm import MiniLM
from agentctx.errors import ConfigError, MissingExtra
from agentctx.evaluate.mteb import EncoderModel, MemoryModel
from agentctx.records import Observation, Passage
from agentctx.services import SharedServices

TEXTS = ["The pump is leaking.", "Water drips from the pump.", "Soup is served at noon.", ""]


@pytest.fixture(scope="module")
def encoder() -> EncoderModel:
    return EncoderModel()


def test_texts_become_the_vectors_of_the_encoder(encoder: EncoderModel) -> None:
    found = encoder.encode([{"text": TEXTS[:3]}, {"text": TEXTS[3:]}], task_metadata=None)
    assert (found.shape, found.dtype) == ((4, 384), np.float32)
    bare = MiniLM(SharedServices(Config()))
    one = Observation(text=TEXTS[0])
    mine = bare.encode([Passage(one, 0, one.text, 0, len(one.text))]).vectors[0]
    assert found[0] == pytest.approx(mine, abs=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_queries_are_encoded_as_queries(encoder: EncoderModel) -> None:
    found = encoder.encode([{"text": TEXTS[:2]}], prompt_type="query", batch_size=32)
    bare = MiniLM(SharedServices(Config()))
    mine = bare.encode_query(Observation(text=TEXTS[1])).vectors[0]
    assert found[1] == pytest.approx(mine, abs=1e-5)


def test_a_long_text_is_cut_off(encoder: EncoderModel) -> None:
    long = "The pump is leaking. " * 400
    whole, longer = encoder.encode([{"text": [long, long + "Soup is served at noon."]}])
    assert whole == pytest.approx(longer, abs=1e-5)


def test_a_memory_searches_its_corpus() -> None:
    model = MemoryModel(Config(encoders=("minilm",)))
    with pytest.raises(ConfigError, match="nothing was indexed"):
        model.search([], top_k=1)
    corpus = [{"id": f"d{n}", "text": text, "title": "Log"} for n, text in enumerate(TEXTS[:3])]
    # A document without a word, and two of the same words.
    model.index([*corpus, {"id": "empty", "text": ""}, {**corpus[2], "id": "twin"}], num_proc=None)
    queries = [{"id": "q1", "text": "leaking pump"}, {"id": "q2", "text": "soup at noon"}]
    found = model.search(queries, top_k=2, hf_split="test")
    assert set(found["q1"]) == {"d0", "d1"}
    assert set(found["q2"]) == {"d2", "twin"}
    assert found["q1"]["d0"] > found["q1"]["d1"]
    again = model._directory
    model.index(corpus)
    assert again is not None
    assert not again.exists()
    among = model.search(queries[:1], top_k=9, top_ranked={"q1": ["d1", "d2"]})
    assert set(among["q1"]) == {"d1", "d2"}


def test_a_model_needs_an_encoder_of_text() -> None:
    with pytest.raises(ConfigError, match="must encode text"):
        EncoderModel(Config(encoders=("sensor-features",)))


@pytest.fixture
def _without_mteb() -> Iterator[None]:
    assert importlib.util.find_spec("mteb") is None, "run scripts/bench/mteb_tasks.py instead"
    return


@pytest.mark.usefixtures("_without_mteb")
def test_without_mteb_it_says_how_to_get_it(encoder: EncoderModel) -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'agentctx\[mteb\]'"):
        _ = encoder.mteb_model_meta
    with pytest.raises(MissingExtra, match=r"torch.*agentctx\[mteb\]"):
        encoder.similarity(np.eye(2), np.eye(2))
