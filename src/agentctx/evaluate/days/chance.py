"""Chance that can be repeated: generators by name."""

from random import Random


def seeded(name: str) -> Random:
    """A generator that gives the same numbers for the same name, on any machine."""
    return Random(name)  # noqa: S311
