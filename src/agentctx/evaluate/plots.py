"""Figures of an evaluation, as SVG made by matplotlib (extra ``eval``).

They are drawn narrow, so that a phone shows them at about their own size, with text as text.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from agentctx.evaluate.tables import metric_name
from agentctx.extras import require

if TYPE_CHECKING:
    from agentctx.evaluate.bias import BiasResult
    from agentctx.evaluate.comparison import PartComparison
    from agentctx.evaluate.days import DaysResult
    from agentctx.evaluate.gap import SpaceGap
    from agentctx.evaluate.metrics import Estimate
    from agentctx.evaluate.results import Method, Pair
    from agentctx.evaluate.speech import SpeechResult

_WIDTH = 5.4  # inches; 72 units of the SVG each
INK, SOFT, PAPER = "#1f2933", "#8592a0", "#ffffff"
# Okabe & Ito's colours, which the colour-blind tell apart.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a7a7a")
_METRICS = (
    ("recall_at_10", "recall@10"),
    ("recall_at_50", "recall@50"),
    ("success_at_1", "success@1"),
    ("mrr", "MRR"),
    ("ndcg_at_10", "nDCG@10"),
)
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "agentctx",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
}


class _Figure:
    """A figure of one plot, or of several side by side."""

    def __init__(self, height: float, panels: int = 1) -> None:
        self._matplotlib = require("matplotlib", extra="eval")
        figure = require("matplotlib.figure", extra="eval").Figure
        with self._style():
            self.figure: Any = figure(figsize=(_WIDTH, height), layout="constrained")
            self.panels: Any = self.figure.subplots(1, panels, squeeze=False)[0]
            self.figure.get_layout_engine().set(wspace=0.1)
        self.axes: Any = self.panels[0]

    def _style(self) -> Any:  # noqa: ANN401
        # Matplotlib looks for installed fonts, and none of the first of the list need be there.
        return self._matplotlib.rc_context(_STYLE)

    def legend(self, columns: int) -> None:
        """Name what was drawn, above the plot."""
        self.figure.legend(loc="outside upper left", ncols=columns, frameon=False, markerscale=2)

    def svg(self) -> str:
        """The picture, from its ``<svg`` on."""
        # Names are of the user's data: a dollar in them begins no formula.
        for shown in self.figure.findobj(require("matplotlib.text", extra="eval").Text):
            shown.set_parse_math(False)
        text = StringIO()
        with self._style():
            self.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        found = text.getvalue()
        return found[found.index("<svg") :]


def methods(found: Sequence["Method"]) -> str:
    """Every metric of every method, with its interval."""
    series = {
        method.name: [getattr(method.overall, metric) for metric, _ in _METRICS] for method in found
    }
    return _grouped([name for _, name in _METRICS], series)


def types(found: "DaysResult") -> str:
    """Of every type of question the share answered by each method, with its interval."""
    names = list(found.methods[0].types)
    series = {
        method.name: [
            method.types[name].all_at_5 if name in method.types else None for name in names
        ]
        for method in found.methods
    }
    return _grouped(names, series)


def _grouped(names: Sequence[str], series: Mapping[str, Sequence["Estimate | None"]]) -> str:
    """A bar of each series under each name; what is None has none."""
    plot = _Figure(0.9 + 0.17 * len(names) * (len(series) + 1))
    step = 0.8 / len(series)
    for number, (label, found) in enumerate(series.items()):
        known = [(place, row) for place, row in enumerate(found) if row is not None]
        places = [place + number * step for place, _ in known]
        rows = [row for _, row in known]
        _bars(plot.axes, places, rows, step, COLOURS[number % len(COLOURS)], label)
    _rows(plot.axes, [place + 0.4 - step / 2 for place in range(len(names))], names, (0, 1))
    plot.legend(2)
    return plot.svg()


def categories(method: "Method") -> str:
    """Recall@10 by category, with its interval."""
    names = list(method.categories)
    plot = _Figure(0.7 + 0.34 * len(names))
    rows = [method.categories[name].recall_at_10 for name in names]
    _bars(plot.axes, list(range(len(names))), rows, 0.62, COLOURS[0], "")
    labels = [f"{name} ({method.categories[name].questions})" for name in names]
    _rows(plot.axes, list(range(len(names))), labels, (0, 1))
    plot.axes.set_xlabel(f"recall@10 of {method.name}")
    return plot.svg()


def _bars(
    axes: Any,  # noqa: ANN401
    places: Sequence[float],
    rows: Sequence["Estimate"],
    height: float,
    colour: str,
    label: str,
) -> None:
    means = [row.mean for row in rows]
    below = [max(row.mean - row.low, 0.0) for row in rows]
    above = [max(row.high - row.mean, 0.0) for row in rows]
    axes.barh(
        places,
        means,
        height * 0.92,
        color=colour,
        label=label,
        xerr=(below, above),
        error_kw={"ecolor": INK, "elinewidth": 1.0, "capsize": 2.0},
    )


def _rows(
    axes: Any,  # noqa: ANN401
    places: Sequence[float],
    names: Sequence[str],
    limits: tuple[float, float] | None,
) -> None:
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e4e7eb", linewidth=0.8)
    if limits:
        axes.set_xlim(*limits)


def pairs(found: Sequence["Pair"]) -> str:
    """Recall@10 of every modality of query against every modality of item, as a map."""
    queries = sorted({pair.query for pair in found})
    items = sorted({pair.item for pair in found})
    plot = _Figure(1.0 + 0.5 * len(queries))
    plot.axes.set_xlim(-0.5, len(items) - 0.5)
    plot.axes.set_ylim(len(queries) - 0.5, -0.5)
    patches = require("matplotlib.patches", extra="eval")
    for pair in found:
        row, column = queries.index(pair.query), items.index(pair.item)
        mean = pair.scores.recall_at_10.mean
        corner = (column - 0.47, row - 0.44)
        box = patches.Rectangle(corner, 0.94, 0.88, color=COLOURS[0], alpha=0.08 + 0.82 * mean)
        plot.axes.add_patch(box)
        colour = PAPER if mean > 0.5 else INK
        plot.axes.text(column, row, f"{mean:.2f}", color=colour, ha="center", va="center")
    plot.axes.set_xticks(range(len(items)), items)
    plot.axes.set_yticks(range(len(queries)), [f"{name} query" for name in queries])
    plot.axes.tick_params(length=0)
    plot.axes.spines[:].set_visible(False)
    plot.axes.set_xlabel("recall@10 among the items of")
    return plot.svg()


def components(space: "SpaceGap") -> str:
    """The vectors on a plane, coloured by modality: as they are, and beside it when shifted."""
    both = [("", space)]
    if space.shifted is not None:
        both = [("as they are", space), ("shifted", space.shifted)]
    plot = _Figure(4.2 if len(both) == 1 else 3.6, len(both))
    for axes, (title, one) in zip(plot.panels, both, strict=True):
        for number, (name, points) in enumerate(one.points.items()):
            xs, ys = [x for x, _ in points], [y for _, y in points]
            colour = COLOURS[number % len(COLOURS)]
            label = name if one is space else None
            axes.scatter(xs, ys, s=12, color=colour, alpha=0.55, linewidths=0, label=label)
        first, second = one.explained
        if any(one.explained):
            axes.set_xlabel(f"first component ({first:.0%})")
            axes.set_ylabel(f"second ({second:.0%})")
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(color="#e4e7eb", linewidth=0.8)
    plot.legend(3)
    return plot.svg()


def similarities(space: "SpaceGap") -> str:
    """How the cosines of pairs are distributed, one curve for each kind of pair."""
    rows = space.similarities
    plot = _Figure(2.6 + 0.2 * len(rows))
    for number, one in enumerate(rows):
        width = 2 / len(one.counts)
        middles = [-1 + width * (place + 0.5) for place in range(len(one.counts))]
        shares = [count / one.pairs for count in one.counts]
        kind = " (matching)" if one.kind == "matching" else ""
        plot.axes.plot(
            middles,
            shares,
            color=COLOURS[number % len(COLOURS)],
            linestyle="--" if kind else "-",
            linewidth=1.6,
            label=f"{one.one} – {one.other}{kind}",
        )
    plot.axes.set_xlabel("cosine")
    plot.axes.set_ylabel("share of pairs")
    plot.axes.set_ylim(bottom=0)
    plot.axes.grid(color="#e4e7eb", linewidth=0.8)
    plot.legend(1)
    return plot.svg()


def shares(found: "BiasResult") -> str:
    """Each group's share of the first 10 hits against its base rate."""
    names = [one.group for one in found.groups]
    plot = _Figure(1.1 + 0.4 * len(names))
    places = list(range(len(names)))
    _bars(plot.axes, places, [one.share_at_10 for one in found.groups], 0.6, COLOURS[0], "hits")
    rates = [one.base_rate for one in found.groups]
    plot.axes.scatter(
        rates, places, marker="|", s=320, color=COLOURS[5], zorder=3, label="base rate"
    )
    _rows(plot.axes, places, names, (0, 1))
    plot.axes.set_xlabel("share")
    plot.legend(2)
    return plot.svg()


def errors(found: "SpeechResult") -> str:
    """The word error rate of each recording."""
    plot = _Figure(0.8 + 0.3 * len(found.clips))
    places = list(range(len(found.clips)))
    rates = [clip.error_rate for clip in found.clips]
    plot.axes.barh(places, rates, 0.6, color=COLOURS[0])
    _rows(plot.axes, places, [clip.file for clip in found.clips], None)
    plot.axes.set_xlabel("word error rate")
    return plot.svg()


def differences(part: "PartComparison") -> str:
    """B less A for each metric, with its interval; what leaves 0 out is coloured."""
    rows = part.differences
    plot = _Figure(0.8 + 0.3 * len(rows))
    plot.axes.axvline(0, color=SOFT, linewidth=1)
    for place, one in enumerate(rows):
        colour = SOFT if not one.clear else COLOURS[2] if one.difference.mean > 0 else COLOURS[5]
        ends = (one.difference.low, one.difference.high)
        plot.axes.plot(ends, (place, place), color=colour, linewidth=2.2, solid_capstyle="round")
        plot.axes.scatter([one.difference.mean], [place], color=colour, s=34, zorder=3)
    names = [metric_name(one.metric) for one in rows]
    _rows(plot.axes, list(range(len(rows))), names, None)
    plot.axes.set_xlabel("B − A")
    return plot.svg()
