"""Encoders of an outsider that need no model, so that moving a memory takes no time."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctx import Config, registry

MODULE = '''
from dataclasses import replace
from pathlib import Path
import os
from agentctx.testing.doubles import HashEncoder

class First(HashEncoder):
    """The space "text-hash"."""

class Second(HashEncoder):
    """Another encoder of the same space; it dies where a file says so."""
    @property
    def card(self):
        return replace(super().card, name="second", revision="2", digest="2" * 64)
    def encode(self, passages):
        kill = Path(__file__).with_name("kill")
        if kill.exists() and len(passages) > 1:
            left = int(kill.read_text()) - 1
            kill.write_text(str(left))
            if left < 0:
                os._exit(9)
        found = super().encode(passages)
        return replace(found, vectors=-found.vectors)

class Third(HashEncoder):
    """Of a space of its own, for speech only."""
    @property
    def card(self):
        return replace(super().card, name="third", space="third", digest="3" * 64)
    def accepts(self, observation):
        return observation.modality == "speech"
'''
POINTS = """[agentctx.encoders]
first = outside_encoders:First
second = outside_encoders:Second
third = outside_encoders:Third
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the encoders first, second and third are installed."""
    place = tmp_path_factory.mktemp("outside") / "site"
    metadata = place / "outside_encoders-1.0.dist-info"
    metadata.mkdir(parents=True)
    (place / "outside_encoders.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(POINTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(place)
        registry._entry_points.cache_clear()
        yield place
    registry._entry_points.cache_clear()
    sys.modules.pop("outside_encoders", None)


@pytest.fixture(scope="module")
def config(site: Path) -> Config:
    """A memory whose only encoder is the first."""
    return Config(encoders=("first",), reranker=None)


@pytest.fixture(scope="module")
def own(site: Path) -> Config:
    """The encoders that the memory has."""
    return Config(reranker=None)
