"""The application: a route for each tool, and for what the answers refer to."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Path, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from agentctx import __version__
from agentctx.agents import arguments
from agentctx.agents.guard import LOOPBACK, MAX_BODY, Guard
from agentctx.agents.http.answers import (
    Answer,
    ObservationAnswer,
    answer,
    install,
    observation,
    possible,
)
from agentctx.agents.http.metrics import CONTENT_TYPE, Metrics
from agentctx.agents.results import explained
from agentctx.agents.toolset import Tool, ToolSet
from agentctx.errors import QueryError
from agentctx.ingest import Progress
from agentctx.records import Media, Observation

# So many tools work at once; what is asked meanwhile waits.
_AT_ONCE = 8
_CHUNK = 256 * 1024
_T = TypeVar("_T")
# Nothing begins then: reading that much shows that the catalog answers.
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)
# What any operation may answer when a request is not in order.
_GUARDED = (400, 401, 403, 408, 413, 421, 500, 503, 504)
# The guard has checked the token; this tells it to readers of the OpenAPI document.
_TOKEN = [Depends(HTTPBearer(auto_error=False, description="The server's token."))]
_Id = Annotated[str, Path(pattern="^[0-9a-f]{4,64}$", description="An id, or its beginning.")]
# Media are whatever the user had: no browser may take them for a page of this server.
_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "attachment",
}


def application(
    tools: ToolSet,
    token: str,
    hosts: Collection[str] = LOOPBACK,
    *,
    max_body: int = MAX_BODY,
    seconds: float = 120.0,
) -> Guard:
    """The tools as an ASGI application, for those who have the token.

    ``hosts`` are the names by which clients may call this server. A request may have ``max_body``
    bytes, and its answer begins within ``seconds`` or says that it does not.
    """
    work = _Work()
    app = FastAPI(
        title="agentctx",
        version=__version__,
        summary="A memory of what was on the screen, said and measured, with citations.",
        docs_url=None,
        redoc_url=None,
        lifespan=work.lifespan,
        responses=possible(*_GUARDED, 422),
    )
    install(app)
    metrics = Metrics()
    for tool in tools.tools:
        _add(app, tool, tools, work, metrics)
    _add_observations(app, tools, work)
    _add_state(app, tools, work, metrics)
    return Guard(app, token, hosts, public=("/health",), max_body=max_body, seconds=seconds)


class _Work:
    """Threads for what takes a while; work whose request has ended ends at its next progress."""

    def __init__(self) -> None:
        self._pool = _threads()

    async def run(self, call: Callable[[Progress], _T]) -> _T:
        ended = threading.Event()

        def progress(done: int, total: int, name: str) -> None:
            del done, total, name
            if ended.is_set():
                raise InterruptedError("the request has ended")

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, progress)
        finally:
            ended.set()

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        yield
        # The application can be started again.
        ended, self._pool = self._pool, _threads()
        ended.shutdown(wait=False, cancel_futures=True)


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="agentctx-http")


def _add(app: FastAPI, tool: Tool, tools: ToolSet, work: _Work, metrics: Metrics) -> None:
    """One tool as an operation: its arguments are the body."""

    async def call(given: arguments.Arguments) -> Answer:
        with metrics.measured(tool.name):
            plain = given.model_dump()
            return answer(await work.run(lambda progress: tools.call(tool.name, plain, progress)))

    call.__annotations__["given"] = tool.arguments
    app.add_api_route(
        f"/tools/{tool.name}",
        call,
        methods=["POST"],
        operation_id=tool.name,
        summary=tool.name.replace("_", " ").capitalize(),
        description=tool.description,
        dependencies=_TOKEN,
        responses=possible(501) if tool.slow else None,
    )


def _add_observations(app: FastAPI, tools: ToolSet, work: _Work) -> None:
    def find(id_: str) -> Observation:
        try:
            (one,) = tools.memory.get([id_])
        except QueryError as error:
            raise HTTPException(404, explained(error)) from error
        return one

    def media(id_: str, kind: str) -> Media:
        found = find(id_).find_media(kind)
        if found is None:
            raise HTTPException(404, f"the memory keeps no {kind} of it")
        return found

    found: dict[str, Any] = {"dependencies": _TOKEN, "responses": possible(404)}
    sent = {200: {"description": "The bytes.", "content": {"*/*": {}}}, **possible(404)}
    raw: dict[str, Any] = {
        "dependencies": _TOKEN,
        "responses": sent,
        "response_class": StreamingResponse,
    }

    @app.get("/observations/{id}", **found)
    async def get_observation(id: _Id) -> ObservationAnswer:
        """Everything that is known of an observation."""
        return observation(await work.run(lambda _: find(id)))

    @app.get("/observations/{id}/original", **raw)
    async def get_original(id: _Id) -> Response:
        """The file that an observation was made from, byte for byte, if it was kept."""
        return _stream(await work.run(lambda _: media(id, "original")))

    @app.get("/observations/{id}/thumbnail", **raw)
    async def get_thumbnail(id: _Id) -> Response:
        """A small picture of an observation, if it has one."""
        return _stream(await work.run(lambda _: media(id, "thumbnail")))


def _add_state(app: FastAPI, tools: ToolSet, work: _Work, metrics: Metrics) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the memory can be read. Needs no token, and tells nothing of what is in it."""
        await work.run(lambda _: tools.memory.timeline(since=_NEVER))
        return {"status": "ok", "version": __version__}

    @app.get("/metrics", dependencies=_TOKEN, response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Calls, errors and seconds by tool, for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _stream(media: Media) -> StreamingResponse:
    def chunks() -> Iterator[bytes]:
        with media.open() as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    headers = {**_INERT, "Content-Length": str(media.size)}
    return StreamingResponse(chunks(), media_type=media.mime, headers=headers)
