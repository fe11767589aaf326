"""``agentctx eval``: every evaluation that a data folder has data for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentctx import __version__
from agentctx.config import DEFAULT_ENCODERS, Config
from agentctx.errors import SourceNotFound
from agentctx.evaluate.formats import FORMATS, Result, checked, format_of
from agentctx.evaluate.retrieval import Options
from agentctx.ingest import Progress


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured: a result for each part, by the name of its folder.

    ``unread``: the folders in the data whose format no one knows.
    """

    data: Path
    version: str
    encoders: Sequence[str]
    reranker: str | None
    parts: Mapping[str, Result]
    unread: Sequence[str] = ()


def run(
    data: Path,
    only: Collection[str] = (),
    config: Config | None = None,
    progress: Progress | None = None,
    options: Options | None = None,
    format: str | None = None,
) -> Evaluation:
    """Measure on every folder in ``data`` whose format is known, or on ``data`` itself.

    ``data`` is itself a dataset when it is in one of the formats, or when ``format`` names one.
    ``only`` names the folders to measure, which must then be there. Everything is done in
    temporary memories. ``progress(done, total, name)`` is called as a part goes on.

    Raises ConfigError for a format that no one knows, and SourceNotFound when there is nothing to
    measure.
    """
    settings = config or Config()
    found, unread = _parts(data, only, format)

    def tell(done: int, total: int, name: str) -> None:
        if progress:
            progress(done, total, name)

    parts = {
        folder.name: FORMATS[kind].measure(folder, settings, tell, options or Options())
        for folder, kind in found.items()
    }
    return Evaluation(
        data,
        __version__,
        settings.encoders or DEFAULT_ENCODERS,
        settings.reranker,
        parts,
        unread,
    )


def _parts(
    data: Path, only: Collection[str], named: str | None
) -> tuple[dict[Path, str], list[str]]:
    """The folders to measure with their formats, and the names of those of no known format."""
    if named is not None:
        return {data.resolve(): checked(named)}, []
    folders = {path.name: path for path in sorted(data.iterdir()) if path.is_dir()}
    if missing := sorted(set(only) - set(folders)):
        raise SourceNotFound(data, f"it has no directory named {' or '.join(missing)}")
    if not only and (kind := next((n for n, f in FORMATS.items() if f.fits(data)), None)):
        return {data.resolve(): kind}, []
    wanted = {path: format_of(path) for name, path in folders.items() if not only or name in only}
    unread = [path.name for path, kind in wanted.items() if kind is None]
    found = {path: kind for path, kind in wanted.items() if kind is not None}
    if not found or (only and unread):
        names = f" ({', '.join(unread)})" if unread else ""
        raise SourceNotFound(
            data,
            f"neither it nor a directory in it{names} is in a format that can be measured: "
            f"{', '.join(FORMATS)}; docs/evaluation.md has what each looks like",
        )
    return found, unread
