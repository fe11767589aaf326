"""What every engine of the speech plugin must hold, on real speech; subclassed for each of them."""

import itertools
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from agentctx.config import Config
from agentctx.contracts import Services, Source
from agentctx.errors import ConfigError
from agentctx.evaluate.metrics import edits, spoken_words
from agentctx.plugins.speech.audio import RATE, read_recording
from agentctx.plugins.speech.pieces import believable
from agentctx.plugins.speech.recogniser import Options, Recogniser, Segment
from agentctx.services import SharedServices

SAMPLES = Path(str(files("agentctx.demo") / "samples"))
CALLS = json.loads((SAMPLES / "transcripts.json").read_text())
CLIP = "2026-03-14T092340Z_operator-radio-handover.ogg"
SAID = CALLS[CLIP]["sentences"]
TEXT = CALLS[CLIP]["text"]
Sound = NDArray[np.float32]


@cache
def sound(name: str = CLIP) -> Sound:
    """A call of the demo, float32 [samples] in -1..1."""
    path = SAMPLES / name
    with path.open("rb") as file:
        recording = read_recording(Source(path, file.read(4096)))
    return recording.channels[0].astype(np.float32) / 32768.0


def text_of(segments: list[Segment]) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def word_error_rate(reference: str, heard: str) -> float:
    """Edits in words over the words of the reference."""
    words = spoken_words(reference.replace("2", "two"))
    return edits(words, spoken_words(heard.replace("2", "two"))) / len(words)


class RecogniserSuite:
    """An engine: words as they were said, when they were said, the same each time."""

    factory: ClassVar[Callable[[Services, Options], Recogniser]]
    # A language that the model does not know, and the numbers that the engine does not know.
    foreign: ClassVar[str] = "de"
    # How far the times of words may be off, in seconds.
    precision: ClassVar[float] = 0.5

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> str | None:
        """What the engine is to load; None is its default."""
        return None

    @pytest.fixture(scope="class")
    @classmethod
    def recogniser(cls, model: str | None) -> Recogniser:
        return cls.make(model=model, threads=2)

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls, recogniser: Recogniser) -> tuple[str, list[Segment]]:
        """The language and the segments of a call."""
        language, segments = recogniser.recognise(sound())
        return language, list(segments)

    @classmethod
    def make(cls, **options: Any) -> Recogniser:
        return cls.factory(SharedServices(Config()), Options(**options))

    def test_it_hears_what_was_said(self, heard: tuple[str, list[Segment]]) -> None:
        language, segments = heard
        assert language == "en"
        assert word_error_rate(TEXT, text_of(segments)) <= 0.1, text_of(segments)

    def test_words_make_the_text_and_have_times(self, heard: tuple[str, list[Segment]]) -> None:
        _, segments = heard
        for one in segments:
            assert "".join(word for word, *_ in one.words).strip() == one.text.strip()
            assert all(0 <= start <= end <= len(sound()) / RATE for _, start, end, _ in one.words)
            assert all(0 < likely <= 1 for *_, likely in one.words)
            assert one.start <= one.end
        starts = [start for one in segments for _, start, _, _ in one.words]
        assert starts == sorted(starts)
        firsts = {"pump": SAID[0]["start"], "please": SAID[1]["start"]}
        found = {w.strip().lower(): start for one in segments for w, start, *_ in one.words[::-1]}
        for word, start in firsts.items():
            assert found[word] == pytest.approx(start, abs=self.precision)

    def test_it_says_how_sure_it_is(self, heard: tuple[str, list[Segment]]) -> None:
        _, segments = heard
        for one in segments:
            assert -1.0 < one.log_probability < 0.0, "these words are clear"
            assert 0.3 < one.compression_ratio < 2.4, "and none goes in circles"

    def test_the_same_sound_gives_the_same_words(
        self, recogniser: Recogniser, heard: tuple[str, list[Segment]]
    ) -> None:
        language, segments = recogniser.recognise(sound())
        assert (language, list(segments)) == heard

    def test_it_goes_on_after_half_a_minute(self, recogniser: Recogniser) -> None:
        """The second call straddles the end of the first window."""
        before = 27.0
        silence = np.zeros(round(before * RATE) - len(sound()), np.float32)
        _, found = recogniser.recognise(np.concatenate([sound(), silence, sound()]))
        segments = list(believable(found))
        assert word_error_rate(f"{TEXT} {TEXT}", text_of(segments)) <= 0.1, text_of(segments)
        for one, other in itertools.pairwise(segments):
            assert one.start <= other.start
        last = [start for one in segments for w, start, *_ in one.words if "please" in w.lower()]
        expected = [SAID[1]["start"], before + SAID[1]["start"]]
        assert last == pytest.approx(expected, abs=2 * self.precision)

    @pytest.mark.parametrize("level", [0.01, 0.3])
    def test_noise_is_not_believed(self, recogniser: Recogniser, level: float) -> None:
        noise = np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32)
        _, found = recogniser.recognise(level * noise)
        assert text_of(list(believable(found))) == ""

    def test_what_cannot_be_used_is_refused(self, model: str | None) -> None:
        wrong: dict[str, dict[str, Any]] = {
            "language": {"language": self.foreign},
            "int3": {"compute_type": "int3"},
            "cuda:7": {"device": "cuda:7"},
            "abacus": {"device": "abacus"},
        }
        for told, options in wrong.items():
            with pytest.raises(ConfigError, match=told):
                self.make(model=model, **options)
