"""What questions want besides the best fit: times, numbers, differences, orders, phrases."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agentctx import Hit, Memory, Observation
from agentctx.records import Filters, Signal
from agentctx.retrieve import wanted

from .conftest import Ask
from .story import DAY, GALLEY, NOW, STORY, YARD, clock, names, said, screen, window

# -- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("What was on the screen at 9:22?", "varnish order"),
        ("What was on the screen at 9:33?", "keel ticket"),
        ("What was on my display at 9:47?", "tide page"),
        ("What was said at 9:44?", "pump talk"),
        ("What was said around 10:15?", "visitor talk"),
        ("What did Bob say between 9:30 and 9:40?", "keel talk"),
        ("What did we hear this morning around nine?", "hello"),
    ],
)
def test_a_question_without_words_is_answered_by_its_time(
    ask: Ask, question: str, best: str
) -> None:
    assert ask(question, session=YARD)[0] == best


def test_at_a_time_there_is_everything_that_was_perceived_then(ask: Ask) -> None:
    assert set(ask("What happened at 9:44?", session=YARD)[:3]) == {
        "pump talk",
        "kiln 9:40",
        "water 9:40",
    }


@pytest.mark.parametrize(
    "question",
    ["What was on the screen at 10:53?", "What was on the screen at 9:12 yesterday?"],
)
def test_when_nothing_was_perceived_nothing_is_found(ask: Ask, question: str) -> None:
    assert ask(question) == []


def test_the_zone_of_now_is_that_of_the_question(yard: Memory) -> None:
    # 10:33 on a clock in Berlin, and 5:33 in New York, were 9:33 UTC.
    for zone, time in (("Europe/Berlin", "10:33"), ("America/New_York", "5:33")):
        now = NOW.astimezone(ZoneInfo(zone))
        hits = yard.search(f"What was on the screen at {time}?", session=YARD, now=now)
        assert names(hits)[0] == "keel ticket"
        assert yard.search(f"What was on the screen at {time} yesterday?", now=now) == []


def test_relative_times_count_from_now(ask: Ask) -> None:
    question = "What was said yesterday?"
    assert ask(question) == []
    found = ask(question, now=NOW + timedelta(days=1), limit=50)
    assert set(found) == {name for name, one in STORY.items() if one.modality == "speech"}


def test_a_told_time_prefers_and_excludes_nothing(memory: Memory) -> None:
    text = "Ann: We painted the dinghy, and it took all day."
    memory.add(
        Observation(text=text, session=month, captured_at=datetime.fromisoformat(f"{when}T12:00Z"))
        for month, when in (("june", "2025-06-10"), ("august", "2025-08-10"))
    )
    for month in ("june", "august"):
        hits = memory.search(f"What did Ann do with the dinghy in {month.title()} 2025?", now=NOW)
        assert hits[0].session == month
        assert len(hits) == 2
        told = [sum(s.score for s in hit.why if s.name == "told") for hit in hits]
        assert told == [1.0, 0.0]


def test_words_at_a_time_find_what_was_there_then(ask: Ask) -> None:
    # No screen says "page": what was shown then is what is asked for.
    found = ask("Which page was open at 9:42?", session=YARD)
    assert found[0] == "tide page"


# -- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("What was the highest kiln temperature this morning?", "kiln 9:45"),
        ("What was the lowest kiln temperature this morning?", "kiln 9:40"),
        ("What was the maximum bilge water level today?", "water 9:40"),
        ("What was the minimum bilge water level today?", "water 9:30"),
        # 9:45 to 9:50 touches this time, but was highest before it.
        ("What was the highest kiln temperature between 9:50 and 9:55?", "kiln 9:50"),
        ("What was the highest kiln temperature before 9:40?", "kiln 9:35"),
    ],
)
def test_the_window_with_the_extreme_comes_first(yard: Memory, question: str, best: str) -> None:
    hits = yard.search(question, now=NOW)
    assert names(hits)[0] == best
    kind = yard.plan(question, NOW).aggregate
    assert kind in ("max", "min")
    value = hits[0].attributes[kind]
    assert hits[0].why == (Signal(f"{kind} of the channel", float(value)),)  # type: ignore[arg-type]


def test_an_extreme_of_another_session_or_channel_is_none(ask: Ask, yard: Memory) -> None:
    question = "What was the highest kiln temperature this morning?"
    assert ask(question, session=GALLEY) == []
    assert {STORY[name].attributes["channel"] for name in ask(question)} == {"kiln temperature"}


def test_windows_of_somebody_elses_making_have_extremes(memory: Memory) -> None:
    plain = window("9:30", "oven heat", "°C", 10.0, 20.0)
    odd = {**window("9:40", "oven heat", "°C", 15.0, 90.0).attributes, "max_at": "about ten"}
    memory.add([plain, replace(plain, captured_at=clock("9:40"), attributes=odd)])
    hits = memory.search("What was the highest oven heat this morning?", now=NOW)
    assert hits[0].attributes["max"] == 90.0


def test_where_no_window_has_numbers_the_words_decide(memory: Memory) -> None:
    one = window("9:30", "oven heat", "°C", 10.0, 20.0)
    memory.add([replace(one, attributes={"channel": "oven heat"})])
    hits = memory.search("What was the highest oven heat today?", now=NOW)
    assert [hit.attributes for hit in hits] == [{"channel": "oven heat"}]
    assert "rerank" in {signal.name for signal in hits[0].why}


def test_equal_extremes_all_come_first(memory: Memory) -> None:
    memory.add(
        window(time, "oven heat", "°C", 10.0, high)
        for time, high in (("9:00", 50.0), ("9:05", 60.0), ("9:10", 60.0), ("9:15", 55.0))
    )
    hits = memory.search("What was the highest oven heat today?", now=NOW)
    assert [hit.attributes["max"] for hit in hits[:2]] == [60.0, 60.0]
    assert [hit.captured_at for hit in hits[:2]] == [clock("9:05"), clock("9:10")]


@pytest.mark.parametrize(
    "question",
    [
        "When did the kiln temperature spike?",
        "Did the kiln temperature spike between 9:40 and 9:50?",
        "What did the kiln temperature do this morning?",
    ],
)
def test_an_event_is_preferred_where_one_is_meant(ask: Ask, question: str) -> None:
    assert ask(question)[0] == "kiln spike"


# -- a difference -----------------------------------------------------------------------------


def test_a_change_has_both_ends(yard: Memory, ask: Ask) -> None:
    question = "What changed on the workshop overview between 9:30 and 14:30?"
    assert yard.plan(question, NOW).wants == "change"
    assert ask(question)[:2] == ["overview 9", "overview 14"]
    first, second, *_ = yard.search(question, now=NOW)
    assert first.why[-1] == Signal("at the beginning", 1.0)
    assert second.why[-1] == Signal("at the end", 1.0)


def test_the_ends_of_a_change_are_the_last_states_before_them(memory: Memory) -> None:
    memory.add(
        screen(time, f"Harbour dashboard. Boats moored: {count}.", "Board")
        for time, count in (("8:00", 3), ("9:00", 5), ("10:00", 8), ("11:00", 13), ("12:00", 21))
    )
    question = "What changed on the harbour dashboard between 9:30 and 11:30?"
    hits = memory.search(question, now=NOW)
    assert [hit.text[-3:-1].strip() for hit in hits[:2]] == ["5", "13"]
    # Before the first there is none: then the first is the nearest.
    question = "What changed on the harbour dashboard between 7:30 and 11:30?"
    hits = memory.search(question, now=NOW)
    assert [hit.text[-3:-1].strip() for hit in hits[:2]] == ["3", "13"]


def test_nothing_to_compare_is_nothing(memory: Memory) -> None:
    question = "What changed on the harbour dashboard between 9:30 and 11:30?"
    assert memory.search(question, now=NOW) == []


# -- orders, phrases, exclusions, names -------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("When was varnish first mentioned?", "varnish talk"),
        ("When was the varnish last mentioned?", "varnish again"),
        ("What was the first thing Bob said today?", "hello"),
        ("What was the last thing Bob said today?", "sling talk"),
        ("What was the last screenshot?", "paint shop"),
        ("What was the first screenshot today?", "rota"),
    ],
)
@pytest.mark.parametrize("limit", [1, 5])
def test_first_and_last_choose_by_time(ask: Ask, question: str, best: str, limit: int) -> None:
    assert ask(question, limit=limit, session=YARD)[0] == best


def test_an_order_is_among_good_hits_only(yard: Memory, ask: Ask) -> None:
    found = ask("When was varnish first mentioned?")
    # What has nothing to do with varnish may be earlier; it is not the first mention.
    assert found[:2] == ["varnish talk", "varnish again"]
    assert "hello" not in found[:2]
    assert STORY["hello"].captured_at < STORY["varnish talk"].captured_at


def test_an_exact_phrase_is_preferred(memory: Memory) -> None:
    memory.add(
        [
            said("9:00", "The slack rope under the old boat is worn."),
            said("9:10", "The old rope under the slack boat is worn."),
            said("9:20", "The boat has a worn rope, old and slack."),
        ]
    )
    for phrase, text in (("slack rope", "The slack rope"), ("Old  rope", "The old rope")):
        hits = memory.search(f'Who talked about the "{phrase}" of a worn boat?', now=NOW)
        assert hits[0].text.startswith(text)
        assert Signal("exact", 1.0, weight=0.2) in hits[0].why
        assert len(hits) == 3


def test_what_is_excluded_comes_last(memory: Memory) -> None:
    memory.add(
        [
            said("9:00", "The sails need new ropes, and so do the winches."),
            said("9:10", "The sails of the catamaran need mending before the regatta."),
            said("9:20", "The sails are stored in the loft above the canteen."),
        ]
    )
    about = "What was said about the sails"
    plain = [hit.text for hit in memory.search(f"{about}?", now=NOW)]
    hits = memory.search(f"{about}, but not the regatta of the catamaran?", now=NOW)
    assert sorted(plain) == sorted(hit.text for hit in hits)
    assert "regatta" in hits[-1].text
    (signal,) = [signal for signal in hits[-1].why if signal.name == "without"]
    assert signal.score > 0
    assert signal.weight is not None
    assert signal.weight < 0


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What was on the screen this morning in Board?", {"overview 9"}),
        ("What did we say in session galley today?", {"galley soup", "galley knife"}),
        ("What did Dora say today?", {"galley soup", "galley knife"}),
        ("What did Bob say today?", {"hello", "keel talk", "sling talk"}),
    ],
)
def test_names_restrict(ask: Ask, question: str, expected: set[str]) -> None:
    assert set(ask(question)) == expected


@pytest.mark.parametrize(("who", "best"), [("Ann", "varnish talk"), ("Cleo", "varnish again")])
def test_who_is_asked_about_is_preferred(yard: Memory, ask: Ask, who: str, best: str) -> None:
    question = f"What did {who} say about varnish?"
    assert dict(yard.plan(question, NOW).clause.attributes) == {"speaker": (who,)}
    assert ask(question)[:2] == [best, *{"varnish talk", "varnish again"} - {best}]
    first, second, *_ = yard.search(question, now=NOW)
    assert Signal("speaker", 1.0, weight=0.15) in first.why
    assert "speaker" not in {signal.name for signal in second.why}


# -- the parts by themselves ------------------------------------------------------------------


def hit(name: str, score: float) -> Hit:
    at = DAY + timedelta(minutes=ord(name))
    return Hit(Observation(text=name, captured_at=at), score)


def told(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(one.text, one.score) for one in hits]


def test_lists_are_interleaved_and_scores_descend() -> None:
    found = wanted.interleaved([[hit("a", 0.5), hit("b", 0.4)], [hit("c", 0.9), hit("d", 0.1)], []])
    assert told(found) == [("a", 0.9), ("c", 0.9), ("b", 0.4), ("d", 0.1)]


def test_a_hit_of_two_lists_is_there_once() -> None:
    found = wanted.interleaved([[hit("a", 0.5), hit("b", 0.4)], [hit("b", 0.8), hit("a", 0.7)]])
    assert [one.text for one in found] == ["a", "b"]
    assert wanted.interleaved([]) == []


def test_extremes_leave_other_questions_alone(yard: Memory) -> None:
    hits = [hit("a", 0.5)]
    plan = yard.plan("What did the kiln temperature do this morning?", NOW)
    assert plan.aggregate is None
    assert wanted.extremes(yard._store, plan, Filters(), hits) == hits
    mean = replace(plan, wants="number", aggregate="mean")
    assert wanted.extremes(yard._store, mean, Filters(), hits) == hits
