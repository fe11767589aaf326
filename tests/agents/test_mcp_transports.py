"""`agentctx serve --mcp` as clients start and reach it: over stdio, and over streamable HTTP."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from agentctx import Media, Memory, Observation
from agentctx.agents import ToolSet

from .conftest import NINE, draw
from .serving import COMMAND, over_http, over_stdio, serving
from .test_mcp import CALLS, long_call, text_of

TRANSPORTS = pytest.mark.parametrize(
    ("transport", "mode"),
    [("stdio", "auto"), ("stdio", "legacy"), ("http", "auto"), ("http", "legacy")],
)

KINDS = ("original", "thumbnail")


@asynccontextmanager
async def session(
    transport: str, memory: Path, *options: str, **more: Any
) -> AsyncIterator[Client]:
    if transport == "stdio":
        async with Client(stdio_client(over_stdio(memory, *options)), **more) as client:
            yield client
    else:
        with serving(memory, "--mcp", "--http", *options) as (url, token):
            async with over_http(url, token, **more) as client:
                yield client


@TRANSPORTS
async def test_a_whole_session(memory: Memory, tmp_path: Path, transport: str, mode: str) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    one = seen(memory, draw(tmp_path / "screen.png", "Pump 2 stopped", "ALARM"))
    pump = inbox / "pump.csv"
    pump.write_text("time,pressure (bar)\n1773478800,5.1\n1773478860,4.9\n")
    call = long_call(inbox / "call.srt", 5000)
    options = ("--write", "--forget", "--root", str(inbox))
    told: list[float] = []
    scope = anyio.CancelScope()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(done)
        scope.cancel()

    async with session(transport, memory.directory, *options, mode=mode) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        assert listed == {tool.name for tool in everything(memory, inbox).tools}

        added = await client.call_tool("remember_sensor", {"path": str(pump)})
        assert not added.is_error, text_of(added)
        found = await client.call_tool("search_context", {"query": "alarm of pump 2"})
        assert "ALARM" in text_of(found)
        kinds = {type(block) for block in found.content}
        assert kinds == {types.TextContent, types.ImageContent, types.ResourceLink}
        assert found.structured_content is None
        for name in ("recall_moment", "what_changed"):
            assert not (await client.call_tool(name, CALLS[name])).is_error
        assert "4.9" in text_of(await client.call_tool("read_sensor", CALLS["read_sensor"]))
        assert "ALARM" in text_of(await client.call_tool("expand", {"id": one.id[:10]}))
        assert not (await client.call_tool("remember", CALLS["remember"])).is_error
        (thumbnail,) = (
            await client.read_resource(f"agentctx://observation/{one.id[:10]}/thumbnail")
        ).contents
        assert isinstance(thumbnail, types.BlobResourceContents)

        refused = await client.call_tool("remember_screenshot", {"path": "/etc/passwd"})
        assert refused.is_error
        assert "outside of the allowed directories" in text_of(refused)

        with scope:
            given = {"path": str(call), "captured_at": NINE.isoformat()}
            await client.call_tool("remember_speech", given, progress_callback=progress)
        assert scope.cancelled_caught
        assert told

        given = {"ids": [one.id[:10]], "confirm": True}
        assert not (await client.call_tool("forget", given)).is_error
        kept = memory.timeline()
        assert one.id not in [other.id for other in kept]
        assert len(kept) < 2000
    assert len(memory.timeline()) < 2000


def seen(memory: Memory, path: Path) -> Observation:
    """A screen in the memory, with the words on it: nothing has to read them first."""
    media = [Media.of_bytes(kind, "image/png", path.read_bytes()) for kind in KINDS]
    words = "Pump 2 stopped. ALARM."
    one = Observation(modality="screenshot", text=words, captured_at=NINE, media=tuple(media))
    memory.add(one)
    return one


def everything(memory: Memory, inbox: Path) -> ToolSet:
    return ToolSet(memory, write=True, forget=True, roots=[inbox])


def test_nothing_but_protocol_goes_to_standard_output(memory: Memory, tmp_path: Path) -> None:
    long_call(tmp_path / "call.srt", 3)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    add = [
        {"name": "remember_screenshot", "arguments": {"path": str(tmp_path / name)}}
        for name in ("call.srt", "broken.png")
    ]
    asked: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        *({"id": 2 + n, "method": "tools/call", "params": one} for n, one in enumerate(add)),
        {"id": 9, "method": "no/such/method"},
    ]
    command = [*COMMAND, "--mcp", "--write", "--root", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--memory", str(memory.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = {}
        for message in asked:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            process.stdin.flush()
            if "id" in message:
                answer = json.loads(process.stdout.readline())
                answers[answer["id"]] = answer
        rest, errors = process.communicate(timeout=30)
    assert rest == ""
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert set(answers) == {1, 2, 3, 9}
    assert answers[2]["result"]["isError"] is False
    assert answers[3]["result"]["isError"] is True


def test_http_is_for_those_who_have_the_token(memory: Memory) -> None:
    headers = {"Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with serving(memory.directory, "--mcp", "--http") as (url, token):
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/mcp")
        allowed = {**headers, "Authorization": f"Bearer {token}"}
        cases: list[tuple[int, dict[str, str]]] = [
            (401, headers),
            (401, {**headers, "Authorization": f"Bearer {token}x"}),
            (401, {**headers, "Authorization": f"Basic {token}"}),
            (421, {**allowed, "Host": "evil.example"}),
            (403, {**allowed, "Origin": "https://evil.example"}),
            (403, {**allowed, "Origin": "null"}),
        ]
        for status, sent in cases:
            assert httpx2.post(url, json=asked, headers=sent).status_code == status, sent
        large = httpx2.post(url, content=b" " * 2**19, headers=allowed)
        assert large.status_code == 413
        assert httpx2.get(url.removesuffix("mcp"), headers=allowed).status_code == 404
