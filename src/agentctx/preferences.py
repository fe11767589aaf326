"""What to prefer among what a search finds: named, weighed, and off unless asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from agentctx.errors import ConfigError
from agentctx.records import Attribute, Scalar
from agentctx.values import age

# A tenth of what the best hit scores decides between hits that are about as good.
DEFAULT_WEIGHT = 0.1
_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefer:
    """Who asks, and in which situation: it changes the order of hits, and what is found never.

    ``half_life``: what is recent, half as much after each such time. ``session``: what belongs to
    one of them. ``items``: ids of what was looked at lately, and half as much the rest of their
    sessions. ``attributes``: what has one of the values, such as ``{"app": "Slack", "speaker":
    ("Ann", "Bo")}``; capitals do not matter.

    ``weights``: how much each counts, by its name ("recency", "session", "items", or that of an
    attribute), in parts of the best hit's score: `DEFAULT_WEIGHT` where none is given; 0 is off.
    """

    half_life: timedelta | None = None
    session: str | tuple[str, ...] = ()
    items: str | tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what types alone do not."""
        if self.half_life is not None and self.half_life <= timedelta(0):
            raise ConfigError(f"half_life is {self.half_life}; it must be longer than nothing")
        if taken := sorted({"recency", "session", "items"} & set(self.attributes)):
            raise ConfigError(f"prefer.attributes: {taken[0]!r} is no attribute's name here")
        known = [*self._given(), *(name for name in ("recency",) if self.half_life is None)]
        for name, weight in self.weights.items():
            if name not in known:
                raise ConfigError(
                    f"prefer.weights: nothing is called {name!r}; given: {', '.join(known)}"
                )
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not (number and 0 <= weight <= _MOST):
                raise ConfigError(
                    f"prefer.weights.{name} is {weight!r}; it must be a number in 0..{_MOST}"
                )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Prefer":
        """Preferences from plain data, as TOML gives it; unknown keys raise ConfigError.

        >>> Prefer.from_mapping({"half_life": "2 days", "session": "standup"}).weighed()
        {'recency': 0.1, 'session': 0.1}
        """
        known = sorted(field.name for field in fields(cls))
        if unknown := sorted(set(mapping) - set(known)):
            raise ConfigError(f"unknown in prefer: {', '.join(unknown)}; known: {', '.join(known)}")
        made = {name: _listed(value) for name, value in mapping.items()}
        for name in ("attributes", "weights"):
            if not isinstance(mapping.get(name, {}), Mapping):
                raise ConfigError(f"prefer.{name} is {mapping[name]!r}; it must be a table")
        for name in ("session", "items"):
            if any(not isinstance(one, str) for one in values_of(made.get(name, ()))):
                raise ConfigError(f"prefer.{name} is {mapping[name]!r}; it must be a list of names")
        if "half_life" in made:
            made["half_life"] = age("prefer.half_life", made["half_life"])
        return cls(**made)

    def _given(self) -> list[str]:
        own = {"recency": self.half_life, "session": self.session, "items": self.items}
        return [*(name for name, value in own.items() if value), *self.attributes]

    def weighed(self) -> dict[str, float]:
        """The weights of what is preferred, by its name; what weighs nothing is left out."""
        found = {name: float(self.weights.get(name, DEFAULT_WEIGHT)) for name in self._given()}
        return {name: weight for name, weight in found.items() if weight}


def values_of(given: Attribute) -> tuple[Scalar, ...]:
    """One value, or several, as several."""
    return given if isinstance(given, tuple) else (given,)


def _listed(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {name: _listed(item) for name, item in value.items()}
    return tuple(value) if isinstance(value, list) else value
