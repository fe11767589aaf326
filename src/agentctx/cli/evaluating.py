"""The command that measures: quality beside latency, on data of the user's."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentctx.cli.opening import require_memory, settings
from agentctx.cli.options import in_json, in_memory, options
from agentctx.cli.output import emit, progress

if TYPE_CHECKING:
    from agentctx.evaluate.comparison import Comparison
    from agentctx.evaluate.run import Evaluation

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)

_measured = options(
    click.option(
        "--data",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="A dataset, or a folder of datasets; docs/evaluation.md has the formats.",
    ),
    click.option("--only", multiple=True, metavar="NAME", help="Only this folder in the data."),
    click.option("--format", "named", metavar="FORMAT", help="The format of the data itself."),
    click.option(
        "--sample", type=click.IntRange(min=1), default=None, help="Ask at most so many questions."
    ),
    click.option(
        "--probe", multiple=True, metavar="NAME", help="As well: abstention, gap, leakage."
    ),
    click.option(
        "--off-topic", type=_FILE, help="Questions that the data do not answer, one a line."
    ),
    click.option("--no-baselines", is_flag=True, help="Do not ask plain Chroma and plain BM25."),
    click.option("--config", type=_FILE, help="A TOML file with options."),
)
_compared = options(
    click.option("--compare-config", type=_FILE, help="Measure with this too, and compare."),
    click.option("--compare", type=_FILE, nargs=2, metavar="A B", help="Compare two saved runs."),
)
_written = options(
    click.option("--save", type=_NEW, help="Write the run, with every question, as JSON."),
    click.option("--html", type=_NEW, help="Write a page with tables and plots."),
    in_json,
)


@click.group("eval", invoke_without_command=True)
@_measured
@_compared
@_written
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    data: Path | None,
    config: Path | None,
    compare_config: Path | None,
    compare: tuple[Path, Path] | None,
    save: Path | None,
    html: Path | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Measure retrieval and recognition on data of yours, or compare two runs."""
    if context.invoked_subcommand:
        return
    if (data is None) == (compare is None):
        raise click.UsageError("give --data DIR, or --compare A B")
    if data is None:
        if any(how.values()) or config or compare_config or save:
            raise click.UsageError("--compare takes nothing but --html and --json")
        from agentctx.evaluate import saved

        runs = [saved.read(path) for path in compare or ()]
        _show_comparison(_compare(*runs), html, as_json)
        return
    found = _run(data, config, as_json, **how)
    if save:
        from agentctx.evaluate import saved

        saved.save(found, save)
    if compare_config is None:
        _show(found, html, as_json)
        return
    from agentctx.evaluate.saved import run_of

    other = _run(data, compare_config, as_json, **how)
    names = config.name if config else "the defaults", compare_config.name
    compared = _compare(run_of(found, names[0]), run_of(other, names[1]))
    _show_comparison(compared, html, as_json)


def _run(
    data: Path,
    config: Path | None,
    as_json: bool,
    only: Sequence[str],
    named: str | None,
    sample: int | None,
    probe: Sequence[str],
    off_topic: Path | None,
    no_baselines: bool,
) -> "Evaluation":
    from agentctx.evaluate.abstention import OFF_TOPIC, questions_of
    from agentctx.evaluate.retrieval import Options
    from agentctx.evaluate.run import run

    asked = questions_of(off_topic) if off_topic else OFF_TOPIC
    chosen = Options(
        probes=frozenset(probe),
        off_topic=asked,
        sample=sample or 0,
        baselines=not no_baselines,
    )
    with progress("measuring", quiet=as_json) as update:
        return run(data, only, settings(config, None), update, chosen, named)


def _compare(a: Any, b: Any) -> "Comparison":
    from agentctx.evaluate.comparison import compare

    return compare(a, b)


def _show(found: "Evaluation", html: Path | None, as_json: bool) -> None:
    from agentctx.evaluate import report, saved

    plain = saved.summary(found)
    if html:
        from agentctx.evaluate.html import evaluation_page, write

        write(evaluation_page(found), html)
    emit(plain, lambda _: report.table(found), as_json)


def _show_comparison(found: "Comparison", html: Path | None, as_json: bool) -> None:
    from agentctx.evaluate import report

    if html:
        from agentctx.evaluate.html import comparison_page, write

        write(comparison_page(found), html)
    emit(found, lambda _: report.comparison_table(found), as_json)


@evaluate.command()
@click.option("--html", type=_NEW, help="Write a page with tables and plots.")
@click.option(
    "--plane",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    help="Lay the points out by principal components, or by neighbours (extra umap).",
)
@in_memory
def gap(
    directory: Path,
    config: Path | None,
    key_file: Path | None,
    html: Path | None,
    plane: str,
    as_json: bool,
) -> None:
    """Show how far the modalities of a memory lie apart in its spaces."""
    from agentctx.evaluate import gap as measuring
    from agentctx.evaluate import report

    name = directory.name
    found = measuring.of_memory(require_memory(directory), settings(config, key_file), plane)
    if html:
        from agentctx.evaluate.html import gap_page, write

        write(gap_page(found, name), html)
    emit(found, lambda _: report.part_table(found, name), as_json)
