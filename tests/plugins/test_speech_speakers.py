"""Calls with a speaker on each channel: who said what."""

import wave
from pathlib import Path

import numpy as np
import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import ConfigError
from agentctx.plugins.speech import Speech
from agentctx.plugins.speech.audio import RATE
from agentctx.records import Observation
from agentctx.services import SharedServices

from .recognisers import CALLS, sound, word_error_rate

SERVICES = SharedServices(Config())
LEAK, DECISION, _ = CALLS
NAMES = ["control", "operator"]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One speaks on the left; on the right another begins as the first sentence is over."""
    left, right = sound(LEAK), sound(DECISION)
    both = np.zeros((4 * RATE + max(len(left), len(right)), 2), np.float32)
    both[: len(left), 0] = left
    both[4 * RATE :, 1][: len(right)] = right
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((both * 32767).astype("<i2").tobytes())
    return path


def hear(path: Path, *, names: list[str]) -> list[Observation]:
    with path.open("rb") as file:
        return list(Speech(SERVICES, speakers=names).observe(Source(path, file.read(4096))))


def test_each_channel_is_a_speaker(call: Path) -> None:
    """Also where both speak at once."""
    found = hear(call, names=NAMES)
    assert [one.captured_at for one in found] == sorted(one.captured_at for one in found)
    for name, clip, start in (("control", LEAK, 0.0), ("operator", DECISION, 4.0)):
        turns = [one for one in found if one.attributes["speaker"] == name]
        said = " ".join(one.text for one in turns)
        assert word_error_rate(CALLS[clip]["text"], said) <= 0.1, said
        first = start + CALLS[clip]["sentences"][0]["start"]
        assert turns[0].attributes["offset"] == pytest.approx(first, abs=0.5)


def test_a_recording_with_other_channels_has_no_speakers(call: Path) -> None:
    found = hear(call, names=["one", "two", "three"])
    assert found
    assert not any("speaker" in one.attributes for one in found)


@pytest.mark.parametrize("names", ["agent", ["agent"]])
def test_names_are_a_list_of_several(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="a name per channel"):
        Speech(SERVICES, speakers=names)
