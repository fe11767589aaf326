"""The picture of scripts/bench/scale.py's figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLOURS = {"none": "#4c72b0", "time": "#dd8452", "modality": "#55a868", "both": "#8172b3"}
MEANING = {
    "none": "no filter",
    "time": "1 % of the time",
    "modality": "one modality",
    "both": "both",
}
TARGET_MS = 60.0


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Times by call and filter, one panel for each size; below, memory and disk per entry."""
    from matplotlib.figure import Figure

    sizes = found["sizes"]
    figure = Figure(figsize=(7.5 * len(sizes), 11), layout="constrained")
    grid = figure.add_gridspec(2, len(sizes), height_ratios=(4, 1))
    for column, size in enumerate(sizes):
        _times(figure.add_subplot(grid[0, column]), size, legend=column == 0)
    _room(figure.add_subplot(grid[1, :]), sizes)
    figure.savefig(path, dpi=110)


def _times(axes: Any, size: Mapping[str, Any], *, legend: bool) -> None:  # noqa: ANN401
    place, ticks = 0.0, []
    for name, by_filter in reversed(size["calls"].items()):
        first = place
        for only, row in reversed(by_filter.items()):
            late = [[0.0], [row["p95_ms"] - row["p50_ms"]]]
            axes.barh(place, row["p50_ms"], 0.8, color=COLOURS[only], xerr=late,
                      error_kw={"ecolor": "#666666", "capsize": 2, "lw": 1})  # fmt: skip
            place += 1
        ticks.append(((first + place - 1) / 2, name))
        place += 0.8
    axes.axvline(TARGET_MS, color="black", ls=":", lw=1)
    axes.text(TARGET_MS, place, f" {TARGET_MS:.0f} ms", va="center", fontsize=8)
    axes.set_yticks([at for at, _ in ticks], [_wrapped(name) for _, name in ticks], fontsize=9)
    axes.set_ylim(-1, place + 0.5)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds: bars p50, lines to p95")
    axes.set_title(f"{size['entries']:,} entries, {size['questions']} questions")
    axes.grid(axis="x", alpha=0.3)
    if legend:
        from matplotlib.patches import Patch

        patches = [Patch(color=COLOURS[only], label=MEANING[only]) for only in COLOURS]
        axes.legend(handles=patches, fontsize=9, loc="lower right")


def _room(axes: Any, sizes: Any) -> None:  # noqa: ANN401
    rows = []
    for size in reversed(sizes):
        disk, fresh = size["disk_bytes_per_entry"], size["fresh_process"]
        entries = size["entries"]
        rows += [
            (f"memory of a process, {entries:,}", {
                "bare Chroma": fresh["bare Chroma, vector given"]["rss_kb"] * 1024 / entries,
            }),
            (f"memory of a process, {entries:,}", {
                "agentctx": fresh["agentctx"]["rss_kb"] * 1024 / entries,
            }),
            (f"disk, {entries:,}", {"catalog": disk["catalog"], "Chroma's files": disk["chroma"]}),
        ]  # fmt: skip
    colours = {"bare Chroma": "#c44e52", "agentctx": "#4c72b0",
               "catalog": "#64b5cd", "Chroma's files": "#da8bc3"}  # fmt: skip
    for place, (_, parts) in enumerate(rows):
        left = 0.0
        for name, value in parts.items():
            axes.barh(place, value, left=left, color=colours[name])
            axes.text(left + value / 2, place, f"{name}: {value / 1024:.1f}", fontsize=8,
                      ha="center", va="center", color="white", clip_on=True)  # fmt: skip
            left += value
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=9)
    axes.set_xlabel("bytes per entry (labels in KiB)")
    axes.set_title("Memory and disk per entry")


def _wrapped(name: str) -> str:
    return name.replace(", ", ",\n").replace(" by late", "\nby late")
