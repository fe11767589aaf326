"""Where the key of a memory comes from, and what is said when it is not there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agentctx.errors import EncryptionError
from agentctx.memory import encryption, keys
from agentctx.memory.keys import Keys

MASTER = bytes(range(32))


class InMemory(keyring.backend.KeyringBackend):
    """A backend as keyring's documentation describes how to write one."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("no such entry")


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    backend = InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def no_ring() -> Iterator[None]:
    """What keyring finds on a machine without a desktop."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


# -- derivation -----------------------------------------------------------------------------------


def test_each_purpose_has_a_key_of_its_own() -> None:
    found = Keys.derive(MASTER)
    made = [found.catalog, found.media, found.names, found.check]
    assert len({*made, MASTER}) == 5
    assert {len(key) for key in made} == {32}
    for name, key in zip(("catalog", "media", "names", "check"), made, strict=True):
        assert key == HKDF(SHA256(), 32, None, f"agentctx 1 {name}".encode()).derive(MASTER)


def test_another_master_gives_other_keys() -> None:
    one, other = Keys.derive(MASTER), Keys.derive(bytes(32))
    assert not {one.catalog, one.media, one.names} & {other.catalog, other.media, other.names}


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_new_key_file_is_for_its_owner_only(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "a.key"
    before = os.umask(umask)
    try:
        keys.new_file(path)
    finally:
        os.umask(before)
    path.chmod(path.stat().st_mode | 0o600)  # nobody can read what umask 777 makes
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert bytes.fromhex(path.read_text()) == keys.load(f"file:{path}", "")
    assert len(keys.load(f"file:{path}", "")) == 32


def test_new_keys_differ_and_none_is_overwritten(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("a", "b")]
    for path in made:
        keys.new_file(path)
    assert made[0].read_text() != made[1].read_text()
    before = made[0].read_text()
    with pytest.raises(EncryptionError, match="exists; a key that is replaced opens nothing"):
        keys.new_file(made[0])
    assert made[0].read_text() == before


def test_a_key_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(EncryptionError, match=r"cannot write the key file .*no/a\.key"):
        keys.new_file(tmp_path / "no" / "a.key")


def test_a_home_directory_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    keys.new_file(tmp_path / "a.key")
    assert keys.load("file:~/a.key", "") == keys.load(f"file:{tmp_path}/a.key", "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    keys.new_file(path)
    path.chmod(mode)
    with pytest.raises(EncryptionError, match=r"others may read .*; run: chmod 600 .*a\.key"):
        keys.load(f"file:{path}", "")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"0" * 63, b"0" * 65, b"x" * 64, b"0x" + b"0" * 62, os.urandom(32), b"0" * 2000],
    ids=len,
)
def test_a_key_file_with_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(EncryptionError, match="does not hold 64 hex digits; make one") as raised:
        keys.load(f"file:{path}", "")
    assert content.strip() == b"" or content.hex() not in str(raised.value)


def test_an_absent_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(EncryptionError, match=r"no key file .*make one with: agentctx keygen"):
        keys.load(f"file:{tmp_path}/a.key", "")
    with pytest.raises(EncryptionError, match="cannot be read"):
        keys.load(f"file:{tmp_path}", "")


# -- the keyring ----------------------------------------------------------------------------------


def test_each_memory_has_its_entry_in_the_keyring(tmp_path: Path, ring: InMemory) -> None:
    opened = []
    for name in ("one", "two"):
        (tmp_path / name / "media").mkdir(parents=True)
        opened.append(encryption.unlock(tmp_path / name, "keyring"))
    assert len(ring.entries) == 2
    assert {service for service, _ in ring.entries} == {"agentctx"}
    for (_, memory), kept, found in zip(ring.entries, ring.entries.values(), opened, strict=True):
        assert len(bytes.fromhex(memory)) == 16
        assert found == Keys.derive(bytes.fromhex(kept))
    assert [encryption.unlock(tmp_path / name, "keyring") for name in ("one", "two")] == opened
    assert len(ring.entries) == 2


def test_without_its_entry_a_memory_stays_closed(tmp_path: Path, ring: InMemory) -> None:
    (tmp_path / "media").mkdir()
    encryption.unlock(tmp_path, "keyring")
    ((_, memory),) = ring.entries
    ring.entries["agentctx", memory] = "no key"
    with pytest.raises(EncryptionError, match=f"the keyring's entry {memory} does not hold 64 hex"):
        encryption.unlock(tmp_path, "keyring")
    ring.entries.clear()
    with pytest.raises(EncryptionError, match=f"the keyring has no key of the memory {memory}"):
        encryption.unlock(tmp_path, "keyring")
    assert ring.entries == {}, "no new key is made for an old memory"


@pytest.mark.usefixtures("no_ring")
def test_without_a_keyring_the_way_out_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    with pytest.raises(EncryptionError, match=r"use a key file: .*agentctx keygen FILE"):
        encryption.unlock(tmp_path, "keyring")
    assert [path.name for path in tmp_path.iterdir()] == ["media"], "nothing was begun"
