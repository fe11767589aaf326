"""What every factory is handed: the weight store and the shared encoders."""

import threading

from agentctx import registry
from agentctx.config import Config
from agentctx.contracts import Encoder, Plugin, Reranker
from agentctx.weights.store import WeightStore


class SharedServices:
    """Makes plugins, encoders and rerankers once each, by a config."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.weights = WeightStore(config.weights, allow_download=config.allow_download)
        self._made: dict[tuple[str, str], object] = {}
        self._lock = threading.RLock()

    def _shared(self, kind: str, name: str) -> object:
        with self._lock:
            if (kind, name) not in self._made:
                options = self.config.options.get(name, {})
                self._made[kind, name] = registry.build(kind, name, self, options)
            return self._made[kind, name]

    def encoder(self, name: str) -> Encoder:
        """The shared encoder of that name."""
        return self._shared("encoders", name)  # type: ignore[return-value]

    def plugin(self, name: str) -> Plugin:
        """The shared plugin of that name."""
        return self._shared("plugins", name)  # type: ignore[return-value]

    def reranker(self, name: str) -> Reranker:
        """The shared reranker of that name."""
        return self._shared("rerankers", name)  # type: ignore[return-value]
