"""A model hub on this machine, and places to keep weights in."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest

from agentctx.weights.pins import WeightSet

FILES = {"config.json": b'{"hidden_size": 4}', "model.bin": bytes(range(256)) * 64}


@dataclass
class Hub:
    """Speaks what the Hugging Face hub speaks when one file of a repository is asked for.

    ``model.bin`` is kept in large-file storage: it is answered by a redirect, with its digest and
    size in ``X-Linked-ETag`` and ``X-Linked-Size``, as the hub does. ``asked`` are the requests.
    """

    repo: str = "someone/model"
    commit: str = "c0ffee" + "0" * 34
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    asked: list[str] = field(default_factory=list)
    breaks_off: bool = False
    endpoint: str = ""

    @property
    def storage(self) -> str:
        """Large files come from another host than the hub's; this machine has a second name."""
        return self.endpoint.replace("127.0.0.1", "localhost") + "/storage"


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self.answer(send=False)

    def do_GET(self) -> None:
        self.answer(send=True)

    def answer(self, *, send: bool) -> None:
        hub = self.hub
        hub.asked.append(f"{self.command} {self.path}")
        if self.path.startswith(f"/api/models/{hub.repo}/"):
            self.reply(200, {"Content-Type": "application/json"}, self.listing())
            return
        if self.path.startswith("/storage/"):
            name = self.path.removeprefix("/storage/")
            self.reply(200, {"ETag": digest(hub.files[name])}, hub.files[name] if send else b"")
            return
        repo, _, rest = self.path.removeprefix("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        if repo != hub.repo:
            self.reply(404, {"X-Error-Code": "RepoNotFound"})
        elif revision not in (hub.commit, "main"):
            self.reply(404, {"X-Error-Code": "RevisionNotFound"})
        elif name not in hub.files:
            self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.commit})
        elif name == "model.bin":
            self.reply(
                302,
                {
                    "Location": f"{hub.storage}/{name}",
                    "X-Repo-Commit": hub.commit,
                    "X-Linked-ETag": digest(hub.files[name]),
                    "X-Linked-Size": str(len(hub.files[name])),
                },
            )
        else:
            content = hub.files[name]
            headers = {"ETag": digest(content)[:42] + '"', "X-Repo-Commit": hub.commit}
            self.reply(200, headers, content if send else b"", len(content))

    def listing(self) -> bytes:
        """What is in the repository: its tree, or, with the commit, all that is known of it."""
        if "/tree/" in self.path:
            files = self.hub.files.items()
            tree = [{"type": "file", "path": n, "size": len(c), "oid": "0"} for n, c in files]
            return json.dumps(tree).encode()
        listed = [{"rfilename": name} for name in self.hub.files]
        known = {"id": self.hub.repo, "sha": self.hub.commit, "siblings": listed}
        return json.dumps(known).encode()

    def reply(
        self, status: int, headers: dict[str, str], body: bytes = b"", size: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.hub.breaks_off else body)

    def log_message(self, *args: object) -> None:
        """Nothing to standard error; `Hub.asked` has it all."""


def digest(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub, with an empty cache of the client's for this test alone."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    hub = Hub()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub})) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield hub
        server.shutdown()
        thread.join()


@pytest.fixture
def pin(hub: Hub) -> WeightSet:
    """The hub's files, pinned; the package that may carry them is not installed."""
    return WeightSet(
        files={name: digest(content).strip('"') for name, content in FILES.items()},
        licence="MIT",
        package="carried_weights",
        folder="data",
        distribution="carried-weights==1.0.0",
        repo=hub.repo,
        revision=hub.commit,
    )


@pytest.fixture
def carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that carries the files, and that must not be imported."""
    package = tmp_path / "site" / "carried_weights"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('weights are data')")
    write(package / "data")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return package / "data"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A directory of the user's own with the files in it."""
    (tmp_path / "own").mkdir()
    return write(tmp_path / "own")


def write(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder
