"""Which words of a question tell what is meant."""

import re

# English function words: they match nearly everything and say nothing about what is meant.
# BM25 weighs them low, but over a long question they add up.
STOP_WORDS = frozenset(
    str.split("""
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just let me more most my
    no nor not now of off on once only or other our ours out over own same she should so some such
    than that the their theirs them then there these they this those through to too under until up
    us very was we were what when where which while who whom why will with would you your yours
    """)
)
_WORD = re.compile(r"\w+")


def telling(text: str) -> list[str]:
    """The words of a text, each once, in lower case, without stop words.

    A text of nothing but stop words keeps them, since then they are all there is to go by.
    """
    # Letter by letter, as the full-text index does it: for that, ß is not ss, nor a last Σ an ς.
    found = ["".join(map(str.lower, word)) for word in _WORD.findall(text) if word.strip("_")]
    return list(dict.fromkeys(w for w in found if w not in STOP_WORDS) or dict.fromkeys(found))
