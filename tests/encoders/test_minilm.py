"""The text encoder against its reference, and what must hold for every text."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.config import Config
from agentctx.contracts import TextEncoder
from agentctx.errors import ConfigError
from agentctx.records import Observation, Passage
from agentctx.services import SharedServices

GOLDEN = json.loads((Path(__file__).parent / "golden_minilm.json").read_text("utf-8"))
# What int8 weights cost: the least cosine over the golden texts is 0.9991.
LEAST_COSINE = 0.998


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    made = SharedServices(Config()).encoder("minilm")
    assert isinstance(made, TextEncoder)
    return made


def passage(text: str) -> Passage:
    return Passage(Observation(text=text), 0, text, 0, len(text))


def test_vectors_agree_with_the_reference(encoder: TextEncoder) -> None:
    rows = GOLDEN["rows"]
    found = encoder.encode([passage(row["text"]) for row in rows]).vectors
    expected = np.array([row["vector"] for row in rows])
    cosines = (found * expected).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE, dict(
        zip((row["text"][:30] for row in rows), cosines.round(4), strict=True)
    )


def test_vectors_keep_the_order_of_the_reference(encoder: TextEncoder) -> None:
    texts = [row["text"] for row in GOLDEN["rows"]]
    expected = np.array([row["vector"] for row in GOLDEN["rows"]])
    found = encoder.encode([passage(text) for text in texts]).vectors
    question, about_seal, about_cat = 2, 1, 8
    for vectors in (found, expected):
        similar = vectors @ vectors[question]
        assert similar[about_seal] > similar[about_cat]


def test_a_row_does_not_depend_on_its_batch(encoder: TextEncoder) -> None:
    texts = [row["text"] for row in GOLDEN["rows"]]
    together = encoder.encode([passage(text) for text in texts])
    for row, text in enumerate(texts):
        alone = encoder.encode([passage(text)])
        assert float(alone.vectors[0] @ together.vectors[row]) > 0.9999
        assert alone.tokens is not None
        assert together.tokens is not None
        assert alone.tokens[0].shape == together.tokens[row].shape


def test_shapes_are_those_of_the_card(encoder: TextEncoder) -> None:
    found = encoder.encode([passage("The valve is stuck."), passage("Nothing moved.")])
    assert found.vectors.shape == (2, encoder.card.dimension)
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1.0, atol=1e-5)
    assert found.tokens is not None
    # Stop words and punctuation have no token vector: "valve" and "stuck" are left.
    assert found.tokens[0].shape == (2, encoder.card.token_dimension)
    assert found.tokens[0].dtype == np.int8


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000))
def test_every_text_is_split_into_spans_that_fit(encoder: TextEncoder, text: str) -> None:
    spans = encoder.split(text)
    assert all(start < stop for start, stop in spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    for start, stop in spans:
        assert encoder.count_tokens(text[start:stop]) <= 126


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["pump", "12.5", "mm/s", "vibration", "(x)", "\n", "é"]), max_size=900)
)
def test_splitting_loses_no_word(encoder: TextEncoder, words: list[str]) -> None:
    text = " ".join(words)
    kept = " ".join(text[start:stop] for start, stop in encoder.split(text))
    assert kept.split() == text.split()


@pytest.mark.parametrize("text", ["x" * 5000, "あ" * 5000, "a/b" * 2000, "-" * 3000])
def test_text_without_spaces_is_split_too(encoder: TextEncoder, text: str) -> None:
    spans = encoder.split(text)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    encoder.encode([passage(text[start:stop]) for start, stop in spans])


def test_a_passage_over_the_limit_is_refused_not_truncated(encoder: TextEncoder) -> None:
    with pytest.raises(ValueError, match="the model takes 256"):
        encoder.encode([passage("word " * 400)])


def test_a_long_query_is_taken_whole(encoder: TextEncoder) -> None:
    query = Observation(text="The pump is loud. " * 60 + "The valve is stuck.")
    vector = encoder.encode_query(query).vectors[0]
    without = encoder.encode_query(Observation(text="The pump is loud. " * 60)).vectors[0]
    assert vector.shape == (384,)
    assert not np.allclose(vector, without)


def test_an_option_out_of_range_is_refused() -> None:
    config = Config(options={"minilm": {"max_tokens": 1000}})
    with pytest.raises(ConfigError, match="max_tokens is 1000"):
        SharedServices(config).encoder("minilm")
