"""What the README tells MCP clients: valid JSON, real options, and a server that answers."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from agentctx import Memory
from agentctx.cli import cli

from .test_docs import README, ROOT, blocks

AGENTS = (ROOT / "docs/agents.md").read_text("utf-8")


def configured() -> list[tuple[str, list[str]]]:
    """Each way in which a client is told to start the server: the command and its arguments."""
    found = []
    for block in blocks(README, "json"):
        config = json.loads(block)
        servers = config.get("mcpServers") or config["servers"]
        for server in servers.values():
            assert set(server) <= {"type", "command", "args", "env"}
            assert server.get("type", "stdio") == "stdio"
            found.append((server["command"], server["args"]))
    for line in shell_lines(README):
        if line.startswith("claude mcp add") and " -- " in line:
            command, *rest = shlex.split(line.partition(" -- ")[2])
            found.append((command, rest))
    return found


def shell_lines(text: str) -> list[str]:
    return [line for block in blocks(text, "sh") for line in block.splitlines()]


def test_there_is_one_for_each_common_client() -> None:
    assert len(configured()) == 3
    for name in ("Claude Desktop", "Claude Code", "Cursor", "VS Code"):
        assert name in README


@pytest.mark.parametrize(("command", "words"), configured(), ids=lambda x: str(x)[:40])
def test_each_starts_a_command_that_there_is(command: str, words: list[str]) -> None:
    assert (command, words[:2]) == ("agentctx", ["serve", "--mcp"])
    serve = cli.commands["serve"]
    parser = serve.make_parser(serve.make_context("serve", [], resilient_parsing=True))
    given, rest, _ = parser.parse_args(words[1:])
    assert rest == []
    assert given["mcp"]
    assert given["directory"] == "~/.agentctx", "the default of every other command"


async def test_what_they_start_answers(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "memory"):
        pass
    longest = max((words for _, words in configured()), key=len)
    told = {"~/.agentctx": str(tmp_path / "memory"), "${workspaceFolder}": str(tmp_path)}
    words = [told.get(word, word) for word in longest]
    main = "from agentctx.cli import main; main()"
    server = StdioServerParameters(command=sys.executable, args=["-c", main, *words])
    async with Client(stdio_client(server)) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
    assert {"search_context", "remember", "remember_screenshot"} <= set(names)


def test_the_header_for_http_is_the_one_that_is_asked_for() -> None:
    (line,) = [one for one in shell_lines(AGENTS) if one.startswith("claude mcp add")]
    words = shlex.split(line)
    assert words[words.index("--header") + 1] == "Authorization: Bearer TOKEN"
    assert words[words.index("--transport") + 1] == "http"
    assert "http://127.0.0.1:8765/mcp" in words


def test_the_table_of_refusals_names_what_is_so() -> None:
    from agentctx.agents import guard
    from agentctx.agents.mcp import blocks as sent

    text = (ROOT / "docs/security.md").read_text("utf-8").partition("## What the servers refuse")[2]
    assert f"{guard.MAX_BODY // 1024} KiB" in text
    assert f"{sent.MAX_RESOURCE // 2**20} MiB" in text
    for status in (401, 403, 404, 408, 413, 421, 422, 503, 504):
        assert re.search(rf"\b{status}\b", text)


def test_the_metrics_have_the_names_that_the_guide_gives() -> None:
    from agentctx.agents.http.metrics import Metrics

    metrics: Any = Metrics()
    with pytest.raises(KeyError), metrics.measured("expand"):
        raise KeyError
    for name in re.findall(r"`(agentctx_tool_\w+)`", AGENTS):
        assert name.encode() in metrics.text()
