"""Whisper by OpenAI's own package, on torch."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentctx.contracts import Services
from agentctx.errors import ConfigError, WeightsMismatch, WeightsNotFound
from agentctx.extras import require
from agentctx.plugins.speech.recogniser import (
    NO_SPEECH,
    Options,
    Segment,
    check_language,
    torch_device,
    torch_type,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEFAULT = "tiny.en"
_CACHE = Path("~/.cache/whisper")  # where the package itself puts what it downloads
_TYPES = ("float32", "float16")


class OpenAIWhisper:
    """A checkpoint of openai-whisper: a ``.pt`` file, or the package's name of one, such as "base".

    A name is looked up where the package keeps what it has downloaded, and the file held to the
    digest that it knows; nothing is downloaded from here. ``compute_type``: float32, or float16 on
    a GPU.
    """

    def __init__(self, services: Services, options: Options) -> None:
        del services  # nothing of this format is pinned, or on a hub
        library = require("whisper", extra="openai-whisper")
        torch = require("torch", extra="openai-whisper")
        device = torch_device(torch, options.device)
        self._half = torch_type(torch, options.compute_type, _TYPES) is torch.float16
        if self._half and device.type == "cpu":
            raise ConfigError("speech: openai-whisper takes float16 on a GPU only; use float32")
        name = options.model or _DEFAULT
        self._model: Any = _load(library, name, device)
        known = library.tokenizer.LANGUAGES if self._model.is_multilingual else ("en",)
        check_language(options.language, known, name)
        if options.threads:
            torch.set_num_threads(options.threads)
        self._options = options

    def recognise(self, samples: "NDArray[np.float32]") -> tuple[str, Iterator[Segment]]:
        """The language and the segments; all of the sound is decoded at once."""
        found = self._model.transcribe(
            samples,
            language=self._options.language,
            beam_size=self._options.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=0.0,
            no_speech_threshold=NO_SPEECH,
            logprob_threshold=None,
            fp16=self._half,
        )
        return found["language"], map(_segment, found["segments"])


def _load(library: Any, name: str, device: Any) -> Any:  # noqa: ANN401
    path = Path(name).expanduser()
    known = library._MODELS.get(name)
    if not path.is_file() and known is not None:
        path = _cached(name, known)
    if not path.is_file():
        names = ", ".join(library.available_models())
        raise WeightsNotFound(name, [f"a file called {name}", f"the names of the package: {names}"],
                              "a .pt file of openai-whisper, or one of these names")  # fmt: skip
    try:
        model = library.load_model(str(path), device=device)
        # By a path, the package does not look up which of its heads tell the times of words.
        heads = library._ALIGNMENT_HEADS.get(path.stem)
        if heads is not None:
            model.set_alignment_heads(heads)
    except Exception as error:  # what torch raises for a file that is no checkpoint has no base
        raise ConfigError(f"speech: the model in {path} cannot be used: {error}") from error
    return model


def _cached(name: str, address: str) -> Path:
    """The file of a model by its name, verified; its digest is a part of its address."""
    *_, pinned, file = address.split("/")
    path = _CACHE.expanduser() / file
    if not path.is_file():
        raise WeightsNotFound(
            name,
            [f"a file called {name}", f"the cache of openai-whisper: {path}"],
            f"python -c \"import whisper; whisper.load_model('{name}')\"",
        )
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != pinned:
        raise WeightsMismatch(
            f"{path} has sha256 {found}, but openai-whisper's {name!r} is {pinned}; it is not "
            "loaded. Remove it, and download it again"
        )
    return path


def _segment(found: Any) -> Segment:  # noqa: ANN401
    # Some of the numbers are NumPy's.
    words = tuple(
        (w["word"], float(w["start"]), float(w["end"]), float(w["probability"]))
        for w in found["words"]
    )
    return Segment(
        found["text"],
        float(found["start"]),
        float(found["end"]),
        words,
        float(found["avg_logprob"]),
        float(found["compression_ratio"]),
    )
