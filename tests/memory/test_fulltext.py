"""Full text: BM25 as it is written in the books, and words that are only ever words."""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.memory.catalog import Catalog
from agentctx.memory.columns import Columns
from agentctx.memory.entries import Entry
from agentctx.memory.fulltext import FullText
from agentctx.memory.media import MediaStore
from agentctx.records import Filters, Observation

from .writing import add, remove

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
# Words that the Porter stemmer leaves as they are.
WORDS = ("pump", "valv", "torqu", "42", "größ", "oil")


def make(folder: Path, texts: list[str], first: int = 0) -> Catalog:
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    fill(catalog, texts, first)
    return catalog


def fill(catalog: Catalog, texts: list[str], first: int = 0) -> None:
    add(
        catalog,
        [
            Entry(
                Observation(
                    text=text,
                    captured_at=NINE + timedelta(minutes=first + n),
                    session="even" if n % 2 == 0 else "odd",
                ),
                [(0, len(text))],
                [],
            )
            for n, text in enumerate(texts)
        ],
        {},
    )


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = make(tmp_path, [])
    yield catalog
    catalog.close()


def search(
    catalog: Catalog, text: str, limit: int, filters: Filters | None = None
) -> list[tuple[int, float]]:
    allowed = Columns(catalog).passing(filters) if filters else None
    return FullText(catalog).search(text, limit, allowed)


def known_share(catalog: Catalog, text: str) -> float:
    return FullText(catalog).known_share(text)


def known(catalog: Catalog, asked: set[str], shared: set[str]) -> float:
    """The share of the words that are there, each by its inverse document frequency."""
    words = sorted(asked)
    terms = [word.replace("ö", "o") for word in words]
    telling = dict(zip(words, FullText(catalog).telling(terms), strict=True))
    return sum(telling[word] for word in asked & shared) / sum(telling.values())


def found(catalog: Catalog, text: str, **filters: tuple[str, ...]) -> list[int]:
    return [pk for pk, _ in search(catalog, text, 99, Filters(**filters) if filters else None)]  # type: ignore[arg-type]


def bm25(documents: dict[int, list[str]], query: list[str]) -> dict[int, float]:
    """Okapi BM25 with k1 = 1.2 and b = 0.75, and inverse frequencies of at least 1e-6."""
    mean = sum(map(len, documents.values())) / len(documents)
    scores: Counter[int] = Counter()
    for word in dict.fromkeys(query):
        holding = sum(word in words for words in documents.values())
        rarity = math.log((len(documents) - holding + 0.5) / (holding + 0.5))
        for pk, words in documents.items():
            if count := words.count(word):
                norm = count + 1.2 * (0.25 + 0.75 * len(words) / mean)
                scores[pk] += max(rarity, 1e-6) * count * 2.2 / norm
    return dict(scores)


_TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=12), _TEXT, st.sets(st.integers(1, 12)), st.booleans())
def test_scores_are_those_of_bm25_also_after_forgetting(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[list[str]],
    query: list[str],
    forgotten: set[int],
    more: bool,
) -> None:
    catalog = make(tmp_path_factory.mktemp("bm25"), [" ".join(words) for words in texts])
    documents = dict(enumerate(texts, start=1))
    remove(catalog, [pk for pk in forgotten if pk in documents], "")
    if more:
        late = [["pump", "pump", "oil"], ["valv"]]
        fill(catalog, [" ".join(words) for words in late], first=100)
        documents |= dict(enumerate(late, start=len(texts) + 1))
    documents = {
        pk: words for pk, words in documents.items() if pk not in forgotten or pk > len(texts)
    }
    scores = search(catalog, " ".join(query), 99)
    wanted = bm25(documents, query) if documents else {}
    assert dict(scores) == pytest.approx(wanted)
    assert [score for _, score in scores] == sorted((s for _, s in scores), reverse=True)
    # Under a filter the same scores, of fewer passages; under a limit the best of them.
    for session in ("even", "odd"):
        some = search(catalog, " ".join(query), 99, Filters(session=(session,)))
        inside = {row.pk for row in catalog.select(Filters(session=(session,)))}
        assert dict(some) == pytest.approx({pk: s for pk, s in wanted.items() if pk in inside})
    assert search(catalog, " ".join(query), 2) == scores[:2]
    shared = {word for words in documents.values() for word in words}
    asked = set(query)
    assert known_share(catalog, " ".join(query)) == pytest.approx(known(catalog, asked, shared))
    catalog.close()


def test_more_of_a_word_and_rarer_words_and_shorter_texts_go_first(catalog: Catalog) -> None:
    filler = [f"pump report number {n}" for n in range(20)]
    fill(catalog, [*filler, "pump pump report number", "pump gasket report number", "gasket",
                   "gasket seen beside the old mill by the river in the rain"])  # fmt: skip
    assert found(catalog, "pump")[0] == 21
    assert found(catalog, "pump mill")[0] == 24
    assert found(catalog, "gasket") == [23, 22, 24]


def test_of_equal_scores_the_oldest_come_first(catalog: Catalog) -> None:
    fill(catalog, ["pump oil"] * 30 + ["x"] * 40)
    assert found(catalog, "pump") == list(range(1, 31))
    assert found(catalog, "oil", session=("odd",)) == list(range(2, 31, 2))
    assert [pk for pk, _ in search(catalog, "pump", 7)] == list(range(1, 8))


def test_stop_words_count_only_where_there_is_nothing_else(catalog: Catalog) -> None:
    fill(catalog, ["the who and the what", "pump of the line", "oil"])
    assert found(catalog, "what of the pump") == [2]
    assert found(catalog, "the of") == [2, 1]
    assert found(catalog, "who") == [1]
    assert known_share(catalog, "the of") == 1.0
    # The unknown word is the more telling one.
    assert 0.2 < known_share(catalog, "the pump is on fire") < 0.5
    assert known_share(catalog, "") == 0.0


@pytest.mark.parametrize(
    "query", ["", "   ", "???", "___", '"', "*", "-", "( ) :", "🔥", "\0", "'; DROP TABLE audit"]
)
def test_a_query_without_a_known_word_finds_nothing(catalog: Catalog, query: str) -> None:
    fill(catalog, ["pump oil", "valve"])
    assert search(catalog, query, 9) == []
    assert known_share(catalog, query) == 0.0


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ('"pump" AND zebra', [1]), ("pump NOT oil", [1, 2]), ("NEAR(oil, 3)", [1, 2]),
        ("text: pump*", [1]), ("pum*", []), ("^pump", [1]), ("rowid", []), ("OIL", [1, 2]),
        ("{text} : oil", [1, 2]), ("pump + oil", [1, 2]), ('pump" OR "valve', [1, 3]),
    ],
)  # fmt: skip
def test_operators_are_words(catalog: Catalog, query: str, hits: list[int]) -> None:
    fill(catalog, ["pump oil", "oil", "valve"])
    assert sorted(found(catalog, query)) == hits


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_asked(tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    catalog = make(tmp_path_factory.mktemp("any"), ["pump oil"])
    query = query.encode("utf-8", "replace").decode()
    assert set(found(catalog, query)) <= {1}
    assert 0.0 <= known_share(catalog, query) <= 1.0
    catalog.close()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Die Straße ist gesperrt", "straße"), ("Die Straße", "STRAßE"), ("größte Höhe", "hohe"),
        ("οδός Αθηνών", "οδός"), ("ΟΔΟΣ", "ΟΔΟΣ"), ("İstanbul", "istanbul"),
        ("istanbul", "İstanbul"),
        ("naïve café", "CAFE"), ("cafe", "Café"), ("日本語 テスト", "日本語"), ("don't", "don't"),
        ("foo_bar", "bar"), ("valve_7", "valve_7"), ("3.14", "3.14"), ("v2.0-rc1", "rc1"),
        ("leaking pumps", "leaked pump"), ("ﬁne", "ﬁne"), ("x²", "x²"), ("Ångström", "angstrom"),
    ],
)  # fmt: skip
def test_a_word_is_found_in_its_other_spellings(catalog: Catalog, text: str, query: str) -> None:
    fill(catalog, ["something else", text])
    assert found(catalog, query) == [2]
    assert known_share(catalog, query) == 1.0


def test_in_a_large_memory_frequent_words_count_as_well(catalog: Catalog) -> None:
    texts = [f"ann said word{n} about the pump" for n in range(6000)]
    texts[17] = "ann oiled the valve"
    texts[18] = "bob oiled the valve"
    fill(catalog, texts)
    words = FullText(catalog)
    ranked = words.search("Did Ann say anything about a pump valve?", 10)
    # Six thousand have Ann and a pump, of which nearly all have: that is worth next to nothing.
    assert [pk for pk, _ in ranked] == [18, 19, 1, 2, 3, 4, 5, 6, 7, 8]
    assert ranked[0][1] > ranked[1][1] > 1000 * ranked[2][1] > 0
    assert len(words.search("pump", 9999)) == 5998
    assert len(words.search("ann pump", 20)) == 20


def test_a_filter_makes_frequent_words_rare_enough(catalog: Catalog) -> None:
    fill(catalog, [f"ann said word{n} about the pump" for n in range(6000)])
    some = search(catalog, "ann word3 pump", 9999, Filters(since=NINE + timedelta(minutes=5990)))
    assert [pk for pk, _ in some] == list(range(5991, 6001))


def test_what_is_added_and_forgotten_changes_how_telling_a_word_is(catalog: Catalog) -> None:
    fill(catalog, ["pump oil", "pump valv"])
    words = FullText(catalog)
    before = words.telling(["oil", "pump", "torqu"])
    assert before[2] > before[0] > before[1] > 0
    fill(catalog, ["oil torqu"], first=2)
    after = words.telling(["oil", "pump", "torqu"])
    assert after[1] == after[0]
    assert after[2] > after[0]
    remove(catalog, [3], "")
    assert words.telling(["torqu"])[0] > after[2]
    assert 0.2 < words.known_share("torqu oil") < 0.5
