"""A catalog of known rows, and ways of damaging its files."""

import random
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from agentctx.memory import cipher
from agentctx.memory.catalog import Catalog
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.keys import Keys
from agentctx.memory.media import MediaStore
from agentctx.records import EncoderCard, Media, Observation

from .writing import add, register

PAGE = 4096
COUNT = 300
# Of which the last are in the write-ahead log only, where the memory was not closed.
LOGGED = 60
NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
CARD = EncoderCard("test", "1", "text-test", 16, ("text",), "Apache-2.0", "d" * 64, 8)
OTHER = EncoderCard("test-two", "1", "two-test", 4, ("sensor",), "Apache-2.0", "e" * 64)
TABLES = ("observation", "passage", "vector", "token_matrix", "media", "ingested", "audit", "space")

Damage = Callable[[Path], None]


def observation(n: int) -> Observation:
    """One of the kinds that a memory has: long and short, with media and without."""
    text = f"Note {n} says that wort{n} is near valve {n * 7}."
    if n % 7 == 0:
        text += " Überlauf 🔥 läuft." * (n % 50) * 8
    if n % 60 == 59:
        text = " ".join(f"{text} {k}" for k in range(300))
    media = []
    if n % 5 == 0:
        media.append(Media.of_bytes("original", "image/png", b"pixels of %d" % n))
    if n % 10 == 0:
        media.append(Media.of_bytes("thumbnail", "image/webp", b"fewer of %d" % n))
    return Observation(
        modality="screenshot" if media else ("sensor" if n % 3 == 0 else "text"),
        text=text,
        captured_at=NINE + timedelta(seconds=n * 61, microseconds=n),
        duration=n if n % 11 == 0 else n / 7,
        session=f"session {n // 50}",
        source=f"folder/file{n // 20}.txt",
        attributes={"n": n, "on": n % 2 == 0, "list": (1.5, "two", None)} if n % 4 else {},
        media=tuple(media),
    )


def entry(one: Observation, seed: int) -> Entry:
    """The observation with two passages, which cover all but the space between them."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(3, CARD.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    cut = one.text.index(" wort")
    spans = [(0, cut), (cut + 1, len(one.text))]
    new = [
        NewVector("text-test", n, vectors[n], rng.integers(-99, 99, (seed % 40, 8), np.int8))
        for n in range(2)
    ]
    if one.modality == "sensor":
        short = vectors[2, :4] / np.linalg.norm(vectors[2, :4])
        new.append(NewVector("two-test", 0, short.astype(np.float32)))
    return Entry(one, spans, new)


def make(closed: Path, logged: Path, keys: Keys | None = None) -> None:
    """Two memories of the same observations.

    One was closed; the other is as a killed process leaves it: the `LOGGED` last are in its
    write-ahead log only.
    """
    made = closed.with_name("made")
    media = MediaStore(made / "media", keys)
    (made / "media").mkdir(parents=True)
    catalog = Catalog(made / "catalog.sqlite3", media, keys)
    for card in (CARD, OTHER):
        register(catalog, card)
    with catalog.transaction() as db:
        db.execute("INSERT INTO state VALUES ('encoders', '[\"test\"]')")
    for start in range(0, COUNT, 20):
        if start == COUNT - LOGGED:
            with catalog.alone() as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        batch = [observation(n) for n in range(start, start + 20)]
        for one in (m for o in batch for m in o.media):
            media.put(one)
        finished = {f"{start:064x}": [o.id for o in batch]}
        add(catalog, [entry(o, start + n) for n, o in enumerate(batch)], finished)
    shutil.copytree(made, logged)
    catalog.close()
    made.rename(closed)


def rows(directory: Path, keys: Keys | None = None) -> Mapping[str, set[tuple[Any, ...]]]:
    """All rows of the catalog, by table."""
    with closing(cipher.connect(directory / "catalog.sqlite3", keys)) as db:
        return {
            table: set(map(tuple, db.execute(f"SELECT * FROM {table}").fetchall()))
            for table in TABLES
        }


def leaf_of(directory: Path, text: str, kind: int = 13) -> int:
    """The number of the page of a kind (13: leaf of a table) that holds a text."""
    content = catalog_of(directory).read_bytes()
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    return next(n for n, page in enumerate(pages, 1) if page[0] == kind and text.encode() in page)


# -- ways of damaging -------------------------------------------------------------------------


def catalog_of(directory: Path) -> Path:
    return directory / "catalog.sqlite3"


def log_of(directory: Path) -> Path:
    return directory / "catalog.sqlite3-wal"


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def garbage(seed: int, size: int = PAGE) -> bytes:
    return random.Random(seed).randbytes(size)


def overwrite_page(directory: Path, number: int, content: bytes) -> None:
    overwrite(catalog_of(directory), (number - 1) * PAGE, content)


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def flip_bits(path: Path, seed: int, share: float) -> None:
    """Flip one bit in each of a share of the pages."""
    content = bytearray(path.read_bytes())
    chance = random.Random(seed)
    pages = range(len(content) // PAGE)
    for number in chance.sample(pages, int(share * len(pages))):
        place = number * PAGE + chance.randrange(PAGE)
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
