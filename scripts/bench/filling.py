"""Large memories made quickly, for scripts/bench/scale.py.

The sentences of all turns are encoded once. A turn's vector is the unit sum of its sentences'
vectors, with a little noise, and its token vectors are theirs in a row: so 200,000 turns that are
recombined from a few thousand sentences take minutes and not hours, and are stored as ingest
stores them. Their vectors are more alike than those of as many real turns.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from texts import TURNS_PER_SESSION, Texts, generated, recombined

from agentctx import Config, Observation
from agentctx.contracts import Encoder
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.store import Store
from agentctx.records import Passage
from agentctx.services import SharedServices

START = datetime(2025, 1, 1, tzinfo=UTC)
SESSION_EVERY, TURN_EVERY = timedelta(minutes=30), timedelta(seconds=20)
# Of every four sessions one is spoken.
SPOKEN, WRITTEN, SPOKEN_EVERY = "speech", "text", 4
BATCH = 2000
NOISE = 0.01
# What the text encoder cuts a passage to: 128 tokens, of which two are special.
MOST_TOKENS = 126


def texts_of(data: Path | None, entries: int, questions: int) -> Texts:
    """LoCoMo's turns recombined, or turns from a grammar when there is no data."""
    return recombined(data, entries, questions) if data else generated(entries, questions)


def filled(directory: Path, texts: Texts, mark: Path) -> dict[str, float]:
    """A memory with these turns and its whole Chroma index; gives the seconds both took.

    ``mark`` is written when it is done; with it there, nothing is done.
    """
    if mark.exists():
        seconds: dict[str, float] = json.loads(mark.read_text("utf-8"))
        return seconds
    encoder = SharedServices(Config()).encoder("minilm")
    started = time.perf_counter()
    store = Store(directory, exact_limit=10**9)
    store.register(encoder.card)
    batch: list[Entry] = []
    for entry in _entries(encoder, texts.turns):
        batch.append(entry)
        if len(batch) == BATCH:
            store.add(batch, {})
            batch = []
    store.add(batch, {})
    filled_at = time.perf_counter()
    store.settle()
    store.close()
    seconds = {
        "fill_s": round(filled_at - started, 1),
        "chroma_s": round(time.perf_counter() - filled_at, 1),
    }
    mark.write_text(json.dumps(seconds), "utf-8")
    return seconds


def _entries(encoder: Encoder, turns: Sequence[str]) -> Iterator[Entry]:
    cut = [_sentences(turn) for turn in turns]
    places = {part: place for place, part in enumerate(dict.fromkeys(p for c in cut for p in c))}
    vectors, tokens = _encoded(encoder, list(places))
    dice = np.random.default_rng(0)
    for row, (turn, parts) in enumerate(zip(turns, cut, strict=True)):
        which = [places[part] for part in parts]
        vector = vectors[which].sum(axis=0) + dice.normal(0, NOISE, vectors.shape[1])
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        matrix = np.concatenate([tokens[place] for place in which])[:MOST_TOKENS]
        session = row // TURNS_PER_SESSION
        observation = Observation(
            modality=WRITTEN if session % SPOKEN_EVERY else SPOKEN,
            text=turn,
            captured_at=START + session * SESSION_EVERY + row % TURNS_PER_SESSION * TURN_EVERY,
            session=f"session {session}",
            source="chat",
        )
        new = NewVector(encoder.card.space, 0, vector, matrix)
        yield Entry(observation, [(0, len(turn))], [new])


def _sentences(turn: str) -> list[str]:
    speaker, _, said = turn.partition(": ")
    return [f"{speaker}:", *(part for part in re.split(r"(?<=[.?!]) ", said) if part)]


def _encoded(encoder: Encoder, parts: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    vectors, tokens = [], []
    for start in range(0, len(parts), BATCH):
        some = parts[start : start + BATCH]
        found = encoder.encode([Passage(Observation(text=p), 0, p, 0, len(p)) for p in some])
        vectors.append(found.vectors)
        tokens += found.tokens or []
    return np.concatenate(vectors), tokens
