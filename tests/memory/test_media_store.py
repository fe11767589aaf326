"""Media files, in clear and sealed: complete under their digest, or not there at all."""

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from agentctx.errors import SourceInvalid, SourceNotFound, SourceUnreadable, StoreError
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.records import Media


@pytest.fixture(params=[None, Keys.derive(bytes(32))], ids=["in clear", "sealed"])
def media(tmp_path: Path, request: pytest.FixtureRequest) -> MediaStore:
    (tmp_path / "media").mkdir(mode=0o700)
    return MediaStore(tmp_path / "media", request.param)


def files(tmp_path: Path) -> list[str]:
    found = (tmp_path / "media").rglob("*")
    return sorted(path.name for path in found if path.is_file())


def of(data: bytes) -> Media:
    return Media.of_bytes("original", "image/png", data)


def name(media: MediaStore, one: Media) -> str:
    return media.path(one.digest).name


def read(media: MediaStore, digest: str) -> bytes:
    with media.open(digest) as file:
        return file.read()


def test_in_clear_the_name_is_the_digest(tmp_path: Path) -> None:
    assert name(MediaStore(tmp_path), of(b"pixels")) == hashlib.sha256(b"pixels").hexdigest()


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
        assert read(media, one.digest) == data
        assert stored.name == name(media, one)
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
    assert files(tmp_path) == [name(media, of(b"pixels"))]


def test_many_threads_may_put_the_same_bytes(media: MediaStore, tmp_path: Path) -> None:
    made = [of(bytes([n % 5]) * 100_000) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(media.put, made))
    assert files(tmp_path) == sorted({name(media, one) for one in made})
    assert media.damaged({one.digest for one in made}) == []


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
    assert files(tmp_path) == [name(media, seen)]


def test_a_file_that_is_gone_leaves_nothing(media: MediaStore, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"pixels")
    seen = Media.of_file("original", "image/png", path)
    path.unlink()
    with pytest.raises(SourceNotFound, match=r"picture\.png.*went away") as raised:
        media.put(seen)
    assert raised.value.source == str(path)
    assert files(tmp_path) == []


def test_a_source_that_became_something_else_is_named(media: MediaStore, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"pixels")
    seen = Media.of_file("original", "image/png", path)
    path.unlink()
    path.mkdir()
    with pytest.raises(SourceUnreadable, match=r"picture\.png.*cannot be read any more"):
        media.put(seen)
    assert files(tmp_path) == []


def test_bytes_must_be_those_of_the_digest(media: MediaStore, tmp_path: Path) -> None:
    false = replace(of(b"pixels"), data=b"pixelz")
    with pytest.raises(SourceInvalid, match=false.digest):
        media.put(false)
    assert files(tmp_path) == []


def test_adding_again_mends_what_was_cut(media: MediaStore) -> None:
    one = of(os.urandom(200_000))
    media.put(one)
    for cut in (0, 17, 100_000):
        path = media.path(one.digest)
        path.write_bytes(path.read_bytes()[:cut])
        assert media.damaged([one.digest]) == [one.digest]
        media.put(one)
        assert media.damaged([one.digest]) == []
        assert read(media, one.digest) == one.data


def test_a_memory_that_cannot_be_written_says_so(media: MediaStore, tmp_path: Path) -> None:
    (tmp_path / "media").rmdir()
    (tmp_path / "media").write_bytes(b"no directory")
    with pytest.raises(StoreError, match="cannot write"):
        media.put(of(b"pixels"))


def test_names_are_made_durable(
    media: MediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before `put` comes back: the bytes, the directory of the name, and a new directory's name."""
    synced: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    one = of(b"pixels")
    media.put(one)
    folder = media.path(one.digest).parent
    assert synced[0] == folder.parent
    assert synced[1].parent == folder.parent
    assert synced[2] == folder
    # Another process may have put it, and may not have come to this yet.
    synced.clear()
    media.put(one)
    assert synced == [folder]


def test_removing_gives_what_was_there(media: MediaStore, tmp_path: Path) -> None:
    kept, gone, never = of(b"kept"), of(b"gone"), of(b"never")
    media.put(kept)
    media.put(gone)
    assert media.remove([gone.digest, never.digest, gone.digest]) == [gone.digest]
    assert files(tmp_path) == [name(media, kept)]
    assert media.remove([gone.digest]) == []
    media.put(gone)
    assert files(tmp_path) == sorted([name(media, kept), name(media, gone)])


def test_putting_and_removing_at_once_raises_nothing(media: MediaStore, tmp_path: Path) -> None:
    """Whoever comes first; what is there in the end is whole, and removing it leaves nothing."""
    one = of(os.urandom(100_000))
    until = time.monotonic() + 0.5

    def put() -> None:
        while time.monotonic() < until:
            media.put(one)

    def remove() -> None:
        while time.monotonic() < until:
            media.remove([one.digest])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for work in (put, put, remove, remove)]:
            done.result()
    media.put(one)
    assert files(tmp_path) == [name(media, one)]
    assert media.damaged([one.digest]) == []
    assert media.remove([one.digest]) == [one.digest]
    assert files(tmp_path) == []


def test_damage_is_told_by_digest(media: MediaStore) -> None:
    well, cut, changed, absent = (of(name) for name in (b"well", b"cut", b"changed", b"absent"))
    for one in (well, cut, changed):
        media.put(one)
    media.path(cut.digest).write_bytes(b"cu")
    media.path(changed.digest).write_bytes(b"cHanged")
    digests = [one.digest for one in (well, cut, changed, absent)]
    assert media.damaged(digests) == digests[1:]
    assert media.damaged(iter(digests[:1])) == []


def test_what_cannot_be_deleted_is_an_error(media: MediaStore) -> None:
    one = of(b"pixels")
    media.path(one.digest).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot delete"):
        media.remove([one.digest])


def test_orphans_are_what_nothing_refers_to(media: MediaStore, tmp_path: Path) -> None:
    known, orphan, recent = of(b"known"), of(b"orphan"), of(b"recent")
    for one in (known, orphan, recent):
        media.put(one)
    left = tmp_path / "media" / "tmpabc.part"  # as a killed process leaves it
    left.write_bytes(b"half of a pict")
    hour_ago = time.time() - 3601
    for path in (media.path(known.digest), media.path(orphan.digest), left):
        os.utime(path, (hour_ago, hour_ago))
    assert set(media.orphans([known.digest])) == {media.path(orphan.digest), left}
    young = {media.path(orphan.digest), media.path(recent.digest), left}
    assert set(media.orphans(iter([known.digest]), older_than=0)) == young
    assert media.orphans([known.digest], older_than=7200) == []
    assert media.damaged([known.digest, orphan.digest]) == [], "looking changes nothing"


def test_an_orphan_may_go_while_it_is_looked_for(media: MediaStore) -> None:
    made = [of(bytes([n])) for n in range(50)]
    for one in made:
        media.put(one)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for one in made:
                media.remove([one.digest])
                media.put(one)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(20):
            media.orphans([])
    finally:
        stop.set()
        thread.join()
    assert len(media.orphans([], older_than=-1)) == 50
