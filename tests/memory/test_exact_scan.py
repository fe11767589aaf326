"""Exact search: what brute force over every vector finds, whoever added or forgot them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agentctx.memory import vectors as vectors_module
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.media import MediaStore
from agentctx.memory.store import Store
from agentctx.memory.vectors import ExactScan
from agentctx.records import EncoderCard, Filters, Observation

from .writing import add, register, remove

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
DIMENSION = 4
# Quarters, so that products are exact and equal vectors score exactly equal, whatever BLAS does.
VECTOR = st.lists(st.integers(-4, 4).map(lambda n: n / 4), min_size=DIMENSION, max_size=DIMENSION)
SESSIONS = ("a", "b", "c")


def card(space: str = "space") -> EncoderCard:
    return EncoderCard("test", "1", space, DIMENSION, ("text",), "Apache-2.0", "d" * 64)


def entry(number: int, *vectors: list[float], session: str = "a", space: str = "space") -> Entry:
    """An observation with one passage (a word of its text) per vector."""
    words = [f"word{number}x{part}" for part in range(len(vectors))]
    starts = np.cumsum([0, *(len(word) + 1 for word in words)]).tolist()
    when = NINE + timedelta(minutes=number)
    observation = Observation(text=" ".join(words), captured_at=when, session=session)
    return Entry(
        observation,
        [(start, start + len(word)) for start, word in zip(starts, words, strict=False)],
        [NewVector(space, n, np.array(v, np.float32)) for n, v in enumerate(vectors)],
    )


def keys(store: Store) -> dict[str, int]:
    """The key of each passage by its text."""
    found = store.catalog.query("SELECT text, pk FROM passage_text")
    return dict(found)


class TwoHandles(RuleBasedStateMachine):
    """Adds and forgets through two handles on one memory; both find what plain numpy finds."""

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.number = 0
        self.model: dict[str, tuple[Entry, list[float]]] = {}
        self.stores = [Store(Path(self.folder.name) / "m", exact_limit=10**9) for _ in range(2)]
        for store in self.stores:
            store.register(card())

    @rule(
        which=st.integers(0, 1),
        batch=st.lists(
            st.tuples(st.lists(VECTOR, min_size=1, max_size=3), st.sampled_from(SESSIONS)),
            min_size=1, max_size=4,
        ),
    )  # fmt: skip
    def add(self, which: int, batch: list[tuple[list[list[float]], str]]) -> None:
        entries = []
        for vectors, session in batch:
            self.number += 1
            new = entry(self.number, *vectors, session=session)
            for (start, stop), vector in zip(new.spans, vectors, strict=True):
                self.model[new.observation.text[start:stop]] = (new, vector)
            entries.append(new)
        assert len(self.stores[which].add(entries, {})) == len(entries)

    @rule(which=st.integers(0, 1), session=st.sampled_from(SESSIONS), until=st.integers(0, 40))
    def forget(self, which: int, session: str, until: int) -> None:
        filters = Filters(session=(session,), until=NINE + timedelta(minutes=until))
        catalog = self.stores[which].catalog
        rows = catalog.select(filters)
        remove(catalog, [row.pk for row in rows], "test")
        gone = {row.observation.id for row in rows}
        before = len({kept.observation.id for kept, _ in self.model.values()})
        self.model = {w: row for w, row in self.model.items() if row[0].observation.id not in gone}
        after = len({kept.observation.id for kept, _ in self.model.values()})
        assert before - after == len(gone), "what was forgotten was there"

    @rule(which=st.integers(0, 1), query=VECTOR, limit=st.integers(0, 12))
    def search(self, which: int, query: list[float], limit: int) -> None:
        self.agrees(which, query, limit, None)

    @rule(
        which=st.integers(0, 1), query=VECTOR, limit=st.integers(0, 12),
        sessions=st.sets(st.sampled_from(SESSIONS)), since=st.integers(0, 40) | st.none(),
    )  # fmt: skip
    def search_some(
        self, which: int, query: list[float], limit: int, sessions: set[str], since: int | None
    ) -> None:
        when = None if since is None else NINE + timedelta(minutes=since)
        self.agrees(which, query, limit, Filters(session=tuple(sorted(sessions)), since=when))

    def agrees(self, which: int, query: list[float], limit: int, filters: Filters | None) -> None:
        store = self.stores[which]
        known = keys(store)
        wanted = sorted(
            (-float(np.dot(vector, query)), known[word])
            for word, (kept, vector) in self.model.items()
            if not filters
            or (
                (not filters.session or kept.observation.session in filters.session)
                and (filters.since is None or kept.observation.captured_at >= filters.since)
            )
        )[:limit]
        allowed = store.passing(filters or Filters())
        found = store.nearest("space", np.array(query, np.float32), limit, allowed)
        assert found == [(pk, -score) for score, pk in wanted]

    @invariant()
    def counts(self) -> None:
        for store in self.stores:
            assert store.catalog.counts()["passages"] == len(self.model)

    def teardown(self) -> None:
        for store in self.stores:
            store.catalog.close()
        self.folder.cleanup()


TwoHandles.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestTwoHandles = TwoHandles.TestCase


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "m", exact_limit=10**9)
    store.register(card())
    yield store
    store.catalog.close()


def test_of_equal_scores_the_oldest_come_first_however_many_there_are(store: Store) -> None:
    rng = np.random.default_rng(5)
    choices = np.array([[1, 0, 0, 0], [0.5, 0, 0, 0], [0, 1, 0, 0]])
    picked = rng.integers(0, 3, 3000)
    store.add([entry(n, choices[kind].tolist()) for n, kind in enumerate(picked)], {})
    scores = choices[picked, 0]
    order = np.lexsort((np.arange(3000), -scores))
    query = np.array([1, 0, 0, 0], np.float32)
    for limit in (1, 7, 500, 1500, 3000, 9999):
        found = store.nearest("space", query, limit)
        assert found == [(int(n) + 1, scores[n]) for n in order[:limit]]


def test_an_empty_space_and_a_filter_that_leaves_nothing(store: Store) -> None:
    query = np.array([1, 0, 0, 0], np.float32)
    assert store.nearest("space", query, 5) == []
    store.add([entry(1, [1, 0, 0, 0])], {})
    assert store.nearest("space", query, 5, store.passing(Filters(session=("nobody",)))) == []
    assert store.nearest("space", query, 0) == []


def test_spaces_are_searched_apart(store: Store) -> None:
    store.register(card("other"))
    store.add([entry(1, [1, 0, 0, 0]), entry(2, [0.5, 0, 0, 0], space="other")], {})
    query = np.array([1, 0, 0, 0], np.float32)
    assert store.nearest("space", query, 5) == [(1, 1.0)]
    assert store.nearest("other", query, 5) == [(2, 0.5)]


def test_only_what_is_new_is_read_again(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "media")
    one, two = (Catalog(tmp_path / "catalog.sqlite3", media) for _ in range(2))
    scan = ExactScan(one, register(one, card()), DIMENSION)
    assert register(two, card()) == 1
    for number in range(1, 1200):  # past the first capacity
        if number % 100 == 0 or number < 5:
            add(two, [entry(number, [number / 4, 0, 0, 0])], {})
            assert scan.search(np.array([1, 0, 0, 0], np.float32), 1)[0][1] == number / 4
    batch = [entry(number, [0, 1, 0, 0]) for number in range(2000, 3500)]
    add(two, batch, {})
    assert len(scan) == 15 + 1500
    remove(two, [row.pk for row in two.select(Filters(since=NINE + timedelta(minutes=1000)))], "")
    assert len(scan) == 13
    assert scan.search(np.array([1, 0, 0, 0], np.float32), 1)[0][1] == 900 / 4
    one.close()
    two.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7, 40])
def test_what_does_not_fit_one_batch_is_read_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(vectors_module, "_BATCH", 3)
    monkeypatch.setattr(vectors_module, "_FIRST_CAPACITY", 2)
    store.register(card("other"))
    for first in (0, 100):
        spaces = [("space", "other")[n % 2] for n in range(2 * count)]
        store.add([entry(first + n, [n / 8, 0, 0, 0], space=s) for n, s in enumerate(spaces)], {})
        found = store.nearest("space", np.array([1, 0, 0, 0], np.float32), 500)
        assert sorted(score for _, score in found) == sorted(
            n / 8 for n in range(0, 2 * count, 2) for _ in range(1 + first // 100)
        )


def test_a_search_goes_on_while_others_add(store: Store) -> None:
    """The arrays that a search has taken are not overwritten when the space grows."""
    query = np.array([1, 0, 0, 0], np.float32)
    store.add([entry(0, [1, 0, 0, 0])], {})

    def add(part: int) -> None:
        first = 1 + part * 300
        store.add([entry(n, [0.5, 0, 0, 0]) for n in range(first, first + 300)], {})

    with ThreadPoolExecutor(3) as pool:
        adding = [pool.submit(add, part) for part in range(8)]
        searching = [pool.submit(store.nearest, "space", query, 3) for _ in range(60)]
    assert [job.exception() for job in adding] == [None] * 8
    assert all(job.result()[0] == (1, 1.0) for job in searching)
    assert len(store.nearest("space", query, 5000)) == 2401
