"""The page of models says what cards, pins and entry points say, and all of it."""

import tomllib
from pathlib import Path

import pytest

import models
from agentctx import registry
from agentctx.weights.pins import PINS

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of each row of the table under a heading, by the first."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {cells[0]: cells for cells in lines[2:]}


def test_the_page_is_what_would_be_written() -> None:
    assert models.page() == PAGE, "run python scripts/models.py"


def test_every_encoder_and_reranker_is_on_it() -> None:
    for kind in ("encoders", "rerankers"):
        for name in registry.names(kind):
            assert f"| `{name}` |" in PAGE


def test_every_set_of_weights_is_on_it_with_its_licence() -> None:
    carried = rows("Weights without a network")
    assert set(carried) == {f"`{name}`" for name in PINS}
    ready = rows("With weights of their own")
    for name, pin in PINS.items():
        for user in carried[f"`{name}`"][1].split(", "):
            assert pin.licence in ready[user][6]


def test_what_the_text_encoder_is() -> None:
    name, kind, model, takes, space, dimension, licence, size, install = rows(
        "With weights of their own"
    )["`minilm`"]
    assert (name, kind, model) == ("`minilm`", "encoder", "all-MiniLM-L6-v2")
    assert "screenshot" in takes
    assert (space, dimension, licence) == ("`text-minilm`", "384", "Apache-2.0")
    assert 20 < float(size.removesuffix(" MB")) < 30
    assert install == "`pip install 'agentctx[offline]'`"


def test_extras_that_are_named_exist() -> None:
    project = tomllib.loads((models.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {extra for one in models.made() for extra in one.extras}
    assert {"offline", "screen", "whisper"} <= named <= set(project["optional-dependencies"])


def test_factories_say_what_they_load() -> None:
    loaded = {name for row in registry.listing() for name in row.weights}
    assert loaded == set(PINS)


def test_a_stale_page_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ROOT", tmp_path)
    monkeypatch.setattr(models, "PAGE", tmp_path / "models.md")
    monkeypatch.setattr("sys.argv", ["models.py", "--check"])
    with pytest.raises(SystemExit, match=r"models\.md is stale: run python scripts/models\.py"):
        models.main()
    monkeypatch.setattr("sys.argv", ["models.py"])
    models.main()
    assert (tmp_path / "models.md").read_text("utf-8") == PAGE
