"""Pictures both ways with every probe, on the default stack; then each probe on its own."""

import json
from pathlib import Path

import numpy as np
import pytest

from agentctx import Config, Memory, Observation
from agentctx.errors import ConfigError, QueryError, SourceInvalid
from agentctx.evaluate import abstention, gap, leakage, metrics
from agentctx.evaluate.abstention import OFF_TOPIC, AbstentionProbe, gibberish, questions_of
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query
from agentctx.evaluate.gap import Paired
from agentctx.evaluate.leakage import LeakageProbe
from agentctx.evaluate.retrieval import PROBES, Options, RetrievalResult, evaluate
from agentctx.evaluate.run import run

from .conftest import draw, write

SIGNS = {
    "door.png": ("EMERGENCY EXIT", "a sign over the emergency exit"),
    "pool.png": ("NO DIVING", "a pool where diving is forbidden"),
    "shop.png": ("FRESH BREAD", "a shop that sells bread"),
}


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> RetrievalResult:
    folder = tmp_path_factory.mktemp("data") / "signs"
    for name, (word, _) in SIGNS.items():
        draw(folder / name, [word])
    write(folder / "captions.json", {name: caption for name, (_, caption) in SIGNS.items()})
    result = run(folder.parent, options=Options(probes=frozenset(PROBES))).parts["signs"]
    assert isinstance(result, RetrievalResult)
    return result


def test_pictures_are_found_by_words_and_words_by_pictures(signs: RetrievalResult) -> None:
    assert (signs.collections, signs.items, signs.questions) == (2, 6, 6)
    assert [(pair.query, pair.item) for pair in signs.pairs] == [
        ("screenshot", "text"),
        ("text", "screenshot"),
    ]
    for pair in signs.pairs:
        assert (pair.scores.questions, pair.scores.success_at_1.mean) == (3, 1.0)
    assert set(signs.methods[0].categories) == {"pictures by words", "words by picture"}


def test_baselines_are_asked_in_words_only(signs: RetrievalResult) -> None:
    asked = {method.name: method.overall.questions for method in signs.methods}
    assert asked == {
        "agentctx": 6,
        "agentctx, plan off": 3,
        "RRF, no rerank": 6,
        "BM25": 3,
        "dense (plain Chroma)": 3,
    }


def test_questions_of_pictures_are_named_by_their_files(signs: RetrievalResult) -> None:
    assert signs.detail is not None
    shown = [one.text for one in signs.detail.questions]
    assert shown == [*(caption for _, caption in SIGNS.values()), *SIGNS]


def test_the_gap_of_pictures_and_words(signs: RetrievalResult) -> None:
    assert signs.gap is not None
    (space,) = signs.gap.spaces
    assert space.space == "text-minilm"
    assert space.modalities == {
        "screenshot": 3,
        "screenshot query": 3,
        "text": 3,
        "text query": 3,
    }
    both = {(one.query, one.item) for one in space.directions}
    assert both == {
        ("screenshot query", "text"),
        ("text", "screenshot query"),
        ("text query", "screenshot"),
        ("screenshot", "text query"),
    }
    assert all(one.recall_at_10.mean == 1.0 for one in space.directions)
    apart = {frozenset((one.one, one.other)): one.centroids for one in space.distances}
    # The same pictures, once as items and once as queries: no gap, nor between the words.
    assert apart[frozenset(("screenshot", "screenshot query"))] == pytest.approx(0, abs=1e-5)
    assert apart[frozenset(("screenshot", "text"))] > 0.1


def test_nothing_forgotten_is_found_again(signs: RetrievalResult) -> None:
    found = signs.leakage
    assert found is not None
    # One of each of the two memories.
    assert (found.forgotten, found.leaked, found.traces, found.ok) == (2, 0, 0, True)
    assert found.fingerprints > 0
    assert found.bytes > 50_000
    assert {form.name for form in found.forms} == set(leakage.FORMS)
    for form in found.forms:
        assert (form.asked, form.before, form.after) == (2, 2, 0), form


def test_gibberish_is_refused(signs: RetrievalResult) -> None:
    found = signs.abstention
    assert found is not None
    assert found.answerable == 3
    assert [kind.kind for kind in found.kinds] == ["gibberish", "off topic"]
    for kind in found.kinds:
        assert kind.questions == 3
        assert kind.auroc >= 0.9
        assert 0 <= kind.coverage_at_95 <= 1


def test_a_probe_that_no_one_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown: smell; known: abstention, gap, leakage"):
        Options(probes=frozenset({"smell"}))
    with pytest.raises(ConfigError, match="sample is -1"):
        Options(sample=-1)


# -- sampling and filtering -----------------------------------------------------------------------


def note(text: str, modality: str = "text") -> Observation:
    return Observation(text=text, modality=modality, source=text)


def test_a_sample_keeps_all_that_is_searched() -> None:
    collections = [
        Collection(name, [Item("a", note("a"))], [Query(f"q{n}", "a", {"a": 1}) for n in range(5)])
        for name in ("one", "two")
    ]
    few = Dataset("d", "made", collections, 3).sample(4)
    assert few.queries == 4
    assert few == Dataset("d", "made", collections, 3).sample(4)
    assert all(len(one.items) == 1 for one in few.collections)
    assert few.skipped == 3
    only_one = Dataset("d", "made", collections).sample(1)
    assert len(only_one.collections) == 1


def test_each_modality_is_searched_among_its_own() -> None:
    said, seen = note("the pump leaks", "speech"), note("pump leak alarm", "screenshot")
    items = [Item("said", said), Item("seen", seen), Item("more", note("the pump leaks again"))]
    query = Query("q", "Does the pump leak?", {"said": 1, "seen": 2})
    dataset = Dataset("plant", "made", [Collection("day", items, [query])])
    config = Config(encoders=("minilm",))
    found = evaluate(dataset, config, lambda *_: None, Options(baselines=False))
    assert [(pair.query, pair.item) for pair in found.pairs] == [
        ("text", "screenshot"),
        ("text", "speech"),
    ]
    # Among its own modality each is the first; among all, only one can be.
    assert all(pair.scores.recall_at_1.mean == 1.0 for pair in found.pairs)
    assert found.methods[0].overall.recall_at_1.mean <= 0.5
    assert found.adding_ms > 0
    with pytest.raises(SourceInvalid, match="no question in it is answered"):
        evaluate(Dataset("plant", "made", []), config, lambda *_: None)


# -- abstention -----------------------------------------------------------------------------------


def test_gibberish_is_seeded() -> None:
    one, other = (gibberish(20, np.random.default_rng(7)) for _ in range(2))
    assert one == other
    assert len(set(one)) == 20
    assert all(3 <= len(question.split()) <= 8 for question in one)


def test_off_topic_questions_are_many_and_different() -> None:
    assert len(set(OFF_TOPIC)) == len(OFF_TOPIC) >= 40
    assert all(question.endswith("?") for question in OFF_TOPIC)


def test_off_topic_questions_may_be_given(tmp_path: Path, memory: Memory) -> None:
    path = tmp_path / "off.txt"
    path.write_text("Who sails to Iceland?\n\n", "utf-8")
    assert questions_of(path) == ["Who sails to Iceland?"]
    memory.add([note("My sister sails to Iceland."), note("The pump leaks.")])
    probe = AbstentionProbe(questions_of(path))
    probe.ask(memory, ["What leaks?"])
    found = probe.result()
    assert found is not None
    # This memory can answer what it was told is off its topic, and the probe says so.
    assert found.kinds[1].refused.mean == 0.0
    path.write_text("\n")
    with pytest.raises(SourceInvalid, match="no question in it"):
        questions_of(path)


def test_nothing_is_asked_of_pictures_alone() -> None:
    assert AbstentionProbe().result() is None
    assert abstention.OFF_TOPIC is AbstentionProbe().off_topic


# -- leakage --------------------------------------------------------------------------------------


def test_a_leak_is_seen(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.add([note(f"The valve number {n} in hall {n * 7} was closed.") for n in range(12)])
    # A form of search that goes round what was forgotten: it must show.
    kept = {one.id for one in memory.timeline()}
    monkeypatch.setattr(leakage, "FORMS", {**leakage.FORMS, "a stale cache": lambda *_: kept})
    probe = LeakageProbe()
    probe.look(memory)
    found = probe.result()
    assert found is not None
    assert (found.forgotten, found.leaked, found.ok) == (1, 1, False)
    assert {form.name: form.after for form in found.forms if form.after} == {"a stale cache": 1}


def test_an_empty_memory_has_nothing_to_leak(memory: Memory) -> None:
    probe = LeakageProbe()
    probe.look(memory)
    assert probe.result() is None


# -- gap ------------------------------------------------------------------------------------------


def unit(rows: list[list[float]]) -> gap.Rows:
    matrix = np.array(rows, np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_distances_and_similarities_by_hand() -> None:
    rows = {"speech": unit([[1, 0, 0], [0, 1, 0]]), "text": unit([[0, 0, 1]])}
    found = gap.measured("space", rows)
    (apart,) = found.distances
    assert apart.centroids == pytest.approx(np.sqrt(0.25 + 0.25 + 1))
    shown = {(one.one, one.other): (one.pairs, one.mean) for one in found.similarities}
    # A modality of one vector has no pair of its own.
    assert shown == {("speech", "speech"): (1, 0.0), ("speech", "text"): (2, 0.0)}
    assert all(sum(one.counts) == one.pairs for one in found.similarities)
    assert sum(found.explained) == pytest.approx(1.0, abs=1e-3)


def test_both_directions_by_hand() -> None:
    cosines = np.array([[0.9, 0.1, 0.5], [0.8, 0.2, 0.3]], np.float32)
    matching = np.array([[True, False, False], [False, True, False]])
    found = gap.measured("s", {"a": unit([[1, 0]])}, [Paired("q", "i", cosines, matching)])
    there, back = found.directions
    assert (there.questions, there.candidates) == (2, 3)
    assert there.recall_at_1.mean == 0.5
    assert there.mrr.mean == pytest.approx((1 + 1 / 3) / 2)
    # Back, the third item is asked by no one.
    assert (back.questions, back.candidates) == (2, 2)
    assert back.recall_at_1.mean == 1.0


def test_components_find_the_plane_in_which_vectors_lie() -> None:
    random = np.random.default_rng(3)
    flat = random.normal(size=(50, 2)) * [3, 1]
    lifted = (flat @ np.linalg.qr(random.normal(size=(8, 2)))[0].T).astype(np.float32)
    found = gap.measured("space", {"text": lifted[:20], "speech": lifted[20:]})
    assert sum(found.explained) == pytest.approx(1.0, abs=1e-3)
    points = np.array([*found.points["text"], *found.points["speech"]])
    centred = flat - flat.mean(axis=0)
    for mine, theirs in ((points[0], centred[0]), (points[31], centred[31])):
        assert np.linalg.norm(mine) == pytest.approx(np.linalg.norm(theirs), abs=1e-3)


def test_the_gap_of_a_memory(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory") as memory:
        pump = ["The pump leaks.", "The seal of the pump is worn.", "Pump A is stopped."]
        memory.add([note(text, "speech") for text in pump])
        memory.add([note(text) for text in ("Bread and butter", "Lunch is soup", "A cake")])
    found = gap.of_memory(tmp_path / "memory", Config())
    (space,) = found.spaces
    assert space.modalities == {"speech": 3, "text": 3}
    mean = {(one.one, one.other): one.mean for one in space.similarities}
    assert mean["speech", "speech"] > mean["speech", "text"]
    assert found == gap.of_memory(tmp_path / "memory", Config())
    assert json.dumps(space.points)


def test_the_gap_of_an_empty_memory(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="there is nothing in the memory"):
        gap.of_memory(tmp_path / "memory", Config())


def test_a_large_memory_is_sampled() -> None:
    seen = [note(str(n), "speech") for n in range(700)] + [note(str(n)) for n in range(3)]
    sample = gap.drawn(seen)
    assert sum(one.modality == "speech" for one in sample) == 500
    assert sample[-3:] == seen[-3:]
    assert sample == gap.drawn(seen)
    assert metrics.auroc([1.0], [0.0]) == 1.0
