"""From observations to passages and vectors."""

from collections.abc import Sequence

from agentctx.contracts import Encoder, Services, TextEncoder
from agentctx.errors import ConfigError
from agentctx.memory.entries import Entry, NewVector
from agentctx.records import Observation, Passage


def load(services: Services, names: Sequence[str]) -> tuple[TextEncoder, list[Encoder]]:
    """The encoders of these names: that of texts, which is named first, and the others."""
    text, *others = [services.encoder(name) for name in names]
    if not isinstance(text, TextEncoder):
        raise ConfigError(f"the first encoder, {names[0]!r}, must encode text")
    return text, others


def entries(
    text: TextEncoder, others: Sequence[Encoder], observations: Sequence[Observation]
) -> list[Entry]:
    """Observations cut into passages by the text encoder, with the vectors of every encoder."""
    spans = [text.split(o.text) or [(0, 0)] for o in observations]
    found: list[list[NewVector]] = [[] for _ in observations]
    for encoder in (text, *others):
        parts = [
            (row, passage)
            for row, o in enumerate(observations)
            if encoder.accepts(o)
            for passage in passages(encoder, text, o, spans[row])
        ]
        new = vectors(encoder, [passage for _, passage in parts], by_text=encoder is text)
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


def vectors(encoder: Encoder, parts: Sequence[Passage], *, by_text: bool) -> list[NewVector]:
    """The vector of each passage; ``by_text``: it depends on nothing but the passage's words."""
    if not parts:
        return []
    # The same words are encoded once: frames of an unchanged screen repeat them.
    keys = [part.text if by_text else n for n, part in enumerate(parts)]
    first: dict[object, int] = {}
    distinct: list[Passage] = []
    for key, part in zip(keys, parts, strict=True):
        if key not in first:
            first[key] = len(distinct)
            distinct.append(part)
    found = encoder.encode(distinct)
    new = []
    for key, part in zip(keys, parts, strict=True):
        at = first[key]
        tokens = None if found.tokens is None else found.tokens[at]
        new.append(NewVector(encoder.card.space, part.ordinal, found.vectors[at], tokens))
    return new
