"""Token vectors: what they take and what late interaction alone finds by them, in several forms.

    python scripts/bench/tokens.py FOLDER --json tokens.json

FOLDER holds LoCoMo conversations. For every question all turns are scored by late interaction,
alone (each turn by itself) and as it is used (turns borrow from their neighbours), without any
other signal: recall at 10 of the evidence turns. The forms are made from the same last hidden
states of the text encoder: as numbers of 4, 2 or 1 bytes, in fewer dimensions by a random
projection (what is stored) or by principal components (of the other conversations, so that none
is measured on what it was fitted to), and pooled: as half as many vectors, by Ward's clustering
of the tokens of a turn (Clavié, Chaffin & Adams, "Reducing the footprint of multi-vector
retrieval with minimal performance impact via token pooling", 2024). Queries are never pooled.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from agentctx import Config, Observation
from agentctx.contracts import Candidate
from agentctx.encoders import token_vectors
from agentctx.encoders.minilm import MiniLM
from agentctx.evaluate import metrics
from agentctx.evaluate.datasets import locomo
from agentctx.evaluate.datasets.records import Collection
from agentctx.records import Embeddings
from agentctx.rerankers.late_interaction import LateInteraction
from agentctx.services import SharedServices
from agentctx.testing.doubles import FixedServices

TOP = 10
STEPS = 2

Form = Callable[[np.ndarray], np.ndarray]


@dataclass
class Talk:
    """A conversation: the hidden states of its turns and questions, telling tokens only."""

    name: str
    turns: list[Observation]
    ids: list[str]
    states: list[np.ndarray]
    everything: list[np.ndarray]
    questions: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    asked: dict[str, np.ndarray] = field(default_factory=dict)
    all_asked: dict[str, np.ndarray] = field(default_factory=dict)


def states(encoder: MiniLM, text: str) -> tuple[np.ndarray, np.ndarray]:
    """The last hidden states of a text's tokens, float32 [n, 384]: the telling ones, and all."""
    telling, everything = [], []
    for start, stop in encoder.split(text):
        encoded = encoder._tokenizer.encode(text[start:stop])
        hidden, _ = encoder._run([encoded])
        rows = hidden[0][1:-1]
        everything.append(rows)
        telling.append(rows[token_vectors.telling(encoded.tokens[1:-1])])
    return np.concatenate(telling), np.concatenate(everything)


def talk(collection: Collection, encoder: MiniLM) -> Talk:
    """A conversation, encoded."""
    items = [item for item in collection.items if isinstance(item.content, Observation)]
    turns = [item.content for item in items if isinstance(item.content, Observation)]
    made = [states(encoder, turn.text) for turn in turns]
    found = Talk(
        collection.name, turns, [i.id for i in items], [a for a, _ in made], [b for _, b in made]
    )
    for query in collection.queries:
        text = str(query.content)
        found.questions.append((text, frozenset(query.relevant)))
        found.asked[text], found.all_asked[text] = states(encoder, text)
    return found


def whole(rows: np.ndarray) -> np.ndarray:
    """As int8, each row over its whole range, as the encoder stores them."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-9)
    return np.rint(rows * (127.0 / largest)).astype(np.int8)


def components(talks: Sequence[Talk], dimension: int) -> Form:
    """Projection to the first principal components, uncentred: a cosine is not to change."""
    rows = np.concatenate([matrix for one in talks for matrix in one.states])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    _, basis = np.linalg.eigh(rows.T @ rows)
    kept = basis[:, ::-1][:, :dimension].astype(np.float32)
    return lambda matrix: whole(matrix @ kept)


def pooled(matrix: np.ndarray) -> np.ndarray:
    """Half as many rows: the means of clusters of tokens whose directions are alike."""
    if len(matrix) < 3:
        return matrix
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    clusters = fcluster(linkage(unit, "ward"), max(len(unit) // 2, 1), "maxclust")
    return np.stack([unit[clusters == one].mean(axis=0) for one in np.unique(clusters)])


def beside(turns: Sequence[Observation]) -> list[tuple[tuple[int, int], ...]]:
    """The turns up to two before and after each, in the same session, as a search joins them."""
    return [
        tuple(
            (other, other - n)
            for other in range(max(n - STEPS, 0), min(n + STEPS + 1, len(turns)))
            if other != n and turns[other].session == turn.session
        )
        for n, turn in enumerate(turns)
    ]


def recalls(
    one: Talk, stored: Sequence[np.ndarray], asked: Mapping[str, np.ndarray], *, alone: bool
) -> list[float]:
    """Recall at 10 of each question's evidence, by the reranker itself over all turns."""
    near = [()] * len(one.turns) if alone else beside(one.turns)
    given = [Candidate(turn.text, turn, tokens, around)
             for turn, tokens, around in zip(one.turns, stored, near, strict=True)]  # fmt: skip
    encoder = SimpleNamespace(
        card=SimpleNamespace(token_dimension=stored[0].shape[1]),
        encode_query=lambda query: Embeddings(np.zeros((1, 1), np.float32), [asked[query.text]]),
    )
    services = FixedServices(encoders={"form": encoder})  # type: ignore[dict-item]
    reranker = LateInteraction(services, encoder="form")
    found = []
    for text, evidence in one.questions:
        scores = reranker.score(Observation(text=text), given)
        best = np.argsort(-scores, kind="stable")[:TOP]
        found.append(metrics.recall([one.ids[n] for n in best], evidence, TOP))
    return found


def forms(others: Sequence[Talk]) -> dict[str, tuple[Form, Form]]:
    """Each form by its name: of turns, and of questions."""

    def same(matrix: np.ndarray) -> np.ndarray:
        return matrix

    def half(matrix: np.ndarray) -> np.ndarray:
        return matrix.astype(np.float16)

    plain: dict[str, Form] = {
        "float32, 384 dimensions": same,
        "float16, 384": half,
        "int8, 384": whole,
        "int8, 128 by random projection (stored)": token_vectors.compress,
        **{f"int8, {d} by principal components": components(others, d) for d in (192, 128, 64, 32)},
    }
    halves = ("int8, 384", "int8, 128 by random projection (stored)",
              "int8, 128 by principal components", "int8, 64 by principal components")  # fmt: skip
    both = {name: (form, form) for name, form in plain.items()}
    for name in halves:
        both[f"{name}, pooled by 2"] = (lambda m, f=plain[name]: f(pooled(m)), plain[name])
    return both


def main() -> int:
    """Measure every form; print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    encoder = MiniLM(SharedServices(Config()), threads=2)
    talks = [talk(one, encoder) for one in locomo.read(arguments.folder).collections]
    found: dict[str, dict[str, list[float]]] = {}

    def note(name: str, one: Talk, stored: list[np.ndarray], asked: dict[str, np.ndarray]) -> None:
        row = found.setdefault(name, {"bytes": [], "alone": [], "used": []})
        row["bytes"] += [float(tokens.nbytes) for tokens in stored]
        row["alone"] += recalls(one, stored, asked, alone=True)
        row["used"] += recalls(one, stored, asked, alone=False)

    for one in talks:
        note("float32, 384, stop words too", one, one.everything, one.all_asked)
        for name, (turned, asked) in forms([o for o in talks if o is not one]).items():
            stored = [turned(matrix) for matrix in one.states]
            note(name, one, stored, {text: asked(m) for text, m in one.asked.items()})
    stored_now = np.array(found["int8, 128 by random projection (stored)"]["used"])
    rows = []
    for name, row in found.items():
        apart = metrics.estimate((np.array(row["used"]) - stored_now).tolist())
        rows.append(
            {
                "form": name,
                "bytes": round(float(np.mean(row["bytes"])), 1),
                "alone": round(float(np.mean(row["alone"])), 4),
                "used": round(float(np.mean(row["used"])), 4),
                "against what is stored": [
                    round(v, 4) for v in (apart.mean, apart.low, apart.high)
                ],
            }
        )
        print(json.dumps(rows[-1]))
    turns, questions = sum(len(one.turns) for one in talks), len(stored_now)
    if arguments.json:
        table = {"turns": turns, "questions": questions, "rows": rows}
        arguments.json.write_text(json.dumps(table, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
