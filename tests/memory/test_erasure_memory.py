"""The proof on whole memories: all of what is to go is found before, nothing of it after."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agentctx import Memory, Observation
from agentctx.memory.cutting import Cut, Span, cut
from agentctx.memory.erasure import (
    ErasureReport,
    Fingerprints,
    of_observations,
    scan,
    words_left,
)
from agentctx.records import Media

START = datetime(2026, 3, 14, 9, 12, tzinfo=UTC)
SECRETS = (
    "Ana keeps the spare key of the archive under the third flower pot on the left",
    "The Zeppelin account is closed on Friday; nobody outside of this room knows it",
    'Dmitri said: "the auditor must not see the ledger of 2019"',
)
HARMLESS = (
    "The pump of line two leaks again and was shut down after lunch",
    "The training plan for the night shift was sent to everybody",
    "Nobody has seen the delivery note from Friday",
)


def picture(seed: int) -> Media:
    """Bytes that no other file has, with the head that all of its kind have."""
    noise = np.random.default_rng(seed).bytes(30_000)
    return Media.of_bytes("original", "application/octet-stream", b"HEAD" * 300 + noise)


def secrets() -> list[Observation]:
    return [
        Observation(
            text=text,
            captured_at=START + timedelta(minutes=n),
            session="the meeting about the archive",
            source="the recorder in the drawer",
            attributes={"speaker": "Ana Fernandes", "tags": ("confidential", "ledger pages")},
            media=(picture(n), picture(99)),
        )
        for n, text in enumerate(SECRETS)
    ]


def harmless() -> list[Observation]:
    return [
        Observation(
            text=text,
            captured_at=START + timedelta(hours=2, minutes=n),
            session="the morning round",
            source="notes",
            attributes={"speaker": "Ana Fernandes", "tags": ("routine work",)},
            media=(picture(50 + n), picture(99)),
        )
        for n, text in enumerate(HARMLESS)
    ]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed memory with secrets and harmless observations, and a log of a sensor."""
    folder = tmp_path_factory.mktemp("filled")
    log = folder / "pressure.csv"
    rows = (
        f"{(START + timedelta(seconds=n)).isoformat()},{5 + np.sin(n / 60):.4f}"
        for n in range(1800)
    )
    log.write_text("time,pressure [bar]\n" + "\n".join(rows) + "\n")
    with Memory.open(folder / "memory") as memory:
        report = memory.add([*secrets(), *harmless(), log])
        assert not report.failed
        memory.sync_index()
    return folder / "memory"


@pytest.fixture
def directory(filled: Path, tmp_path: Path) -> Path:
    """A copy to forget in."""
    return Path(shutil.copytree(filled, tmp_path / "memory"))


def locate(directory: Path, digest: str) -> Path:
    return directory / "media" / digest[:2] / digest


def taken(
    directory: Path, condition: str, cuts: dict[str, Cut] | None = None, kept: str = ""
) -> Fingerprints:
    """The fingerprints of the observations that a condition selects, through the receipt."""
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        pks = [pk for (pk,) in db.execute(f"SELECT pk FROM observation WHERE {condition}")]
        assert pks
        made = of_observations(
            db, pks, lambda digest: locate(directory, digest), cuts=cuts or {}, kept=[kept]
        )
    return Fingerprints.from_text(made.to_text())


def scanned(directory: Path, fingerprints: Fingerprints) -> ErasureReport:
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        return scan(directory, fingerprints, words=words_left(db, fingerprints))


ARCHIVE = "session = 'the meeting about the archive'"


def test_all_is_found_before_and_nothing_after(directory: Path) -> None:
    fingerprints = taken(directory, ARCHIVE)
    before = scanned(directory, fingerprints)
    found: dict[str, set[str]] = {}
    for finding in before.findings:
        found.setdefault(finding.file.split("/")[0], set()).add(finding.kind)
    assert found["catalog.sqlite3"] == {"text", "label", "id", "digest", "vector", "tokens"}
    assert found["chroma"] == {"text", "label", "id", "vector"}
    assert found["media"] == {"media", "digest"}
    with Memory.open(directory) as memory:
        memory.forget(ids=[observation.id for observation in secrets()])
    after = scanned(directory, fingerprints)
    assert after.findings == ()
    assert after.ok
    assert after.files >= 8
    assert after.sought == before.sought
    assert set(after.sought) == {
        "text", "label", "id", "digest", "media", "vector", "tokens", "word",
    }  # fmt: skip


def test_rows_deleted_by_hand_are_found(directory: Path) -> None:
    fingerprints = taken(directory, ARCHIVE)
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = OFF")
        db.execute(f"DELETE FROM observation WHERE {ARCHIVE}")
        db.commit()
    kinds = {finding.kind for finding in scanned(directory, fingerprints).findings}
    assert kinds == {"text", "label", "id", "digest", "media", "vector", "tokens", "word"}


def test_what_others_have_too_is_not_looked_for(directory: Path) -> None:
    fingerprints = taken(directory, ARCHIVE)
    # The speaker, and an attribute's name; two words of the harmless.
    assert fingerprints.shared["label"] > 0
    shared, own = picture(99), picture(0)
    outside = directory.parent / "outside"
    outside.mkdir()
    (outside / "shared").write_bytes(shared.read() + b"Ana Fernandes" + shared.digest.encode())
    assert scan(outside, fingerprints).ok
    (outside / "own").write_bytes(own.read())
    assert [finding.kind for finding in scan(outside, fingerprints).findings] == ["media"]


def test_a_copy_in_a_file_that_is_kept_is_told(directory: Path) -> None:
    minutes = Media.of_bytes("original", "text/plain", "\n".join(SECRETS + HARMLESS).encode())
    with Memory.open(directory) as memory:
        memory.add([Observation(text="The minutes of the week", media=(minutes,))])
    fingerprints = taken(directory, ARCHIVE)
    with Memory.open(directory) as memory:
        memory.forget(ids=[observation.id for observation in secrets()])
    (finding,) = scanned(directory, fingerprints).findings
    assert (finding.kind, Path(finding.file).name) == ("text", minutes.digest)


def test_what_stays_on_purpose_is_no_finding(directory: Path) -> None:
    fingerprints = taken(directory, ARCHIVE, kept="session=the meeting about the archive")
    with Memory.open(directory) as memory:
        receipt = memory.forget(session="the meeting about the archive")
    assert receipt.forgotten == 3
    assert scanned(directory, fingerprints).ok


def test_readings_that_are_cut_out(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        ((digest,),) = db.execute("SELECT DISTINCT digest FROM media WHERE kind = 'readings'")
        windows = "modality = 'sensor' AND captured_at < (SELECT min(captured_at) FROM observation"
        windows += " WHERE modality = 'sensor') + 300000000"
        spans = [
            Span(json.loads(attributes)["channel"], start, end)
            for attributes, start, end in db.execute(
                f"SELECT attributes, captured_at, ended_at FROM observation WHERE {windows}"
            )
        ]
    made = cut(locate(directory, digest), spans)
    assert 0 < made.removed < 1800
    fingerprints = taken(directory, windows, {digest: made})
    kinds = {finding.kind for finding in scanned(directory, fingerprints).findings}
    assert kinds >= {"text", "id", "vector", "digest", "media", "reading"}
    # The file alone, as the directory would be with the new one instead of the old.
    outside = directory.parent / "outside"
    outside.mkdir()
    assert made.data is not None
    (outside / "new").write_bytes(made.data)
    assert scan(outside, fingerprints).ok


def test_forgetting_all(directory: Path) -> None:
    fingerprints = taken(directory, "1")
    with Memory.open(directory) as memory:
        memory.forget(since=datetime(1990, 1, 1, tzinfo=UTC))
    report = scanned(directory, fingerprints)
    assert report.findings == ()
    assert report.shared.keys() <= {"label", "text"}
