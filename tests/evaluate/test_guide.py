"""docs/evaluation.md, executed from its beginning to its end as a reader would."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agentctx.cli import cli
from agentctx.evaluate.abstention import OFF_TOPIC
from agentctx.evaluate.datasets import webdataset
from agentctx.evaluate.formats import FORMATS
from agentctx.evaluate.leakage import FORMS
from agentctx.evaluate.retrieval import PROBES

GUIDE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")


def blocks() -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python, and the commands in blocks of ``sh``; those of ``console`` need more than is here."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    for number, (language, text) in enumerate(blocks(), 1):
        if language == "python":
            exec(compile(text, f"evaluation.md, block {number}", "exec"), names)
        elif language == "sh":
            for line in text.splitlines():
                done = CliRunner().invoke(cli, line.removeprefix("agentctx ").split())
                assert done.exit_code == 0, (line, done.output, done.exception)
                ran += 1
    assert ran >= 4
    assert {path.name for path in tmp_path.glob("*.html")} == {"before.html", "difference.html"}


def test_every_format_is_in_the_guide() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert sorted(set(listed) & set(FORMATS)) == sorted(FORMATS)


def test_every_probe_and_option_is_in_the_guide() -> None:
    for probe in PROBES:
        assert f"- **{probe}**" in GUIDE
    command = cli.commands["eval"]
    assert isinstance(command, click.Group)
    for option in (one for parameter in command.params for one in parameter.opts):
        assert option in GUIDE, option
    for name in command.commands:
        assert f"agentctx eval {name}" in GUIDE


def test_the_numbers_in_the_guide_are_those_of_the_code() -> None:
    assert f"({len(OFF_TOPIC)} of ours on general\n  knowledge" in GUIDE
    assert "seven forms\n  of search" in GUIDE
    assert len(FORMS) == 7
    assert "pictures over 100 MB and texts over 1 MB" in GUIDE
    megabyte = 1024**2
    assert (100 * megabyte, megabyte) == (webdataset.LARGEST_PICTURE, webdataset.LARGEST_TEXT)
