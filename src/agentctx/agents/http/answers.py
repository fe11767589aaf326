"""What is answered: results, observations, and problems (RFC 9457) instead of errors."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from agentctx.agents.guard import problem
from agentctx.agents.results import ToolResult, explained
from agentctx.errors import (
    AgentctxError,
    ConfigError,
    MissingExtra,
    QueryError,
    SourceError,
    SourceTooLarge,
    StoreError,
)
from agentctx.records import SHORT_ID, Observation

MEDIA_TYPE = "application/problem+json"
_STATUS: Sequence[tuple[type[AgentctxError], int]] = (
    (QueryError, 400),
    (ConfigError, 400),
    (SourceTooLarge, 413),
    (SourceError, 422),
    (StoreError, 503),
    (MissingExtra, 501),
    (AgentctxError, 500),
)


class Problem(BaseModel):
    """What went wrong, and what to do."""

    type: str
    title: str
    status: int
    detail: str


class PictureAnswer(BaseModel):
    """A thumbnail: of which citation, and its bytes in base64."""

    id: str
    mime: str
    base64: str


class LinkAnswer(BaseModel):
    """Where an original can be read, below this server's address."""

    href: str
    name: str
    mime: str
    size: int


class Answer(BaseModel):
    """What a tool answers: text for a model, the same as data, thumbnails, links to originals."""

    text: str
    data: dict[str, Any]
    pictures: list[PictureAnswer]
    links: list[LinkAnswer]


class MediaAnswer(BaseModel):
    """A file of an observation; only originals and thumbnails can be read here."""

    kind: str
    mime: str
    size: int
    href: str | None


class ObservationAnswer(BaseModel):
    """An observation as it is, for programs: its text may be anything."""

    id: str
    modality: str
    text: str
    captured_at: str
    duration: float
    session: str
    source: str
    attributes: dict[str, Any]
    media: list[MediaAnswer]


def answer(result: ToolResult) -> Answer:
    """A tool's result as JSON."""
    pictures = [
        PictureAnswer(id=one.id, mime=one.media.mime, base64=one.base64())
        for one in result.pictures
    ]
    links = [
        LinkAnswer(href=_href(one.uri.rsplit("/", 1)[-1], "original"), **_about(one))
        for one in result.links
    ]
    return Answer(text=result.text, data=dict(result.data), pictures=pictures, links=links)


def observation(one: Observation) -> ObservationAnswer:
    """An observation as JSON."""
    readable = ("original", "thumbnail")
    media = [
        MediaAnswer(
            kind=media.kind,
            mime=media.mime,
            size=media.size,
            href=_href(one.id[:SHORT_ID], media.kind) if media.kind in readable else None,
        )
        for media in one.media
    ]
    plain = {name: getattr(one, name) for name in ("modality", "text", "duration", "session")}
    return ObservationAnswer(
        id=one.id,
        captured_at=one.captured_at.isoformat(),
        source=one.source,
        attributes=dict(one.attributes),
        media=media,
        **plain,
    )


def install(app: FastAPI) -> None:
    """Have every error of an application answered as a problem, never with a traceback."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, AgentctxError)
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        return refused(status, explained(error))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        found = [f"{'.'.join(map(str, one['loc']))[:80]}: {one['msg']}" for one in error.errors()]
        return refused(422, "; ".join(found[:5])[:600])

    async def unrouted(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return refused(error.status_code, str(error.detail), error.headers)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return refused(500, "an error inside of the server; its own log has the cause")

    app.add_exception_handler(AgentctxError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, unrouted)
    app.add_exception_handler(Exception, unexpected)


def refused(status: int, why: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that is a problem."""
    body = problem(status, HTTPStatus(status).phrase, why)
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def possible(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the problems that an operation may answer with."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def _href(id_: str, kind: str) -> str:
    return f"/observations/{id_}/{kind}"


def _about(link: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": link.name, "mime": link.mime, "size": link.size}
