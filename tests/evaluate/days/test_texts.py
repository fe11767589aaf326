"""The texts behind the days: complete, speakable, and apart from what no day has."""

import re
from collections import Counter
from datetime import date
from importlib.resources import files
from string import Formatter

import pytest

from agentctx.evaluate.days import matter_rules, time_rules
from agentctx.evaluate.days.records import World
from agentctx.evaluate.days.worlds import common_matters, texts, worlds

KINDS = {"calendar", "chat", "editor", "mail", "sheet", "shop", "ticket", "wiki"}
SLOTS = {"m", "n", "kind", "ch", "did", "t", "u", "on", "title"}
PHRASINGS = {key: value for key, value in texts("phrasings").items() if isinstance(value, list)}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def everything_said() -> set[str]:
    """The telling words of all matters and channels."""
    matters = [m for world in worlds() for m in world.matters] + list(common_matters())
    found = {
        word for m in matters for text in (m.name, *m.said, *m.written) for word in words(text)
    }
    return found | {word for world in worlds() for c in world.channels for word in words(c.name)}


@pytest.mark.parametrize("world", worlds(), ids=lambda world: world.name)
def test_a_world_has_all_that_a_day_needs(world: World) -> None:
    assert len(world.matters) >= 8
    assert len(world.channels) == 3
    assert len(world.figures) == 4
    assert len(world.fillers) >= 5
    assert set(world.kinds) <= KINDS
    # Some kinds come twice: that is what first, last, before and after are asked about.
    assert sum(count > 1 for count in Counter(world.kinds).values()) >= 2
    assert not re.search("today|yesterday|morning|afternoon", world.board, re.IGNORECASE)
    for matter in world.matters:
        assert len(matter.said) == len(matter.written) == 3
        assert matter.name.startswith("the ")
    for channel in world.channels:
        assert 0 < channel.noise < channel.season * 20
        assert channel.column.startswith(channel.name)


def test_there_are_enough_worlds_and_each_matter_is_one_of_them() -> None:
    assert len(worlds()) >= 12
    names = [m.name for world in worlds() for m in world.matters]
    names += [m.name for m in common_matters()]
    assert len(names) == len(set(names))
    channels = [channel.name for world in worlds() for channel in world.channels]
    assert len(channels) == len(set(channels))


@pytest.mark.parametrize("matter", common_matters(), ids=lambda matter: matter.name)
def test_what_is_common_can_be_told_on_several_days(matter: object) -> None:
    assert len(matter.said) == len(matter.written) == 4  # type: ignore[attr-defined]


def test_what_is_said_can_be_spoken() -> None:
    """Figures are written out, since a synthesiser reads digits as nobody would."""
    told = [line for world in worlds() for matter in world.matters for line in matter.said]
    told += [line for matter in common_matters() for line in matter.said]
    told += [*texts("speech")["openers"], *texts("speech")["closers"]]
    assert [line for line in told if re.search(r"[^A-Za-z ,.'?!-]", line)] == []


def test_another_name_does_not_repeat_the_name() -> None:
    """At least in most cases nothing but common words is shared: that is what it is for."""
    matters = [m for world in worlds() for m in world.matters] + list(common_matters())
    shared = [m.name for m in matters if words(m.name) & words(m.alias)]
    assert len(shared) <= len(matters) // 5, shared


def test_no_name_has_a_day_in_it() -> None:
    """Whether "the dinner on Friday" is a dinner or a Friday, nobody could tell."""
    days = [f"{date(2026, 3, n):%A}" for n in range(1, 8)]
    months = [f"{date(2026, n, 1):%B}" for n in range(1, 13)]
    pattern = rf"\b({'|'.join([*days, *months, 'today', 'yesterday', 'weekend'])})\b"
    matters = [m for world in worlds() for m in world.matters] + list(common_matters())
    names = [name for matter in matters for name in (matter.name, matter.alias)]
    names += texts("off_topic")["matters"]
    assert [name for name in names if re.search(pattern, name)] == []


@pytest.mark.parametrize("name", sorted(PHRASINGS))
def test_every_question_has_at_least_three_phrasings(name: str) -> None:
    lines = PHRASINGS[name]
    assert len(set(lines)) >= 3
    for line in lines:
        used = {slot for _, slot, _, _ in Formatter().parse(line) if slot}
        assert used <= SLOTS
        assert used, f"{line!r} asks about nothing"


def test_every_phrasing_is_used_by_a_rule() -> None:
    code = "".join(
        (files("agentctx.evaluate.days") / f"{module.__name__.rpartition('.')[2]}.py").read_text()
        for module in (matter_rules, time_rules)
    )
    # The names of those of when and during are put together.
    joined = {f"{a}_{b}" for a in ("when", "during") for b in ("screen_speech", "speech_screen",
                                                              "sensor_speech")}  # fmt: skip
    assert {name for name in PHRASINGS if f'"{name}"' not in code} <= joined


def test_every_kind_of_page_and_event_has_a_name() -> None:
    assert set(texts("phrasings")["kind"]) == KINDS
    for ways in texts("phrasings")["did"].values():
        assert len(ways["up"]) >= 3
        assert len(ways["down"]) >= 3
    assert set(texts("phrasings")["did"]) == {"step", "spike", "drift", "dropout"}


def test_every_kind_of_page_has_a_template() -> None:
    folder = files("agentctx.evaluate.days") / "pages"
    assert {file.name for file in folder.iterdir()} == {f"{k}.html" for k in KINDS | {"dashboard"}}


def test_off_topic_questions_share_next_to_nothing_with_the_days() -> None:
    known = everything_said()
    usual = {"what", "when", "which", "where", "does", "that", "with", "from", "have", "many",
             "much", "time", "there", "about", "before", "they", "should", "near", "will", "again",
             "against", "over", "each", "between", "decide"}  # fmt: skip
    shares = [
        len((words(question) & known) - usual) / len(words(question) - usual)
        for question in texts("off_topic")["questions"]
    ]
    assert sum(shares) / len(shares) < 0.3
    assert len(set(texts("off_topic")["questions"])) >= 56


def test_no_day_has_the_matters_that_none_should_have() -> None:
    matters = [m.name for world in worlds() for m in world.matters]
    matters += [m.name for m in common_matters()]
    strange = texts("off_topic")["matters"]
    assert len(set(strange)) == len(strange) >= 56
    for name in strange:
        assert name not in matters
        assert not any(words(name) and words(name) <= words(other) for other in matters)
