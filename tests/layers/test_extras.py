"""Every optional import names a real extra of pyproject.toml, and one that brings the module."""

import ast
import importlib.metadata
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def asked() -> Iterator[tuple[str, str]]:
    """Which module of which extra: each ``require`` and each ``Requirement`` in the source."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in ("require", "Requirement"):
                continue
            values = [*node.args, *(word.value for word in node.keywords)]
            module, extra = (ast.literal_eval(value) for value in values)
            yield module.partition(".")[0], extra


@cache
def brought(extra: str) -> frozenset[str]:
    """The distributions that ``agentctx[extra]`` brings, at any depth, as installed here."""
    waiting = [("agentctx", frozenset({extra}))]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name == "agentctx":
            lines = PROJECT["dependencies"] + [
                line for extra in extras for line in PROJECT["optional-dependencies"][extra]
            ]
        else:
            lines = importlib.metadata.requires(name) or []
        for needed in map(Requirement, lines):
            contexts = [{"extra": extra} for extra in ("", *extras)]
            if needed.marker is None or any(map(needed.marker.evaluate, contexts)):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return frozenset(name for name, _ in seen)


@cache
def owners() -> dict[str, set[str]]:
    """Which installed distributions a top-level module comes from."""
    found = importlib.metadata.packages_distributions()
    return {module: {canonicalize_name(name) for name in names} for module, names in found.items()}


# What is not installed here, with the top-level modules that each of these extras brings.
NOT_HERE = {
    "cross-encoder": {"sentence_transformers", "torch"},
    "mteb": {"mteb", "torch"},
    "open-clip": {"PIL", "open_clip", "torch"},
    "openai-whisper": {"torch", "whisper"},
    "sentence-transformers": {"PIL", "sentence_transformers", "torch", "transformers"},
    "transformers": {"PIL", "torch", "transformers"},
    "umap": {"umap"},
}


@pytest.mark.parametrize(("module", "extra"), sorted(set(asked())))
def test_an_extra_brings_what_is_asked_of_it(module: str, extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]
    if extra in NOT_HERE:
        assert module in NOT_HERE[extra]
        return
    assert owners()[module] & brought(extra), f"{module} is from {owners()[module]}"
