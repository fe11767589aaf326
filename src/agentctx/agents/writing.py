"""The tools that write. What an agent adds is marked as an agent's, for good."""

from collections import Counter
from typing import TYPE_CHECKING

from agentctx.agents import arguments
from agentctx.agents.access import Access
from agentctx.agents.arguments import time_of
from agentctx.agents.results import ToolResult, cited
from agentctx.errors import QueryError
from agentctx.quoting import ADDED_BY, AGENT, WRITTEN_BY, named, one_line
from agentctx.records import SHORT_ID, Observation

if TYPE_CHECKING:
    from agentctx.ingest import Progress

# How a note of an agent names where it came from.
SOURCE = "agent"
_SHOWN = 20


def remember(tools: Access, given: arguments.Remember) -> ToolResult:
    """Keep a note: see the tool's description."""
    note = Observation(
        text=given.text,
        session=given.session or tools.session,
        source=SOURCE,
        attributes={WRITTEN_BY: AGENT},
    )
    tools.memory.add(note)
    id_ = note.id[:SHORT_ID]
    return ToolResult(f"Remembered as [{id_}], as a note of yours.", data=cited(note))


def remember_file(
    tools: Access, given: arguments.RememberFile, progress: "Progress | None" = None
) -> ToolResult:
    """Add a file: see the tools' descriptions."""
    path = tools.permitted(given.path)
    report = tools.memory.add(
        path,
        session=given.session or tools.session,
        captured_at=time_of(given.captured_at, "captured_at"),
        attributes={ADDED_BY: AGENT},
        progress=progress,
    )
    if report.failed:
        raise report.failed[0].error
    kinds = Counter(one.modality for one in tools.memory.get(report.ids))
    counted = ", ".join(f"{count} {one_line(kind)}" for kind, count in sorted(kinds.items()))
    said = f"{named(path.name)}: {report.added} added, {report.unchanged} were there already"
    marks = ", ".join(f"[{id_[:SHORT_ID]}]" for id_ in report.ids[:_SHOWN])
    more = f" and {len(report.ids) - _SHOWN} more" if len(report.ids) > _SHOWN else ""
    return ToolResult(
        f"{said} ({counted}): {marks}{more}.",
        data={"added": report.added, "unchanged": report.unchanged, "kinds": dict(kinds)},
    )


def forget(tools: Access, given: arguments.Forget) -> ToolResult:
    """Erase observations for good: see the tool's description."""
    if not (given.ids or given.session or given.modality or given.since or given.until):
        raise QueryError("say what to forget: ids, session, modality, since or until")
    ids = [one.id for one in tools.memory.get(given.ids)] if given.ids else None
    receipt = tools.memory.forget(
        ids,
        given.session or None,
        time_of(given.since, "since"),
        time_of(given.until, "until"),
        modality=given.modality or None,
        dry_run=not given.confirm,
    )
    if not given.confirm:
        marks = ", ".join(f"[{id_[:SHORT_ID]}]" for id_ in receipt.ids[:_SHOWN])
        said = f"{receipt.forgotten} observations would be forgotten: {marks or 'none'}. "
        said += "Nothing was. Ask the user, then call again with confirm=true."
    else:
        said = f"{receipt.forgotten} observations were forgotten for good."
        said += f" {receipt.unfinished}" if receipt.unfinished else ""
    return ToolResult(said, data={"forgotten": receipt.forgotten, "dry_run": receipt.dry_run})
