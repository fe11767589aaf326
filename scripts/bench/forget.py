"""What is left on disk of entries that were forgotten: agentctx beside bare Chroma.

A memory of many entries forgets some of them; then every byte of its directory is searched for
their texts, names, ids, vectors and token matrices. Beside it, bare Chroma with the same
documents and embeddings deletes the same ones, and is then vacuumed by its own command.

    python scripts/bench/forget.py [--entries 20000] [--forget 1000] [--memory DIR] [--data LOCOMO]
                                   [--keep DIR] [--json]
"""

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from clock import Clock
from texts import TURNS_PER_SESSION, generated, recombined

from agentctx import Memory, Observation
from agentctx.memory.erasure import (
    ErasureReport,
    Fingerprints,
    of_observations,
    scan,
    words_left,
)

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SPACE = "text-minilm"
BATCH = 1000


def fill(directory: Path, turns: Sequence[str]) -> None:
    """A memory of these turns, in sessions of 25."""
    with Memory.open(directory) as memory:
        for start in range(0, len(turns), BATCH):
            part = turns[start : start + BATCH]
            memory.add([_turn(start + row, text) for row, text in enumerate(part)])
            print(f"added {start + len(part)} of {len(turns)}", file=sys.stderr)


def _turn(row: int, text: str) -> Observation:
    session = row // TURNS_PER_SESSION
    when = START + timedelta(hours=session, seconds=20 * (row % TURNS_PER_SESSION))
    return Observation(text=text, captured_at=when, session=f"session {session}", source="chat")


def timed(call: Callable[[], object]) -> tuple[Any, float]:
    """The result of a call and the seconds it took."""
    clock = Clock()
    result = call()
    return result, round(float(clock.read()[0]), 2)


def chosen(directory: Path, count: int, seed: int = 1) -> tuple[list[int], list[str]]:
    """Keys and ids of so many entries, drawn from all."""
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        rows = db.execute("SELECT pk, id FROM observation ORDER BY pk").fetchall()
    drawn = random.Random(seed).sample(rows, count)
    return [pk for pk, _ in drawn], [id_ for _, id_ in drawn]


def told(report: ErasureReport, seconds: float) -> dict[str, Any]:
    """A scan as figures."""
    return {
        "files": report.files,
        "megabytes": round(report.bytes / 1e6, 1),
        "seconds": seconds,
        "megabytes_per_second": round(report.bytes / 1e6 / seconds, 1) if seconds else None,
        "found": dict(report.found),
        "places": {f"{f.file}: {f.kind}": f.places for f in report.findings},
        "ok": report.ok,
    }


def scanned(directory: Path, fingerprints: Fingerprints) -> dict[str, Any]:
    """The scan of a memory, or of Chroma's directory."""
    catalog = directory / "catalog.sqlite3"
    if not catalog.exists():
        return told(*timed(lambda: scan(directory, fingerprints)))
    with closing(sqlite3.connect(catalog)) as db:
        words = words_left(db, fingerprints)
    return told(*timed(lambda: scan(directory, fingerprints, words=words)))


def of_memory(
    directory: Path, pks: Sequence[int], ids: Sequence[str]
) -> tuple[dict[str, Any], Fingerprints]:
    """Forget by the public call, and look before and after."""
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        made, seconds = timed(lambda: of_observations(db, pks, directory.joinpath))
    receipt = made.to_text()
    fingerprints = Fingerprints.from_text(receipt)
    before = scanned(directory, fingerprints)
    with Memory.open(directory) as memory:
        forgotten, took = timed(lambda: memory.forget(ids=ids))
    after = scanned(directory, fingerprints)
    with Memory.open(directory) as memory:
        _, indexing = timed(memory.sync_index)
    report = {
        "forgotten": forgotten.forgotten,
        "forget_seconds": took,
        "index_seconds": indexing,
        "fingerprint_seconds": seconds,
        "fingerprints": made.counts(),
        "shared_with_what_remains": dict(made.shared),
        "receipt_kilobytes": round(len(receipt) / 1e3, 1),
        "scans": {
            "before": before,
            "after forget": after,
            "index made anew": scanned(directory, fingerprints),
        },
    }
    return report, fingerprints


Rows = list[tuple[str, str, str, np.ndarray]]


def entries(directory: Path) -> Rows:
    """Of each entry: id, text, session and vector."""
    with closing(sqlite3.connect(directory / "catalog.sqlite3")) as db:
        return [
            (id_, text, session, np.frombuffer(blob, np.float32))
            for id_, text, session, blob in db.execute(
                "SELECT id, text, session, vector FROM observation "
                "JOIN passage ON observation_pk = observation.pk "
                "JOIN vector ON passage_pk = passage.pk "
                "JOIN space ON space.pk = space_pk WHERE name = ? AND ordinal = 0",
                (SPACE,),
            )
        ]


def of_chroma(
    directory: Path, rows: Rows, ids: Sequence[str], fingerprints: Fingerprints
) -> dict[str, Any]:
    """The same in a bare persistent client: add, delete, vacuum."""
    import chromadb
    from chromadb import Collection
    from chromadb.api import ClientAPI as Client

    def opened() -> tuple[Client, Collection]:
        client = chromadb.PersistentClient(path=str(directory))
        return client, client.get_or_create_collection(
            "memory", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    client, collection = opened()
    for part in _parts(rows, BATCH):
        collection.add(
            ids=[row[0] for row in part],
            documents=[row[1] for row in part],
            metadatas=[{"session": row[2]} for row in part],
            embeddings=np.stack([row[3] for row in part]),
        )
    client.close()
    before = scanned(directory, fingerprints)
    client, collection = opened()
    _, deleting = timed(lambda: [collection.delete(ids=list(part)) for part in _parts(ids, BATCH)])
    left = collection.count()
    client.close()
    deleted = scanned(directory, fingerprints)
    command = [shutil.which("chroma") or "chroma", "vacuum", "--path", str(directory), "--force"]
    _, vacuuming = timed(lambda: subprocess.run(command, capture_output=True, check=True))
    return {
        "version": chromadb.__version__,
        "left": left,
        "delete_seconds": deleting,
        "vacuum_seconds": vacuuming,
        "scans": {
            "before": before,
            "after delete": deleted,
            "after vacuum": scanned(directory, fingerprints),
        },
    }


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--forget", type=int, default=1_000)
    parser.add_argument("--memory", type=Path, help="a memory to copy, instead of making one")
    parser.add_argument("--data", type=Path, help="LoCoMo's conversations, for its sentences")
    parser.add_argument("--keep", type=Path, help="keep the memory that was made, for --memory")
    parser.add_argument("--json", action="store_true", help="print the whole report")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if asked.memory:
            shutil.copytree(asked.memory, work / "memory")
        else:
            made = (
                recombined(asked.data, asked.entries, 0)
                if asked.data
                else generated(asked.entries, 0)
            )
            fill(work / "memory", made.turns)
            if asked.keep:
                shutil.copytree(work / "memory", asked.keep)
        rows = entries(work / "memory")
        pks, ids = chosen(work / "memory", asked.forget)
        memory, fingerprints = of_memory(work / "memory", pks, ids)
        chroma = of_chroma(work / "chroma", rows, ids, fingerprints)
    report = {"entries": len(rows), "agentctx": memory, "chroma": chroma}
    if asked.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{asked.forget:,} of {len(rows):,} forgotten; fingerprints: {memory['fingerprints']}")
    print(
        f"agentctx forgot them in {memory['forget_seconds']} s; Chroma deleted them in "
        f"{chroma['delete_seconds']} s and was vacuumed in {chroma['vacuum_seconds']} s"
    )
    for name, part in (("agentctx", memory), ("bare Chroma", chroma)):
        for step, figures in part["scans"].items():
            print(f"{name:>12}  {step:<13} {figures['found'] or 'nothing found'}")


if __name__ == "__main__":
    main()
