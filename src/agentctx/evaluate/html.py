"""Evaluations and comparisons as one page of HTML that needs nothing else."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from html import escape
from pathlib import Path

from agentctx.errors import ConfigError
from agentctx.evaluate import plots
from agentctx.evaluate.bias import BiasResult
from agentctx.evaluate.comparison import Comparison
from agentctx.evaluate.days import DaysResult
from agentctx.evaluate.gap import Gap
from agentctx.evaluate.report import part_tables
from agentctx.evaluate.retrieval import RetrievalResult
from agentctx.evaluate.run import Evaluation
from agentctx.evaluate.speech import SpeechResult
from agentctx.evaluate.tables import Table, tables

_STYLE = """
:root { color-scheme: light; --ink: #1f2933; --soft: #616e7c; --line: #e4e7eb; --mark: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7fa; color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
header, main, footer { max-width: 1160px; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0;
  color: var(--soft); font-size: .92rem; }
dd { margin: 0; overflow-wrap: anywhere; }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px;
  padding: 1.25rem; margin: 1.25rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child, td.words, th.words { text-align: left; }
th:first-child, td:first-child { position: sticky; left: 0; background: #fff; }
td.words { white-space: normal; min-width: 11rem; }
table.first tbody tr:first-child td { font-weight: 600; color: var(--mark); }
.note { color: var(--soft); font-size: .85rem; margin: .4rem 0 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr));
  gap: 1rem; margin-top: 1.25rem; align-items: start; }
figure { margin: 0; }
figure img { width: 100%; max-width: 520px; height: auto; display: block; }
figcaption { font-size: .85rem; color: var(--soft); margin-bottom: .3rem; }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; }
@media (max-width: 600px) { section { padding: 1rem .8rem; border-radius: 0; margin: 1rem -1rem; }
  th, td { padding: .3rem .45rem; } }
"""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with what it shows in words."""

    title: str
    svg: str


@singledispatch
def plots_of(result: object) -> list[Plot]:
    """The plots of a part; a new kind of result registers here, if it has any."""
    del result
    return []


@plots_of.register
def _(found: RetrievalResult) -> list[Plot]:
    ours = found.methods[0]
    shown = [Plot("Each way to search, with 95 % intervals", plots.methods(found.methods))]
    if len(ours.categories) > 1:
        shown.append(Plot("By category, with 95 % intervals", plots.categories(ours)))
    if len(found.pairs) > 1:
        shown.append(Plot("By the modality of query and item", plots.pairs(found.pairs)))
    return shown + (plots_of(found.gap) if found.gap else [])


@plots_of.register
def _(found: Gap) -> list[Plot]:
    return [
        plot
        for space in found.spaces
        for plot in (
            Plot(f"The space {space.space} from where it is widest", plots.components(space)),
            Plot(f"Similarities in {space.space}", plots.similarities(space)),
        )
    ]


@plots_of.register
def _(found: BiasResult) -> list[Plot]:
    return [Plot("Who is among the first 10, against the base rate", plots.shares(found))]


@plots_of.register
def _(found: SpeechResult) -> list[Plot]:
    return [Plot("Words heard wrong, by recording", plots.errors(found))]


@plots_of.register
def _(found: DaysResult) -> list[Plot]:
    return [Plot("All it takes in 5 hits, by type of question", plots.types(found))]


def evaluation_page(found: Evaluation) -> str:
    """The page of an evaluation: a section for each part."""
    about = {
        "data": str(found.data),
        "agentctx": found.version,
        "encoders": ", ".join(found.encoders),
        "reranker": found.reranker or "none",
    }
    if found.unread:
        about["not measured"] = f"{', '.join(found.unread)} (of no format that is known)"
    sections = [
        _section(name, tables(part, name), plots_of(part)) for name, part in found.parts.items()
    ]
    return _page("What agentctx finds", about, sections)


def comparison_page(found: Comparison) -> str:
    """The page of a comparison: a section for each part."""
    about = {"A": found.a, "B": found.b}
    if found.unmatched:
        about["only in one"] = ", ".join(found.unmatched)
    sections = [
        _section(
            part.part,
            part_tables(part),
            [Plot("B less A, with 95 % intervals", plots.differences(part))],
        )
        for part in found.parts
    ]
    return _page(f"{found.b} against {found.a}", about, sections)


def gap_page(found: Gap, name: str) -> str:
    """The page of a memory's modality gap."""
    section = _section(name, tables(found, name), plots_of(found))
    return _page("How far modalities lie apart", {"memory": name}, [section])


def write(page: str, path: Path) -> None:
    """Write a page; raises ConfigError when that is not possible."""
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error


def _page(title: str, about: dict[str, str], sections: Sequence[str]) -> str:
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in about.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(title)}</h1>\n<dl>{facts}</dl>\n</header>\n<main>\n"
        + "\n".join(sections)
        + "\n</main>\n<footer>Intervals are 95 %, by bootstrap over the questions. "
        "What each figure means: docs/evaluation.md.</footer>\n</body>\n</html>\n"
    )


def _section(name: str, shown: Sequence[Table], drawn: Sequence[Plot]) -> str:
    return "\n".join(_lines(name, shown, drawn))


def _lines(name: str, shown: Sequence[Table], drawn: Sequence[Plot]) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(name)}</h2>"
    for table in shown:
        yield _table(table, name)
    if drawn:
        yield '<div class="plots">'
        yield from map(_figure, drawn)
        yield "</div>"
    yield "</section>"


def _table(table: Table, part: str) -> str:
    words = {number for number, column in enumerate(table.columns) if column == "question"}

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag} class=words>{escape(cell)}</{tag}>"
            if number in words
            else f"<{tag}>{escape(cell)}</{tag}>"
            for number, cell in enumerate(row)
        )

    title = table.title.removeprefix(f"{part}: ")
    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    kind = " class=first" if table.first else ""
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f"<h3>{escape(title)}</h3>\n<div class=wide><table{kind}><thead><tr>"
        f"{cells('th', table.columns)}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _figure(plot: Plot) -> str:
    # As a picture of its own, so that the names inside one SVG cannot meet those of another.
    data = base64.b64encode(plot.svg.encode()).decode()
    return (
        f"<figure><figcaption>{escape(plot.title)}</figcaption>"
        f'<img alt="{escape(plot.title, quote=True)}" src="data:image/svg+xml;base64,{data}">'
        "</figure>"
    )
