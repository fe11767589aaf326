"""Run MTEB's own evaluation on agentctx's two models, on small tasks made here.

    pip install 'agentctx[mteb,offline]'
    python scripts/bench/mteb_tasks.py --json mteb.json

It shows that `agentctx.evaluate.mteb` keeps MTEB's interface; MTEB's real tasks come from a model
hub, and are run as its documentation says: ``mteb.evaluate(EncoderModel(), mteb.get_task(...))``.
It is no part of the tests, because MTEB brings torch (6 GB with its libraries). Ends with 1 when a
model does not keep the interface or finds less than it must.
"""

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import mteb
from datasets import Dataset
from mteb.abstasks import AbsTaskRetrieval, AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol

from agentctx.evaluate.mteb import EncoderModel, MemoryModel

CORPUS = {
    "seal": "The shaft seal of pump Alpha was leaking and has been replaced.",
    "sensor": "The temperature sensor in hall two reports every ten seconds.",
    "lunch": "There is lentil soup in the canteen on Thursdays.",
    "valve": "Open the bypass valve before the heat exchanger is cleaned.",
    "badge": "Visitors get a badge at the gate and give it back in the evening.",
    "backup": "Nightly backups are kept for thirty days on the second server.",
    "crane": "The crane in the yard may lift eight tonnes, less in strong wind.",
    "invoice": "Invoices above ten thousand are signed by two people.",
}
QUERIES = {
    "q1": ("Which part of the pump dripped?", "seal"),
    "q2": ("What is there to eat?", "lunch"),
    "q3": ("How long do we keep copies of the data?", "backup"),
    "q4": ("How heavy a load can be hoisted outside?", "crane"),
    "q5": ("Who has to approve large bills?", "invoice"),
    "q6": ("What must a guest return before leaving?", "badge"),
}
SIMILAR = [
    ("The pump is leaking.", "Water drips from the pump.", 4.5),
    ("The pump is leaking.", "The pump was painted green.", 2.0),
    ("Lunch is at noon.", "We eat at twelve.", 4.8),
    ("Lunch is at noon.", "The crane is broken.", 0.2),
    ("The server is down.", "The machine does not answer.", 4.0),
    ("The server is down.", "The soup is hot.", 0.1),
]


def about(name: str, kind: str, score: str) -> TaskMetadata:
    """MTEB's record of a task that is made here."""
    return TaskMetadata(
        name=name,
        description="A task made by a script, to run a model through",
        reference="https://example.com",
        dataset={"path": "made/here", "revision": "1"},
        type=kind,
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score=score,
        date=("2026-01-01", "2026-01-02"),
        domains=["Written"],
        task_subtypes=[],
        license="apache-2.0",
        annotations_creators="human-annotated",
        dialect=[],
        sample_creation="created",
        bibtex_citation="",
    )


class MadeRetrieval(AbsTaskRetrieval):
    """Six questions on eight sentences."""

    metadata = about("MadeRetrieval", "Retrieval", "ndcg_at_10")

    def load_data(self, **_: object) -> None:
        """The data, which are in this file."""
        corpus = [{"id": id_, "title": "", "text": text} for id_, text in CORPUS.items()]
        queries = [{"id": id_, "text": text} for id_, (text, _) in QUERIES.items()]
        split = {
            "corpus": Dataset.from_list(corpus),
            "queries": Dataset.from_list(queries),
            "relevant_docs": {id_: {answer: 1} for id_, (_, answer) in QUERIES.items()},
            "top_ranked": None,
        }
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


class MadeSTS(AbsTaskSTS):
    """Six pairs of sentences and how alike they are."""

    metadata = about("MadeSTS", "STS", "cosine_spearman")

    def load_data(self, **_: object) -> None:
        """The data, which are in this file."""
        rows = [{"sentence1": a, "sentence2": b, "score": score} for a, b, score in SIMILAR]
        self.dataset = {"test": Dataset.from_list(rows)}
        self.data_loaded = True


# The least that each must reach. The memory refuses one of the six questions, which counts as 0.
LEAST = {("encoder", "MadeRetrieval"): 0.9, ("memory", "MadeRetrieval"): 0.8}
LEAST["encoder", "MadeSTS"] = 0.6


def main() -> int:
    """Run the tasks; print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    models = {"encoder": EncoderModel(), "memory": MemoryModel()}
    kept = {
        "encoder": isinstance(models["encoder"], EncoderProtocol),
        "memory": isinstance(models["memory"], SearchProtocol),
    }
    rows = []
    for (name, task), least in LEAST.items():
        made = MadeRetrieval() if task == "MadeRetrieval" else MadeSTS()
        started = time.perf_counter()
        result = mteb.evaluate(models[name], made, cache=None, show_progress_bar=False)
        score = result.task_results[0].get_score()
        rows.append(
            {
                "model": name,
                "task": task,
                "metric": made.metadata.main_score,
                "score": round(float(score), 4),
                "least": least,
                "seconds": round(time.perf_counter() - started, 2),
            }
        )
        print(f"{name:8} {task:14} {made.metadata.main_score:16} {score:.4f} (at least {least})")
    found = {
        "versions": {one: version(one) for one in ("mteb", "torch", "datasets")},
        "keeps the interface": kept,
        "rows": rows,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(found["versions"], kept)
    return 0 if all(kept.values()) and all(row["score"] >= row["least"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
