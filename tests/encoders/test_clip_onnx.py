"""CLIP in ONNX, without torch: the vectors of the reference, and a memory searched with them.

``tiny_clip`` holds a model with random weights and what transformers makes of some pictures and
texts, both written by ``scripts/bench/joint.py --tiny``. The larger comparison is in tests/models.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agentctx import Config, Memory, Observation
from agentctx.contracts import QUERY_WEIGHT, Encoder, JointEncoder
from agentctx.records import Media, Passage
from agentctx.services import SharedServices

TINY = Path(__file__).parent / "tiny_clip"
GOLDEN = json.loads((TINY / "golden.json").read_text("utf-8"))


def picture(name: str, modality: str = "screenshot") -> Observation:
    original = Media.of_file("original", "image/png", TINY / name)
    return Observation(modality=modality, source=name, media=(original,))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    options = {"clip-onnx": {"model": str(TINY), "templates": ["{}"], "batch": 3}}
    return SharedServices(Config(options=options)).encoder("clip-onnx")


def test_pictures(encoder: Encoder) -> None:
    passages = [Passage(picture(name), 0, "", 0, 0) for name in GOLDEN["pictures"]]
    found = encoder.encode(passages).vectors
    wanted = np.array(list(GOLDEN["pictures"].values()))
    assert ((found * wanted).sum(axis=1) >= 0.9999).all()
    assert (wanted @ wanted.T - np.eye(len(wanted))).max() < 0.999


@pytest.mark.parametrize("text", GOLDEN["texts"])
def test_texts(text: str, encoder: Encoder) -> None:
    found = encoder.encode_query(Observation(text=text)).vectors[0]
    assert float(found @ np.array(GOLDEN["texts"][text])) >= 0.9999


def test_it_is_a_joint_space(encoder: Encoder) -> None:
    assert isinstance(encoder, JointEncoder)
    assert encoder.accepts_query(Observation(text="a pump"))
    assert not encoder.accepts(Observation(text="a pump"))
    assert encoder.card.dimension == len(next(iter(GOLDEN["texts"].values())))


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    config = Config(
        encoders=("minilm", "clip-onnx"),
        options={"clip-onnx": {"model": str(TINY), "logit": [0.0, 5.0]}},
    )
    with Memory.open(tmp_path_factory.mktemp("memory") / "memory", config) as memory:
        memory.add([picture(name) for name in GOLDEN["pictures"]])
        memory.add(Observation(text="The pump was painted blue."))
        yield memory


def test_a_picture_is_found_by_another_one(memory: Memory) -> None:
    for name in GOLDEN["pictures"]:
        assert memory.search(picture(name), 1)[0].source == name


def test_a_picture_with_words_is_one_query(memory: Memory) -> None:
    """Its weights are told; in the other spaces the words are a query of their own."""
    words = Observation(text="painted blue", attributes={QUERY_WEIGHT: 0.5})
    hits = memory.search([picture("1.png"), words], 10)
    named = {signal.name for hit in hits for signal in hit.why}
    joint = "clip-onnx-tiny-clip of 1 screenshot + 0.5 text"
    assert {joint, "text-minilm of query 2", "bm25 of query 2"} <= named
    assert next(hit for hit in hits if hit.modality == "screenshot").source == "1.png"


def test_what_is_not_wanted_is_looked_for_nowhere(memory: Memory) -> None:
    words = Observation(text="painted blue", attributes={QUERY_WEIGHT: -0.5})
    hits = memory.search([picture("1.png"), words], 10)
    assert {signal.name for hit in hits for signal in hit.why} == {
        "clip-onnx-tiny-clip of 1 screenshot + -0.5 text"
    }


def animation(folder: Path) -> Observation:
    """Two frames, of which the observation is the second: it has a thumbnail of its own."""
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("navy", "yellow")]
    frames[0].save(folder / "two.gif", save_all=True, append_images=frames[1:])
    frames[1].save(folder / "second.webp", lossless=True)
    media = (
        Media.of_file("original", "image/gif", folder / "two.gif"),
        Media.of_file("thumbnail", "image/webp", folder / "second.webp"),
    )
    return Observation(modality="screenshot", media=media)


def test_a_frame_of_an_animation_is_looked_at_by_its_thumbnail(
    encoder: Encoder, tmp_path: Path
) -> None:
    one = animation(tmp_path)
    Image.new("RGB", (40, 30), "yellow").save(tmp_path / "yellow.png")
    other = Media.of_file("original", "image/png", tmp_path / "yellow.png")
    second = Observation(modality="screenshot", media=(other,))
    found = encoder.encode([Passage(o, 0, "", 0, 0) for o in (one, second)]).vectors
    assert float(found[0] @ found[1]) > 0.999


def test_without_its_original_a_screen_is_looked_at_by_its_thumbnail(
    encoder: Encoder, tmp_path: Path
) -> None:
    one = animation(tmp_path)
    alone = Observation(modality="screenshot", media=one.media[1:])
    assert encoder.accepts(alone)
    assert not encoder.accepts(Observation(modality="screenshot", text="no file"))
    found = encoder.encode([Passage(o, 0, "", 0, 0) for o in (one, alone)]).vectors
    assert found[0] == pytest.approx(found[1], abs=1e-6)
