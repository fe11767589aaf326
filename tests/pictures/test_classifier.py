"""The network in ONNX against its PyTorch port, and what it makes of pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw

from agentctx.config import Config
from agentctx.errors import ConfigError, WeightsMismatch
from agentctx.records import Media, Observation, Passage
from agentctx.services import SharedServices
from agentctx.vision import efficientnet
from agentctx.vision.classes import classes, coded, vectors
from agentctx.vision.classifier import FILE, WEIGHTS, Classifier, key_of, pixels_of
from agentctx.weights.store import WeightStore
from agentctx.weights.torch_pickle import read_state_dict

# efficientnet_lite_pytorch 0.1.0 on torch 2.14.1, over the picture of `drawn`: some features, the
# length of all 1,280, some logits by their class, and the sum and length of all 1,000.
FEATURES = {2: 1.4597971439361572, 6: 0.012385732494294643, 7: 0.028928527608513832}
FEATURES_LENGTH, FEATURES_ABOVE_0 = 15.96418285369873, 551
LOGITS = {0: -0.08675599843263626, 409: 6.055387496948242, 722: 5.326468467712402,
          723: 6.853597164154053, 892: 7.042435646057129, 999: -0.671349287033081}  # fmt: skip
LOGITS_SUM, LOGITS_LENGTH = -76.37572479248047, 42.05060577392578


def drawn() -> Image.Image:
    """A disc, a rectangle and a line: the picture of the golden values."""
    image = Image.new("RGB", (300, 260), (30, 90, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 30, 220, 210), fill=(250, 180, 20))
    draw.rectangle((150, 120, 280, 250), fill=(20, 140, 60))
    draw.line((0, 0, 300, 260), fill="white", width=7)
    return image


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(WeightStore())


def opened(image: Image.Image) -> Callable[[], Image.Image]:
    return lambda: image


def test_it_computes_what_the_pytorch_port_computes() -> None:
    state = read_state_dict(WeightStore().find(WEIGHTS) / FILE)
    session = onnxruntime.InferenceSession(
        efficientnet.build(state), providers=["CPUExecutionProvider"]
    )
    feed = {"pixels": pixels_of(drawn())[None]}
    features, logits = (rows[0] for rows in session.run(["features", "logits"], feed))
    for place, value in FEATURES.items():
        assert features[place] == pytest.approx(value, abs=1e-4)
    assert np.linalg.norm(features) == pytest.approx(FEATURES_LENGTH, rel=1e-5)
    assert int((features > 0).sum()) == FEATURES_ABOVE_0
    for place, value in LOGITS.items():
        assert logits[place] == pytest.approx(value, abs=1e-4)
    assert float(logits.sum()) == pytest.approx(LOGITS_SUM, abs=1e-2)
    assert np.linalg.norm(logits) == pytest.approx(LOGITS_LENGTH, rel=1e-5)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(KeyError, match="_conv_stem"):
        efficientnet.build({"features.0.weight": np.zeros((3, 3), np.float32)})


def test_the_middle_is_looked_at() -> None:
    """Seven eighths of the shorter side, whatever the shape; what is beside it does not count."""
    image = drawn()
    wide = Image.new("RGB", (420, 260), "red")
    wide.paste(image.crop((20, 0, 280, 260)), (80, 0))
    narrow = image.crop((20, 0, 280, 260))
    assert np.array_equal(pixels_of(wide), pixels_of(narrow))
    black, white = (pixels_of(Image.new("RGB", (9, 9), c)) for c in ("black", "white"))
    assert black.shape == (3, 224, 224)
    assert np.allclose(black, -127 / 128)
    assert np.allclose(white, 1.0)


def test_probabilities_are_of_all_classes(classifier: Classifier) -> None:
    (seen,) = classifier.look([("drawn", opened(drawn()))])
    assert seen.probabilities.shape == (1000,)
    assert float(seen.probabilities.sum()) == pytest.approx(1.0, abs=1e-5)
    assert classes()[int(seen.probabilities.argmax())].name == "wall clock"


def test_a_picture_is_looked_at_once(classifier: Classifier) -> None:
    """By its key, also twice in one call; in order."""
    asked: list[str] = []

    def ask(name: str, image: Image.Image) -> tuple[str, Callable[[], Image.Image]]:
        def come() -> Image.Image:
            asked.append(name)
            return image

        return name, come

    red, blue = Image.new("RGB", (50, 50), "red"), Image.new("RGB", (50, 50), "blue")
    first = classifier.look([ask("red", red), ask("blue", blue), ask("red", red)])
    assert asked == ["red", "blue"]
    again = Classifier(WeightStore(), 1).look([ask("blue", blue), ask("red", red)])
    assert asked == ["red", "blue"]
    assert again == [first[1], first[0]]
    assert first[0] is first[2]
    assert not np.array_equal(first[0].features, first[1].features)


def test_batches_change_nothing(classifier: Classifier) -> None:
    images = [drawn().rotate(turn) for turn in range(0, 90, 10)]
    together = classifier.look([(f"turned {n}", opened(one)) for n, one in enumerate(images)])
    for number, image in enumerate(images):
        (alone,) = classifier.look([(f"alone {number}", opened(image))])
        assert np.allclose(alone.features, together[number].features, atol=1e-4)


def test_no_negative_threads() -> None:
    with pytest.raises(ConfigError, match="threads is -1"):
        Classifier(WeightStore(), -1)


def test_other_weights_under_that_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"something else")
    classifier = Classifier(WeightStore({WEIGHTS: tmp_path}))
    with pytest.raises(WeightsMismatch, match="579344248a93"):
        classifier.look([("one of its own", opened(drawn()))])


def test_keys_tell_pictures_apart() -> None:
    one, two = (Media.of_bytes("original", "image/png", data) for data in (b"1", b"2"))
    small = Media.of_bytes("thumbnail", "image/webp", b"3")
    assert key_of([one]) != key_of([two])
    assert key_of([one, small]) == key_of([small]) == small.digest


def test_there_are_a_thousand_classes_in_the_order_of_the_outputs() -> None:
    names = [one.name for one in classes()]
    assert len(names) == len(set(names)) == efficientnet.CLASSES
    told = {0: "tench", 151: "Chihuahua", 340: "zebra", 517: "crane", 892: "wall clock",
            974: "geyser", 999: "toilet tissue"}  # fmt: skip
    assert {place: names[place] for place in told} == told
    for one in classes():
        assert 2 <= len(one.about.split()) <= 16, one
        assert one.text == f"{one.name}: {one.about}"


def test_their_vectors_are_those_of_their_texts() -> None:
    """`scripts/class_vectors.py` has to be run again when a text has changed."""
    encoder = SharedServices(Config()).encoder("minilm")
    nothing = Observation(text="-")
    some = range(0, 1000, 41)
    texts = [classes()[place].text for place in some]
    rows = encoder.encode([Passage(nothing, 0, text, 0, len(text)) for text in texts]).vectors
    assert vectors().shape == (1000, 384)
    assert not vectors().flags.writeable
    near = (rows * vectors()[list(some)]).sum(axis=1)
    assert near.min() > 0.99, texts[int(near.argmin())]
    assert (rows @ vectors().T).argmax(axis=1).tolist() == list(some)


def test_vectors_are_kept_in_a_byte_a_number() -> None:
    rows = np.random.default_rng(5).standard_normal((20, 384)).astype(np.float32)
    codes = coded(rows)
    assert codes.dtype == np.int8
    kept = codes.astype(np.float32)
    cosines = (
        (kept * rows).sum(axis=1) / np.linalg.norm(kept, axis=1) / np.linalg.norm(rows, axis=1)
    )
    assert cosines.min() > 0.9999
