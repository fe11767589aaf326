"""What stands before every server on HTTP: who may ask, under which names, and how much at once.

Plain ASGI, so that it guards the MCP server and the HTTP interface alike. A web page that the
user happens to visit can send requests to this machine, also under a name that it has pointed
here (DNS rebinding): Host and Origin tell such requests, and none of them knows the token.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Arguments of tools are at most 20,000 characters long.
MAX_BODY = 256 * 1024
_BODY_SECONDS = 20.0
_TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    408: "Request Timeout",
    413: "Content Too Large",
    421: "Misdirected Request",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """An application that only sees requests that are in order; others get a problem (RFC 9457).

    ``hosts`` are the names (without a port) that clients use for this server. ``public`` are the
    paths that need no token. ``seconds`` is how long an answer may take to begin.
    """

    app: Application
    token: str = field(repr=False)
    hosts: Collection[str] = LOOPBACK
    public: Collection[str] = ()
    max_body: int = MAX_BODY
    seconds: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and hand it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served here")
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            deadline.reschedule(None)
            await send(message)

        try:
            self._check(scope)
            received = await self._received(scope, receive)
            async with asyncio.timeout(self.seconds) as deadline:
                await self.app(scope, received, sending)
        except _Refused as refusal:
            await _refuse(refusal, send)
        except TimeoutError:
            if started or not deadline.expired():
                raise
            why = f"it took more than {self.seconds:g} s; ask for less at once"
            await _refuse(_Refused(504, why), send)

    def _check(self, scope: Scope) -> None:
        given: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            given.setdefault(bytes(name).lower(), []).append(bytes(value).decode("latin-1"))
        host = given.get(b"host", [])
        if len(host) != 1 or _name(f"//{host[0]}") not in self.hosts:
            raise _Refused(421, "the Host header names another server than this one")
        origins = given.get(b"origin", [])
        if not all(self._is_ours(origin) for origin in origins):
            raise _Refused(403, "the request comes from a page of another origin")
        if scope["path"] in self.public:
            return
        words = (given.get(b"authorization") or [""])[0].split()
        wanted = self.token.encode()
        is_bearer = len(words) == 2 and words[0].lower() == "bearer"
        if not is_bearer or not hmac.compare_digest(words[1].encode("latin-1"), wanted):
            raise _Refused(401, "send the server's token as: Authorization: Bearer TOKEN")

    def _is_ours(self, origin: str) -> bool:
        return origin.startswith(("http://", "https://")) and _name(origin) in self.hosts

    async def _received(self, scope: Scope, receive: Receive) -> Receive:
        """The whole body, read before anything is done with it, and then what else comes."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self.max_body:
            raise self._too_large()
        body = bytearray()
        first: Message = {"type": "http.request", "body": b"", "more_body": False}
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        first = message
                        break
                    body += message.get("body", b"")
                    if len(body) > self.max_body:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        first["body"] = bytes(body)
                        break
        except TimeoutError:
            raise _Refused(408, f"the body did not come within {_BODY_SECONDS:g} s") from None
        waiting = [first]

        async def received() -> Message:
            return waiting.pop() if waiting else await receive()

        return received

    def _too_large(self) -> "_Refused":
        return _Refused(413, f"a request may have at most {self.max_body} bytes")


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    """The body of an answer that is a problem (RFC 9457)."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def _name(url: str) -> str:
    """The host of a URL in lower case, without user and port; empty when it has none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        return ""
    return f"[{host}]" if ":" in host else host


async def _refuse(refusal: _Refused, send: Send) -> None:
    status = refusal.status
    body = json.dumps(problem(status, _TITLES[status], str(refusal))).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        # What was sent beyond this is not read.
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
