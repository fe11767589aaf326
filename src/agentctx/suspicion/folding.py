"""Text as a reader sees it: one spelling for the many ways of writing a word."""

import re
import unicodedata

# What shows nothing, or turns the order of what is shown.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MARKS = re.compile("[\u0300-\u036f\u3099\u309a]")
# Letters of other scripts that look like one of ours, small ones: capitals are folded before.
_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝвкмнтьзгпӏɩıαεικνορτυχγωηɑɡⅼꞓ",
    "aeopcyxijshdqwbkmhtb3rnliiaeikvoptuxywnaglc",
)
# Digits and signs for letters; a 1 may be an i or an l.
_DIGITS = (str.maketrans("0134578@$!|", "oieastbasii"), str.maketrans("0134578@$!|", "oleastbasll"))


def visible(text: str) -> str:
    """The text without what shows nothing, compatibility forms written plainly.

    >>> visible("Ｉｇ\u200bｎｏｒｅ")
    'Ignore'
    """
    if text.isascii():
        return text
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def folded(text: str) -> str:
    """Visible text in lower case, without accents."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", visible(text).casefold()))
    return unicodedata.normalize("NFC", bare).replace("\u2019", "'")


def skeleton(text: str) -> str:
    """Folded text with the letters that look like ours replaced by ours.

    >>> skeleton("ԁаtа")
    'data'
    """
    return folded(text).translate(_ALIKE)


def spellings(word: str) -> tuple[str, ...]:
    """What a folded word may be meant as, when letters in it were replaced by look-alikes.

    >>> spellings("1gn0re")
    ('ignore', 'lgnore')
    """
    found = []
    plain = word if word.isascii() else skeleton(word)
    if plain != word:
        found.append(plain)
    if not plain.isalpha():
        found += [plain.translate(table) for table in _DIGITS]
    return tuple(found)
