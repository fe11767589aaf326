"""Records for people (rich) and for programs (plain data for JSON)."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.records import Hit, Media, Moment, Observation, SessionHit
from agentctx.registry import Listing
from agentctx.reports import IngestReport

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

COLOURS = {"text": "white", "screenshot": "cyan", "speech": "green", "sensor": "yellow",
           "picture": "blue"}  # fmt: skip
_PREVIEW = 160


def plain(value: Any) -> Any:  # noqa: ANN401
    """A record as data that ``json.dumps`` takes: times as ISO text, media without their bytes."""
    if isinstance(value, Observation):
        names = [field.name for field in fields(value)]
        return {name: plain(getattr(value, name)) for name in ["id", *names[:-1]]}
    if isinstance(value, Media):
        return {"kind": value.kind, "mime": value.mime, "digest": value.digest, "size": value.size}
    if isinstance(value, Exception):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, Listing):
        names = [field.name for field in fields(value)]
        return {name: plain(getattr(value, name)) for name in [*names, "ready", "install"]}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


def hits(found: Sequence[Hit], *, explain: bool, plan: str = "") -> "Text":
    """Hits, best first: a line that says what and when, and the passage that matched.

    ``plan`` is what was understood of the question, in lines.
    """
    from rich.text import Text

    text = Text(f"{printable(plan)}\n\n" if plan else "", "dim")
    for number, hit in enumerate(found, start=1):
        text.append(f"{number:>2}. {hit.score:.3f}  ", "bold")
        text.append(f"{_preview(hit.modality)}  ", COLOURS.get(hit.modality, "magenta"))
        text.append(f"{_when(hit.captured_at)} UTC  {_name(hit.source)}\n")
        text.append(f"    {_preview(hit.passage or hit.text)}\n")
        if explain:
            text.append(f"    why: {', '.join(str(signal) for signal in hit.why)}\n", "dim")
    return text if found else text.append("Nothing in this memory matches.")


def sessions(found: Sequence[SessionHit], *, explain: bool, plan: str = "") -> "Text":
    """Sessions, best first, each with its best hits as `hits` shows them."""
    if not found:
        return hits((), explain=explain, plan=plan)
    from rich.text import Text

    text = Text(f"{printable(plan)}\n\n" if plan else "", "dim")
    for one in found:
        text.append(f"{one.score:.3f}  {_name(one.session)}\n", "bold")
        text.append_text(hits(one.hits, explain=explain))
    return text


def moments(found: Sequence[Moment]) -> "RenderableType":
    """Moments as a list: what matched is marked, what else was there follows."""
    from rich.text import Text

    text = Text()
    for moment in found:
        text.append(f"{_when(moment.start)} to {moment.end:%H:%M:%S}", "bold")
        text.append(f"  score {moment.score:.3f}\n")
        matched = {hit.id for hit in moment.hits}
        everything = [hit.observation for hit in moment.hits] + list(moment.companions)
        for one in sorted(everything, key=lambda o: (o.captured_at, o.id)):
            mark = "● " if one.id in matched else "  "
            text.append(f"  {mark}{one.captured_at:%H:%M:%S} ")
            text.append(f"{_preview(one.modality):<10} ", COLOURS.get(one.modality, "magenta"))
            text.append(_preview(one.text) + "\n")
    return text


def timeline(observations: Sequence[Observation]) -> "RenderableType":
    """Observations by time, one line each."""
    from rich.text import Text

    text = Text()
    day = None
    for one in observations:
        if one.captured_at.date() != day:
            day = one.captured_at.date()
            text.append(f"{day}\n", "bold")
        text.append(f"  {one.captured_at:%H:%M:%S} ")
        text.append(f"{_preview(one.modality):<10} ", COLOURS.get(one.modality, "magenta"))
        text.append(_preview(one.text) + "\n")
    return text


def report(done: IngestReport) -> "RenderableType":
    """What an ``add`` did, with the reason of every failure."""
    from rich.text import Text

    text = Text(f"{done.added} added, {done.unchanged} unchanged, {len(done.failed)} failed\n")
    for failure in done.failed:
        text.append(f"  {printable(str(failure.error))}\n", "red")
    return text


def listing(rows: Iterable[Listing]) -> "RenderableType":
    """Plugins, encoders, rerankers and watchers, with what is missing and how to add it."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("kind", "name", "from", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        state = row.error or row.install or "ready"
        table.add_row(row.kind, row.name, row.distribution, _plain(state))
    return table


def printable(text: str) -> str:
    """Text with nothing in it that a terminal would obey: a space for each control character."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)


def _plain(text: str) -> "RenderableType":
    # Not markup: retrieved text may hold square brackets.
    from rich.text import Text

    return Text(printable(text))


def _preview(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"


def _when(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


def _name(source: str) -> str:
    return _preview(Path(source).name or source)
