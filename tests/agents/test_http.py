"""The HTTP interface: the tools, what they refer to, what is refused, and requests of all kinds."""

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.testclient import TestClient

from agentctx import Memory, Observation
from agentctx.agents import ToolSet
from agentctx.agents.http import application
from agentctx.agents.http.answers import MEDIA_TYPE
from agentctx.errors import MissingExtra, SourceTooLarge, StoreError

from .conftest import draw, log
from .serving import serving
from .test_mcp import CALLS

TOKEN = "a-token-of-the-test"
# Of each operation; a fifth of what hypothesis does unless it is told to take its time.
EXAMPLES = max(20, settings().max_examples // 5)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ADDRESS = "http://localhost:8765"


@pytest.fixture(scope="module")
def client(filled: Memory) -> Iterator[TestClient]:
    served = application(ToolSet(filled), TOKEN)
    with TestClient(served, base_url=ADDRESS, headers=HEADERS) as client:
        yield client


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def writing(memory: Memory, inbox: Path) -> Iterator[TestClient]:
    tools = ToolSet(memory, write=True, forget=True, roots=[inbox])
    served = application(tools, TOKEN)
    with TestClient(served, base_url=ADDRESS, headers=HEADERS) as client:
        yield client


def problem(response: Any, status: int) -> str:
    """What a refusal says; it must be a problem, and nothing of the inside."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert "Traceback" not in body["detail"]
    assert "site-packages" not in body["detail"]
    return str(body["detail"])


# -- tools ------------------------------------------------------------------------------------


def test_each_tool_that_reads_answers_what_the_tool_set_does(
    client: TestClient, filled: Memory
) -> None:
    tools = ToolSet(filled)
    found = tools.call("search_context", CALLS["search_context"]).data["citations"][0]["id"]
    for tool in tools.tools:
        given = CALLS.get(tool.name, {"id": found})
        wanted = tools.call(tool.name, given)
        response = client.post(f"/tools/{tool.name}", json=given)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["text"] == wanted.text
        assert answer["data"] == wanted.data
        assert [one["base64"] for one in answer["pictures"]] == [
            one.base64() for one in wanted.pictures
        ]
        assert [one["size"] for one in answer["links"]] == [one.size for one in wanted.links]
        for link in answer["links"]:
            assert len(client.get(link["href"]).content) == link["size"]


def test_each_tool_that_writes_writes(writing: TestClient, inbox: Path, memory: Memory) -> None:
    draw(inbox / "screen.png", "Valve open")
    (inbox / "call.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nThe valve is open.\n")
    log(inbox / "pump.csv")
    assert writing.post("/tools/remember", json={"text": "A note."}).status_code == 200
    for kind, name in {
        "screenshot": "screen.png",
        "speech": "call.srt",
        "sensor": "pump.csv",
    }.items():
        given = {"path": str(inbox / name), "session": "today"}
        response = writing.post(f"/tools/remember_{kind}", json=given)
        assert response.status_code == 200, response.text
    assert len({one.modality for one in memory.timeline()}) == 4
    given = {"session": "today", "confirm": True}
    assert writing.post("/tools/forget", json=given).status_code == 200
    assert [one.text for one in memory.timeline()] == ["A note."]


def test_tools_that_write_are_absent_unless_asked_for(client: TestClient) -> None:
    problem(client.post("/tools/remember", json={"text": "a"}), 404)
    problem(client.post("/tools/forget", json={"session": "a", "confirm": True}), 404)


@pytest.mark.parametrize(
    ("given", "status", "why"),
    [
        ({"query": "a", "since": "soon"}, 400, "since is 'soon'; give an ISO 8601"),
        ({"query": ""}, 422, "query: String should have at least 1 character"),
        ({"query": "a", "limit": 99}, 422, "limit: .*30"),
        ({"query": "a", "other": 1}, 422, "other: Extra inputs"),
        ({}, 422, "query: Field required"),
        ([], 422, "body"),
    ],
)
def test_what_makes_no_sense_is_the_callers_mistake(
    client: TestClient, given: Any, status: int, why: str
) -> None:
    import re

    assert re.search(why, problem(client.post("/tools/search_context", json=given), status))


def test_what_is_no_json_is_refused(client: TestClient) -> None:
    problem(client.post("/tools/search_context", content=b"{"), 422)
    problem(client.get("/tools/search_context"), 405)
    problem(client.get("/tools"), 404)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreError("the disk is full"), 503),
        (SourceTooLarge("a.png", "it is too large: split it"), 413),
        (MissingExtra("rapidocr", "screen"), 501),
        (ZeroDivisionError("secret detail"), 500),
    ],
)
def test_each_error_has_its_status(
    filled: Memory, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(Memory, "channels", fail)
    served = application(ToolSet(filled), TOKEN)
    client = TestClient(served, ADDRESS, raise_server_exceptions=False, headers=HEADERS)
    said = problem(client.post("/tools/read_sensor", json={}), status)
    assert ("secret" in said, str(error)[:12] in said) == (False, status != 500)
    text = client.get("/metrics").text
    counted = f'agentctx_tool_errors_total{{error="{type(error).__name__}",tool="read_sensor"}} 1.0'
    assert counted in text


# -- observations, state ----------------------------------------------------------------------


def test_an_observation_its_original_and_its_thumbnail(client: TestClient, filled: Memory) -> None:
    (screen,) = (one for one in filled.timeline(modality="screenshot") if "ALARM" in one.text)
    found = client.get(f"/observations/{screen.id[:10]}").json()
    assert (found["id"], found["text"]) == (screen.id, screen.text)
    assert found["captured_at"] == screen.captured_at.isoformat()
    for media in found["media"]:
        if media["href"] is None:
            assert media["kind"] not in ("original", "thumbnail")
            continue
        response = client.get(media["href"])
        stored = screen.find_media(media["kind"])
        assert stored is not None
        assert response.content == stored.read()
        assert response.headers["content-type"] == media["mime"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"] == "attachment"
        assert "sandbox" in response.headers["content-security-policy"]


def test_what_is_not_there_is_not_found(client: TestClient, filled: Memory) -> None:
    said = filled.timeline(modality="speech")[0]
    assert "no observation" in problem(client.get("/observations/ffffffff"), 404)
    assert "no original" in problem(client.get(f"/observations/{said.id}/original"), 404)
    assert "no thumbnail" in problem(client.get(f"/observations/{said.id}/thumbnail"), 404)


def test_health_needs_no_token_and_metrics_do(client: TestClient) -> None:
    stranger = TestClient(client.app, base_url=ADDRESS)
    assert stranger.get("/health").json()["status"] == "ok"
    problem(stranger.get("/metrics"), 401)
    problem(stranger.get("/openapi.json"), 401)
    client.post("/tools/read_sensor", json={})
    text = client.get("/metrics").text
    assert 'agentctx_tool_calls_total{tool="read_sensor"}' in text
    assert 'agentctx_tool_seconds_count{tool="read_sensor"}' in text


def test_health_says_when_the_memory_cannot_be_read(
    filled: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise StoreError("the catalog is gone")

    monkeypatch.setattr(Memory, "timeline", fail)
    client = TestClient(application(ToolSet(filled), TOKEN), base_url=ADDRESS)
    problem(client.get("/health"), 503)


# -- what is refused --------------------------------------------------------------------------


def test_strangers_other_origins_and_other_names_are_refused(client: TestClient) -> None:
    for path in ("/tools/search_context", "/observations/ffffffff", "/metrics", "/nothing"):
        stranger = TestClient(client.app, base_url=ADDRESS)
        problem(stranger.post(path, json={"query": "a"}), 401)
        problem(client.post(path, headers={"Authorization": f"Bearer {TOKEN}x"}), 401)
        problem(client.post(path, headers={"Origin": "https://evil.example"}), 403)
        problem(client.post(path, headers={"Host": "evil.example"}), 421)


@pytest.mark.parametrize(
    "path",
    [
        "/observations/..%2f..%2fcatalog.sqlite3/original",
        "/observations/%2e%2e/%2e%2e/catalog.sqlite3",
        "/observations/....//catalog.sqlite3",
        "/observations/%00/original",
        "/observations/ffff%0aevil/original",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (404, 422)
    problem(response, response.status_code)


def test_files_outside_of_the_roots_are_not_added(
    writing: TestClient, inbox: Path, memory: Memory
) -> None:
    outside = draw(inbox.parent / "private.png", "private")
    (inbox / "link.png").symlink_to(outside)
    for path in (outside, inbox / ".." / "private.png", inbox / "link.png", Path("/etc/passwd")):
        response = writing.post("/tools/remember_screenshot", json={"path": str(path)})
        assert "outside of the allowed directories" in problem(response, 400)
    problem(writing.post("/tools/remember_screenshot", json={"path": "a\0b"}), 400)
    assert memory.timeline() == []


def test_what_is_too_large_is_refused(filled: Memory) -> None:
    served = application(ToolSet(filled), TOKEN, max_body=1000)
    client = TestClient(served, base_url=ADDRESS, headers=HEADERS)
    given = {"query": "a" * 1000}
    assert "at most 1000 bytes" in problem(client.post("/tools/search_context", json=given), 413)
    assert client.post("/tools/search_context", json={"query": "a" * 900}).status_code == 200


def test_what_takes_too_long_is_given_up_and_ends(memory: Memory, inbox: Path) -> None:
    from .test_mcp import long_call

    long_call(inbox / "call.srt", 5000)
    tools = ToolSet(memory, write=True, roots=[inbox])
    client = TestClient(application(tools, TOKEN, seconds=0.4), ADDRESS, headers=HEADERS)
    given = {"path": str(inbox / "call.srt")}
    problem(client.post("/tools/remember_speech", json=given), 504)
    deadline = time.monotonic() + 20
    names = {"agentctx-http_0"}
    kept = -1
    while kept != (kept := len(memory.timeline())) and time.monotonic() < deadline:
        time.sleep(1)
    assert kept < 4000
    assert names & {thread.name for thread in threading.enumerate()}, "the thread works on"


def test_agentctx_serve_serves_it(filled: Memory, tmp_path: Path) -> None:
    with serving(filled.directory) as (url, token):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx2.post(f"{url}/tools/read_sensor", json={}, headers=headers, timeout=30)
        assert "pressure" in answer.json()["text"]
        assert "server" not in answer.headers
        problem(httpx2.get(f"{url}/metrics"), 401)
        problem(httpx2.get(f"{url}/health", headers={"Host": "evil.example"}), 421)


# -- requests of all kinds --------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("drawn")
    with Memory.open(folder / "memory") as memory:
        memory.add([Observation(text=f"Note {n} on pump {n % 3}.") for n in range(20)])
        tools = ToolSet(memory, write=True, forget=True, roots=[folder])
        yield schemathesis.openapi.from_asgi(
            "/openapi.json", application(tools, TOKEN), headers={**HEADERS, "Host": "localhost"}
        )


CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_breaks_the_server(drawn: Any, mode: GenerationMode) -> None:
    operations = [found.ok() for found in drawn.get_all_operations()]
    assert len(operations) == 15
    for operation in operations:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            case.call_and_validate(headers={**HEADERS, "Host": "localhost"}, checks=CHECKS)

        try:
            check()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "without arguments nothing can be wrong"


def test_pictures_are_whole(client: TestClient) -> None:
    answer = client.post("/tools/search_context", json=CALLS["search_context"]).json()
    assert answer["pictures"]
    for one in answer["pictures"]:
        assert base64.b64decode(one["base64"], validate=True)
