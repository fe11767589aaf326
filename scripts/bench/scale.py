"""Search in memories of growing size: speed, exactness, memory and disk, beside other systems.

For each size one run, in which every question goes to all calls in turn: `Memory.search` (embed,
candidates, fusion, rerank) without a filter, within a window of 1 % of the time, in one modality
(a quarter of the memory), and with both; bare Chroma, LangChain and LlamaIndex over the memory's
own Chroma collection with the same filters. Then recall@10 of each against exact search, where
a search's time goes, and memory, disk and the first answer of a fresh process.

    python scripts/bench/scale.py --entries 20000,200000 [--data LOCOMO] [--keep DIR]
                                  [--json FILE] [--plot FILE]
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import exactness
import resources
from clock import Clock, Stages, percentiles, take_turns
from exactness import FILTERS, Truth, filters
from filling import SESSION_EVERY, SPOKEN, START, filled, texts_of
from rivals import LIMIT, Asked, Rivals, encoder_call, forget_questions
from texts import TURNS_PER_SESSION

from agentctx import Config, Memory
from agentctx.contracts import Encoder
from agentctx.encoders.minilm import MiniLM
from agentctx.memory.catalog import Catalog
from agentctx.memory.store import Store
from agentctx.rerankers.late_interaction import LateInteraction
from agentctx.retrieve import candidates, lexical
from agentctx.services import SharedServices

WINDOW = 0.01
WARM = 5
# What is to be held at 200,000 entries, and at every size.
P50_MS, P95_MS, FILTERED_RATIO, RECALL = 60.0, 120.0, 1.5, 0.98
PARTS: Sequence[tuple[Any, str, str]] = (
    (Memory, "search", "the rest (judge, fuse, sort)"),
    (MiniLM, "encode_query", "encode the query"),
    (Store, "passing", "filter"),
    (Store, "nearest", "nearest vectors"),
    (Store, "words", "full text (BM25)"),
    (Store, "known_share", "known words"),
    (candidates, "fuse", "fuse"),
    (candidates, "add_neighbours", "join neighbours"),
    (Catalog, "neighbours", "find neighbours"),
    (Catalog, "first_passages", "find neighbours"),
    (Catalog, "passages", "load passages"),
    (Catalog, "observations", "load observations"),
    (Store, "token_matrices", "load token vectors"),
    (LateInteraction, "score", "rerank"),
    (lexical, "contributions", "words of the candidates"),
)

# Of what takes seconds, only these filters.
SLOW: Mapping[str, Sequence[str]] = {
    "bare Chroma, vector encoded": ("", "both"),
    "LangChain, 50 fetched": ("", "time", "both"),
    "LangChain, 50 reranked by late interaction": ("",),
    "LlamaIndex, 50 fetched": ("", "time", "both"),
}

Search = Callable[[Asked, str], Sequence[str]]


def asked_of(questions: Sequence[str], entries: int, encoder: Encoder) -> list[Asked]:
    """Each question with a window of its own, drawn from all of the time there is."""
    encode = encoder_call(encoder)
    dice = random.Random(3)
    span = entries / TURNS_PER_SESSION * SESSION_EVERY
    found = []
    for text in questions:
        since = START + dice.uniform(0, 1 - WINDOW) * span
        since -= timedelta(microseconds=since.microsecond)
        found.append(Asked(text, encode(text), since, since + WINDOW * span, SPOKEN))
    return found


def searches(memory: Memory, encoder: Encoder) -> dict[str, Search]:
    """The memory's own calls; each encodes its question anew."""

    def searching(*, rerank: bool = True, plan: bool = False) -> Search:
        def search(asked: Asked, only: str) -> Sequence[str]:
            forget_questions(encoder)
            chosen = filters(asked, only)
            hits = memory.search(
                asked.text, LIMIT, chosen.modality, chosen.since, chosen.until,
                rerank=rerank, plan=plan,
            )  # fmt: skip
            return [hit.id for hit in hits]

        return search

    return {
        "agentctx": searching(),
        "agentctx, question understood": searching(plan=True),
        "agentctx, no rerank": searching(rerank=False),
    }


def timed(
    calls: Mapping[str, Search], truth: Truth, encode: Callable[[str], object],
    questions: Sequence[Asked],
) -> dict[str, dict[str, dict[str, float]]]:  # fmt: skip
    """Percentiles by call and filter."""
    turns: dict[str, Callable[[Asked], object]] = {
        f"{name}|{only}": lambda asked, call=call, only=only: call(asked, only)  # type: ignore[misc]
        for name, call in calls.items()
        for only in SLOW.get(name, FILTERS)
    }
    turns["bare numpy scan, vector given|"] = truth.scan
    turns["encoding the question alone|"] = lambda asked: encode(asked.text)
    take_turns(turns, questions[:WARM])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for key, spent in take_turns(turns, questions).items():
        name, only = key.split("|")
        found.setdefault(name, {})[only or "none"] = percentiles(spent)
    return found


def stages(search: Search, questions: Sequence[Asked]) -> dict[str, Any]:
    """Mean milliseconds of each stage, without a filter and with both."""
    found = {}
    for only in ("", "both"):
        watched = Stages()
        with watched.watching(PARTS):
            for asked in questions:
                search(asked, only)
        found[only or "none"] = watched.means(len(questions))
    return found


def measured(
    directory: Path, entries: int, questions: Sequence[str], rounds: int
) -> dict[str, Any]:
    """All figures of one size."""
    services = SharedServices(Config())
    encoder, reranker = services.encoder("minilm"), services.reranker("late-interaction")
    truth = Truth.of(directory / "catalog.sqlite3")
    given = asked_of(questions, entries, encoder)
    encode = encoder_call(encoder)
    found: dict[str, Any] = {"entries": entries, "questions": len(questions)}
    found["recall_at_10"] = exactness.of_index(directory, encoder.card, truth, given)
    found["disk_bytes_per_entry"] = resources.disk(directory, entries)
    found["fresh_process"] = resources.fresh(
        directory, encoder.card.space, encoder.card.dimension, list(questions[:WARM]), rounds
    )
    with tempfile.TemporaryDirectory() as temporary, Memory.open(directory) as memory:
        # A copy: only the memory's own index process may open its Chroma directory.
        chroma = shutil.copytree(directory / "chroma", Path(temporary) / "chroma")
        rivals = Rivals(chroma, encoder.card.space, encode, reranker)
        own = searches(memory, memory._engine.text)
        found["calls"] = timed({**own, **rivals.calls}, truth, encode, given)
        found["absent"] = rivals.absent
        store = memory._store
        near = {"agentctx": exactness.nearest_by(store, encoder.card, truth, LIMIT)}
        dense = {n: c for n, c in rivals.calls.items() if "given" in n}
        found["recall_at_10"] |= exactness.of_vectors(truth, {**near, **dense}, given)
        catalog = directory / "catalog.sqlite3"
        found["recall_at_10"]["agentctx, BM25"] = exactness.of_words(store, catalog, truth, given)
        found["stages_mean"] = stages(own["agentctx"], given)
        with Memory.open(directory, Config(exact_limit=0)) as indexed:
            indexed._store.settle()
            by_index = searches(indexed, indexed._engine.text)["agentctx"]
            found["hits_shared_by_index_and_scan"] = exactness.of_searches(
                own["agentctx"], by_index, given
            )
        rivals.close()
    return found


def judged(size: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that have targets."""
    rows = size["calls"]["agentctx"]
    ratios = {
        name: {
            only: round(row["p50_ms"] / filters_["none"]["p50_ms"], 2)
            for only, row in filters_.items() if only != "none"
        }
        for name, filters_ in size["calls"].items() if len(filters_) > 1
    }  # fmt: skip
    own = [r for n, r in size["recall_at_10"].items() if n.startswith("agentctx")]
    least = min(value for row in own for value in row.values())
    return {
        "p50_ms": rows["none"]["p50_ms"],
        "p50_held": rows["none"]["p50_ms"] < P50_MS,
        "p95_ms": rows["none"]["p95_ms"],
        "p95_held": rows["none"]["p95_ms"] < P95_MS,
        "filtered_over_unfiltered": ratios,
        "filtered_held": max(ratios["agentctx"].values()) < FILTERED_RATIO,
        "least_recall": least,
        "recall_held": least >= RECALL,
    }


def growth(sizes: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Kilobytes that one more entry takes, from the smallest size to the largest."""
    first, last = sizes[0], sizes[-1]
    more = last["entries"] - first["entries"]
    if not more:
        return {}
    found = {}
    for name in ("agentctx", "bare Chroma, vector given"):
        for key in ("rss_kb", "own_kb"):
            grown = last["fresh_process"][name][key] - first["fresh_process"][name][key]
            found[f"{name}: {key} per entry"] = round(grown / more, 3)
    for key in ("catalog", "chroma"):
        ends = [one["disk_bytes_per_entry"][key] * one["entries"] for one in (first, last)]
        found[f"disk, {key}: kb per entry"] = round((ends[1] - ends[0]) / more / 1024, 3)
    return found


def report(found: Mapping[str, Any]) -> str:
    """The figures as text."""
    lines = []
    for size in found["sizes"]:
        lines += [f"{size['entries']} entries, {size['questions']} questions", *size["absent"]]
        for name, by_filter in size["calls"].items():
            for only, row in by_filter.items():
                lines.append(
                    f"{name:42} {only:9} p50 {row['p50_ms']:8.2f}  p95 {row['p95_ms']:8.2f}  "
                    f"processor {row['processor_p50_ms']:8.2f} ms"
                )
        for name in ("recall_at_10", "fresh_process"):
            lines += ["", name, *(f"  {k:42} {v}" for k, v in size[name].items())]
        for only, rows in size["stages_mean"].items():
            lines += ["", f"where the time goes, filter: {only} (mean)"]
            lines += [f"  {k:30} {v['ms']:7.2f}  {v['processor_ms']:7.2f}" for k, v in rows.items()]
        lines += ["", f"disk {size['disk_bytes_per_entry']}"]
        lines += ["", *(f"{name}: {value}" for name, value in size["targets"].items()), ""]
    return "\n".join([*lines, f"growth {found['growth']}", f"machine {found['machine']}"])


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    named = ("chromadb", "numpy", "onnxruntime")
    return {
        "cores": os.cpu_count(),
        "load": [round(one, 1) for one in os.getloadavg()],
        "python": sys.version.split()[0],
        **{name: version(name) for name in named},
    }


def main() -> None:
    """Fill memories, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", default="20000,200000", help="sizes, smallest first")
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--fresh", type=int, default=5, help="fresh processes of each kind")
    parser.add_argument("--data", type=Path, help="a folder of LoCoMo conversations")
    parser.add_argument("--keep", type=Path, help="where the memories stay, for the next run")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--plot", type=Path, help="write a picture of them there")
    options = parser.parse_args()
    clock = Clock()
    found: dict[str, Any] = {"machine": {"before": machine()}, "sizes": []}
    with tempfile.TemporaryDirectory() as temporary:
        keep = options.keep or Path(temporary)
        keep.mkdir(parents=True, exist_ok=True)
        for entries in map(int, options.entries.split(",")):
            texts = texts_of(options.data, entries, options.questions)
            seconds = filled(keep / str(entries), texts, keep / f"{entries}.json")
            size = measured(keep / str(entries), entries, texts.questions, options.fresh)
            size |= {"origin": texts.origin, "made": seconds, "targets": judged(size)}
            found["sizes"].append(size)
    found["growth"] = growth(found["sizes"])
    found["machine"] |= {"after": machine(), "seconds": round(float(clock.read()[0]))}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if options.plot:
        import scaleplot

        scaleplot.draw(found, options.plot)
    print(report(found))


if __name__ == "__main__":
    main()
