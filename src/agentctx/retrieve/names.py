"""The names that a memory has, for understanding questions."""

import json

from agentctx.memory.forks import Lockable
from agentctx.memory.store import Store
from agentctx.planning import Vocabulary

# Attributes whose values are names that people say.
_NAMED = ("speaker", "app", "channel")


class Names(Lockable):
    """Keeps a `Vocabulary` in step with a memory."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._clear()

    def _clear(self) -> None:
        self._attributes: dict[str, dict[str, None]] = {name: {} for name in _NAMED}
        self._last = 0
        self._state = (0, 0)
        self._vocabulary = Vocabulary()

    def vocabulary(self) -> Vocabulary:
        """The names that there are now."""
        with self._lock:
            forgets = self._store.catalog.forgets()
            ((last,),) = self._store.catalog.query("SELECT coalesce(max(pk), 0) FROM observation")
            if (last, forgets) != self._state:
                if self._state[1] != forgets:
                    self._clear()
                self._read()
                self._state = (last, forgets)
            return self._vocabulary

    def _read(self) -> None:
        for pk, attributes in self._store.catalog.query(
            "SELECT pk, attributes FROM observation WHERE pk > ? AND attributes != '{}' "
            "ORDER BY pk",
            (self._last,),
        ):
            self._last = pk
            had = json.loads(attributes)
            for name, values in self._attributes.items():
                if isinstance(value := had.get(name), str):
                    values[value] = None
        self._vocabulary = Vocabulary(
            sessions=[name for name in self._store.columns.names("session") if name],
            sources=[name for name in self._store.columns.names("source") if name],
            speakers=list(self._attributes["speaker"]),
            apps=list(self._attributes["app"]),
            channels=list(self._attributes["channel"]),
            modalities=self._store.columns.names("modality"),
        )
