"""The tables of docs/benchmarks.md from the figures of scripts/bench/scale.py.

python scripts/bench/scaletable.py scale.json
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FILTERS = ("none", "time", "modality", "both")


def row(*cells: object) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def times(size: Mapping[str, Any]) -> Iterator[str]:
    """p50 / p95 by call and filter, and how much a filter costs at most."""
    yield row("call (p50 / p95 in ms)", "no filter", "1 % of the time", "one modality", "both",
              "filtered / unfiltered")  # fmt: skip
    yield "|---|---|---|---|---|---|"
    ratios = size["targets"]["filtered_over_unfiltered"]
    for name, by_filter in size["calls"].items():
        cells = [
            f"{by_filter[only]['p50_ms']:.1f} / {by_filter[only]['p95_ms']:.1f}"
            if only in by_filter
            else ""
            for only in FILTERS
        ]
        spread = sorted(ratios.get(name, {}).values())
        yield row(name, *cells, f"{spread[0]} to {spread[-1]}" if spread else "")


def recalls(size: Mapping[str, Any]) -> Iterator[str]:
    """Recall@10 by path and filter."""
    yield row("recall@10 against exact search", *FILTERS)
    yield "|---|---|---|---|---|"
    for name, by_filter in size["recall_at_10"].items():
        yield row(name, *(f"{by_filter[only]:.3f}" for only in FILTERS))


def stages(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Mean wall and processor time of each stage, by size."""
    yield row("stage (wall / processor, mean ms)", *(f"{size['entries']:,}" for size in sizes))
    yield "|---|" + "---|" * len(sizes)
    for name in sizes[-1]["stages_mean"]["none"]:
        parts = [size["stages_mean"]["none"].get(name) for size in sizes]
        yield row(name, *(f"{p['ms']:.1f} / {p['processor_ms']:.1f}" if p else "" for p in parts))


def room(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Disk, memory and first answers, by size."""
    yield row("", *(f"{size['entries']:,}" for size in sizes))
    yield "|---|" + "---|" * len(sizes)
    disk = [size["disk_bytes_per_entry"] for size in sizes]
    yield row("catalog, bytes per entry", *(f"{one['catalog']:.0f}" for one in disk))
    for table in list(disk[-1]["tables"])[:4]:
        yield row(f"... `{table}`", *(f"{one['tables'][table]:.0f}" for one in disk))
    yield row("Chroma's files, bytes per entry", *(f"{one['chroma']:.0f}" for one in disk))
    fresh = [size["fresh_process"] for size in sizes]
    for name in ("agentctx", "bare Chroma, vector given"):
        rss = [f"{one[name]['rss_kb'] / 1024:.0f} MiB" for one in fresh]
        yield row(f"memory of a process after ten searches, {name}", *rss)
    for name in ("agentctx", "bare Chroma, vector given"):
        answered = [f"{one[name]['answered_s']:.2f} s" for one in fresh]
        yield row(f"first answer of a fresh process, {name}", *answered)
    whole = [f"{one['agentctx search']['process_s']:.2f} s" for one in fresh]
    yield row("`agentctx search`, the whole process", *whole)


def main() -> None:
    """Print all tables."""
    found = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    sizes = found["sizes"]
    tables = [lines for size in sizes for lines in (times(size), recalls(size))]
    for lines in (*tables, stages(sizes), room(sizes)):
        print("\n".join(lines), end="\n\n")
    print(found["growth"], found["machine"], *(size["made"] for size in sizes), sep="\n")


if __name__ == "__main__":
    main()
