"""A plan as a small dict of what it holds, so that a table of questions stays readable.

It is asked on Wednesday, 18 March 2026, at 16:20 in Berlin; times are told in that zone, without
the year where it is that one.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agentctx.planning import Clause, Plan, Vocabulary, plan

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 18, 16, 20, tzinfo=BERLIN)
NAMES = Vocabulary(
    sessions=("kickoff-2026", "status", "Monday line review", "shift 4"),
    sources=("standup.wav", "logs/pump3.csv", "/home/eva/notes/valve.md"),
    speakers=("Ann", "Bob Miller", "Grace"),
    apps=("Grafana", "Slack", "Word", "Visual Studio Code"),
    channels=("temperature", "line pressure", "vibration [mm/s]", "status"),
    modalities=("screenshot", "sensor", "speech", "text"),
)
# A memory of working days: screens, talk and sensor logs, and no texts.
DAIRY = Vocabulary(
    sessions=("2026-03-16-dairy", "2026-03-17-dairy"),
    speakers=("Ann", "Bob"),
    channels=("boiler pressure", "kiln temperature", "belt speed", "noise level [dB]"),
    modalities=("screenshot", "sensor", "speech"),
    spoken=("speech",),
)
# A memory of nothing but the turns of a chat.
CHAT = Vocabulary(modalities=("text",))


def outline(question: str, vocabulary: Vocabulary = NAMES, now: datetime = NOW) -> dict[str, Any]:
    """What a plan holds besides its defaults; relations by kind, with ``just`` where near."""
    return told_of(plan(question, now, vocabulary))


def told_of(found: Plan) -> dict[str, Any]:
    """The parts of a plan as a dict."""
    wants = " ".join(filter(None, (found.wants, found.aggregate)))
    parts = _clause(found.clause) | {"order": found.order, "wants": wants}
    for relation in found.relations:
        anchors = [_clause(anchor) for anchor in relation.anchors]
        name = str(relation)
        assert name not in parts
        parts[name] = anchors if len(anchors) > 1 else anchors[0]
    return {name: value for name, value in parts.items() if value or name == "words"}


def _clause(clause: Clause) -> dict[str, Any]:
    parts = {
        "words": clause.words,
        "modality": " ".join(clause.modality),
        "time": _span((clause.since, clause.until)),
        "told": _span(clause.told),
        "session": " ".join(clause.session),
        "source": " ".join(clause.source),
        "exact": list(clause.exact),
        "without": list(clause.without),
        "each": clause.each,
        **{name: " ".join(map(str, values)) for name, values in clause.attributes},
    }
    return {name: value for name, value in parts.items() if value or name == "words"}


def _span(span: tuple[datetime | None, datetime | None] | None) -> str:
    since, until = span or (None, None)
    return f"{_local(since)} .. {_local(until)}".strip() if since or until else ""


def _local(when: datetime | None) -> str:
    if when is None:
        return ""
    local = when.astimezone(BERLIN)
    return f"{local:{'%m-%d %H:%M' if local.year == NOW.year else '%Y-%m-%d %H:%M'}}"
