"""A memory with something of everything an archive holds, and its archive."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentctx import Media, Memory, Observation

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
LOG_SECONDS = 90


def note(n: int, text: str = "", **more: object) -> Observation:
    """A note of its own minute."""
    fields = {"session": "plant", "source": f"note-{n}"} | more
    return Observation(
        text=text or f"Note {n} says that pump {n} feeds valve {n * 7}.",
        captured_at=NINE + timedelta(minutes=n),
        **fields,  # type: ignore[arg-type]
    )


def picture(data: bytes, kind: str = "original") -> Media:
    return Media.of_bytes(kind, "image/png", data)


THUMBNAIL = picture(b"two", "thumbnail")
# Notes; one of several passages; pictures that two share; what has no words; odd characters.
NOTES = [
    *(note(n) for n in range(5)),
    note(5, "\n\n".join(f"Paragraph {n} tells of pump {n} at length. " * 9 for n in range(12))),
    note(6, "The alarm.", modality="screenshot", media=(picture(b"one"), THUMBNAIL)),
    note(7, "The same.", modality="screenshot", media=(THUMBNAIL,)),
    note(8, " ", duration=3, attributes={"a": 1, "b": (1.5, "x", None), "c": True}),
    note(9, "Überhitzt 🔥\0 and on", session="desk", source="café"),
]  # fmt: skip

# With three observations of the log, and one of the text.
TOTAL = len(NOTES) + 4


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a closed memory: the notes, and a log and a text that were files."""
    place = tmp_path_factory.mktemp("original")
    rows = [
        f"{(NINE + timedelta(seconds=n)).isoformat()},{5 + n / 100}" for n in range(LOG_SECONDS)
    ]
    (place / "log.csv").write_text("\n".join(["time,pressure [bar]", *rows]))
    (place / "words.txt").write_text("The seal of pump Alpha is leaking.")
    with Memory.open(place / "memory") as memory:
        report = memory.add([*NOTES, place / "log.csv", place / "words.txt"])
        assert report.failed == ()
    return place / "memory"


@pytest.fixture(scope="session")
def archive(original: Path) -> Path:
    """The whole of it as an archive."""
    target = original.parent / "whole.agentctx"
    with Memory.open(original) as memory:
        report = memory.export(target)
    assert report.problems == ()
    return target


@pytest.fixture
def filled(original: Path, tmp_path: Path) -> Iterator[Memory]:
    """A copy of the memory, open."""
    with Memory.open(shutil.copytree(original, tmp_path / "filled")) as memory:
        yield memory
