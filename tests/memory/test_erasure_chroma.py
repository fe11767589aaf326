"""Where Chroma keeps what it is given: it must be found there, or the proof proves nothing."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from chromadb.api.client import Client
from chromadb.config import Settings

from agentctx.memory.erasure import Fingerprints, collect, scan

COUNT, FORGOTTEN = 1200, range(0, 1200, 8)
DIMENSION = 384


_dice = np.random.default_rng(1)
TEXTS = [f'note {n}: "{_dice.bytes(12).hex()}" was\nwritten — {n * 7919}' for n in range(COUNT)]
IDS = [_dice.bytes(16).hex() for _ in range(COUNT)]
SESSIONS = [f"the meeting with customer {n} & co" for n in range(COUNT)]
_drawn = _dice.normal(size=(COUNT, DIMENSION)).astype(np.float32)
VECTORS = _drawn / np.linalg.norm(_drawn, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def fingerprints() -> Fingerprints:
    made = collect(
        texts=[TEXTS[n] for n in FORGOTTEN],
        labels=[SESSIONS[n] for n in FORGOTTEN],
        ids=[IDS[n] for n in FORGOTTEN],
        vectors=[VECTORS[n] for n in FORGOTTEN],
    )
    stays = [n for n in range(COUNT) if n not in FORGOTTEN]
    remaining = [[TEXTS[n], SESSIONS[n]] for n in stays]
    return made.without([*chain.from_iterable(remaining), *VECTORS[stays]])


def opened(directory: Path) -> Client:
    settings = Settings(
        is_persistent=True, persist_directory=str(directory), anonymized_telemetry=False
    )
    return Client(settings=settings)


def fill(directory: Path, rows: list[int]) -> None:
    client = opened(directory)
    collection = client.get_or_create_collection(
        "notes", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )
    for start in range(0, len(rows), 400):
        part = rows[start : start + 400]
        collection.upsert(
            ids=[f"{IDS[n]}:0" for n in part],
            documents=[TEXTS[n] for n in part],
            metadatas=[{"observation_id": IDS[n], "session": SESSIONS[n]} for n in part],
            embeddings=VECTORS[part],
        )
    client.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("chroma")
    fill(directory, list(range(COUNT)))
    return directory


def kinds_by_file(directory: Path, fingerprints: Fingerprints) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in scan(directory, fingerprints).findings:
        found.setdefault(Path(finding.file).name, set()).add(finding.kind)
    return found


def test_every_place_is_known(filled: Path, fingerprints: Fingerprints) -> None:
    assert kinds_by_file(filled, fingerprints) == {
        # The queue of what was written, the metadata, and Chroma's full-text index.
        "chroma.sqlite3": {"text", "label", "id", "vector"},
        "data_level0.bin": {"vector"},
        "index_metadata.pickle": {"id"},
    }


def test_every_vector_in_the_graph_is_found(filled: Path, tmp_path: Path) -> None:
    (path,) = filled.glob("*/data_level0.bin")
    (tmp_path / "graph").write_bytes(path.read_bytes())
    data = path.read_bytes()
    exact = sum(row.tobytes() in data for row in VECTORS)
    assert 0 < exact < COUNT  # Chroma has made most of them anew, by a bit or two
    for n in range(0, COUNT, 40):
        # Of the 14 windows of a vector, 7 are at the places that are looked at.
        (finding,) = scan(tmp_path, collect(vectors=[VECTORS[n]])).findings
        assert finding.places >= 5


def test_deleting_leaves_the_vectors(
    filled: Path, fingerprints: Fingerprints, tmp_path: Path
) -> None:
    fill(tmp_path / "chroma", list(range(COUNT)))
    client = opened(tmp_path / "chroma")
    client.get_collection("notes", embedding_function=None).delete(
        [f"{IDS[n]}:0" for n in FORGOTTEN]
    )
    client.close()
    assert kinds_by_file(tmp_path, fingerprints)["data_level0.bin"] == {"vector"}


def test_an_index_of_what_remains_has_nothing(fingerprints: Fingerprints, tmp_path: Path) -> None:
    fill(tmp_path / "chroma", [n for n in range(COUNT) if n not in FORGOTTEN])
    assert kinds_by_file(tmp_path, fingerprints) == {}
