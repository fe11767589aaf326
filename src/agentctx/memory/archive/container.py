"""An archive's file: its members found, measured and hashed, none of them trusted.

Members are read in place, at the offsets that the ZIP directory gives. Since each is stored as it
is and they cannot be larger together than the file, there is nothing that could unfold.
"""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from agentctx.errors import ArchiveError
from agentctx.extras import require
from agentctx.memory.archive import layout
from agentctx.memory.archive.layout import Manifest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Of the header before a member's bytes: how long its name and its extra field are.
_LOCAL_HEADER = 30
_LENGTHS = slice(26, 30)
_ENCRYPTED = 0x1
# Values as they are, one after the other; a dictionary could repeat a long one without end.
_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED"}


class Container:
    """An open archive whose manifest has been read and whose members are those it names.

    Raises ArchiveError, here and in every method, naming the file, the member and the row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveError(f"{path} cannot be opened: {error.strerror}") from error
        try:
            self._lock = threading.Lock()
            self._state = self._stat()
            with self.explained():
                self._members = self._list()
                self.manifest = Manifest.from_json(self._manifest())
                self._check_tables()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextmanager
    def explained(
        self, advice: str = "Nothing of it was taken; use another copy"
    ) -> Iterator[None]:
        """Adds the file's name to errors, and what to do."""
        try:
            yield
        except (ArchiveError, OSError) as error:
            raise ArchiveError(f"{self.path}: {error}. {advice}") from error

    def check_unchanged(self) -> None:
        """Raise when the file was written to since it was opened."""
        if self._stat() != self._state:
            raise ArchiveError("it was changed while it was being read")

    @property
    def media(self) -> set[str]:
        """The digests of the media files inside."""
        start = len(layout.MEDIA)
        return {name[start:] for name in self._members if name.startswith(layout.MEDIA)}

    def media_size(self, digest: str) -> int:
        """How many bytes the media file of a digest has."""
        return self._members[layout.MEDIA + digest][1]

    def open_media(self, digest: str) -> BinaryIO:
        """The media file of a digest, for reading at any position."""
        return self._open(layout.MEDIA + digest)

    def check_digest(self, name: str, wanted: str) -> None:
        """Raise when a member's bytes do not have a sha256."""
        with self._open(name) as member:
            if hashlib.file_digest(member, "sha256").hexdigest() != wanted:
                raise ArchiveError(f"{name} is damaged: its sha256 is not the one it should have")

    def groups(self, name: str) -> Iterator[Any]:
        """A table as Arrow record batches of at most `layout.GROUP_ROWS` rows."""
        arrow = require("pyarrow", extra="archive")
        parquet = require("pyarrow.parquet", extra="archive")
        with self._open(name) as member:
            try:
                file = parquet.ParquetFile(arrow.PythonFile(member, mode="r"), pre_buffer=False)
                self._check_shape(name, file)
                yield from file.iter_batches(layout.GROUP_ROWS, use_threads=False)
            except (arrow.ArrowException, OSError, ValueError, MemoryError) as error:
                raise ArchiveError(f"{name} cannot be read: {error}") from error

    def _check_shape(self, name: str, file: Any) -> None:  # noqa: ANN401
        schema = layout.schemas(self.manifest.spaces)[name]
        if not file.schema_arrow.equals(schema):
            raise ArchiveError(
                f"{name} has other columns than it should have:\n{file.schema_arrow}\n"
                f"instead of:\n{schema}\n"
            )
        about = file.metadata
        if about.num_rows != self.manifest.tables[name].rows:
            raise ArchiveError(f"{name} has {about.num_rows} rows, not those of the manifest")
        for number in range(about.num_row_groups):
            group = about.row_group(number)
            if group.total_byte_size > layout.GROUP_BYTES:
                raise ArchiveError(f"{name} holds {group.total_byte_size:,} bytes in one group")
            for column in (group.column(index) for index in range(group.num_columns)):
                plain = set(column.encodings) <= _ENCODINGS
                if column.compression != "UNCOMPRESSED" or not plain:
                    raise ArchiveError(
                        f"{name} is compressed ({column.compression}, {column.encodings}), "
                        "which archives are not"
                    )

    # -- the file -----------------------------------------------------------------------------

    def _stat(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns

    def _list(self) -> dict[str, tuple[int, int]]:
        """Where each member begins, and its size."""
        try:
            with zipfile.ZipFile(self._file) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise ArchiveError(f"it is no ZIP file, or a damaged one: {error}") from error
        members: dict[str, tuple[int, int]] = {}
        for entry in entries:
            name, size = entry.filename, entry.file_size
            if name in members:
                raise ArchiveError(f"{name} is in it twice")
            if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != size:
                raise ArchiveError(f"{name} is compressed, which members of archives are not")
            if entry.flag_bits & _ENCRYPTED:
                raise ArchiveError(f"{name} is encrypted, which members of archives are not")
            members[name] = self._start(entry), size
        whole = self._state[0]
        ends = [start + size for start, size in members.values()]
        # Members that share bytes could be larger together than the file.
        if max(ends, default=0) > whole or sum(size for _, size in members.values()) > whole:
            raise ArchiveError("its members are larger than the file")
        return members

    def _start(self, entry: zipfile.ZipInfo) -> int:
        self._file.seek(max(0, entry.header_offset))
        header = self._file.read(_LOCAL_HEADER)
        if len(header) != _LOCAL_HEADER or not header.startswith(b"PK\3\4"):
            raise ArchiveError(f"{entry.filename} is not where the ZIP directory says")
        name, extra = header[_LENGTHS][:2], header[_LENGTHS][2:]
        lengths = int.from_bytes(name, "little") + int.from_bytes(extra, "little")
        return entry.header_offset + _LOCAL_HEADER + lengths

    def _manifest(self) -> bytes:
        if layout.MANIFEST not in self._members:
            raise ArchiveError(f"it has no {layout.MANIFEST}, so it is no archive of agentctx")
        if self._members[layout.MANIFEST][1] > layout.MANIFEST_BYTES:
            raise ArchiveError(f"{layout.MANIFEST} has more than {layout.MANIFEST_BYTES:,} bytes")
        with self._open(layout.MANIFEST) as member:
            return member.read()

    def _check_tables(self) -> None:
        wanted = {layout.MANIFEST, *self.manifest.tables}
        found = {name for name in self._members if not _is_media(name)}
        for name in sorted(wanted - found):
            raise ArchiveError(f"{name} is missing")
        for name in sorted(found - wanted):
            raise ArchiveError(f"{name!r} does not belong into an archive")
        if len(self._members) - len(found) != self.manifest.media:
            raise ArchiveError(
                f"{len(self._members) - len(found)} media are in it, "
                f"{self.manifest.media} should be"
            )
        for name, table in self.manifest.tables.items():
            if self._members[name][1] != table.size:
                raise ArchiveError(f"{name} has {self._members[name][1]} bytes, not {table.size}")

    def _open(self, name: str) -> io.BufferedReader:
        start, size = self._members[name]
        return io.BufferedReader(_Member(self._file, self._lock, start, size), 1 << 16)


def _is_media(name: str) -> bool:
    start = len(layout.MEDIA)
    return name.startswith(layout.MEDIA) and bool(layout.DIGEST.fullmatch(name[start:]))


class _Member(io.RawIOBase):
    """A part of a file as a file; several may be read in turns, from any thread."""

    def __init__(self, file: BinaryIO, lock: threading.Lock, start: int, size: int) -> None:
        self._file = file
        self._lock = lock
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} is before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        wanted = min(len(target), max(0, self._size - self._position))
        with self._lock:
            self._file.seek(self._start + self._position)
            data = self._file.read(wanted)
        if len(data) != wanted:
            raise ArchiveError("it became shorter while it was being read")
        target[:wanted] = data
        self._position += wanted
        return wanted
