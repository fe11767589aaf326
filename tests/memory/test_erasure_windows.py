"""Fingerprints: found wherever their bytes are, nowhere else, and silent about what they are of."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import ConfigError
from agentctx.memory.erasure import Fingerprints, collect
from agentctx.memory.erasure.samples import forms, of_bytes, of_tokens, of_vector
from agentctx.memory.erasure.windows import (
    BLOCK,
    BYTES_8,
    BYTES_16,
    BYTES_32,
    EVERY_PHASE,
    FLOATS,
    VIEWS,
    Finder,
    Key,
    View,
)

SALT = b"sixteen bytes of"
SECRET = "the vault behind the painting opens with 4711 and a push"


def random_bytes(count: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(count)


def found(fingerprints: Fingerprints, data: bytes) -> set[str]:
    """The kinds that are found in some bytes."""
    finder = Finder(Key(fingerprints.salt), fingerprints.by_view())
    return {
        kind
        for view, _, mark in finder.find(data, len(data))
        for kind in fingerprints.kinds_of(view, mark)
    }


def windows(data: bytes, view: View) -> np.ndarray[Any, Any]:
    return np.array([list(data[n : n + view.width]) for n in range(len(data) - view.width + 1)],
                    np.uint8)  # fmt: skip


# -- finding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_a_finder_agrees_with_brute_force(view: View) -> None:
    # Few different bytes, so that there are near misses.
    data = bytes(np.random.default_rng(2).integers(0, 3, 3000, np.uint8) * 37)
    key = Key(SALT)
    own = windows(data, view)
    sought = key.fingerprints(view, own[::97])
    by_place = [int(key.fingerprints(view, window[None])[0]) for window in own]
    expected = {n for n, mark in enumerate(by_place) if mark in set(sought.tolist())}
    seen = Finder(key, {view: sought}).find(data, len(data), EVERY_PHASE)
    assert {offset for _, offset, _ in seen} == expected
    assert all(by_place[offset] == mark for _, offset, mark in seen)
    assert len(expected) >= len(own[::97])


@settings(deadline=None, max_examples=60)
@given(
    secret=st.binary(min_size=9, max_size=300),
    before=st.integers(0, 70),
    after=st.integers(0, 70),
)
def test_whatever_has_nine_bytes_is_found_at_any_place(
    secret: bytes, before: int, after: int
) -> None:
    sample = of_bytes(secret)
    assert sample is not None
    view, own = sample
    assert len(own) >= 2
    key = Key(SALT)
    finder = Finder(key, {view: key.fingerprints(view, own)})
    data = random_bytes(before) + secret + random_bytes(after)
    offsets = [offset for _, offset, _ in finder.find(data, len(data))]
    assert any(before <= offset <= before + len(secret) - view.width for offset in offsets)


@settings(deadline=None, max_examples=40)
@given(length=st.integers(65, 900), start=st.floats(0, 1), at=st.integers(0, 9))
def test_a_piece_of_65_bytes_is_enough(length: int, start: float, at: int) -> None:
    secret = random_bytes(length, seed=length)
    sample = of_bytes(secret)
    assert sample is not None
    assert sample[0] == BYTES_32
    begin = int(start * (length - 65))
    data = bytes(at) + secret[begin : begin + 65]
    key = Key(SALT)
    assert Finder(key, {BYTES_32: key.fingerprints(*sample)}).find(data, len(data))


@pytest.mark.parametrize(("length", "view"), [(9, BYTES_8), (16, BYTES_8), (17, BYTES_16),
                                              (32, BYTES_16), (33, BYTES_32)])  # fmt: skip
def test_the_widest_windows_that_fit_twice_are_taken(length: int, view: View) -> None:
    sample = of_bytes(random_bytes(length))
    assert sample is not None
    assert sample[0] == view
    assert of_bytes(random_bytes(8)) is None


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    dimension=st.integers(16, 768),
    offset=st.integers(0, 40),
    ulps=st.integers(0, 8),
)
def test_a_vector_is_found_when_its_length_was_made_one_again(
    seed: int, dimension: int, offset: int, ulps: int
) -> None:
    dice = np.random.default_rng(seed)
    vector = dice.normal(size=dimension).astype(np.float32)
    vector /= np.linalg.norm(vector)
    near = vector.view(np.int32) + dice.integers(-ulps, ulps + 1, dimension, np.int32)
    data = dice.bytes(offset) + near.view(np.float32).tobytes() + dice.bytes(50)
    assert found(collect(vectors=[vector]), data) == {"vector"}


def test_a_bit_that_counts_makes_another_vector() -> None:
    vector = np.random.default_rng(1).normal(size=384).astype(np.float32)
    other = vector * np.float32(1.01)
    assert found(collect(vectors=[vector]), other.tobytes()) == set()


@pytest.mark.parametrize(
    "vector", [np.zeros(384), np.ones(384), np.eye(1, 384)[0], np.ones(5)],
    ids=["zeros", "ones", "unit", "short"],
)  # fmt: skip
def test_vectors_that_are_mostly_one_number_are_not_looked_for(
    vector: np.ndarray[Any, Any],
) -> None:
    assert of_vector(vector.astype(np.float32)).shape == (0, 32)
    assert of_tokens(np.zeros((12, 128), np.int8)).shape == (0, 32)


@pytest.mark.parametrize("offset", [0, 1, 2, 3, 7, 40])
def test_token_matrices_are_found(offset: int) -> None:
    matrix = np.random.default_rng(4).integers(-127, 128, (9, 128), np.int8)
    data = bytes(offset) + matrix.tobytes() + b"after"
    assert found(collect(tokens=[matrix]), data) == {"tokens"}
    assert found(collect(tokens=[matrix]), (matrix + np.int8(1)).tobytes()) == set()


@pytest.mark.parametrize(
    "text", ['she said "no"\nand left the room at once, with a bang', "Größe des Lochs: 3 µm\t✓ ok"]
)
def test_text_is_found_inside_of_json(text: str) -> None:
    fingerprints = collect(texts=[text])
    for data in (
        text.encode(),
        json.dumps({"document": text}).encode(),
        json.dumps({"document": text}, ensure_ascii=False).encode(),
    ):
        assert found(fingerprints, data) == {"text"}
    assert len(forms("plain")) == 1


def test_a_digest_is_found_in_hex_and_as_bytes() -> None:
    digest = random_bytes(32).hex()
    fingerprints = collect(digests=[digest])
    assert found(fingerprints, digest.encode()) == {"digest"}
    assert found(fingerprints, bytes.fromhex(digest)) == {"digest"}


def test_one_thing_may_be_of_several_kinds() -> None:
    fingerprints = collect(texts=[SECRET], labels=[SECRET])
    assert found(fingerprints, SECRET.encode()) == {"text", "label"}


def test_chance_finds_nothing() -> None:
    dice = np.random.default_rng(5)
    fingerprints = collect(
        texts=[dice.bytes(200).hex() for _ in range(500)],
        vectors=dice.normal(size=(500, 384)).astype(np.float32),
        tokens=dice.integers(-127, 128, (500, 9, 128), np.int8),
    )
    assert sum(fingerprints.counts().values()) > 15_000
    finder = Finder(Key(fingerprints.salt), fingerprints.by_view())
    for seed in range(4):
        assert finder.find(random_bytes(BLOCK, seed + 100), BLOCK) == []
    normal = dice.normal(size=BLOCK // 4).astype(np.float32).tobytes()
    assert finder.find(normal, BLOCK) == []
    assert finder.find(bytes(BLOCK), BLOCK) == []


# -- what stays ----------------------------------------------------------------------------------

_TEXTS = st.lists(st.text('abc "é\n', min_size=5, max_size=80), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(forgotten=_TEXTS, remaining=_TEXTS)
def test_what_remains_is_never_found(forgotten: list[str], remaining: list[str]) -> None:
    before = collect(texts=forgotten)
    after = before.without(remaining)
    for text in remaining:
        for form in forms(text):
            assert found(after, form) == set()
    assert after.counts().get("text", 0) + after.shared.get("text", 0) == before.counts().get(
        "text", 0
    )


def test_what_only_the_forgotten_have_is_still_looked_for() -> None:
    shared = "good morning everybody, and welcome to the weekly meeting. "
    fingerprints = collect(texts=[shared + SECRET]).without([shared + "Nothing to report today."])
    assert found(fingerprints, (shared + SECRET).encode()) == {"text"}
    assert found(fingerprints, shared.encode()) == set()
    assert fingerprints.shared["text"] > 0


def test_vectors_and_tokens_that_others_have_too_are_not_looked_for() -> None:
    dice = np.random.default_rng(6)
    vectors = dice.normal(size=(3, 384)).astype(np.float32)
    tokens = dice.integers(-127, 128, (3, 7, 128), np.int8)
    fingerprints = collect(vectors=vectors[:2], tokens=tokens[:2]).without(
        [vectors[1], tokens[1], vectors[2], tokens[2]]
    )
    assert found(fingerprints, vectors[1].tobytes() + tokens[1].tobytes()) == set()
    assert found(fingerprints, vectors[0].tobytes() + tokens[0].tobytes()) == {"vector", "tokens"}


def test_more_remains_than_one_block_holds() -> None:
    dice = np.random.default_rng(7)
    vectors = dice.normal(size=(1000, 384)).astype(np.float32)
    texts = [dice.bytes(300).hex() for _ in range(2000)]
    forgotten = collect(texts=texts[::100], vectors=vectors[::100])
    assert forgotten.without([*vectors, *texts]).counts() == {}
    unrelated = [*vectors[1::100], *texts[1::100]]
    assert forgotten.without(unrelated).counts() == forgotten.counts()


# -- the receipt ---------------------------------------------------------------------------------


def test_a_receipt_carries_all_and_tells_nothing() -> None:
    vector = np.random.default_rng(8).normal(size=384).astype(np.float32)
    made = collect(texts=[SECRET, "tiny"], labels=["ward 7, bed 12"], ids=["0123456789abcdef" * 2],
                   vectors=[vector], words=["paint"])  # fmt: skip
    made = made.without(["ward 7, bed 12, window"])
    text = made.to_text()
    read = Fingerprints.from_text(text)
    assert read.to_text() == text
    assert read.counts() == made.counts()
    assert (read.shared, read.short) == (made.shared, made.short) == ({"label": 3}, 1)
    assert found(read, SECRET.encode() + vector.tobytes()) == {"text", "vector"}
    assert not any(word in text for word in ["vault", "painting", "ward 7", "0123456789abcdef"])
    # Salted: of the same thing, no two receipts have a fingerprint in common.
    again = collect(texts=[SECRET], vectors=[vector])
    for place, marks in again.marks.items():
        assert not np.isin(marks, made.marks[place]).any()


def test_a_receipt_is_small() -> None:
    dice = np.random.default_rng(9)
    texts = [" ".join(dice.bytes(3).hex() for _ in range(20)) for _ in range(100)]
    made = collect(
        texts=texts, ids=[dice.bytes(16).hex() for _ in range(100)],
        vectors=dice.normal(size=(100, 384)).astype(np.float32),
        tokens=dice.integers(-127, 128, (100, 20, 128), np.int8),
    )  # fmt: skip
    assert len(made.to_text()) < 100 * 600


@pytest.mark.parametrize(
    "change",
    [
        {"format": "agentctx erasure 9"}, {"salt": "§"}, {"salt": 4}, {"marks": [{"kind": "text"}]},
        {"marks": None}, {"words": "AAAA"}, {"shared": {"nonsense": 1}}, {"short": "many"},
        {"marks": [{"kind": "gossip", "view": "floats", "marks": ""}]}, {"salt": ""},
        {"marks": [{"kind": "text", "view": "bytes 7", "marks": ""}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_receipt_that_is_none_is_refused(change: dict[str, Any]) -> None:
    content = json.loads(collect(texts=[SECRET]).to_text()) | change
    with pytest.raises(ConfigError, match="receipt"):
        Fingerprints.from_text(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "no json", '{"format": 1}'])
def test_other_files_are_no_receipts(text: str) -> None:
    with pytest.raises(ConfigError, match="receipt"):
        Fingerprints.from_text(text)


def test_the_views_do_not_see_the_same() -> None:
    assert FLOATS.width == BYTES_32.width
    key = Key(SALT)
    own = windows(random_bytes(40), BYTES_32)
    assert not np.isin(key.fingerprints(FLOATS, own), key.fingerprints(BYTES_32, own)).any()
