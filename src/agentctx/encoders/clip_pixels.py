"""From pictures to a model's pixels, as transformers' image processors of CLIP and SigLIP do it.

Their configuration is ``preprocessor_config.json``; what it does not say is as it was for CLIP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
_BICUBIC = 3


@dataclass(frozen=True, slots=True)
class Pixels:
    """How a picture is scaled, cut and normalised.

    ``size``: (height, width) to scale to, or one number for the shorter side; None for neither.
    ``crop``: (height, width) cut out of the middle, filled with black where there is less.
    ``resample`` is Pillow's number; ``factor``, ``mean`` and ``std`` are for values of 0..255.
    """

    size: tuple[int, int] | int | None
    crop: tuple[int, int] | None
    resample: int
    factor: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Pixels":
        """As a configuration says; raises ConfigError for the kinds of another make."""
        kind = str(config.get("image_processor_type", "CLIPImageProcessor"))
        if not kind.startswith(("CLIP", "Siglip")) or kind.startswith("Siglip2"):
            raise ConfigError(f"pictures for a {kind} cannot be prepared; use clip-transformers")
        crops = config.get("do_center_crop", kind.startswith("CLIP"))
        normal = config.get("do_normalize", True)
        return cls(
            size=_size(config.get("size", 224)) if config.get("do_resize", True) else None,
            crop=_square(config.get("crop_size", 224)) if crops else None,
            resample=int(config.get("resample", _BICUBIC)),
            factor=float(config.get("rescale_factor", 1 / 255)),
            mean=tuple(config.get("image_mean", _MEAN)) if normal else (0.0, 0.0, 0.0),
            std=tuple(config.get("image_std", _STD)) if normal else (1.0, 1.0, 1.0),
        )

    def __call__(self, images: Sequence["Image"]) -> NDArray[np.float32]:
        """RGB pictures as float32 [n, 3, height, width]."""
        cut = np.stack([self._cut(np.asarray(self._scaled(image))) for image in images])
        scaled = (cut.astype(np.float32) * np.float32(self.factor) - self._row(self.mean)) / (
            self._row(self.std)
        )
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))

    def _scaled(self, image: "Image") -> "Image":
        if self.size is None:
            return image
        if isinstance(self.size, tuple):
            height, width = self.size
        else:
            # The longer side is cut down to a whole number, not rounded.
            short, long = sorted(image.size)
            longer = int(self.size * long / short)
            wide = image.width > image.height
            height, width = (self.size, longer) if wide else (longer, self.size)
        return image.resize((width, height), self.resample)

    def _cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.crop is None:
            return pixels
        missing = [max(0, want - has) for want, has in zip(self.crop, pixels.shape, strict=False)]
        if any(missing):
            edges = [((n + 1) // 2, n // 2) for n in missing]
            pixels = np.pad(pixels, (*edges, (0, 0)))
        top, left = ((has - want) // 2 for want, has in zip(self.crop, pixels.shape, strict=False))
        return pixels[top : top + self.crop[0], left : left + self.crop[1]]

    @staticmethod
    def _row(values: tuple[float, ...]) -> NDArray[np.float32]:
        return np.array(values, np.float32)


def _size(given: object) -> tuple[int, int] | int:
    if isinstance(given, Mapping) and "shortest_edge" in given:
        return int(given["shortest_edge"])
    return given if isinstance(given, int) else _square(given)


def _square(given: object) -> tuple[int, int]:
    if isinstance(given, int):
        return given, given
    if isinstance(given, Mapping) and {"height", "width"} <= set(given):
        return int(given["height"]), int(given["width"])
    raise ConfigError(f"the size {given!r} of a preprocessor_config.json is not understood")
