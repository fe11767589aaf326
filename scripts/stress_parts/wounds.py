"""Ways of damaging the files of a memory; each is told where they are."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_GARBAGE = random.Random(11).randbytes(1 << 16)
_PAGE = 4096


@dataclass(frozen=True)
class Patient:
    """Where everything is: the memory, another one, and what this one was when it was smaller."""

    memory: Path
    other: Path
    earlier: Path

    @property
    def chroma(self) -> Path:
        """Chroma's directory."""
        return self.memory / "chroma"

    @property
    def database(self) -> Path:
        """Chroma's database."""
        return self.chroma / "chroma.sqlite3"

    @property
    def segment(self) -> Path:
        """The directory of Chroma's graph."""
        return next(path for path in self.chroma.iterdir() if path.is_dir())

    @property
    def catalog(self) -> Path:
        """The catalog."""
        return self.memory / "catalog.sqlite3"


Wound = Callable[[Patient], object]


def cut(path: Path, share: float) -> None:
    """Leave so much of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def fill(path: Path) -> None:
    """Put garbage into a file, as much as was there."""
    size = path.stat().st_size
    path.write_bytes((_GARBAGE * (size // len(_GARBAGE) + 1))[: max(size, 64)])


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Put bytes into the middle of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def flip(path: Path, bits: int, seed: int = 5) -> None:
    """Turn bits over, anywhere in a file."""
    data = bytearray(path.read_bytes())
    dice = random.Random(seed)
    for _ in range(bits):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def replace(path: Path, by: Path) -> None:
    """Put a copy of something else in its place."""
    remove(path)
    if by.is_dir():
        shutil.copytree(by, path)
    else:
        shutil.copy(by, path)


def remove(path: Path) -> None:
    """Delete a file or a directory."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def execute(path: Path, *statements: str) -> None:
    """Change a database as a program with other ideas would."""
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def file_instead(path: Path) -> None:
    """A file where a directory was."""
    remove(path)
    path.write_bytes(b"not what you think")


def empty(path: Path) -> None:
    """Nothing in a directory."""
    remove(path)
    path.mkdir()


def lock(path: Path) -> None:
    """Take away every right; the superuser is not bound by that."""
    for one in [*path.rglob("*"), path]:
        one.chmod(0)


def directory_instead(path: Path) -> None:
    """A directory where a file was."""
    remove(path)
    path.mkdir()
    (path / "inside").write_bytes(b"x")


def pages(path: Path, *numbers: int) -> None:
    """Garbage in whole pages."""
    last = path.stat().st_size // _PAGE
    for number in numbers:
        overwrite(path, (number % last) * _PAGE, _GARBAGE[:_PAGE])


CHROMA: Mapping[str, Wound] = {
    "directory missing": lambda p: remove(p.chroma),
    "directory empty": lambda p: empty(p.chroma),
    "a file instead of the directory": lambda p: file_instead(p.chroma),
    "database missing": lambda p: remove(p.database),
    "database empty": lambda p: cut(p.database, 0),
    "database cut in half": lambda p: cut(p.database, 0.5),
    "database garbage": lambda p: fill(p.database),
    "database: 500 bits flipped": lambda p: flip(p.database, 500),
    "database: a directory instead": lambda p: directory_instead(p.database),
    "database of an older version": lambda p: execute(
        p.database, "DELETE FROM migrations WHERE version > 1"
    ),
    "database without a collection": lambda p: execute(p.database, "DELETE FROM collections"),
    "no right to read anything": lambda p: lock(p.chroma),
    "graph missing": lambda p: remove(p.segment),
    "data_level0.bin cut in half": lambda p: cut(p.segment / "data_level0.bin", 0.5),
    "data_level0.bin: 5000 bits flipped": lambda p: flip(p.segment / "data_level0.bin", 5000),
    "data_level0.bin zeroed": lambda p: (p.segment / "data_level0.bin").write_bytes(
        bytes((p.segment / "data_level0.bin").stat().st_size)
    ),
    "data_level0.bin missing": lambda p: remove(p.segment / "data_level0.bin"),
    "link_lists.bin garbage": lambda p: fill(p.segment / "link_lists.bin"),
    "header.bin: huge counts": lambda p: overwrite(p.segment / "header.bin", 8, b"\xff" * 7),
    "header.bin empty": lambda p: cut(p.segment / "header.bin", 0),
    "header.bin garbage": lambda p: fill(p.segment / "header.bin"),
    "index_metadata.pickle garbage": lambda p: fill(p.segment / "index_metadata.pickle"),
    "index_metadata.pickle missing": lambda p: remove(p.segment / "index_metadata.pickle"),
    "all of another memory": lambda p: replace(p.chroma, p.other / "chroma"),
    "all as it was earlier": lambda p: replace(p.chroma, p.earlier / "chroma"),
}

CATALOG: Mapping[str, Wound] = {
    "missing": lambda p: remove(p.catalog),
    "empty": lambda p: cut(p.catalog, 0),
    "cut in half": lambda p: cut(p.catalog, 0.5),
    "the last page cut": lambda p: cut(p.catalog, 1 - _PAGE / p.catalog.stat().st_size),
    "garbage": lambda p: fill(p.catalog),
    "header overwritten": lambda p: overwrite(p.catalog, 0, _GARBAGE[:100]),
    "first page overwritten": lambda p: pages(p.catalog, 0),
    "5 pages overwritten": lambda p: pages(p.catalog, 7, 77, 147, 217, 287),
    "200 bits flipped": lambda p: flip(p.catalog, 200),
    "full-text index emptied": lambda p: execute(p.catalog, "DELETE FROM passage_words_data"),
    "rows without their parents": lambda p: execute(
        p.catalog, "DELETE FROM observation WHERE pk % 50 = 0"
    ),
    "a directory instead": lambda p: directory_instead(p.catalog),
    "of a newer version": lambda p: execute(p.catalog, "PRAGMA user_version = 99"),
    "of another memory": lambda p: replace(p.catalog, p.other / "catalog.sqlite3"),
}
