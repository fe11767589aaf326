"""Entry points: one door for all; a broken one harms no other; contracts are checked there."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentctx import Config, Memory, registry
from agentctx.errors import ConfigError, MissingExtra, PluginError
from agentctx.registry import Listing
from agentctx.services import SharedServices

Install = Callable[..., None]

BEACON = """
    from datetime import UTC, datetime
    from agentctx import Observation
    from agentctx.contracts import Requirement

    class Beacon:
        requires = (Requirement("json", "light"),)

        def __init__(self, services, *, prefix="seen: ", volume=1):
            self.prefix = prefix

        def accepts(self, source):
            return source.suffix == ".beacon"

        def observe(self, source):
            yield Observation(
                text=self.prefix + source.path.read_text(),
                captured_at=datetime(2026, 3, 14, 9, tzinfo=UTC),
                source=source.name,
            )
"""


@pytest.fixture
def services() -> SharedServices:
    """What every factory is handed."""
    return SharedServices(Config())


def row(name: str) -> Listing:
    """The listing's only row of a name."""
    (found,) = [row for row in registry.listing() if row.name == name]
    return found


def test_the_built_ins_come_in_by_the_same_door() -> None:
    rows = registry.listing()
    assert {row.distribution for row in rows if row.target.startswith("agentctx.")} == {"agentctx"}
    assert {"text", "screenshot", "speech", "sensor"} <= set(registry.names("plugins"))
    assert {"minilm"} <= set(registry.names("encoders"))
    assert {"late-interaction"} <= set(registry.names("rerankers"))
    assert list(registry.names("plugins")) == sorted(registry.names("plugins"))


# What the user's model makes them: tests/models has some.
JOINT = {"clip-onnx", "clip-sentence-transformers", "clip-transformers", "open-clip"}


@pytest.mark.parametrize("kind", ["plugins", "encoders", "rerankers"])
def test_every_built_in_keeps_its_contract(kind: str, services: SharedServices) -> None:
    for name in registry.names(kind):
        if name in JOINT:
            with pytest.raises(ConfigError, match=f"{name} has no model of its own"):
                registry.build(kind, name, services, {})
        else:
            registry.build(kind, name, services, {})


def test_an_outsider_is_found_and_used(install: Install, tmp_path: Path) -> None:
    install("beacon", BEACON, plugins={"beacon": "beacon:Beacon"})
    found = row("beacon")
    assert (found.kind, found.distribution, found.target) == ("plugin", "beacon", "beacon:Beacon")
    assert found.ready
    assert found.install == ""
    (tmp_path / "one.beacon").write_text("light house")
    config = Config(encoders=("minilm",), options={"beacon": {"prefix": "far: "}})
    with Memory.open(tmp_path / "memory", config) as memory:
        report = memory.add(tmp_path / "one.beacon")
        assert (report.added, report.failed) == (1, ())
        (observation,) = memory.timeline()
    assert observation.text == "far: light house"
    assert observation.captured_at == datetime(2026, 3, 14, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "target", "says"),
    [
        ("import no_such_module_anywhere", "broken:Thing", "no_such_module_anywhere"),
        ("raise RuntimeError('half installed')", "broken:Thing", "half installed"),
        ("def Thing(:", "broken:Thing", "invalid syntax"),
        ("", "broken:Thing", "Thing"),
        ("", "nowhere:Thing", "nowhere"),
    ],
    ids=["missing module", "raises", "syntax", "no such name", "no such module"],
)
def test_a_broken_one_is_a_row_and_the_others_live(
    install: Install, services: SharedServices, code: str, target: str, says: str
) -> None:
    install("broken", code, plugins={"broken": target})
    found = row("broken")
    assert not found.ready
    assert says in found.error
    assert target in found.error
    assert row("text").ready
    with pytest.raises(PluginError, match="plugin 'broken'") as error:
        registry.build("plugins", "broken", services, {})
    assert error.value.__cause__ is not None


def test_a_broken_one_does_not_stop_a_source(install: Install, tmp_path: Path) -> None:
    install("broken", "raise RuntimeError('half installed')", plugins={"broken": "broken:Thing"})
    (tmp_path / "note.txt").write_text("the pump is warm")
    (tmp_path / "note.unknown").write_text("the pump is warm")
    with Memory.open(tmp_path / "memory", Config(encoders=("minilm",))) as memory:
        report = memory.add([tmp_path / "note.txt", tmp_path / "note.unknown"])
    assert report.added == 1
    ((source, error),) = report.failed
    assert source == str(tmp_path / "note.unknown")
    assert "half installed" in str(error), "a source that nobody takes says who could not look"


def test_an_unknown_name_is_answered_with_the_installed_ones(services: SharedServices) -> None:
    with pytest.raises(PluginError, match=r"no plugin is called 'nothing'; installed: .*text"):
        registry.build("plugins", "nothing", services, {})


def test_an_unknown_option_names_the_known(install: Install, services: SharedServices) -> None:
    install("beacon", BEACON, plugins={"beacon": "beacon:Beacon"})
    with pytest.raises(ConfigError, match="beacon has no option loud; it has: prefix, volume"):
        registry.build("plugins", "beacon", services, {"loud": True})


@pytest.mark.parametrize(
    "code",
    [
        "class Thing:\n    def __init__(self, services): pass",
        "def Thing(services): return None",
        "Thing = 'not a factory'",
        "def Thing(): return 1",
    ],
    ids=["no methods", "none", "not callable", "takes no services"],
)
@pytest.mark.parametrize("kind", ["plugins", "encoders", "rerankers"])
def test_a_broken_contract(
    install: Install, services: SharedServices, kind: str, code: str
) -> None:
    install("outsider", code, **{kind: {"outsider": "outsider:Thing"}})
    with pytest.raises(PluginError, match="outsider"):
        registry.build(kind, "outsider", services, {})


def test_a_factory_that_raises(install: Install, services: SharedServices) -> None:
    code = "def Thing(services): raise KeyError('serial port')"
    install("outsider", code, plugins={"outsider": "outsider:Thing"})
    with pytest.raises(PluginError, match=r"'outsider' cannot be made: 'serial port'"):
        registry.build("plugins", "outsider", services, {})


def test_its_own_error_of_ours_passes_unchanged(install: Install, services: SharedServices) -> None:
    code = """
        from agentctx.extras import require

        def Thing(services):
            require("no_such_radio", extra="radio", distribution="outsider")
    """
    install("outsider", code, plugins={"outsider": "outsider:Thing"})
    with pytest.raises(MissingExtra) as error:
        registry.build("plugins", "outsider", services, {})
    assert error.value.install == "pip install 'outsider[radio]'"


def test_a_built_in_wins_over_its_namesake(install: Install, services: SharedServices) -> None:
    install("beacon", BEACON, plugins={"text": "beacon:Beacon"})
    assert row("text").target == "agentctx.plugins.text:Text"
    built = registry.build("plugins", "text", services, {})
    assert type(built).__module__ == "agentctx.plugins.text"


def test_a_missing_requirement_carries_the_pip_line(install: Install) -> None:
    code = """
        from agentctx.contracts import Requirement

        class Thing:
            requires = (
                Requirement("json", "always", "outsider"),
                Requirement("no_such_radio.tuner", "radio", "outsider"),
                Requirement("no_such_dish", "dish", "outsider"),
            )
    """
    install("outsider", code, plugins={"outsider": "outsider:Thing"})
    found = row("outsider")
    assert not found.ready
    assert found.error == ""
    assert [need.module for need in found.missing] == ["no_such_radio.tuner", "no_such_dish"]
    assert found.install == "pip install 'outsider[dish,radio]'"


def test_each_thing_is_made_once(services: SharedServices) -> None:
    assert services.encoder("minilm") is services.encoder("minilm")
    assert services.plugin("text") is services.plugin("text")
