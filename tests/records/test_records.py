"""Records: ids that come from content alone, times that are aware, and nothing that changes."""

import copy
import dataclasses
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx import render
from agentctx.contracts import Source
from agentctx.errors import SourceInvalid
from agentctx.records import (
    Attribute,
    Citation,
    Context,
    Embeddings,
    EncoderCard,
    Filters,
    Hit,
    Media,
    Moment,
    Observation,
    Passage,
    Signal,
)
from agentctx.reports import Failure, IngestReport, Receipt, VerifyReport

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
KNOWN: Mapping[str, Any] = {
    "modality": "speech",
    "text": "The seal leaks.",
    "captured_at": NOON,
    "duration": 2.5,
    "session": "monday",
    "source": "call.ogg",
    "attributes": {"speaker": "Ann", "confidence": 0.9},
    "media": (Media.of_bytes("original", "audio/ogg", b"sound"),),
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
)
attributes = st.dictionaries(
    st.text(max_size=10), scalars | st.lists(scalars, max_size=4), max_size=5
)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones)
observations = st.builds(
    Observation,
    modality=st.sampled_from(["text", "speech", "screenshot", "sensor", "thermal"]),
    text=st.text(),
    captured_at=times,
    duration=st.floats(0, 1e9),
    session=st.text(max_size=10),
    source=st.text(max_size=10),
    attributes=attributes,
)


# -- ids ------------------------------------------------------------------------------------------


def test_equal_content_has_an_equal_id() -> None:
    one, other = Observation(**KNOWN), Observation(**KNOWN)
    assert one.id == other.id
    assert one == other
    assert len(one.id) == 32
    assert int(one.id, 16)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modality", "text"),
        ("text", "The seal leaks"),
        ("captured_at", NOON + timedelta(microseconds=1)),
        ("duration", 2.5000001),
        ("session", "Monday"),
        ("source", "calls/call.ogg"),
        ("attributes", {"speaker": "Ann"}),
        ("attributes", {"speaker": "Ann", "confidence": "0.9"}),
        ("attributes", {"speaker": ("Ann",), "confidence": 0.9}),
        ("media", ()),
        ("media", (Media.of_bytes("original", "audio/ogg", b"other sound"),)),
    ],
)
def test_any_other_content_has_another_id(field: str, value: object) -> None:
    known = dict(KNOWN)
    known[field] = value
    assert Observation(**known).id != Observation(**KNOWN).id


def test_text_cannot_move_between_fields_unnoticed() -> None:
    assert Observation(text="a", session="bc").id != Observation(text="ab", session="c").id
    one = Observation(captured_at=NOON, session='x","y')
    assert one.id != Observation(captured_at=NOON, session="x", source="y").id


def test_the_id_is_pinned() -> None:
    """Ids are kept on disk: another recipe would make every stored observation new."""
    content = [
        "speech", "The seal leaks.", "2026-03-14T12:00:00+00:00", 2.5, "monday", "call.ogg",
        [["confidence", 0.9], ["speaker", "Ann"]], hashlib.sha256(b"sound").hexdigest(),
    ]  # fmt: skip
    packed = json.dumps(content, separators=(",", ":")).encode()
    assert Observation(**KNOWN).id == hashlib.sha256(packed).hexdigest()[:32]
    assert Observation(**KNOWN).id == "b17c089da124a1ba0d800edf56a4bf48"


@given(observations, zones)
def test_the_zone_does_not_matter(observation: Observation, zone: timezone) -> None:
    moved = dataclasses.replace(observation, captured_at=observation.captured_at.astimezone(zone))
    assert moved.id == observation.id
    assert moved == observation


@given(observations)
def test_the_order_of_attributes_does_not_matter(observation: Observation) -> None:
    turned = dict(reversed(observation.attributes.items()))
    assert dataclasses.replace(observation, attributes=turned).id == observation.id


@given(st.lists(scalars))
def test_a_list_is_the_tuple_of_its_items(items: list[Any]) -> None:
    one = Observation(captured_at=NOON, attributes={"marks": items})  # type: ignore[dict-item]
    other = Observation(captured_at=NOON, attributes={"marks": tuple(items)})
    assert one.attributes == {"marks": tuple(items)}
    assert one.id == other.id


def test_derived_media_do_not_matter() -> None:
    """A thumbnail depends on the version of the library that made it; the original does not."""
    original = Media.of_bytes("original", "image/png", b"pixels")
    small = Media.of_bytes("thumbnail", "image/webp", b"small")
    smaller = Media.of_bytes("thumbnail", "image/webp", b"smaller")
    ids = {
        Observation(captured_at=NOON, media=media).id
        for media in [(original,), (original, small), (smaller, original)]
    }
    assert len(ids) == 1
    assert Observation(captured_at=NOON, media=(small,)).id not in ids


@given(observations)
def test_a_stored_observation_comes_back_with_its_id(observation: Observation) -> None:
    """What a memory keeps is JSON; the record made of it is the same one."""
    row = json.loads(json.dumps(render.plain(observation)))
    assert row.pop("id") == observation.id
    row["captured_at"] = datetime.fromisoformat(row["captured_at"])
    again = Observation(**row)
    assert again.id == observation.id
    assert again == observation


def test_surrogates_have_an_id() -> None:
    """File names that are no UTF-8 reach Python as lone surrogates."""
    one = Observation(source=os.fsdecode(b"caf\xe9.png"), captured_at=NOON)
    assert one.id != Observation(source="café.png", captured_at=NOON).id


# -- times ----------------------------------------------------------------------------------------


@given(observations)
def test_times_are_in_utc(observation: Observation) -> None:
    assert observation.captured_at.tzinfo is UTC
    assert observation.ended_at >= observation.captured_at


def test_now_is_the_default() -> None:
    before = datetime.now(UTC)
    assert before <= Observation().captured_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("zone", "utc"), [("UTC", "12:00"), ("Asia/Tokyo", "03:00"), ("America/New_York", "16:00")]
)
def test_a_naive_time_is_local_time(zone: str, utc: str) -> None:
    code = (
        "from datetime import datetime\n"
        "from agentctx import Observation\n"
        "noon = Observation(captured_at=datetime(2026, 3, 14, 12))\n"
        "print(f'{noon.captured_at:%H:%M %Z}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [utc, "UTC"]


def test_an_end_is_a_duration_after_the_begin() -> None:
    assert Observation(captured_at=NOON, duration=1.5).ended_at == NOON + timedelta(seconds=1.5)


@pytest.mark.parametrize("duration", [-1.0, -1e-9])
def test_a_negative_duration_is_refused(duration: float) -> None:
    with pytest.raises(ValueError, match=f"duration is {duration} s; it cannot be negative"):
        Observation(duration=duration)


# -- immutability ---------------------------------------------------------------------------------


def test_nothing_of_an_observation_can_be_changed() -> None:
    given: dict[str, Attribute] = {"speaker": "Ann"}
    observation = Observation(attributes=given)
    with pytest.raises(dataclasses.FrozenInstanceError):
        observation.text = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        observation.attributes["speaker"] = "Bob"  # type: ignore[index]
    given["speaker"] = "Bob"
    assert observation.attributes["speaker"] == "Ann"
    with pytest.raises(ValueError, match="id"):
        dataclasses.replace(observation, id="0" * 32)


@pytest.mark.parametrize(
    "record",
    [
        Media.of_bytes("original", "text/plain", b""),
        Hit(Observation(), 0.5),
        Filters(),
        Moment(NOON, NOON, 0.5, ()),
        Context("", (), (), 0),
        IngestReport(),
        VerifyReport(0, 0, 0, 0),
        Failure("a", ValueError()),
        Signal("dense", 0.5),
    ],
    ids=lambda record: type(record).__name__,
)
def test_records_are_frozen(record: Any) -> None:
    name = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, None)
    assert not hasattr(record, "__dict__")


# -- media ----------------------------------------------------------------------------------------


@given(st.binary())
def test_media_of_bytes(data: bytes) -> None:
    media = Media.of_bytes("words", "application/json", data)
    assert media.digest == hashlib.sha256(data).hexdigest()
    assert media.size == len(data)
    assert media.read() == data
    assert media.path is None


def test_media_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"sound" * 100_000)
    media = Media.of_file("original", "audio/ogg", path)
    same = Media.of_bytes("original", "audio/ogg", path.read_bytes())
    assert (media.digest, media.size) == (same.digest, same.size)
    assert media.data is None
    assert media.read() == same.read()


def test_media_that_are_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Media.of_file("original", "audio/ogg", tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="the thumbnail abc has neither a path nor bytes"):
        Media("thumbnail", "image/webp", "abc", 3).read()


def test_the_bytes_are_not_in_the_representation() -> None:
    assert "secret" not in repr(Media.of_bytes("original", "text/plain", b"secret"))


def test_media_are_found_by_kind() -> None:
    first, second = (Media.of_bytes("page", "image/png", data) for data in (b"1", b"2"))
    observation = Observation(media=[first, second])  # type: ignore[arg-type]
    assert observation.media == (first, second)
    assert observation.find_media("page") is first
    assert observation.find_media("thumbnail") is None


# -- the others -----------------------------------------------------------------------------------


def test_no_filter_is_false() -> None:
    assert not Filters()
    assert not Filters(modality=(), since=None, until=None, session=(), source=())


@pytest.mark.parametrize(
    "restriction",
    [
        {"modality": ("text",)},
        {"since": NOON},
        {"until": NOON},
        {"session": ("",)},
        {"source": ("a.png",)},
    ],
    ids=lambda restriction: next(iter(restriction)),
)
def test_any_filter_is_true(restriction: dict[str, Any]) -> None:
    assert Filters(**restriction)


def test_a_hit_tells_what_its_observation_does() -> None:
    observation = Observation(**KNOWN)
    hit = Hit(observation, 0.5, passage="seal")
    names = ["id", "text", "modality", "captured_at", "duration", "session", "source", "attributes"]
    assert [getattr(hit, name) for name in names] == [getattr(observation, n) for n in names]


@pytest.mark.parametrize(
    ("signal", "words"),
    [(Signal("dense", 0.5, 1), "dense #1 (0.500)"), (Signal("rerank", 1 / 3), "rerank (0.333)")],
)
def test_a_signal_in_words(signal: Signal, words: str) -> None:
    assert str(signal) == words


def test_a_moment_names_its_modalities() -> None:
    heard, seen = (Observation(modality=name) for name in ("speech", "screenshot"))
    assert Moment(NOON, NOON, 0.5, (Hit(seen, 0.5),), (heard, heard)).modalities == (
        "screenshot",
        "speech",
    )


def test_a_failure_unpacks() -> None:
    error = ValueError("no")
    source, why = Failure("a.png", error)
    assert (source, why) == ("a.png", error)


def test_a_context_is_its_text() -> None:
    assert f"{Context('evidence [1]', (), (), 3)}" == "evidence [1]"


def test_a_memory_is_whole_without_problems() -> None:
    assert VerifyReport(1, 1, 1, 0).ok
    assert not VerifyReport(1, 1, 1, 0, ("a file is gone",)).ok


# -- copies ---------------------------------------------------------------------------------------

media = st.builds(
    Media.of_bytes, st.sampled_from(["original", "thumbnail"]), st.just("image/png"), st.binary()
)


def copies(record: Any) -> list[Any]:
    """A record by every way of copying it."""
    protocols = range(2, pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(record, protocol)) for protocol in protocols]
    return [copy.copy(record), copy.deepcopy(record), *pickled]


@given(observations, st.lists(media, max_size=3))
def test_observations_can_be_pickled_and_copied(observation: Observation, more: Any) -> None:
    one = dataclasses.replace(observation, media=tuple(more))
    for other in copies(one):
        assert other == one
        assert other.id == one.id
        assert [m.read() for m in other.media] == [m.read() for m in one.media]
        assert dataclasses.replace(other).id == one.id
        with pytest.raises(TypeError):
            other.attributes["new"] = 1


def test_all_records_can_be_pickled_and_copied(tmp_path: Path) -> None:
    one = Observation(**KNOWN)
    (tmp_path / "a.txt").write_text("words")
    hit = Hit(one, 0.5, (Signal("bm25", 1.5, 2),), "seal")
    for record in (
        Media.of_file("original", "text/plain", tmp_path / "a.txt"),
        Passage(one, 0, "The seal", 0, 8),
        EncoderCard("a", "1", "text", 2, ("text",), "MIT", "0"),
        Filters(modality=("text",), since=NOON),
        hit,
        Moment(NOON, NOON, 0.5, (hit,), (one,)),
        Context("The seal [1]", (Citation(1, one, "seal"),), one.media, 4, 1),
        IngestReport(1, 0, (), (one.id,)),
        Receipt(1, (one.id,), (), NOON, "1 ids"),
        VerifyReport(1, 1, 1, 0, ("one",)),
        Source(tmp_path / "a.txt", b"wo", "monday", NOON, {"speaker": "Ann"}),
    ):
        for other in copies(record):
            assert other == record


def test_a_failure_keeps_its_error_in_copies() -> None:
    error = SourceInvalid("shot.png", "it is cut off")
    for report in copies(IngestReport(failed=(Failure("shot.png", error),))):
        ((source, other),) = report.failed
        assert (source, type(other), str(other)) == ("shot.png", SourceInvalid, str(error))


def test_vectors_can_be_pickled_and_copied() -> None:
    one = Embeddings(np.eye(2, dtype=np.float32), [np.ones((3, 4), np.int8)])
    for other in copies(one):
        assert (other.vectors == one.vectors).all()
        assert (other.tokens[0] == one.tokens[0]).all()


class Locked:
    """What opens a sealed file: it must not be pickled along, since it holds the key."""

    key = "secret key"

    def __call__(self) -> BinaryIO:
        return io.BytesIO(b"sound")

    def __reduce__(self) -> Any:
        raise AssertionError("the key was about to leave")


def test_sealed_media_travel_with_their_bytes_and_without_their_key() -> None:
    digest = hashlib.sha256(b"sound").hexdigest()
    sealed = Media("original", "audio/ogg", digest, 5, Path("sealed"), opener=Locked())
    for other in copies(sealed):
        assert (other.read(), other.opener, other.path) == (b"sound", None, None)
