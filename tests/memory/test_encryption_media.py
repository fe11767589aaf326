"""Sealed media: what is read is what was stored, and nothing that was touched on disk opens."""

import hashlib
import io
import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.errors import EncryptionError, SourceInvalid, StoreError
from agentctx.memory import sealed
from agentctx.memory.cutting import Span, cut, records
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.memory.readings import channels, readings
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.store import store as readings_of
from agentctx.records import Media

CHUNK = 65_536
HEADER, TAG = 40, 16
KEYS = Keys.derive(bytes(range(32)))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17)


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    (tmp_path / "media").mkdir(mode=0o700)
    return MediaStore(tmp_path / "media", KEYS)


def of(data: bytes) -> Media:
    return Media.of_bytes("original", "image/png", data)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_stored_comes_back(store: MediaStore, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    media = Media.of_file("original", "image/png", path)
    store.put(media)
    path.unlink()
    with store.open(media.digest) as file:
        assert file.read() == data
    assert store.media("original", "image/png", media.digest, size).read() == data
    assert store.damaged([media.digest]) == []
    assert store.path(media.digest).stat().st_size == sealed.size(size)


def test_the_format_is_as_documented(store: MediaStore) -> None:
    """Opened here by the description in `agentctx.memory.sealed` alone."""
    data = os.urandom(2 * CHUNK + 5)
    media = of(data)
    store.put(media)
    stored = store.path(media.digest).read_bytes()
    assert stored[:8] == b"AGCTXSF\x01"
    info = b"agentctx 1 media " + hashlib.sha256(data).hexdigest().encode()
    key = HKDF(SHA256(), 32, stored[8:40], info).derive(KEYS.media)
    chunks = [stored[at : at + CHUNK + TAG] for at in range(HEADER, len(stored), CHUNK + TAG)]
    opened = [
        AESGCM(key).decrypt(n.to_bytes(11, "big") + bytes([n == 2]), chunk, stored[:8])
        for n, chunk in enumerate(chunks)
    ]
    assert b"".join(opened) == data


def test_no_byte_of_it_is_in_clear_and_its_name_says_nothing(store: MediaStore) -> None:
    data = b"the valve on pump three was closed by hand " * 5000
    media = of(data)
    store.put(media)
    path = store.path(media.digest)
    stored = path.read_bytes()
    assert b"valve" not in stored
    assert media.digest not in str(path)
    assert not any(bytes.fromhex(media.digest)[n : n + 4] in stored for n in range(29))
    store.remove([media.digest])
    store.put(media)
    again = path.read_bytes()
    same = sum(a == b for a, b in zip(stored[8:], again[8:], strict=True))
    assert same < len(stored) / 200, "equal bytes are sealed differently each time"


def test_names_depend_on_the_key(store: MediaStore, tmp_path: Path) -> None:
    other = MediaStore(tmp_path / "media", Keys.derive(bytes(32)))
    assert other.path(of(b"a").digest).name != store.path(of(b"a").digest).name


@given(
    size=st.integers(0, 3 * CHUNK),
    steps=st.lists(st.tuples(st.integers(0, 3 * CHUNK + 9), st.integers(0, CHUNK + 9)), max_size=6),
)
def test_any_part_can_be_read(size: int, steps: list[tuple[int, int]]) -> None:
    data = hashlib.shake_128(b"data").digest(size)
    pieces = [data[at : at + CHUNK] for at in range(0, size, CHUNK)]
    with (
        sealed.open_sealed(on_disk(sealed.seal(KEYS.media, "d", pieces)), KEYS.media, "d") as file,
        io.BytesIO(data) as plain,
    ):
        for position, count in steps:
            assert file.seek(position) == plain.seek(position)
            assert file.read(count) == plain.read(count)
            assert file.tell() == plain.tell()
        assert file.seek(0, os.SEEK_END) == size
        assert file.seek(-min(7, size), os.SEEK_END) == size - min(7, size)
        assert file.read() == data[-7:]


def on_disk(parts: Any) -> BinaryIO:
    """A real file of the bytes: the reader asks its descriptor for the size."""
    descriptor = os.memfd_create("sealed")
    file = os.fdopen(descriptor, "w+b")
    file.write(b"".join(parts))
    file.seek(0)
    return file


def test_a_position_before_the_beginning_is_refused(store: MediaStore) -> None:
    store.put(of(b"abc"))
    with store.open(of(b"abc").digest) as file, pytest.raises(ValueError, match="before the beg"):
        file.seek(-4, os.SEEK_END)


def _chunk(number: int) -> slice:
    return slice(HEADER + number * (CHUNK + TAG), HEADER + (number + 1) * (CHUNK + TAG))


def _exchange(b: bytearray) -> bytes:
    return bytes(b[:HEADER] + b[_chunk(1)] + b[_chunk(0)] + b[_chunk(2).start :])


def _flip(at: int) -> Callable[[bytearray], bytes]:
    def change(b: bytearray) -> bytes:
        b[at] ^= 1
        return bytes(b)

    return change


TAMPERED: dict[str, Callable[[bytearray], bytes]] = {
    "a bit of the magic": _flip(2),
    "the version": _flip(7),
    "a bit of the salt": _flip(20),
    "a bit of the first chunk": _flip(HEADER),
    "a bit in the middle": _flip(HEADER + CHUNK + TAG + 999),
    "a bit of the last tag": _flip(-1),
    "cut in the header": lambda b: bytes(b[:30]),
    "cut to the header": lambda b: bytes(b[:HEADER]),
    "cut between chunks": lambda b: bytes(b[: _chunk(1).stop]),
    "cut in a chunk": lambda b: bytes(b[: _chunk(1).stop - 1]),
    "cut to less than a tag": lambda b: bytes(b[: HEADER + 3]),
    "one byte more": lambda b: bytes(b) + b"\0",
    "the last chunk twice": lambda b: bytes(b) + bytes(b[_chunk(2).start :]),
    "chunks in another order": _exchange,
    "a chunk dropped": lambda b: bytes(b[:HEADER] + b[_chunk(1).start :]),
    "a chunk repeated": lambda b: bytes(b[: _chunk(1).start] + b[_chunk(0)] + b[_chunk(2).start :]),
    "emptied": lambda b: b"",
    "in clear": lambda b: bytes(2 * CHUNK + 100),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_on_disk_does_not_open(store: MediaStore, what: str) -> None:
    media = of(hashlib.shake_128(b"three chunks").digest(2 * CHUNK + 100))
    store.put(media)
    path = store.path(media.digest)
    path.write_bytes(TAMPERED[what](bytearray(path.read_bytes())))
    with pytest.raises(EncryptionError, match=media.digest):
        store.media("original", "image/png", media.digest, media.size).read()
    assert store.damaged([media.digest]) == [media.digest]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_however_it_was_changed(data: st.DataObject) -> None:
    """Any change of any bytes is either none, or noticed by whoever reads all of it."""
    plain = hashlib.shake_128(b"plain").digest(data.draw(st.sampled_from(SIZES[:6])))
    pieces = [plain[at : at + CHUNK] for at in range(0, len(plain), CHUNK)]
    stored = b"".join(sealed.seal(KEYS.media, "d", pieces))
    start, stop = sorted(data.draw(st.lists(st.integers(0, len(stored)), min_size=2, max_size=2)))
    changed = stored[:start] + data.draw(st.binary(max_size=99)) + stored[stop:]
    try:
        with sealed.open_sealed(on_disk([changed]), KEYS.media, "d") as file:
            assert file.read() == plain
        assert changed == stored
    except EncryptionError:
        assert changed != stored


def test_a_cut_is_noticed_before_anything_is_read(store: MediaStore) -> None:
    """A table is read from its end and in part; half of it must not pass for the whole."""
    media = of(bytes(3 * CHUNK))
    store.put(media)
    path = store.path(media.digest)
    path.write_bytes(path.read_bytes()[: _chunk(1).stop])
    with pytest.raises(EncryptionError, match="cut"):
        store.open(media.digest)


def test_one_media_cannot_stand_for_another(store: MediaStore) -> None:
    mine, other = of(b"approved: no"), of(b"approved: ok")
    store.put(mine)
    store.put(other)
    store.path(mine.digest).write_bytes(store.path(other.digest).read_bytes())
    with pytest.raises(EncryptionError):
        store.open(mine.digest)


def test_another_key_opens_nothing(store: MediaStore, tmp_path: Path) -> None:
    media = of(b"secret")
    store.put(media)
    other = MediaStore(tmp_path / "media", Keys(b"c" * 32, b"m" * 32, KEYS.names, b""))
    with pytest.raises(EncryptionError, match="another key"):
        other.open(media.digest)


def test_a_source_that_changed_leaves_nothing(store: MediaStore, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"pixels")
    seen = Media.of_file("original", "image/png", path)
    path.write_bytes(b"pixelS")
    with pytest.raises(SourceInvalid, match="changed while"):
        store.put(seen)
    assert [p for p in (tmp_path / "media").rglob("*") if p.is_file()] == []


def test_pickled_media_takes_bytes_and_no_key(store: MediaStore) -> None:
    data = os.urandom(CHUNK + 1)
    store.put(of(data))
    media = store.media("original", "image/png", of(data).digest, len(data))
    assert media.path is None
    packed = pickle.dumps(media)
    assert not any(key in packed for key in (KEYS.media, KEYS.names, KEYS.catalog))
    again = pickle.loads(packed)
    assert again.read() == again.read() == data
    assert again == media
    assert hash(again) == hash(media)


def test_keys_are_not_shown() -> None:
    shown = repr(KEYS)
    assert not any(getattr(KEYS, name).hex() in shown for name in Keys.__slots__)
    assert "\\x" not in shown


def test_sealed_readings_are_answered_from_and_cut(store: MediaStore, tmp_path: Path) -> None:
    """As those in a file are, and nothing of them is written anywhere."""
    times = np.arange(0, 140_000_000_000, 1_000_000)
    series = [Series(name, "V", name, times, times % 977 / 2) for name in ("a", "b")]
    plain = readings_of(series)
    (tmp_path / "readings.parquet").write_bytes(plain.read())
    store.put(plain)
    kept = [
        tmp_path / "readings.parquet",
        store.media("readings", plain.mime, plain.digest, plain.size),
        plain,
    ]
    day = datetime(1970, 1, 2, tzinfo=UTC)
    before = sorted(tmp_path.rglob("*"))
    of_file, *others = (
        (
            channels([file]),
            readings([file], "b", day, aggregate="mean"),
            readings([file], "a", day, day + timedelta(seconds=9)),
            cut(file, [Span("a", 5_000_000, 100_000_000_000), Span("b", 0, 2**62)]),
            list(records(file)),
        )
        for file in kept
    )
    assert others == [of_file, of_file]
    assert of_file[3].removed > of_file[3].left > 0
    assert sorted(tmp_path.rglob("*")) == before


def test_sealed_readings_that_were_changed_are_named(store: MediaStore) -> None:
    plain = readings_of([Series("a", "V", "a", np.arange(90_000), np.arange(90_000.0))])
    store.put(plain)
    path = store.path(plain.digest)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EncryptionError, match=plain.digest):
        readings([store.media("readings", plain.mime, plain.digest, plain.size)], "a")
    path.unlink()
    with pytest.raises(StoreError, match=rf"readings in {plain.digest} cannot be read: .*No such"):
        readings([store.media("readings", plain.mime, plain.digest, plain.size)], "a")
