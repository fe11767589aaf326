"""``agentctx export`` and ``agentctx import``: what they print, and how they end."""

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from agentctx import Media, Memory, Observation
from agentctx.cli import main

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def agentctx(*words: str | Path) -> Done:
    """Run the entry point of the script in this process."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        patch.setattr(sys, "argv", ["agentctx", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    assert isinstance(end.value.code, int)
    return Done(end.value.code, out.getvalue(), err.getvalue())


def printed(*words: str | Path) -> Any:
    done = agentctx(*words, "--json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a closed memory: three notes of two sessions, one with a picture."""
    place = tmp_path_factory.mktemp("backup") / "memory"
    with Memory.open(place) as memory:
        for n, session in enumerate(("plant", "plant", "desk")):
            media = (Media.of_bytes("original", "image/png", b"pixels"),) if n == 0 else ()
            memory.add(
                Observation(
                    text=f"Note {n} about pump {n}.",
                    captured_at=NINE + timedelta(minutes=n),
                    session=session,
                    media=media,
                )
            )
    return place


def test_there_and_back(filled: Path, tmp_path: Path) -> None:
    done = agentctx("export", tmp_path / "backup", "--memory", filled)
    assert done.code == 0
    assert done.out.startswith("3 observations, 1 media, ")
    assert done.out.endswith(f" in {tmp_path / 'backup'}\n")
    for wanted in ("3 added, 0 unchanged\n", "0 added, 3 unchanged\n"):
        done = agentctx("import", tmp_path / "backup", "--memory", tmp_path / "new")
        assert (done.code, done.out) == (0, wanted)
    assert printed("timeline", "--memory", tmp_path / "new") == printed(
        "timeline", "--memory", filled
    )


def test_as_json_and_a_slice(filled: Path, tmp_path: Path) -> None:
    report = printed(
        "export", tmp_path / "b", "--session", "plant", "--since", "2026-03-14T09:00:30Z",
        "--memory", filled,
    )  # fmt: skip
    size = (tmp_path / "b").stat().st_size
    assert report == {
        "path": str(tmp_path / "b"), "observations": 1, "media": 0, "size": size,
        "forgotten": 0, "problems": [],
    }  # fmt: skip
    report = printed("import", tmp_path / "b", "--memory", tmp_path / "new", "--reencode")
    assert report == {"added": 1, "unchanged": 0, "sources": 0, "encoded": False}


def test_what_is_there_is_replaced_only_by_force(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    done = agentctx("export", tmp_path / "b", "--memory", filled)
    assert (done.code, done.out) == (1, "")
    assert "exists; name another file, or replace it with --force" in done.err
    assert (tmp_path / "b").read_text() == "mine"
    assert agentctx("export", tmp_path / "b", "--memory", filled, "--force").code == 0


def test_an_incomplete_backup_is_a_failure(filled: Path, tmp_path: Path) -> None:
    (media,) = (path for path in filled.glob("media/*/*") if path.is_file())
    hidden = media.with_name("hidden")
    media.rename(hidden)
    try:
        done = agentctx("export", tmp_path / "b", "--memory", filled)
    finally:
        hidden.rename(media)
    assert done.code == 1
    assert f"media {media.name} is absent or damaged\n" in done.out
    assert done.out.startswith("3 observations, 0 media, ")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["export"], 2, "Missing argument"),
        (["export", "b", "--memory", "absent"], 1, "there is no memory in absent"),
        (["import", "absent", "--memory", "new"], 2, "does not exist"),
        (["import", ".", "--memory", "new"], 2, "is a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = agentctx(*words)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    done = agentctx("import", tmp_path / "thesis.doc", "--memory", tmp_path / "new")
    assert (done.code, done.out) == (1, "")
    assert "thesis.doc: it is no ZIP file" in done.err
    assert "Nothing of it was taken" in done.err
