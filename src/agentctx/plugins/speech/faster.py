"""Whisper by faster-whisper: CTranslate2, without torch."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Services
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.plugins.speech.recogniser import NO_SPEECH, Options, Segment, check_language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEFAULT = "whisper-tiny.en"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ("config.json", "model.bin", "preprocessor_config.json", "tokenizer.json", "vocabulary.*")


class FasterWhisper:
    """Models converted for CTranslate2: pinned weights, a directory, or a repository of a hub.

    ``compute_type`` is CTranslate2's; by default int8.
    """

    def __init__(self, services: Services, options: Options) -> None:
        library = require("faster_whisper", extra="whisper")
        name = options.model or _DEFAULT
        directory = _directory(services, name)
        # Without it faster-whisper would ask a model hub over the network.
        if not (directory / "tokenizer.json").is_file():
            raise ConfigError(f"{directory} has no tokenizer.json; copy it from the model's source")
        device, _, number = options.device.partition(":")
        try:
            self._model: Any = library.WhisperModel(
                str(directory),
                device=device,
                device_index=int(number or 0),
                compute_type=options.compute_type or "int8",
                cpu_threads=options.threads or os.cpu_count() or 1,
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"speech: the model in {directory} cannot be used on {options.device}: {error}"
            ) from error
        check_language(options.language, self._model.supported_languages, name)
        self._options = options

    def recognise(self, samples: "NDArray[np.float32]") -> tuple[str, Iterator[Segment]]:
        """The language and the segments, each decoded when it is asked for."""
        segments, info = self._model.transcribe(
            samples,
            language=self._options.language,
            beam_size=self._options.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,
            no_speech_threshold=NO_SPEECH,
            log_prob_threshold=None,
        )
        return info.language, map(_segment, segments)


def _directory(services: Services, name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    if _REPOSITORY.fullmatch(name):
        return services.weights.repository(name, _FILES)
    return services.weights.find(name)


def _segment(found: Any) -> Segment:  # noqa: ANN401
    words = tuple((w.word, w.start, w.end, w.probability) for w in found.words or ())
    return Segment(
        found.text, found.start, found.end, words, found.avg_logprob, found.compression_ratio
    )
