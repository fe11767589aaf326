"""The two encoders of photographs: their contracts, and what their scores say."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agentctx.config import Config
from agentctx.contracts import FittingEncoder, JointEncoder
from agentctx.encoders.pictures import PictureFeatures, Pictures
from agentctx.errors import SourceInvalid
from agentctx.records import Media, Observation, Passage
from agentctx.services import SharedServices
from agentctx.testing.contracts import EncoderContract


def kept(image: Image.Image, modality: str = "picture") -> Observation:
    """An observation with a picture file, and no words."""
    out = BytesIO()
    image.save(out, "PNG")
    return Observation(
        modality=modality, media=(Media.of_bytes("original", "image/png", out.getvalue()),)
    )


class _Looking(EncoderContract):
    @pytest.fixture
    def observations(self, photos: Mapping[str, Image.Image]) -> Sequence[Observation]:
        return [kept(image) for image in photos.values()]

    @pytest.fixture
    def foreign(self, photos: Mapping[str, Image.Image]) -> Sequence[Observation]:
        sound = Media.of_bytes("original", "audio/wav", b"RIFF")
        return [
            Observation(text="a clock"),
            kept(photos["clock"], "screenshot"),
            Observation(modality="picture", text="no file of it"),
            Observation(modality="picture", media=(sound,)),
        ]


class TestPictures(_Looking):
    factory = Pictures
    contract = FittingEncoder


class TestPictureFeatures(_Looking):
    factory = PictureFeatures
    options: ClassVar = {"threads": 1}


@pytest.fixture(scope="module")
def encoder() -> Pictures:
    return Pictures(SharedServices(Config()))


def likeness(encoder: Pictures, words: str, image: Image.Image) -> float:
    one = kept(image)
    row = encoder.encode([Passage(one, 0, "", 0, 0)]).vectors[0]
    return float(row @ encoder.encode_query(Observation(text=words)).vectors[0])


def test_words_and_pictures_share_a_space(
    encoder: Pictures, photos: Mapping[str, Image.Image]
) -> None:
    assert encoder.accepts_query(Observation(text="a spider's web"))
    assert encoder.accepts_query(kept(photos["clock"]))
    assert not encoder.accepts_query(Observation(text=" "))
    assert not encoder.accepts_query(Observation(modality="speech", text="a spider's web"))
    web = {name: likeness(encoder, "a spider's web", image) for name, image in photos.items()}
    assert max(web, key=web.__getitem__) == "spider web"
    assert web["spider web"] > 0.5
    assert max(value for name, value in web.items() if name != "spider web") < 0.2


@pytest.mark.parametrize(
    "words",
    [
        "When did the board approve the budget for the second quarter?",
        "What did Anna say about her brother's wedding?",
        "the password of the router in the office",
        "zxqv blorp",
    ],
)
def test_words_about_something_else_fit_no_picture(
    encoder: Pictures, photos: Mapping[str, Image.Image], words: str
) -> None:
    assert max(likeness(encoder, words, image) for image in photos.values()) < 0.2


@settings(max_examples=30, deadline=None)
@given(words=st.text(min_size=1, max_size=80).filter(str.strip))
def test_any_words_give_a_unit_row_of_likelihoods(words: str) -> None:
    encoder = Pictures(SharedServices(Config()))
    (row,) = encoder.encode_query(Observation(text=words)).vectors
    assert row.shape == (1001,)
    assert row.min() >= 0
    assert float(row @ row) == pytest.approx(1.0, abs=1e-5)


def test_a_fit_is_between_0_and_1(encoder: Pictures) -> None:
    fits = encoder.fit(np.array([-1e-7, 0.0, 0.3, 1.0, 1.0000001], np.float32))
    assert fits.tolist() == pytest.approx([0.0, 0.0, 0.3, 1.0, 1.0])


def test_features_take_no_words() -> None:
    encoder = PictureFeatures(SharedServices(Config()))
    assert not isinstance(encoder, JointEncoder)
    assert not encoder.accepts(Observation(text="a clock"))


def test_a_damaged_file_is_an_error_that_names_it(encoder: Pictures) -> None:
    media = Media.of_bytes("original", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    one = Observation(modality="picture", source="holiday.png", media=(media,))
    with pytest.raises(SourceInvalid, match=r"holiday\.png"):
        encoder.encode([Passage(one, 0, "", 0, 0)])


def test_the_cards_tell_the_spaces_apart(encoder: Pictures) -> None:
    other = PictureFeatures(SharedServices(Config()))
    assert encoder.card.space == "picture"
    assert other.card.space == "picture-features"
    assert encoder.card.digest != other.card.digest
    assert encoder.card.licence == other.card.licence == "Apache-2.0"
