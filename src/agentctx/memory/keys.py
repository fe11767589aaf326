"""The keys of an encrypted memory: where the master key comes from, and what is derived from it.

A master key is 32 random bytes: given as they are (``bytes``), in a file (``file:PATH``, 64 hex
digits, mode 0600), or in the keyring of the operating system (``keyring``: service ``agentctx``,
one entry per memory). It encrypts nothing itself; HKDF-SHA256 (RFC 5869) makes one key for each
purpose from it.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentctx.errors import EncryptionError
from agentctx.extras import require

KeySource = bytes | str

LENGTH = 32
_SERVICE = "agentctx"
_FILE = "file:"
_HEX = re.compile(rb"[0-9a-fA-F]{64}\s*")
_NEW_FILE = "make one with: agentctx keygen FILE"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """One key per purpose, 32 bytes each; ``check`` is public and tells the right master key."""

    catalog: bytes
    media: bytes
    names: bytes
    check: bytes

    @classmethod
    def derive(cls, master: bytes) -> "Keys":
        """The keys that a master key stands for."""
        purposes = ("catalog", "media", "names", "check")
        return cls(*(subkey(master, b"", f"agentctx 1 {name}".encode()) for name in purposes))


def subkey(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """32 bytes by HKDF-SHA256; another salt or purpose gives an independent key."""
    hashes = require("cryptography.hazmat.primitives.hashes", extra="encryption")
    hkdf = require("cryptography.hazmat.primitives.kdf.hkdf", extra="encryption")
    derived: bytes = hkdf.HKDF(hashes.SHA256(), LENGTH, salt, purpose).derive(key)
    return derived


def load(source: KeySource, memory: str) -> bytes:
    """The master key of a memory (given by its id). Raises EncryptionError when it is not there."""
    if isinstance(source, bytes):
        return source
    if source.startswith(_FILE):
        return _read(Path(source.removeprefix(_FILE)).expanduser())
    with _keyring() as keyring:
        found = keyring.get_password(_SERVICE, memory)
    if found is None:
        raise EncryptionError(
            f"the keyring has no key of the memory {memory} (service {_SERVICE!r}); it is in the "
            "keyring of the user and machine that made the memory"
        )
    return _parse(found.encode(), f"the keyring's entry {memory}")


def create(source: KeySource, memory: str) -> bytes:
    """The master key for a new memory; in the keyring, one is made for it."""
    if source != "keyring":
        return load(source, memory)
    master = secrets.token_bytes(LENGTH)
    with _keyring() as keyring:
        keyring.set_password(_SERVICE, memory, master.hex())
    return load(source, memory)


def discard(source: KeySource, memory: str) -> None:
    """Undo `create`, for a memory that did not come to be."""
    if source == "keyring":
        with _keyring() as keyring:
            keyring.delete_password(_SERVICE, memory)


def new_file(path: Path) -> None:
    """Write a new random key into a file of mode 0600 that must not exist yet."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise EncryptionError(f"{path} exists; a key that is replaced opens nothing") from error
    except OSError as error:
        raise EncryptionError(f"cannot write the key file {path}: {error}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secrets.token_hex(LENGTH)}\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(1024)
    except FileNotFoundError as error:
        raise EncryptionError(f"there is no key file {path}; {_NEW_FILE}") from error
    except OSError as error:
        raise EncryptionError(f"the key file {path} cannot be read: {error}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise EncryptionError(f"others may read the key file {path}; run: chmod 600 {path}")
    return _parse(content, f"the key file {path}")


def _parse(content: bytes, where: str) -> bytes:
    if not _HEX.fullmatch(content):
        raise EncryptionError(f"{where} does not hold {2 * LENGTH} hex digits; {_NEW_FILE}")
    return bytes.fromhex(content.decode())


@contextmanager
def _keyring() -> Iterator[Any]:
    keyring = require("keyring", extra="encryption")
    try:
        yield keyring
    except keyring.errors.KeyringError as error:
        raise EncryptionError(
            f"the keyring cannot be used: {error}. Where there is none (a server, a container), "
            f"use a key file: {_NEW_FILE}, then key = 'file:FILE' in the config"
        ) from error
