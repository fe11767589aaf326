"""What every plugin, encoder, reranker and watcher must hold, as pytest classes to subclass.

A suite is given the factory that the entry point names, and files or records of your own:

    import pytest
    from agentctx.testing.contracts import PluginContract
    from my_package import Beacon

    class TestBeacon(PluginContract):
        factory = Beacon

        @pytest.fixture
        def sources(self, tmp_path):
            path = tmp_path / "a.beacon"
            path.write_text("harbour light on")
            return [path]

        @pytest.fixture
        def foreign(self, tmp_path):
            path = tmp_path / "a.docx"
            path.write_bytes(b"PK")
            return [path]

        @pytest.fixture
        def damaged(self, tmp_path):
            path = tmp_path / "cut.beacon"
            path.write_bytes(b"")
            return [path]

Each check is a test of its own that says what is wrong. pytest is needed.
"""

from agentctx.testing.contracts.encoder import EncoderContract, TextEncoderContract
from agentctx.testing.contracts.plugin import PluginContract
from agentctx.testing.contracts.reranker import RerankerContract
from agentctx.testing.contracts.watcher import WatcherContract

__all__ = [
    "EncoderContract",
    "PluginContract",
    "RerankerContract",
    "TextEncoderContract",
    "WatcherContract",
]
