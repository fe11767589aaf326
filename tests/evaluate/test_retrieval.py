"""Datasets of several formats from their files to figures: which observation is which item."""

import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentctx import Config, Observation
from agentctx.errors import QueryError, SourceTooLarge
from agentctx.evaluate.datasets import beir, longmemeval, webdataset
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Member, Query
from agentctx.evaluate.filling import Asker, files_of, filled
from agentctx.evaluate.retrieval import Options, RetrievalResult, evaluate
from agentctx.evaluate.tables import metric_name, tables
from agentctx.limits import Limits

from .conftest import draw
from .test_formats import BEIR, LONGMEM, fill

LIGHT = Config(encoders=("minilm",))
ALONE = Options(baselines=False)
OURS = ["agentctx", "agentctx, plan off", "RRF, no rerank"]
SUBTITLES = """WEBVTT

00:00:01.000 --> 00:00:03.000
The pump in hall two is leaking.

00:00:04.000 --> 00:00:06.000
We close the valve at noon.
"""


def measure(dataset: Dataset, options: Options = ALONE) -> RetrievalResult:
    return evaluate(dataset, LIGHT, lambda *_: None, options)


def note(text: str, modality: str = "text") -> Observation:
    return Observation(text=text, modality=modality, source=text)


def test_beir_from_files_to_figures(tmp_path: Path) -> None:
    found = measure(beir.read(fill(tmp_path, BEIR)))
    assert (found.format, found.items, found.questions, found.skipped) == ("beir", 3, 1, 1)
    ours = found.methods[0].overall
    assert ours.recall_at_10.mean == 1.0
    # Both of the two that are relevant are found, the better graded first.
    assert ours.success_at_1.mean == 1.0
    assert ours.session_recall_at_10 is None
    assert found.methods[0].categories == {}


def test_longmemeval_asks_each_question_in_its_own_history(tmp_path: Path) -> None:
    other = {
        **LONGMEM[0],
        "question_id": "e48",
        "question": "Which river flows through Oslo?",
        "haystack_sessions": [
            [{"role": "user", "content": "The river through Oslo is the Akerselva."}],
            [{"role": "user", "content": "I walked along the Akerselva.", "has_answer": True}],
            [{"role": "user", "content": "Good night"}],
        ],
    }
    found = measure(longmemeval.read(fill(tmp_path, {"s.json": [*LONGMEM, other]})))
    assert (found.collections, found.items, found.questions) == (2, 6, 2)
    assert found.methods[0].overall.session_recall_at_10 is not None
    assert found.methods[0].overall.session_recall_at_10.mean == 1.0
    assert found.detail is not None
    assert [one.id for one in found.detail.questions] == ["e47/e47", "e48/e48"]


def test_a_question_is_asked_when_the_dataset_says() -> None:
    days = [
        Item(f"{day}", Observation(text="We spoke about the harbour.", captured_at=noon(day)))
        for day in range(1, 29)
    ]
    asked = [
        Query(f"{day}", "What did we speak about yesterday?", {f"{day - 1}": 1}, now=noon(day))
        for day in (5, 17, 24)
    ]
    found = measure(Dataset("days", "made", [Collection("days", days, asked)]))
    first = {method.name: method.overall.success_at_1.mean for method in found.methods}
    assert first["agentctx"] == 1.0
    assert first["agentctx, plan off"] < 0.5


def noon(day: int) -> datetime:
    return datetime(2026, 2, day, 12, tzinfo=UTC)


def shard_of(folder: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(folder / "0.tar", "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return folder


def test_classes_by_pictures_and_pictures_by_classes(tmp_path: Path) -> None:
    members = {}
    for number, words in enumerate(("BAKERY", "PHARMACY")):
        draw(tmp_path / "drawn.png", [words])
        members[f"s{number}.png"] = (tmp_path / "drawn.png").read_bytes()
        members[f"s{number}.cls"] = str(number).encode()
    folder = tmp_path / "shops"
    fill(folder, {"classnames.txt": "bakery\npharmacy\nlibrary\n"})
    found = measure(webdataset.read(shard_of(folder, members)))
    assert {
        name: scores.success_at_1.mean for name, scores in found.methods[0].categories.items()
    } == {
        "class by picture": 1.0,
        "pictures by class": 1.0,
    }
    assert {(pair.query, pair.item) for pair in found.pairs} == {
        ("screenshot", "text"),
        ("text", "screenshot"),
    }
    # Three classes and two pictures.
    assert (found.items, found.questions) == (5, 4)


def test_two_runs_are_the_same_but_for_the_times(tmp_path: Path) -> None:
    dataset = beir.read(fill(tmp_path, BEIR))
    one, other = measure(dataset), measure(dataset)
    assert one.methods == other.methods
    assert one.pairs == other.pairs
    assert one.detail is not None
    assert other.detail is not None
    assert one.detail.values == other.detail.values


# -- which observation is which item --------------------------------------------------------------


def test_a_file_of_several_observations_is_one_item(tmp_path: Path) -> None:
    path = tmp_path / "call.vtt"
    path.write_text(SUBTITLES)
    items = [Item("call", path, "monday"), Item("note", note("The pump is green."), "tuesday")]
    steps: list[str] = []
    collection = Collection("c", items, [])
    with filled(collection, tmp_path / "memory", LIGHT, steps.append) as memory:
        assert steps == ["call"]
        assert len(memory.owners) == 3
        assert set(memory.owners.values()) == {"call", "note"}
        assert memory.modalities == {"call": "speech", "note": "text"}
        hits = memory.memory.search("Who closes the valve, and what about the pump?")
        assert len(hits) == 3
        found = memory.items(hits)
        assert sorted(found) == ["call", "note"]
        assert len(memory.seconds) == 2
        assert all(seconds > 0 for seconds in memory.seconds)
        assert len(memory.observations()["call"]) == 2
    assert files_of(collection) == items[:1]


def test_items_of_one_id_count_as_one(tmp_path: Path) -> None:
    prompts = ("a photo of a cat", "a drawing of a cat", "a photo of a boat")
    items = [Item(text.split()[-1], note(text)) for text in prompts]
    found = measure(
        Dataset("d", "made", [Collection("c", items, [Query("q", "cat drawing", {"cat": 1})])])
    )
    assert found.items == 2
    assert found.methods[0].overall.recall_at_1.mean == 1.0
    with filled(Collection("c", items, []), tmp_path / "m", LIGHT, lambda _: None) as memory:
        assert memory.items(memory.memory.search("a cat in a photo"))[0] == "cat"


def test_what_has_no_words_is_counted(tmp_path: Path) -> None:
    draw(tmp_path / "blank.png", [])
    draw(tmp_path / "sign.png", ["NO DIVING"])
    items = [Item(name, tmp_path / name) for name in ("blank.png", "sign.png")]
    query = Query("q", "diving is forbidden", {"sign.png": 1})
    found = measure(Dataset("d", "made", [Collection("c", items, [query])]))
    assert found.without_text == 1
    (table,) = tables(found, "d")
    assert "1 without words" in table.note


def test_the_limits_of_the_configuration_hold(tmp_path: Path) -> None:
    draw(tmp_path / "sign.png", ["NO DIVING"])
    small = Config(encoders=("minilm",), limits=Limits(pixels=100))
    collection = Collection("c", [Item("sign", tmp_path / "sign.png")], [])
    with (
        pytest.raises(SourceTooLarge, match=r"limits\.pixels"),
        filled(collection, tmp_path / "memory", small, lambda _: None),
    ):
        pass
    with pytest.raises(SourceTooLarge, match=r"limits\.pixels"):
        Asker(small).ask(Query("q", tmp_path / "sign.png", {"sign": 1}))


# -- queries --------------------------------------------------------------------------------------


def test_queries_are_words_files_or_observations(tmp_path: Path) -> None:
    asker = Asker(LIGHT)
    words = asker.ask(Query("q", "Who?", {"a": 1}))
    assert (words.words, words.modality, words.shown) == ("Who?", "text", "Who?")
    example = asker.ask(Query("q", note("We stop.", "speech"), {"a": 1}))
    assert (example.words, example.modality, example.shown) == (None, "speech", "We stop.")
    (tmp_path / "call.vtt").write_text(SUBTITLES)
    call = asker.ask(Query("q", tmp_path / "call.vtt", {"a": 1}))
    # A file of several observations asks for all of them together.
    assert (len(call.what), call.modality, call.shown) == (2, "speech", "call.vtt")
    assert call.words is None


def test_a_query_may_be_a_member_of_an_archive(tmp_path: Path) -> None:
    draw(tmp_path / "sign.png", ["NO DIVING"])
    data = (tmp_path / "sign.png").read_bytes()
    (tmp_path / "a.tar").write_bytes(b"before" + data + b"after")
    member = Member(tmp_path / "a.tar", "x/sign.png", ".png", 6, len(data))
    assert member.read() == data
    asked = Asker(LIGHT).ask(Query("q", member, {"a": 1}))
    (seen,) = asked.what
    assert isinstance(seen, Observation)
    assert "DIVING" in seen.text
    assert (asked.modality, asked.shown) == ("screenshot", "x/sign.png")


def test_a_picture_without_words_finds_nothing_and_is_counted(tmp_path: Path) -> None:
    draw(tmp_path / "blank.png", [])
    query = Query("q", tmp_path / "blank.png", {"a": 1})
    found = measure(Dataset("d", "made", [Collection("c", [Item("a", note("A door"))], [query])]))
    (pair,) = found.pairs
    assert (pair.query, pair.item) == ("screenshot", "text")
    assert (pair.scores.unanswered, pair.scores.mrr.mean) == (1, 0.0)


def test_a_query_without_words_is_no_query() -> None:
    query = Query("q", note(" "), {"a": 1})
    with pytest.raises(QueryError, match="the query is empty"):
        measure(Dataset("d", "made", [Collection("c", [Item("a", note("A door"))], [query])]))


# -- what is said of it ---------------------------------------------------------------------------


def test_metrics_have_names_for_people() -> None:
    names = ["recall_at_10", "mrr", "ndcg_at_10", "session_recall_at_10"]
    assert [metric_name(one) for one in names] == [
        "recall@10",
        "MRR",
        "nDCG@10",
        "session recall@10",
    ]


def test_the_tables_of_a_result(tmp_path: Path) -> None:
    found = measure(beir.read(fill(tmp_path, BEIR)))
    (table,) = tables(found, "notes")
    assert table.title == ("notes: 1 question on 3 items in 1 memory (1 without an answer skipped)")
    assert table.first
    assert [row[0] for row in table.rows] == OURS
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["recall@10 (95 %)"] == "1.000 (1.000 to 1.000)"
    assert row["session@10"] == "–"
    assert (row["asked"], row["empty"]) == ("1", "0")
    assert "search: p50" in table.note
