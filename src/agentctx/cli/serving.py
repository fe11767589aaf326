"""The command that serves a memory to agents: over MCP, or over HTTP."""

import ipaddress
import json
import secrets
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agentctx.cli.opening import make_memory, open_memory
from agentctx.cli.options import in_memory, options, split

if TYPE_CHECKING:
    from agentctx.agents.guard import Guard
    from agentctx.agents.toolset import ToolSet

_PORT = 8765
_SHORTEST_TOKEN = 16
# Requests at once, those that wait among them; more are told to come again.
_CONCURRENCY = 64
_GRACE_SECONDS = 5

_network = options(
    click.option("--host", help="Where HTTP listens.  [default: 127.0.0.1]"),
    click.option(
        "--port", type=click.IntRange(0, 65_535), help=f"0: any that is free.  [default: {_PORT}]"
    ),
    click.option(
        "--allow-host",
        "names",
        multiple=True,
        metavar="NAME",
        help="A name that clients call this server by, besides --host and those of this machine.",
    ),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="What clients must send as bearer token; if not given, one is made and shown.",
    ),
)


@click.command("serve")
@click.option("--mcp", is_flag=True, help="Speak MCP: over standard input and output, or --http.")
@click.option("--http", is_flag=True, help="With --mcp: streamable HTTP, at /mcp.")
@_network
@click.option("--write", is_flag=True, help="Offer tools that add notes and, of --root, files.")
@click.option("--forget", is_flag=True, help="Offer the tool that erases for good.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A directory whose files may be added with --write; no other file is read.",
)
@click.option("--session", default="", help="What is added without a session belongs to this one.")
@in_memory
def serve(mcp: bool, http: bool, as_json: bool, **rest: Any) -> None:
    """Serve a memory to agents, until interrupted (docs/agents.md).

    Without --mcp it is an HTTP interface with OpenAPI. HTTP needs a token, and listens on this
    machine only unless --host says otherwise. With --write a new memory is made if there is none.
    """
    from agentctx.agents.toolset import ToolSet

    where, given = split(rest)
    network = {name: given.pop(name) for name in ("host", "port", "names", "token_file")}
    if http and not mcp:
        raise click.UsageError("--http belongs to --mcp; without both the interface is HTTP")
    if mcp and not http and any(value not in (None, ()) for value in network.values()):
        raise click.UsageError("--host, --port, --allow-host and --token-file need --http")
    if given["roots"] and not given["write"]:
        raise click.UsageError("--root allows files to be added, which needs --write")
    opening = make_memory if given["write"] else open_memory
    with opening(**where) as memory:
        tools = ToolSet(memory, **given)
        if mcp and not http:
            from agentctx.agents import mcp as speaking

            speaking.run(speaking.server(tools))
        else:
            _listen(tools, mcp, as_json, **network)


def _listen(
    tools: "ToolSet",
    mcp: bool,
    as_json: bool,
    host: str | None,
    port: int | None,
    names: tuple[str, ...],
    token_file: Path | None,
) -> None:
    from agentctx.extras import require

    uvicorn = require("uvicorn", extra="serve")
    host = host or "127.0.0.1"
    token = secrets.token_urlsafe(32) if token_file is None else _token(token_file)
    served = _application(tools, mcp, token, _hosts(host, names))
    with _bound(host, _PORT if port is None else port) as listening:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listening.getsockname()[1]}{'/mcp' if mcp else ''}"
        _announce(url, token if token_file is None else None, as_json, _is_loopback(host))
        config = uvicorn.Config(
            served,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONCURRENCY,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _application(tools: "ToolSet", mcp: bool, token: str, hosts: tuple[str, ...]) -> "Guard":
    if mcp:
        from agentctx.agents import mcp as speaking

        return speaking.application(speaking.server(tools), token, hosts)
    from agentctx.agents.http import application

    return application(tools, token, hosts)


def _announce(url: str, token: str | None, as_json: bool, loopback: bool) -> None:
    """Say on standard error where the server is, and its token if it was just made."""
    from agentctx.cli.output import notice

    if as_json:
        said = {"url": url, **({} if token is None else {"token": token})}
        click.echo(json.dumps(said), err=True)
        return
    notice(f"serving at {url}; end with Ctrl-C")
    if token is not None:
        notice(f"clients need this token: {token}")
    if not loopback:
        notice("other machines can connect, and nothing is encrypted: put a TLS proxy before it")


def _hosts(host: str, names: tuple[str, ...]) -> tuple[str, ...]:
    from agentctx.agents.guard import LOOPBACK

    address = _address(host)
    if address is not None and address.is_unspecified and not names:
        raise click.UsageError(
            f"--host {host} is every address of this machine: give each name or address that "
            "clients call it by with --allow-host"
        )
    plain = [
        f"[{one}]" if ":" in one and not one.startswith("[") else one for one in (host, *names)
    ]
    return (*LOOPBACK, *(one.lower() for one in plain))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _bound(host: str, port: int) -> socket.socket:
    from agentctx.errors import ConfigError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {error}; try --port 0") from error


def _token(path: Path) -> str:
    from agentctx.errors import ConfigError

    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as a token: {error}") from error
    if len(token) < _SHORTEST_TOKEN or len(token.split()) != 1 or not token.isprintable():
        raise ConfigError(
            f"{path} must hold one word of {_SHORTEST_TOKEN} characters or more; make one with: "
            "openssl rand -hex 32"
        )
    return token
