"""From observations to passages and vectors."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agentctx.contracts import Encoder, Services, TextEncoder
from agentctx.errors import ConfigError
from agentctx.memory.entries import Entry, NewVector
from agentctx.records import Observation, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Row = tuple[NDArray[np.float32], NDArray[np.int8] | None]

_KEPT_PASSAGES = 1024  # of 1.5 kB and some token vectors each


class Encoded:
    """The vectors of the passages that a text encoder took last, by their words.

    Screens in a row repeat most of each other's words. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str]) -> dict[str, "Row"]:
        """What is known of these texts."""
        with self._lock:
            found = {text: self._rows[text] for text in texts if text in self._rows}
            for text in found:
                self._rows.move_to_end(text)
            return found

    def keep(self, rows: Mapping[str, "Row"]) -> None:
        """Remember the vectors of texts."""
        with self._lock:
            self._rows.update(rows)
            while len(self._rows) > _KEPT_PASSAGES:
                self._rows.popitem(last=False)


def load(services: Services, names: Sequence[str]) -> tuple[TextEncoder, list[Encoder]]:
    """The encoders of these names: that of texts, which is named first, and the others."""
    text, *others = [services.encoder(name) for name in names]
    if not isinstance(text, TextEncoder):
        raise ConfigError(f"the first encoder, {names[0]!r}, must encode text")
    return text, others


def entries(
    text: TextEncoder,
    others: Sequence[Encoder],
    observations: Sequence[Observation],
    encoded: Encoded | None = None,
) -> list[Entry]:
    """Observations cut into passages by the text encoder, with the vectors of every encoder.

    What ``encoded`` knows of passages of text is not encoded again.
    """
    spans = [text.split(o.text) or [(0, 0)] for o in observations]
    found: list[list[NewVector]] = [[] for _ in observations]
    for encoder in (text, *others):
        parts = [
            (row, passage)
            for row, o in enumerate(observations)
            if encoder.accepts(o)
            for passage in passages(encoder, text, o, spans[row])
        ]
        given = [passage for _, passage in parts]
        new = vectors(encoder, given, by_text=encoder is text, encoded=encoded)
        for (row, _), vector in zip(parts, new, strict=True):
            found[row].append(vector)
    return [Entry(*row) for row in zip(observations, spans, found, strict=True)]


def passages(
    encoder: Encoder, text: TextEncoder, o: Observation, spans: Sequence[tuple[int, int]]
) -> list[Passage]:
    """What an encoder encodes of an observation: its passages, or the whole if it is no text."""
    if encoder is not text:
        return [Passage(o, 0, o.text, 0, len(o.text))]
    return [Passage(o, n, o.text[start:stop], start, stop) for n, (start, stop) in enumerate(spans)]


def vectors(
    encoder: Encoder, parts: Sequence[Passage], *, by_text: bool, encoded: Encoded | None = None
) -> list[NewVector]:
    """The vector of each passage; ``by_text``: it depends on nothing but the passage's words."""
    # The same words are encoded once: frames of an unchanged screen repeat them.
    keys: list[str | int] = [part.text if by_text else n for n, part in enumerate(parts)]
    rows: dict[str | int, Row] = {}
    if by_text and encoded is not None:
        rows.update(encoded.of([part.text for part in parts]))
    new = {key: part for key, part in zip(keys, parts, strict=True) if key not in rows}
    if new:
        found = encoder.encode(list(new.values()))
        tokens = found.tokens if found.tokens is not None else [None] * len(new)
        fresh = dict(zip(new, zip(found.vectors, tokens, strict=True), strict=True))
        rows.update(fresh)
        if by_text and encoded is not None:
            # Copies, since each is a part of the whole batch, which it would hold on to.
            encoded.keep({str(key): (row.copy(), of) for key, (row, of) in fresh.items()})
    space = encoder.card.space
    return [
        NewVector(space, part.ordinal, *rows[key]) for key, part in zip(keys, parts, strict=True)
    ]
