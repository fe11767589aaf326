"""Media files: complete under their digest, or not there at all."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentctx.errors import SourceInvalid, StoreError
from agentctx.memory.media import MediaStore
from agentctx.records import Media


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    (tmp_path / "media").mkdir()
    return MediaStore(tmp_path / "media")


def files(tmp_path: Path) -> list[str]:
    found = (tmp_path / "media").rglob("*")
    return sorted(path.name for path in found if path.is_file())


def of(data: bytes) -> Media:
    return Media.of_bytes("original", "image/png", data)


def test_bytes_and_files_are_kept_under_their_digest(media: MediaStore, tmp_path: Path) -> None:
    large = os.urandom(3 * (1 << 20) + 17)  # more than is copied at once
    path = tmp_path / "picture.png"
    path.write_bytes(large)
    from_file = Media.of_file("original", "image/png", path)
    for one, data in ((from_file, large), (of(b"small"), b"small"), (of(b""), b"")):
        assert one.digest == hashlib.sha256(data).hexdigest()
        assert one.size == len(data)
        media.put(one)
        stored = media.path(one.digest)
        assert stored.read_bytes() == data
        assert stored.name == one.digest
        assert stored.stat().st_mode & 0o077 == 0, "only the owner may look"
    path.unlink()
    assert media.damaged([from_file.digest]) == []


def test_the_same_bytes_are_kept_once(media: MediaStore, tmp_path: Path) -> None:
    path = tmp_path / "copy.png"
    path.write_bytes(b"pixels")
    media.put(of(b"pixels"))
    before = media.path(of(b"pixels").digest).stat()
    media.put(of(b"pixels"))
    media.put(Media.of_file("thumbnail", "image/jpeg", path))
    after = media.path(of(b"pixels").digest).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert files(tmp_path) == [of(b"pixels").digest]


def test_many_threads_may_put_the_same_bytes(media: MediaStore, tmp_path: Path) -> None:
    made = [of(bytes([n % 5]) * 100_000) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(media.put, made))
    digests = sorted({one.digest for one in made})
    assert files(tmp_path) == digests
    assert media.damaged(digests) == []


@pytest.mark.parametrize("change", [b"another picture", b"", b"pixels and more"])
def test_a_file_that_changed_leaves_nothing(
    media: MediaStore, tmp_path: Path, change: bytes
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"pixels")
    seen = Media.of_file("original", "image/png", path)
    path.write_bytes(change)
    with pytest.raises(SourceInvalid, match=r"picture\.png.*changed while.*add it again") as raised:
        media.put(seen)
    assert raised.value.source == str(path)
    assert files(tmp_path) == []
    path.write_bytes(b"pixels")
    media.put(seen)
    assert files(tmp_path) == [seen.digest]


def test_a_file_that_is_gone_leaves_nothing(media: MediaStore, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"pixels")
    seen = Media.of_file("original", "image/png", path)
    path.unlink()
    with pytest.raises(StoreError, match=r"picture\.png"):
        media.put(seen)
    assert files(tmp_path) == []


def test_removing_gives_what_was_there(media: MediaStore, tmp_path: Path) -> None:
    kept, gone, never = of(b"kept"), of(b"gone"), of(b"never")
    media.put(kept)
    media.put(gone)
    assert media.remove([gone.digest, never.digest, gone.digest]) == [gone.digest]
    assert files(tmp_path) == [kept.digest]
    assert media.remove([gone.digest]) == []
    media.put(gone)
    assert files(tmp_path) == sorted([kept.digest, gone.digest])


def test_damage_is_told_by_digest(media: MediaStore) -> None:
    well, cut, changed, absent = (of(name) for name in (b"well", b"cut", b"changed", b"absent"))
    for one in (well, cut, changed):
        media.put(one)
    media.path(cut.digest).write_bytes(b"cu")
    media.path(changed.digest).write_bytes(b"cHanged")
    digests = [one.digest for one in (well, cut, changed, absent)]
    assert media.damaged(digests) == digests[1:]
    assert media.damaged(iter(digests[:1])) == []
