"""Originals, thumbnails and readings as files named by their content."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from agentctx.errors import SourceInvalid, StoreError
from agentctx.records import Media

_CHUNK = 1 << 20


class MediaStore:
    """Files under one directory, each named by the sha256 of its bytes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, digest: str) -> Path:
        """Where the bytes of that digest are, or would be."""
        return self._directory / digest[:2] / digest

    def put(self, media: Media) -> None:
        """Store the bytes, durably; nothing is written when they are here already.

        Raises SourceInvalid when a file no longer has the digest it had when it was observed.
        """
        target = self.path(media.digest)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The name appears only when the bytes are complete, so a killed process leaves no
        # half-written media behind under a digest.
        with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as temporary:
            try:
                self._copy(media, temporary)
                os.fsync(temporary.fileno())
                Path(temporary.name).replace(target)
            except BaseException as error:
                Path(temporary.name).unlink()
                if isinstance(error, OSError):
                    raise StoreError(f"cannot write {target}: {error}") from error
                raise

    def _copy(self, media: Media, target: "tempfile._TemporaryFileWrapper[bytes]") -> None:
        if media.data is not None:
            target.write(media.data)
        elif media.path is not None:
            seen = hashlib.sha256()
            with media.path.open("rb") as source:
                while chunk := source.read(_CHUNK):
                    seen.update(chunk)
                    target.write(chunk)
            if seen.hexdigest() != media.digest:
                raise SourceInvalid(media.path, "it changed while it was being added; add it again")
        target.flush()

    def remove(self, digests: Iterable[str]) -> list[str]:
        """Delete the bytes of these digests; gives back those that were there."""
        gone = []
        for digest in digests:
            path = self.path(digest)
            if path.exists():
                path.unlink()
                gone.append(digest)
        return gone

    def damaged(self, digests: Iterable[str]) -> list[str]:
        """Digests whose bytes are absent or are not what their name says."""
        bad = []
        for digest in digests:
            try:
                with self.path(digest).open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                found = ""
            if found != digest:
                bad.append(digest)
        return bad
