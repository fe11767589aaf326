"""Ten minutes of a screen, read as a stream and frame by frame: what is saved, what is lost.

A recording of `scripts/record_screen.py`, a frame a second, goes through the screenshot plugin
twice, in segments that take turns: once as a stream, where what was on an earlier screen is carried
over, and once with a memory that is emptied before each frame, so that every frame is read whole.
A line of the truth counts as found when, where it stands, its words were read within an edit
distance of 15 %, and its digits exactly; it is lost when that is so in a frame of its life for
frames read whole, and in none for the stream. Lives under 2 s do not count.

    python scripts/bench/stream.py [--frames DIR] [--json stream.json] [--markdown stream.md]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))


from agentctx import Memory, Observation
from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.plugins.screenshot import Screenshot
from agentctx.plugins.screenshot.frames import Recent
from agentctx.plugins.screenshot.ocr import Line, Ocr, Pixels, Quad
from agentctx.services import SharedServices
from record_screen import record
from stream_parts.truth import LEAST_SECONDS, Read, Seen, found_in, lives, untrue

STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Cost:
    """What reading has cost so far; seconds of wall time, and of this process's cores."""

    seconds: float = 0.0
    cpu: float = 0.0
    detector: float = 0.0
    recogniser: float = 0.0
    runs: int = 0
    pixels: int = 0
    lines: int = 0
    frames_read: int = 0
    each: list[float] = field(default_factory=list)


class Metered:
    """The engine, with what it is asked counted."""

    def __init__(self, engine: Ocr, cost: Cost) -> None:
        self._engine = engine
        self._cost = cost

    def detect(self, pixels: Pixels, *rest: Any) -> list[Quad]:  # noqa: ANN401
        """As the engine."""
        start = time.perf_counter()
        found = self._engine.detect(pixels, *rest)
        self._cost.detector += time.perf_counter() - start
        self._cost.runs += 1
        self._cost.pixels += pixels.shape[0] * pixels.shape[1]
        return found

    def recognise(self, pixels: Pixels, quads: Sequence[Quad], *rest: Any) -> list[Line]:  # noqa: ANN401
        """As the engine."""
        start = time.perf_counter()
        found = self._engine.recognise(pixels, quads, *rest)
        self._cost.recogniser += time.perf_counter() - start
        self._cost.lines += len(quads)
        return found


class Reader:
    """The plugin, metered; ``forgetful``: every frame is the first it sees."""

    def __init__(self, threads: int, *, forgetful: bool) -> None:
        self.cost = Cost()
        self.found: list[Observation] = []
        self._plugin = Screenshot(SharedServices(Config()), threads=threads)
        self._forgetful = forgetful
        engine = Metered(self._plugin._ocr(), self.cost)
        self._plugin._ocr = lambda: engine  # type: ignore[method-assign, assignment, return-value]

    def read(self, path: Path) -> None:
        """One frame."""
        cost = self.cost
        asked = cost.runs, cost.lines
        start, cpu = time.perf_counter(), time.process_time()
        if self._forgetful:
            self._plugin._recent = Recent()
        when = STARTED + timedelta(seconds=int(path.stem))
        head = path.read_bytes()[:4096]
        source = Source(path, head, captured_at=when, label="screen 1")
        with closing(self._plugin.observe(source)) as observations:  # type: ignore[arg-type]
            self.found += observations
        cost.each.append(time.perf_counter() - start)
        cost.seconds += cost.each[-1]
        cost.cpu += time.process_time() - cpu
        cost.frames_read += asked != (cost.runs, cost.lines)

    def lines(self) -> Read:
        """What was read, by the number of the frame."""
        found = {}
        for observation in self.found:
            layout = observation.find_media("layout")
            rows = json.loads(layout.read()) if layout else []
            number = int((observation.captured_at - STARTED).total_seconds())
            found[number] = [(row["text"], tuple(row["box"])) for row in rows]
        return found


def take_turns(paths: Sequence[Path], given: argparse.Namespace) -> tuple[Reader, Reader]:
    """The frames read as a stream, and every N-th whole; in segments, who is first in turn."""
    segment, threads = given.segment, given.threads
    end = time.monotonic() + 60 * given.minutes
    stream, whole = Reader(threads, forgetful=False), Reader(threads, forgetful=True)
    warm = Reader(threads, forgetful=True)
    warm.read(paths[0])
    for number, start in enumerate(range(0, len(paths), segment)):
        for reader in (stream, whole) if number % 2 else (whole, stream):
            step = 1 if reader is stream else given.every
            for path in paths[start : start + segment : step]:
                reader.read(path)
        if time.monotonic() > end:
            break
        told = [f"{c.seconds / len(c.each):.2f} s" for c in (stream.cost, whole.cost)]
        print(f"{start + segment}: {' and '.join(told)} a frame", file=sys.stderr, flush=True)
    return stream, whole


# -- what it costs a memory -----------------------------------------------------------------------


def stored(observations: Sequence[Observation], folder: Path) -> dict[str, Any]:
    """What a memory is after it took the observations one by one, as they would arrive."""
    start = time.perf_counter()
    with Memory.open(folder) as memory:
        for observation in observations:
            memory.add([observation])
    kinds: dict[str, dict[str, int]] = {}
    for observation in observations:
        for media in observation.media:
            kinds.setdefault(media.kind, {})[media.digest] = media.size
    return {
        "entries": len(observations),
        "same_as": sum("same_as" in o.attributes for o in observations),
        "texts": len({o.text for o in observations}),
        "seconds": time.perf_counter() - start,
        "catalog_bytes": (folder / "catalog.sqlite3").stat().st_size,
        "media": {kind: {"files": len(sizes), "bytes": sum(sizes.values())}
                  for kind, sizes in kinds.items()},
    }  # fmt: skip


# -- the report -----------------------------------------------------------------------------------


def report(
    paths: Sequence[Path], truth: Sequence[Seen], given: argparse.Namespace
) -> dict[str, Any]:
    """Every figure."""
    stream, whole = take_turns(paths, given)
    paths, truth = paths[: len(stream.found)], truth[: len(stream.found)]
    by_stream, by_whole = stream.lines(), whole.lines()
    alive = [life for life in lives(truth) if len(life[1]) >= LEAST_SECONDS]
    # Of a line that no frame read whole shows there is nothing to compare.
    shown = [life for life in alive if any(number in by_whole for number in life[1])]
    streamed = [found_in(life, truth, by_stream) for life in shown]
    wholly = [found_in(life, truth, by_whole) for life in shown]
    lost = [life for life, a, b in zip(shown, streamed, wholly, strict=True) if b and not a]
    gained = [life for life, a, b in zip(shown, streamed, wholly, strict=True) if a and not b]
    with tempfile.TemporaryDirectory() as folder:
        memory = stored(stream.found, Path(folder) / "memory")
    times = len(paths) / len(whole.found)
    return {
        "frames": len(paths), "frames_read_whole": len(whole.found),
        "distinct_frames": len({path.read_bytes() for path in paths}),
        "stream": asdict(stream.cost), "whole": asdict(whole.cost),
        "ratio": times * whole.cost.seconds / stream.cost.seconds,
        "ratio_cpu": times * whole.cost.cpu / stream.cost.cpu,
        "lines": len(shown), "found_by_stream": sum(streamed), "found_by_whole": sum(wholly),
        "all_lines": len(alive),
        "all_found_by_stream": sum(found_in(life, truth, by_stream) for life in alive),
        "lost": [(text, life.start, len(life)) for text, life in lost],
        "gained": [(text, life.start, len(life)) for text, life in gained],
        "untrue_by_stream": untrue(truth, by_stream, by_whole),
        "untrue_by_whole": untrue(truth, by_whole, by_whole),
        "memory": memory,
        "read": {"stream": by_stream, "whole": by_whole},
    }  # fmt: skip


def markdown(found: dict[str, Any]) -> str:
    """The main figures as a table."""
    stream, whole = found["stream"], found["whole"]
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("frames that went to the models", lambda c: f"{c['frames_read']} of {len(c['each'])}"),
        ("detector: runs, million pixels", lambda c: f"{c['runs']}, {c['pixels'] / 1e6:.0f}"),
        ("lines recognised", lambda c: f"{c['lines']}"),
        ("seconds in the detector", lambda c: f"{c['detector']:.0f}"),
        ("seconds in the recogniser", lambda c: f"{c['recogniser']:.0f}"),
        ("seconds in all", lambda c: f"{c['seconds']:.0f}"),
        ("seconds a frame", lambda c: f"{c['seconds'] / len(c['each']):.3f}"),
        ("processor seconds a frame", lambda c: f"{c['cpu'] / len(c['each']):.3f}"),
    ]
    lines = ["| | stream | each frame whole |", "|---|---|---|"]
    lines += [f"| {name} | {figure(stream)} | {figure(whole)} |" for name, figure in rows]
    shown = found["lines"]
    lines += [
        f"| lines visible for 2 s or more, found of {shown} | {found['found_by_stream']} "
        f"| {found['found_by_whole']} |",
        f"| lines read that do not stand there | {found['untrue_by_stream']} "
        f"| {found['untrue_by_whole']} |",
        "",
        f"{found['ratio']:.1f} times faster ({found['ratio_cpu']:.1f} by processor time); lost: "
        f"{len(found['lost'])}, gained: {len(found['gained'])}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Record, read, compare and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=Path, metavar="DIR", help="a recording that is there")
    parser.add_argument("--seed", type=int, default=6, help="of the recording to make")
    parser.add_argument("--seconds", type=int, default=600, help="how many frames (600)")
    parser.add_argument("--segment", type=int, default=20, help="frames between turns (20)")
    parser.add_argument("--every", type=int, default=1, help="read only every N-th frame whole")
    parser.add_argument("--threads", type=int, default=0, help="of the engine; 0: one per core")
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so many, early")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure to OUT")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="write the table to OUT")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frames = given.frames or Path(folder)
        if given.frames is None:
            record(frames, given.seed, given.seconds)
        paths = sorted(frames.glob("*.png"))[: given.seconds]
        told = json.loads((frames / "truth.json").read_text("utf-8"))[: len(paths)]
        truth = [[(text, tuple(box)) for text, *box in lines] for lines in told]
        found = report(paths, truth, given)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), "utf-8")
    if given.markdown:
        given.markdown.write_text(markdown(found), "utf-8")
    print(markdown(found))
    print(json.dumps({name: found[name] for name in ("memory", "lost", "gained")}, indent=1))


if __name__ == "__main__":
    main()
