"""Sealed files: AES-256-GCM in chunks, so that a part can be read without the rest.

    header   8 bytes   "AGCTXSF" and the version, 1
             32 bytes  salt, random
    chunks   65,536 bytes of plaintext each, the last one 0 to 65,536; each with 16 bytes of tag

    key      HKDF-SHA256 of the media key, by the salt, for this very content (its sha256)
    nonce    the chunk's number from 0 (11 bytes, big-endian), then 1 for the last, 0 for others

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-
Encryption and its Nonce-Reuse Misuse-Resistance, 2015): a chunk that is changed, moved, repeated,
dropped, or taken from another file does not open, and neither does a file that was cut. A key
serves one file, so that counted nonces never repeat under it.
"""

import functools
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

from agentctx.errors import EncryptionError
from agentctx.extras import require
from agentctx.memory.keys import subkey

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 1 << 16
_MAGIC = b"AGCTXSF\x01"
_SALT = 32
_HEADER = len(_MAGIC) + _SALT
_TAG = 16


def size(plain: int) -> int:
    """How many bytes so many bytes of plaintext take when sealed."""
    return _HEADER + plain + max(1, -(-plain // CHUNK)) * _TAG


def seal(key: bytes, digest: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file, in parts; every piece but the last must have `CHUNK` bytes."""
    salt = secrets.token_bytes(_SALT)
    yield _MAGIC + salt
    aead = _aead(key, salt, digest)
    coming = iter(pieces)
    piece = next(coming, b"")
    for number in count():
        following = next(coming, None)
        yield aead.encrypt(_nonce(number, last=following is None), piece, _MAGIC)
        if following is None:
            return
        piece = following


def open_sealed(file: BinaryIO, key: bytes, digest: str) -> BinaryIO:
    """The plaintext as a file that can be read from any position; it owns ``file``.

    Raises EncryptionError when the file was cut, is no sealed file, or not of this key and
    content; reading raises it for any chunk that was changed.
    """
    try:
        return io.BufferedReader(_Sealed(file, key, digest), CHUNK)
    except BaseException:
        file.close()
        raise


class _Sealed(io.RawIOBase):
    def __init__(self, file: BinaryIO, key: bytes, digest: str) -> None:
        self._file = file
        self._digest = digest
        header = file.read(_HEADER)
        stored = os.fstat(file.fileno()).st_size - _HEADER
        if header[: len(_MAGIC)] != _MAGIC or stored < _TAG:
            raise EncryptionError(f"the media {digest} is cut, or no sealed file")
        self._aead = _aead(key, header[len(_MAGIC) :], digest)
        self._chunks = -(-stored // (CHUNK + _TAG))
        self._size = stored - self._chunks * _TAG
        self._position = 0
        self._opened = functools.lru_cache(1)(self._chunk)
        # Whether this is the end is sealed with it: a file that was cut is noticed now.
        self._opened(self._chunks - 1)

    def _chunk(self, number: int) -> bytes:
        self._file.seek(_HEADER + number * (CHUNK + _TAG))
        sealed = self._file.read(CHUNK + _TAG)
        exceptions = require("cryptography.exceptions", extra="encryption")
        try:
            plain: bytes = self._aead.decrypt(
                _nonce(number, last=number == self._chunks - 1), sealed, _MAGIC
            )
        except (exceptions.InvalidTag, ValueError) as error:
            raise EncryptionError(
                f"the media {self._digest} was changed or cut on disk, or is sealed with another "
                "key; add its source again"
            ) from error
        return plain

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, CHUNK)
        part = self._opened(number)[start : start + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} is before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def _aead(key: bytes, salt: bytes, digest: str) -> Any:  # noqa: ANN401 - of an optional package
    aead = require("cryptography.hazmat.primitives.ciphers.aead", extra="encryption")
    return aead.AESGCM(subkey(key, salt, b"agentctx 1 media " + digest.encode()))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
