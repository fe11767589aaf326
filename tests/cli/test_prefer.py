"""``--prefer`` on the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from agentctx import Memory, Observation
from agentctx.cli import cli
from agentctx.errors import ConfigError

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
NOW = ("--now", "2026-03-14T12:00:00Z")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two notes that fit as well, in two apps and sessions."""
    path = tmp_path_factory.mktemp("prefer") / "memory"
    with Memory.open(path) as memory:
        memory.add(
            Observation(text="The seal leaks.", captured_at=NINE.replace(hour=hour), session=app,
                        attributes={"app": app, "floor": hour})
            for hour, app in ((9, "Slack"), (11, "Mail"))
        )  # fmt: skip
    return path


def search(directory: Path, *preferences: str, command: str = "search") -> list[dict[str, object]]:
    options = [word for one in preferences for word in ("--prefer", one)]
    words = [command, "leaking seal", "--memory", str(directory), "--json", *NOW, *options]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("preferences", "first"),
    [
        (["app=slack"], "Slack"),
        (["app=mail"], "Mail"),
        (["session=Mail"], "Mail"),
        (["floor=9"], "Slack"),
        (["half_life=1 hour"], "Mail"),
        (["app=Slack", "half_life=1 hour", "weight.app=0"], "Mail"),
        (["app=Slack", "half_life=1 hour", "weight.recency=0.01"], "Slack"),
    ],
    ids=str,
)
def test_what_comes_first(directory: Path, preferences: list[str], first: str) -> None:
    observation = search(directory, *preferences)[0]["observation"]
    assert isinstance(observation, dict)
    assert observation["session"] == first


def test_it_is_said_why(directory: Path) -> None:
    why = search(directory, "app=Slack", "weight.app=0.25")[0]["why"]
    assert isinstance(why, list)
    assert {"name": "prefer app", "score": 1.0, "rank": None, "weight": 0.25} in why


def test_moments_and_contexts_take_it(directory: Path) -> None:
    moment = search(directory, "app=mail", command="moments")[0]
    assert "prefer app" in json.dumps(moment)
    words = ["context", "leaking seal", "--memory", str(directory), "--prefer", "app=mail"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0
    assert done.output.index("11:00") < done.output.index("09:00")


def test_what_is_no_pair(directory: Path) -> None:
    words = ["search", "seal", "--memory", str(directory), "--prefer", "app"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "'app' is not NAME=VALUE" in done.output


@pytest.mark.parametrize("pair", ["half_life=soon", "weight.app=1", "weight.session=x"])
def test_what_makes_no_sense(directory: Path, pair: str) -> None:
    words = ["search", "seal", "--memory", str(directory), "--prefer", pair]
    with pytest.raises(ConfigError):
        CliRunner().invoke(cli, words, catch_exceptions=False)
