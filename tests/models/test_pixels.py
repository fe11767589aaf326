"""Pictures are prepared for a model in ONNX as transformers prepares them with Pillow."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agentctx.encoders.clip_pixels import Pixels
from agentctx.errors import ConfigError

SIDES = st.integers(1, 90)
CONFIGS = st.fixed_dictionaries(
    {
        "do_resize": st.booleans(),
        "do_center_crop": st.booleans(),
        "do_normalize": st.booleans(),
        "size": st.one_of(
            st.fixed_dictionaries({"shortest_edge": st.integers(8, 40)}),
            st.fixed_dictionaries({"height": st.integers(8, 40), "width": st.integers(8, 40)}),
        ),
        "crop_size": st.fixed_dictionaries(
            {"height": st.integers(8, 40), "width": st.integers(8, 40)}
        ),
        "resample": st.sampled_from([0, 2, 3]),
    }
)


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, CONFIGS)
def test_the_pixels_of_the_reference(width: int, height: int, config: dict[str, Any]) -> None:
    """Of any shape, larger and smaller than what is cut out."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    noise = np.random.default_rng(width * 91 + height).integers(
        0, 256, (height, width, 3), np.uint8
    )
    image = Image.fromarray(noise)
    wanted = CLIPImageProcessorPil(**config)(images=image, return_tensors="np")["pixel_values"]
    found = Pixels.of(config)([image])
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5


def test_configurations_of_older_models() -> None:
    new = {"size": {"shortest_edge": 30}, "crop_size": {"height": 24, "width": 24}}
    assert Pixels.of({"size": 30, "crop_size": 24}) == Pixels.of(new)
    assert Pixels.of({"feature_extractor_type": "CLIPFeatureExtractor"}) == Pixels.of({})


def test_siglip_scales_to_a_square_and_cuts_nothing() -> None:
    config = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 20, "width": 20}}
    made = Pixels.of({**config, "image_mean": [0.5] * 3, "image_std": [0.5] * 3})
    assert made([Image.new("RGB", (50, 10), "white")]).shape == (1, 3, 20, 20)
    assert (made([Image.new("RGB", (50, 10), "white")]) == 1.0).all()


@pytest.mark.parametrize(
    "config",
    [
        {"image_processor_type": "Siglip2ImageProcessor"},
        {"image_processor_type": "BlipImageProcessor"},
        {"size": {"longest_edge": 30}},
    ],
)
def test_pictures_of_another_make(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Pixels.of(config)
