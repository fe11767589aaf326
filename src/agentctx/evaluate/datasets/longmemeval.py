"""LongMemEval: each question has a history of chat sessions of its own.

Wu et al., "LongMemEval: Benchmarking Chat Assistants on Long-Term Interactive Memory" (2024).
``*.json``: a list of ``question_id``, ``question_type``, ``question``, ``question_date`` (when it
is asked; files without it are asked now), ``haystack_session_ids``,
``haystack_dates``, ``haystack_sessions`` (lists of turns: role, content, and has_answer where the
evidence is) and ``answer_session_ids``. A question without evidence in any turn (those that are to
be refused) cannot be scored by what is found, and is skipped.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentctx.errors import SourceInvalid, SourceNotFound
from agentctx.evaluate.datasets.reading import a_text, expecting, head, load
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.records import Observation

_WHEN = "%Y/%m/%d (%a) %H:%M"


def fits(folder: Path) -> bool:
    """Whether a folder holds a list of such questions."""
    return any(
        '"question_id"' in (text := head(path)) or '"haystack_' in text
        for path in folder.glob("*.json")
    )


def read(folder: Path) -> Dataset:
    """The questions of all files, each a collection with its own history."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SourceNotFound(folder, "there is no list of questions (*.json) in it")
    found: list[Collection] = []
    skipped = 0
    for path in paths:
        data = load(path)
        if not isinstance(data, list):
            raise SourceInvalid(path, "it is no list of questions")
        for number, row in enumerate(data):
            with expecting(f"{path}, question {number}", "a question of LongMemEval"):
                one = _collection(row)
            if one.queries:
                found.append(one)
            else:
                skipped += 1
    return Dataset(folder.name, "longmemeval", found, skipped)


def _collection(row: Mapping[str, Any]) -> Collection:
    answering = set(row["answer_session_ids"])
    items: list[Item] = []
    evidence: dict[str, int] = {}
    sessions = zip(
        row["haystack_session_ids"], row["haystack_dates"], row["haystack_sessions"], strict=True
    )
    for place, (session, date, turns) in enumerate(sessions):
        begun = _time(date)
        for number, turn in enumerate(turns):
            if not turn["content"].strip():
                continue
            # Histories repeat a session now and then: its place tells the two apart.
            turn_id = f"{place}:{session}:{number}"
            items.append(Item(turn_id, _observation(turn, session, begun, number), session))
            if turn.get("has_answer") and session in answering:
                evidence[turn_id] = 1
    id_ = str(row["question_id"])
    asked = _time(row["question_date"]) if row.get("question_date") else None
    query = Query(id_, a_text(row["question"]), evidence, str(row["question_type"]), asked)
    return Collection(id_, items, [query] if evidence else [])


def _time(date: str) -> datetime:
    return datetime.strptime(date, _WHEN).replace(tzinfo=UTC)


def _observation(
    turn: Mapping[str, Any], session: str, begun: datetime, number: int
) -> Observation:
    return Observation(
        text=f"{turn['role']}: {turn['content']}",
        captured_at=begun + timedelta(seconds=number),
        session=session,
        source="chat",
    )
