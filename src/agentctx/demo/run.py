"""The demo: add the samples to a memory, ask it what happened, show when."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agentctx import render, timeline
from agentctx.app import Memory
from agentctx.errors import StoreError
from agentctx.records import Citation, Context, Observation
from agentctx.reports import IngestReport

if TYPE_CHECKING:
    from rich.console import RenderableType

SESSION = "pump-a-incident"
_SUFFIXES = frozenset({".png", ".ogg", ".csv"})
_MAX_TOKENS = 600


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of the demo, the context it got, and whether the evidence is in it.

    ``evidence`` is the citation that holds the expected words, from the expected source; None
    when there is none.
    """

    question: str
    expected: str
    context: Context
    evidence: Citation | None


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo did."""

    report: IngestReport
    answers: tuple[Answer, ...]
    timeline: tuple[Observation, ...]

    @property
    def ok(self) -> bool:
        """Whether every source was added and every question found its evidence."""
        return not self.report.failed and all(a.evidence is not None for a in self.answers)


def run(
    directory: Path | None = None,
    png: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Demo:
    """Add the samples to a memory (a temporary one by default) and ask the three questions.

    ``png`` is where the timeline is drawn, if it is to be (extra ``plot``).

    Raises StoreError when a sample cannot be added: then this installation is incomplete.
    """
    with _samples() as samples, _directory(directory) as place, Memory.open(place) as memory:
        sources = sorted(path for path in samples.iterdir() if path.suffix in _SUFFIXES)
        report = memory.add(sources, session=SESSION, progress=progress)
        if report.failed:
            reasons = "\n".join(str(failure.error) for failure in report.failed)
            raise StoreError(f"the demo could not add its samples:\n{reasons}")
        questions = json.loads((samples / "questions.json").read_text("utf-8"))["questions"]
        answers = tuple(_ask(memory, question) for question in questions)
        observations = tuple(memory.timeline(session=SESSION))
        if png is not None:
            timeline.draw(observations, png)
        if directory is not None:
            memory.sync_index()  # it stays, and other programs may look into its Chroma
        return Demo(report, answers, observations)


def _ask(memory: Memory, question: dict[str, Any]) -> Answer:
    context = memory.context(question["question"], _MAX_TOKENS, session=SESSION)
    evidence = next((c for c in context.citations if _holds(c, question)), None)
    return Answer(question["question"], question["answer"], context, evidence)


def _holds(citation: Citation, question: dict[str, Any]) -> bool:
    return (
        citation.observation.modality == question["modality"]
        and Path(citation.observation.source).name == question["source"]
        and all(words in citation.quote for words in question["must_contain"])
    )


@contextmanager
def _samples() -> Iterator[Path]:
    with as_file(files("agentctx.demo") / "samples") as path:
        yield path


@contextmanager
def _directory(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
        return
    with TemporaryDirectory(prefix="agentctx-demo-") as temporary:
        yield Path(temporary)


def show(done: Demo) -> "RenderableType":
    """The demo for people: each question with its evidence and context, then the timeline."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    parts: list[RenderableType] = [render.report(done.report)]
    for answer in done.answers:
        parts.append(Text(f"? {answer.question}", "bold"))
        if answer.evidence is None:
            parts.append(Text(f"  not found; expected: {answer.expected}", "red"))
        else:
            found = answer.evidence.observation
            parts.append(
                Text(
                    f"  {answer.expected}  ← [{answer.evidence.number}] {found.modality} at "
                    f"{found.captured_at:%H:%M:%S} UTC, {Path(found.source).name}",
                    "green",
                )
            )
        parts.append(Panel(Text(answer.context.text), title=f"{answer.context.tokens} tokens"))
    parts.append(timeline.chart(done.timeline))
    return Group(*parts)
