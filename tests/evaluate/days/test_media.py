"""Pictures and recordings part by part, as far as they can be looked at without the programs."""

import re
import wave
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.evaluate.days import pictures, voices
from agentctx.evaluate.days.composing import compose
from agentctx.evaluate.days.pages import html
from agentctx.evaluate.days.records import SCREEN_SIZE
from agentctx.evaluate.days.worlds import texts

from .test_files import needs_programs

(DAY,) = compose(1, 7, 14)
PAGE = "<!doctype html><body style='margin:0;background:{}'></body>"


@needs_programs
def test_a_picture_is_of_the_page(tmp_path: Path) -> None:
    from PIL import Image

    for colour, expected in (("#ff0000", (255, 0, 0)), ("#00ff80", (0, 255, 128))):
        page, target = tmp_path / "page.html", tmp_path / f"{colour[1:]}.png"
        page.write_text(PAGE.format(colour), "utf-8")
        pictures.shoot(page, target, (320, 240))
        with Image.open(target) as image:
            assert image.size == (320, 240)
            assert image.convert("RGB").getcolors() == [(320 * 240, expected)]


@needs_programs
def test_a_picture_has_the_screen_that_its_name_says(tmp_path: Path) -> None:
    """Tiles must not be mixed up: each is dark or light as its own template is."""
    from PIL import Image

    kinds = {"editor": 30, "dashboard": 40, "ticket": 235, "mail": 245}
    chosen = [next((s for s in DAY.screens if s.kind == kind), None) for kind in kinds]
    screens = [screen for screen in chosen if screen]
    assert len(screens) >= 3
    pictures.picture(replace(DAY, screens=screens), tmp_path)
    for screen in screens:
        with Image.open(tmp_path / screen.file) as image:
            assert image.size == SCREEN_SIZE
            usual = float(np.median(np.asarray(image.convert("L"))))
        assert usual == pytest.approx(kinds[screen.kind], abs=25)


@needs_programs
def test_voices_differ(tmp_path: Path) -> None:
    """The same words by every voice: as long as people take for them, and no two alike."""
    clip = DAY.clips[0]
    heard = []
    for number in range(len(texts("speech")["voices"])):
        file = clip.file.replace("_voice", f"_voice{number}")
        day = replace(DAY, clips=[replace(clip, voice=number, file=file)])
        (spoken,) = voices.speak(day, tmp_path).clips
        with wave.open(str(tmp_path / spoken.file)) as sound:
            heard.append(sound.readframes(sound.getnframes()))
        words = sum(len(sentence.text.split()) for sentence in spoken.sentences)
        seconds = sum((s.end - s.start).total_seconds() for s in spoken.sentences)
        assert 1.2 < words / seconds < 4.5
        assert [s.text for s in spoken.sentences] == [s.text for s in clip.sentences]
    assert len(set(heard)) == len(heard)


def test_every_page_is_in_a_frame_of_its_own() -> None:
    sheet = pictures._sheet(DAY, DAY.screens)
    frames = re.findall(r'style="left:(\d+)px;top:(\d+)px" srcdoc="([^"]*)"', sheet)
    assert len(frames) == len(DAY.screens)
    places = {(int(left), int(top)) for left, top, _ in frames}
    assert len(places) == len(frames)
    assert all(left % SCREEN_SIZE[0] == top % SCREEN_SIZE[1] == 0 for left, top in places)
    # What is in a frame is the page itself, to the character.
    for (_, _, inside), screen in zip(frames, DAY.screens, strict=True):
        assert unescape(inside) == html(DAY, screen)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500))
def test_silence_around_a_sentence_is_cut(before: int, loud: int, after: int) -> None:
    samples = np.concatenate([np.zeros(before), np.full(loud, 3000.0), np.zeros(after)]).astype(
        np.int16
    )
    assert voices._trimmed(samples).tolist() == [3000] * loud


def test_what_is_only_silence_is_kept() -> None:
    assert len(voices._trimmed(np.zeros(50, np.int16))) == 50
    # The lowest value has no positive of its own.
    assert voices._trimmed(np.array([0, -32_768, 0], np.int16)).tolist() == [-32_768]
