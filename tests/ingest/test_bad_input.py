"""Sources that cannot be taken: each is named with what to do, and harms nothing beside it."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import traceback
import wave
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from agentctx import Config, Memory
from agentctx.errors import (
    SourceError,
    SourceInvalid,
    SourceNotFound,
    SourceTooLarge,
    SourceUnreadable,
    SourceUnsupported,
)

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
LOG = b"time,pressure [bar]\n" + b"".join(
    b"2026-03-14T09:00:%02dZ,%.1f\n" % (second, 5 + second / 10) for second in range(60)
)


def picture(form: str = "PNG") -> bytes:
    image = Image.new("RGB", (300, 100), "white")
    ImageDraw.Draw(image).text((20, 20), "Invoice 4711", "black", ImageFont.load_default(size=28))
    data = io.BytesIO()
    image.save(data, form)
    return data.getvalue()


def png(width: int, height: int) -> bytes:
    """A whole PNG of one bit a pixel, whose pixels are really there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    packer = zlib.compressobj(1)
    rows = bytes(1 + (width + 7) // 8) * 500
    pixels = b"".join(packer.compress(rows) for _ in range(height // 500)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def sound(seconds: int = 1) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000 * seconds))
    return data.getvalue()


def lying_sound() -> bytes:
    return sound()[:40] + struct.pack("<I", 10_000_000) + sound()[44:]


def speech() -> bytes:
    return (SAMPLES / "2026-03-14T091208Z_operator-radio-leak.ogg").read_bytes()


def parquet() -> bytes:
    data = io.BytesIO()
    times = [1_773_478_800.0 + second for second in range(100)]
    pq.write_table(pa.table({"time": times, "flow": times}), data)
    return data.getvalue()


@dataclass(frozen=True)
class Bad:
    """What cannot be added: how it is made, what is wrong with it, and what to do."""

    name: str
    make: Callable[[Path], object]
    error: type[SourceError]
    says: str
    do: str


def of(data: Callable[[], bytes]) -> Callable[[Path], object]:
    """Makes a file of bytes that are themselves made only when they are needed."""
    return lambda path: path.write_bytes(data())


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def nothing(path: Path) -> None:
    assert path not in path.parent.iterdir()


def listen(path: Path) -> None:
    # Bound by a relative name: that of a socket may not be longer than 107 bytes.
    script = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
    subprocess.run([sys.executable, "-S", "-c", script, path.name], cwd=path.parent, check=True)


BAD = [
    Bad("empty.txt", of(bytes), SourceInvalid, "empty", "again"),
    Bad("empty.png", of(bytes), SourceInvalid, "empty", "again"),
    Bad("cut.png", of(lambda: picture()[:-200]), SourceInvalid, "cut short", "copy or export"),
    Bad(
        "cut.jpg", of(lambda: picture("JPEG")[:1500]), SourceInvalid, "cut short", "copy or export"
    ),
    Bad("cut.ogg", of(lambda: speech()[:60]), SourceInvalid, "audio/ogg", "get it again"),
    Bad("cut.wav", of(lambda: sound()[:9000]), SourceInvalid, "promises 32,000 ", "get it again"),
    Bad("head.wav", of(lambda: sound()[:20]), SourceInvalid, "audio/wav", "get it again"),
    Bad("lies.wav", of(lying_sound), SourceInvalid, "promises 10,000,000 ", "get it again"),
    Bad(
        "cut.parquet",
        of(lambda: parquet()[:-99]),
        SourceInvalid,
        "as a table",
        "repair or re-export",
    ),
    Bad(
        "head.parquet",
        of(lambda: parquet()[:99]),
        SourceInvalid,
        "as a table",
        "repair or re-export",
    ),
    Bad("words.png", of(lambda: b"Just words."), SourceInvalid, "no PNG", "right extension"),
    Bad(
        "bomb20.png",
        of(lambda: png(20_000, 20_000)),
        SourceTooLarge,
        "400,000,000 pixels",
        "scale it",
    ),
    Bad(
        "bomb50.png",
        of(lambda: png(50_000, 50_000)),
        SourceTooLarge,
        "2,500,000,000 pixels",
        "scale it",
    ),
    Bad("zero.png", of(lambda: png(0, 0)), SourceInvalid, "picture", "export it again"),
    Bad(
        "timeless.csv",
        of(lambda: b"a,b\n1,2\n3,4\n"),
        SourceInvalid,
        "no time column",
        "time_column",
    ),
    Bad("header.csv", of(lambda: b"time,flow\n"), SourceInvalid, "has a header", "no rows"),
    Bad("latin.txt", of(lambda: "Grüße".encode("latin-1")), SourceInvalid, "not text", "iconv"),
    Bad("nul.txt", of(lambda: b"words\0words"), SourceInvalid, "character 5 is NUL", ""),
    Bad("blank.txt", of(lambda: b" \n\t\n"), SourceInvalid, "holds no text", ""),
    Bad("what.xyz", of(lambda: b"Just words."), SourceUnsupported, r"\.xyz", "no plugin knows"),
    Bad("directory", Path.mkdir, SourceUnreadable, "directory", "--recursive"),
    Bad("pipe.txt", os.mkfifo, SourceUnreadable, "regular file", "copy"),
    Bad("socket.txt", listen, SourceUnreadable, "regular file", "copy"),
    Bad("loop.txt", link_to_itself, SourceUnreadable, "symbolic links", "check the path"),
    Bad("missing.txt", nothing, SourceNotFound, "no such file", "check the path"),
    Bad("nu\0l.txt", nothing, SourceUnreadable, "null byte", "check the path"),
    Bad("caf\udce9.txt", of(lambda: b"Just words."), SourceUnreadable, "not UTF-8", "rename it"),
    Bad("\x1b[31mred.txt", of(bytes), SourceInvalid, "empty", "again"),
]


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One memory for all cases, so that the models are loaded once."""
    with Memory.open(tmp_path_factory.mktemp("bad") / "memory") as memory:
        yield memory


def notes(directory: Path) -> tuple[Path, Path]:
    """Two good files; their names stand before and behind all others."""
    first, last = directory / "0 first.txt", directory / "~ last.md"
    first.write_text("The pump is warm.")
    last.write_text("The valve is shut.")
    return first, last


def stored_media(memory: Memory) -> set[str]:
    return {path.name for path in (memory.directory / "media").rglob("*") if path.is_file()}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: ascii(bad.name))
def test_what_cannot_be_added_is_named_and_the_rest_is_stored(
    memory: Memory, tmp_path: Path, bad: Bad
) -> None:
    path = tmp_path / bad.name
    bad.make(path)
    first, last = notes(tmp_path)
    media = stored_media(memory)

    report = memory.add([first, path, last], session=bad.name.encode(errors="replace").hex())

    ((source, error),) = report.failed
    assert source == str(path)
    assert type(error) is bad.error
    assert repr(str(path)) in str(error)
    assert re.search(bad.says, str(error).replace(str(path), ""))
    assert bad.do in str(error)
    assert str(error).isprintable(), "a name or a file may hold commands to a terminal"
    assert report.added == 2
    found = memory.timeline(source=[str(first), str(last)])
    assert {one.text for one in found} == {"The pump is warm.", "The valve is shut."}
    assert stored_media(memory) == media
    assert memory.verify().ok

    before = [one.id for one in memory.timeline()]
    again = memory.add([first, path, last], session=bad.name.encode(errors="replace").hex())
    assert (again.added, again.unchanged, again.ids) == (0, 2, report.ids)
    assert [(f.source, type(f.error), str(f.error)) for f in again.failed] == [
        (source, type(error), str(error))
    ]
    assert [one.id for one in memory.timeline()] == before


_AS_NOBODY = dedent(
    """
    import json, os, sys
    from agentctx import Memory
    with Memory.open("memory") as memory:
        memory.add("warm.txt")
        if os.getuid() == 0:  # to whom no file is closed
            for place, _, names in os.walk("memory"):
                for path in (place, *(os.path.join(place, name) for name in names)):
                    os.chown(path, 65534, 65534)
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        report = memory.add(["0 first.txt", "locked.txt", "~ last.md"])
        ((source, error),) = report.failed
        print(json.dumps([report.added, source, type(error).__name__, str(error), os.getuid()]))
    """
)


def test_a_file_without_permission_is_named_and_the_rest_is_stored() -> None:
    # Not below tmp_path, which only its owner may enter.
    with TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o755)
        notes(place)
        for name in ("locked.txt", "warm.txt"):
            (place / name).write_text(f"This is {name}.")
        (place / "locked.txt").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    added, source, kind, message, user = json.loads(done.stdout)
    assert (added, source, kind) == (2, "locked.txt", "SourceUnreadable")
    assert message == f"'locked.txt': no permission to read it as user {user}; chmod or copy it"


@pytest.mark.parametrize("name", ["shot.csv", "shot.wav", "shot.txt", "shot"])
def test_a_picture_under_another_name_is_a_picture(
    memory: Memory, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(picture())
    report = memory.add(tmp_path / name)
    assert report.failed == ()
    (one,) = memory.timeline(source=str(tmp_path / name))
    assert (one.modality, one.text) == ("screenshot", "Invoice 4711")


@pytest.mark.parametrize(
    "name",
    ["with spaces.txt", "Über 🔥.txt", "two\nlines.txt", "'quoted\".txt", "-r.txt", "UP.TXT"],
)
def test_any_name_will_do(memory: Memory, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(f"The pump of {name!r} is warm.")
    report = memory.add(tmp_path / name)
    assert (report.added, report.failed) == (1, ())
    (one,) = memory.timeline(source=str(tmp_path / name))
    assert one.text == f"The pump of {name!r} is warm."
    assert memory.add(tmp_path / name).unchanged == 1


def test_a_million_rows_are_no_bad_input(tmp_path: Path) -> None:
    rows = "\n".join(f"{1_773_478_800 + n},{n % 1000}" for n in range(1_000_000))
    (tmp_path / "long.csv").write_text(f"time,level\n{rows}\n")
    config = Config(options={"sensor": {"window": 7 * 86_400, "max_events": 0}})
    with Memory.open(tmp_path / "memory", config) as memory:
        report = memory.add(tmp_path / "long.csv")
        assert report.failed == ()
        assert sum(int(one.attributes["count"]) for one in memory.timeline()) == 1_000_000  # type: ignore[arg-type]
        assert memory.readings("level", aggregate="sum") == 499_500_000


def test_a_file_that_goes_away_before_its_turn(memory: Memory, tmp_path: Path) -> None:
    first, last = notes(tmp_path)
    gone = tmp_path / "gone.txt"
    gone.write_text("Soon gone.")

    def remove(done: int, total: int, name: str) -> None:
        if name == str(gone):
            gone.unlink()

    report = memory.add([first, gone, last], session="goes away", progress=remove)
    ((source, error),) = report.failed
    assert (source, type(error)) == (str(gone), SourceNotFound)
    assert len(memory.timeline(session="goes away")) == 2


@pytest.mark.parametrize(
    "change", [lambda path: path.unlink(missing_ok=True), lambda path: path.write_text("1\n")]
)
def test_an_original_that_goes_away_before_it_is_copied(
    memory: Memory, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    first, last = notes(tmp_path)
    call = tmp_path / "call.srt"
    call.write_text(f"1\n00:00:01,000 --> 00:00:02,000\nStand by at {tmp_path.name}.\n")

    def then(done: int, total: int, name: str) -> None:
        if name == str(last):
            change(call)

    report = memory.add([first, call, last], session="goes away late", progress=then)
    stored = {Path(one.source) for one in memory.timeline(session="goes away late")}
    failed = {Path(source) for source, error in report.failed if isinstance(error, SourceError)}
    assert {first, last} <= stored
    assert (call in stored) != (call in failed)
    assert memory.verify().ok


GOOD = {
    "a.txt": of(lambda: b"The first word is alpha."),
    "b.md": of(lambda: b"# Bravo\n\nThe second word is bravo."),
    "c.csv": of(lambda: LOG),
    "d.srt": of(lambda: b"1\n00:00:01,000 --> 00:00:02,000\nThe third word is charlie.\n"),
}
CHEAP = {bad.name: bad.make for bad in BAD if not bad.name.startswith("bomb")}


@settings(max_examples=15, deadline=None)
@given(names=st.lists(st.sampled_from(sorted({**GOOD, **CHEAP})), unique=True, max_size=7))
def test_every_source_of_a_mixture_is_accounted_for(
    memory: Memory, tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    place = tmp_path_factory.mktemp("mixture")
    for name in names:
        {**CHEAP, **GOOD}[name](place / name)
    report = memory.add([place / name for name in names], session=str(place))
    assert [f.source for f in report.failed] == [str(place / n) for n in names if n not in GOOD]
    found = memory.timeline(session=str(place))
    assert {one.source for one in found} == {str(place / n) for n in names if n in GOOD}
    assert {one.id for one in found} == set(report.ids)
    assert (report.added, report.unchanged) == (len(found), 0)


def test_the_text_of_a_source_has_a_limit(tmp_path: Path) -> None:
    config = Config.from_mapping({"limits": {"characters": 1000}})
    cue = "{0}\n00:00:0{0},000 --> 00:00:0{0},500\n" + "pump " * 40 + "\n"
    (tmp_path / "fits.txt").write_text("x" * 1000)
    (tmp_path / "long.txt").write_text("x" * 1001)
    (tmp_path / "fits.srt").write_text("\n".join(cue.format(n) for n in range(1, 6)))
    (tmp_path / "long.srt").write_text("\n".join(cue.format(n) for n in range(1, 7)))
    with Memory.open(tmp_path / "memory", config) as memory:
        report = memory.add(sorted(tmp_path.glob("*.*")))
        assert {Path(source).name for source, _ in report.failed} == {"long.txt", "long.srt"}
        for _, error in report.failed:
            assert type(error) is SourceTooLarge
            assert "limits.characters allows 1,000" in str(error)
        assert report.added == 1 + 5


def test_a_report_holds_nothing_of_what_failed(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(picture()[:-200])
    (tmp_path / "cut.parquet").write_bytes(parquet()[:-99])
    (tmp_path / "cut.json").write_bytes(b'{"segments": [{"start": 0')
    report = memory.add(sorted(tmp_path.iterdir()))
    assert len(report.failed) == 3
    for _, failed in report.failed:
        error: BaseException | None = failed
        while error is not None:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                assert frame.f_code.co_name == "run" or frame.f_locals == {}, frame
            error = error.__cause__
