"""Recall@10 of every path of scripts/bench/scale.py against exact search of the same vectors."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rivals import LIMIT, Asked, Call

from agentctx.memory.rows import to_microseconds
from agentctx.memory.store import Store
from agentctx.records import EncoderCard, Filters
from agentctx.words import telling

FILTERS = ("", "time", "modality", "both")
# How deep a search reads each list.
DEPTH = 200


def filters(asked: Asked, only: str) -> Filters:
    """A filter as agentctx takes it; "" is none."""
    timed, of_kind = only in ("time", "both"), only in ("modality", "both")
    return Filters(
        modality=(asked.modality,) if of_kind else (),
        since=asked.since if timed else None,
        until=asked.until if timed else None,
    )


@dataclass(frozen=True, eq=False)
class Truth:
    """All vectors of a memory in one matrix, with what filters ask for."""

    vectors: np.ndarray
    keys: np.ndarray
    captured: np.ndarray
    modalities: np.ndarray
    ids: Mapping[int, str]

    @classmethod
    def of(cls, catalog: Path) -> "Truth":
        """Read from the catalog by SQL alone."""
        sql = (
            "SELECT passage.pk, id || ':' || ordinal, captured_at, modality, vector FROM vector "
            "JOIN passage ON passage.pk = passage_pk "
            "JOIN observation ON observation.pk = observation_pk ORDER BY passage.pk"
        )
        with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as db:
            ((count,),) = db.execute("SELECT count(*) FROM vector").fetchall()
            keys, captured = np.empty(count, np.int64), np.empty(count, np.int64)
            modalities, ids = np.empty(count, object), dict[int, str]()
            vectors = np.empty((count, 0), np.float32)
            for row, (pk, id_, when, modality, blob) in enumerate(db.execute(sql)):
                vector = np.frombuffer(blob, np.float32)
                if not row:
                    vectors = np.empty((count, len(vector)), np.float32)
                vectors[row] = vector
                keys[row], captured[row], modalities[row], ids[pk] = pk, when, modality, id_
        return cls(vectors, keys, captured, modalities.astype(str), ids)

    def passing(self, asked: Asked, only: str) -> np.ndarray:
        """Which rows pass a filter, bool [n]."""
        keep = np.ones(len(self.keys), bool)
        if only in ("time", "both"):
            keep &= self.captured >= to_microseconds(asked.since)
            keep &= self.captured < to_microseconds(asked.until)
        if only in ("modality", "both"):
            keep &= self.modalities == asked.modality
        return keep

    def scan(self, asked: Asked) -> np.ndarray:
        """The rows of the nearest vectors, by one product with all of them."""
        scores = self.vectors @ asked.vector
        best = np.argpartition(-scores, LIMIT)[:LIMIT]
        return best[np.argsort(-scores[best])]

    def nearest(self, asked: Asked, only: str) -> set[str]:
        """The ids of the nearest among those that pass."""
        rows = np.flatnonzero(self.passing(asked, only))
        scores = self.vectors[rows] @ asked.vector
        best = rows[np.argsort(-scores, kind="stable")[:LIMIT]]
        return {self.ids[int(pk)] for pk in self.keys[best]}


def of_vectors(
    truth: Truth, calls: Mapping[str, Call], questions: Sequence[Asked]
) -> dict[str, dict[str, float]]:
    """Mean recall@10 of calls that give ids, by call and filter."""
    found: dict[str, dict[str, float]] = {name: {} for name in calls}
    for only in FILTERS:
        right = [truth.nearest(asked, only) for asked in questions]
        for name, call in calls.items():
            shares = [
                len(wanted.intersection(call(asked, only)[:LIMIT])) / max(len(wanted), 1)
                for asked, wanted in zip(questions, right, strict=True)
            ]
            found[name][only or "none"] = round(float(np.mean(shares)), 4)
    return found


def nearest_by(store: Store, card: EncoderCard, truth: Truth, limit: int) -> Call:
    """A store's own nearest vectors, ``limit`` of them."""

    def call(asked: Asked, only: str) -> Sequence[str]:
        allowed = store.passing(filters(asked, only))
        found = store.nearest(card.space, asked.vector, limit, allowed)
        return [truth.ids[pk] for pk, _ in found]

    return call


def of_index(
    directory: Path, card: EncoderCard, truth: Truth, questions: Sequence[Asked]
) -> dict[str, dict[str, float]]:
    """Recall@10 of a store that never scans an unfiltered search, but asks its Chroma index."""
    store = Store(directory, exact_limit=0)
    try:
        store.use([card])
        if not store.settle():
            raise SystemExit("the index cannot be had: does another process use this memory?")
        calls = {
            "agentctx by its index, 10 asked for": nearest_by(store, card, truth, LIMIT),
            f"agentctx by its index, {DEPTH} asked for": nearest_by(store, card, truth, DEPTH),
        }
        return of_vectors(truth, calls, questions)
    finally:
        store.close()


def of_words(
    store: Store, catalog: Path, truth: Truth, questions: Sequence[Asked]
) -> dict[str, float]:
    """Overlap of the 10 best by the store's BM25 with the 10 best of FTS5's ranking of all.

    Texts that score the same as the tenth are as good as it.
    """
    with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as db:
        rankings = [_full_ranking(db, asked.text) for asked in questions]
    found = {}
    for only in FILTERS:
        shares = []
        for asked, (keys, scores) in zip(questions, rankings, strict=True):
            keep = np.isin(keys, truth.keys[truth.passing(asked, only)])
            right, worth = keys[keep], scores[keep]
            count = min(LIMIT, len(right))
            if not count:
                continue
            least = np.sort(worth)[-count] - 1e-6
            good = set(right[worth >= least].tolist())
            allowed = store.passing(filters(asked, only))
            given = store.words(asked.text, DEPTH, allowed)[:LIMIT]
            shares.append(sum(pk in good for pk, _ in given) / count)
        found[only or "none"] = round(float(np.mean(shares)), 4)
    return found


def _full_ranking(db: sqlite3.Connection, text: str) -> tuple[np.ndarray, np.ndarray]:
    words = " OR ".join(f'"{word}"' for word in telling(text))
    sql = "SELECT rowid, -rank FROM passage_words WHERE passage_words MATCH ?"
    rows = db.execute(sql, (words,)).fetchall() if words else []
    return np.array([pk for pk, _ in rows], np.int64), np.array([rank for _, rank in rows])


def of_searches(
    one: Callable[[Asked, str], Sequence[str]],
    other: Callable[[Asked, str], Sequence[str]],
    questions: Sequence[Asked],
) -> float:
    """How much of what one search finds another finds, unfiltered."""
    shares = []
    for asked in questions:
        wanted = set(one(asked, ""))
        if wanted:
            shares.append(len(wanted.intersection(other(asked, ""))) / len(wanted))
    return round(float(np.mean(shares)), 4)
