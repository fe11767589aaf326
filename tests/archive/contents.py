"""What a memory holds, as plain data that can be compared."""

from hashlib import sha256

from agentctx import Memory
from agentctx.memory.store import Store

# Everything but keys, which each memory gives anew; rows in an order that does not depend on them.
_QUERIES = {
    "observations": "SELECT id, modality, text, captured_at, ended_at, duration, session, source, "
    "attributes FROM observation ORDER BY pk",
    "media": "SELECT id, kind, mime, digest, size FROM media "
    "JOIN observation ON observation.pk = observation_pk ORDER BY observation.pk, position",
    "passages": "SELECT id, ordinal, start, stop FROM passage "
    "JOIN observation ON observation.pk = observation_pk ORDER BY observation.pk, ordinal",
    "vectors": "SELECT space.name, card, id, ordinal, vector FROM vector "
    "JOIN space ON space.pk = space_pk JOIN passage ON passage.pk = passage_pk "
    "JOIN observation ON observation.pk = observation_pk "
    "ORDER BY space.name, observation.pk, ordinal",
    "tokens": "SELECT space.name, id, ordinal, matrix FROM token_matrix "
    "JOIN space ON space.pk = space_pk JOIN passage ON passage.pk = passage_pk "
    "JOIN observation ON observation.pk = observation_pk "
    "ORDER BY space.name, observation.pk, ordinal",
    "sources": "SELECT key, id FROM ingested "
    "JOIN observation ON observation.pk = observation_pk ORDER BY key, id",
}


def store_of(memory: Memory) -> Store:
    return memory._store


def contents(memory: Memory) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the catalog by what they are, and the bytes of the media."""
    catalog = store_of(memory).catalog
    found = {
        name: [tuple(map(_short, row)) for row in catalog.query(sql)]
        for name, sql in _QUERIES.items()
    }
    found["files"] = []
    for digest in sorted({row[3] for row in found["media"]}):  # type: ignore[type-var]
        with store_of(memory).media.open(str(digest)) as file:
            found["files"].append((digest, _short(file.read())))
    return found


def _short(value: object) -> object:
    """Long values as their hash: what differs is to be printed."""
    if isinstance(value, bytes) and len(value) > 64:
        return sha256(value).hexdigest()
    return value


def hits(memory: Memory, query: str) -> list[tuple[object, ...]]:
    """What is found, without where this memory keeps the media."""
    return [(hit.id, hit.score, hit.why, hit.passage) for hit in memory.search(query)]


def counts(memory: Memory) -> dict[str, int]:
    return {name: len(rows) for name, rows in contents(memory).items()}
