"""The errors: the tree is as drawn, and each says what is wrong."""

import inspect
import re
from pathlib import Path

import pytest

from agentctx import errors
from agentctx.errors import MissingExtra, SourceError, WeightsNotFound

_NODE = re.compile(r"^ {4}(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: \((?P<other>\w+)\))?(?: |$)")


def drawn() -> dict[str, tuple[str, ...]]:
    """Each error of the drawing and its parents: the one it hangs from, and one in brackets."""
    parents: dict[str, tuple[str, ...]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := _NODE.match(line):
            depth = len(match["branch"]) // 4
            path[depth:] = [match["name"]]
            above = path[depth - 1] if depth else "Exception"
            parents[match["name"]] = (above, *filter(None, [match["other"]]))
    return parents


def test_the_tree_is_as_drawn() -> None:
    tree = {
        name: tuple(base.__name__ for base in found.__bases__)
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, BaseException)
    }
    assert len(tree) >= 17
    assert drawn() == tree


def test_every_error_is_documented() -> None:
    for name in drawn():
        assert getattr(errors, name).__doc__


def test_foreign_habits_still_work() -> None:
    """Whoever catches ValueError or ImportError, as for any library, catches these."""
    with pytest.raises(ValueError, match="limit"):
        raise errors.QueryError("limit is 0")
    with pytest.raises(ImportError) as raised:
        raise MissingExtra("rapidocr", "screen")
    assert raised.value.name == "rapidocr"
    assert str(raised.value) == (
        "rapidocr is not installed; add it with: pip install 'agentctx[screen]'"
    )
    assert MissingExtra("a", "b", "other").install == "pip install 'other[b]'"


def test_a_source_error_names_its_source() -> None:
    error = SourceError(Path("a dir/shot.png"), "it is cut off")
    assert (error.source, error.reason) == ("a dir/shot.png", "it is cut off")
    assert str(error) == "'a dir/shot.png': it is cut off"


def test_absent_weights_name_the_places() -> None:
    error = WeightsNotFound("minilm", ["the cache", "a package"], "pip install x")
    assert error.places == ("the cache", "a package")
    assert str(error) == (
        "no weights for 'minilm'; looked in:\n  - the cache\n  - a package\n"
        "get them with: pip install x"
    )
