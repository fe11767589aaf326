"""Pictures of every mode and shape, drawn, as files and as observations."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from agentctx import Media, Observation


def drawn(width: int, height: int, seed: int) -> Image.Image:
    """A few shapes in colours of their own over a gradient."""
    random = np.random.default_rng(seed)
    slope = np.linspace(0, 255, width * height * 3).reshape(height, width, 3)
    image = Image.fromarray(np.roll(slope, seed, axis=2).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = random.integers(0, width), random.integers(0, height)
        box = (x, y, x + int(width * 0.4) + 1, y + int(height * 0.4) + 1)
        draw.ellipse(box, fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def pictures() -> Mapping[str, Image.Image]:
    """By what is special about each; all are RGB once they are read, as `reference` tells."""
    alpha = drawn(60, 45, 5).convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(alpha.size))
    return {
        "square": drawn(64, 64, 1),
        "odd": drawn(101, 67, 2),
        "wide": drawn(211, 33, 3),
        "high": drawn(37, 190, 4),
        "small": drawn(9, 13, 7),
        "grey": drawn(80, 57, 8).convert("L"),
        "one bit": drawn(64, 40, 9).convert("1"),
        "palette": drawn(90, 71, 10).quantize(16),
        "alpha": alpha,
    }


def reference(image: Image.Image) -> Image.Image:
    """What a library is given: RGB, over white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def observation(image: Image.Image, modality: str = "screenshot", **more: str) -> Observation:
    """The picture as it is after a plugin has observed its file, without a loss."""
    out = BytesIO()
    image.save(out, "PNG")
    media = Media.of_bytes("original", "image/png", out.getvalue())
    return Observation(modality=modality, media=(media,), **more)
