"""Distributions made for a test: real metadata and real modules, on ``sys.path``."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from agentctx import registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(name, code, kind={"entry": "target"})`` makes a distribution with one module."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def make(name: str, code: str = "", **points: dict[str, str]) -> None:
        (site / f"{name}.py").write_text(dedent(code))
        metadata = site / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for kind, entries in points.items():
            lines.append(f"[agentctx.{kind}]")
            lines += [f"{entry} = {target}" for entry, target in entries.items()]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        registry._entry_points.cache_clear()

    yield make
    for module in set(sys.modules) - before:
        if getattr(sys.modules[module], "__file__", None) in map(str, site.iterdir()):
            del sys.modules[module]
    registry._entry_points.cache_clear()
