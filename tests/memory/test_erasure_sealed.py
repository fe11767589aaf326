"""The proof on sealed media: what their files hide is looked at as it is when opened."""

from pathlib import Path

import numpy as np
import pytest

from agentctx.errors import EncryptionError
from agentctx.memory.cutting import Span, cut
from agentctx.memory.erasure import collect, scan
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.plugins.sensor.series import Series
from agentctx.plugins.sensor.store import store as readings_of
from agentctx.records import Media

SECRET = "the vault behind the painting opens with 4711 and a push"


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    (tmp_path / "media").mkdir(mode=0o700)
    return MediaStore(tmp_path / "media", Keys.derive(bytes(range(32))))


def kept(store: MediaStore, media: Media) -> Media:
    store.put(media)
    return store.media(media.kind, media.mime, media.digest, media.size)


def test_a_copy_in_sealed_media_is_found_by_who_has_the_key(
    store: MediaStore, tmp_path: Path
) -> None:
    text = ("nothing of interest. " * 40_000 + SECRET).encode()
    media = kept(store, Media.of_bytes("original", "text/plain", text))
    fingerprints = collect(texts=[SECRET])
    without_key = scan(tmp_path, fingerprints)
    assert without_key.ok
    assert without_key.files == 1
    report = scan(tmp_path, fingerprints, stored=[media])
    (finding,) = report.findings
    assert finding.file == f"original {media.digest} (opened)"
    assert finding.offset >= len(text) - len(SECRET)
    assert report.files == 2
    assert report.bytes == without_key.bytes + len(text)


def test_readings_in_sealed_media_are_found_until_they_are_cut(
    store: MediaStore, tmp_path: Path
) -> None:
    times = np.arange(0, 10_000) * 1_000_000
    values = np.random.default_rng(1).normal(size=10_000)
    old = kept(store, readings_of([Series("a", "V", "a", times, values)]))
    made = cut(old, [Span("a", 5_000_000, 9_000_000)])
    fingerprints = collect(readings=[made.records])
    (finding,) = scan(tmp_path, fingerprints, stored=[old]).findings
    assert (finding.kind, finding.offset, finding.places) == ("reading", 5, 4)
    store.remove([old.digest])
    new = kept(store, Media.of_bytes(old.kind, old.mime, made.data or b""))
    assert scan(tmp_path, fingerprints, stored=[new]).ok


def test_the_name_and_the_bytes_of_a_sealed_file_are_looked_for(
    store: MediaStore, tmp_path: Path
) -> None:
    media = kept(store, Media.of_bytes("original", "image/png", b"a picture" * 5000))
    path = store.path(media.digest)
    assert path.name != media.digest
    fingerprints = collect(digests=[media.digest, path.name], media=[path])
    found = {finding.kind for finding in scan(tmp_path, fingerprints).findings}
    assert found == {"media", "digest"}
    path.rename(tmp_path / "media" / "left.part")
    (finding,) = scan(tmp_path, fingerprints).findings
    assert (finding.kind, finding.file) == ("media", "media/left.part")


def test_sealed_media_that_were_changed_cannot_be_vouched_for(
    store: MediaStore, tmp_path: Path
) -> None:
    media = kept(store, Media.of_bytes("original", "image/png", b"a picture" * 5000))
    path = store.path(media.digest)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(EncryptionError, match=media.digest):
        scan(tmp_path, collect(texts=[SECRET]), stored=[media])
    store.remove([media.digest])
    report = scan(tmp_path, collect(texts=[SECRET]), stored=[media])
    assert report.vanished == (f"original {media.digest} (opened)",)
