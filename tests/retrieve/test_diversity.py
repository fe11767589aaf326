"""Diverse hits: what stays, what goes, in which order, and that each says so."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentctx import Hit, Memory, Observation
from agentctx.cli import cli
from agentctx.errors import QueryError
from agentctx.retrieve.diversity import diverse

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
PAGE = (
    "Release notes 4.2. The scheduler now retries failed jobs three times. Deploys are frozen "
    "until Monday. Owner: Ines. Clock {}"
)
OTHERS = (
    "The scheduler of the canteen is a sheet of paper.",
    "Ask Ines about the release of the film.",
    "Deploys wait for a green build.",
)


def screen(text: str, minute: int, modality: str = "screenshot") -> Observation:
    return Observation(modality=modality, text=text, captured_at=NINE + timedelta(minutes=minute))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """A page that was looked at for an hour, with the clock in its corner, and other things."""
    pages = [screen(PAGE.format(f"09:{n:02}:05"), n) for n in range(0, 60, 4)]
    with Memory.open(tmp_path_factory.mktemp("diverse") / "memory") as memory:
        memory.add(pages)
        memory.add([screen(text, 70 + n, "text") for n, text in enumerate(OTHERS)])
        yield memory


@st.composite
def ranked(draw: st.DrawFn) -> tuple[list[Hit], NDArray[np.float32]]:
    """Hits with falling scores, of few texts, with unit vectors or none."""
    texts = draw(st.lists(st.sampled_from(["a", "b ", "B", "c d", "c  D", ""]), max_size=12))
    scores = sorted((draw(st.floats(0, 1)) for _ in texts), reverse=True)
    hits = [
        Hit(Observation(text=text, captured_at=NINE + timedelta(minutes=n)), score)
        for n, (text, score) in enumerate(zip(texts, scores, strict=True))
    ]
    rows = np.random.default_rng(draw(st.integers(0, 99))).standard_normal((len(hits), 4))
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    rows[draw(st.integers(0, 9)) :: 7] = 0
    return hits, rows.astype(np.float32)


@given(ranked())
def test_without_diversity_nothing_changes(given_: tuple[list[Hit], NDArray[np.float32]]) -> None:
    hits, vectors = given_
    assert diverse(hits, vectors, 0.0) == hits


@given(ranked(), st.floats(0.001, 1))
def test_the_best_stays_first_and_no_text_comes_twice(
    given_: tuple[list[Hit], NDArray[np.float32]], diversity: float
) -> None:
    hits, vectors = given_
    found = diverse(hits, vectors, diversity)
    assert [hit.id for hit in found[:1]] == [hit.id for hit in hits[:1]]
    texts = [" ".join(hit.text.lower().split()) for hit in found if hit.text]
    assert len(texts) == len(set(texts))
    ids = [hit.id for hit in found]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {hit.id for hit in hits}
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    left_out = sum(s.score for hit in found for s in hit.why if "left out" in s.name)
    assert len(found) + left_out == len(hits)


@given(ranked())
def test_with_nothing_but_diversity_the_least_alike_is_next(
    given_: tuple[list[Hit], NDArray[np.float32]],
) -> None:
    hits, vectors = given_
    of = {hit.id: row for hit, row in zip(hits, vectors, strict=True)}
    found = [of[hit.id] for hit in diverse(hits, vectors, 1.0)]
    for place in range(1, len(found)):
        nearest = [max(0.0, *(float(row @ had) for had in found[:place])) for row in found[place:]]
        assert nearest[0] == pytest.approx(min(nearest), abs=1e-6)


def test_a_page_that_only_showed_another_clock_is_found_once(filled: Memory) -> None:
    plain = filled.search("release notes of the scheduler", 5)
    assert len([hit for hit in plain if hit.modality == "screenshot"]) == 5
    found = filled.search("release notes of the scheduler", 5, diversity=0.3)
    assert found[0].id == plain[0].id
    assert [hit.modality for hit in found].count("screenshot") == 1
    assert {hit.text for hit in found[1:]} <= set(OTHERS)
    assert len(found) > 2
    why = {signal.name: signal for signal in found[0].why}
    assert why["near-duplicates left out"].score == 14
    like = {signal.name: signal for signal in found[1].why}["like a better hit"]
    assert like.weight == -0.3
    assert 0 < like.score < 0.98


def test_what_is_measured_is_never_taken_for_the_same(memory: Memory) -> None:
    said = "Vibration from 09:{0:02} to 09:{0:02} UTC: mean {1} mm/s, highest {2} mm/s."
    memory.add([screen(said.format(n, 9 + n, 12 + n), n, "sensor") for n in range(6)])
    assert len(memory.search("vibration in mm/s", diversity=0.5)) == 6


def test_diversity_out_of_range_is_refused(filled: Memory) -> None:
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(QueryError, match=r"must be in 0\.\.1"):
            filled.search("scheduler", diversity=wrong)


def test_pictures_without_words_stay() -> None:
    hits = [Hit(Observation(modality="image", captured_at=NINE + timedelta(n)), 1.0 - n / 9)
            for n in range(3)]  # fmt: skip
    assert [h.id for h in diverse(hits, np.zeros((3, 1), np.float32), 1.0)] == [h.id for h in hits]


def test_the_command_line_takes_it(filled: Memory) -> None:
    asked = [
        "search",
        "release notes of the scheduler",
        "--json",
        "--memory",
        str(filled.directory),
    ]
    found = CliRunner().invoke(cli, [*asked, "--diversity", "0.3"])
    assert found.exit_code == 0
    assert len(json.loads(found.output)) < len(json.loads(CliRunner().invoke(cli, asked).output))
    refused = CliRunner().invoke(cli, [*asked, "--diversity", "2"])
    assert refused.exit_code == 2
    assert "0<=x<=1" in refused.output
