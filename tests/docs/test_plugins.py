"""The example of docs/plugins.md: it installs, keeps its contracts, and does what it says."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text("utf-8")
CONTRACTS = ("PluginContract", "WatcherContract", "TextEncoderContract", "RerankerContract")


def blocks(language: str) -> list[str]:
    """The guide's fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package of the guide is installed, with the metadata of its pyproject.toml."""
    place = tmp_path_factory.mktemp("site")
    (project,) = blocks("toml")
    *parts, tests = blocks("python")
    (place / "agentctx_beacon.py").write_text("\n\n".join(parts))
    (place / "test_beacon.py").write_text(tests)
    about = tomllib.loads(project)["project"]
    metadata = place / f"agentctx_beacon-{about['version']}.dist-info"
    metadata.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {about['name']}", f"Version: {about['version']}"]
    (metadata / "METADATA").write_text("\n".join(lines))
    points = [
        line
        for group, entries in about["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(points))
    return place


def run(site: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """A Python program that finds what is installed there."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(site), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def agentctx(site: Path, *words: str | Path) -> str:
    """What the command line says, which must succeed."""
    done = run(site, "-c", "from agentctx.cli import main; main()", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_keeps_its_contracts(site: Path) -> None:
    done = run(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_beacon.py")
    assert done.returncode == 0, done.stdout
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted
    assert int(counted[1]) > 30


def test_each_kind_is_listed(site: Path) -> None:
    rows = json.loads(agentctx(site, "plugins", "--json"))
    ours = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "agentctx-beacon"}
    assert ours == {
        ("plugin", "beacon"),
        ("watcher", "beacon-log"),
        ("encoder", "trigrams"),
        ("reranker", "shared-words"),
    }
    assert all(row["ready"] for row in rows if row["distribution"] == "agentctx-beacon")


def test_a_memory_uses_all_of_them(site: Path, tmp_path: Path) -> None:
    config, memory = tmp_path / "config.toml", tmp_path / "memory"
    config.write_text(
        'encoders = ["trigrams"]\nreranker = "shared-words"\n[options.beacon]\nprefix = "Seen: "\n'
    )
    (tmp_path / "a.beacon").write_text("2026-03-14T09:12:05Z harbour light on\n")
    (tmp_path / "log").write_text("fog horn sounds\n")
    where = ["--memory", memory, "--config", config, "--json"]
    assert json.loads(agentctx(site, "add", tmp_path / "a.beacon", *where))["added"] == 1
    watched = ["watch", "beacon-log", "--log", tmp_path / "log", "--seconds", "0.5"]
    assert json.loads(agentctx(site, *watched, *where))["added"] == 1
    texts = {row["text"]: row for row in json.loads(agentctx(site, "timeline", *where))}
    assert set(texts) == {"Seen: harbour light on", "fog horn sounds"}
    assert texts["fog horn sounds"]["source"] == f"log {tmp_path / 'log'}"
    found = json.loads(agentctx(site, "search", "harbour light", *where))
    rows = found["hits"] if isinstance(found, dict) else found
    assert rows[0]["observation"]["text"] == "Seen: harbour light on"


def test_the_guide_names_each_suite_and_kind() -> None:
    from agentctx.registry import _CONTRACTS
    from agentctx.testing import contracts

    for suite in contracts.__all__:
        assert f"`{suite}`" in GUIDE
    for kind in _CONTRACTS:
        assert f"`agentctx.{kind}`" in GUIDE
    assert all(suite in blocks("python")[-1] for suite in CONTRACTS)
