"""Searching: what is found, under which filters, in which order, and why."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Memory, Observation
from agentctx.errors import QueryError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)

NOTES = [
    ("text", "desk", "The quarterly report is due on Friday."),
    ("text", "desk", "Lunch is at noon in the canteen."),
    ("speech", "plant", "The seal of pump Alpha is leaking badly."),
    ("speech", "plant", "Stand by, I am taking a closer look."),
    ("speech", "plant", "We keep it locked out until Monday."),
    ("screenshot", "plant", "ALARM V-417 Pump A vibration high high"),
    ("sensor", "plant", "Vibration from 09:12 to 09:13 UTC: mean 9.1 mm/s, highest 13.4 mm/s."),
    ("text", "home", "Bananas, oat milk, two lemons."),
]


def observations() -> list[Observation]:
    return [
        Observation(
            modality=modality,
            text=text,
            session=session,
            source=f"{session}.log",
            captured_at=NINE + timedelta(minutes=n),
            duration=10.0,
        )
        for n, (modality, session, text) in enumerate(NOTES)
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with Memory.open(tmp_path_factory.mktemp("search") / "memory") as memory:
        memory.add(observations())
        yield memory


def test_the_best_hit_is_first(filled: Memory) -> None:
    hits = filled.search("which pump has a leak?")
    assert hits[0].text == "The seal of pump Alpha is leaking badly."
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


def test_an_exact_code_is_found(filled: Memory) -> None:
    assert "V-417" in filled.search("V-417")[0].text


def test_a_question_about_a_reading_finds_the_sensor(filled: Memory) -> None:
    assert filled.search("how strong was the vibration in mm/s?")[0].modality == "sensor"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"modality": "speech"}, {2, 3, 4}),
        ({"modality": ["speech", "sensor"]}, {2, 3, 4, 6}),
        ({"session": "home"}, {7}),
        ({"source": "desk.log"}, {0, 1}),
        ({"since": NINE + timedelta(minutes=6)}, {6, 7}),
        ({"until": NINE + timedelta(minutes=1)}, {0}),
        # What overlaps the span counts: minute 2 lasts until 09:02:10.
        (
            {"since": NINE + timedelta(minutes=2, seconds=5), "until": NINE + timedelta(minutes=4)},
            {2, 3},
        ),
        ({"session": "plant", "modality": "sensor", "since": NINE}, {6}),
    ],
)
@pytest.mark.parametrize("rerank", [True, False])
def test_filters_hold_for_every_hit(
    filled: Memory, filters: dict[str, object], expected: set[int], rerank: bool
) -> None:
    hits = filled.search(
        "pump vibration seal report lunch bananas Monday look", rerank=rerank, **filters
    )  # type: ignore[arg-type]
    allowed = {NOTES[n][2] for n in expected}
    assert hits
    assert {hit.text for hit in hits} <= allowed


def test_filters_that_nothing_passes_give_nothing(filled: Memory) -> None:
    assert filled.search("pump", session="nowhere") == []
    assert filled.search("pump", since=NINE + timedelta(days=1)) == []


def test_every_hit_says_why(filled: Memory) -> None:
    (hit, *_) = filled.search("pump Alpha seal")
    names = {signal.name for signal in hit.why}
    assert {"text-minilm", "bm25", "rerank"} <= names
    assert all(signal.rank is None or signal.rank >= 1 for signal in hit.why)
    assert "bm25 #1" in ", ".join(map(str, hit.why))


def test_what_is_said_next_to_the_match_is_lifted(filled: Memory) -> None:
    texts = [hit.text for hit in filled.search("what about the leaking seal of the pump?", limit=4)]
    assert "Stand by, I am taking a closer look." in texts


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_the_limit_holds(filled: Memory, limit: int) -> None:
    assert len(filled.search("pump", limit=limit)) <= limit


def test_without_a_reranker_search_still_works(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory", Config(reranker=None)) as memory:
        memory.add(observations())
        hits = memory.search("leaking seal")
    assert hits[0].text == "The seal of pump Alpha is leaking badly."
    assert "rerank" not in {signal.name for signal in hits[0].why}


def test_a_query_by_example_finds_its_like(filled: Memory) -> None:
    example = Observation(
        modality="speech", text="There is water under pump Alpha, the seal leaks."
    )
    assert filled.search(example)[0].text == "The seal of pump Alpha is leaking badly."


def test_several_queries_are_one_composed_query(filled: Memory) -> None:
    hits = filled.search(["something about a pump", "locked until Monday"])
    assert hits[0].text == "We keep it locked out until Monday."
    names = {signal.name for signal in hits[0].why}
    assert {"bm25 of query 2", "text-minilm of query 1", "text-minilm of query 2"} <= names


@pytest.mark.parametrize("query", ["", "   ", [], [""]])
def test_an_empty_query_is_refused(filled: Memory, query: str | list[str]) -> None:
    with pytest.raises(QueryError, match="empty"):
        filled.search(query)


def test_senseless_arguments_are_refused(filled: Memory) -> None:
    with pytest.raises(QueryError, match="limit is 0"):
        filled.search("pump", limit=0)
    with pytest.raises(QueryError, match="not after since"):
        filled.search("pump", since=NINE, until=NINE)


def test_an_empty_memory_has_no_answer(memory: Memory) -> None:
    assert memory.search("anything") == []
    assert memory.moments("anything") == []
    assert "Nothing" in memory.context("anything").text


def test_off_topic_finds_nothing(filled: Memory) -> None:
    assert filled.search("medieval castles of Portugal") == []


GIBBERISH = ["asdkj qwpoe zxcmn", "blorp fnord wibble", "xq7 zzkt vvvp"]


@pytest.mark.parametrize("query", GIBBERISH)
def test_gibberish_finds_nothing(filled: Memory, query: str) -> None:
    assert filled.search(query) == []


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=80).filter(lambda text: text.strip()))
def test_no_query_breaks_the_search(filled: Memory, query: str) -> None:
    filled.search(query, limit=3)


@pytest.mark.parametrize(
    "query",
    ['"', "a AND", "NEAR(a b)", "text: pump", "pump*", "'; DROP TABLE observation; --", "( OR"],
)
def test_query_operators_are_only_words(filled: Memory, query: str) -> None:
    filled.search(query)
    assert filled.search("leaking seal")


def test_the_same_search_gives_the_same_answer(filled: Memory) -> None:
    once, again = filled.search("pump trouble"), filled.search("pump trouble")
    assert [(hit.id, hit.score) for hit in once] == [(hit.id, hit.score) for hit in again]


def test_the_same_thing_in_other_words_is_found(memory: Memory) -> None:
    memory.add(Observation(text="Holiday plan: Lisbon in May.", captured_at=NINE))
    assert memory.search("where will we spend our vacation?")


def test_without_rerank_gibberish_still_finds_nothing(filled: Memory) -> None:
    assert filled.search(GIBBERISH[0], rerank=False) == []
