"""Data that are wrong in ways nobody thought of: a dataset, or an error that names the file.

Every format is given files that a machine made up: text that is no JSON, JSON of the wrong shape,
right files with one value exchanged, tar files with bytes changed.
"""

import copy
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentctx.errors import SourceError
from agentctx.evaluate import bias, saved
from agentctx.evaluate.datasets import beir, captions, locomo, longmemeval, screens, webdataset
from agentctx.evaluate.datasets.reading import inside
from agentctx.evaluate.datasets.records import Dataset
from agentctx.evaluate.formats import format_of

from .conftest import conversation
from .test_formats import BEIR, CAPTIONS, LONGMEM, fill, png, published

Read = Callable[[Path], Any]

scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
# JSON files by format: what reads them, and one that is right.
DOCUMENTS: dict[str, tuple[Read, str, Any]] = {
    "locomo": (locomo.read, "talk.json", conversation()),
    "locomo, published": (locomo.read, "locomo10.json", published()),
    "longmemeval": (longmemeval.read, "oracle.json", LONGMEM),
    "screens": (screens.read, "tasks.json", [{"file": "a.png", "session": "s", "task": "t"}]),
    "captions": (captions.read, "captions.json", CAPTIONS["listed"]["captions.json"]),
    "coco": (
        captions.read,
        "annotations/captions_val.json",
        CAPTIONS["coco"]["annotations/captions_val.json"],
    ),
}
quick = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from places(inner, (*path, key))


def exchanged(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a document with another value at a place."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def read_or_refuse(read: Read, folder: Path) -> None:
    """A dataset whose answers can be found, or an error that names a file of the folder."""
    try:
        found = read(folder)
    except SourceError as error:
        refused = error.source, error.reason
    else:
        refused = None
    if refused is not None:
        assert str(folder) in refused[0]
        assert refused[1]
        return
    if isinstance(found, Dataset):
        for collection in found.collections:
            known = {item.id for item in collection.items}
            for query in collection.queries:
                assert query.relevant
                assert set(query.relevant) <= known
                assert all(grade > 0 for grade in query.relevant.values())
                assert query.content


@pytest.mark.parametrize("name", DOCUMENTS)
@quick
@given(data=st.data())
def test_a_document_with_one_value_exchanged(name: str, data: st.DataObject) -> None:
    read, file, document = DOCUMENTS[name]
    path = data.draw(st.sampled_from(list(places(document))))
    changed = exchanged(document, path, data.draw(anything))
    with tempfile.TemporaryDirectory() as temporary:
        folder = fill(Path(temporary), {"a.png": png(), "b.png": png(), file: changed})
        read_or_refuse(read, folder)
        format_of(folder)


@pytest.mark.parametrize("name", DOCUMENTS)
@quick
@given(text=st.text(max_size=40) | anything.map(json.dumps))
def test_a_document_that_is_something_else(name: str, text: str) -> None:
    read, file, _ = DOCUMENTS[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = fill(Path(temporary), {"a.png": png(), "b.png": png(), file: text})
        read_or_refuse(read, folder)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
@quick
@given(data=st.data())
def test_a_line_of_beir_that_is_something_else(file: str, data: st.DataObject) -> None:
    whole = BEIR[file].split("\n")
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.text(max_size=30) | anything.map(json.dumps))
    with tempfile.TemporaryDirectory() as temporary:
        folder = fill(Path(temporary), {**BEIR, file: "\n".join(whole)})
        read_or_refuse(beir.read, folder)


@quick
@given(row=anything, queries=st.text(max_size=20))
def test_an_item_of_an_audit_that_is_something_else(row: Any, queries: str) -> None:
    good = '{"group": "a", "text": "x"}'
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fill(folder, {"items.jsonl": f"{good}\n{json.dumps(row)}", "queries.txt": queries})
        # What is right is not searched here, only read.
        read_or_refuse(bias._items, folder)


@quick
@given(document=anything)
def test_a_saved_run_that_is_something_else(document: Any) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = {"kind": "agentctx evaluation 1", "details": {"talks": document}}
        fill(folder, {"a.json": run})
        read_or_refuse(lambda here: saved.read(here / "a.json"), folder)


@quick
@given(data=st.data())
def test_a_shard_with_bytes_changed(data: st.DataObject) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in (("s0.png", png()), ("s0.txt", b"a door"), ("s1.png", png("red"))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    whole = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of a header are numbers and types; there is where it can lie.
        whole[data.draw(st.integers(0, 4 * 512))] = data.draw(st.integers(0, 255))
    whole = whole[: data.draw(st.integers(0, len(whole)))]
    with tempfile.TemporaryDirectory() as temporary:
        folder = fill(Path(temporary), {"0.tar": bytes(whole)})
        read_or_refuse(webdataset.read, folder)


@given(name=st.text(st.sampled_from("./\\a\0 "), max_size=8))
def test_a_name_stays_in_its_folder(name: str) -> None:
    folder = Path("/data/folder")
    plain = name.strip("./ ") and not {"\\", "\0"} & set(name) and ".." not in name.split("/")
    if not plain or name.startswith("/"):
        with pytest.raises(SourceError, match=r"leads out of its folder|no name of a file"):
            inside(folder, name, "listing")
        return
    path = inside(folder, name, "listing")
    assert folder in path.parents
    assert ".." not in path.parts
