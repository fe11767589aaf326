"""Whether a memory is encrypted, and with which key: ``encryption.json`` in its directory.

The file holds the memory's id, which names its key in a keyring, and a value derived from the
master key by which another key is told from damage. Neither is secret.
"""

import hmac
import json
import os
import secrets
import sqlite3
import tempfile
from pathlib import Path
from typing import NamedTuple

from agentctx.errors import EncryptionError, SchemaError, StoreError
from agentctx.memory import cipher, keys, private
from agentctx.memory.keys import Keys, KeySource

MARKER = "encryption.json"
_FORMAT = 1
_GIVE = "give its key: key = 'file:PATH' or 'keyring' in the config, or AGENTCTX_KEY_FILE"
_MOVE = "to encrypt it, export it and import that into a new memory with a key"


class _Marker(NamedTuple):
    memory: str
    check: str


def unlock(directory: Path, source: KeySource | None) -> Keys | None:
    """The keys of the memory in a directory; None when it is not encrypted.

    A memory that is not there yet becomes an encrypted one when there is a ``source``. Raises
    EncryptionError for an encrypted memory without its key, and for another one with a key.
    """
    marker = _read(directory / MARKER)
    if marker is None:
        return None if source is None else _begin(directory, source)
    if source is None:
        raise EncryptionError(f"the memory {directory} is encrypted; {_GIVE}")
    found = Keys.derive(keys.load(source, marker.memory))
    if not hmac.compare_digest(found.check.hex(), marker.check):
        raise EncryptionError(f"the memory {directory} is encrypted with another key; {_GIVE}")
    return found


def _begin(directory: Path, source: KeySource) -> Keys | None:
    catalog = directory / "catalog.sqlite3"
    memory = secrets.token_hex(16)
    if catalog.exists():
        found = _of_lost_marker(catalog, Keys.derive(keys.load(source, memory)))
        _write(directory, _Marker(memory, found.check.hex()))
        return found
    found = Keys.derive(keys.create(source, memory))
    if _write(directory, _Marker(memory, found.check.hex())):
        return found
    keys.discard(source, memory)  # another process made this memory meanwhile
    return unlock(directory, source)


def _of_lost_marker(catalog: Path, found: Keys) -> Keys:
    # The plain one first: opening a file through a second SQLite library drops the locks that the
    # first has on it in this process.
    for wanted in (None, found):
        connection = cipher.connect(catalog, wanted)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                continue
            raise StoreError(f"{catalog}: {error}") from error
        finally:
            connection.close()
        if wanted is None:
            raise EncryptionError(f"{catalog} is not encrypted: open it without a key; {_MOVE}")
        return found
    raise EncryptionError(f"{catalog} does not open with this key, nor without one; {_GIVE}")


def _read(path: Path) -> _Marker | None:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] > _FORMAT:
            raise SchemaError(f"{path} was written by a newer agentctx; upgrade agentctx")
        return _Marker(str(content["memory"]), str(content["check"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise EncryptionError(
            f"{path} is damaged: {error}. Put it back from a backup; with a key file, it may be "
            "deleted and is then made again"
        ) from error


def _write(directory: Path, marker: _Marker) -> bool:
    """Write the marker, whole and durably; False when there is one already."""
    content = {"format": _FORMAT, **marker._asdict()}
    try:
        with tempfile.NamedTemporaryFile("w", dir=directory / "media", suffix=".part") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
            # Unlike a renaming, a link never replaces what another process wrote meanwhile.
            (directory / MARKER).hardlink_to(file.name)
            private.sync(directory)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(f"cannot write {directory / MARKER}: {error}") from error
    return True
