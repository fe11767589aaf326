"""The corpus: which files there are, the same ones for the same seed."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePath

from corpus_parts import lies, mutations, pictures, sounds, texts
from corpus_parts.lies import Make

SEED = 20260314


@dataclass(frozen=True)
class Case:
    """One file of the corpus; made when it is asked for."""

    name: str
    make: Make = field(repr=False)

    def write(self, directory: Path) -> Path:
        """Make the file."""
        path = directory / self.name
        path.write_bytes(self.make())
        return path


def good() -> Mapping[str, Make]:
    """What makes each good file, by its name: every supported format."""
    return {**texts.makers(), **pictures.makers(), **sounds.makers()}


@cache
def _good_bytes(name: str) -> bytes:
    return good()[name]()


def cases(seed: int = SEED, each: int = 9) -> list[Case]:
    """All cases: good files as they are, ``each`` mutations of each, disguises, splices, lies."""
    found = [Case(f"good-{name}", lambda name=name: _good_bytes(name)) for name in good()]
    found += _mutated(seed, each)
    found += _exchanged(seed)
    found += [Case(f"lie-{name}", make) for name, make in lies.makers().items()]
    return found


def _mutated(seed: int, each: int) -> Iterator[Case]:
    for name in good():
        rounds, rest = divmod(each, len(mutations.MUTATIONS))
        # Seeded by names, so that a new format or mutation leaves the other cases as they are.
        chosen = random.Random(f"{seed} {name}").sample(sorted(mutations.MUTATIONS), rest)
        for number, mutation in enumerate([*sorted(mutations.MUTATIONS) * rounds, *chosen]):
            chance = f"{seed} {name} {mutation} {number}"

            def make(name: str = name, mutation: str = mutation, chance: str = chance) -> bytes:
                mutate = mutations.MUTATIONS[mutation]
                return mutate(_good_bytes(name), random.Random(chance))

            yield Case(f"{mutation}.{number}-{name}", make)


def _exchanged(seed: int) -> Iterator[Case]:
    names = sorted(good())
    for name, suffix in mutations.disguised(names, random.Random(f"{seed} disguised")):
        yield Case(f"disguised-{PurePath(name).name}{suffix}", lambda name=name: _good_bytes(name))
    chance = random.Random(f"{seed} spliced")
    for number in range(len(names) // 2):
        one, other = chance.sample(names, 2)
        cut = f"{seed} {number}"

        def make(one: str = one, other: str = other, cut: str = cut) -> bytes:
            return mutations.spliced(_good_bytes(one), _good_bytes(other), random.Random(cut))

        yield Case(f"spliced-{number}-{one}", make)
