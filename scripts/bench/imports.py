"""What agentctx costs before it does anything: imports, the command line, the installation.

    python scripts/bench/imports.py [--rounds 9] [--install] [--json]

Times are those of whole fresh processes, next to ``python -c pass``, taking turns. ``--install``
also installs the project into new virtual environments, core and [default], and weighs them; it
needs a package index.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MAIN = "from agentctx.cli import main; main()"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import agentctx": ["-c", "import agentctx"],
    "from agentctx import Memory": ["-c", "from agentctx import Memory"],
    "agentctx --help": ["-c", MAIN, "--help"],
    "agentctx search --help": ["-c", MAIN, "search", "--help"],
}
# What the design asks for, in seconds.
TARGETS = {"import agentctx": 0.15, "agentctx --help": 0.3}
LIST = "import importlib.metadata as m; print(len(list(m.distributions())))"


def times(rounds: int) -> dict[str, float]:
    """Seconds of each command, median."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            if number:  # the first round fills the disk's cache
                seconds[name].append(time.perf_counter() - started)
    return {name: round(statistics.median(values), 4) for name, values in seconds.items()}


def weigh(extra: str) -> dict[str, float]:
    """An installation of its own: megabytes of site-packages without pip, and distributions."""
    with tempfile.TemporaryDirectory() as directory:
        venv.create(directory, with_pip=True)
        python = next(Path(directory).glob("*/python"))
        (packages,) = Path(directory).glob("lib/python*/site-packages")
        before, listed = size(packages), distributions(python)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", f"{ROOT}{extra}"]
        started = time.perf_counter()
        subprocess.run(install, check=True)
        seconds = time.perf_counter() - started
        largest = sorted(packages.iterdir(), key=size, reverse=True)[:8]
        return {
            "megabytes": round((size(packages) - before) / 1e6, 1),
            "distributions": distributions(python) - listed,
            "seconds": round(seconds, 1),
            "largest_megabytes": {path.name: round(size(path) / 1e6, 1) for path in largest},
        }


def distributions(python: Path) -> int:
    """How many distributions an environment has."""
    return int(subprocess.run([str(python), "-c", LIST], check=True, capture_output=True).stdout)


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a directory."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


def report(found: Mapping[str, Any]) -> str:
    """The figures as text."""
    lines = [
        f"{name:28} {seconds:7.3f} s" + (f"  (at most {TARGETS[name]})" if name in TARGETS else "")
        for name, seconds in found["times_s"].items()
    ]
    for name, row in found.get("install", {}).items():
        lines.append(
            f"{name:28} {row['megabytes']} MB, {row['distributions']} distributions, "
            f"installed in {row['seconds']} s"
        )
        lines += [f"    {path:26} {mb} MB" for path, mb in row["largest_megabytes"].items()]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--install", action="store_true", help="weigh installations as well")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {"times_s": times(options.rounds), "targets_s": TARGETS}
    if options.install:
        found["install"] = {f"agentctx{extra}": weigh(extra) for extra in ("", "[default]")}
    print(json.dumps(found, indent=1) if options.json else report(found))


if __name__ == "__main__":
    main()
