"""What encryption costs: one memory with a key beside one in clear, all calls taking turns.

The entries have vectors and token vectors drawn at random, so that the store is measured and not
the encoder; "add, with the encoder" is what `Memory.add` takes from texts alone.

    python scripts/bench/encryption.py [--entries 20000] [--rounds 5] [--json]
"""

import argparse
import json
import secrets
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from clock import Clock
from texts import generated

from agentctx import Config, Media, Memory, Observation
from agentctx.memory.entries import Entry, NewVector
from agentctx.records import EncoderCard

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
BATCH = 64
ENCODED = 256
TOKENS = 16
PICTURE = 100_000
LARGE = 64 * 1024**2
KINDS = ("in clear", "encrypted")

Figures = dict[str, dict[str, list[np.ndarray]]]


def observation(n: int, text: str, media: tuple[Media, ...] = ()) -> Observation:
    """The n-th thing said, 25 of them a session."""
    when = START + timedelta(seconds=20 * n)
    return Observation(
        text=text, captured_at=when, session=f"session {n // 25}", source="chat", media=media
    )


def entries(turns: list[str], card: EncoderCard, seed: int) -> Iterator[Entry]:
    """Each turn with random vectors; every eighth has a picture."""
    draw = np.random.default_rng(seed)
    for n, text in enumerate(turns):
        vector = draw.normal(size=card.dimension).astype(np.float32)
        tokens = draw.integers(-90, 90, (TOKENS, card.token_dimension), np.int8)
        picture = (Media.of_bytes("thumbnail", "image/webp", draw.bytes(PICTURE)),)
        one = observation(n, text, picture if n % 8 == 0 else ())
        vectors = [NewVector(card.space, 0, vector / np.linalg.norm(vector), tokens)]
        yield Entry(one, [(0, len(text))], vectors)


def fill(memories: dict[str, Memory], turns: list[str], found: Figures) -> None:
    """The same entries into both, batch by batch in turns."""
    spent = {kind: np.zeros(2) for kind in KINDS}
    for start in range(0, len(turns), 50 * BATCH):
        card = memories["in clear"]._engine.text.card
        part = list(entries(turns[start : start + 50 * BATCH], card, start))
        for at in range(0, len(part), BATCH):
            for kind in KINDS:
                clock = Clock()
                memories[kind]._store.add(part[at : at + BATCH], {})
                spent[kind] += clock.read()
    for kind in KINDS:
        found.setdefault("store all entries", {}).setdefault(kind, []).append(spent[kind])


def measure(folder: Path, configs: dict[str, Config], options: argparse.Namespace) -> Figures:
    """Seconds (wall, processor) by what was done and in which memory."""
    texts = generated(options.entries + options.rounds * ENCODED, options.rounds)
    turns = list(texts.turns)
    found: Figures = {}

    def take(name: str, kind: str, clock: Clock) -> None:
        found.setdefault(name, {}).setdefault(kind, []).append(clock.read())

    memories = {kind: Memory.open(folder / kind, configs[kind]) for kind in KINDS}
    fill(memories, turns[: options.entries], found)
    for round_, question in enumerate(texts.questions):
        start = options.entries + round_ * ENCODED
        new = [observation(n, turns[n]) for n in range(start, start + ENCODED)]
        for kind in KINDS:
            memories[kind].close()
            clock = Clock()
            memories[kind] = Memory.open(folder / kind, configs[kind])
            take("open", kind, clock)
            memories[kind]._engine.text.encode_query(Observation(text="load the model first"))
            for name in ("first search", "search again"):
                clock = Clock()
                memories[kind].search(question)
                take(name, kind, clock)
            clock = Clock()
            memories[kind].add(new)
            take(f"add {ENCODED} texts, with the encoder", kind, clock)
            large = Media.of_bytes("original", "audio/wav", np.random.bytes(LARGE))
            media = memories[kind]._store.media
            clock = Clock()
            media.put(large)
            take("store 64 MB of media", kind, clock)
            clock = Clock()
            with media.open(large.digest) as file:
                while file.read(1 << 20):
                    pass
            take("read 64 MB of media", kind, clock)
    for memory in memories.values():
        memory.close()
    return found


def table(found: Figures) -> dict[str, dict[str, float]]:
    """Medians in seconds and their ratio, wall and processor."""
    rows = {}
    for name, kinds in found.items():
        clear, sealed = (np.median(kinds[kind], axis=0) for kind in KINDS)
        rows[name] = {
            "in_clear_s": round(float(clear[0]), 4),
            "encrypted_s": round(float(sealed[0]), 4),
            "ratio": round(float(sealed[0] / clear[0]), 2),
            "processor_ratio": round(float(sealed[1] / clear[1]), 2),
        }
    return rows


def main() -> None:
    """Fill two memories, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # No Chroma in either: what is compared is the encryption.
    limit = 10 * options.entries
    configs = dict(
        zip(
            KINDS,
            (Config(exact_limit=limit), Config(exact_limit=limit, key=secrets.token_bytes(32))),
            strict=True,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = table(measure(Path(folder), configs, options))
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for name, row in rows.items():
        print(
            f"{name:36} in clear {row['in_clear_s']:8.3f} s   encrypted {row['encrypted_s']:8.3f} s"
            f"   x {row['ratio']:.2f} (processor x {row['processor_ratio']:.2f})"
        )


if __name__ == "__main__":
    main()
