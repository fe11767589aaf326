"""The named signals: what each sees in a candidate, and that every hit shows what it got."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Hit, Memory, Observation
from agentctx.retrieve import candidates, lexical
from agentctx.retrieve.signals import WEIGHTS, combined

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)


def talk(memory: Memory, *turns: str, session: str = "s", speaker: str = "") -> None:
    """Add turns, a second apart; with a speaker, they are speech."""
    memory.add(
        [
            Observation(
                modality="speech" if speaker else "text",
                text=turn,
                captured_at=NINE + timedelta(seconds=n),
                session=session,
                attributes={"speaker": speaker} if speaker else {},
            )
            for n, turn in enumerate(turns)
        ]
    )


def values(hit: Hit) -> dict[str, float]:
    return {signal.name: signal.score for signal in hit.why}


def test_the_score_is_the_weighted_sum_that_the_hit_shows(memory: Memory) -> None:
    talk(memory, "Ann: Where is the spare key?", "Bob: In the red drawer.", "Ann: Thanks!")
    sums = list[float]()
    hits = memory.search("Where did Bob put the spare key?")
    for hit in hits:
        weighed = [signal for signal in hit.why if signal.weight is not None]
        total = sum(signal.score * signal.weight for signal in weighed)  # type: ignore[operator]
        sums.append(max(total, 0.0))
        assert {"rerank", "words"} <= {signal.name for signal in weighed}
        assert "x 1)" in ", ".join(map(str, weighed))
    # The best is as sure as it is that there is an answer at all; the others in proportion.
    confidence = values(hits[0])["confidence"]
    assert [hit.score for hit in hits] == pytest.approx([confidence * s / sums[0] for s in sums])


def test_the_reply_to_a_question_is_lifted(memory: Memory) -> None:
    talk(
        memory,
        "Ann: Where is the spare key?",
        "Bob: In the red drawer.",
        "Ann: I looked for a spare key everywhere.",
        "Bob: Good that we talked.",
    )
    found = {hit.text: values(hit) for hit in memory.search("Where is the spare key?")}
    assert found["Bob: In the red drawer."]["reply"] == 1.0
    assert "reply" not in found["Bob: Good that we talked."]
    assert "reply" not in found["Ann: Where is the spare key?"]


def test_what_another_than_the_named_one_said_counts_less(memory: Memory) -> None:
    talk(memory, "Ann: I like the sea.", "Bob: I like the sea.", "Ann: The sea is cold.")
    found = memory.search("What does Bob like about the sea?")
    assert found[0].text == "Bob: I like the sea."
    others = [hit for hit in found if hit.text.startswith("Ann")]
    assert others
    assert all(values(hit)["other speaker"] == 1.0 for hit in others)
    unnamed = memory.search("Who likes the sea?")
    assert unnamed
    assert all("other speaker" not in values(hit) for hit in unnamed)


def test_a_speaker_may_be_an_attribute(memory: Memory) -> None:
    talk(memory, "I like the sea.", speaker="Bob Miller")
    talk(memory, "I like the sea very much.", speaker="Ann")
    first, second = memory.search("What does Bob like about the sea?")
    assert first.attributes["speaker"] == "Bob Miller"
    assert "other speaker" not in values(first)
    assert values(second)["other speaker"] == 1.0


def test_words_of_a_neighbour_count_but_none_twice(memory: Memory) -> None:
    talk(memory, "Ann: The gasket of the pump?", "Bob: It is the gasket.", "Ann: Lunch is at noon.")
    talk(memory, "Cleo: A pump is loud.", session="t")
    found = {hit.text: values(hit)["words"] for hit in memory.search("the gasket of the pump")}
    assert found["Ann: The gasket of the pump?"] == 1.0
    assert 0.5 < found["Bob: It is the gasket."] < 1.0


def test_contributions_are_bm25_by_word() -> None:
    texts = ["the pump leaks", "a pump and a pump", "nothing here at all"]
    found = lexical.contributions("leaking pumps?", texts, lambda terms: [1.0] * len(terms))
    assert found.shape == (3, 2)
    leaks, pump = found[0]
    assert leaks == pump > 0  # stems, not words
    assert found[1].max() > pump
    assert found[1].min() == 0
    assert not found[2].any()


def test_contributions_of_no_words_and_of_no_texts() -> None:
    assert lexical.contributions("", ["a"], lambda terms: [1.0] * len(terms)).shape == (1, 0)
    assert lexical.contributions("pump", [], lambda terms: [1.0] * len(terms)).shape == (0, 1)


@given(
    st.text(max_size=40),
    st.lists(st.text(max_size=60), min_size=1, max_size=6),
)
def test_contributions_take_any_text(question: str, texts: list[str]) -> None:
    found = lexical.contributions(question, texts, lambda terms: [1.0] * len(terms))
    assert len(found) == len(texts)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


KEYS = st.integers(1, 5)


@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.dictionaries(KEYS, st.floats(0, 1))))
def test_a_score_is_between_0_and_1(judged: dict[str, dict[int, float]]) -> None:
    scores = combined(judged, range(1, 6))
    assert list(scores) == [1, 2, 3, 4, 5]
    assert all(0.0 <= score <= 1.0 for score in scores.values())


def test_a_score_is_the_share_of_what_a_candidate_could_have() -> None:
    judged = {"rerank": {1: 0.5, 2: 1.0}, "exact": {1: 1.0}, "other speaker": {2: 1.0}}
    most = WEIGHTS["rerank"] + WEIGHTS["exact"]
    expected = {1: 0.7 / most, 2: 0.94 / most, 3: 0.0}
    assert combined(judged, [1, 2, 3]) == pytest.approx(expected)
    assert combined({}, [1]) == {1: 0.0}


def test_only_what_is_central_is_joined_by_its_neighbours(memory: Memory) -> None:
    talk(memory, "Ann: The pump leaks.", "Bob: Since when?", "Ann: Since noon.")
    talk(memory, "Cleo: The pump is new.", "Dora: It shines.", session="t")
    store = memory._store
    leaks, new = (pk for pk, _ in store.words("the pump", 9))
    found = candidates.fuse(store, {"bm25": store.words("the pump", 9)}, 9)
    candidates.add_neighbours(store, found, [leaks], None)
    said = {f.passage.text: f.neighbours for f in found.values()}
    assert set(said) == {
        "Ann: The pump leaks.", "Cleo: The pump is new.", "Bob: Since when?", "Ann: Since noon."
    }  # fmt: skip
    assert said["Cleo: The pump is new."] == {}
    assert said["Bob: Since when?"] == {leaks: -1}
    assert list(said["Ann: The pump leaks."].values()) == [1, 2]
    assert new in found
