"""Commands that take care of a memory."""

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentctx.cli.opening import open_memory, settings
from agentctx.cli.options import attributes, filtered, in_memory, split
from agentctx.cli.output import emit, notice, progress, unstyled

if TYPE_CHECKING:
    from agentctx.memory.erasure import ErasureReport
    from agentctx.memory.salvage import SalvageReport
    from agentctx.records import Observation
    from agentctx.reports import Receipt

_SHOWN = 20
dry = click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and stop.")
kept = click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the receipt here, for: agentctx verify --erased.",
)


@click.command()
@click.argument("query", required=False)
@click.option("--id", "ids", multiple=True, help="Of this observation.")
@click.option("--attribute", multiple=True, metavar="NAME=VALUE", help="With this attribute.")
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(min=1),
              help="At most so many that fit QUERY.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry
@kept
@filtered
@in_memory
def forget(
    query: str | None,
    ids: Sequence[str],
    attribute: Sequence[str],
    limit: int,
    yes: bool,
    dry_run: bool,
    receipt: Path | None,
    as_json: bool,
    **rest: Any,
) -> None:
    """Remove observations and everything derived from them, down to their bytes on the disk.

    Those with the given ids, attributes, sessions and so on, or the best that fit QUERY.
    """
    where, filters = split(rest)
    _prepare(receipt)

    def confirm(found: "Sequence[Observation]") -> bool:
        return yes or _ask(found)

    with open_memory(**where) as memory:
        done = memory.forget(
            list(ids) or None,
            **filters,
            attributes=attributes(attribute, "--attribute"),
            query=query,
            limit=limit,
            confirm=None if dry_run else confirm,
            dry_run=dry_run,
        )
    _finish(done, receipt, as_json)


def _ask(found: "Sequence[Observation]") -> bool:
    from rich.console import Console

    from agentctx import render

    Console(stderr=True, highlight=False).print(render.timeline(found[:_SHOWN]))
    if len(found) > _SHOWN:
        click.echo(f"  ... and {len(found) - _SHOWN} more", err=True)
    what = "it" if len(found) == 1 else f"these {len(found)}"
    return click.confirm(f"This cannot be undone. Forget {what}?", abort=True, err=True)


def _prepare(receipt: Path | None) -> None:
    """Make the receipt's file before anything is forgotten: nobody can write it a second time."""
    from agentctx.errors import ConfigError
    from agentctx.memory import private

    try:
        if receipt is not None:
            private.file(receipt)
    except OSError as error:
        raise ConfigError(f"{receipt} cannot be written: {error}; nothing was forgotten") from error


def _finish(done: "Receipt", path: Path | None, as_json: bool) -> None:
    if path is not None:
        path.write_text(json.dumps(_plain(done), indent=2), "ascii")
    verb = "would be forgotten" if done.dry_run else "forgotten"
    media = "" if done.dry_run else f", {len(done.media)} media erased"
    emit(done, lambda _: f"{done.forgotten} {verb}{media}", as_json)
    if done.unfinished:
        notice(done.unfinished)
        sys.exit(1)


@click.command()
@dry
@kept
@in_memory
def expire(dry_run: bool, receipt: Path | None, as_json: bool, **where: Any) -> None:
    """Forget what is older than the rules under ``retention`` in the config allow."""
    _prepare(receipt)
    with open_memory(**where) as memory:
        done = memory.expire(dry_run=dry_run)
    _finish(done, receipt, as_json)


@click.command()
@click.option(
    "--erased",
    metavar="RECEIPT",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Look in every byte for what this receipt of a forget says was forgotten.",
)
@in_memory
def verify(erased: Path | None, as_json: bool, **where: Any) -> None:
    """Check that everything stored is whole, or that what was forgotten is gone."""
    with open_memory(**where) as memory:
        if erased is not None:
            receipt = _receipt(erased)
            with progress("searching", quiet=as_json) as update:
                looked = memory.verify_erased(
                    receipt, progress=update and (lambda done, total: update(done, total, ""))
                )
            emit({**_plain(looked), "ok": looked.ok}, lambda _: _erasure(looked), as_json)
            sys.exit(0 if looked.ok else 1)
        found = memory.verify()
    lines = [f"{found.observations} observations, {found.passages} passages, {found.media} media"]
    lines += found.problems or ["no problems"]
    emit(found, lambda _: unstyled("\n".join(lines)), as_json)
    if not found.ok:
        sys.exit(1)


def _receipt(path: Path) -> "Receipt":
    from agentctx.errors import ConfigError
    from agentctx.reports import Receipt

    try:
        given = json.loads(path.read_bytes())
        known = {field.name: given[field.name] for field in fields(Receipt) if field.name in given}
        lists = {name: tuple(known[name]) for name in ("ids", "media")}
        return Receipt(**{**known, **lists, "at": datetime.fromisoformat(known["at"])})
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"{path} is no receipt: {error!r}; give what agentctx forget --receipt wrote"
        ) from error


def _plain(value: Any) -> dict[str, Any]:
    from agentctx import render

    return dict(render.plain(value))


def _erasure(found: "ErasureReport") -> Any:
    from rich.filesize import decimal

    sought = ", ".join(f"{count} {kind}" for kind, count in found.sought.items())
    lines = [
        f"looked for {sought} fingerprints",
        f"in {found.files} files, {decimal(found.bytes)}, and in their names",
    ]
    shared = sum(found.shared.values())
    lines += [f"{shared} more were shared with what remained, and not looked for"] if shared else []
    lines += [
        f"{one.file}: {one.places} places with {one.kind}, the first at {one.offset}"
        for one in found.findings
    ]
    lines += [f"{name}: it cannot be read, so nobody can say" for name in found.opaque]
    lines += ["nothing of it was found"] if found.ok else []
    return unstyled("\n".join(lines))


@click.command()
@in_memory
def repair(as_json: bool, **where: Any) -> None:
    """Mend a memory that is damaged; close every program that uses it first."""
    from agentctx.app import Memory

    directory = where["directory"]
    config = settings(where["config"], where["key_file"])
    with progress("repairing", quiet=as_json) as update:
        done = Memory.repair(directory, config, progress=update)
    lines = [f"found: {problem}" for problem in done.found] or ["found: no problems"]
    if done.salvaged is not None:
        lines += _salvaged(done.salvaged)
    counts = {
        "files removed that belonged to nothing": done.orphans,
        "passages put into the full-text index anew": done.reworded,
        "vectors made anew": done.encoded,
        "rows written to Chroma": done.indexed,
    }
    lines += [f"{count} {what}" for what, count in counts.items() if count]
    lines += [f"left: {problem}" for problem in done.left] or ["nothing is wrong any more"]
    emit(done, lambda _: unstyled("\n".join(lines)), as_json)
    if not done.ok:
        sys.exit(1)


@click.command()
@in_memory
def sync(as_json: bool, **where: Any) -> None:
    """Bring Chroma up to date, for other programs that read it; searches here do not need it."""
    with open_memory(**where) as memory, progress("indexing", quiet=as_json) as update:
        written = memory.sync_index(update and (lambda done, total: update(done, total, "")))
    emit({"written": written}, lambda _: f"{written} rows written to Chroma", as_json)


def _salvaged(report: "SalvageReport") -> list[str]:
    lost = [
        f"  {one.id or f'number {one.key}'}, {one.modality or 'unknown'}, "
        f"{one.captured_at or 'at an unknown time'}, of {one.source or one.session or 'unknown'}"
        for one in report.lost
    ]
    rows = ", ".join(f"{count} of {table}" for table, count in report.lost_rows.items())
    return [
        f"the catalog was damaged: {sum(b - a + 1 for a, b in report.damaged_pages)} of its "
        f"{report.pages} pages",
        f"saved: {report.observations} observations, {report.passages} passages, "
        f"{report.vectors} vectors, {report.media} media",
        *([f"  {len(report.restored)} of them, and {len(report.partial)} in parts, from Chroma"]
          if report.restored or report.partial else []),
        f"lost: {len(report.lost)} observations",
        *lost[:_SHOWN],
        *([f"  and {len(lost) - _SHOWN} more (--json lists all)"] if len(lost) > _SHOWN else []),
        *([f"lost without a trace: {count} numbers of observations, if they were used at all"]
          if (count := report.unaccounted_beyond_forgotten) else []),
        *([f"lost rows: {rows}"] if rows else []),
        f"the damaged file is kept, until something is forgotten: {report.kept}",
    ]  # fmt: skip


@click.command()
@click.option("--encoder", "encoders", multiple=True, help="Its name; that of texts first.")
@click.option("--drop", is_flag=True, help="Erase the vectors that are used no more.")
@in_memory
def reindex(encoders: Sequence[str], drop: bool, as_json: bool, **where: Any) -> None:
    """Move a memory to other encoders while it can be searched; run it again to go on or back."""
    from agentctx.app import Memory
    from agentctx.cli.opening import require_memory

    directory = require_memory(where["directory"])
    config = settings(where["config"], where["key_file"])
    with progress("encoding", quiet=as_json) as update:
        done = Memory.reindex(directory, encoders, config, drop=drop, progress=update)
    lines = [
        f"searched by {', '.join(done.encoders)} now: "
        f"{done.encoded} vectors made, {done.kept} were there",
        *([f"{done.cut_short} passages are longer than it takes in"] if done.cut_short else []),
        *([f"kept to go back to: {', '.join(done.retired)}"] if done.retired else []),
        *([f"{done.dropped} vectors erased"] if done.dropped else []),
    ]
    emit(done, lambda _: unstyled("\n".join(lines)), as_json)
