"""Originals, thumbnails and readings as files named by their content, sealed if there are keys."""

import hashlib
import hmac
import io
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from agentctx.errors import (
    EncryptionError,
    SourceInvalid,
    SourceNotFound,
    SourceUnreadable,
    StoreError,
)
from agentctx.memory import private, sealed
from agentctx.memory.keys import Keys
from agentctx.records import Media

PART = ".part"


class MediaStore:
    """Files under one directory, each named by the sha256 of its bytes.

    With ``keys``, files are sealed and the names are an HMAC of that sha256: nobody without the
    key can tell whether a file that they know is in the memory.
    """

    def __init__(self, directory: Path, keys: Keys | None = None) -> None:
        self._directory = directory
        self._keys = keys

    def path(self, digest: str) -> Path:
        """Where the bytes of that digest (sealed, if there are keys) are, or would be."""
        name = digest
        if self._keys is not None:
            name = hmac.new(self._keys.names, digest.encode(), "sha256").hexdigest()
        return self._directory / name[:2] / name

    def media(self, kind: str, mime: str, digest: str, size: int) -> Media:
        """What was stored, to be read when it is needed."""
        if self._keys is None:
            return Media(kind, mime, digest, size, path=self.path(digest))
        return Media(kind, mime, digest, size, opener=_Opener(self, digest))

    def open(self, digest: str) -> BinaryIO:
        """The stored bytes as a file for reading, at any position.

        Raises FileNotFoundError when they are not there, and EncryptionError, now or while
        reading, when they are sealed and were changed, cut or exchanged.
        """
        file = self.path(digest).open("rb")
        if self._keys is None:
            return file
        return sealed.open_sealed(file, self._keys.media, digest)

    # -- writing ------------------------------------------------------------------------------

    def put(self, media: Media) -> None:
        """Store the bytes, durably; what is here already in its full length is left.

        Raises a SourceError naming the file when it is gone or no longer has the digest it had
        when it was observed, and StoreError when the memory cannot be written.
        """
        target = self.path(media.digest)
        try:
            if not self._complete(target, media.size):
                self._write(target, media)
            # Also for what another process has put: its name may not be durable yet.
            private.sync(target.parent)
        except OSError as error:
            raise StoreError(
                f"cannot write {target}: {error}. Make room, or give this user the right to write "
                "there, and try again; what was acknowledged is safe"
            ) from error

    def _complete(self, target: Path, size: int) -> bool:
        try:
            stored = target.stat().st_size
        except FileNotFoundError:
            return False
        return stored == (size if self._keys is None else sealed.size(size))

    def _write(self, target: Path, media: Media) -> None:
        if not target.parent.exists():
            private.directory(target.parent)
            private.sync(self._directory)
        # The name appears only when the bytes are complete, so a killed process leaves no
        # half-written media behind under a digest.
        descriptor, name = tempfile.mkstemp(dir=self._directory, suffix=PART)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for part in self._stored_form(media):
                    file.write(part)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _stored_form(self, media: Media) -> Iterator[bytes]:
        pieces = _checked(media)
        if self._keys is None:
            return pieces
        return sealed.seal(self._keys.media, media.digest, pieces)

    def remove(self, digests: Iterable[str]) -> list[str]:
        """Delete the bytes of these digests; gives back those that were there.

        What refers to a digest must be looked up in the write transaction in which this is
        called, or bytes that another process has just found in place are deleted under it.
        """
        gone = []
        for digest in digests:
            try:
                self.path(digest).unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"cannot delete {self.path(digest)}: {error}") from error
            gone.append(digest)
        return gone

    # -- checking -----------------------------------------------------------------------------

    def damaged(self, digests: Iterable[str]) -> list[str]:
        """Digests whose bytes are absent, cannot be read, or are not what their name says."""
        return [digest for digest in digests if not self._whole(digest)]

    def _whole(self, digest: str) -> bool:
        seen = hashlib.sha256()
        try:
            with self.open(digest) as file:
                while piece := file.read(sealed.CHUNK):
                    seen.update(piece)
        except (OSError, EncryptionError):
            return False
        return seen.hexdigest() == digest

    def orphans(self, known: Iterable[str], older_than: float = 3600.0) -> list[Path]:
        """Files that no known digest names, and what killed processes left half-written.

        Only files not written to for ``older_than`` seconds: media are stored before the
        catalog knows of them.
        """
        places = {self.path(digest) for digest in known}
        before = time.time() - older_than
        found = []
        for path in sorted(self._directory.rglob("*")):
            try:
                if path.is_file() and path not in places and path.stat().st_mtime <= before:
                    found.append(path)
            except FileNotFoundError:  # another process has finished or removed it
                continue
        return found


def _checked(media: Media) -> Iterator[bytes]:
    """The bytes in pieces of one chunk; raises at their end when they are not the digest's."""
    seen = hashlib.sha256()
    name = f"the {media.kind} {media.digest}" if media.path is None else str(media.path)
    try:
        with media.open() as file:
            while piece := file.read(sealed.CHUNK):
                seen.update(piece)
                yield piece
    except FileNotFoundError as error:
        raise SourceNotFound(name, "it went away while it was being added") from error
    except OSError as error:
        raise SourceUnreadable(name, f"it cannot be read any more: {error}") from error
    if seen.hexdigest() != media.digest:
        raise SourceInvalid(name, "it changed while it was being added; add it again")


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens sealed media; pickled, it takes the bytes along and leaves the keys behind."""

    store: MediaStore
    digest: str

    def __call__(self) -> BinaryIO:
        return self.store.open(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        with self() as file:
            return partial, (io.BytesIO, file.read())
