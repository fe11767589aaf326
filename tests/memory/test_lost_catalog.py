"""A catalog that is gone, while Chroma's files are there: no new memory is begun over them."""

from pathlib import Path

import pytest

from stress_parts import light
from stress_parts.actors import ActorError, Nursery


@pytest.mark.parametrize("left", [None, b""])
def test_a_lost_catalog_is_refused_and_saved_from_chroma(
    left: bytes | None, tmp_path: Path
) -> None:
    catalog = tmp_path / "m" / "catalog.sqlite3"
    with Nursery() as nursery:
        actor = nursery.actor(tmp_path / "m")
        actor.ask("add", owner="a", numbers=list(range(30)))
        actor.ask("settle")
        actor.ask("close")
        catalog.unlink()
        if left is not None:
            catalog.write_bytes(left)
        with pytest.raises(ActorError, match=r"CatalogDamaged.*missing or empty.*agentctx repair"):
            actor.ask("ids")
        report = actor.ask("repair")
        assert report["left"] == []
        wanted = {one.id for one in light.observations("a", range(30))}
        assert set(actor.ask("ids")) == wanted
        actor.kill(family=True)
