"""Filters by columns pass what SQL passes, whoever added or forgot it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentctx.memory import rows
from agentctx.memory.catalog import Catalog
from agentctx.memory.columns import Columns
from agentctx.memory.entries import Entry
from agentctx.memory.media import MediaStore
from agentctx.records import Filters, Observation

from .writing import add, remove

NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
NAMES = ("a", "b", "c")


def entry(number: int) -> Entry:
    observation = Observation(
        modality=("text", "speech", "screenshot")[number % 3],
        text=f"one {number}. two {number}.",
        captured_at=NINE + timedelta(minutes=number),
        duration=90.0 * (number % 4),
        session=NAMES[number // 5 % 3],
        source=f"{NAMES[number % 2]}.log",
        attributes={"app": NAMES[number % 3], "n": number},
    )
    middle = observation.text.index("two")
    return Entry(observation, [(0, middle - 1), (middle, len(observation.text))], [])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("columns")
    catalog = Catalog(folder / "catalog.sqlite3", MediaStore(folder / "media"))
    add(catalog, [entry(number) for number in range(40)], {})
    yield catalog
    catalog.close()


def by_sql(catalog: Catalog, filters: Filters) -> list[int]:
    condition, parameters = rows.where(filters)
    found = catalog.query(
        "SELECT passage.pk FROM passage JOIN observation ON observation.pk = observation_pk "
        f"WHERE {condition} ORDER BY passage.pk",
        parameters,
    )
    return [pk for (pk,) in found]


some = st.lists(st.sampled_from(("text", "speech", "sensor")), max_size=2).map(tuple)
minutes = st.integers(-3, 45).map(lambda n: NINE + timedelta(minutes=n)) | st.none()


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Filters,
        modality=some,
        since=minutes,
        until=minutes,
        session=st.lists(st.sampled_from((*NAMES, "nobody")), max_size=2).map(tuple),
        source=st.sampled_from([(), ("a.log",), ("a.log", "b.log")]),
        attributes=st.sampled_from([(), (("app", ("a", "b")),), (("n", (3,)), ("app", ("a",)))]),
    )
)
def test_what_passes_is_what_passes_in_sql(catalog: Catalog, filters: Filters) -> None:
    assert Columns(catalog).passing(filters).tolist() == by_sql(catalog, filters)


def test_what_others_add_and_forget_is_seen_at_once(tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "media")
    one, two = (Catalog(tmp_path / "catalog.sqlite3", media) for _ in range(2))
    columns = Columns(one)
    speech = Filters(modality=("speech",))
    assert columns.passing(speech).tolist() == []
    for number in range(6):
        add(two, [entry(number)], {})
        assert columns.passing(speech).tolist() == by_sql(two, speech)
    remove(two, [2, 3], "")
    assert columns.passing(speech).tolist() == by_sql(two, speech) == [9, 10]
    assert columns.passing(Filters(session=("nobody",))).tolist() == []
    one.close()
    two.close()
