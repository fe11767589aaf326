"""What was accepted and rejected: kept as numbers only, learned from, shown, erased."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Hit, Memory, Observation, Prefer
from agentctx.cli import cli
from agentctx.errors import QueryError
from agentctx.retrieve.signals import WEIGHTS

NOW = datetime(2026, 5, 4, 18, tzinfo=UTC)
THINGS = ("pump", "valve", "crane", "boiler", "lathe", "mixer")
ROOMS = ("hall", "yard", "cellar", "attic")
SECRET = "the lathe in the cellar"


def told(thing: str, n: int) -> Observation:
    """Each thing is spoken of and shown on screens, in much the same words."""
    return Observation(
        modality="speech" if n % 2 else "screenshot",
        text=f"The {thing} in the {ROOMS[n]} was checked and is in order.",
        captured_at=NOW - timedelta(days=THINGS.index(thing) * 4 + n),
        session=f"day {n}",
    )


EVERYTHING = [told(thing, n) for thing in THINGS for n in range(len(ROOMS))]


@pytest.fixture
def shop(tmp_path: Path) -> Memory:
    """Opened with ``learned`` on; nothing is learned yet."""
    memory = Memory.open(tmp_path / "memory", Config(learned=True))
    memory.add(EVERYTHING)
    return memory


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    memory = Memory.open(tmp_path_factory.mktemp("shop") / "memory", Config(learned=True))
    memory.add(EVERYTHING)
    return memory


def about(memory: Memory, thing: str) -> list[Hit]:
    return memory.search(f"was the {thing} checked?", now=NOW, prefer=Prefer())


def teach(memory: Memory, wanted: str, things: tuple[str, ...], times: int = 5) -> None:
    """Somebody who takes the first hit of one modality, whatever else is there."""
    for thing in things * times:
        hits = about(memory, thing)
        taken = next(hit.id for hit in hits if hit.modality == wanted)
        memory.feedback(hits, [taken], [hit.id for hit in hits if hit.modality != wanted][:3])


def share(hits: list[Hit], modality: str) -> float:
    return sum(hit.modality == modality for hit in hits[:2]) / 2


@pytest.mark.parametrize("wanted", ["speech", "screenshot"])
def test_a_habit_is_learned_and_holds_for_other_questions(shop: Memory, wanted: str) -> None:
    before = {thing: about(shop, thing) for thing in THINGS}
    teach(shop, wanted, THINGS[:3])
    for thing in THINGS[3:]:
        after = about(shop, thing)
        assert share(after, wanted) == 1.0 >= share(before[thing], wanted)
        # It is still about the thing, and as sure as it was.
        assert all(thing in hit.text for hit in after[:2])
        assert after[0].score == pytest.approx(before[thing][0].score)
        assert {hit.id for hit in after} <= {hit.id for hit in EVERYTHING}
    weights = shop.learned().weights
    other = "screenshot" if wanted == "speech" else "speech"
    assert weights[f"modality {wanted}"] > 0.05 > -0.05 > weights[f"modality {other}"]


def test_each_hit_says_what_was_learned(shop: Memory) -> None:
    assert not any(s.name == "learned" for hit in about(shop, "pump") for s in hit.why)
    teach(shop, "speech", THINGS[:2])
    for hit in about(shop, "mixer"):
        (change,) = [signal.score for signal in hit.why if signal.name == "learned"]
        assert (change > 0.05) == (hit.modality == "speech")


def test_only_where_it_is_switched_on(shop: Memory) -> None:
    plain = {thing: about(shop, thing) for thing in THINGS}
    teach(shop, "speech", THINGS[:3])
    shop.close()
    with Memory.open(shop.directory) as off:
        assert {thing: about(off, thing) for thing in THINGS} == plain
        assert off.learned().choices > 0


def test_it_lasts_and_is_erased(shop: Memory) -> None:
    plain = about(shop, "crane")
    assert shop.learned().weights == shop.learned().defaults == WEIGHTS
    teach(shop, "speech", THINGS[:3])
    learned, order = shop.learned(), about(shop, "crane")
    assert order != plain
    shop.close()
    with Memory.open(shop.directory, Config(learned=True)) as again:
        assert again.learned() == learned
        assert about(again, "crane") == order
        again.unlearn()
        assert again.learned().weights == WEIGHTS
        assert again.learned().choices == 0
        assert about(again, "crane") == plain


def test_no_text_and_no_id_is_kept(shop: Memory) -> None:
    """So that what is forgotten leaves nothing in what was learned."""
    hits = shop.search(f"is {SECRET} in order?", now=NOW)
    shop.feedback(hits, [hits[1].id], [hits[0].id, hits[2].id])
    kept = "".join(
        value for (value,) in shop._store.catalog.query(
            "SELECT value FROM state WHERE name IN ('feedback', 'learned')"
        )
    )  # fmt: skip
    words = {word for one in EVERYTHING for word in one.text.lower().strip(".").split()}
    assert not set(kept.lower().replace('"', " ").split()) & words
    assert not any(one.id in kept or one.session in kept for one in EVERYTHING)
    receipt = shop.forget(session=("day 0", "day 1", "day 2", "day 3"))
    assert shop.learned().choices == 1
    shop.close()
    with Memory.open(shop.directory) as again:
        assert again.verify_erased(receipt).ok


def test_by_default_all_others_are_rejected(shop: Memory) -> None:
    hits = about(shop, "pump")
    assert shop.feedback(hits, [hits[0].id]) == 1
    assert shop.feedback(hits, [hits[1].id, hits[3].id]) == 2
    kept = json.loads(shop._store.catalog.state("feedback"))
    assert [len(one["options"]) for one in kept] == [len(hits), len(hits) - 1, len(hits) - 1]


def test_what_stands_first_may_be_right(shop: Memory) -> None:
    """Who always takes the first hit leaves the order nearly as it is."""
    before = about(shop, "mixer")
    for thing in THINGS[:5] * 4:
        hits = about(shop, thing)
        shop.feedback(hits, [hits[0].id])
    after = about(shop, "mixer")
    # All that is known of the mixer still comes first.
    assert all("mixer" in hit.text for hit in after[:4])
    assert before[0].id in [hit.id for hit in after[:4]]
    assert all(abs(change) < 0.2 for change in shop.learned().changes().values())


def test_without_one_of_both_nothing_is_noted(shop: Memory) -> None:
    hits = about(shop, "pump")
    assert shop.feedback(hits, []) == 0
    assert shop.feedback(hits, [], [hits[0].id]) == 0
    assert shop.feedback(hits, [hits[0].id], []) == 0
    assert shop.learned().weights == WEIGHTS


def test_ids_that_make_no_sense(shop: Memory) -> None:
    hits = about(shop, "pump")
    with pytest.raises(QueryError, match=f"nothing is none of the {len(hits)} hits"):
        shop.feedback(hits, ["nothing"])
    with pytest.raises(QueryError, match="none of the"):
        shop.feedback(hits, [hits[0].id], ["nothing"])
    with pytest.raises(QueryError, match=f"{hits[0].id} is both accepted and rejected"):
        shop.feedback(hits, [hits[0].id], [hits[0].id])


def test_the_newest_choices_are_kept(shop: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentctx.learning.feedback._KEPT", 6)
    teach(shop, "screenshot", THINGS[:3], times=3)
    assert shop.learned().choices == 6
    teach(shop, "speech", THINGS[:3], times=3)
    assert shop.learned().weights["modality speech"] > 0


def test_hits_of_a_query_that_is_not_reranked(shop: Memory) -> None:
    """There is nothing that says how the score was made, but what kind each hit is."""
    teach(shop, "speech", THINGS[:3])
    everything = len(EVERYTHING)
    hits = shop.search("was the mixer checked?", everything, rerank=False, now=NOW)
    shop.unlearn()
    plain = shop.search("was the mixer checked?", everything, rerank=False, now=NOW)
    assert {hit.id for hit in hits} == {hit.id for hit in plain}
    places = [n for n, hit in enumerate(hits) if hit.modality == "speech"]
    assert sum(places) < sum(n for n, hit in enumerate(plain) if hit.modality == "speech")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_whatever_is_learned_the_same_is_found(shared: Memory, seed: int, times: int) -> None:
    choose = random.Random(seed)
    shared.unlearn()
    plain = about(shared, "boiler")
    for _ in range(times):
        hits = about(shared, choose.choice(THINGS))
        order = [hit.id for hit in hits]
        choose.shuffle(order)
        shared.feedback(hits, order[:2], order[2:5])
    after = about(shared, "boiler")
    scores = [hit.score for hit in after]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(plain[0].score)
    assert all(0 <= score <= 1 for score in scores)
    assert len(after) == len(plain)


def test_nothing_is_found_where_there_is_no_answer(shop: Memory) -> None:
    teach(shop, "speech", THINGS[:3])
    assert shop.search("qwrtz plok vrix", now=NOW) == []


def test_to_json(shop: Memory) -> None:
    assert json.loads(shop.learned().to_json()) == {
        "weights": dict(WEIGHTS), "defaults": dict(WEIGHTS), "choices": 0, "at": None,
    }  # fmt: skip
    teach(shop, "speech", THINGS[:1])
    found = json.loads(shop.learned().to_json())
    assert found["weights"] == shop.learned().weights
    assert datetime.fromisoformat(found["at"]) <= datetime.now(UTC)


# -- the command line -----------------------------------------------------------------------------


def run(memory: Memory, *words: str) -> str:
    done = CliRunner().invoke(cli, [*words, "--memory", str(memory.directory)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_commands(shop: Memory) -> None:
    question = "was the pump checked?"
    found = json.loads(run(shop, "search", question, "--json"))
    ids = [hit["observation"]["id"] for hit in found]
    said = run(shop, "feedback", question, "--accept", ids[2][:12], "--reject", ids[0])
    assert said == "1 noted, 1 in all; searches use them with learned = true\n"
    done = json.loads(run(shop, "feedback", question, "--accept", ids[3], "--json"))
    assert done == {"noted": 1, "choices": 2}
    shown = run(shop, "learned")
    assert "2 choices, the last at " in shown
    assert "rerank" in shown
    assert json.loads(run(shop, "learned", "--json"))["choices"] == 2
    assert "0 choices\n" in run(shop, "learned", "--reset")
    assert shop.learned().choices == 0


def test_an_id_that_is_no_hit(shop: Memory) -> None:
    words = ["feedback", "was the pump checked?", "--accept", "zz", "--memory"]
    with pytest.raises(QueryError, match="zz is none of the"):
        CliRunner().invoke(cli, [*words, str(shop.directory)], catch_exceptions=False)
