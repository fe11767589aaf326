"""The words of forgotten passages in the full-text index, read from its own pages."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import StoreError
from agentctx.memory.erasure import Fingerprints, collect, own_words, page_words, scan, words_left

# The part of the catalog that the index of words stands on.
TABLES = """
CREATE TABLE passage (pk INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL) STRICT;
CREATE VIEW passage_text (pk, text) AS SELECT pk, text FROM passage;
CREATE VIRTUAL TABLE passage_words USING fts5 (
    text, content = 'passage_text', content_rowid = 'pk', tokenize = 'porter unicode61'
);
"""


def opened(path: Path | str = ":memory:") -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA secure_delete = ON")
    db.executescript(TABLES)
    return db


def add(db: sqlite3.Connection, *texts: str) -> None:
    for text in texts:
        pk = db.execute("INSERT INTO passage (text) VALUES (?)", (text,)).lastrowid
        db.execute("INSERT INTO passage_words (rowid, text) VALUES (?, ?)", (pk, text))


def remove(db: sqlite3.Connection, *texts: str) -> None:
    for text in texts:
        db.execute(
            "INSERT INTO passage_words (passage_words, rowid, text) "
            "SELECT 'delete', pk, text FROM passage WHERE text = ?",
            (text,),
        )
        db.execute("DELETE FROM passage WHERE text = ?", (text,))


def optimize(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO passage_words (passage_words) VALUES ('optimize')")


def vocabulary(db: sqlite3.Connection) -> set[str]:
    db.execute("CREATE VIRTUAL TABLE temp.told USING fts5vocab ('main', 'passage_words', 'row')")
    words = {word for (word,) in db.execute("SELECT term FROM temp.told")}
    db.execute("DROP TABLE temp.told")
    return words


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = opened()
    yield db
    db.close()


# -- reading the pages ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("aäbc 1-é漢", max_size=30), max_size=20))
def test_pages_have_the_words_that_sqlite_tells(texts: Sequence[str]) -> None:
    db = opened()
    add(db, *texts)
    assert set(page_words(db)) == vocabulary(db)
    optimize(db)
    assert sorted(page_words(db)) == sorted(vocabulary(db))
    db.close()


def generated(count: int) -> list[str]:
    dice = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnop"))
    return ["".join(dice.choice(letters, dice.integers(1, 40))) for _ in range(count)]


def test_an_index_of_many_pages_and_segments(db: sqlite3.Connection) -> None:
    words = generated(8000)
    db.execute("BEGIN")
    for start in range(0, len(words), 50):
        add(db, " ".join(["frequent", *words[start : start + 50]]))
    db.execute("COMMIT")
    add(db, "x" * 20_000, *["frequent"] * 500, *(f"late {word}" for word in words[:500]))
    assert set(page_words(db)) == vocabulary(db)
    optimize(db)
    (pages,) = db.execute("SELECT count(*) FROM passage_words_data").fetchone()
    assert pages > 30
    assert sorted(page_words(db)) == sorted(vocabulary(db))


def test_deleted_words_that_sqlite_does_not_tell_of_are_seen(db: sqlite3.Connection) -> None:
    add(db, "the zeppelin landed", "the train left")
    remove(db, "the zeppelin landed")
    assert "zeppelin" not in vocabulary(db)
    assert "zeppelin" in set(page_words(db))
    optimize(db)
    assert "zeppelin" not in set(page_words(db))


@pytest.mark.parametrize("damage", [lambda block: block[:-1] + b"\x7f", lambda block: block[:9]])
def test_a_damaged_page_is_named(db: sqlite3.Connection, damage: Callable[[bytes], bytes]) -> None:
    add(db, "one two three four five six seven")
    page, block = db.execute(
        "SELECT id, block FROM passage_words_data ORDER BY id DESC LIMIT 1"
    ).fetchone()
    db.execute("UPDATE passage_words_data SET block = ? WHERE id = ?", (damage(block), page))
    with pytest.raises(StoreError, match="agentctx repair"):
        list(page_words(db))


# -- whose words they are ------------------------------------------------------------------------


def test_own_words_are_those_that_no_other_passage_has(db: sqlite3.Connection) -> None:
    add(
        db, "The Zeppelins were landing", "the train left", "zeppelin twice, zeppelin", "Left alone"
    )
    assert own_words(db, ["The Zeppelins were landing"]) == ["land", "were"]
    both = own_words(db, ["The Zeppelins were landing", "zeppelin twice, zeppelin"])
    assert both == ["land", "twice", "were", "zeppelin"]
    assert own_words(db, []) == []
    assert own_words(db, ["never indexed"]) == []


def test_own_words_follow_the_tokenizer_of_the_index(db: sqlite3.Connection) -> None:
    for name, options, expected in (
        ("plain", "", ["landing"]),
        ("marks", ', tokenize = "unicode61 remove_diacritics 0"', ["landing"]),
        ("three", ", tokenize='trigram'", ["and", "din", "ing", "lan", "ndi"]),
    ):
        db.execute(f"CREATE VIRTUAL TABLE {name} USING fts5 (text{options})")
        db.execute(f"INSERT INTO {name} (text) VALUES ('landing')")
        assert own_words(db, ["landing"], name) == expected
        assert sorted(page_words(db, name)) == expected


_PASSAGES = st.lists(st.text("ab ", min_size=1, max_size=6), min_size=1, max_size=5, unique=True)


@settings(deadline=None, max_examples=60)
@given(gone=_PASSAGES, stay=_PASSAGES)
def test_own_words_are_what_is_missing_afterwards(gone: list[str], stay: list[str]) -> None:
    stay = [text for text in stay if text not in gone]
    db = opened()
    add(db, *gone, *stay)
    before, own = vocabulary(db), own_words(db, gone)
    remove(db, *gone)
    optimize(db)
    assert set(own) == before - vocabulary(db)
    db.close()


# -- the proof -----------------------------------------------------------------------------------


def of(db: sqlite3.Connection, *texts: str) -> Fingerprints:
    return collect(words=own_words(db, texts))


def test_words_are_left_until_the_index_is_optimized(db: sqlite3.Connection) -> None:
    add(db, "the zeppelin landed", "the train left")
    fingerprints = Fingerprints.from_text(of(db, "the zeppelin landed").to_text())
    assert fingerprints.counts() == {"word": 2}
    remove(db, "the zeppelin landed")
    assert words_left(db, fingerprints) == ["land", "zeppelin"]
    optimize(db)
    assert words_left(db, fingerprints) == []


def test_words_of_a_passage_that_went_without_its_words_are_left(db: sqlite3.Connection) -> None:
    add(db, "the zeppelin landed", "the train left")
    fingerprints = of(db, "the zeppelin landed")
    db.execute("DELETE FROM passage WHERE text LIKE '%zeppelin%'")
    assert words_left(db, fingerprints) == ["land", "zeppelin"]


def test_words_that_came_back_are_not_left(db: sqlite3.Connection) -> None:
    add(db, "the zeppelin landed", "the train left")
    fingerprints = of(db, "the zeppelin landed")
    remove(db, "the zeppelin landed")
    optimize(db)
    add(db, "another zeppelin")
    assert words_left(db, fingerprints) == []


def test_a_scan_tells_of_words(tmp_path: Path) -> None:
    db = opened(tmp_path / "catalog.sqlite3")
    add(db, "the zeppelin landed", "the train left")
    fingerprints = of(db, "the zeppelin landed")
    remove(db, "the zeppelin landed")
    report = scan(tmp_path, fingerprints, words=words_left(db, fingerprints))
    assert [(finding.kind, finding.places) for finding in report.findings] == [("word", 2)]
    optimize(db)
    assert scan(tmp_path, fingerprints, words=words_left(db, fingerprints)).ok
    db.close()
