"""What searches go by where modalities lie apart: what the formulas promise, and what is found."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx import Config, Memory, Observation, registry
from agentctx.errors import ConfigError
from agentctx.memory.entries import Entry, NewVector
from agentctx.memory.store import Store
from agentctx.records import Embeddings, EncoderCard, Passage
from agentctx.retrieve.gap import Calibration, Comparing, Items, Rows, shifted, unrelated
from agentctx.testing.doubles import HashEncoder

SEEDS = st.integers(0, 2**32 - 1)
WORDS = ("apple", "barn", "cloud", "dune", "eagle", "flute", "grape", "hinge", "island", "jacket",
         "kettle", "lamp")  # fmt: skip


def clouds(seed: int, apart: float = 1.0) -> dict[str, Rows]:
    """Unit vectors of two modalities, and of queries, each around a centre of its own."""
    random = np.random.default_rng(seed)
    found = {}
    for name in ("picture", "text", "query"):
        rows = random.normal(size=(int(random.integers(12, 40)), 8))
        rows += apart * 2 * random.normal(size=8)
        found[name] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


class Towers:
    """Words and pictures in one space, each in a cone: a picture shows what its attribute says."""

    name = "towers"

    def __init__(self, services: object = None) -> None:
        del services
        self._words = HashEncoder()
        self.asked = 0

    @property
    def card(self) -> EncoderCard:
        return EncoderCard(
            self.name, "1", self.name, 66, ("text", "picture"), "Apache-2.0", "d" * 64
        )

    def accepts(self, observation: Observation) -> bool:
        return observation.modality in ("text", "picture")

    def accepts_query(self, query: Observation) -> bool:
        return self.accepts(query)

    def encode(self, passages: Sequence[Passage]) -> Embeddings:
        return Embeddings(np.concatenate([self._row(one.observation) for one in passages]))

    def encode_query(self, query: Observation) -> Embeddings:
        self.asked += 1
        return Embeddings(self._row(query))

    def _row(self, one: Observation) -> Rows:
        picture = one.modality == "picture"
        words = str(one.attributes["shows"]) if picture else one.text
        meant = self._words.encode_query(Observation(text=words)).vectors
        row = np.concatenate([meant, [[0.0, 1.0] if picture else [1.0, 0.0]]], axis=1)
        return (row / np.linalg.norm(row)).astype(np.float32)


def note(word: str) -> Observation:
    return Observation(text=f"something about the {word} of today")


def picture(word: str) -> Observation:
    return Observation(modality="picture", attributes={"shows": f"the {word}"}, source=word)


def keep(store: Store, towers: Towers, observations: Sequence[Observation]) -> None:
    """Put observations into the space of the towers."""
    entries = []
    for one in observations:
        rows = towers.encode([Passage(one, 0, one.text, 0, len(one.text))]).vectors
        entries.append(Entry(one, [(0, len(one.text))], [NewVector(towers.card.space, 0, rows[0])]))
    store.add(entries, {})


@pytest.fixture
def towers() -> Towers:
    return Towers()


@pytest.fixture
def store(tmp_path: Path, towers: Towers) -> Iterator[Store]:
    """A space with twelve notes and twelve pictures, each about one word."""
    made = Store(tmp_path / "memory", exact_limit=10**9)
    made.use([towers.card])
    keep(made, towers, [*map(note, WORDS), *map(picture, WORDS)])
    yield made
    made.close()


def asked(comparing: Comparing, towers: Towers, *queries: Observation) -> list[tuple[int, float]]:
    """All passages by what the queries go by together, in equal shares."""
    total = np.sum([towers.encode_query(one).vectors[0] for one in queries], axis=0)
    length = np.linalg.norm(total)
    parts = [(one, 1 / float(length)) for one in queries]
    return comparing.nearest(towers, parts, total / length, 100, None)


def modalities(store: Store, found: Sequence[tuple[int, float]]) -> list[str]:
    names, of = store.columns.modalities(np.array([key for key, _ in found]))
    return [names[place] for place in of]


# -- what the formulas promise --------------------------------------------------------------------


@settings(deadline=None)
@given(seed=SEEDS)
def test_calibration_leaves_the_order_within_a_modality(seed: int) -> None:
    rows = clouds(seed)
    items = [rows["picture"], rows["text"]]
    of = np.repeat([0, 1], [len(one) for one in items])
    found = Calibration.fitted(rows["query"], items)
    cosines = np.concatenate(items) @ rows["query"][0]
    calibrated = found.calibrated(cosines, of)
    for modality in (0, 1):
        mine = of == modality
        rank = np.argsort(cosines[mine], kind="stable")
        # Cosines that are next to equal may become equal.
        assert np.all(np.diff(calibrated[mine][rank]) >= -1e-5)


@settings(deadline=None)
@given(seed=SEEDS)
def test_unrelated_pairs_are_calibrated_to_nothing(seed: int) -> None:
    rows = clouds(seed)
    items = [rows["picture"], rows["text"]]
    found = Calibration.fitted(rows["query"], items)
    for number, one in enumerate(items):
        cosines = (rows["query"] @ one.T).ravel()
        calibrated = found.calibrated(cosines, np.full(len(cosines), number))
        assert calibrated.mean() == pytest.approx(0, abs=1e-2)
        assert calibrated.std() == pytest.approx(1, abs=1e-2)


@settings(deadline=None)
@given(seed=SEEDS)
def test_the_shift_is_the_cosine_of_what_is_left_without_the_means(seed: int) -> None:
    rows = clouds(seed)
    matrix = np.concatenate([rows["picture"], rows["text"]])
    of = np.repeat([0, 1], [len(rows["picture"]), len(rows["text"])])
    keys = np.arange(len(matrix)) * 3 + 5  # with gaps, as keys have them
    items = Items(keys, matrix, ["picture", "text"], of)
    a = rows["query"].mean(axis=0)
    query = rows["query"][0]
    by = shifted(items, query, a, items.products(a))(keys, matrix @ query)
    left = matrix - np.stack([rows["picture"].mean(axis=0), rows["text"].mean(axis=0)])[of]
    expected = left @ (query - a) / np.linalg.norm(left, axis=1)
    np.testing.assert_allclose(by, expected, atol=2e-4)


def test_a_modality_of_few_items_counts_as_all_do() -> None:
    rows = clouds(7)
    few = Calibration.fitted(rows["query"], [rows["picture"], rows["text"][:2]])
    assert few.means[1] == pytest.approx(few.means[0])
    items = Items(
        np.arange(14), np.concatenate([rows["picture"][:12], rows["text"][:2]]),
        ["picture", "text"], np.repeat([0, 1], [12, 2]),
    )  # fmt: skip
    assert not items.several
    assert not np.allclose(items.means[1], rows["text"][:2].mean(axis=0))


def test_vectors_that_are_all_the_same_have_a_calibration() -> None:
    same = np.tile(np.array([[1.0, 0.0]], np.float32), (12, 1))
    found = Calibration.fitted(same, [same, same])
    assert np.isfinite(found.calibrated(same @ same[0], np.zeros(12, int))).all()


def test_unrelated_queries_are_ours_or_the_items_of_the_modality(towers: Towers) -> None:
    pictures = clouds(1)["picture"]
    assert len(unrelated(towers, "text", {})) >= 10
    assert unrelated(towers, "picture", {"picture": pictures}) is pictures
    assert unrelated(towers, "sensor", {"picture": pictures}).shape == (0, 66)


# -- what is found --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["auto", "calibrate", "shift"])
def test_the_picture_that_shows_it_comes_before_notes_on_other_things(
    store: Store, towers: Towers, how: str
) -> None:
    text = HashEncoder()
    for word in WORDS:
        query = Observation(text=f"the {word}")
        plain = asked(Comparing(store, text, "off"), towers, query)
        # Any note is nearer than the best picture.
        assert modalities(store, plain)[:12] == ["text"] * 12
        found = asked(Comparing(store, text, how), towers, query)
        assert "picture" in modalities(store, found)[:2]
        # What is told of a hit stays its cosine.
        assert dict(found) == pytest.approx(dict(plain))


def test_calibrated_is_each_modality_as_it_was(store: Store, towers: Towers) -> None:
    query = Observation(text="the kettle of today")
    found = asked(Comparing(store, HashEncoder()), towers, query)
    plain = asked(Comparing(store, HashEncoder(), "off"), towers, query)
    of = dict(zip([key for key, _ in found], modalities(store, found), strict=True))
    for modality in ("text", "picture"):
        keys = [[key for key, _ in one if of[key] == modality] for one in (found, plain)]
        assert keys[0] == keys[1]
    assert found != plain


def test_what_passes_a_filter_stays_in_order(store: Store, towers: Towers) -> None:
    query = Observation(text="the lamp")
    row = towers.encode_query(query).vectors[0]
    comparing = Comparing(store, HashEncoder())
    whole = comparing.nearest(towers, [(query, 1.0)], row, 100, None)
    allowed = np.array(sorted(key for key, _ in whole)[::3])
    some = comparing.nearest(towers, [(query, 1.0)], row, 100, allowed)
    assert [key for key, _ in some] == [key for key, _ in whole if key in set(allowed.tolist())]


def test_beyond_the_exact_limit_nothing_else_is_found(store: Store, towers: Towers) -> None:
    large = Store(store.directory, exact_limit=0)
    large.use([towers.card])
    query = Observation(text="the dune")
    found = asked(Comparing(large, HashEncoder()), towers, query)
    assert found == asked(Comparing(store, HashEncoder()), towers, query)
    # The index knows no other order than that of the cosines, and is left alone.
    assert not large.indexing
    large.close()


def test_words_and_a_picture_together(store: Store, towers: Towers) -> None:
    queries = Observation(text="the grape"), picture("grape")
    for how in ("auto", "shift"):
        found = asked(Comparing(store, HashEncoder(), how), towers, *queries)
        assert set(modalities(store, found)[:2]) == {"text", "picture"}


def test_what_is_added_and_forgotten_is_known(store: Store, towers: Towers) -> None:
    comparing = Comparing(store, HashEncoder())
    query = Observation(text="the violin")
    assert len(asked(comparing, towers, query)) == 24
    keep(store, towers, [note("violin"), picture("violin")])
    found = asked(comparing, towers, query)
    assert set(modalities(store, found)[:2]) == {"text", "picture"}
    # What was fitted is fitted again: as by one that comes fresh.
    assert found == asked(Comparing(store, HashEncoder()), towers, query)
    # Our queries are encoded once for each of the two, whatever is added.
    assert towers.asked == 3 + 2 * len(unrelated(Towers(), "text", {}))


# -- where nothing is done ------------------------------------------------------------------------


def test_one_modality_alone_goes_by_its_cosines(tmp_path: Path, towers: Towers) -> None:
    made = Store(tmp_path / "pictures", exact_limit=10**9)
    made.use([towers.card])
    keep(made, towers, [*map(picture, WORDS), note("barn")])
    for how in ("auto", "calibrate"):
        query = Observation(text="the barn")
        found = asked(Comparing(made, HashEncoder(), how), towers, query)
        assert found == asked(Comparing(made, HashEncoder(), "off"), towers, query)
    assert towers.asked == 4  # and nothing else was encoded
    made.close()


def test_a_space_of_words_goes_by_its_cosines(store: Store, towers: Towers) -> None:
    query = Observation(text="the flute")
    plain = asked(Comparing(store, HashEncoder(), "off"), towers, query)
    assert asked(Comparing(store, towers), towers, query) == plain
    assert asked(Comparing(store, towers, "calibrate"), towers, query) != plain


def test_queries_of_which_nothing_is_known_go_by_cosines(store: Store, towers: Towers) -> None:
    heard = Observation(modality="sensor", text="the flute")
    comparing, off = (Comparing(store, HashEncoder(), how) for how in ("auto", "off"))
    assert asked(comparing, towers, heard) == asked(off, towers, heard)


def test_an_empty_space_has_nothing(tmp_path: Path, towers: Towers) -> None:
    made = Store(tmp_path / "empty", exact_limit=10**9)
    made.use([towers.card])
    assert asked(Comparing(made, HashEncoder()), towers, Observation(text="the barn")) == []
    made.close()


# -- in a memory ----------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The towers as an encoder of a distribution that is installed."""
    site = tmp_path / "site"
    metadata = site / "towers-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: towers\nVersion: 1.0\n")
    points = f"[agentctx.encoders]\ntowers = {__name__}:Towers\nhash = {__name__}:HashEncoder\n"
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(site)
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()


def config(gap: str) -> Config:
    return Config(encoders=("hash", "towers"), reranker=None, gap=gap)


@pytest.mark.usefixtures("installed")
def test_pictures_are_found_among_notes(tmp_path: Path) -> None:
    notes = [Observation(text=f"{word} {n}") for word in WORDS for n in range(20)]
    with Memory.open(tmp_path / "memory", config("auto")) as memory:
        memory.add([*notes, *map(picture, WORDS)])
    found = {}
    for gap in ("auto", "off"):
        with Memory.open(tmp_path / "memory", config(gap)) as memory:
            found[gap] = memory.search("the island", limit=100, rerank=False)
            alone = memory.search("the island", limit=100, rerank=False, modality="picture")
            assert [one.source for one in alone][:1] == ["island"]
    assert [one.source for one in found["auto"] if one.modality == "picture"][:1] == ["island"]
    place = [one.source for one in found["auto"]].index("island")
    plain = [one.source for one in found["off"]]
    assert "island" not in plain or plain.index("island") > place


def test_only_what_there_is_can_be_asked_for() -> None:
    assert Config.from_mapping({"gap": "shift"}).gap == "shift"
    with pytest.raises(ConfigError, match="gap is 'closed'; it must be one of auto, shift"):
        Config(gap="closed")
    with pytest.raises(ConfigError, match="gap is 3; it must be a word"):
        Config.from_mapping({"gap": 3})
