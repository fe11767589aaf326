"""What a shared memory bears: killed processes, full disks, damaged files.

    python scripts/stress.py share [--seconds 180] [--processes 8] [--every 4] [--encoder light]
    python scripts/stress.py kill [--points 300] [--sizes 100,1000,10000,20000] [--only TEXT]
    python scripts/stress.py damage [--only TEXT]
    python scripts/stress.py disk
    python scripts/stress.py writers [--seconds 180]

Each is bounded in time, prints a table, and writes its part of a report with ``--report FILE``.
Linux only; ``disk`` needs root.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stress_parts import damage, disk, killing, sharing, writers

Report = dict[str, Any]


def _share(given: argparse.Namespace) -> Report:
    return sharing.share(sharing.Stress(given.processes, given.seconds, given.every, given.encoder))


def _kill(given: argparse.Namespace) -> Report:
    sizes = [int(size) for size in given.sizes.split(",") if size]
    return killing.kill(given.points, sizes, given.only)


PARTS: Mapping[str, tuple[Callable[[argparse.Namespace], Report], Callable[[Report], str]]] = {
    "share": (_share, sharing.table),
    "kill": (_kill, killing.table),
    "disk": (lambda given: disk.disk(given.encoder), disk.table),
    "writers": (lambda given: writers.write(given.seconds, given.encoder), writers.table),
    "damage": (lambda given: damage.damage(given.only), damage.table),
}


def main() -> None:
    """Run one part, print its table, write its report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two kills")
    parser.add_argument("--encoder", choices=("light", "minilm"), default="light")
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--sizes", default="100,1000,10000,20000")
    parser.add_argument("--only", default="", help="kills or damages with this in their names")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    run, table = PARTS[given.part]
    report = run(given)
    if given.report:
        given.report.parent.mkdir(parents=True, exist_ok=True)
        given.report.write_text(json.dumps({given.part: report}, indent=1), "utf-8")
    print(table(report))


if __name__ == "__main__":
    main()
