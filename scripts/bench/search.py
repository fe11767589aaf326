"""Speed of a search in a memory of many entries, and where its time goes.

One process: `Memory.search` with and without reranking, beside a bare Chroma query and a bare
numpy product over the same vectors, the calls taking turns. Then, in fresh processes, the command
line's search beside a bare Chroma query.

    python scripts/bench/search.py [--entries 20000] [--data LOCOMO] [--cache FILE] [--json]
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from clock import Clock, take_turns
from texts import TURNS_PER_SESSION, Texts, generated, recombined

from agentctx import Config, Memory, Observation
from agentctx.config import DEFAULT_ENCODERS
from agentctx.contracts import Encoder
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.store import Store
from agentctx.records import Embeddings, Passage
from agentctx.services import SharedServices

LIMIT = 10
BATCH = 1000
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
COLD_CHROMA = """
import sys
import chromadb
client = chromadb.PersistentClient(path=sys.argv[1])
collection = client.get_collection(sys.argv[2], embedding_function=None)
collection.query(query_embeddings=[[0.05] * int(sys.argv[3])], n_results=10)
"""


def encoded(encoder: Encoder, turns: Sequence[str], cache: Path | None) -> Embeddings:
    """The vectors of all turns, from the cache when it holds these very turns."""
    key = hashlib.sha256(json.dumps([str(encoder.card), *turns]).encode()).hexdigest()
    if cache and cache.exists():
        with np.load(cache) as stored:
            if str(stored["key"]) == key:
                tokens = np.split(stored["tokens"], np.cumsum(stored["lengths"])[:-1])
                return Embeddings(stored["vectors"], tokens)
    vectors, matrices = [], []
    for start in range(0, len(turns), BATCH):
        part = [Passage(Observation(text=t), 0, t, 0, len(t)) for t in turns[start : start + BATCH]]
        found = encoder.encode(part)
        vectors.append(found.vectors)
        matrices += found.tokens or []
        print(f"encoded {start + len(part)} of {len(turns)}", file=sys.stderr)
    embeddings = Embeddings(np.concatenate(vectors), matrices)
    if cache:
        lengths = [len(matrix) for matrix in matrices]
        np.savez(cache, key=key, vectors=embeddings.vectors, tokens=np.concatenate(matrices),
                 lengths=lengths)  # fmt: skip
    return embeddings


def fill(directory: Path, config: Config, turns: Sequence[str], cache: Path | None) -> np.ndarray:
    """Make the memory as ingest would, Chroma's index included; gives the vectors."""
    encoder = SharedServices(config).encoder((config.encoders or DEFAULT_ENCODERS)[0])
    embeddings = encoded(encoder, turns, cache)
    space = encoder.card.space
    store = Store(directory, exact_limit=config.exact_limit)
    store.register(encoder.card)
    entries = []
    for row, (turn, tokens) in enumerate(zip(turns, embeddings.tokens or [], strict=True)):
        session = row // TURNS_PER_SESSION
        when = START + timedelta(hours=session, seconds=20 * (row % TURNS_PER_SESSION))
        one = Observation(text=turn, captured_at=when, session=f"session {session}", source="chat")
        vector = NewVector(space, 0, embeddings.vectors[row], tokens)
        entries.append(Entry(one, [(0, len(turn))], [vector]))
    for start in range(0, len(entries), BATCH):
        store.add(entries[start : start + BATCH], {})
    store.close()
    return embeddings.vectors


class Stages:
    """Seconds spent in chosen methods, without what they spend in one another."""

    def __init__(self) -> None:
        self.spent: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        self._inside: list[np.ndarray] = []

    def watch(self, owner: object, method: str, stage: str) -> None:
        """Time a method of this one object from now on."""
        call = getattr(owner, method)

        def timed(*args: object, **kwargs: object) -> object:
            self._inside.append(np.zeros(2))
            clock = Clock()
            try:
                return call(*args, **kwargs)
            finally:
                took = clock.read()
                self.spent[stage] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        setattr(owner, method, timed)


def watched(memory: Memory) -> Stages:
    """Stages of a memory's searches, by the private parts that they are made of."""
    stages = Stages()
    retriever, store = memory._engine.retriever, memory._store
    for owner, method, stage in (
        (memory, "search", "the rest (fuse, sort, records)"),
        (memory._engine.text, "encode_query", "encode the query"),
        (store, "nearest", "nearest vectors"),
        (store, "words", "full text (BM25)"),
        (retriever, "_add_neighbours", "neighbours"),
        (store, "token_matrices", "load token vectors"),
        (retriever._reranker, "score", "rerank"),
        (store.catalog, "observations", "load observations"),
        (store.catalog, "passages", "load passages"),
    ):
        stages.watch(owner, method, stage)
    return stages


def percentiles(spent: np.ndarray) -> dict[str, float]:
    """Of wall and processor seconds [n, 2], in milliseconds."""
    spent = 1e3 * spent
    p50, p95 = np.percentile(spent[:, 0], (50, 95))
    processor = np.median(spent[:, 1])
    figures = {"p50_ms": p50, "p95_ms": p95, "processor_p50_ms": processor}
    return {name: round(float(value), 2) for name, value in figures.items()}


def warm(memory: Memory, directory: Path, vectors: np.ndarray, texts: Texts) -> dict[str, Any]:
    """All that one process measures."""
    import chromadb

    client = chromadb.PersistentClient(path=str(directory / "chroma"))
    collection = client.get_collection(memory._engine.text.card.space, embedding_function=None)
    asked = {
        question: memory._engine.text.encode_query(Observation(text=question)).vectors[0]
        for question in texts.questions
    }

    # Questions are remembered by the encoder: forget them, so that each search encodes its own.
    def fresh(question: str, *, rerank: bool) -> object:
        memory._engine.text._queries.clear()  # type: ignore[attr-defined]
        return memory.search(question, LIMIT, rerank=rerank)

    def scan(question: str) -> object:
        scores = vectors @ asked[question]
        best = np.argpartition(-scores, LIMIT)[:LIMIT]
        return best[np.argsort(-scores[best])]

    calls: dict[str, Callable[[str], object]] = {
        "search": lambda question: fresh(question, rerank=True),
        "search, no rerank": lambda question: fresh(question, rerank=False),
        "bare Chroma, vector given": lambda question: collection.query(
            query_embeddings=[asked[question]], n_results=LIMIT
        ),
        "bare numpy scan, vector given": scan,
        "encode the query alone": lambda question: memory._engine.text.encode_query(
            Observation(text=question + " ")
        ),
    }
    take_turns(calls, texts.questions[:5])
    spent = take_turns(calls, texts.questions)
    timings = {name: percentiles(rows) for name, rows in spent.items()}
    client.close()
    stages = watched(memory)
    for question in texts.questions:
        fresh(question, rerank=True)
    chroma = timings["bare Chroma, vector given"]
    ratios = {
        name: round(timings["search"][name] / chroma[name], 2)
        for name in ("p50_ms", "processor_p50_ms")
    }
    per_search = 1e3 / len(texts.questions)
    shares = {name: per_search * seconds for name, seconds in stages.spent.items()}
    return {
        "calls": timings,
        "search_over_chroma": ratios,
        "stages_mean": {
            name: {"ms": round(wall, 2), "processor_ms": round(processor, 2)}
            for name, (wall, processor) in sorted(shares.items(), key=lambda item: -item[1][1])
        },
    }


def cold(directory: Path, space: str, dimension: int, question: str, rounds: int) -> dict[str, Any]:
    """Seconds of a whole fresh process, median, the commands taking turns."""
    commands = {
        "agentctx search": [
            "-c", "from agentctx.cli import main; main()",
            "search", question, "--memory", str(directory),
        ],
        "bare Chroma, vector given": [
            "-c", COLD_CHROMA, str(directory / "chroma"), space, str(dimension)
        ],
        "python -c pass": ["-c", "pass"],
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started)
    return {name: round(statistics.median(values), 3) for name, values in seconds.items()}


def report(found: Mapping[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{found['entries']} entries, {found['questions']} questions ({found['origin']})", ""]
    for name, row in found["calls"].items():
        lines.append(
            f"{name:32} p50 {row['p50_ms']:8.2f} ms   p95 {row['p95_ms']:8.2f} ms   "
            f"processor p50 {row['processor_p50_ms']:8.2f} ms"
        )
    ratios = found["search_over_chroma"]
    lines.append(
        f"search / bare Chroma: {ratios['p50_ms']} (processor {ratios['processor_p50_ms']})"
    )
    lines += ["", "where a search's time goes (mean):"]
    for name, row in found["stages_mean"].items():
        lines.append(f"  {name:30} {row['ms']:8.2f} ms   processor {row['processor_ms']:8.2f} ms")
    lines += ["", "a fresh process (median):"]
    lines += [f"  {name:32} {seconds:8.3f} s" for name, seconds in found["cold_s"].items()]
    return "\n".join(lines)


def main() -> None:
    """Fill a memory, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--cold", type=int, default=5, help="fresh processes of each kind")
    parser.add_argument("--data", type=Path, help="a folder of LoCoMo conversations")
    parser.add_argument("--cache", type=Path, help="an .npz file that keeps the encoded texts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = (options.entries, options.questions)
    texts = recombined(options.data, *sizes) if options.data else generated(*sizes)
    config = Config()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "memory"
        started = time.perf_counter()
        vectors = fill(directory, config, texts.turns, options.cache)
        filled = time.perf_counter() - started
        with Memory.open(directory, config) as memory:
            found = warm(memory, directory, vectors, texts)
            space = memory._engine.text.card.space
        found |= {
            "entries": len(texts.turns),
            "questions": len(texts.questions),
            "origin": texts.origin,
            "filled_s": round(filled, 1),
            "cold_s": cold(directory, space, vectors.shape[1], texts.questions[0], options.cold),
        }
    print(json.dumps(found, indent=1) if options.json else report(found))


if __name__ == "__main__":
    main()
