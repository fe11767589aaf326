"""Whisper by the transformers library, on torch."""

import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Services
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.plugins.speech.audio import RATE
from agentctx.plugins.speech.recogniser import (
    NO_SPEECH,
    Options,
    Segment,
    WordRow,
    check_language,
    torch_device,
    torch_type,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEFAULT = "openai/whisper-tiny.en"
_FILES = ("*.json", "*.txt", "*.safetensors")
_TYPES = ("float32", "float16", "bfloat16")
_WINDOW = 30 * RATE  # what Whisper takes at once


class TransformersWhisper:
    """A Whisper checkpoint of transformers: a directory, or a repository of a hub.

    Its safetensors only, since a pickle could run code; ``generation_config.json`` must name the
    ``alignment_heads``, from which the times of words come. ``compute_type``: float32, float16,
    bfloat16.
    """

    def __init__(self, services: Services, options: Options) -> None:
        library = require("transformers", extra="transformers")
        self._torch = require("torch", extra="transformers")
        self._device = torch_device(self._torch, options.device)
        kind = torch_type(self._torch, options.compute_type, _TYPES)
        name = options.model or _DEFAULT
        directory = Path(name)
        if not directory.is_dir():
            directory = services.weights.repository(name, _FILES)
        model, processor = _load(library, directory, kind)
        self._model = model.to(self._device)
        self._extractor, self._tokenizer = processor.feature_extractor, processor.tokenizer
        languages = getattr(self._model.generation_config, "lang_to_id", None)
        self._codes: dict[int, str] = {
            number: code.strip("<|>") for code, number in (languages or {}).items()
        }
        check_language(options.language, tuple(self._codes.values()) or ("en",), name)
        if options.threads:
            self._torch.set_num_threads(options.threads)
        self._options = options
        self._library = require(
            "transformers.models.whisper.tokenization_whisper", extra="transformers"
        )

    def recognise(self, samples: "NDArray[np.float32]") -> tuple[str, Iterator[Segment]]:
        """The language and the segments, each window of 30 s decoded when it is asked for."""
        language = self._options.language or self._detected(samples)
        return language, self._segments(samples, language)

    def _detected(self, samples: "NDArray[np.float32]") -> str:
        if not self._codes:
            return "en"
        features = self._features(samples[:_WINDOW])
        (found,) = self._model.detect_language(features["input_features"]).tolist()
        return self._codes[found]

    def _features(self, window: "NDArray[np.float32]") -> dict[str, Any]:
        made = self._extractor(
            window, sampling_rate=RATE, return_attention_mask=True, return_tensors="pt"
        )
        features = made["input_features"].to(self._device, self._model.dtype)
        return {
            "input_features": features,
            "attention_mask": made["attention_mask"].to(self._device),
        }

    def _segments(self, samples: "NDArray[np.float32]", language: str) -> Iterator[Segment]:
        start = 0
        while start < len(samples):
            window = samples[start : start + _WINDOW]
            length = len(window) / RATE
            found = self._decoded(window, language)
            likely = [_probabilities(one, found[0]["idxs"][0]) for one in found]
            tokens = [token for one in found for token in one["tokens"].tolist()]
            mean = _mean_log(likely)
            ratio = _compression(self._tokenizer.decode(tokens, skip_special_tokens=True))
            for one, probabilities in zip(found, likely, strict=True):
                words = self._words(one, probabilities, start / RATE, length, language)
                text = "".join(word for word, *_ in words)
                first, last = (
                    start / RATE + min(float(one[key]), length) for key in ("start", "end")
                )
                yield Segment(text, first, last, words, mean, ratio)
            start += self._done(found, len(window))

    def _decoded(self, window: "NDArray[np.float32]", language: str) -> Sequence[Any]:
        told = {"language": language, "task": "transcribe"} if self._codes else {}
        features = self._features(window)
        with self._torch.inference_mode():
            encoded = self._model.get_encoder()(features["input_features"])
            # The library's own threshold fails where it leaves nothing.
            if self._silence(encoded) > NO_SPEECH:
                return ()
            found = self._model.generate(
                **features,
                **told,
                encoder_outputs=encoded,
                num_beams=self._options.beam_size,
                temperature=0.0,
                condition_on_prev_tokens=False,
                return_timestamps=True,
                return_token_timestamps=True,
                return_segments=True,
                force_unique_generate_call=True,  # one window: what it cuts is heard in the next
            )
        segments: Sequence[Any] = found["segments"][0]
        return segments

    def _silence(self, encoded: Any) -> float:  # noqa: ANN401
        """The probability of no speech: that of its token, as the first."""
        settings = self._model.generation_config
        start = self._torch.tensor([[settings.decoder_start_token_id]], device=self._device)
        found = self._model(encoder_outputs=encoded, decoder_input_ids=start, use_cache=False)
        silent = settings.no_timestamps_token_id - 1
        return float(found.logits[0, 0].float().softmax(-1)[silent])

    def _done(self, found: Sequence[Any], samples: int) -> int:
        """How many samples of a window are done with: up to where an unfinished segment begins."""
        times = self._model.generation_config.no_timestamps_token_id + 1
        if found and all(token >= times for token in found[-1]["tokens"][-2:].tolist()):
            return min(round(float(found[-1]["end"]) * RATE), samples) or samples
        return samples

    def _words(
        self,
        segment: Any,  # noqa: ANN401
        likely: Sequence[float],
        start: float,
        length: float,
        language: str,
    ) -> tuple[WordRow, ...]:
        """The words of a segment in a window of that start and length (s)."""
        tokens = segment["tokens"].tolist()
        # The time of a token is told by the step that takes it in and gives the next: its end.
        ends = [start + min(float(time), length) for time in segment["token_timestamps"]]
        begins = [start + min(float(segment["start"]), length), *ends]
        # From the end of the text on, tokens are no text.
        kept = [at for at, token in enumerate(tokens) if token < self._tokenizer.eos_token_id]
        words, _, parts = self._library._combine_tokens_into_words(
            self._tokenizer,
            [tokens[at] for at in kept],
            self._library.LANGUAGES.get(language, language),
        )
        rows = []
        for word, indices in zip(words, parts, strict=True):
            if places := [kept[index] for index in indices]:
                mean = math.fsum(likely[at] for at in places) / len(places)
                begin = begins[places[0]]
                rows.append((word, begin, max(begin, ends[places[-1]]), mean))
        return tuple(rows)


def _probabilities(segment: Any, first: int) -> list[float]:  # noqa: ANN401
    """The probability of each token of a segment; ``first`` is the place of a window's first."""
    scores = segment["result"]["scores"][segment["idxs"][0] - first :]
    return [
        float(row.float().softmax(-1)[token])
        for row, token in zip(scores, segment["tokens"].tolist(), strict=False)
    ]


def _mean_log(probabilities: Sequence[Sequence[float]]) -> float:
    logs = [math.log(max(p, 1e-10)) for row in probabilities for p in row]
    return math.fsum(logs) / len(logs) if logs else 0.0


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def _load(library: Any, directory: Path, kind: Any) -> tuple[Any, Any]:  # noqa: ANN401
    local = {"local_files_only": True}
    try:
        family = library.AutoConfig.from_pretrained(str(directory), **local).model_type
        if family == "whisper":
            model = library.WhisperForConditionalGeneration.from_pretrained(
                str(directory),
                use_safetensors=True,
                dtype=kind,
                attn_implementation="eager",  # the only one that gives its attentions
                **local,
            ).eval()
            processor = library.AutoProcessor.from_pretrained(str(directory), **local)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigError(f"speech: the model in {directory} cannot be used: {error}") from error
    if family != "whisper":
        raise ConfigError(f"speech: {directory} has a model of type {family!r}, not of Whisper's")
    if not getattr(model.generation_config, "alignment_heads", None):
        raise ConfigError(
            f"speech: generation_config.json in {directory} has no alignment_heads, from which the "
            "times of words come; copy it from the model that this one was made of"
        )
    return model, processor
