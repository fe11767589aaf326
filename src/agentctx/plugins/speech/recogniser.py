"""What a speech recogniser must be, whatever library it runs; and what all of them check alike."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agentctx.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A window of sound in which nobody speaks, by Whisper's own probability, is dropped however likely
# its words seem: those that it makes up are the likeliest. docs/architecture.md measures it.
NO_SPEECH = 0.6

# A word with the white space before it, its start and end in seconds, and its probability.
WordRow = tuple[str, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a recogniser. None is its own default.

    ``device``: "cpu", "cuda", "cuda:1", "mps", or "auto". ``compute_type``: the numbers that it
    calculates with, such as "int8" or "float16". ``threads``: 0 is all cores.
    """

    model: str | None = None
    language: str | None = None
    device: str = "cpu"
    compute_type: str | None = None
    beam_size: int = 5
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """What was recognised in one go, in seconds from the start of the sound it was given.

    ``words`` is empty where they could not be aligned. ``log_probability`` is the mean over the
    tokens, ``compression_ratio`` how much zlib makes of the text: much, where it goes in circles.
    """

    text: str
    start: float
    end: float
    words: tuple[WordRow, ...]
    log_probability: float
    compression_ratio: float


class Recogniser(Protocol):
    """Turns sound into segments. Making one loads its model, and checks its options.

    The same sound gives the same words: nothing is sampled. Windows that hold no speech give no
    segment (see `NO_SPEECH`), and no segment depends on the words of the one before.
    """

    def recognise(self, samples: "NDArray[np.float32]") -> tuple[str, Iterator[Segment]]:
        """The language (a code such as "en") and the segments, in order of time.

        ``samples``: float32 [n] in -1..1, mono, at 16 kHz; never empty.
        """
        ...


def check_language(language: str | None, known: Collection[str], model: str) -> None:
    """Raise ConfigError for a language that a model does not know."""
    if language is not None and language not in known:
        raise ConfigError(
            f"speech: {model} does not know the language {language!r}; name another model, or one "
            "of " + ", ".join(known)
        )


def torch_device(torch: Any, name: str) -> Any:  # noqa: ANN401
    """The ``torch.device`` of that name; raises ConfigError for one that is not there."""
    if name == "auto":
        mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    try:
        return torch.zeros(1, device=name).device
    # What torch raises for a device that it was not built for has no common base.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"speech: the device {name!r} cannot be used: {reason}") from error


def torch_type(torch: Any, name: str | None, known: Collection[str]) -> Any:  # noqa: ANN401
    """The ``torch.dtype`` of that name, float32 for None; raises ConfigError for an unknown one."""
    name = name or "float32"
    if name not in known:
        raise ConfigError(f"speech: compute_type is {name!r}; this engine knows {', '.join(known)}")
    return getattr(torch, name)
