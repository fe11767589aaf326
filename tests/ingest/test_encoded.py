"""The same words are encoded once, however many screens in a row repeat them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agentctx import Observation, encoding
from agentctx.encoding import Encoded, entries
from agentctx.records import Embeddings, Passage
from agentctx.testing.doubles import HashEncoder

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
WORDS = " ".join(f"word{n}" for n in range(40))


class Counting(HashEncoder):
    """An encoder that knows what it was given."""

    def __init__(self) -> None:
        super().__init__(max_words=16)
        self.given: list[str] = []

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        self.given += [passage.text for passage in passages]
        return super().encode(passages)


def screen(second: int, text: str) -> Observation:
    return Observation(
        modality="screenshot", text=text, captured_at=NINE + timedelta(seconds=second)
    )


def test_an_unchanged_screen_is_not_encoded_again() -> None:
    encoder, encoded = Counting(), Encoded()
    (first,) = entries(encoder, [], [screen(0, WORDS)], encoded)
    (second,) = entries(encoder, [], [screen(1, WORDS)], encoded)
    assert len(encoder.given) == len(first.spans) == 3
    for one, other in zip(first.vectors, second.vectors, strict=True):
        assert (one.space, one.ordinal) == (other.space, other.ordinal)
        np.testing.assert_array_equal(one.vector, other.vector)
        np.testing.assert_array_equal(one.tokens, other.tokens)


def test_of_a_changed_screen_the_passage_that_changed_is_encoded() -> None:
    encoder, encoded = Counting(), Encoded()
    entries(encoder, [], [screen(0, WORDS)], encoded)
    changed = WORDS.replace("word20", "other")
    (found,) = entries(encoder, [], [screen(1, changed)], encoded)
    assert len(encoder.given) == 4
    assert "other" in encoder.given[-1]
    (fresh,) = entries(Counting(), [], [screen(1, changed)])
    for one, other in zip(found.vectors, fresh.vectors, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)


def test_the_same_words_in_one_batch_are_encoded_once() -> None:
    encoder = Counting()
    found = entries(encoder, [], [screen(n, "all systems up") for n in range(5)])
    assert encoder.given == ["all systems up"]
    assert [len(entry.vectors) for entry in found] == [1] * 5


def test_an_encoder_of_more_than_words_is_asked_each_time() -> None:
    encoder, other, encoded = Counting(), Counting(), Encoded()
    for second in range(2):
        entries(encoder, [other], [screen(second, "all systems up")], encoded)
    assert len(encoder.given) == 1
    assert len(other.given) == 2


def test_only_the_last_passages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_KEPT_PASSAGES", 2)
    encoder, encoded = Counting(), Encoded()
    for text in ("one", "two", "one", "three", "one", "two"):
        entries(encoder, [], [screen(0, text)], encoded)
    assert encoder.given == ["one", "two", "three", "two"]
