"""Every script of examples/ runs, without a network, to an answer with citations."""

import ast
import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
# What each prints, line by line in this order; {} stands for a citation.
SAID = {
    "ecommerce_search": [
        "? something to boil water for tea",
        "kettle-1   [{}] text: 'Electric kettle",
        "? a photo of a box",
        "kettle-2   [{}] screenshot: 'VESKA",
        "? the photo, and 'with a thermostat'",
        "kettle-2   [{}] text: 'Electric kettle, 1 litre, glass",
        "? an electric kettle",
        "kettle-1   [{}]",
        "? an electric kettle, asked by one who likes Veska",
        "kettle-2   [{}]",
    ],
    "function_calling": [
        "? What have they decided to do?",
        "“Control room, I have decided to stop pump A.” [{}]",
    ],
    "langchain_agent": [
        "(called search_context)",
        "“ALARM V-417 Pump A vibration high high” [{}]",
        "(called read_sensor, read_sensor, search_context)",
        "13.4 mm/s",
        "“Ann has the key of the pump house until Monday.” [{}]",
        "The memory has nothing on this.",
        "(evidence added by the middleware)",
        "“Ann has the key of the pump house until Monday.” [{}]",
    ],
    "llamaindex_query": [
        "“ALARM V-417 Pump A vibration high high” [1]",
        "[1] is ",
        "ImageNode [{}]",
        "“Control room, I have decided to stop pump alpha.” [{}]",
    ],
    "mcp_client": [
        "tools: search_context, recall_moment, read_sensor, what_changed, expand",
        "blocks: text, image, resource_link",
        "[{}] screenshot",
        "ALARM V-417 Pump A vibration high high",
        "error: True Error: no channel 'vibration'",
        "original: image/png",
    ],
    "meeting_copilot": [
        "“The slow part is load_cart, it asks the database once for each item.” [{}]",
        "“latency 2.4 seconds, target 0.8” [{}]",
        "“Then we fetch all items in one query, Bo does it by Friday.” [{}]",
        "13:01:00 screenshot [{}] Checkout",
        "13:02:00 text       [{}] def load_cart",
    ],
    "moderation": [
        "post-1\n  nothing to see",
        "post-2\n  a forbidden thing is offered for sale: [{}] 'Selling today",
        "post-3\n  caption and picture do not match: [{}]",
        "post-4\n  nothing to see",
        "post-5\n  nothing to see",
    ],
}
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
@pytest.mark.parametrize("name", sorted(SAID))
def test_it_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capfd.readouterr().out
    place = 0
    for words in SAID[name]:
        pattern = re.escape(words).replace(r"\{\}", "[0-9a-f]{10}")
        found = re.compile(pattern).search(printed, place)
        assert found, f"{words!r} does not come in its place in:\n{printed}"
        place = found.end()
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_is_short_and_says_what_it_shows(script: Path) -> None:
    text = script.read_text("utf-8")
    assert len(text.splitlines()) <= 100
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring is not None
    assert len(docstring.split()) > 30
    assert f"python examples/{script.name}" in docstring
