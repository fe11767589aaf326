"""Preferences: they change the order of what was found, by weights that can be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Hit, Memory, Observation, Prefer
from agentctx.errors import ConfigError

NOW = datetime(2026, 5, 4, 18, tzinfo=UTC)
QUESTION = "What about the pump seal?"
APPS = ("Slack", "Firefox", "Grafana")
PEOPLE = ("Ann", "Bo")
# Alike in words, so that they are about as good; each other thing differs.
PUMPS = [
    Observation(
        modality="speech" if n % 2 else "text",
        text=f"The pump seal was checked: report number {n}.",
        captured_at=NOW - timedelta(days=n),
        session=f"shift {n % 4}",
        attributes={"app": APPS[n % 3], "speaker": PEOPLE[n % 2], "location": ("lab", n)},
    )
    for n in range(12)
]
LUNCH = Observation(text="Soup for lunch.", captured_at=NOW, session="shift 0")


@pytest.fixture(scope="module")
def pumps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    with Memory.open(tmp_path_factory.mktemp("pumps") / "memory") as memory:
        memory.add([*PUMPS, LUNCH])
        yield memory


def found(memory: Memory, prefer: Prefer | None = None, limit: int = 13) -> list[Hit]:
    return memory.search(QUESTION, limit, now=NOW, prefer=prefer)


def numbers(hits: Sequence[Hit]) -> list[int]:
    return [PUMPS.index(hit.observation) for hit in hits if hit.observation in PUMPS]


def strong(**given: object) -> Prefer:
    names = {"half_life": "recency"}
    keys = [names.get(name, name) for name in given if name != "attributes"]
    keys += list(given.get("attributes", {}))  # type: ignore[call-overload]
    return Prefer(**given, weights=dict.fromkeys(keys, 3.0))  # type: ignore[arg-type]


# -- what each prefers ----------------------------------------------------------------------------


def test_what_is_recent(pumps: Memory) -> None:
    assert numbers(found(pumps, strong(half_life=timedelta(days=2)))) == list(range(12))


def test_half_as_much_after_each_half_life(pumps: Memory) -> None:
    hits = found(pumps, Prefer(half_life=timedelta(days=3)))
    held = {s.score: PUMPS.index(h.observation) for h in hits if h.observation in PUMPS
            for s in h.why if s.name == "prefer recency"}  # fmt: skip
    for score, days in held.items():
        assert score == pytest.approx(0.5 ** (days / 3))


def test_what_is_still_to_come_is_as_recent_as_now(pumps: Memory) -> None:
    early = pumps.search(QUESTION, 13, now=NOW - timedelta(days=30),
                         prefer=strong(half_life=timedelta(days=2)))  # fmt: skip
    assert [hit.id for hit in early] == [hit.id for hit in found(pumps)]


def test_sessions(pumps: Memory) -> None:
    hits = found(pumps, strong(session="shift 2"))
    assert {n % 4 for n in numbers(hits)[:3]} == {2}
    hits = found(pumps, strong(session=("shift 1", "shift 3")))
    assert {n % 4 for n in numbers(hits)[:6]} == {1, 3}


def test_what_was_looked_at_and_what_is_beside_it(pumps: Memory) -> None:
    hits = found(pumps, strong(items=(PUMPS[5].id, "forgotten")))
    assert numbers(hits)[0] == 5
    assert set(numbers(hits)[1:3]) == {1, 9}


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ({"app": "slack"}, {0, 3, 6, 9}),
        ({"speaker": "Ann"}, set(range(0, 12, 2))),
        ({"app": ("Firefox", "Grafana")}, {1, 2, 4, 5, 7, 8, 10, 11}),
        ({"location": 7}, {7}),
        ({"location": "LAB"}, set(range(12))),
        ({"nothing": "there"}, set()),
    ],
    ids=str,
)
def test_attributes(pumps: Memory, attributes: dict[str, str], kept: set[int]) -> None:
    hits = found(pumps, strong(attributes=attributes))
    assert set(numbers(hits)[: len(kept)]) == kept
    (name,) = attributes
    told = {n for hit in hits for n in numbers([hit])
            if any(signal.name == f"prefer {name}" for signal in hit.why)}  # fmt: skip
    assert told == kept


def test_who_speaks_may_stand_at_the_beginning_of_a_turn(memory: Memory) -> None:
    memory.add([Observation(text=f"{who}: the seal leaks.", session=who) for who in ("Ann", "Bo")])
    for who in ("Ann", "Bo"):
        first = memory.search("leaking seal", prefer=Prefer(attributes={"speaker": who}))[0]
        assert first.session == who


def test_several_are_added(pumps: Memory) -> None:
    prefer = strong(session="shift 1", attributes={"app": "Grafana"})
    assert numbers(found(pumps, prefer))[0] == 5


# -- what holds always ----------------------------------------------------------------------------

preferences = st.builds(
    Prefer,
    half_life=st.sampled_from([None, timedelta(hours=1), timedelta(days=5)]),
    session=st.sampled_from([(), "shift 1", ("shift 0", "shift 3")]),
    items=st.sampled_from([(), PUMPS[4].id]),
    attributes=st.sampled_from([{}, {"app": "Slack"}, {"speaker": "Bo", "app": ("Grafana",)}]),
)
weights = st.floats(0, 10)


def weighing(prefer: Prefer, all_: float) -> Prefer:
    return replace(prefer, weights=dict.fromkeys(prefer.weighed(), all_))


@settings(max_examples=25, deadline=None)
@given(preferences, weights)
def test_it_finds_the_same_and_is_as_sure(pumps: Memory, prefer: Prefer, weight: float) -> None:
    plain, hits = found(pumps), found(pumps, weighing(prefer, weight))
    assert {hit.id for hit in hits} == {hit.id for hit in plain}
    assert hits[0].score == pytest.approx(plain[0].score)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@settings(max_examples=15, deadline=None)
@given(preferences)
def test_without_weight_nothing_changes(pumps: Memory, prefer: Prefer) -> None:
    assert found(pumps, weighing(prefer, 0.0)) == found(pumps) == found(pumps, Prefer())


@settings(max_examples=25, deadline=None)
@given(preferences, weights, weights, st.data())
def test_a_higher_weight_never_lowers_what_it_prefers(
    pumps: Memory, prefer: Prefer, one: float, other: float, data: st.DataObject
) -> None:
    named = sorted(prefer.weighed())
    if not named:
        return
    name = data.draw(st.sampled_from(named))
    low, high = (
        found(pumps, replace(prefer, weights={name: weight})) for weight in sorted((one, other))
    )
    held = {hit.id: s.score for hit in high for s in hit.why if s.name == f"prefer {name}"}
    place = {hit.id: n for n, hit in enumerate(high)}
    for n, hit in enumerate(low):
        for behind in low[n + 1 :]:
            # Who was behind and is preferred less stays behind, but for what rounding takes.
            apart = hit.score - behind.score > 1e-9
            if apart and held.get(hit.id, 0.0) >= held.get(behind.id, 0.0):
                assert place[hit.id] < place[behind.id]


@settings(max_examples=15, deadline=None)
@given(preferences, st.integers(1, 12))
def test_the_best_of_many_are_the_best_of_few(pumps: Memory, prefer: Prefer, limit: int) -> None:
    assert found(pumps, prefer, limit) == found(pumps, prefer)[:limit]


# -- what comes before preferences ----------------------------------------------------------------


@pytest.mark.parametrize("question", ["qwrtz plok vrix", "the capital of Peru"])
def test_what_is_refused_stays_refused(pumps: Memory, question: str) -> None:
    prefer = strong(half_life=timedelta(days=5), session="shift 0", items=LUNCH.id)
    assert pumps.search(question, now=NOW) == []
    assert pumps.search(question, now=NOW, prefer=prefer) == []


def test_filters_hold(pumps: Memory) -> None:
    prefer = strong(session="shift 1")
    hits = pumps.search(QUESTION, now=NOW, session="shift 2", prefer=prefer)
    assert {hit.session for hit in hits} == {"shift 2"}


def test_an_order_that_the_question_asks_for(pumps: Memory) -> None:
    question = "What was the last thing said about the pump seal?"
    plain = pumps.search(question, now=NOW)
    assert pumps.plan(question, NOW).order == "last"
    assert pumps.search(question, now=NOW, prefer=strong(session="shift 3")) == plain


# -- how it is given ------------------------------------------------------------------------------


def test_moments_and_contexts(pumps: Memory) -> None:
    prefer = strong(session="shift 3", half_life=timedelta(days=1))
    moments = pumps.moments(QUESTION, now=NOW, prefer=prefer)
    assert moments[0].hits[0].observation == PUMPS[3]
    context = pumps.context(QUESTION, now=NOW, prefer=prefer)
    assert context.citations[0].observation == PUMPS[3]


def test_the_config_is_the_default(tmp_path: Path) -> None:
    config = Config(prefer=strong(session="shift 1"))
    with Memory.open(tmp_path / "memory", config) as memory:
        memory.add(PUMPS)
        assert found(memory)[0].session == "shift 1"
        assert found(memory, Prefer()) != found(memory)
        assert found(memory, strong(session="shift 2"))[0].session == "shift 2"


def test_from_a_file() -> None:
    table = {
        "half_life": "2 weeks",
        "session": ["a", "b"],
        "items": "x",
        "attributes": {"app": ["Slack", "Mail"], "floor": 3},
        "weights": {"recency": 0.5, "floor": 0},
    }
    config = Config.from_mapping({"prefer": table})
    assert config.prefer == Prefer(
        half_life=timedelta(days=14),
        session=("a", "b"),
        items="x",
        attributes={"app": ("Slack", "Mail"), "floor": 3},
        weights={"recency": 0.5, "floor": 0},
    )
    assert config.prefer.weighed() == {"recency": 0.5, "session": 0.1, "items": 0.1, "app": 0.1}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sessions": "a"}, "unknown in prefer: sessions; known: attributes, half_life"),
        ({"half_life": "soon"}, "prefer.half_life is 'soon'; it must be an age"),
        ({"half_life": timedelta(0)}, "half_life is 0:00:00; it must be longer"),
        ({"session": 3}, "prefer.session is 3; it must be a list of names"),
        ({"items": ["a", 1]}, "prefer.items is .*; it must be a list of names"),
        ({"attributes": "app"}, "prefer.attributes is 'app'; it must be a table"),
        ({"attributes": {"session": "a"}}, "'session' is no attribute's name"),
        ({"weights": {"app": 1.0}}, "nothing is called 'app'; given: recency"),
        ({"session": "a", "weights": {"session": -1}}, "session is -1; it must be a number"),
        ({"session": "a", "weights": {"session": True}}, "session is True; it must be a number"),
        ({"session": "a", "weights": {"session": float("nan")}}, "session is nan; it must be"),
    ],
)
def test_what_makes_no_sense_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.from_mapping({"prefer": table})
