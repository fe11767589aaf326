"""Words of a text as letters for what kind of word each is, and where it stands."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from agentctx.suspicion.folding import folded, spellings
from agentctx.suspicion.vocabulary import runs, words

_TOOLS = (
    "search_context|recall_moment|read_sensor|what_changed|remember_screenshot|remember_speech"
    "|remember_sensor"
)
_ADDRESS = (
    r"(?:https?|ftp|hxxps?)[:/⁄]+\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\w+ at [\w ]{1,30} dot (?:com|net|org)\b"
)
_PLAIN = rf"{_TOOLS}|[^\W_]+(?:['@$!|][^\W_]+)*|[.!?;](?=\s|$)|[。！？,:，：]"
_TOKEN = re.compile(_PLAIN)
# Looking for addresses takes half of the time, and few texts have any.
_TOKEN_OR_ADDRESS = re.compile(rf"(?P<address>{_ADDRESS})|{_PLAIN}")
_SIGNS_OF_ADDRESS = ("@", "http", "ftp", "hxxp", " dot ")
_PAUSES, _ENDS = frozenset(",:，："), frozenset(".!?;。！？")
# Letters set apart: so many at least, with one to three signs between each two.
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_][ .\-_*·]{1,3}){5,}[^\W_](?![^\W_])")
_FEWEST_SPACED = 6
_GAP = re.compile(r"[\W_]+")
# A longer word that is in no list may be several without the spaces, as OCR gives them.
_RUN_TOGETHER = 12
_TOLD_APART = 3
# A shorter word with a digit in it means nothing: 4k, a1.
_DISGUISED = 4
_CJK = "\u3040"


class Letters(NamedTuple):
    """``kinds`` has one letter for each word, ``places`` where it begins in the folded text.

    A word of a single letter is "1". ``disguised``: places of words that were spelt so
    that a search for them finds nothing.
    """

    kinds: str
    places: tuple[int, ...]
    disguised: tuple[int, ...]


def letters(text: str) -> Letters:
    """The words of a text as letters; the rules say what these mean."""
    plain = folded(text)
    found = _read(plain)
    if found.kinds.count("1") < _FEWEST_SPACED or not (spaced := _SPACED.search(plain)):
        return found
    found = _read(_SPACED.sub(lambda apart: _GAP.sub("", apart[0]), plain))
    return found._replace(disguised=(*found.disguised, spaced.start()))


def _read(plain: str) -> Letters:
    kinds: list[str] = []
    places: list[int] = []
    disguised: list[int] = []
    known = words()
    addresses = any(sign in plain for sign in _SIGNS_OF_ADDRESS)
    for match in (_TOKEN_OR_ADDRESS if addresses else _TOKEN).finditer(plain):
        word = match[0]
        letter = known.get(word)
        if letter is None:
            if 1 < len(word) < _RUN_TOGETHER and word.isascii() and word.isalpha():
                letter = "."  # most words, told quickly
            else:
                letter = "u" if addresses and match["address"] else _other(word)
            if letter[0] == "!":
                letter = letter[1:]
                disguised.append(match.start())
        kinds.append(letter)
        places.append(match.start())
        if len(letter) > 1:
            places += places[-1:] * (len(letter) - 1)
    return Letters("".join(kinds), tuple(places), tuple(disguised))


def _other(word: str) -> str:
    """The letters of what is in no list; with "!" before them when it was disguised."""
    if len(word) == 1:
        return "," if word in _PAUSES else "/" if word in _ENDS else "1"
    if not (word.isascii() and word.isalpha()):
        return _unusual(word)
    if len(word) >= _RUN_TOGETHER:
        return "".join(_parts(word)) or "."
    return "."


def _unusual(word: str) -> str:
    if word.isdigit():
        return "."
    if "_" in word:
        return "T"
    if max(word) >= _CJK:
        return "".join(runs()[part] for part in _pattern(cjk=True).findall(word)) or "."
    known = words()
    for spelling in spellings(word) if len(word) >= _DISGUISED else ():
        if letter := known.get(spelling):
            return f"!{letter}"
        if spelling.isalpha() and len(spelling) >= _RUN_TOGETHER:
            parts = "".join(_parts(spelling))
            if parts:
                return f"!{parts}"
    return known.get(word.partition("'")[0], ".")


def _parts(word: str) -> Iterator[str]:
    """The letters of words that stand in one without a space, if they make up most of it."""
    found = _pattern(cjk=False).findall(word)
    if len(found) >= _TOLD_APART - 1 and 3 * sum(map(len, found)) >= 2 * len(word):
        yield from map(words().__getitem__, found)


@cache
def _pattern(*, cjk: bool) -> "re.Pattern[str]":
    listed = runs() if cjk else [word for word in words() if len(word) >= _TOLD_APART]
    return re.compile("|".join(map(re.escape, sorted(listed, key=len, reverse=True))))
