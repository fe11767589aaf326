"""`agentctx serve`: what it refuses to begin with, and what it says when it begins."""

import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agentctx import Memory
from agentctx.cli import cli
from agentctx.cli import serving as command
from agentctx.errors import AgentctxError, ConfigError, StoreError


@pytest.fixture
def directory(tmp_path: Path) -> str:
    with Memory.open(tmp_path / "memory") as memory:
        return str(memory.directory)


def refusal(*words: str) -> Exception:
    """What `agentctx serve` with these words fails with."""
    result = CliRunner().invoke(cli, ["serve", *words], standalone_mode=False)
    assert isinstance(result.exception, AgentctxError | click.ClickException), result
    return result.exception


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--http"], "--http belongs to --mcp"),
        (["--mcp", "--port", "0"], "need --http"),
        (["--mcp", "--host", "localhost"], "need --http"),
        (["--mcp", "--allow-host", "a.example"], "need --http"),
        (["--root", "/"], "which needs --write"),
        (["--host", "0.0.0.0"], "with --allow-host"),
        (["--host", "::"], "with --allow-host"),
        (["--port", "65536"], "is not in the range"),
    ],
)
def test_what_does_not_go_together_is_said(directory: str, words: list[str], why: str) -> None:
    error = refusal("--memory", directory, *words)
    assert isinstance(error, click.UsageError)
    assert why in error.message


def test_a_memory_is_not_made_to_be_read(tmp_path: Path) -> None:
    error = refusal("--mcp", "--memory", str(tmp_path / "none"))
    assert isinstance(error, StoreError)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("token", "mode", "why"),
    [
        ("a-token-that-is-long-enough", 0o644, "can be read by others; run: chmod 600"),
        ("short", 0o600, "one word of 16 characters or more"),
        ("two words that are long", 0o600, "one word"),
        ("with-a-control-\x07-character", 0o600, "one word"),
        ("", 0o600, "one word"),
    ],
)
def test_a_token_must_be_a_secret(
    directory: str, tmp_path: Path, token: str, mode: int, why: str
) -> None:
    path = tmp_path / "token"
    path.write_text(token)
    path.chmod(mode)
    error = refusal("--memory", directory, "--token-file", str(path))
    assert isinstance(error, ConfigError)
    assert why in str(error)
    assert not token or token not in str(error)


def test_a_port_that_is_taken_is_said(directory: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = refusal("--memory", directory, "--port", str(taken.getsockname()[1]))
    assert isinstance(error, ConfigError)
    assert "try --port 0" in str(error)


def test_what_it_says_when_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    command._announce("http://127.0.0.1:1", "the-token", as_json=False, loopback=True)
    out, told = capsys.readouterr()
    assert out == "", "standard output is for results"
    assert "http://127.0.0.1:1" in told
    assert told.count("the-token") == 1
    command._announce("http://10.0.0.1:1", None, as_json=False, loopback=False)
    told = capsys.readouterr().err
    assert "token" not in told
    assert "put a TLS proxy before it" in told
