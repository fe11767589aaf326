"""Postings and terms: they are FTS5's own, and keep in step with what is added and forgotten."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.memory import postings
from agentctx.memory import terms as terms_module
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry
from agentctx.memory.fulltext import FullText
from agentctx.memory.media import MediaStore
from agentctx.memory.postings import Postings
from agentctx.memory.terms import terms
from agentctx.records import Observation
from agentctx.words import telling

from .writing import add, remove

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
_WORD = st.sampled_from(("pump", "pumps", "oil", "don't", "3.14", "größe", "valve_7", "the", "t"))
_TEXT = st.lists(_WORD, max_size=9).map(" ".join)


def fill(catalog: Catalog, *texts: str, first: int = 0) -> None:
    new = []
    for n, text in enumerate(texts):
        one = Observation(text=text, captured_at=NINE + timedelta(minutes=first + n))
        new.append(Entry(one, [(0, len(text))], []))
    add(catalog, new, {})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3", MediaStore(tmp_path / "media"))
    yield catalog
    catalog.close()


def of(catalog_postings: Postings, *parts: str) -> dict[int, int]:
    catalog_postings.lengths()
    found = catalog_postings.of(parts)
    return dict(zip(found.passages.tolist(), found.counts.tolist(), strict=True))


def test_a_posting_says_where_a_term_is_and_how_often(catalog: Catalog) -> None:
    fill(catalog, "pump oil pump", "oil", "pumping the pumps")
    made = Postings(catalog)
    assert of(made, "pump") == {1: 2, 3: 2}
    assert of(made, "oil") == {1: 1, 2: 1}
    assert of(made, "valve") == {}
    assert of(made) == {}
    lengths, passages, mean = made.lengths()
    assert lengths.tolist() == [0, 3, 1, 3]
    assert passages == 3
    assert mean == pytest.approx(7 / 3)


def test_terms_in_a_row_are_met_in_that_order_only(catalog: Catalog) -> None:
    fill(catalog, "don't do it, don't", "t don", "don said t", "do it don t")
    assert of(Postings(catalog), "don", "t") == {1: 2, 4: 1}


def test_what_is_added_and_forgotten_is_seen_at_the_next_look(catalog: Catalog) -> None:
    fill(catalog, "pump oil", "pump")
    made = Postings(catalog)
    assert of(made, "pump") == {1: 1, 2: 1}
    fill(catalog, "oil", "a pump, a pump", first=2)
    assert of(made, "pump") == {1: 1, 2: 1, 4: 2}
    remove(catalog, [1], "")
    assert of(made, "pump") == {2: 1, 4: 2}
    assert made.lengths()[0].tolist() == [0, 0, 1, 1, 4]
    remove(catalog, [4], "")
    fill(catalog, "late pump", first=9)
    assert of(made, "pump") == {2: 1, 5: 1}
    assert made.lengths()[1] == 3


def test_terms_that_are_let_go_are_read_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "_REMEMBERED", 2)
    fill(catalog, "pump oil", "pump", "oil valve")
    made = Postings(catalog)
    for _ in range(3):
        assert of(made, "pump") == {1: 1, 2: 1}
        assert of(made, "oil") == {1: 1, 3: 1}
        assert of(made, "valv") == {3: 1}


def test_a_long_text_has_its_length(catalog: Catalog) -> None:
    fill(catalog, "pump " * 300, "oil " * 20_000, "")
    assert Postings(catalog).lengths()[0].tolist() == [0, 300, 20_000, 0]


@settings(max_examples=40, deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=12), _TEXT, st.sets(st.integers(1, 12)))
def test_every_score_is_that_of_fts5(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], query: str, forgotten: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("ranked")
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    fill(catalog, *texts)
    remove(catalog, [pk for pk in forgotten if pk <= len(texts)], "")
    # Two spellings of one stem count once here, but FTS5 would count both.
    by_term = {parts: word for word, parts in terms(telling(query)).items()}
    match = " OR ".join(f'"{word}"' for word in by_term.values())
    wanted = dict(
        catalog.query(
            "SELECT rowid, -rank FROM passage_words WHERE passage_words MATCH ?", (match,)
        )
        if match
        else []
    )
    assert dict(FullText(catalog).search(query, 99)) == pytest.approx(wanted)
    catalog.close()


def whole(text: str) -> list[str]:
    """The terms of a text by one look of SQLite at all of it."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE one USING fts5 (text, tokenize = 'porter unicode61')")
        db.execute("CREATE VIRTUAL TABLE found USING fts5vocab (one, 'instance')")
        db.execute("INSERT INTO one VALUES (?)", (text,))
        return [term for (term,) in db.execute('SELECT term FROM found ORDER BY "offset"')]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_terms_of_the_words_are_those_of_the_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    words = re.split(r"[^0-9A-Za-z\x80-\U0010ffff]+", text)
    parts = terms(words)
    assert [term for word in words for term in parts[word]] == whole(text)


def test_words_that_are_let_go_are_taken_apart_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms_module, "_known", {})
    monkeypatch.setattr(terms_module, "_REMEMBERED", 2)
    long = "straße" * 40
    for _ in range(2):
        assert terms(["pumps", "leaking", "don't"]) == {
            "pumps": ("pump",), "leaking": ("leak",), "don't": ("don", "t"),
        }  # fmt: skip
        assert terms(["pumps", long, ""]) == {"pumps": ("pump",), long: (long,), "": ()}
    assert terms([]) == {}
