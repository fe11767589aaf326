"""Attacks by text, end to end: what of them an agent is shown as data, and how many are flagged.

    python scripts/bench/injection.py [--locomo DIR] [--screens DIR] [--part all] [--json]

Every attack of ``tests/hygiene/attacks.json`` is put into a source (a picture that OCR reads, a
recording by espeak-ng that the speech plugin hears, a transcript, a sensor log, a file's name, a
note), added to a memory, and asked for with every tool that reads. Two thirds of the attacks were
looked at while the rules were written; the last third was not, and is what to go by.

False flags are counted on text that attacks nobody: the project's own documentation, in stretches
of 400 characters, and the demo's samples; with ``--locomo`` the turns of its conversations, and
with ``--screens`` what OCR reads on a directory of screenshots.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from agentctx import Memory
from agentctx.suspicion import reasons

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from injection_parts.carriers import CARRIERS, Attack, load  # noqa: E402
from injection_parts.shown import Shown, show  # noqa: E402

_STRETCH = 400
_ROUNDS = 300
_TYPICAL = (
    "We looked at pump A today and its seal is leaking again, so please send the report to the "
    "maintenance team before Friday. The system was restarted twice; you should check the logs "
    "and the new release notes before anybody opens the valve. "
)


def attacked(attacks: Sequence[Attack]) -> Iterator[Shown]:
    """What came of each attack. A log's channels are listed whole, so each has its own memory."""
    with tempfile.TemporaryDirectory() as name:
        for carrier in CARRIERS:
            for number, attack in enumerate(a for a in attacks if a.carrier == carrier):
                place = attack.name if carrier == "csv" else carrier
                with Memory.open(Path(name) / "memories" / place) as memory:
                    yield show(attack, memory, Path(name) / "sources" / attack.name, number)


def counted(results: Sequence[Shown]) -> dict[str, Any]:
    """Shares of some attacks: those that reached the agent, by how they reached it."""
    reached = [one for one in results if one.reached]
    missed = [f"{one.attack.name} ({one.attack.kind})" for one in reached if not one.flagged]
    return {
        "attacks": len(results),
        "reached": len(reached),
        "delimited": share(not one.loose for one in results),
        "flagged": share(one.flagged for one in reached),
        "not_flagged": missed,
        "loose": {one.attack.name: one.loose for one in results if one.loose},
    }


def share(values: Iterable[bool]) -> float | None:
    """The share that is true; None of nothing."""
    found = list(values)
    return round(sum(found) / len(found), 4) if found else None


def tables(results: Sequence[Shown]) -> dict[str, Any]:
    """By part and carrier."""
    parts = {
        "held out": [one for one in results if one.attack.held_out],
        "tuned on": [one for one in results if not one.attack.held_out],
    }
    return {
        part: {
            "all": counted(of_part),
            **{
                carrier: counted([one for one in of_part if one.attack.carrier == carrier])
                for carrier in CARRIERS
            },
        }
        for part, of_part in parts.items()
        if of_part
    }


def false_flags(locomo: Path | None, screens: Path | None) -> dict[str, Any]:
    """How many texts that attack nobody are flagged, and which."""
    samples = files("agentctx.demo") / "samples"
    with as_file(samples) as folder:
        sources = {
            "documentation": list(documentation()),
            "demo": list(
                observed(p for p in folder.iterdir() if p.suffix in (".png", ".ogg", ".csv"))
            ),
        }
    if locomo:
        sources["locomo turns"] = list(turns(locomo))
    if screens:
        sources["screens"] = list(observed(screens.glob("*.jpg")))
    found = {}
    for name, texts in sources.items():
        flags = [(why, text) for text in texts if (why := reasons(text))]
        found[name] = {
            "texts": len(texts),
            "flagged": len(flags),
            "share": round(len(flags) / max(1, len(texts)), 4),
            "which": [f"{', '.join(why)}: {text[:100]!r}" for why, text in flags[:20]],
        }
    return found


def documentation() -> Iterator[str]:
    """README and docs, by paragraph, in stretches."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for paragraph in re.split(r"\n\s*\n", path.read_text("utf-8")):
            for start in range(0, len(paragraph), _STRETCH):
                yield paragraph[start : start + _STRETCH]


def observed(paths: Iterable[Path]) -> Iterator[str]:
    """The texts that a memory keeps of files."""
    with tempfile.TemporaryDirectory() as name, Memory.open(Path(name) / "memory") as memory:
        report = memory.add(sorted(paths))
        if report.failed:
            raise report.failed[0].error
        yield from (one.text for one in memory.timeline())


def turns(folder: Path) -> Iterator[str]:
    """The turns of LoCoMo's conversations."""
    for path in sorted(folder.glob("*.json")):
        yield from (turn["text"] for turn in json.loads(path.read_text("utf-8"))["turns"])


def milliseconds() -> float:
    """Processor time of the rules for a typical text of 400 characters, median."""
    taken = []
    for number in range(_ROUNDS):
        # Another text each time: what was looked at before is remembered.
        text = f"{number} {_TYPICAL * 2}"[:_STRETCH]
        started = time.process_time()
        reasons(text)
        taken.append(time.process_time() - started)
    return round(statistics.median(taken) * 1000, 3)


def report(found: Mapping[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{'':22}{'attacks':>8}{'reached':>8}{'delimited':>10}{'flagged':>9}"]
    for part, rows in found["attacks"].items():
        for name, row in rows.items():
            numbers = f"{row['attacks']:8}{row['reached']:8}"
            shares = "".join(
                f"{'-' if row[key] is None else f'{row[key]:.1%}':>{width}}"
                for key, width in (("delimited", 10), ("flagged", 9))
            )
            lines.append(f"{part + ', ' + name:22}{numbers}{shares}")
        lines += [f"  not flagged: {name}" for name in rows["all"]["not_flagged"]]
        lines += [f"  LOOSE: {name}: {what}" for name, what in rows["all"]["loose"].items()]
    for name, row in found["false_flags"].items():
        lines.append(
            f"false flags, {name}: {row['flagged']} of {row['texts']} ({row['share']:.2%})"
        )
        lines += [f"  {one}" for one in row["which"]]
    lines.append(f"{found['milliseconds']} ms for 400 characters")
    return "\n".join(lines)


def main() -> None:
    """Measure and print; ends with 1 when anything was shown outside of data."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--locomo", type=Path, help="a directory of LoCoMo's conversations")
    parser.add_argument("--screens", type=Path, help="a directory of screenshots (.jpg)")
    parser.add_argument("--part", choices=("all", "tuned", "held-out"), default="all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wanted = {"all": (True, False), "tuned": (False,), "held-out": (True,)}[options.part]
    results = list(attacked([attack for attack in load() if attack.held_out in wanted]))
    found = {
        "attacks": tables(results),
        "false_flags": false_flags(options.locomo, options.screens),
        "milliseconds": milliseconds(),
    }
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else report(found))
    if any(one.loose for one in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
