"""The configuration: frozen, checked, and closed to what it does not know."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agentctx import Config, Memory
from agentctx.errors import ConfigError


def test_from_a_file_as_documented() -> None:
    """The example in the module's docstring is a config."""
    import agentctx.config

    text = str(agentctx.config.__doc__)
    example = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    config = Config.from_mapping(tomllib.loads(example))
    assert config.encoders == ("minilm", "sensor-features")
    assert config.reranker == "late-interaction"
    assert config.options["speech"]["model"] == "/models/faster-whisper-small"
    assert config.weights == {"minilm-int8": Path("/models/minilm")}
    assert config.key == "file:~/.agentctx.key"


def test_an_empty_mapping_is_the_default() -> None:
    assert Config.from_mapping({}) == Config()


@pytest.mark.parametrize("name", ["Encoders", "encoder", "memory", ""])
def test_unknown_keys_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        Config.from_mapping({name: 1, "batch_size": 2})
    message = str(error.value)
    assert message.startswith(f"unknown: {name}; known: ")
    assert all(field.name in message for field in dataclasses.fields(Config))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"exact_limit": -1}, "exact_limit is -1"),
        ({"encoders": ()}, "encoders is empty"),
        ({"key": b"short"}, "key has 5 bytes; it must be 32"),
        ({"key": "file:"}, "key must be 'keyring' or 'file:PATH'"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Config(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"batch_size": "two"},
        {"encoders": "minilm"},
        {"plugins": "text"},
        {"options": {"speech": "tiny"}},
        {"weights": ["minilm"]},
        {"allow_download": "no"},
        {"key": 7},
    ],
    ids=lambda values: next(iter(values)),
)
def test_another_type_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        Config.from_mapping(values)


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().batch_size = 1  # type: ignore[misc]


def test_the_first_encoder_must_know_text(tmp_path: Path) -> None:
    config = Config(encoders=("sensor-features", "minilm"))
    with pytest.raises(ConfigError, match="'sensor-features', must encode text"):
        Memory.open(tmp_path / "memory", config)


def test_an_option_nobody_has(tmp_path: Path) -> None:
    config = Config(encoders=("minilm",), options={"minilm": {"colour": "red"}})
    with pytest.raises(ConfigError, match=r"minilm has no option colour; it has: .*threads"):
        Memory.open(tmp_path / "memory", config)


def test_a_key_is_shown_nowhere() -> None:
    """Not even one that was written where only its place belongs."""
    key = bytes(range(32))
    assert key.hex() not in repr(Config(key=key))
    assert repr(key) not in repr(Config(key=key))
    with pytest.raises(ConfigError) as raised:
        Config.from_mapping({"key": key.hex()})
    assert key.hex() not in str(raised.value)
