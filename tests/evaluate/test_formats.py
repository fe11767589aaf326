"""Each format from files of a few lines to items, queries and judgements; and what is refused."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agentctx import Observation
from agentctx.errors import AgentctxError, SourceInvalid, SourceNotFound, SourceTooLarge
from agentctx.evaluate.datasets import beir, captions, locomo, longmemeval, screens, webdataset
from agentctx.evaluate.datasets.records import Collection, Item, Member, Query
from agentctx.evaluate.formats import FORMATS, format_of

from .conftest import QUESTIONS, TURNS, conversation, draw, write

Files = Mapping[str, Any]


def fill(folder: Path, files: Files) -> Path:
    """A folder with these files: text as it is, anything else as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def words(item: Item) -> str:
    assert isinstance(item.content, Observation)
    return item.content.text


def only(collections: Any) -> Collection:
    (collection,) = collections
    assert isinstance(collection, Collection)
    return collection


def png(colour: str = "white") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    return data.getvalue()


# -- beir -----------------------------------------------------------------------------------------

BEIR = {
    "corpus.jsonl": '{"_id": "d1", "title": "Pumps", "text": "A seal leaks."}\n'
    '\n{"_id": "d2", "text": "Lunch."}\n{"_id": "d3", "title": "", "text": ""}\n'
    '{"_id": "d4", "title": "Only a title", "text": ""}',
    "queries.jsonl": '{"_id": "q1", "text": "What leaks?"}\n{"_id": "q2", "text": "Who?"}',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\r\nq1\td1\t2\r\nq1\td2\t0\nq2\td3\t1\nq1\td4\t1",
    "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq2\td2\t1\n",
}


def test_beir(tmp_path: Path) -> None:
    found = beir.read(fill(tmp_path, BEIR))
    collection = only(found.collections)
    assert [(item.id, words(item)) for item in collection.items] == [
        ("d1", "Pumps. A seal leaks."),
        ("d2", "Lunch."),
        ("d4", "Only a title"),
    ]
    # What is judged 0 is no answer, and neither is an empty document.
    assert collection.queries == [Query("q1", "What leaks?", {"d1": 2, "d4": 1})]
    assert found.skipped == 1


def test_documents_of_the_same_words_stay_apart(tmp_path: Path) -> None:
    twice = {**BEIR, "corpus.jsonl": "\n".join(f'{{"_id": "d{n}", "text": "a"}}' for n in range(5))}
    items = only(beir.read(fill(tmp_path, twice)).collections).items
    assert len({item.content.id for item in items if isinstance(item.content, Observation)}) == 5


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{"_id"', r"corpus\.jsonl, line 2'.*no JSON"),
        ("corpus.jsonl", '["d1"]', r"line 1'.*no JSON object"),
        ("corpus.jsonl", '{"_id": "d1"}', r"line 1'.*'text'"),
        ("corpus.jsonl", '{"_id": "d1", "text": 5}', "line 1'.*does not hold _id and text"),
        (
            "corpus.jsonl",
            '{"_id": 1, "text": "a"}\n{"_id": "1", "text": "b"}',
            "'1' is there twice",
        ),
        ("corpus.jsonl", b"\xff\xfe", "no text in UTF-8"),
        ("qrels/test.tsv", "q1 d1 1", r"test\.tsv, line 1'.*tabs"),
        ("qrels/test.tsv", "q1\td1\tgood", r"line 1'.*good"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq9\td1\t1", "line 2'.*no query 'q9'"),
        ("qrels/test.tsv", "q1\td9\t1", "no document 'd9'"),
    ],
)
def test_beir_says_what_is_wrong(tmp_path: Path, file: str, content: Any, message: str) -> None:
    with pytest.raises(SourceInvalid, match=message):
        beir.read(fill(tmp_path, {**BEIR, file: content}))


def test_beir_takes_the_split_there_is(tmp_path: Path) -> None:
    fill(tmp_path, BEIR)
    (tmp_path / "qrels/test.tsv").unlink()
    assert only(beir.read(tmp_path).collections).queries == [Query("q2", "Who?", {"d2": 1})]
    (tmp_path / "qrels/train.tsv").unlink()
    with pytest.raises(SourceNotFound, match=r"no test\.tsv or dev\.tsv or train\.tsv"):
        beir.read(tmp_path)


# -- conversations --------------------------------------------------------------------------------


def published() -> list[dict[str, Any]]:
    """The conversation of conftest in the form in which LoCoMo is published."""
    talk: dict[str, Any] = {"speaker_a": "Ana", "speaker_b": "Ben"}
    for id_, session, when, speaker, text, caption in TURNS:
        talk[f"{session}_date_time"] = when
        turn = {"dia_id": id_, "speaker": speaker, "text": text}
        talk.setdefault(session, []).append(turn | ({"blip_caption": caption} if caption else {}))
    asked = [{"question": q, "category": c, "evidence": e, "answer": "-"} for q, c, e in QUESTIONS]
    return [{"sample_id": "talk", "conversation": talk, "qa": asked}]


def test_both_forms_of_locomo_are_the_same(tmp_path: Path) -> None:
    ours = locomo.read(write(tmp_path / "a" / "talk.json", conversation()).parent)
    theirs = locomo.read(write(tmp_path / "b" / "locomo10.json", published()).parent)
    assert ours.collections == theirs.collections
    assert (ours.skipped, theirs.skipped) == (2, 2)
    collection = only(ours.collections)
    assert (
        words(collection.items[2]) == "Ana: Look! [shares a picture: a kettle with a burnt cable]"
    )
    assert collection.queries[2].relevant == {"D1:1": 1, "D1:3": 1}
    assert collection.queries[2].category == "multi-hop"


LONGMEM = [
    {
        "question_id": "e47",
        "question_type": "single-session-user",
        "question": "Where did I buy the kettle?",
        "answer": "In Oslo",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["s1", "s2", "s1"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"] * 3,
        "haystack_sessions": [
            [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}],
            [{"role": "user", "content": "I bought the kettle in Oslo.", "has_answer": True}],
            [{"role": "user", "content": "Hi"}],
        ],
        "answer_session_ids": ["s2"],
    }
]


def test_longmemeval(tmp_path: Path) -> None:
    refused = {**LONGMEM[0], "question_id": "e47_abs", "answer_session_ids": []}
    found = longmemeval.read(fill(tmp_path, {"longmemeval_s.json": [*LONGMEM, refused]}))
    collection = only(found.collections)
    assert found.skipped == 1
    # An empty turn is none; a session that is there twice is told apart by its place.
    assert [item.id for item in collection.items] == ["0:s1:0", "1:s2:0", "2:s1:0"]
    assert [item.group for item in collection.items] == ["s1", "s2", "s1"]
    assert words(collection.items[1]) == "user: I bought the kettle in Oslo."
    (query,) = collection.queries
    assert query == Query(
        "e47",
        "Where did I buy the kettle?",
        {"1:s2:0": 1},
        "single-session-user",
        datetime(2023, 5, 30, 23, 40, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"haystack_dates": ["2023/05/20 (Sat) 02:21"]}, "question 0'.*argument 2 is shorter"),
        ({"haystack_dates": ["yesterday"] * 3}, "question 0'.*yesterday"),
        ({"haystack_sessions": [[{"role": "user"}]] * 3}, "question 0'.*content"),
        ({"question": ""}, "question 0'.*is no text"),
    ],
)
def test_longmemeval_says_what_is_wrong(tmp_path: Path, change: Files, message: str) -> None:
    fill(tmp_path, {"a.json": [{**LONGMEM[0], **change}]})
    with pytest.raises(SourceInvalid, match=message):
        longmemeval.read(tmp_path)


def test_longmemeval_is_a_list(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="no list of questions"):
        longmemeval.read(tmp_path)
    with pytest.raises(SourceInvalid, match=r"a\.json': it is no list"):
        longmemeval.read(fill(tmp_path, {"a.json": {}}))


# -- pictures -------------------------------------------------------------------------------------


def test_screens(tmp_path: Path) -> None:
    rows = [{"file": f"{n}.png", "session": "s", "task": "Buy a kettle"} for n in range(2)]
    collection = only(screens.read(fill(tmp_path, {"tasks.json": rows})).collections)
    assert collection.items == [
        Item("0.png", tmp_path / "0.png", "s"),
        Item("1.png", tmp_path / "1.png", "s"),
    ]
    assert collection.queries == [Query("task 1", "Buy a kettle", {"0.png": 1, "1.png": 1})]
    with pytest.raises(SourceInvalid, match="lists no screenshot"):
        screens.read(fill(tmp_path, {"tasks.json": []}))


CAPTIONS: Mapping[str, Files] = {
    "listed": {"captions.json": {"a.png": ["a red door", "a door"], "b.png": "a cat"}},
    "coco": {
        "annotations/captions_val.json": {
            "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b.png"}],
            "annotations": [
                {"image_id": 7, "caption": "a red door"},
                {"image_id": 8, "caption": "a cat"},
                {"image_id": 7, "caption": "a door"},
            ],
        }
    },
    "beside": {"a.txt": "a red door\n\na door\n", "b.txt": "a cat"},
}


@pytest.mark.parametrize("form", CAPTIONS)
def test_captions(tmp_path: Path, form: str) -> None:
    fill(tmp_path, {"a.png": png(), "b.png": png("red"), **CAPTIONS[form]})
    assert format_of(tmp_path) == "captions"
    pictures, sayings = captions.read(tmp_path).collections
    assert pictures.items == [Item(name, tmp_path / name) for name in ("a.png", "b.png")]
    assert [(query.content, query.relevant) for query in pictures.queries] == [
        ("a red door", {"a.png": 1}),
        ("a door", {"a.png": 1}),
        ("a cat", {"b.png": 1}),
    ]
    assert [words(item) for item in sayings.items] == ["a red door", "a door", "a cat"]
    assert sayings.queries[0].content == tmp_path / "a.png"
    assert sayings.queries[0].relevant == {"a.png 1": 1, "a.png 2": 1}


def test_coco_pictures_may_have_a_folder(tmp_path: Path) -> None:
    files = {"images/a.png": png(), "images/b.png": png(), **CAPTIONS["coco"]}
    pictures, _ = captions.read(fill(tmp_path, files)).collections
    assert pictures.items[0].content == tmp_path / "images" / "a.png"


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"captions.json": {"gone.png": "a"}}, SourceNotFound, r"captions\.json has a caption"),
        ({"captions.json": {"../a.png": "a"}}, SourceInvalid, "leads out of its folder"),
        ({"captions.json": {"/etc/hosts": "a"}}, SourceInvalid, "leads out of its folder"),
        ({"captions.json": {"a.png": [""]}}, SourceInvalid, "'' is no text"),
        ({"captions.json": ["a.png"]}, SourceInvalid, "captions by the name of a picture"),
        ({"captions.json": {}}, SourceNotFound, "no picture with a caption"),
        (
            {"c.json": {"images": [], "annotations": [{"image_id": 1}]}},
            SourceInvalid,
            "no image: 1",
        ),
        ({"c.json": {"images": [{"id": 1}]}}, SourceInvalid, r"images \(id, file_name\)"),
        ({}, SourceNotFound, "no picture with a caption"),
    ],
)
def test_captions_say_what_is_wrong(
    tmp_path: Path, files: Files, error: type[AgentctxError], message: str
) -> None:
    fill(tmp_path, {"a.png": png(), **files})
    with pytest.raises(error, match=message):
        captions.read(tmp_path)


# -- shards ---------------------------------------------------------------------------------------

Change = Callable[[tarfile.TarInfo], None]


def shard(path: Path, members: Mapping[str, bytes | str], change: Change | None = None) -> Path:
    """A tar file of these members, each changed before it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_shards_with_captions(tmp_path: Path) -> None:
    shard(tmp_path / "test/0.tar", {"s0.png": png(), "s0.txt": "a door\na red door\n"})
    shard(tmp_path / "test/1.tar", {"s0.JPG": png("red"), "s0.json": '{"caption": "a cat"}'})
    shard(tmp_path / "train/0.tar", {"s0.png": png(), "s0.txt": "not this split"})
    assert format_of(tmp_path) == "webdataset"
    pictures, sayings = webdataset.read(tmp_path).collections
    # Samples of the same name in two shards are two.
    assert [item.id for item in pictures.items] == ["test/0/s0", "test/1/s0"]
    assert [query.content for query in pictures.queries] == ["a door", "a red door", "a cat"]
    member = pictures.items[1].content
    assert isinstance(member, Member)
    assert (member.name, member.suffix, member.read()) == ("s0.JPG", ".jpg", png("red"))
    assert sayings.queries[1].relevant == {"test/1/s0 1": 1}


def test_shards_with_classes(tmp_path: Path) -> None:
    shard(tmp_path / "0.tar", {"a.png": png(), "a.cls": "1", "b.png": png(), "b.cls": "0\n"})
    fill(
        tmp_path,
        {
            "classnames.txt": "cat\ndoor\nboat\n",
            "zeroshot_classification_templates.txt": "a photo of a {c}.\na drawing of a {c}.",
        },
    )
    by_picture, by_class = webdataset.read(tmp_path).collections
    assert [(item.id, words(item)) for item in by_picture.items[:3]] == [
        ("class 0", "a photo of a cat."),
        ("class 0", "a drawing of a cat."),
        ("class 1", "a photo of a door."),
    ]
    assert {query.id[-1]: dict(query.relevant) for query in by_picture.queries} == {
        "a": {"class 1": 1},
        "b": {"class 0": 1},
    }
    # A class of which there is no picture cannot be asked for.
    assert [query.content for query in by_class.queries] == [
        "a photo of a cat.",
        "a photo of a door.",
    ]


def link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/hosts", 0


@pytest.mark.parametrize(
    ("members", "change", "message"),
    [
        ({"../s0.png": png()}, None, "leads out of its folder"),
        ({"/s0.png": png()}, None, "leads out of its folder"),
        ({"s0.png": b""}, link, "a link, a device"),
        ({"readme.md": "no picture"}, None, "no picture in it"),
        ({"s0.png": png()}, None, "has no caption"),
        ({"s0.png": png(), "s0.txt": " \n"}, None, "has no caption"),
        ({"s0.png": png(), "s0.txt": b"\xff"}, None, "no text in UTF-8"),
        ({"s0.png": png(), "s0.json": "{}"}, None, "'caption'"),
    ],
)
def test_shards_say_what_is_wrong(
    tmp_path: Path, members: Mapping[str, bytes], change: Change | None, message: str
) -> None:
    shard(tmp_path / "0.tar", members, change)
    with pytest.raises(SourceInvalid, match=message):
        webdataset.read(tmp_path)


@pytest.mark.parametrize(
    ("cls", "message"), [("5", "it is of class 5; classnames.txt has 0 to 1"), ("x", "number")]
)
def test_classes_say_what_is_wrong(tmp_path: Path, cls: str, message: str) -> None:
    shard(tmp_path / "0.tar", {"a.png": png(), "a.cls": cls})
    with pytest.raises(SourceNotFound, match=r"classnames\.txt"):
        webdataset.read(tmp_path)
    fill(tmp_path, {"classnames.txt": "cat\ndoor"})
    with pytest.raises(SourceInvalid, match=message):
        webdataset.read(tmp_path)
    shard(tmp_path / "0.tar", {"a.png": png(), "b.png": png(), "b.cls": "0"})
    with pytest.raises(SourceInvalid, match=r"no \.cls"):
        webdataset.read(tmp_path)


def test_a_shard_that_lies_about_sizes(tmp_path: Path) -> None:
    def large(info: tarfile.TarInfo) -> None:
        info.size = webdataset.LARGEST_TEXT + 1

    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        info = tarfile.TarInfo("s0.txt")
        large(info)
        archive.addfile(info, io.BytesIO(b" " * info.size))
    with pytest.raises(SourceTooLarge, match=r"member 's0\.txt'.*1,048,577 bytes"):
        webdataset.read(tmp_path)
    whole = shard(tmp_path / "0.tar", {"s0.txt": "a", "s0.png": b"x" * 90_000}).read_bytes()
    (tmp_path / "0.tar").write_bytes(whole[:50_000])
    with pytest.raises(SourceInvalid, match=r"cut off|unexpected end"):
        webdataset.read(tmp_path)


def test_a_compressed_shard_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("s0.png"), io.BytesIO())
    with pytest.raises(SourceInvalid, match="a compressed one, which must be unpacked"):
        webdataset.read(tmp_path)


# -- which format it is ---------------------------------------------------------------------------

SHOWN: Mapping[str, Files] = {
    "beir": BEIR,
    "screens": {"tasks.json": []},
    "speech": {"transcripts.json": []},
    "bias": {"items.jsonl": "", "queries.txt": ""},
    "days": {"plant/day.json": {}},
    "longmemeval": {"longmemeval_oracle.json": LONGMEM},
    "locomo": {"a.json": conversation()},
    "webdataset": {"val/0.tar": b""},
    "captions": CAPTIONS["coco"],
}


def test_every_format_is_shown_by_its_content(tmp_path: Path) -> None:
    assert set(SHOWN) == set(FORMATS)
    for name, files in SHOWN.items():
        folder = tmp_path / f"my {name}"
        folder.mkdir()
        assert format_of(folder) is None
        assert format_of(fill(folder, files)) == name


def test_the_name_of_a_folder_may_be_that_of_a_format(tmp_path: Path) -> None:
    assert format_of(fill(tmp_path / "beir", CAPTIONS["listed"])) == "beir"
    draw(tmp_path / "pictures" / "a.png", ["A"])
    assert format_of(tmp_path / "pictures") is None
