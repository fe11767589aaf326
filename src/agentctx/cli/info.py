"""Commands about agentctx itself: what is there, whether it works, how well."""

import sys
from pathlib import Path

import click

from agentctx.cli.opening import settings
from agentctx.cli.options import in_json, in_memory
from agentctx.cli.output import emit, progress, unstyled


@click.command()
@in_json
def plugins(as_json: bool) -> None:
    """List plugins, encoders, rerankers and watchers, and what is missing."""
    from agentctx.registry import listing

    rows = listing()
    emit(rows, lambda render: render.listing(rows), as_json)


@click.command()
@in_memory
def doctor(as_json: bool, directory: Path, config: Path | None, key_file: Path | None) -> None:
    """Check this installation: packages, weights, the memory's directory."""
    from agentctx.doctor import examine

    checks = examine(directory, settings(config, key_file))
    text = "\n".join(f"{'ok     ' if c.ok else 'PROBLEM'} {c.name}: {c.detail}" for c in checks)
    emit(checks, lambda _: unstyled(text), as_json)
    if not all(check.ok for check in checks):
        sys.exit(1)


@click.command()
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Keep it here.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw the timeline.")
@in_json
def demo(directory: Path | None, png: Path | None, as_json: bool) -> None:
    """One incident on screen, in speech and in sensor readings: add it, ask it."""
    from agentctx.demo.run import run, show

    with progress("adding", quiet=as_json) as update:
        done = run(directory, png, update)
    emit(done, lambda _: show(done), as_json)
    if not done.ok:
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@in_json
def keygen(file: Path, as_json: bool) -> None:
    """Write a new random key for encrypted memories into FILE, which must not exist."""
    from agentctx.memory.keys import new_file

    new_file(file)
    emit(
        {"file": file},
        lambda _: unstyled(f"{file}: keep a copy; without it, nothing opens"),
        as_json,
    )
