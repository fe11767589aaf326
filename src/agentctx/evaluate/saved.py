"""Evaluations as JSON: what is printed, and what is kept to be compared later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from agentctx import render
from agentctx.errors import ConfigError, SourceInvalid
from agentctx.evaluate.datasets.reading import expecting, load
from agentctx.evaluate.metrics import Latency
from agentctx.evaluate.results import Detail, Question
from agentctx.evaluate.run import Evaluation

_KIND = "agentctx evaluation 1"
# Four digits tell questions apart; more would be noise that makes the file a third larger.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Run:
    """A run to be compared: its name, and the detail of every part that has any."""

    name: str
    details: Mapping[str, Detail]


def summary(found: Evaluation) -> dict[str, Any]:
    """An evaluation as plain data, each part under its name, without the detail."""
    parts = {name: _without_detail(render.plain(part)) for name, part in found.parts.items()}
    about = {
        one.name: render.plain(getattr(found, one.name))
        for one in fields(found)
        if one.name != "parts"
    }
    if clash := sorted(set(parts) & set(about)):
        raise ConfigError(f"a folder is called {clash[0]}, which means something else: rename it")
    return {**about, **parts}


def _without_detail(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "detail"}


def run_of(found: Evaluation, name: str) -> Run:
    """An evaluation under a name, ready to be compared."""
    details = {part: getattr(result, "detail", None) for part, result in found.parts.items()}
    return Run(name, {part: one for part, one in details.items() if one is not None})


def save(found: Evaluation, path: Path) -> None:
    """Write an evaluation with the figures of every question; raises ConfigError."""
    details = {part: _rounded(one) for part, one in run_of(found, "").details.items()}
    document = {"kind": _KIND, **summary(found), "details": details}
    try:
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error


def _rounded(detail: Detail) -> dict[str, Any]:
    plain: dict[str, Any] = render.plain(detail)
    plain["values"] = {
        method: {
            metric: [None if one is None else round(one, _DIGITS) for one in values]
            for metric, values in columns.items()
        }
        for method, columns in plain["values"].items()
    }
    return plain


def read(path: Path) -> Run:
    """A run that `save` wrote; raises SourceInvalid when the file is none."""
    data = load(path)
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise SourceInvalid(path, "it is no run of this version; make one with: eval --save")
    with expecting(path, "the figures of a run"):
        return Run(path.name, {name: _detail(one) for name, one in data["details"].items()})


def _detail(data: Mapping[str, Any]) -> Detail:
    questions = [Question(**one) for one in data["questions"]]
    values = {
        method: {metric: _numbers(column, len(questions)) for metric, column in columns.items()}
        for method, columns in data["values"].items()
    }
    if not values:
        raise ValueError("there is no method in it")
    latency = None if data["latency"] is None else Latency(**data["latency"])
    return Detail(str(data["primary"]), questions, values, latency)


def _numbers(column: list[object], length: int) -> list[float | None]:
    if len(column) != length:
        raise ValueError(f"{len(column)} figures for {length} questions")
    return [None if one is None else float(one) for one in column]  # type: ignore[arg-type]
