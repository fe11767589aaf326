"""``agentctx eval``: what it prints and writes, how it ends, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agentctx import Memory, Observation
from agentctx.cli import cli
from agentctx.errors import ConfigError, SourceInvalid, StoreError
from agentctx.evaluate import saved
from agentctx.evaluate.run import Evaluation

LIGHT = ["--only", "locomo", "--no-baselines"]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, words)])


def ok(*words: str | Path) -> Result:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A configuration with one encoder less than the default."""
    path = tmp_path / "plain.toml"
    path.write_text('encoders = ["minilm"]\n')
    return path


def test_one_run_is_printed_saved_and_drawn(data: Path, tmp_path: Path) -> None:
    save, html = tmp_path / "a.json", tmp_path / "a.html"
    done = ok("--data", data, *LIGHT, "--save", save, "--html", html, "--json")
    printed = json.loads(done.stdout)
    assert printed["locomo"]["questions"] == 3
    kept = json.loads(save.read_text("utf-8"))
    assert {name: kept[name] for name in printed} == printed
    assert html.read_text("utf-8").startswith("<!doctype html>")
    table = ok("--compare", save, save)
    assert "locomo: B less A on 3 questions" in table.stdout
    assert "A: a.json" in table.stdout


def test_two_configurations_are_compared(data: Path, tmp_path: Path, plain: Path) -> None:
    html = tmp_path / "c.html"
    words = ["--compare-config", plain, "--sample", "2", "--html", html, "--json"]
    found = json.loads(ok("--data", data, *LIGHT, *words).stdout)
    assert (found["a"], found["b"]) == ("the defaults", "plain.toml")
    (part,) = found["parts"]
    assert (part["part"], part["questions"]) == ("locomo", 2)
    assert "plain.toml against the defaults" in html.read_text("utf-8")


def test_a_comparison_of_saved_runs(tmp_path: Path, evaluation: Evaluation) -> None:
    saved.save(evaluation, tmp_path / "a.json")
    html = tmp_path / "c.html"
    done = ok("--compare", tmp_path / "a.json", tmp_path / "a.json", "--html", html, "--json")
    (part,) = json.loads(done.stdout)["parts"]
    assert part["won"] == part["lost"] == []
    assert part["differences"][0]["metric"] == "recall_at_1"
    assert "<svg" not in html.read_text("utf-8")


def test_the_gap_of_a_memory(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory") as memory:
        memory.add([Observation(text=text) for text in ("A pump", "A valve", "Soup")])
        memory.add(Observation(text="We stop the pump", modality="speech"))
    html = tmp_path / "gap.html"
    done = ok("gap", "--memory", tmp_path / "memory", "--html", html, "--json")
    (space,) = json.loads(done.stdout)["spaces"]
    assert space["modalities"] == {"speech": 1, "text": 3}
    assert "How far modalities lie apart" in html.read_text("utf-8")
    assert "text-minilm" in ok("gap", "--memory", tmp_path / "memory").stdout
    missing = run("gap", "--memory", tmp_path / "none")
    assert isinstance(missing.exception, StoreError)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give --data DIR, or --compare A B"),
        (("--compare", "a.json", "a.json", "--data", "."), "give --data DIR, or --compare"),
        (("--compare", "a.json", "a.json", "--save", "b.json"), "nothing but --html and --json"),
        (("--compare", "a.json", "a.json", "--probe", "gap"), "nothing but --html and --json"),
        (("--compare", "a.json"), "requires 2 arguments"),
        (("--data", "nowhere"), "does not exist"),
        (("--data", ".", "--sample", "0"), "0 is not in the range"),
    ],
)
def test_bad_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("{}")
    done = run(*words)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_what_is_unknown_is_said(data: Path, tmp_path: Path) -> None:
    assert "known: beir" in str(run("--data", data, "--format", "video").exception)
    probed = run("--data", data, "--probe", "smell")
    assert isinstance(probed.exception, ConfigError)
    (tmp_path / "a.json").write_text("{}")
    compared = run("--compare", tmp_path / "a.json", tmp_path / "a.json")
    assert isinstance(compared.exception, SourceInvalid)
    (tmp_path / "off.txt").write_text("")
    off = run("--data", data, "--off-topic", tmp_path / "off.txt")
    assert isinstance(off.exception, SourceInvalid)
