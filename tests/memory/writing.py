"""Writing to a catalog as a store does, without its media and index."""

from collections.abc import Mapping, Sequence

from agentctx.memory import entries, forgetting, spaces
from agentctx.memory.catalog import Catalog
from agentctx.memory.cutting import Span
from agentctx.memory.entries import Entry
from agentctx.records import EncoderCard, Media


def register(catalog: Catalog, card: EncoderCard) -> int:
    """The key of the card's space."""
    with catalog.transaction() as db:
        return spaces.register(db, card)


def add(catalog: Catalog, new: Sequence[Entry], finished: Mapping[str, Sequence[str]]) -> set[str]:
    """Insert entries into the active spaces; gives the ids that are new."""
    keys = dict(catalog.query("SELECT name, pk FROM space WHERE status = 'active'"))
    with catalog.transaction() as db:
        return entries.insert(db, new, finished, keys)


def remove(catalog: Catalog, pks: Sequence[int], rule: str) -> list[str]:
    """Delete observations; gives the digests that no other one needs."""

    def replace(digest: str, spans: Sequence[Span]) -> Media | None:
        raise AssertionError(f"{digest} holds no readings ({spans})")

    with catalog.transaction() as db:
        forgetting.remove(db, pks, "forget", rule, replace)
    unused = "SELECT digest FROM doomed WHERE digest NOT IN (SELECT digest FROM media) ORDER BY 1"
    found = [digest for (digest,) in catalog.query(unused)]
    with catalog.transaction() as db:
        db.execute("DELETE FROM doomed")
    return found
