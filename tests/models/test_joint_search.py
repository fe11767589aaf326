"""A memory with a joint space beside that of texts: what is drawn is found by looking at it."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agentctx import Config, Hit, Memory, Observation
from agentctx.contracts import QUERY_WEIGHT, Encoder
from agentctx.errors import EncoderMismatch, QueryError
from agentctx.records import Passage
from agentctx.services import SharedServices

from .pictures import drawn, observation, pictures

FAMILIES = [
    ("open-clip", "open_clip"),
    ("clip-transformers", "clip"),
    ("clip-sentence-transformers", "sentence_transformers"),
    ("clip-onnx", "clip-onnx"),
]


def config(name: str, model: Path, **options: object) -> Config:
    # Of random weights every cosine is a likely one.
    made = {name: {"model": str(model), "device": "cpu", "logit": [0.0, 5.0], **options}}
    return Config(encoders=("minilm", name), options=made)


def joint(hit: Hit, space: str) -> str:
    """The name of the list of a joint space in a hit's reasons."""
    return next(signal.name for signal in hit.why if signal.name.startswith(space))


@pytest.mark.parametrize(("name", "kind"), FAMILIES)
def test_a_picture_is_found(
    name: str, kind: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """By a picture like it, as a file and as an observation, and by a picture with words."""
    drawings = pictures()
    kept = {key: observation(image, source=f"{key}.png") for key, image in drawings.items()}
    made = config(name, checkpoint(kind))
    space = SharedServices(made).encoder(name).card.space
    with Memory.open(tmp_path / "memory", made) as memory:
        memory.add([*kept.values(), Observation(text="The pump was painted blue.")])
        for key, one in kept.items():
            assert memory.search(one, 1)[0].id == one.id, key
        # Of another size, and in fewer colours.
        near = observation(drawings["odd"].resize((303, 201)).quantize(200))
        hit = memory.search(near, 1)[0]
        assert hit.source == "odd.png"
        assert joint(hit, space) == space
        weighed = Observation(text="in blue", attributes={QUERY_WEIGHT: 0.25})
        hit = memory.search([near, weighed], 1, modality="screenshot")[0]
        assert hit.source == "odd.png"
        assert joint(hit, space) == f"{space} of 1 screenshot + 0.25 text"


@pytest.fixture(scope="module")
def memory(
    checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Memory]:
    """Twenty drawings."""
    made = config("open-clip", checkpoint("open_clip"))
    with Memory.open(tmp_path_factory.mktemp("drawings") / "memory", made) as memory:
        memory.add([observation(drawn(40, 30, n), source=f"{n}.png") for n in range(20)])
        yield memory


@pytest.fixture(scope="module")
def encoder(memory: Memory) -> Encoder:
    return SharedServices(memory.config).encoder("open-clip")


def rows(encoder: Encoder, memory: Memory) -> dict[str, np.ndarray]:
    seen = memory.timeline()
    found = encoder.encode([Passage(one, 0, "", 0, 0) for one in seen]).vectors
    return dict(zip([one.source for one in seen], found, strict=True))


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 0.2), (0.3, 2.0), (1.0, -0.5)])
def test_a_composed_query_is_the_weighted_sum_of_its_parts(
    weights: tuple[float, float], memory: Memory, encoder: Encoder
) -> None:
    """The order of the space's own list is that of the cosines to it."""
    picture, words = observation(drawn(40, 30, 99)), Observation(text="two green circles")
    parts = [encoder.encode_query(one).vectors[0] for one in (picture, words)]
    total = weights[0] * parts[0] + weights[1] * parts[1]
    cosines = {key: float(row @ total) / float(np.linalg.norm(total))
               for key, row in rows(encoder, memory).items()}  # fmt: skip
    asked = [
        Observation(
            modality=one.modality, text=one.text, media=one.media,
            attributes={QUERY_WEIGHT: weight},
        )
        for one, weight in zip((picture, words), weights, strict=True)
    ]  # fmt: skip
    hits = memory.search(asked, 20)
    space = encoder.card.space
    name = f"{space} of {weights[0]:g} screenshot + {weights[1]:g} text"
    lists = [next(one for one in hit.why if one.name == name) for hit in hits]
    ranked = sorted(zip(lists, hits, strict=True), key=lambda pair: pair[0].rank or 0)
    wanted = sorted(cosines, key=lambda key: -cosines[key])
    assert [hit.source for _, hit in ranked] == wanted
    for signal, hit in ranked:
        assert signal.score == pytest.approx(cosines[hit.source], abs=1e-5)


def test_parts_that_cancel_each_other_out(memory: Memory) -> None:
    one = observation(drawn(40, 30, 3))
    other = Observation(
        modality=one.modality, media=one.media, text="again", attributes={QUERY_WEIGHT: -1}
    )
    with pytest.raises(QueryError, match="cancel each other out"):
        memory.search([one, other])


@pytest.mark.parametrize("weight", ["much", True, math.inf])
def test_a_weight_that_is_no_number(weight: object, memory: Memory) -> None:
    words = Observation(text="blue", attributes={QUERY_WEIGHT: weight})  # type: ignore[dict-item]
    with pytest.raises(QueryError, match="query_weight is"):
        memory.search([observation(drawn(40, 30, 3)), words])


def test_another_model_is_refused(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """Though it has the same name: the card holds the digest of its weights."""
    from safetensors.torch import load_file, save_file

    from model_parts import joint as made

    first = config("clip-transformers", checkpoint("clip"))
    with Memory.open(tmp_path / "memory", first) as memory:
        memory.add(observation(drawn(40, 30, 1)))
    other = made.clip(tmp_path / checkpoint("clip").name)
    weights = load_file(other / "model.safetensors")
    weights["visual_projection.weight"] += 1
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderMismatch, match="agentctx reindex"):
        Memory.open(tmp_path / "memory", config("clip-transformers", other))
    Memory.reindex(tmp_path / "memory", config=config("clip-transformers", other))
    with Memory.open(tmp_path / "memory", config("clip-transformers", other)) as memory:
        assert len(memory.search(observation(drawn(40, 30, 1)))) == 1


def test_what_must_not_be_seen_is_a_part(memory: Memory, encoder: Encoder) -> None:
    """The words of the question, less those that are not wanted."""
    hits = memory.search("a chart but not red circles", 20)
    space = encoder.card.space
    named = {one.name for hit in hits for one in hit.why if one.name.startswith(space)}
    assert named == {f"{space} of 1 text + -0.5 text"}


def test_words_alone_find_pictures(memory: Memory) -> None:
    """Though nothing is written on them: the joint space says how well they fit."""
    hits = memory.search("two green circles", 5)
    assert len(hits) == 5
    assert {hit.modality for hit in hits} == {"screenshot"}
    for hit in hits:
        assert any(one.name == "seen" and one.score > 0.9 for one in hit.why)
