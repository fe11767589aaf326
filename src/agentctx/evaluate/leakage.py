"""Deletion leakage: is what was forgotten found by any form of search, or in any byte?

A sample of a dataset's observations is forgotten. Before that every form of search is asked for
each of them, to see that it could find it; afterwards again, when none may. Then every byte of
the directory is looked through for what the receipt says was removed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agentctx.app import Memory
from agentctx.records import Observation

_SEED = 20260314
# Observations forgotten of one memory, and of all memories of a dataset.
_PER_MEMORY = 10
_MOST = 50
_LIMIT = 10
_WORDS = 12


@dataclass(frozen=True, slots=True)
class Form:
    """A form of search: of ``asked`` observations, how many it found before, and after."""

    name: str
    asked: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Leakage:
    """What a forget left: ``leaked`` counts the finds of all forms, ``traces`` places in files.

    ``fingerprints`` of what was forgotten were looked for in ``bytes``; ``shared`` are those that
    were not, because what remained has them too. Not all of these are known: screens that look
    alike have parts of their layouts in common, which are counted as traces.
    """

    forgotten: int
    leaked: int
    forms: Sequence[Form]
    fingerprints: int
    shared: int
    traces: int
    opaque: int
    bytes: int

    @property
    def ok(self) -> bool:
        """Whether nothing was left, as far as could be looked."""
        return not (self.leaked or self.traces or self.opaque)


def _found(memory: Memory, query: str | Observation, *, rerank: bool) -> set[str]:
    return {hit.id for hit in memory.search(query, _LIMIT, rerank=rerank)}


def _some(one: Observation) -> str:
    return " ".join(one.text.split()[:_WORDS])


def _moments(memory: Memory, one: Observation) -> set[str]:
    found = memory.moments(_some(one))
    return {hit.id for moment in found for hit in moment.hits} | {
        other.id for moment in found for other in moment.companions
    }


FORMS: Mapping[str, Callable[[Memory, Observation], set[str]]] = {
    "its words": lambda memory, one: _found(memory, _some(one), rerank=True),
    "its words, no rerank": lambda memory, one: _found(memory, _some(one), rerank=False),
    "a quotation": lambda memory, one: _found(memory, f'"{_some(one)}"', rerank=True),
    "by example": lambda memory, one: _found(memory, one, rerank=True),
    "moments": _moments,
    "context": lambda memory, one: {
        citation.observation.id for citation in memory.context(_some(one)).citations
    },
    "timeline": lambda memory, one: {other.id for other in memory.timeline(session=one.session)},
}


@dataclass(slots=True)
class LeakageProbe:
    """Forgets a sample of every memory of a dataset, and looks for it."""

    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(_SEED))
    _forms: dict[str, list[int]] = field(default_factory=dict)
    _sums: dict[str, int] = field(default_factory=dict)

    def look(self, memory: Memory) -> None:
        """Forget a tenth of a memory, at least one and at most ten, and look for it."""
        everything = [one for one in memory.timeline() if one.text.strip()]
        room = _MOST - self._sums.get("forgotten", 0)
        number = min(max(len(everything) // 10, 1), _PER_MEMORY, room, len(everything))
        if number < 1:
            return
        drawn = sorted(self._random.permutation(len(everything))[:number].tolist())
        sample = [everything[n] for n in drawn]
        before = _finds(memory, sample)
        receipt = memory.forget(ids=[one.id for one in sample])
        after = _finds(memory, sample)
        for name in FORMS:
            counts = self._forms.setdefault(name, [0, 0, 0])
            counts[0] += len(sample)
            counts[1] += before[name]
            counts[2] += after[name]
        report = memory.verify_erased(receipt)
        for name, value in {
            "forgotten": receipt.forgotten,
            "fingerprints": sum(report.sought.values()),
            "shared": sum(report.shared.values()),
            "traces": sum(finding.places for finding in report.findings),
            "opaque": len(report.opaque),
            "bytes": report.bytes,
        }.items():
            self._sums[name] = self._sums.get(name, 0) + value

    def result(self) -> Leakage | None:
        """The figures over all memories; None when there was nothing to forget."""
        if not self._sums:
            return None
        forms = [Form(name, *counts) for name, counts in self._forms.items()]
        return Leakage(leaked=sum(form.after for form in forms), forms=forms, **self._sums)


def _finds(memory: Memory, sample: Sequence[Observation]) -> dict[str, int]:
    return {
        name: sum(one.id in search(memory, one) for one in sample) for name, search in FORMS.items()
    }
