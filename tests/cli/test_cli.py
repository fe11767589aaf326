"""The command line: what it prints, for people and for programs, and how it ends."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from agentctx import Memory, Observation
from agentctx.cli import main

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
SCRIPT = Path(sys.executable).with_name("agentctx")
# Markup of the library that prints, commands to a terminal (one of them in a single byte), a bell.
HOSTILE = "[red]x[/red] [/] \x1b[31mpump\x1b[0m \x9b2J \x1b]0;title\x07 end"
MEMORY_FREE = ("plugins", "eval", "demo")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def run(*words: str | Path, typed: str = "", env: Mapping[str, str] | None = None) -> Done:
    """Run the entry point of the script in this process."""
    with (
        pytest.MonkeyPatch.context() as patch,
        CliRunner().isolation(input=typed, env={"AGENTCTX_MEMORY": None, **(env or {})}) as streams,
    ):
        patch.setattr(sys, "argv", ["agentctx", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = (stream.getvalue().decode() for stream in streams[:2])
    assert isinstance(end.value.code, int)
    return Done(end.value.code, out, err)


def ok(*words: str | Path, **more: Any) -> Done:
    """Run what must succeed."""
    done = run(*words, **more)
    assert done.code == 0, done
    return done


NOTES = {
    "plant": ("The seal of pump Alpha is leaking.", "We keep it locked out until Monday."),
    "desk": ("The quarterly report is due on Friday.", HOSTILE),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a closed memory: four notes, and a log of a minute."""
    place = tmp_path_factory.mktemp("cli")
    rows = [f"{(NINE + timedelta(seconds=n)).isoformat()},{5 + n / 100}" for n in range(60)]
    (place / "log.csv").write_text("\n".join(["time,pressure [bar]", *rows]))
    notes = [
        Observation(
            text=text,
            captured_at=NINE + timedelta(minutes=n),
            session=session,
            source=f"{session}-{n}.txt" if text != HOSTILE else HOSTILE,
        )
        for session, texts in NOTES.items()
        for n, text in enumerate(texts)
    ]
    with Memory.open(place / "memory") as memory:
        assert memory.add([*notes, place / "log.csv"]).failed == ()
    return place / "memory"


@pytest.fixture
def copy(filled: Path, tmp_path: Path) -> Path:
    """A copy of it, for commands that change it."""
    return Path(shutil.copytree(filled, tmp_path / "copy"))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The directory of a memory with nothing in it."""
    Memory.open(tmp_path / "m").close()
    return tmp_path / "m"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the memory of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AGENTCTX_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


# -- for programs -----------------------------------------------------------------------------

OBSERVATION = {
    "id", "modality", "text", "captured_at", "duration", "session", "source", "attributes", "media"
}  # fmt: skip


def test_add_as_json(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The pump is warm.")
    done = run("add", "a.txt", "gone.txt", "--memory", "m", "--json")
    assert done.code == 1
    assert done.err == ""
    assert set(done.data) == {"added", "unchanged", "failed", "ids", "expired"}
    assert (done.data["added"], done.data["unchanged"], len(done.data["ids"])) == (1, 0, 1)
    (failure,) = done.data["failed"]
    assert failure["source"] == "gone.txt"
    assert failure["error"] == {
        "type": "SourceNotFound",
        "message": "'gone.txt': there is no such file; check the path",
    }


def test_search_as_json(filled: Path) -> None:
    hit = ok("search", "which pump has a leak?", "--memory", filled, "--json").data[0]
    assert set(hit) == {"observation", "score", "why", "passage"}
    assert set(hit["observation"]) == OBSERVATION
    assert hit["observation"]["text"] == hit["passage"] == NOTES["plant"][0]
    assert hit["observation"]["captured_at"] == "2026-03-14T09:00:00+00:00"
    assert {"name", "score", "rank", "weight"} == set(hit["why"][0])


def test_moments_as_json(filled: Path) -> None:
    moment = ok("moments", "leaking seal", "--memory", filled, "--json").data[0]
    assert set(moment) == {"start", "end", "score", "hits", "companions"}
    assert moment["hits"][0]["observation"]["text"] == NOTES["plant"][0]


def test_context_as_json(filled: Path) -> None:
    found = ok("context", "which pump leaks?", "--memory", filled, "--json").data
    assert set(found) == {"text", "citations", "images", "tokens", "left_out", "more"}
    assert NOTES["plant"][0] in found["text"]
    assert set(found["citations"][0]) == {"number", "observation", "quote", "suspicious"}
    small = ok("context", "which pump leaks?", "--memory", filled, "--json", "--max-tokens", "70")
    assert small.data["tokens"] <= 70 < found["tokens"]


def test_timeline_as_json(filled: Path) -> None:
    found = ok("timeline", "--memory", filled, "--json").data
    assert all(set(one) == OBSERVATION for one in found)
    assert [one["captured_at"] for one in found] == sorted(one["captured_at"] for one in found)
    (media,) = next(one for one in found if one["modality"] == "sensor")["media"]
    assert set(media) == {"kind", "mime", "digest", "size"}


def test_readings_as_json(filled: Path) -> None:
    found = ok("readings", "pressure", "--memory", filled, "--json").data
    assert len(found) == 60
    assert found[0] == ["2026-03-14T09:00:00+00:00", 5.0]
    most = ok("readings", "pressure", "--memory", filled, "--json", "--aggregate", "max")
    assert most.data == 5.59


def test_verify_and_repair_as_json(copy: Path) -> None:
    found = ok("verify", "--memory", copy, "--json").data
    assert set(found) == {"observations", "passages", "media", "pending", "problems"}
    assert (found["media"], found["problems"]) == (1, [])
    done = ok("repair", "--memory", copy, "--json").data
    counts = {"orphans", "reworded", "encoded", "indexed"}
    assert set(done) == {"found", "left", "salvaged"} | counts
    assert (done["found"], done["left"], done["salvaged"]) == ([], [], None)


def test_what_repair_did_to_a_lost_index(copy: Path) -> None:
    written = ok("sync", "--memory", copy, "--json").data["written"]
    shutil.rmtree(copy / "chroma")
    done = ok("repair", "--memory", copy, "--json").data
    assert (len(done["found"]) > 0, done["left"], done["indexed"]) == (True, [], written)
    assert ok("verify", "--memory", copy).code == 0


def test_sync_as_json(copy: Path) -> None:
    pending = ok("verify", "--memory", copy, "--json").data["pending"]
    assert pending > 0
    assert ok("sync", "--memory", copy, "--json").data == {"written": pending}
    assert ok("sync", "--memory", copy).out == "0 rows written to Chroma\n"


def test_forget_as_json(copy: Path) -> None:
    receipt = ok("forget", "--session", "desk", "--yes", "--memory", copy, "--json").data
    plain = {"forgotten", "ids", "media", "at", "rule", "dry_run", "unfinished"}
    assert set(receipt) == plain | {"fingerprints"}
    assert (receipt["forgotten"], len(receipt["ids"]), receipt["rule"]) == (2, 2, "session")
    assert datetime.fromisoformat(receipt["at"]).tzinfo is not None


def test_plugins_as_json() -> None:
    rows = ok("plugins", "--json").data
    keys = {"kind", "name", "target", "distribution", "weights", "missing", "error", "ready"}
    keys |= {"install"}
    assert all(set(row) == keys for row in rows)
    assert {"text", "sensor", "minilm", "late-interaction"} <= {row["name"] for row in rows}


def test_doctor_as_json(copy: Path, tmp_path: Path) -> None:
    done = run("doctor", "--memory", copy, "--json")
    assert all(set(check) == {"name", "ok", "detail"} for check in done.data)
    checks = {check["name"]: check for check in done.data}
    assert checks["memory"]["ok"]
    assert done.code == (0 if all(check["ok"] for check in done.data) else 1)
    assert not (tmp_path / "absent").exists()
    run("doctor", "--memory", "absent", "--json")
    assert not (tmp_path / "absent").exists(), "looking makes nothing"


# -- for people -------------------------------------------------------------------------------


def human(memory: Path) -> dict[str, list[str | Path]]:
    """Every command that shows what was retrieved, so that the hostile note is in it."""
    query = "x pump title end"
    return {
        "search": ["search", query, "--memory", memory],
        "explain": ["search", query, "--explain", "--no-rerank", "--memory", memory],
        "moments": ["moments", query, "--window", "3600", "--memory", memory],
        "context": ["context", query, "--memory", memory],
        "timeline": ["timeline", "--memory", memory],
    }


@pytest.mark.parametrize("command", human(Path()))
def test_retrieved_text_is_printed_as_it_is_and_commands_nothing(
    filled: Path, command: str
) -> None:
    out = ok(*human(filled)[command]).out
    assert "[red]x[/red] [/]" in out, "markup is text"
    assert "pump" in out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)


def test_a_hostile_file_name_is_printed_safely(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "|")
    (tmp_path / name).touch()
    (tmp_path / f"{name}.txt").write_text("The pump is warm.")
    done = run("add", name, f"{name}.txt", "--memory", "m")
    assert done.code == 1
    assert "1 added, 0 unchanged, 1 failed" in done.out
    assert "[red]x[|red]" in done.out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out + done.err)
    assert "\x1b" not in ok("search", "pump", "--memory", "m").out


def test_json_commands_nothing_either(filled: Path, tmp_path: Path) -> None:
    done = ok("timeline", "--session", "desk", "--memory", filled, "--json")
    assert HOSTILE in {one["text"] for one in done.data}
    assert done.out.isascii()
    assert "\x1b" not in done.out
    (tmp_path / "caf\udce9.txt").write_text("The pump is warm.")
    (failure,) = run("add", "caf\udce9.txt", "--memory", "m", "--json").data["failed"]
    assert failure["source"] == "caf\udce9.txt"


def test_a_hostile_plugin_message_is_printed_safely(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"time,v\n2026-03-14T09:00:00Z,1\n\xc2\x9b2J,1,2,3\n")
    done = run("add", "a.csv", "--memory", "m")
    assert done.code == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out)


def test_what_people_read(copy: Path, tmp_path: Path) -> None:
    hits = ok("search", "which pump has a leak?", "--explain", "--memory", copy).out
    assert hits.startswith("looks for: 'which pump has a leak?'\n\n")
    assert re.search(r"^ 1\. [01]\.\d{3}  text  2026-03-14 09:00:00 UTC  plant-0\.txt$", hits, re.M)
    assert "why: text-minilm #1 (" in hits
    assert "● 09:00:00 text" in ok("moments", "leaking seal", "--memory", copy).out
    assert "2026-03-14\n  09:00:00 " in ok("timeline", "--memory", copy).out
    assert ok("search", "qwx zzv", "--memory", copy).out == "Nothing in this memory matches.\n"
    assert ok("verify", "--memory", copy).out.endswith(" 1 media\nno problems\n")
    healthy = ok("repair", "--memory", copy).out
    assert healthy == "found: no problems\nnothing is wrong any more\n"
    assert "1 added, 0 unchanged, 0 failed" in ok("add", "--text", "Hi.", "--memory", copy).out
    assert re.search(r"plugin +text +agentctx +ready", ok("plugins").out)
    assert re.search(r"^ok +memory: ", run("doctor", "--memory", copy).out, re.MULTILINE)


def test_a_context_is_not_broken_into_lines(filled: Path) -> None:
    question = "which pump leaks, and until when is it locked out?"
    with Memory.open(filled) as memory:
        text = memory.context(question).text
    assert max(map(len, text.splitlines())) > 80
    assert ok("context", question, "--memory", filled).out == text + "\n"


def test_readings_are_a_time_and_a_value_on_each_line(filled: Path) -> None:
    lines = ok("readings", "pressure", "--memory", filled).out.splitlines()
    assert len(lines) == 60
    assert lines[1].split() == ["2026-03-14T09:00:01+00:00", "5.01"]
    one = ok("readings", "pressure", "--aggregate", "count", "--memory", filled)
    assert float(one.out) == 60


# -- putting in -------------------------------------------------------------------------------


def test_add_recursive_text_at_and_session(tmp_path: Path) -> None:
    (tmp_path / "notes" / "deep").mkdir(parents=True)
    for name in ("notes/a.txt", "notes/deep/b.md"):
        (tmp_path / name).write_text(f"Words of {name}.")
    when = ["--at", "2026-03-14T10:00:00+01:00", "--session", "night", "--memory", "m", "--json"]
    assert run("add", "notes", *when).data["failed"][0]["error"]["type"] == "SourceUnreadable"
    assert ok("add", "-r", "notes", "--text", "One.", "--text", "Two.", *when).data["added"] == 4
    found = ok("timeline", "--memory", "m", "--json").data
    assert {one["captured_at"] for one in found} == {"2026-03-14T09:00:00+00:00"}
    assert {one["session"] for one in found} == {"night"}
    assert {one["source"] for one in found} == {
        "notes/a.txt", "notes/deep/b.md", "command line"
    }  # fmt: skip


def test_add_recursive_leaves_memories_out(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("The pump is warm.")
    for memory in ("memory", "notes/old"):
        ok("add", "--text", "Hi.", "--memory", memory)
    for words in (["-r", "."], ["-r", "notes", "--text", "More."]):
        done = ok("add", *words, "--memory", "memory", "--json")
        assert "notes/old is a memory; it is left out" in done.err
        assert done.data["added"] == 1
    assert {one["source"] for one in ok("timeline", "--memory", "memory", "--json").data} == {
        "notes/a.txt", "command line"
    }  # fmt: skip
    done = run("add", "-r", "memory", "--memory", "memory")
    assert (done.code, done.err.splitlines()[0]) == (
        2, "agentctx: memory is a memory; it is left out"
    )  # fmt: skip


def test_add_recursive_tells_of_folders_it_cannot_look_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes" / "closed").mkdir(parents=True)
    (tmp_path / "notes" / "a.txt").write_text("The pump is warm.")
    look = os.scandir

    def scandir(path: Any) -> Any:  # the user who runs the tests may be allowed everything
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    done = ok("add", "-r", "notes", "--memory", "m", "--json")
    assert done.data["added"] == 1
    assert "notes/closed cannot be looked into: Permission denied; it is left out" in done.err


def test_the_report_goes_to_standard_output(tmp_path: Path) -> None:
    done = ok("add", "--text", "Hi.", "--memory", "m")
    assert done.out.strip() == "1 added, 0 unchanged, 0 failed"
    assert "added" not in done.err


def test_the_environment_names_the_memory(tmp_path: Path) -> None:
    env = {"AGENTCTX_MEMORY": str(tmp_path / "env")}
    ok("add", "--text", "Hi.", env=env)
    assert len(ok("timeline", "--json", env=env).data) == 1
    assert run("timeline", "--json", "--memory", "other", env=env).code == 1
    ok("add", "--text", "Hi.")
    assert (tmp_path / "home" / ".agentctx" / "catalog.sqlite3").exists(), "the default"


@pytest.mark.usefixtures("empty")
def test_a_config_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("reranker = 'none-such'\n")
    done = run("search", "x", "--memory", "m", "--config", "a.toml")
    assert (done.code, "no reranker is called 'none-such'" in done.err) == (1, True)
    (tmp_path / "a.toml").write_text("[limits]\nfile_bytes = 3\n[options.text]\nmax_bytes = 1000\n")
    (tmp_path / "a.txt").write_text("Words.")
    done = run("add", "a.txt", "--memory", "m", env={"AGENTCTX_CONFIG": "a.toml"})
    assert (done.code, "limits.file_bytes allows 3" in done.out) == (1, True)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("colour = 'red'", "unknown: colour; known: "),
        ("batch_size = 0", "batch_size is 0"),
        ("batch_size = 'two'", "batch_size is 'two'"),
        ("batch_size = ", "a.toml"),
        ("[options.minilm]\ncolour = 1", "minilm has no option colour"),
    ],
)
@pytest.mark.usefixtures("empty")
def test_a_bad_config_file_is_bad_use(tmp_path: Path, toml: str, says: str) -> None:
    (tmp_path / "a.toml").write_text(toml)
    done = run("timeline", "--memory", "m", "--config", "a.toml")
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert "Traceback" not in done.err


# -- getting out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--session", "desk"], NOTES["desk"]),
        (["--source", "plant-0.txt", "--source", "plant-1.txt"], NOTES["plant"]),
        (["--modality", "text", "--since", "2026-03-14T10:00:30+01:00"], (
            NOTES["plant"][1], NOTES["desk"][1])),
        (["--modality", "text", "--until", "2026-03-14T09:00:30Z"], (
            NOTES["plant"][0], NOTES["desk"][0])),
        (["--modality", "speech"], ()),
    ],
)  # fmt: skip
def test_filters(filled: Path, words: list[str], texts: tuple[str, ...]) -> None:
    found = ok("timeline", "--memory", filled, "--json", *words).data
    assert sorted(one["text"] for one in found) == sorted(texts)
    hits = ok("search", "pump seal report Monday end", "--memory", filled, "--json", *words).data
    assert {hit["observation"]["text"] for hit in hits} <= set(texts)
    assert bool(hits) is bool(texts)


def test_a_limit(filled: Path) -> None:
    assert len(ok("search", "pump", "-n", "1", "--memory", filled, "--json").data) == 1


def test_a_file_as_query(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "like.txt").write_text("There is a leak in the seal of a pump.")
    (hit, *_) = ok("search", "@like.txt", "--memory", filled, "--json").data
    assert hit["observation"]["text"] == NOTES["plant"][0]
    done = run("search", "@gone.txt", "--memory", filled)
    assert (done.code, done.err) == (
        1, "agentctx: 'gone.txt': there is no such file; check the path\n"
    )  # fmt: skip


def test_the_timeline_as_a_picture(filled: Path, tmp_path: Path) -> None:
    ok("timeline", "--memory", filled, "--png", tmp_path / "day.png")
    with Image.open(tmp_path / "day.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 1200


# -- taking care ------------------------------------------------------------------------------


def test_forget_asks_first(copy: Path) -> None:
    words = ["forget", "--session", "desk", "--memory", copy]
    for typed in ("n\n", "\n", ""):
        done = run(*words, typed=typed)
        assert (done.code, done.out) == (1, "")
        assert "cannot be undone" in done.err
        assert "aborted" in done.err
    assert len(ok("timeline", "--session", "desk", "--memory", copy, "--json").data) == 2
    assert ok(*words, typed="y\n").out == "2 forgotten, 0 media erased\n"
    assert ok("timeline", "--session", "desk", "--memory", copy, "--json").data == []


def test_forget_by_id_and_source(copy: Path) -> None:
    one = ok("timeline", "--source", "desk-0.txt", "--memory", copy, "--json").data[0]["id"]
    done = ok("forget", "--id", one, "--yes", "--memory", copy, "--json")
    assert done.data["ids"] == [one]
    log = str(copy.parent / "log.csv")
    assert ok("forget", "--source", log, "--yes", "--memory", copy, "--json").data["ids"] == []


def test_verify_tells_of_damage_and_repair_of_the_index(copy: Path) -> None:
    (media,) = (path for path in (copy / "media").rglob("*") if path.is_file())
    ok("sync", "--memory", copy)
    media.write_bytes(b"torn")
    shutil.rmtree(copy / "chroma")
    done = run("verify", "--memory", copy)
    assert done.code == 1
    assert f"media {media.name} is absent or damaged" in done.out
    done = run("repair", "--memory", copy)
    assert done.code == 1
    assert f"left: media {media.name} is absent or damaged" in done.out
    problems = run("verify", "--memory", copy, "--json").data["problems"]
    assert problems == [f"media {media.name} is absent or damaged"]


# -- how it ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add"], "name at least one file"),
        (["search"], "Missing argument"),
        (["search", "x", "--colour"], "No such option"),
        (["search", "   "], "the query is empty"),
        (["search", ""], "the query is empty"),
        (["search", "x", "-n", "0"], "-n"),
        (["search", "x", "--since", "yesterday"], "'yesterday' is no ISO time"),
        (["search", "x", "--since", "2026-03-14", "--until", "2026-03-13"], "not after since"),
        (["timeline", "--since", "0001-01-01"], "is no ISO time"),
        (["timeline", "--until", "9999-12-31T23:00-12:00"], "is no ISO time"),
        (["moments", "x", "--window", "-1"], "cannot be negative"),
        (["moments", "x", "--window", "nan"], "window"),
        (["context", "x", "--max-tokens", "0"], "--max-tokens"),
        (["readings", "voltage"], "no channel 'voltage'"),
        (["readings", "voltage", "--aggregate", "most"], "no aggregate 'most'"),
        (["forget", "--yes"], "say what to forget"),
        (["timeline", "--png", "day.png"], "nothing to draw"),
        (["timeline", "--config", "gone.toml"], "does not exist"),
        (["nonsense"], "No such command"),
        (["eval"], "give --data DIR"),
        (["eval", "--data", "gone"], "does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("empty")
def test_bad_use(words: list[str], says: str) -> None:
    where = [] if words[0] in (*MEMORY_FREE, "nonsense") else ["--memory", "m"]
    done = run(*words, *where)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


READERS = (
    ["search", "x"],
    ["moments", "x"],
    ["context", "x"],
    ["timeline"],
    ["readings", "x"],
    ["forget", "--session", "x"],
    ["expire"],
    ["verify"],
    ["sync"],
    ["reindex"],
    ["repair"],
)


@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
@pytest.mark.parametrize("place", ["absent", "bare", "full"])
def test_only_adding_makes_a_memory(tmp_path: Path, words: list[str], place: str) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = run(*words, "--memory", place)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"agentctx: there is no memory in {place}; check --memory, or make one with: agentctx add\n"
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_what_holds_other_files_does_not_become_a_memory(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    done = run("add", "--text", "x", "--memory", "full")
    assert (done.code, done.out) == (1, "")
    assert done.err == "agentctx: full holds other files and no catalog.sqlite3; name another\n"
    assert run("doctor", "--memory", "full").code == 1


def test_a_picture_that_cannot_be_written_is_a_failure(filled: Path) -> None:
    done = run("timeline", "--memory", filled, "--png", "no/such/place/day.png")
    assert done.code in (1, 2)
    assert "no/such/place" in done.err


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        (["add", "--text", "The pump is warm."], 0, "1 added", ""),
        (["add", "gone.txt"], 1, "no such file", ""),
        (["search", "x"], 1, "", "agentctx: there is no memory in"),
        (["search", "x", "--colour"], 2, "", "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_script_itself(tmp_path: Path, words: list[str], code: int, out: str, err: str) -> None:
    done = subprocess.run(
        [SCRIPT, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "AGENTCTX_MEMORY": str(tmp_path / "m")},
    )
    assert done.returncode == code, done.stderr
    assert out in done.stdout
    assert err in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_only_the_script_itself_gives_commands(tmp_path: Path) -> None:
    name = "[bold]\x1b]0;title\x07\nname.txt"
    (tmp_path / name).write_text(HOSTILE)
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [SCRIPT, "add", name, "--memory", "m"],
        stdout=follower,
        stderr=follower,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm-256color"},
    ) as process:
        os.close(follower)
        written = []
        with suppress(OSError):  # what reading gives when the other side is closed
            while data := os.read(leader, 65_536):
                written.append(data)
    os.close(leader)
    shown = b"".join(written).decode()
    assert process.returncode == 0
    assert "1 added" in shown
    assert "adding [bold] ]0;title name.txt" in shown, "the progress names the work and the file"
    assert "\x1b]" not in shown
    assert "\x07" not in shown
