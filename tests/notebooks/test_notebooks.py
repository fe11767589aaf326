"""The notebooks run from beginning to end, and what is kept of them is what they give."""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

import notebooks

FOLDER = Path(__file__).parents[2] / "notebooks"
# What must be among the output, when it is executed and as it is kept.
SAID = {
    "01_copilot_incident": [
        "the answers below are quoted by a scripted planner, which is no language model",
        r"“ALARM V-417 Pump A vibration high high” \[[0-9a-f]{10}\]",
        r"decided to stop pump alpha\.” \[[0-9a-f]{10}\]",
        r"13\.4 mm/s",
        "The memory has nothing on this.",
        '<img style="[^"]+" src="data:image/webp;base64,',
        "<polyline ",
        "image/png",
        "2 messages are kept",
    ],
    "02_llamaindex_rag": [
        "ImageNode ",
        "TextNode ",
        r"0\.\d\d 2026-03-14T091212Z_dashboard-alarm\.png",
        r"decided to stop pump alpha\.” \[\d\]",
        r"\['search_context'\]",
    ],
    "03_sensor_and_time": [
        "suddenly jumped up by 5.42 mm/s",
        r"max 13\.4",
        "60 readings in that minute",
        "image/png",
        "as modality speech",
        "no channel 'volume'; there are: 'bearing temperature'",
    ],
    "04_models_and_gap": [
        r"reranker +late-interaction +ready",
        r"sensor +speech +centroids 0\.\d\d apart",
        "image/png",
        r"rerank \(0\.\d+ x 1\)",
        r"0\.\d\d Stop the pump until Monday\.",
    ],
}
pytestmark = pytest.mark.timeout(600)


def kept(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def shown(notebook: Any) -> str:
    """Everything that the cells gave, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    parts = [output.get("text", "") for output in outputs]
    parts += [f"{mime}: {data}" for o in outputs for mime, data in o.get("data", {}).items()]
    return "\n".join(parts)


def test_all_are_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} >= set(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
def test_it_runs(name: str) -> None:
    text = shown(notebooks.execute(FOLDER / f"{name}.ipynb", os.environ))
    for pattern in SAID[name]:
        assert re.search(pattern, text), f"{pattern!r} is not in what {name} gives"


@pytest.mark.parametrize("name", sorted(SAID))
def test_what_is_kept_is_output_of_these_cells(name: str) -> None:
    notebook = kept(name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    text = shown(notebook)
    for pattern in SAID[name]:
        assert re.search(pattern, text), f"{pattern!r} is not in what {name} keeps"
    streams = {o.name for cell in code for o in cell.outputs if o.output_type == "stream"}
    assert streams == {"stdout"}, "no warning is kept"


@pytest.mark.parametrize("name", sorted(SAID))
def test_it_says_what_answers(name: str) -> None:
    words = (FOLDER / f"{name}.ipynb").read_text("utf-8")
    if "agentctx.testing" in words:
        assert "no language model" in words or "script that quotes" in words


@pytest.mark.parametrize("name", sorted(SAID))
def test_no_path_of_a_machine_is_kept(name: str) -> None:
    text = shown(kept(name))
    assert not re.search(r"/(home|tmp|root|usr|Users|work)/", text)
    assert "PosixPath" not in text
