"""How many of a question's own words a candidate has, by the rules of the full-text index."""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agentctx.memory.fulltext import K1, B
from agentctx.memory.terms import terms as terms_of
from agentctx.words import telling

# The tokenizer parts a text at other characters, too; at these it always does.
_SEPARATORS = re.compile(r"[^0-9A-Za-z\x80-\U0010ffff]+")


def contributions(
    question: str, texts: Sequence[str], telling_of: Callable[[Sequence[str]], Sequence[float]]
) -> NDArray[np.float32]:
    """What each of the question's words adds to the BM25 of each text, float32 [texts, words].

    Apart by word, so that what stands in a neighbouring text can be added without counting a
    word twice. ``telling_of`` gives the inverse document frequency of the index's terms.
    """
    # SQLite itself takes the words apart, exactly as it does in the catalog.
    split = [_SEPARATORS.split(text) for text in (" ".join(telling(question)), *texts)]
    parts = terms_of(set().union(*split))
    terms = list(dict.fromkeys(term for word in split[0] for term in parts[word]))
    places = {term: column for column, term in enumerate(terms)}
    wanted = {
        word: columns
        for word, found in parts.items()
        if (columns := [places[term] for term in found if term in places])
    }
    frequencies = np.zeros((len(texts), len(terms)), np.float32)
    for row, words in enumerate(split[1:]):
        for word in [word for word in words if word in wanted]:
            for column in wanted[word]:
                frequencies[row, column] += 1
    lengths = np.array([text.count(" ") + 1 for text in texts], np.float64)
    relative = lengths[:, None] / max(float(lengths.mean()) if len(texts) else 1.0, 1.0)
    saturated = frequencies * (K1 + 1) / (frequencies + K1 * (1 - B + B * relative))
    weighted = saturated * np.asarray(telling_of(terms), np.float64)
    return weighted.astype(np.float32)
