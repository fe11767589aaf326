"""What the joint spaces that run on torch have in common: where they run, and in which numbers."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agentctx.contracts import Services
from agentctx.encoders.joint import JointSpace, Rows
from agentctx.errors import ConfigError

_DTYPES = ("float32", "float16", "bfloat16")


class TorchSpace(JointSpace):
    """A `JointSpace` on torch.

    ``device``: what torch calls it ("cpu", "cuda", "cuda:1", "mps"); "auto" is the best there is.
    ``dtype``: float32, float16 or bfloat16, which halve the memory and are meant for GPUs.
    """

    def __init__(
        self,
        services: Services,
        family: str,
        model: str | Path,
        revision: str,
        device: str,
        dtype: str,
        batch: int,
        templates: Sequence[str],
        logit: Sequence[float] | None,
    ) -> None:
        super().__init__(services, family, model, revision, batch, templates, logit)
        if dtype not in _DTYPES:
            raise ConfigError(f"dtype is {dtype!r}; it must be one of {', '.join(_DTYPES)}")
        self._wanted = device
        self._dtype = dtype

    @abstractmethod
    def _torch(self) -> Any:  # noqa: ANN401
        """The module; raises MissingExtra with the extra that brings it."""

    def _device(self) -> str:
        """What ``device`` means here; raises ConfigError when there is no such device."""
        torch = self._torch()
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if self._wanted == "auto":
            return next((name for name, here in there.items() if here), "cpu")
        if not there.get(self._wanted.partition(":")[0], True):
            raise ConfigError(f"device is {self._wanted!r}, but torch has none here; try 'auto'")
        return self._wanted

    def _rows(self, give: Callable[[], Any]) -> Rows:
        """A tensor [n, dimension] that ``give`` computes, as an array; nothing is kept for it."""
        torch = self._torch()
        with torch.inference_mode():
            found: Rows = give().float().cpu().numpy()
        return found


def logit_of(model: Any) -> tuple[float, float] | None:  # noqa: ANN401
    """The scale and bias of a model that was trained with a sigmoid, as SigLIP; else None."""
    bias = getattr(model, "logit_bias", None)
    return None if bias is None else (float(model.logit_scale.detach().exp()), float(bias.detach()))


def projected(config: Any) -> int:  # noqa: ANN401
    """The width of the space that a configuration of transformers tells of."""
    width = getattr(config, "projection_dim", None) or getattr(
        getattr(config, "vision_config", None), "hidden_size", None
    )
    if width is None:
        raise ConfigError(f"a {config.model_type} has no tower for pictures; it is no joint model")
    return int(width)
