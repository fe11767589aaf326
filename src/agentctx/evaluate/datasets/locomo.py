"""LoCoMo: questions about long conversations, by the turns that hold the evidence.

Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (2024). No
language model answers here: what is measured is whether the evidence is found. Two forms:

- one conversation per ``*.json``: ``turns`` (id, session, when, speaker, text, image_caption) and
  ``questions`` (question, category, evidence);
- as published: a list of ``sample_id``, ``conversation`` (session_1, session_1_date_time, ...) and
  ``qa`` (question, category, evidence).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentctx.errors import SourceNotFound
from agentctx.evaluate.datasets.reading import a_text, expecting, head, load
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.records import Observation

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_WHEN = "%I:%M %p on %d %B, %Y"


def fits(folder: Path) -> bool:
    """Whether a folder holds conversations in one of the two forms."""
    heads = (head(path) for path in folder.glob("*.json"))
    return any(
        ('"turns"' in text and '"speaker"' in text) or ('"qa"' in text and '"evidence"' in text)
        for text in heads
    )


def read(folder: Path) -> Dataset:
    """All conversations of a folder, each a collection.

    Raises SourceNotFound for a folder without any, SourceInvalid for a file that is none.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SourceNotFound(folder, "there is no conversation (*.json) in it")
    found = [one for path in paths for one in _conversations(path)]
    return Dataset(
        folder.name, "locomo", [one for one, _ in found], sum(skipped for _, skipped in found)
    )


def _conversations(path: Path) -> Iterator[tuple[Collection, int]]:
    data = load(path)
    with expecting(path, "a LoCoMo conversation (turns and questions, or conversation and qa)"):
        if isinstance(data, Mapping):
            yield _collection(path.stem, data["turns"], data["questions"])
            return
        for number, sample in enumerate(data):
            name = str(sample.get("sample_id", f"{path.stem}-{number}"))
            yield _collection(name, _turns(sample["conversation"]), sample["qa"])


def _turns(conversation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The turns of the published form, in the words of the other one."""
    sessions = sorted(
        (name for name in conversation if name.removeprefix("session_").isdigit()),
        key=lambda name: int(name.removeprefix("session_")),
    )
    return [
        {
            "id": turn["dia_id"],
            "session": session,
            "when": conversation[f"{session}_date_time"],
            "speaker": turn["speaker"],
            "text": turn["text"],
            "image_caption": turn.get("blip_caption"),
        }
        for session in sessions
        for turn in conversation[session]
    ]


def _collection(
    name: str, turns: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]]
) -> tuple[Collection, int]:
    items = [
        Item(a_text(turn["id"]), _observation(turn, index), turn["session"])
        for index, turn in enumerate(turns)
    ]
    known = {item.id for item in items}
    asked = [
        Query(
            f"q{number}",
            a_text(question["question"]),
            # Some evidence names no turn, as published; it cannot be found.
            dict.fromkeys((id_ for id_ in question.get("evidence", ()) if id_ in known), 1),
            CATEGORIES.get(question["category"], f"category {question['category']}"),
        )
        for number, question in enumerate(questions)
    ]
    kept = [query for query in asked if query.relevant]
    return Collection(name, items, kept), len(asked) - len(kept)


def _observation(turn: Mapping[str, Any], index: int) -> Observation:
    text = f"{turn['speaker']}: {turn['text']}"
    if turn.get("image_caption"):
        text += f" [shares a picture: {turn['image_caption']}]"
    # A session has one time for all its turns: a second each keeps their order.
    when = datetime.strptime(turn["when"], _WHEN).replace(tzinfo=UTC) + timedelta(seconds=index)
    return Observation(text=text, captured_at=when, session=turn["session"], source="chat")
