"""What stands before the servers: each way of being refused, and that what is in order passes."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentctx.agents import guard
from agentctx.agents.guard import Guard

TOKEN = "a-token-of-the-test"
GOOD = {"host": "localhost:8765", "authorization": f"Bearer {TOKEN}"}


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Gives the body back, and then whatever message comes after it."""
    first, second = await receive(), await receive()
    body = first.get("body", b"") + second["type"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(
    guarded: Guard,
    headers: dict[str, str] | list[tuple[str, str]],
    body: list[bytes] | None = None,
    path: str = "/tools/search_context",
) -> tuple[int, bytes, dict[str, str]]:
    """One request through the guard: the status, the body, the headers."""
    parts = [b""] if body is None else body
    incoming: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": n < len(parts)}
        for n, part in enumerate(parts, 1)
    ]
    incoming.append({"type": "http.disconnect"})
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    scope = {"type": "http", "path": path, "method": "POST", "headers": encoded}
    asyncio.run(guarded(scope, receive, send))
    begun = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], b"".join(one["body"] for one in sent[1:]), begun


def test_what_is_in_order_passes_whole() -> None:
    status, body, _ = ask(Guard(echo, TOKEN), GOOD, [b"one ", b"two ", b""])
    assert (status, body) == (200, b"one two http.disconnect")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8765"}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"host": "localhost@evil.example"}, 421),
        ({"host": "evil.example@localhost"}, 421),
        ({"host": "localhost:port"}, 421),
        ({"host": "localhost/evil"}, 421),
        ({"host": "localhost#evil"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": ""}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"origin": "http://evil.example#localhost"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "file://localhost"}, 403),
        ({"origin": ""}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer " + TOKEN[:-1]}, 401),
        ({"authorization": f"Bearer {TOKEN} {TOKEN}"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": "Bearer t\xf6ken"}, 401),
        ({"content-length": str(guard.MAX_BODY + 1)}, 413),
        ({"content-length": "-1"}, 413),
        ({"content-length": "many"}, 413),
    ],
)
def test_what_is_not_is_refused_with_a_problem(change: dict[str, str], status: int) -> None:
    answered, body, headers = ask(Guard(echo, TOKEN), {**GOOD, **change})
    assert answered == status
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["status"] == status
    assert TOKEN not in body.decode()
    assert ("www-authenticate" in headers) == (status == 401)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "LOCALHOST"},
        {"host": "127.0.0.1:1"},
        {"host": "[::1]:8765"},
        {"origin": "http://localhost:3000"},
        {"origin": "https://127.0.0.1"},
        {"authorization": f"bearer   {TOKEN}"},
    ],
)
def test_other_ways_to_write_it_pass(change: dict[str, str]) -> None:
    assert ask(Guard(echo, TOKEN), {**GOOD, **change})[0] == 200


def test_a_header_cannot_be_given_twice_to_slip_through() -> None:
    twice = [*GOOD.items(), ("host", "evil.example")]
    assert ask(Guard(echo, TOKEN), twice)[0] == 421
    twice = [*GOOD.items(), ("origin", "http://localhost"), ("origin", "http://evil.example")]
    assert ask(Guard(echo, TOKEN), twice)[0] == 403
    assert ask(Guard(echo, TOKEN), [("authorization", GOOD["authorization"])])[0] == 421


def test_other_names_and_public_paths_are_as_told() -> None:
    guarded = Guard(echo, TOKEN, hosts=("memory.example",), public=("/health",))
    assert ask(guarded, {**GOOD, "host": "memory.example"})[0] == 200
    assert ask(guarded, GOOD)[0] == 421
    assert ask(guarded, {"host": "memory.example"}, path="/health")[0] == 200
    assert ask(guarded, {"host": "memory.example"}, path="/health/../tools")[0] == 401
    assert ask(guarded, {"host": "evil.example"}, path="/health")[0] == 421


def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    guarded = Guard(echo, TOKEN, max_body=10)
    assert ask(guarded, GOOD, [b"12345", b"67890"])[0] == 200
    status, body, _ = ask(guarded, GOOD, [b"12345", b"67890", b"1", b"never read"])
    assert status == 413
    assert b"at most 10 bytes" in body


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.01)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(5)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in GOOD.items()]
    scope = {"type": "http", "path": "/", "headers": headers}
    asyncio.run(Guard(echo, TOKEN)(scope, receive, send))
    assert sent[0]["status"] == 408


def test_an_answer_that_does_not_begin_is_given_up() -> None:
    ended = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append(True)

    status, body, _ = ask(Guard(slow, TOKEN, seconds=0.01), GOOD)
    assert (status, ended) == (504, [True])
    assert b"more than 0.01 s" in body


def test_an_answer_that_has_begun_takes_its_time() -> None:
    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"late"})

    assert ask(Guard(long, TOKEN, seconds=0.01), GOOD)[:2] == (200, b"late")


def test_the_applications_own_timeouts_are_not_taken_for_ours() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        ask(Guard(broken, TOKEN, seconds=5), GOOD)


def test_nothing_but_http_is_served() -> None:
    async def nothing(*given: Any) -> Any:
        raise AssertionError

    with pytest.raises(ValueError, match="websocket is not served"):
        asyncio.run(Guard(echo, TOKEN)({"type": "websocket"}, nothing, nothing))


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(Guard(echo, TOKEN))


@given(
    host=st.text(st.characters(codec="latin-1"), max_size=30),
    origin=st.none() | st.text(st.characters(codec="latin-1"), max_size=30),
    authorization=st.text(st.characters(codec="latin-1"), max_size=30),
)
def test_no_headers_pass_by_chance(host: str, origin: str | None, authorization: str) -> None:
    headers = {"host": host, "authorization": authorization}
    if origin is not None:
        headers["origin"] = origin
    assert ask(Guard(echo, TOKEN), headers)[0] in (401, 403, 421)
