"""The engines for speech that run on torch, with the weights of the default stack converted.

The same weights in three libraries must hear the same words.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from agentctx.config import Config
from agentctx.contracts import Source
from agentctx.errors import ConfigError, WeightsMismatch, WeightsNotFound
from agentctx.plugins.speech import Speech
from agentctx.plugins.speech.faster import FasterWhisper
from agentctx.plugins.speech.openai_whisper import OpenAIWhisper
from agentctx.plugins.speech.recogniser import Options, Recogniser
from agentctx.plugins.speech.transformers_whisper import TransformersWhisper
from agentctx.plugins.speech.voice import recognised
from agentctx.services import SharedServices
from agentctx.weights.store import WeightStore

from ..plugins.recognisers import (  # noqa: TID252 - no package: absolute imports find none
    CALLS,
    CLIP,
    SAMPLES,
    RecogniserSuite,
    sound,
    text_of,
    word_error_rate,
)

# openai-whisper leaves a file of its own open.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SERVICES = SharedServices(Config())
# Greedy, so that all three decode alike: their beam searches differ in how they end.
GREEDY = 1


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory, _on_torch: None) -> Path:
    """tiny.en as openai-whisper and as transformers take it."""
    if find_spec("whisper") is None:
        pytest.skip("needs openai-whisper and torch: pip install 'agentctx[openai-whisper]'")
    from whisper_weights import save_openai, save_transformers

    folder = tmp_path_factory.mktemp("whisper")
    model = WeightStore().find("whisper-tiny.en")
    save_openai(model, folder / "tiny.en.pt")
    save_transformers(model, folder / "transformers")
    return folder


class TestOpenAIWhisper(RecogniserSuite):
    factory = OpenAIWhisper

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, converted: Path) -> str:
        return str(converted / "tiny.en.pt")

    def test_a_name_is_looked_up_and_not_downloaded(
        self, converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(WeightsNotFound, match=r"whisper\.load_model\('tiny\.en'\)"):
            self.make()
        with pytest.raises(WeightsNotFound, match="large-v3"):
            self.make(model="imagined")
        cache = tmp_path / ".cache" / "whisper"
        cache.mkdir(parents=True)
        # Float16 made float32 is not the file that OpenAI published.
        (cache / "tiny.en.pt").symlink_to(converted / "tiny.en.pt")
        with pytest.raises(WeightsMismatch, match="sha256"):
            self.make(model="tiny.en")

    def test_a_file_that_is_no_checkpoint_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.pt").write_bytes(b"PK no checkpoint")
        with pytest.raises(ConfigError, match="cannot be used"):
            self.make(model=str(tmp_path / "a.pt"))

    def test_half_precision_needs_a_gpu(self, model: str) -> None:
        with pytest.raises(ConfigError, match="float16 on a GPU only"):
            self.make(model=model, compute_type="float16")


class TestTransformersWhisper(RecogniserSuite):
    factory = TransformersWhisper

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, converted: Path) -> str:
        return str(converted / "transformers")

    def test_bfloat16_hears_the_same(self, model: str, heard: tuple[str, list[object]]) -> None:
        made = self.make(model=model, compute_type="bfloat16", threads=2)
        _, segments = made.recognise(sound())
        assert word_error_rate(text_of(list(heard[1])), text_of(list(segments))) <= 0.1  # type: ignore[arg-type]

    def test_a_model_of_a_hub_is_not_fetched_unasked(self) -> None:
        with pytest.raises(WeightsNotFound, match=r"hf download openai/whisper-tiny\.en"):
            self.make()

    def test_other_models_are_refused(self, converted: Path, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
        with pytest.raises(ConfigError, match="'bert', not of Whisper's"):
            self.make(model=str(tmp_path))
        (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
        with pytest.raises(ConfigError, match="cannot be used"):
            self.make(model=str(tmp_path))

    def test_a_model_that_cannot_align_is_refused(self, converted: Path, tmp_path: Path) -> None:
        for path in (converted / "transformers").iterdir():
            (tmp_path / path.name).symlink_to(path)
        (tmp_path / "generation_config.json").unlink()
        with pytest.raises(ConfigError, match="alignment_heads"):
            self.make(model=str(tmp_path))


@pytest.fixture(scope="session")
def recognisers(converted: Path) -> dict[str, Recogniser]:
    """The three engines with the same weights, as exactly as each calculates."""

    def options(model: Path | None = None) -> Options:
        name = None if model is None else str(model)
        return Options(model=name, compute_type="float32", beam_size=GREEDY, threads=2)

    return {
        "faster-whisper": FasterWhisper(SERVICES, options()),
        "openai-whisper": OpenAIWhisper(SERVICES, options(converted / "tiny.en.pt")),
        "transformers": TransformersWhisper(SERVICES, options(converted / "transformers")),
    }


def words(recogniser: Recogniser) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """The text of each call of the demo, and its words with when they begin."""
    for name in CALLS:
        _, found = recognised(recogniser, sound(name), vad=True)
        segments = list(found)
        yield text_of(segments), [(w, start) for one in segments for w, start, *_ in one.words]


@pytest.mark.parametrize(("engine", "apart"), [("openai-whisper", 0.05), ("transformers", 0.6)])
def test_the_same_weights_hear_the_same_words(
    recognisers: dict[str, Recogniser], engine: str, apart: float
) -> None:
    """Word for word, at times that differ by ``apart`` seconds at most.

    transformers takes its times from the attention while it decodes, the others from a second pass
    over the words alone; and it may write a name with a small letter.
    """
    pairs = zip(words(recognisers["faster-whisper"]), words(recognisers[engine]), strict=True)
    for (expected, first), (found, other) in pairs:
        assert word_error_rate(expected, found) == 0.0, f"{expected!r} is {found!r}"
        differ = [abs(one - two) for (_, one), (_, two) in zip(first, other, strict=True)]
        assert sum(differ) / len(differ) < 0.05
        assert max(differ) < apart


@pytest.mark.parametrize(
    ("engine", "model"), [("openai-whisper", "tiny.en.pt"), ("transformers", "transformers")]
)
def test_the_plugin_makes_utterances_of_what_any_engine_hears(
    converted: Path, engine: str, model: str
) -> None:
    speech = Speech(SERVICES, engine=engine, model=converted / model, threads=2)
    call, path = CALLS[CLIP], SAMPLES / CLIP
    with path.open("rb") as file:
        found = list(speech.observe(Source(path, file.read(4096))))
    assert word_error_rate(call["text"], " ".join(one.text for one in found)) <= 0.05
    # Where no full stop was heard, sentences are one utterance.
    assert found[0].attributes["offset"] == pytest.approx(call["sentences"][0]["start"], abs=0.5)
    ended = found[-1].ended_at - found[0].captured_at
    said = call["sentences"][-1]["end"] - call["sentences"][0]["start"]
    assert ended.total_seconds() == pytest.approx(said, abs=1.0)
    for one in found:
        assert one.attributes["language"] == "en"
        assert 0.4 < one.attributes["confidence"] <= 1  # type: ignore[operator]
        assert {media.kind for media in one.media} == {"original", "words", "waveform"}
