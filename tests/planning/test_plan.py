"""What holds of every plan, and how it is told."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentctx.planning import Clause, Plan, Vocabulary, plan
from agentctx.planning.planner import LONGEST
from agentctx.words import telling

from . import test_modalities, test_parts, test_relations, test_times
from .asking import BERLIN, NAMES, NOW, told_of

ASKED = [
    *test_modalities.UNDERSTOOD,
    *test_parts.PARTS,
    *test_relations.RELATED,
    *(f"What did Ann say {time}?" for time in test_times.TIMES),
]
# Words that the grammar knows, in any order: far more often near something than random text.
PIECES = sorted({piece for question in ASKED for piece in question.split()}) + list(
    "\"'“”,?-–:\x00\x01"
)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]


@st.composite
def nows(draw: st.DrawFn) -> datetime:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    return draw(st.datetimes(timezones=st.just(zone), allow_imaginary=True))


questions = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
    st.sampled_from(ASKED),
)


@given(questions, nows())
@example("between 1:30 and 2:30", datetime(2026, 3, 29, 12, tzinfo=BERLIN))
@example("What was said from 2:30 to 3:00?", datetime(2026, 3, 29, 12, tzinfo=BERLIN))
@example("What was said at 2:30?", datetime(2026, 10, 25, 2, 45, fold=1, tzinfo=BERLIN))
@example(
    "What was said in the last 30 minutes?", datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=BERLIN)
)
@example("What was said yesterday?", datetime.min.replace(tzinfo=UTC))
@example("What was said today?", datetime.max.replace(tzinfo=BERLIN))
@example("What was said since yesterday?", datetime(1, 1, 1, 0, 30, tzinfo=BERLIN))
@example("What was said 3 years ago?", datetime(2, 1, 1, tzinfo=UTC))
@example("İİİ what was said yesterday ﬁﬁ ŉ?", NOW)
@example("What was said yesterday?", datetime(2026, 3, 18, 12))
def test_every_text_has_a_plan(question: str, now: datetime) -> None:
    found = plan(question, now, NAMES)
    place = 0
    for part in found.understood:
        assert place <= part.start < part.stop <= len(question)
        assert question[part.start : part.stop] == part.words
        assert part.words.strip()
        place = part.stop
    for clause in clauses(found):
        check(clause)
    json.dumps(dataclasses.asdict(found), default=datetime.isoformat)
    assert found.describe()


def clauses(found: Plan) -> list[Clause]:
    return [found.clause, *(anchor for one in found.relations for anchor in one.anchors)]


def check(clause: Clause) -> None:
    spans = [(clause.since, clause.until), clause.told or (None, None)]
    assert clause.told is None or any(clause.told)
    for since, until in spans:
        assert all(when is None or when.tzinfo is UTC for when in (since, until))
        assert since is None or until is None or since < until
    assert not (clause.told and (clause.since or clause.until))
    assert clause.modality == tuple(sorted(set(clause.modality)))
    assert not any(phrase not in clause.words for phrase in clause.exact if phrase.isalnum())


@given(st.text(min_size=1, max_size=60))
def test_without_an_understood_part_the_words_are_the_text(question: str) -> None:
    found = plan(question, NOW)
    if not found.understood:
        assert found.clause == Clause(" ".join(question.split()))


def test_nothing_telling_is_lost_unless_it_was_understood() -> None:
    for question in ASKED:
        found = plan(question, NOW, NAMES)
        taken = {word for part in found.understood for word in telling(part.words)}
        kept = {word for clause in clauses(found) for word in telling(clause.words)}
        scaffold = {"show", "find", "happened", "thing", "tell"}
        assert set(telling(question)) - taken - kept <= scaffold, question


def test_a_long_text_is_a_document() -> None:
    text = "What was said yesterday? " * 100
    assert plan(text, NOW) == Plan(Clause(text), NOW)
    assert plan(text[:LONGEST], NOW).understood


@pytest.mark.parametrize(
    "question",
    [
        "Was hat sie gestern über das Ventil gesagt?",
        "Qu'est-ce qui a été dit hier ?",
        "昨日画面に何が表示されましたか？",
        "Что она сказала вчера?",
        "",
        " ",
        "?!",
        "\ud800 yesterday",
    ],
)
def test_other_languages_are_words(question: str) -> None:
    found = told_of(plan(question, NOW, Vocabulary()))
    assert found["words"] == question.strip()
    assert set(found) <= {"words", "told"}


def test_a_plan_says_what_it_understood() -> None:
    found = plan(
        'What was on the screen yesterday when Ann said "stuck", but not the pump?', NOW, NAMES
    )
    assert found.describe().splitlines() == [
        "looks for: anything",
        "  modality: screenshot",
        "  time: from 2026-03-17 00:00 until 2026-03-18 00:00",
        "just during: 'stuck'",
        "  modality: speech or text",
        "  speaker: Ann",
        "  exactly: 'stuck'",
        "  without: 'the pump'",
        "understood: 'was on the screen' as modality screenshot",
        "understood: 'yesterday' as time from 2026-03-17 00:00 until 2026-03-18 00:00",
        "understood: 'when' as during",
        "understood: 'Ann' as speaker Ann",
        "understood: 'said' as modality speech or text",
        "understood: '\"stuck\"' as exact phrase",
        "understood: ', but not the pump' as not about 'the pump'",
    ]


def test_what_is_wanted_and_the_order_are_told() -> None:
    found = plan("What was the last temperature reading?", NOW, NAMES)
    assert "order: last in time" in found.describe()
    found = plan("What was the maximum temperature in May 2025?", NOW, NAMES)
    assert "wants: number max" in found.describe()
    found = plan("What did Ann buy in May 2025?", NOW, NAMES)
    assert "time, perhaps: from 2025-05-01 00:00 until 2025-06-01 00:00" in found.describe()
    found = plan("What changed between the alarm and the restart?", NOW)
    assert found.describe().splitlines()[1:3] == ["between: 'the alarm'", "and: 'the restart'"]


def test_the_night_the_clocks_change_is_as_long_as_it_was() -> None:
    spring = datetime(2026, 3, 30, 12, tzinfo=BERLIN)
    found = plan("What was said yesterday?", spring).clause
    assert found.since
    assert found.until
    assert found.until - found.since == timedelta(hours=23)
    found = plan(
        "What was said in the last two hours?", datetime(2026, 3, 29, 4, tzinfo=BERLIN)
    ).clause
    assert found.since == datetime(2026, 3, 29, 0, tzinfo=UTC)


def test_a_hundred_thousand_names() -> None:
    many = Vocabulary(
        sessions=[f"shift {n}" for n in range(50_000)],
        sources=[f"day {n}/camera.png" for n in range(49_000)],
        speakers=[f"Speaker {n}" for n in range(1_000)],
    )
    found = plan("What did Speaker 77 say in shift 4711 about the valve?", NOW, many).clause
    assert (found.session, found.attributes) == (("shift 4711",), (("speaker", ("Speaker 77",)),))
    assert found.words == "the valve"
