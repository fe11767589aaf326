"""The engines of the speech plugin: which there are, what each needs, and the default one at work.

Those on torch are tested in ``tests/models``.
"""

import sys
from pathlib import Path

import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import ConfigError, MissingExtra, WeightsError, WeightsNotFound
from agentctx.plugins.speech import ENGINES, Speech
from agentctx.plugins.speech.faster import FasterWhisper
from agentctx.plugins.speech.recogniser import Options
from agentctx.services import SharedServices
from agentctx.weights.store import WeightStore

from .recognisers import CLIP, SAMPLES, RecogniserSuite

SERVICES = SharedServices(Config())


class TestFasterWhisper(RecogniserSuite):
    factory = FasterWhisper

    def test_a_directory_is_as_good_as_a_name(self) -> None:
        self.make(model=str(WeightStore().find("whisper-tiny.en")))

    def test_a_model_of_a_hub_is_not_fetched_unasked(self) -> None:
        with pytest.raises(WeightsNotFound, match="hf download nobody/whisper-imagined"):
            self.make(model="nobody/whisper-imagined")

    def test_a_model_without_its_tokenizer_is_refused(self, tmp_path: Path) -> None:
        found = WeightStore().find("whisper-tiny.en")
        for name in ("config.json", "model.bin", "vocabulary.txt"):
            (tmp_path / name).symlink_to(found / name)
        with pytest.raises(ConfigError, match=r"no tokenizer\.json"):
            self.make(model=str(tmp_path))

    def test_a_damaged_model_is_refused(self, tmp_path: Path) -> None:
        found = WeightStore().find("whisper-tiny.en")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (tmp_path / name).symlink_to(found / name)
        (tmp_path / "model.bin").write_bytes((found / "model.bin").read_bytes()[:1000])
        with pytest.raises(ConfigError, match="cannot be used"):
            self.make(model=str(tmp_path))


@pytest.mark.parametrize(
    ("engine", "module", "extra"),
    [
        ("faster-whisper", "faster_whisper", "whisper"),
        ("openai-whisper", "whisper", "openai-whisper"),
        ("transformers", "transformers", "transformers"),
    ],
)
def test_a_missing_extra_is_named(
    engine: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"agentctx\[{extra}\]"):
        ENGINES[engine](SERVICES, Options())


def test_an_engine_is_chosen_by_its_name() -> None:
    with pytest.raises(ConfigError, match="faster-whisper, openai-whisper, transformers"):
        Speech(SERVICES, engine="whisper")


def test_a_model_is_loaded_by_the_first_recording_only(tmp_path: Path) -> None:
    speech = Speech(SERVICES, model=tmp_path / "absent")
    path = SAMPLES / CLIP
    with path.open("rb") as file:
        source = Source(path, file.read(4096))
    assert speech.accepts(source)
    with pytest.raises(WeightsError, match="absent"):
        list(speech.observe(source))
