"""Photographs in a memory: what they are kept as, and how words and pictures find them."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from agentctx import Memory, Observation
from agentctx.config import Config
from agentctx.errors import ConfigError

ASKED = {
    "honeycomb": "wax cells that bees build",
    "spider web": "a net of silken threads that catches flies",
    "clock": "two hands that tell what time it is",
    "ball": "round yellow thing that a player serves on a court",
}


def shows(one: Observation) -> str:
    return str(one.attributes.get("really", ""))


def test_a_photograph_is_a_picture_with_guesses(album: Memory) -> None:
    found = {shows(one): one for one in album.timeline(modality="picture")}
    assert set(found) == set(ASKED)
    web = found["spider web"]
    assert web.attributes["guesses"][0] == "spider web"
    (likely, *_) = web.attributes["guesses_likely"]
    assert 0.5 < likely <= 1.0
    assert web.text.startswith("Photo, guessed by a classifier to show: spider web (")
    assert web.find_media("thumbnail") is not None
    assert (web.attributes["width"], web.attributes["height"]) == (360, 360)
    for one in found.values():
        guesses, scores = one.attributes["guesses"], one.attributes["guesses_likely"]
        assert len(guesses) == len(scores) <= 3
        assert list(scores) == sorted(scores, reverse=True)


def test_a_screen_is_given_no_words_that_are_not_on_it(album: Memory) -> None:
    (screen,) = album.timeline(modality="screenshot")
    assert "4711" in screen.text
    assert "Photo" not in screen.text
    assert "guesses" not in screen.attributes


@pytest.mark.parametrize("name", ASKED)
def test_words_find_a_photograph(album: Memory, name: str) -> None:
    """Also such as are nowhere in its text."""
    hits = album.search(ASKED[name], limit=3)
    assert shows(hits[0].observation) == name
    assert {"picture", "text-minilm"} <= {signal.name for signal in hits[0].why}


def test_what_is_seen_counts_beside_what_is_written(album: Memory) -> None:
    """A picture that the words of its guesses do not tell is found by what the network saw."""
    (hit, *_) = album.search("cobwebs", limit=3)
    assert shows(hit.observation) == "spider web"
    seen = next(signal for signal in hit.why if signal.name == "seen")
    assert seen.weight == 1.0
    assert 0 < seen.score <= 1


@pytest.mark.parametrize(
    "question",
    ["photo of a clock", "show me the picture of the clock", "which photos show a clock"],
)
def test_a_question_may_ask_for_photographs(album: Memory, question: str) -> None:
    plan = album.plan(question)
    assert plan.clause.modality == ("picture",)
    assert "clock" in plan.clause.words
    hits = album.search(question)
    assert shows(hits[0].observation) == "clock"
    assert {hit.modality for hit in hits} == {"picture"}


def test_other_questions_find_what_they_found(album: Memory) -> None:
    assert "rent" in album.search("when is the rent due?")[0].text
    assert album.search("total of invoice 4711")[0].modality == "screenshot"
    assert album.search("who repaired the pump?", limit=1)[0].text.startswith("Bob")


def test_nothing_is_found_of_what_is_not_there(album: Memory) -> None:
    assert not album.search("zxqv blorp frumious jubjub")


def test_an_agent_reads_that_it_is_a_guess(album: Memory) -> None:
    context = album.context("photo of a spider web", max_tokens=200)
    assert "guessed by a classifier" in context.text
    assert context.images


@pytest.mark.parametrize("name", ASKED)
def test_a_picture_finds_the_one_it_was_made_of(
    album: Memory, photos: Mapping[str, Image.Image], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "like this.jpg"
    ImageOps.mirror(photos[name]).resize((250, 250)).save(path, quality=40)
    (hit, *_) = album.search(path, limit=2)
    assert shows(hit.observation) == name
    assert "picture-features" in {signal.name for signal in hit.why}


def test_a_picture_with_words_is_one_query(
    album: Memory, photos: Mapping[str, Image.Image], tmp_path: Path
) -> None:
    path = tmp_path / "this.png"
    photos["ball"].save(path)
    hits = album.search([path, "spider web"], limit=2)
    assert {shows(hit.observation) for hit in hits} == {"ball", "spider web"}


def test_without_pictures_nothing_changes(tmp_path: Path) -> None:
    """Every score and every reason is the same with and without the spaces of pictures."""
    notes = [
        Observation(text=f"Note {n}: {what} {n * 17 % 23} on line {n % 5}", session=f"s{n % 3}")
        for n, what in enumerate(["pump leaks", "valve stuck", "invoice paid", "clock is late"] * 9)
    ]
    found = []
    for number, encoders in enumerate(
        [("minilm", "sensor-features"), ("minilm", "sensor-features", "pictures")]
    ):
        with Memory.open(tmp_path / str(number), Config(encoders=encoders)) as memory:
            memory.add(notes)
            found.append(
                [
                    (hit.id, hit.score, [str(signal) for signal in hit.why])
                    for question in ("which pump leaks?", "the clock", "bees", "invoice -")
                    for rerank in (True, False)
                    for hit in memory.search(question, limit=20, rerank=rerank)
                ]
            )
    assert found[0]
    assert found[0] == found[1]


def test_pictures_among_many_texts_are_found_as_they_come(
    photos: Mapping[str, Image.Image], tmp_path: Path
) -> None:
    """By the same open memory, between additions of others, and after some are forgotten."""

    def first(memory: Memory, name: str) -> str:
        return shows(memory.search(ASKED[name], limit=1)[0].observation)

    with Memory.open(tmp_path / "memory") as memory:
        for name in ("honeycomb", "clock"):
            path = tmp_path / f"{name}.png"
            photos[name].save(path)
            memory.add(Observation(text=f"Note {n} before {name}") for n in range(30))
            memory.add(path, attributes={"really": name})
            memory.add(Observation(text=f"Note {n} after {name}") for n in range(30))
            assert first(memory, name) == name
        assert first(memory, "honeycomb") == "honeycomb"
        (gone,) = [one.id for one in memory.timeline(modality="picture") if shows(one) == "clock"]
        memory.forget(ids=[gone])
        assert first(memory, "honeycomb") == "honeycomb"
        assert not any(hit.modality == "picture" for hit in memory.search(ASKED["clock"]))


def test_a_picture_does_not_stay_until_the_next(album: Memory) -> None:
    """A screen is there until another takes its place; a photograph is of its moment."""
    first, *_ = album.timeline(modality="picture")
    later = first.captured_at + timedelta(minutes=9)
    moments = album.moments("honeycomb", window=5)
    assert moments[0].end < later


def test_telling_photographs_apart_can_be_left_out(
    photos: Mapping[str, Image.Image], tmp_path: Path
) -> None:
    path = tmp_path / "web.png"
    photos["spider web"].save(path)
    config = Config(options={"screenshot": {"photos": False}})
    with Memory.open(tmp_path / "memory", config) as memory:
        memory.add(path)
        (one,) = memory.timeline()
        assert one.modality == "screenshot"
        assert "guesses" not in one.attributes


def test_originals_need_not_be_kept(photos: Mapping[str, Image.Image], tmp_path: Path) -> None:
    path = tmp_path / "comb.png"
    photos["honeycomb"].save(path)
    with Memory.open(tmp_path / "memory", Config(keep_originals=False)) as memory:
        memory.add(path)
        (one,) = memory.timeline()
        assert one.find_media("original") is None
        assert memory.search(ASKED["honeycomb"])[0].id == one.id


@pytest.mark.parametrize("name", ["pictures", "picture-features"])
def test_options_are_checked(tmp_path: Path, name: str) -> None:
    config = Config(encoders=("minilm", name), options={name: {"threads": -1}})
    with pytest.raises(ConfigError, match="threads is -1"):
        Memory.open(tmp_path / "memory", config)


def test_a_picture_without_words_is_found_too(
    photos: Mapping[str, Image.Image], tmp_path: Path
) -> None:
    """An observation that another program made: modality ``picture``, its file, and no text."""
    from io import BytesIO

    from agentctx.records import Media

    out = BytesIO()
    photos["clock"].save(out, "PNG")
    file = Media.of_bytes("original", "image/png", out.getvalue())
    with Memory.open(tmp_path / "memory") as memory:
        memory.add(Observation(modality="picture", media=(file,)))
        memory.add(Observation(text="Nothing of interest."))
        (hit, *_) = memory.search("analog clock with hands")
        assert hit.modality == "picture"
        assert np.isfinite(hit.score)
