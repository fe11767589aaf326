"""Servers and clients as the tests of MCP and HTTP need them."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

COMMAND = [sys.executable, "-c", "from agentctx.cli import main; main()", "serve"]


@contextmanager
def serving(memory: Path, *options: str) -> Iterator[tuple[str, str]]:
    """`agentctx serve` on a free port, in a process of its own: its URL and its token."""
    command = [*COMMAND, "--memory", str(memory), "--port", "0", "--json", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("{"), line + process.stderr.read()
            said = json.loads(line)
            yield said["url"], said["token"]
        finally:
            process.terminate()
            process.communicate(timeout=20)


def over_stdio(memory: Path, *options: str) -> StdioServerParameters:
    """`agentctx serve --mcp`, to be started by the client."""
    arguments = [*COMMAND[1:], "--mcp", "--memory", str(memory), *options]
    return StdioServerParameters(command=COMMAND[0], args=arguments)


@asynccontextmanager
async def over_http(url: str, token: str, **options: Any) -> AsyncIterator[Client]:
    """A session with a server at a URL."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), **options) as client,
    ):
        yield client
