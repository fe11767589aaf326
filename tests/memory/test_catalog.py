"""The catalog's answers against plain Python, and what it keeps when rows go."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import EncoderMismatch, StoreError
from agentctx.memory import forgetting, rows
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.media import MediaStore
from agentctx.records import EncoderCard, Filters, Media, Observation

from .writing import add, register, remove

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
CARD = EncoderCard("test", "1", "space", 2, ("text",), "Apache-2.0", "d" * 64)


def entry(observation: Observation, *spans: tuple[int, int]) -> Entry:
    vectors = [NewVector("space", n, np.ones(2, np.float32)) for n in range(len(spans))]
    return Entry(observation, spans, vectors)


def note(minute: float = 0, text: str = "note", **more: object) -> Observation:
    when = NINE + timedelta(minutes=minute)
    return Observation(text=text, captured_at=when, **more)  # type: ignore[arg-type]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3", MediaStore(tmp_path / "media"))
    register(catalog, CARD)
    yield catalog
    catalog.close()


def whole(catalog: Catalog) -> bool:
    """Whether the full-text index says of itself that it matches the texts."""
    with catalog.transaction() as db:
        db.execute("INSERT INTO passage_words (passage_words) VALUES ('integrity-check')")
        db.execute("INSERT INTO passage_words (passage_words, rank) VALUES ('integrity-check', 1)")
    return catalog.query("PRAGMA foreign_key_check") == []


# -- times ------------------------------------------------------------------------------------


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_times_come_back_to_the_microsecond(when: datetime, minutes: int) -> None:
    aware = when.replace(tzinfo=UTC)
    assert rows.to_time(rows.to_microseconds(aware)) == aware
    if 2 <= when.year <= 9998:
        local = aware.astimezone(timezone(timedelta(minutes=minutes)))
        assert rows.to_microseconds(local) == rows.to_microseconds(aware)


@pytest.mark.parametrize(
    ("when", "microseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime.min.replace(tzinfo=UTC), -62_135_596_800_000_000),
        (datetime.max.replace(tzinfo=UTC), 253_402_300_799_999_999),
    ],
)
def test_microseconds_since_1970(when: datetime, microseconds: int) -> None:
    assert rows.to_microseconds(when) == microseconds
    assert rows.to_time(microseconds) == when


def test_the_first_and_the_last_moment_can_be_stored_and_found(catalog: Catalog) -> None:
    ends = [
        Observation(text="x", captured_at=end.replace(tzinfo=UTC))
        for end in (datetime.min, datetime(1969, 7, 20, 20, 17), datetime.max)
    ]
    add(catalog, [entry(one, (0, 1)) for one in reversed(ends)], {})
    assert [row.observation for row in catalog.select(Filters())] == ends
    assert [r.observation for r in catalog.select(Filters(until=NINE))] == ends[:2]
    assert [r.observation for r in catalog.select(Filters(since=NINE))] == ends[2:]


# -- filters ----------------------------------------------------------------------------------

_NAMES = st.sampled_from(["a", "b", "ä' OR 1", ""])
_SECONDS = st.integers(-20, 20) | st.just(10**9)
_OBSERVATIONS = st.builds(
    lambda second, duration, modality, session, source: Observation(
        modality=modality, text=f"{second}", captured_at=NINE + timedelta(seconds=second),
        duration=duration, session=session, source=source,
    ),
    _SECONDS, st.sampled_from([0.0, 1.0, 2.5, 30.0, 1e-6]), _NAMES, _NAMES, _NAMES,
)  # fmt: skip
_SOME = st.lists(_NAMES, max_size=2).map(tuple)
_WHEN = st.none() | _SECONDS.map(lambda second: NINE + timedelta(seconds=second))
_FILTERS = st.builds(
    Filters, modality=_SOME, since=_WHEN, until=_WHEN, session=_SOME, source=_SOME
)  # fmt: skip


def passes(observation: Observation, filters: Filters) -> bool:
    return all(
        (
            not filters.modality or observation.modality in filters.modality,
            not filters.session or observation.session in filters.session,
            not filters.source or observation.source in filters.source,
            filters.since is None or observation.ended_at >= filters.since,
            filters.until is None or observation.captured_at < filters.until,
        )
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(_OBSERVATIONS, max_size=25), st.lists(_FILTERS, min_size=1, max_size=5))
def test_filters_keep_what_plain_python_keeps(
    tmp_path_factory: pytest.TempPathFactory,
    observations: list[Observation],
    questions: list[Filters],
) -> None:
    folder = tmp_path_factory.mktemp("filters")
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    register(catalog, CARD)
    stored = list({one.id: one for one in observations}.values())
    assert add(catalog, [entry(one) for one in observations], {}) == {one.id for one in stored}
    everything = catalog.select(Filters())
    pks = [row.pk for row in everything]
    for filters in questions:
        found = catalog.select(filters)
        wanted = [one for one in stored if passes(one, filters)]
        wanted.sort(key=lambda one: one.captured_at)  # stable: of one time, the first stored
        assert [row.observation for row in found] == wanted
        assert catalog.passing(pks, filters) == {row.pk for row in found}
        ids = [one.id for one in stored[::2]] + ["absent"]
        assert [row.observation.id for row in catalog.select(filters, ids)] == [
            one.id for one in wanted if one.id in ids
        ]
    catalog.close()


def test_many_keys_at_once_are_asked_for_in_parts(catalog: Catalog) -> None:
    notes = [note(n) for n in range(1700)]
    add(catalog, [entry(one, (0, 4)) for one in notes], {"key": [one.id for one in notes]})
    pks = list(range(1, 1701))
    assert list(catalog.observations(pks).values()) == notes
    assert catalog.known([one.id for one in notes] + ["x"]) == {one.id for one in notes}
    assert catalog.first_passages(pks) == dict(zip(pks, pks, strict=True))
    assert len(catalog.passages(pks)) == 1700
    assert catalog.ingested("key") == [one.id for one in notes]
    assert [row.observation for row in catalog.select(Filters(), [n.id for n in notes])] == notes
    remove(catalog, pks[:1200], "")
    assert catalog.ingested("key") == []  # of which a part is gone: it is to be read again
    assert set(catalog.observations(pks)) == set(pks[1200:])


# -- passages ---------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_passages_are_the_slices_of_the_text(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    letters = st.characters(codec="utf-8", exclude_characters="\0")
    texts = data.draw(st.lists(st.text(letters, min_size=1, max_size=60), min_size=1, max_size=4))
    folder = tmp_path_factory.mktemp("passages")
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    register(catalog, CARD)
    wanted = []
    entries = []
    for number, text in enumerate(texts):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6)))
        spans = list(pairwise(cuts))
        entries.append(entry(note(number, text), *spans))
        wanted += [(number + 1, n, text[a:b]) for n, (a, b) in enumerate(spans)]
    add(catalog, entries, {})
    found = catalog.passages(range(1, 99)).values()
    assert [(row.observation_pk, row.ordinal, row.text) for row in found] == wanted
    assert whole(catalog)
    remove(catalog, [1], "")
    assert whole(catalog)
    assert {row.observation_pk for row in catalog.passages(range(1, 99)).values()} == set(
        range(2, len(texts) + 1)
    )
    catalog.close()


def test_a_text_with_nul_comes_back_and_can_be_forgotten(catalog: Catalog) -> None:
    odd = note(1, "alpha\0beta gamma")
    add(catalog, [entry(odd, (0, 5), (6, 16)), entry(note(2, "delta"), (0, 5))], {})
    assert catalog.select(Filters())[0].observation == odd
    assert whole(catalog)
    remove(catalog, [1], "")
    assert whole(catalog)
    sql = "SELECT rowid FROM passage_words WHERE passage_words MATCH ?"
    assert [catalog.query(sql, (word,)) for word in ("alpha", "delta")] == [[], [(3,)]]


# -- neighbours -------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), *[st.sampled_from("ab")] * 3), min_size=1, max_size=25
    ),
    st.integers(1, 4),
)  # fmt: skip
def test_neighbours_are_those_beside_in_the_same_conversation(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, str, str, str]], steps: int
) -> None:
    folder = tmp_path_factory.mktemp("neighbours")
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    register(catalog, CARD)
    said = [
        note(minute, f"turn {n}", session=session, source=source, modality=modality)
        for n, (minute, session, source, modality) in enumerate(turns)
    ]
    add(catalog, [entry(one) for one in said], {})
    pks = list(range(1, len(said) + 1))
    found = catalog.neighbours(pks, {"a"}, steps)
    asked = [pk for pk in pks if said[pk - 1].modality == "a"]
    assert set(found) <= set(asked)
    for pk in asked:
        beside = found.get(pk, [])
        this = turns[pk - 1]
        line = sorted(
            (other[0], number + 1) for number, other in enumerate(turns) if other[1:] == this[1:]
        )
        place = line.index((this[0], pk))
        wanted = {
            (line[place + step][1], step)
            for step in range(-steps, steps + 1)
            if step and 0 <= place + step < len(line)
        }
        assert set(beside) == wanted
        assert len(beside) == len(wanted)
    catalog.close()


# -- removing ---------------------------------------------------------------------------------


def test_removing_leaves_nothing_that_hangs_on_it(catalog: Catalog) -> None:
    picture = Media.of_bytes("original", "image/png", b"pixels")
    both = [note(n, f"word{n} shared", media=(picture,), session="s") for n in range(4)]
    own = note(9, "alone", media=(Media.of_bytes("original", "image/png", b"own"),))
    tokens = np.ones((3, 2), np.int8)
    entries = [entry(one, (0, 5), (6, 12)) for one in both] + [entry(own, (0, 5))]
    entries[0] = Entry(both[0], [(0, 5)], [NewVector("space", 0, np.ones(2, np.float32), tokens)])
    add(catalog, entries, {"file": [one.id for one in both]})
    # All four came from one source, whose original holds what the two forgotten parts said.
    assert remove(catalog, [1, 2], "session = s") == [picture.digest]
    assert remove(catalog, [5], "ids") == [own.media[0].digest]
    assert remove(catalog, [3, 4], "all") == []
    tables = ("observation", "passage", "vector", "pending", "token_matrix", "ingested", "media")
    for table in tables:
        assert catalog.query(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert whole(catalog)
    assert catalog.ingested("file") == []


def test_the_audit_log_tells_how_many_by_which_rule_and_no_content(
    catalog: Catalog, tmp_path: Path
) -> None:
    before = datetime.now(UTC)
    add(catalog, [entry(note(n, f"zyzzyva{n}"), (0, 8)) for n in range(3)], {})
    remove(catalog, [1, 3], "session = 's'")
    remove(catalog, [], "nothing")
    forgetting.compact(catalog)
    found = catalog.query("SELECT * FROM audit ORDER BY rowid")
    assert [row[1:] for row in found] == [("forget", "session = 's'", 2), ("forget", "nothing", 0)]
    assert before <= rows.to_time(found[0][0]) <= rows.to_time(found[1][0]) <= datetime.now(UTC)
    left = b"".join(path.read_bytes() for path in tmp_path.glob("catalog*"))
    assert b"zyzzyva1" in left
    assert b"zyzzyva0" not in left
    assert b"zyzzyva2" not in left


def test_keys_are_never_used_again(catalog: Catalog) -> None:
    add(catalog, [entry(note(n), (0, 4)) for n in range(3)], {})
    remove(catalog, [1, 2, 3], "")
    forgetting.compact(catalog)
    add(catalog, [entry(note(1), (0, 4))], {})
    assert [row.pk for row in catalog.select(Filters())] == [4]
    assert list(catalog.passages(range(9))) == [4]


# -- transactions -----------------------------------------------------------------------------


def test_a_batch_that_fails_leaves_nothing(catalog: Catalog) -> None:
    unknown = Entry(note(2), [(0, 4)], [NewVector("nowhere", 0, np.ones(2, np.float32))])
    with pytest.raises(KeyError):
        add(catalog, [entry(note(1), (0, 4)), unknown], {})
    assert catalog.counts() == {"observations": 0, "passages": 0, "media": 0, "pending": 0}
    assert add(catalog, [entry(note(1), (0, 4))], {}) == {note(1).id}


def test_a_statement_that_fails_is_a_store_error(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"catalog\.sqlite3.*no such table"):
        catalog.query("SELECT * FROM nowhere")

    def write_twice() -> None:
        with catalog.transaction() as db:
            db.execute("INSERT INTO audit VALUES (1, 'x', 'y', 2)")
            db.execute("INSERT INTO audit VALUES ('not a time', 'x', 'y', 2)")

    with pytest.raises(StoreError, match="cannot store TEXT"):
        write_twice()
    assert catalog.query("SELECT count(*) FROM audit") == [(0,)]


def test_one_space_holds_vectors_of_one_encoder(catalog: Catalog, tmp_path: Path) -> None:
    again = Catalog(tmp_path / "catalog.sqlite3", MediaStore(tmp_path / "media"))
    assert register(again, CARD) == 1
    other = EncoderCard("other", "2", "space", 2, ("text",), "MIT", "e" * 64)
    with pytest.raises(EncoderMismatch, match=r"'space'.*test 1 .*dddd.*not of other 2 .*eeee"):
        register(again, other)
    assert register(catalog, CARD) == 1
    again.close()
