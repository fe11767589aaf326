"""What is forgotten by which rule, and the proof that it is gone."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agentctx import Config, Media, Memory, Observation, Receipt
from agentctx.cli import cli
from agentctx.errors import ConfigError, QueryError
from agentctx.memory.catalog import Catalog
from agentctx.memory.media import MediaStore
from agentctx.memory.rows import where
from agentctx.records import Filters, Scalar

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=40)


def note(text: str, **fields: object) -> Observation:
    return Observation(text=text, **{"captured_at": NOW, **fields})  # type: ignore[arg-type]


ALL = {
    "plain": note("the quarterly figures of the bakery"),
    "slack": note("Ada writes about the zeppelin", attributes={"app": "slack", "level": 3}),
    "mail": note("a mail on turbines",
                 attributes={"app": "mail", "tags": ("work", "Ada"), "on": True}),
    "screen": note("a dashboard with a red lamp", modality="screenshot", session="shift 1",
                   media=(Media.of_bytes("original", "image/png", b"a red lamp" * 200),)),
    "speech": note("close the blue valve, she said", modality="speech", captured_at=OLD,
                   duration=2.5),
    "old": note("an old shopping list with quinces", captured_at=OLD, source="list.txt"),
}  # fmt: skip


@pytest.fixture
def memory(tmp_path: Path, config: Config) -> Memory:
    memory = Memory.open(tmp_path / "m", config)
    memory.add(list(ALL.values()))
    return memory


def names(memory: Memory) -> set[str]:
    known = {observation.id: name for name, observation in ALL.items()}
    return {known[observation.id] for observation in memory.timeline()}


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        ({"attributes": {"app": "slack"}}, {"slack"}),
        ({"attributes": {"app": ("slack", "mail")}}, {"slack", "mail"}),
        ({"attributes": {"level": 3}}, {"slack"}),
        ({"attributes": {"level": "3"}}, set()),
        ({"attributes": {"tags": "work"}}, {"mail"}),
        ({"attributes": {"on": True}}, {"mail"}),
        ({"attributes": {"on": 1}}, set()),
        ({"attributes": {"app": "mail", "tags": "Ada"}}, {"mail"}),
        ({"attributes": {"app": "slack", "tags": "Ada"}}, set()),
        ({"modality": "speech"}, {"speech"}),
        ({"modality": ["speech", "screenshot"]}, {"speech", "screen"}),
        ({"modality": "speech", "session": "shift 1"}, set()),
        ({"session": "shift 1"}, {"screen"}),
        ({"source": "list.txt"}, {"old"}),
        ({"until": NOW - timedelta(days=1)}, {"speech", "old"}),
        ({"ids": [ALL["plain"].id, ALL["old"].id], "modality": "text"}, {"plain", "old"}),
        ({"ids": [ALL["plain"].id, ALL["speech"].id], "modality": "text"}, {"plain"}),
    ],
)
def test_a_rule_forgets_what_fits_all_of_it(
    memory: Memory, rule: dict[str, object], gone: set[str]
) -> None:
    dry = memory.forget(**rule, dry_run=True)  # type: ignore[arg-type]
    assert names(memory) == set(ALL)
    receipt = memory.forget(**rule)  # type: ignore[arg-type]
    assert names(memory) == set(ALL) - gone
    assert set(dry.ids) == set(receipt.ids) == {ALL[name].id for name in gone}
    assert (dry.dry_run, receipt.dry_run) == (True, False)
    assert not dry.fingerprints
    if gone:
        assert memory.verify_erased(receipt).ok
    memory.close()


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "1", "a'\""])
)
values = st.one_of(scalars, st.lists(scalars, max_size=3).map(tuple))


@given(st.dictionaries(st.sampled_from(["a", 'b"', "c.d"]), values), st.lists(scalars, min_size=1))
def test_attributes_are_compared_by_type_and_value(
    tmp_path_factory: pytest.TempPathFactory, had: dict[str, object], accepted: Sequence[Scalar]
) -> None:
    condition, parameters = where(Filters(attributes=(('b"', tuple(accepted)),)))
    catalog = Catalog(
        tmp_path_factory.getbasetemp() / "c", MediaStore(tmp_path_factory.getbasetemp())
    )
    found = catalog.query(
        f"SELECT {condition.partition('AND ')[2]} FROM (SELECT ? AS attributes) AS observation",
        [*parameters, json.dumps(had)],
    )
    catalog.close()
    items = had.get('b"', ()) if isinstance(had.get('b"', ()), tuple) else (had['b"'],)
    typed = [(isinstance(one, bool), one) for one in items]  # type: ignore[union-attr]
    assert bool(found[0][0]) == any((isinstance(one, bool), one) in typed for one in accepted)


def test_what_a_query_finds_is_confirmed_first(memory: Memory) -> None:
    seen: list[list[str]] = []

    def confirm(found: Sequence[Observation], answer: bool = True) -> bool:
        seen.append([observation.id for observation in found])
        return answer

    with pytest.raises(QueryError, match="confirm"):
        memory.forget(query="the zeppelin")
    kept = memory.forget(query="the zeppelin", confirm=lambda found: confirm(found, answer=False))
    assert (kept.forgotten, names(memory)) == (0, set(ALL))
    receipt = memory.forget(query="the zeppelin", limit=1, confirm=confirm)
    assert seen == [[*seen[0]], [ALL["slack"].id]]
    assert receipt.ids == (ALL["slack"].id,)
    assert receipt.rule == "query"
    assert names(memory) == set(ALL) - {"slack"}
    assert memory.verify_erased(receipt).ok
    memory.close()


def test_nothing_is_asked_about_nothing(memory: Memory) -> None:
    assert memory.forget(session="none", confirm=lambda found: pytest.fail("asked")).forgotten == 0
    with pytest.raises(QueryError, match="say what to forget"):
        memory.forget()
    memory.close()


def test_a_receipt_finds_what_was_not_erased(tmp_path: Path, memory: Memory) -> None:
    receipt = memory.forget([ALL["slack"].id])
    report = memory.verify_erased(receipt)
    assert report.ok
    assert report.files > 1
    copy = memory.directory / "media" / "notes.bak"
    copy.write_text(f"kept by another program: {ALL['slack'].text}")
    report = memory.verify_erased(receipt)
    assert not report.ok
    assert [finding.file for finding in report.findings] == ["media/notes.bak"]
    copy.unlink()
    memory.add(ALL["slack"])
    assert not memory.verify_erased(receipt).ok
    with pytest.raises(QueryError, match="no fingerprints"):
        memory.verify_erased(memory.forget([], dry_run=True))
    memory.close()


def test_the_memory_stays_usable_while_it_is_searched_through(
    tmp_path: Path, memory: Memory
) -> None:
    """A scan in the same process would drop SQLite's locks, and others could break the file."""
    receipt = memory.forget([ALL["slack"].id])
    with memory._store.catalog.transaction() as db:
        db.execute("INSERT INTO audit VALUES (0, 'test', 'held', 0)")
        assert memory.verify_erased(receipt).files
        other = (
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=0.1)\n"
            "db.execute('BEGIN IMMEDIATE')"
        )
        done = subprocess.run(
            [sys.executable, "-c", other, str(memory.directory / "catalog.sqlite3")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "database is locked" in done.stderr
    memory.close()


def test_an_encrypted_memory_is_searched_through(tmp_path: Path, config: Config) -> None:
    with Memory.open(tmp_path / "m", replace(config, key=bytes(32))) as memory:
        memory.add(list(ALL.values()))
        receipt = memory.forget(modality=["screenshot", "speech"])
        assert (receipt.forgotten, len(receipt.media)) == (2, 1)
        report = memory.verify_erased(receipt)
        assert report.ok
        assert {"text", "vector", "media"} <= set(report.sought)
        memory.add(ALL["screen"])
        found = memory.verify_erased(receipt)
        assert any("(opened)" in finding.file for finding in found.findings)


# -- retention --------------------------------------------------------------------------------


def keeping(config: Config, **ages: timedelta) -> Config:
    return replace(
        config, retention={name.replace("others", "*"): age for name, age in ages.items()}
    )


MONTH = timedelta(days=30)


@pytest.mark.parametrize(
    ("ages", "gone"),
    [
        ({"speech": MONTH}, {"speech"}),
        ({"text": MONTH}, {"old"}),
        ({"others": MONTH}, {"speech", "old"}),
        ({"others": MONTH, "speech": 2 * MONTH}, {"old"}),
        ({"others": 2 * MONTH}, set()),
        ({"sensor": MONTH}, set()),
    ],
)
def test_what_is_older_than_its_modality_may_be_expires(
    tmp_path: Path, memory: Memory, config: Config, ages: dict[str, timedelta], gone: set[str]
) -> None:
    memory.close()
    with Memory.open(tmp_path / "m", keeping(config, **ages)) as again:
        assert set(again.expire(dry_run=True).ids) == {ALL[name].id for name in gone}
        assert names(again) == set(ALL)
        receipt = again.expire()
        assert names(again) == set(ALL) - gone
        assert receipt.forgotten == len(gone)
        if gone:
            assert again.verify_erased(receipt).ok
        assert again.expire().forgotten == 0


def test_adding_expires_once_an_hour_and_what_came_too_old(
    tmp_path: Path, memory: Memory, config: Config
) -> None:
    memory.close()
    with Memory.open(tmp_path / "m", keeping(config, others=MONTH)) as again:
        assert again.add(note("fresh")).expired == 2
        assert again.add(note("fresher")).expired == 0
        late = note("from long ago", captured_at=OLD)
        report = again.add([late, note("freshest")])
        assert (report.added, report.expired) == (2, 1)
        assert late.id not in {observation.id for observation in again.timeline()}
        ((action, rule, count),) = again._store.catalog.query(
            "SELECT action, rule, observations FROM audit ORDER BY rowid LIMIT 1"
        )
        assert (action, rule, count) == ("expire", "* after 30 days, 0:00:00", 2)


def test_retention_is_configured_in_words() -> None:
    config = Config.from_mapping({"retention": {"speech": "12 hours", "*": "1 year"}})
    assert config.retention == {"speech": timedelta(hours=12), "*": timedelta(days=365)}
    for wrong in ("soon", "-3 days", "3", 3, "0 days"):
        with pytest.raises(ConfigError, match=r"retention\.speech"):
            Config.from_mapping({"retention": {"speech": wrong}})


def test_without_rules_nothing_can_expire(memory: Memory) -> None:
    with pytest.raises(ConfigError, match="no retention"):
        memory.expire()
    assert memory.add(note("another", captured_at=OLD)).expired == 0
    memory.close()


# -- the command line -------------------------------------------------------------------------


@pytest.fixture
def given_memory(tmp_path: Path, memory: Memory) -> list[str]:
    """Options that name the memory and its encoder."""
    memory.close()
    (tmp_path / "config.toml").write_text('encoders = ["first"]\n[retention]\nspeech = "30 days"\n'
                                          '[options]\n')  # fmt: skip
    return ["--memory", str(tmp_path / "m"), "--config", str(tmp_path / "config.toml")]


def test_forget_and_verify_erased_by_command(tmp_path: Path, given_memory: list[str]) -> None:
    run = CliRunner().invoke
    receipt = tmp_path / "receipt.json"
    dry = run(cli, ["forget", "--attribute", "level=3", "--dry-run", *given_memory])
    assert dry.stdout == "1 would be forgotten\n", dry.stderr
    asked = run(cli, ["forget", "--attribute", "level=3", *given_memory], input="n\n")
    assert asked.exit_code == 1
    assert "zeppelin" in asked.stderr
    done = run(
        cli,
        ["forget", "--attribute", "level=3", "--receipt", str(receipt), *given_memory],
        input="y\n",
    )
    assert done.stdout == "1 forgotten, 0 media erased\n", done.stderr
    assert receipt.stat().st_mode & 0o777 == 0o600
    checked = run(cli, ["verify", "--erased", str(receipt), *given_memory])
    assert checked.exit_code == 0, checked.stderr
    assert "nothing of it was found" in checked.stdout
    (tmp_path / "m" / "media" / "copy").write_text(ALL["slack"].text)
    checked = run(cli, ["verify", "--erased", str(receipt), "--json", *given_memory])
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["findings"][0]["file"] == "media/copy"


def test_forget_by_query_by_command(given_memory: list[str]) -> None:
    run = CliRunner().invoke
    done = run(cli, ["forget", "zeppelin", "-n", "1", "--yes", "--json", *given_memory])
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)["ids"] == [ALL["slack"].id]


def test_expire_by_command(given_memory: list[str]) -> None:
    run = CliRunner().invoke
    assert run(cli, ["expire", "--dry-run", *given_memory]).stdout == "1 would be forgotten\n"
    assert run(cli, ["expire", *given_memory]).stdout == "1 forgotten, 0 media erased\n"


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"ids": 3, "media": [], "at": "x"}'])
def test_what_is_no_receipt_is_refused(
    tmp_path: Path, site: Path, given_memory: list[str], content: str
) -> None:
    (tmp_path / "r.json").write_text(content)
    code = "import sys; from agentctx.cli import main; sys.argv[0] = 'agentctx'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", "--erased", str(tmp_path / "r.json"), *given_memory],
        capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "is no receipt" in done.stderr


def test_an_attribute_needs_a_value(given_memory: list[str]) -> None:
    done = CliRunner().invoke(cli, ["forget", "--attribute", "level", *given_memory])
    assert done.exit_code == 2
    assert "NAME=VALUE" in done.stderr


def test_a_receipt_that_cannot_be_written_forgets_nothing(
    tmp_path: Path, given_memory: list[str]
) -> None:
    wrong = str(tmp_path / "none" / "receipt.json")
    done = CliRunner().invoke(cli, ["forget", "--attribute", "level=3", "--yes", "--receipt", wrong,
                                    *given_memory])  # fmt: skip
    assert isinstance(done.exception, ConfigError)
    assert "nothing was forgotten" in str(done.exception)


def test_receipts_are_plain_records() -> None:
    receipt = Receipt(1, ("a",), (), NOW, "session")
    assert (receipt.dry_run, receipt.unfinished, receipt.fingerprints) == (False, "", "")
