"""Pages of an encrypted catalog, opened one by one where SQLCipher would give up on the file.

Written after https://www.zetetic.net/sqlcipher/design/: AES-256-CBC by page, then a random vector
and an HMAC-SHA512 over both and the page's number. A page that was changed does not open.
"""

import hashlib
import hmac
from collections import Counter

from agentctx.extras import require
from agentctx.memory.salvage.pages import Pages

_SALT, _VECTOR, _MAC = 16, 16, 64
# The key of the HMACs is derived from the key and the file's salt, masked and in two rounds.
_MASK, _ROUNDS, _LENGTH = 0x3A, 2, 32
# Pages by which it is told which of several salts is the file's.
_SAMPLE = 200


class PageCipher:
    """Opens the pages of one SQLCipher 4 file."""

    reserved = _VECTOR + _MAC

    def __init__(self, key: bytes, salt: bytes) -> None:
        masked = bytes(byte ^ _MASK for byte in salt)
        self._key = key
        self._mac_key = hashlib.pbkdf2_hmac("sha512", key, masked, _ROUNDS, _LENGTH)

    def proves(self, number: int, stored: bytes) -> bool:
        """Whether a page is as it was written."""
        body = stored[_SALT if number == 1 else 0 : -_MAC]
        said = hmac.digest(self._mac_key, body + number.to_bytes(4, "little"), "sha512")
        return hmac.compare_digest(said, stored[-_MAC:])

    def __call__(self, number: int, stored: bytes) -> bytes | None:
        """The page in clear, as long as it is stored; None when it was changed."""
        if not any(stored):
            return stored
        if not self.proves(number, stored):
            return None
        ciphers = require("cryptography.hazmat.primitives.ciphers", extra="encryption")
        begin = _SALT if number == 1 else 0
        end = len(stored) - self.reserved
        mode = ciphers.modes.CBC(stored[end : end + _VECTOR])
        opened = ciphers.Cipher(ciphers.algorithms.AES(self._key), mode).decryptor()
        clear: bytes = opened.update(stored[begin:end]) + opened.finalize()
        return stored[:begin] + clear + stored[end:]


def page_cipher(pages: Pages, key: bytes) -> PageCipher:
    """What opens these pages. The salt is in the first page, of which the log may have another."""
    salts = {pages.stored(1)[:_SALT], pages.in_file(1)[:_SALT]} - {b""}
    candidates = [PageCipher(key, salt.ljust(_SALT, b"\0")) for salt in sorted(salts)]
    numbers = range(1, min(pages.count, _SAMPLE) + 1)
    proved: Counter[PageCipher] = Counter()
    for cipher in candidates:
        stored = ((number, pages.stored(number)) for number in numbers)
        proved[cipher] = sum(len(p) == pages.size and cipher.proves(n, p) for n, p in stored)
    return proved.most_common(1)[0][0] if candidates else PageCipher(key, bytes(_SALT))
