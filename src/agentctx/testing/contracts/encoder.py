"""What every encoder must hold."""

import re
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest

from agentctx.contracts import Encoder, Services, TextEncoder
from agentctx.records import Embeddings, Observation, Passage
from agentctx.testing.contracts.factory import FactoryContract

_TEXTS = (
    "The pump is shaking, and its seal leaks.",
    "Lunch is at noon in the small kitchen.",
    "Invoice 4711 was paid on Friday.",
    "Das Fenster im zweiten Stock ist offen.",
)
_WORDS = ("pump", "seal", "leak", "water", "night", "shift", "drain", "valve", "motor")
_LONG = "  ".join(_WORDS[n % 9] + ".\n" * (n % 25 == 24) for n in range(600))
# int8 models scale by batch, so a row is the same in every batch only up to this cosine.
_SAME = 0.999


class EncoderContract(FactoryContract):
    """An encoder: rows of length 1, in order, the same in every batch and every process.

    For encoders of text there is `TextEncoderContract`.
    """

    contract = Encoder

    @pytest.fixture
    def observations(self) -> Sequence[Observation]:
        """At least three that it takes and that are not alike. To be overridden."""
        raise NotImplementedError("give the suite `observations`: what the encoder takes")

    @pytest.fixture
    def foreign(self) -> Sequence[Observation]:
        """Some that it must not take. To be overridden."""
        raise NotImplementedError("give the suite `foreign`: what the encoder must not take")

    @pytest.fixture
    def encoder(self, services: Services) -> Encoder:
        """A fresh one."""
        return self.make(services)  # type: ignore[no-any-return]

    def test_the_card_is_complete_and_constant(
        self, services: Services, encoder: Encoder, observations: Sequence[Observation]
    ) -> None:
        """Every field says something, and encoding changes none."""
        card = encoder.card
        empty = [f.name for f in fields(card) if not getattr(card, f.name)]
        assert set(empty) <= {"token_dimension"}, f"the card leaves out {empty}"
        assert re.fullmatch("[0-9a-f]{64}", card.digest), f"{card.digest!r} is no sha256 in hex"
        assert card.dimension > 0, f"dimension is {card.dimension}"
        _encode(encoder, observations)
        assert encoder.card == card, f"the card was {card}, now it is {encoder.card}"
        assert self.make(services).card == card, "another instance has another card"

    def test_accepting_agrees_with_the_card(
        self,
        encoder: Encoder,
        observations: Sequence[Observation],
        foreign: Sequence[Observation],
    ) -> None:
        """Each of ``observations`` and none of ``foreign``."""
        for one in observations:
            assert encoder.accepts(one) is True, f"not accepted: {one}"
            assert one.modality in encoder.card.modalities, f"not on the card: {one.modality}"
        for one in foreign:
            assert encoder.accepts(one) is False, f"accepted: {one}"

    def test_rows_are_float32_of_length_1(
        self, encoder: Encoder, observations: Sequence[Observation]
    ) -> None:
        """One for each passage, none for none; token vectors are int8, as wide as the card says."""
        _check(encoder, _encode(encoder, observations), len(observations))
        _check(encoder, encoder.encode([]), 0)
        for one in observations:
            _check(encoder, encoder.encode_query(one), 1)

    def test_a_row_does_not_depend_on_its_batch(
        self, encoder: Encoder, observations: Sequence[Observation]
    ) -> None:
        """Rows are in order, whatever comes before and after."""
        together = _encode(encoder, observations).vectors
        turned = _encode(encoder, observations[::-1]).vectors[::-1]
        for row, one in enumerate(observations):
            alone = _encode(encoder, [one]).vectors[0]
            for other, how in ((alone, "alone"), (turned[row], "in another order")):
                cosine = float(together[row] @ other)
                assert cosine >= _SAME, f"row {row} {how} has cosine {cosine:.4f} to itself"

    def test_queries_live_in_the_same_space(
        self, encoder: Encoder, observations: Sequence[Observation]
    ) -> None:
        """An observation as a query is nearest to itself."""
        vectors = _encode(encoder, observations).vectors
        for row, one in enumerate(observations):
            near = vectors @ encoder.encode_query(one).vectors[0]
            assert int(near.argmax()) == row, f"row {near.argmax()} is nearer to the query {one}"

    def test_two_instances_agree(
        self, services: Services, observations: Sequence[Observation]
    ) -> None:
        """Vectors stored yesterday must be those of today."""
        one, other = (_encode(self.make(services), observations) for _ in range(2))
        assert np.allclose(one.vectors, other.vectors, atol=1e-6), "vectors differ"
        for here, there in zip(one.tokens or (), other.tokens or (), strict=True):
            assert np.array_equal(here, there), "token vectors differ"


class TextEncoderContract(EncoderContract):
    """An encoder of text: as any encoder, and no word is lost or cut off silently."""

    contract = TextEncoder

    @pytest.fixture
    def observations(self) -> Sequence[Observation]:
        """Four sentences."""
        return [Observation(text=text) for text in _TEXTS]

    @pytest.fixture
    def foreign(self) -> Sequence[Observation]:
        """Nothing, and white space."""
        return [Observation(text=text) for text in ("", " \n\t")]

    def test_splitting_covers_the_text(self, encoder: TextEncoder) -> None:
        """In order, without overlap; only white space is left out; each span can be encoded."""
        for text in ("", " \n", "one", *_TEXTS, _LONG, "x" * 1000, "漢字" * 300):
            spans = encoder.split(text)
            ends = [0, *(stop for _, stop in spans)]
            starts = [*(start for start, _ in spans), len(text)]
            for stop, start in zip(ends, starts, strict=True):
                assert stop <= start, f"spans overlap: {spans}"
                assert not text[stop:start].strip(), f"left out: {text[stop:start]!r}"
            assert all(start < stop for start, stop in spans), f"a span is empty: {spans}"
            parts = [Observation(text=text[start:stop]) for start, stop in spans]
            _check(encoder, _encode(encoder, parts), len(parts))

    def test_nothing_is_cut_off_silently(self, encoder: TextEncoder) -> None:
        """The last word of the longest passage makes a difference; a long query is taken."""
        start, stop = max(encoder.split(_LONG), key=lambda span: span[1] - span[0])
        words = _LONG[start:stop].split(" ")
        other = " ".join([*words[:-1], "pump" if "motor" in words[-1] else "motor"])
        both = [Observation(text=text) for text in (_LONG[start:stop], other)]
        one, two = (_encode(encoder, [text]).vectors[0] for text in both)
        assert not np.array_equal(one, two), f"a passage of {stop - start} characters is truncated"
        _check(encoder, encoder.encode_query(Observation(text=_LONG)), 1)

    def test_the_floor_is_a_cosine(self, encoder: TextEncoder) -> None:
        """In -1..1."""
        assert -1.0 <= encoder.floor <= 1.0, f"floor is {encoder.floor}"

    def test_tokens_are_counted(self, encoder: TextEncoder) -> None:
        """None in nothing, and more in more."""
        counts = [encoder.count_tokens(text) for text in ("", *_TEXTS[:1], _LONG)]
        assert counts[0] == 0 < counts[1] < counts[2], f"{counts} tokens in nothing, little, much"


def _encode(encoder: Encoder, observations: Sequence[Observation]) -> Embeddings:
    return encoder.encode([Passage(one, 0, one.text, 0, len(one.text)) for one in observations])


def _check(encoder: Encoder, found: Embeddings, rows: int) -> None:
    card, vectors, tokens = encoder.card, found.vectors, found.tokens
    assert vectors.dtype == np.float32, f"vectors are {vectors.dtype}, not float32"
    assert vectors.shape == (rows, card.dimension), f"vectors have shape {vectors.shape}"
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.allclose(lengths, 1.0, atol=1e-3), f"lengths are {lengths}, not 1"
    if not card.token_dimension:
        assert tokens is None, "there are token vectors, but token_dimension is 0"
        return
    assert tokens is not None, "there are no token vectors"
    assert len(tokens) == rows, f"{len(tokens)} token matrices for {rows} rows"
    for matrix in tokens:
        assert matrix.dtype == np.int8, f"token vectors are {matrix.dtype}, not int8"
        assert matrix.shape[1:] == (card.token_dimension,), f"tokens have shape {matrix.shape}"
