"""The Python of docs/agents.md, executed as a reader would paste it."""

import re
import shutil
from pathlib import Path

import pytest

from agentctx import Memory

GUIDE = (Path(__file__).parents[2] / "docs/agents.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", GUIDE, re.M | re.S))


def blocks(text: str) -> list[str]:
    """The Python blocks of a part of the guide."""
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "LangChain",
            ["ALARM V-417 Pump A vibration", "decided to stop pump", "Seal kits are in store 4"],
        ),
        ("LlamaIndex", ["ALARM V-417 Pump A vibration", "dashboard-alarm.png", "13.4"]),
    ],
)
def test_a_section_runs(
    section: str,
    said: list[str],
    incident: Memory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(incident.directory, tmp_path / "memory")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    beginning = GUIDE.partition("\n## ")[0]
    for number, block in enumerate([*blocks(beginning), *blocks(SECTIONS[section])], 1):
        exec(compile(block, f"docs/agents.md, {section}, block {number}", "exec"), names)
    memory = names["memory"]
    assert isinstance(memory, Memory)
    memory.close()
    printed = capsys.readouterr().out
    for words in said:
        assert words in printed
    assert re.search(r"\[[0-9a-f]{10}\]", printed)
