"""BEIR: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models" (2021). The split is ``test`` where there is one, otherwise ``dev``, otherwise ``train``.
"""

from datetime import UTC, datetime
from pathlib import Path

from agentctx.errors import SourceInvalid, SourceNotFound
from agentctx.evaluate.datasets.reading import expecting, lines, rows
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.records import Observation

_SPLITS = ("test", "dev", "train")
# Documents have no time; any will do, but it must be the same in every run.
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


def fits(folder: Path) -> bool:
    """Whether a folder is in this format."""
    return (folder / "corpus.jsonl").is_file() and (folder / "queries.jsonl").is_file()


def read(folder: Path) -> Dataset:
    """The documents and the judged queries of a folder; a grade of 0 or less is no answer."""
    texts = _texts(folder / "corpus.jsonl")
    asked = _texts(folder / "queries.jsonl")
    judged = _judgements(_qrels(folder), asked, texts)
    items = [
        # The id as source keeps documents of the same words apart, and from being neighbours.
        Item(id_, Observation(text=text, captured_at=_WHEN, source=id_))
        for id_, text in texts.items()
        if text
    ]
    queries = [Query(id_, asked[id_], grades) for id_, grades in judged.items() if grades]
    collection = Collection(folder.name, items, queries)
    return Dataset(folder.name, "beir", [collection], len(judged) - len(queries))


def _texts(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, row in rows(path):
        with expecting(place, "_id and text"):
            id_, title, text = (
                str(row["_id"]),
                (row.get("title") or "").strip(),
                row["text"].strip(),
            )
        if id_ in found:
            raise SourceInvalid(place, f"the _id {id_!r} is there twice")
        found[id_] = f"{title}. {text}" if title and text else title or text
    return found


def _qrels(folder: Path) -> Path:
    for split in _SPLITS:
        if (path := folder / "qrels" / f"{split}.tsv").is_file():
            return path
    names = " or ".join(f"{split}.tsv" for split in _SPLITS)
    raise SourceNotFound(folder / "qrels", f"there is no {names} in it")


def _judgements(
    path: Path, queries: dict[str, str], documents: dict[str, str]
) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for number, (place, line) in enumerate(lines(path)):
        cells = line.split("\t")
        if number == 0 and cells[0] == "query-id":
            continue
        with expecting(place, "query-id, corpus-id and score, with tabs between them"):
            query, document, grade = cells[0], cells[1], int(cells[2])
        if not queries.get(query):
            raise SourceInvalid(place, f"there is no query {query!r} in queries.jsonl")
        if document not in documents:
            raise SourceInvalid(place, f"there is no document {document!r} in corpus.jsonl")
        grades = found.setdefault(query, {})
        # An empty document cannot be found by anyone.
        if grade > 0 and documents[document]:
            grades[document] = grade
    return found
