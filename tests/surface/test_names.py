"""The public surface, pinned: a change here is a change for users, and is made on purpose."""

import dataclasses
import inspect
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import agentctx
from agentctx import Hit, Memory, Observation
from agentctx.cli import cli

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))

NAMES = [
    "AgentctxError",
    "Citation",
    "Config",
    "Context",
    "Hit",
    "IngestReport",
    "Media",
    "Memory",
    "Moment",
    "Observation",
    "Prefer",
    "Receipt",
    "SessionHit",
    "__version__",
]

FILTERS = "modality=None, since=None, until=None, session=None, source=None"
SIGNATURES = {
    Memory.open: "path, config=None",
    Memory.add: "items, *, session='', captured_at=None, attributes=None, progress=None",
    Memory.search: f"query, limit=10, {FILTERS}, rerank=True, *, plan=True, now=None, "
    "prefer=None, diversity=0.0",
    Memory.sessions: f"query, limit=10, {FILTERS}, *, plan=True, now=None, prefer=None",
    Memory.moments: f"query, window=30.0, limit=5, {FILTERS}, *, plan=True, now=None, prefer=None",
    Memory.context: f"question, max_tokens=1500, *, {FILTERS}, count_tokens=None, plan=True, "
    "now=None, prefer=None, limit=20, offset=0, cite='number'",
    Memory.get: "ids",
    Memory.channels: "",
    Memory.feedback: "hits, accepted, rejected=None",
    Memory.learned: "",
    Memory.unlearn: "",
    Memory.score: "question, texts",
    Memory.plan: "question, now=None",
    Memory.changes: "subject='', *, since, until, session=None, source=None",
    Memory.timeline: "since=None, until=None, modality=None, session=None, source=None",
    Memory.readings: "channel, since=None, until=None, aggregate=None",
    Memory.forget: "ids=None, session=None, since=None, until=None, source=None, modality=None, "
    "attributes=None, *, query=None, limit=10, confirm=None, dry_run=False",
    Memory.expire: "*, dry_run=False",
    Memory.verify: "",
    Memory.verify_erased: "receipt, *, progress=None",
    Memory.repair: "path, config=None, *, progress=None",
    Memory.reindex: "path, encoders=(), config=None, *, drop=False, progress=None",
    Memory.sync_index: "progress=None",
    Memory.rebuild_index: "",
    Memory.export: f"path, *, {FILTERS}, force=False, progress=None",
    Memory.import_: "path, *, reencode=False, progress=None",
    Memory.close: "",
}

OBSERVATION = {
    "modality": "text",
    "text": "",
    "captured_at": "made",
    "duration": 0.0,
    "session": "",
    "source": "",
    "attributes": "made",
    "media": (),
}

SHORTCUTS = ["text", "modality", "captured_at", "duration", "session", "source", "attributes"]

COMMANDS = [
    "add",
    "changes",
    "context",
    "demo",
    "doctor",
    "eval",
    "expire",
    "export",
    "feedback",
    "forget",
    "import",
    "keygen",
    "learned",
    "moments",
    "plugins",
    "readings",
    "reindex",
    "repair",
    "search",
    "serve",
    "sync",
    "timeline",
    "verify",
    "watch",
]
# Its options are those of each watcher: tests/registry holds them.
GROUPS = {"watch"}
# These look at no memory.
WITHOUT_MEMORY = {"demo", "eval", "keygen", "plugins"}


def test_names() -> None:
    assert agentctx.__all__ == NAMES == sorted(NAMES)
    assert dir(agentctx) == NAMES
    for name in NAMES:
        assert getattr(agentctx, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agentctx.nothing


def test_version() -> None:
    assert agentctx.__version__ == PROJECT["project"]["version"]


def _name(value: Callable[..., Any] | str) -> str:
    return value[:40] if isinstance(value, str) else value.__qualname__


@pytest.mark.parametrize(("function", "wanted"), SIGNATURES.items(), ids=_name)
def test_signatures(function: Callable[..., Any], wanted: str) -> None:
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    ]
    assert str(inspect.Signature(parameters)) == f"({wanted})"


def test_observation() -> None:
    found = {}
    for field in dataclasses.fields(Observation):
        if field.init:
            assert field.kw_only
            made = field.default_factory is not dataclasses.MISSING
            found[field.name] = "made" if made else field.default
    assert found == OBSERVATION
    with pytest.raises(dataclasses.FrozenInstanceError):
        Observation().text = "other"  # type: ignore[misc]


def test_hit_has_the_observation_at_hand() -> None:
    observation = Observation(text="pump A stopped", session="shift", source="radio")
    hit = Hit(observation, 0.5)
    assert (hit.id, hit.score, hit.why) == (observation.id, 0.5, ())
    for name in SHORTCUTS:
        assert getattr(hit, name) == getattr(observation, name)


def test_commands() -> None:
    assert sorted(cli.commands) == COMMANDS


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - GROUPS))
def test_command_options(name: str) -> None:
    command = cli.commands[name]
    options = {text for parameter in command.params for text in parameter.opts}
    assert "--json" in options
    assert ("--memory" in options) == (name not in WITHOUT_MEMORY)
    assert command.help, "a command says what it does"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.name in {"since", "until", "session", "source"} | {
                "limit",
                "max_tokens",
            }
