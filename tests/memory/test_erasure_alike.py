"""Pictures that look alike: what one that stays has in common with a forgotten one is its own."""

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from agentctx import Config, Media, Memory, Observation, Receipt
from agentctx.errors import StoreError
from agentctx.memory.erasure import ErasureReport, Fingerprints, collect, scan, stored_media
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
COUNT = 6
FORMATS = ("PNG", "JPEG", "BMP")
MENU = ("File", "Edit", "View", "History", "Bookmarks", "Tools", "Window", "Help")


def screen(number: int, kind: str) -> bytes:
    """A screen with the toolbar that all of them have, and lines that no other has."""
    toolbar = np.random.default_rng(0).integers(0, 256, (60, 320, 3), np.uint8)
    picture = Image.new("RGB", (320, 240), "white")
    picture.paste(Image.fromarray(toolbar), (0, 0))
    draw = ImageDraw.Draw(picture)
    for row in range(8):
        draw.text((10, 80 + 16 * row), f"report {number}, line {row * 7919 + number}", "black")
    data = io.BytesIO()
    picture.save(data, kind)
    return data.getvalue()


def layout(number: int) -> bytes:
    """Where the words of a screen are: those of its menu are everywhere at the same place."""
    words = [{"text": word, "box": [40 * n, 8, 40 * n + 36, 24]} for n, word in enumerate(MENU * 8)]
    own = [{"text": f"report {number}", "box": [10, 80, 300, 90 + number]}] * 20
    return json.dumps(words[:32] + own + words[32:]).encode()


def seen(number: int) -> Observation:
    kind = FORMATS[number % len(FORMATS)]
    return Observation(
        modality="screenshot",
        text=f"The report number {number} was open in the browser at {number * 7919} o'clock",
        captured_at=NINE + timedelta(minutes=number),
        media=(
            Media.of_bytes("original", f"image/{kind.lower()}", screen(number, kind)),
            Media.of_bytes("layout", "application/json", layout(number)),
        ),
    )


SCREENS = [seen(number) for number in range(2 * COUNT)]
# One of each format; others of the same format stay.
GONE, KEPT = SCREENS[: len(FORMATS)], SCREENS[len(FORMATS) :]


@pytest.fixture
def forgotten(tmp_path: Path) -> Iterator[tuple[Memory, Receipt]]:
    """A memory of screens that look alike, of which three were forgotten."""
    with Memory.open(tmp_path / "memory", Config(reranker=None)) as memory:
        memory.add(SCREENS)
        yield memory, memory.forget(ids=[observation.id for observation in GONE])


def of_file(memory: Memory, media: Media) -> Path:
    return memory.directory / "media" / media.digest[:2] / media.digest


def found(memory: Memory, receipt: Receipt) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for finding in memory.verify_erased(receipt).findings:
        kinds.setdefault(finding.file, set()).add(finding.kind)
    return kinds


# -- what stays ----------------------------------------------------------------------------------


def test_files_of_screens_that_look_alike_have_much_in_common(tmp_path: Path) -> None:
    """Without this, the tests below would prove nothing."""
    kept = tmp_path / "kept"
    kept.mkdir()
    for gone, stays in zip(GONE, KEPT, strict=False):
        for one, other in zip(gone.media, stays.media, strict=True):
            (tmp_path / "gone").write_bytes(one.read())
            (kept / "file").write_bytes(other.read())
            report = scan(kept, collect(media=[tmp_path / "gone"]))
            assert report.found["media"] >= 4
            assert report.set_aside == 0


def test_what_stays_is_no_finding(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    report = memory.verify_erased(receipt)
    assert report.findings == ()
    assert report.ok
    assert "media" not in report.found
    assert 0 < report.set_aside <= report.sought["media"]
    assert {observation.id for observation in memory.timeline()} == {one.id for one in KEPT}


def test_nor_is_it_in_an_encrypted_memory(tmp_path: Path) -> None:
    config = Config(reranker=None, key=bytes(range(32)))
    with Memory.open(tmp_path / "memory", config) as memory:
        memory.add(SCREENS)
        receipt = memory.forget(ids=[observation.id for observation in GONE])
        report = memory.verify_erased(receipt)
        assert report.findings == ()
        # Sealed, no two files have anything in common.
        assert report.set_aside == 0
        assert report.sought["media"] > 0


def test_what_is_added_later_is_no_finding_either(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    before = memory.verify_erased(receipt).set_aside
    memory.add([seen(number) for number in range(100, 103)])
    report = memory.verify_erased(receipt)
    assert report.findings == ()
    assert report.set_aside >= before


def test_opened_media_that_look_alike_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "gone").write_bytes(screen(0, "BMP"))
    fingerprints = collect(media=[tmp_path / "gone"])
    (tmp_path / "media").mkdir(mode=0o700)
    store = MediaStore(tmp_path / "media", Keys.derive(bytes(range(32))))
    media = Media.of_bytes("original", "image/bmp", screen(3, "BMP"))
    store.put(media)
    (tmp_path / "gone").unlink()
    sealed = store.media(media.kind, media.mime, media.digest, media.size)
    report = scan(tmp_path, fingerprints, stored=[sealed])
    assert (report.files, report.findings) == (2, ())
    assert report.set_aside > 0


# -- what is left of the forgotten ---------------------------------------------------------------


def test_a_copy_is_found_wherever_it_is(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    picture, words = (media.read() for media in GONE[0].media)
    copies = {
        "media/left.part": picture,
        "media/ab/left": words,
        "stray": picture,
        "chroma/left.bin": b"-" + words,
    }
    for place, data in copies.items():
        (memory.directory / place).parent.mkdir(exist_ok=True)
        (memory.directory / place).write_bytes(data)
    report = memory.verify_erased(receipt)
    assert {(one.file, one.kind) for one in report.findings} == {(one, "media") for one in copies}
    assert report.set_aside > 0
    for place in copies:
        (memory.directory / place).unlink()
    assert memory.verify_erased(receipt).ok


def test_the_file_under_its_own_name_is_found(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    back = of_file(memory, GONE[1].media[0])
    back.parent.mkdir(exist_ok=True)
    back.write_bytes(GONE[1].media[0].read())
    name = back.relative_to(memory.directory).as_posix()
    assert found(memory, receipt) == {name: {"media", "digest"}}


def test_what_is_forgotten_and_comes_back_is_found(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    memory.add([GONE[2]])
    name = of_file(memory, GONE[2].media[0]).relative_to(memory.directory).as_posix()
    kinds = found(memory, receipt)
    assert kinds[name] == {"digest"}
    assert {"text", "id", "vector"} <= kinds["catalog.sqlite3-wal"]


def test_a_file_that_is_not_what_its_name_says_is_searched_in_full(
    forgotten: tuple[Memory, Receipt],
) -> None:
    memory, receipt = forgotten
    changed = of_file(memory, KEPT[0].media[0])
    changed.chmod(0o600)
    changed.write_bytes(KEPT[0].media[0].read() + GONE[0].media[0].read())
    name = changed.relative_to(memory.directory).as_posix()
    assert found(memory, receipt) == {name: {"media"}}


def test_a_kept_file_in_another_place_is_searched_in_full(
    forgotten: tuple[Memory, Receipt],
) -> None:
    memory, receipt = forgotten
    (memory.directory / "copy").write_bytes(KEPT[0].media[0].read())
    assert found(memory, receipt) == {"copy": {"media"}}


def test_a_picture_in_a_database_is_found(forgotten: tuple[Memory, Receipt]) -> None:
    memory, receipt = forgotten
    with closing(sqlite3.connect(memory.directory / "catalog.sqlite3")) as db:
        db.execute("INSERT INTO state VALUES ('cache', ?)", (layout(0).decode(),))
        db.commit()
        assert set(found(memory, receipt)) == {"catalog.sqlite3-wal"}
        db.execute("DELETE FROM state WHERE name = 'cache'")
        db.commit()


def test_a_text_in_a_file_that_stays_is_found(tmp_path: Path) -> None:
    """Of texts, a copy in what stays is to be told: only media are set aside."""
    minutes = Media.of_bytes("original", "text/plain", ("All: " + GONE[0].text).encode())
    with Memory.open(tmp_path / "memory", Config(reranker=None)) as memory:
        memory.add([*SCREENS, Observation(text="The minutes of the week", media=(minutes,))])
        receipt = memory.forget(ids=[GONE[0].id])
        name = of_file(memory, minutes).relative_to(memory.directory).as_posix()
        assert found(memory, receipt) == {name: {"text"}}


# -- the catalog ---------------------------------------------------------------------------------


def test_stored_media_are_those_of_the_catalog(forgotten: tuple[Memory, Receipt]) -> None:
    memory, _ = forgotten
    media = stored_media(memory.directory, MediaStore(memory.directory / "media"))
    kept = [one for observation in KEPT for one in observation.media]
    assert {one.digest for one in media} == {one.digest for one in kept}
    assert {one.path for one in media} == {of_file(memory, one) for one in kept}


@pytest.mark.parametrize("content", [None, b"no database" * 1000, b""])
def test_a_catalog_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    directory = tmp_path / "an odd?name#1"
    directory.mkdir()
    if content is not None:
        (directory / "catalog.sqlite3").write_bytes(content)
    with pytest.raises(StoreError, match="agentctx verify"):
        stored_media(directory, MediaStore(directory / "media"))
    assert [path.read_bytes() for path in directory.iterdir()] == [content][: content is not None]


# -- always --------------------------------------------------------------------------------------

_dice = np.random.default_rng(1)
PIECES = [_dice.bytes(3000) for _ in range(5)]
files = st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=4)


def fill(directory: Path, contents: list[list[int]]) -> list[Media]:
    directory.mkdir()
    store = MediaStore(directory)
    found = [Media.of_bytes("original", "x/y", b"".join(PIECES[n] for n in c)) for c in contents]
    for media in found:
        store.put(media)
    return [store.media(media.kind, media.mime, media.digest, media.size) for media in found]


@settings(deadline=None, max_examples=25)
@given(gone=files, known=st.lists(files, max_size=3), strays=st.lists(files, max_size=3))
def test_only_findings_in_known_files_are_set_aside(
    tmp_path_factory: pytest.TempPathFactory,
    gone: list[int],
    known: list[list[int]],
    strays: list[list[int]],
) -> None:
    place = tmp_path_factory.mktemp("always")
    (place / "gone").write_bytes(b"".join(PIECES[n] for n in gone))
    fingerprints: Fingerprints = collect(media=[place / "gone"])
    media = fill(place / "media", known)
    for number, content in enumerate(strays):
        data = b"".join(PIECES[n] for n in content)
        (place / "media" / f"{number}.part").write_bytes(data)
    everything: ErasureReport = scan(place / "media", fingerprints)
    report = scan(place / "media", fingerprints, stored=media)
    names = {str(one.path and one.path.relative_to(place / "media")) for one in media}
    kept = tuple(one for one in everything.findings if one.file not in names)
    assert report.findings == kept
    assert (report.set_aside > 0) == (len(kept) < len(everything.findings))
    assert max(report.set_aside, report.found.get("media", 0)) <= everything.found.get("media", 0)
    assert (report.files, report.bytes) == (everything.files, everything.bytes)
