"""The texts that days are made of, which come with the package as TOML."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from agentctx.evaluate.days.records import Channel, Matter, World

_COMMON = "_common"


def texts(name: str) -> Mapping[str, Any]:
    """One of the files of texts by its stem: phrasings, speech, pages, off_topic."""
    return _load("texts", name)


@cache
def worlds() -> tuple[World, ...]:
    """Every place of work, by name."""
    folder = files("agentctx.evaluate.days") / "worlds"
    names = sorted(file.name.removesuffix(".toml") for file in folder.iterdir())
    return tuple(_world(name) for name in names if name != _COMMON)


@cache
def common_matters() -> tuple[Matter, ...]:
    """What people talk about everywhere."""
    return _matters(_load("worlds", _COMMON))


@cache
def _load(folder: str, name: str) -> Mapping[str, Any]:
    file = files("agentctx.evaluate.days") / folder / f"{name}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def _world(name: str) -> World:
    table = dict(_load("worlds", name))
    matters = _matters(table)
    channels = tuple(Channel(**row) for row in table.pop("channels"))
    figures = tuple((row[0], row[1], row[2], row[3]) for row in table.pop("figures"))
    del table["matters"]
    return World(name=name, channels=channels, matters=matters, figures=figures, **table)


def _matters(table: Mapping[str, Any]) -> tuple[Matter, ...]:
    return tuple(Matter(**row) for row in table["matters"])
