"""A catalog that is gone, while Chroma's files are there: no new memory is begun over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stress_parts import light
from stress_parts.actors import Actor, ActorError, Nursery

REFUSED = r"CatalogDamaged.*missing or empty.*agentctx repair"


@pytest.fixture
def actor(tmp_path: Path) -> Iterator[Actor]:
    with Nursery() as nursery:
        yield nursery.actor(tmp_path / "m")


@pytest.mark.parametrize("left", [None, b""])
def test_a_lost_catalog_is_refused(left: bytes | None, actor: Actor, tmp_path: Path) -> None:
    (tmp_path / "m" / "chroma").mkdir(parents=True)
    if left is not None:
        (tmp_path / "m" / "catalog.sqlite3").write_bytes(left)
    before = sorted(path.name for path in (tmp_path / "m").iterdir())
    with pytest.raises(ActorError, match=REFUSED):
        actor.ask("ids")
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == before


def test_a_lost_catalog_is_saved_from_chroma(actor: Actor, tmp_path: Path) -> None:
    actor.ask("add", owner="a", numbers=list(range(30)))
    actor.ask("settle")
    actor.ask("close")
    (tmp_path / "m" / "catalog.sqlite3").write_bytes(b"")
    with pytest.raises(ActorError, match=REFUSED):
        actor.ask("ids")
    assert actor.ask("repair")["left"] == []
    assert set(actor.ask("ids")) == {one.id for one in light.observations("a", range(30))}
