"""Finds model files, and loads none whose sha256 is not the pinned one.

Places, in this order: a path the user gives, the local Hugging Face cache, an installed package
that carries the files, and the hub itself, only when downloads are allowed.
"""

import hashlib
import importlib.util
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from agentctx.errors import ConfigError, WeightsError, WeightsMismatch, WeightsNotFound
from agentctx.extras import require
from agentctx.weights.pins import PINS, WeightSet


class WeightStore:
    """Looks for pinned weights, and verifies what it finds.

    ``paths`` maps names to a directory (or to the file itself) of the user's own; ``endpoint``
    is another hub than the public one. Raises ConfigError for the name of no pinned set.
    """

    def __init__(
        self,
        paths: Mapping[str, Path] | None = None,
        *,
        allow_download: bool = False,
        endpoint: str | None = None,
        pins: Mapping[str, WeightSet] = PINS,
    ) -> None:
        self._paths = dict(paths or {})
        if unknown := sorted(set(self._paths) - set(pins)):
            raise ConfigError(
                f"weights: no set is called {', '.join(unknown)}; known: {', '.join(pins)}"
            )
        self._allow_download = allow_download
        self._endpoint = endpoint
        self._pins = pins
        self._found: dict[str, Path] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Path:
        """The directory that holds all files of a pinned set, each verified.

        Raises WeightsNotFound (with every place looked in and the pip line that brings the
        weights) or WeightsMismatch.
        """
        if name not in self._pins:
            raise WeightsError(f"no weights are called {name!r}; known: {', '.join(self._pins)}")
        with self._lock:
            if name not in self._found:
                self._found[name] = self._look(name, self._pins[name])
            return self._found[name]

    def repository(self, name: str, patterns: Sequence[str], revision: str = "main") -> Path:
        """The directory of a model that the user names on the hub, with its files of the patterns.

        From the local cache, and from the hub only when downloads are allowed. Nobody has pinned
        it: a commit as the ``revision`` holds it to one content. Raises WeightsNotFound when it
        may not be fetched, and WeightsError when it cannot be.
        """
        hub = require("huggingface_hub", extra="default")
        try:
            found = hub.snapshot_download(
                name,
                revision=revision,
                allow_patterns=list(patterns),
                local_files_only=not self._allow_download,
                endpoint=self._endpoint,
            )
        except Exception as error:  # what its HTTP client raises has no common base
            if self._allow_download:
                raise WeightsError(f"{name!r} cannot be fetched from the hub: {error}") from error
            places = [
                f"a directory called {name}",
                f"the local Hugging Face cache: {name}",
                f"the hub: {name} (not asked: allow_download is off)",
            ]
            raise WeightsNotFound(name, places, f"hf download {name}") from error
        return Path(found)

    def _look(self, name: str, wanted: WeightSet) -> Path:
        looked: list[str] = []
        mismatch: WeightsMismatch | None = None
        for label, directory in self._places(name, wanted):
            if directory is None or not all((directory / file).is_file() for file in wanted.files):
                looked.append(label)
                continue
            try:
                _verify(name, directory, wanted)
            except WeightsMismatch as error:
                # Another revision in a cache must not hide the pinned one in a package.
                if name in self._paths and not looked:
                    raise
                looked.append(f"{label} (another sha256)")
                mismatch = mismatch or error
                continue
            return directory
        if mismatch is not None:
            raise mismatch
        raise WeightsNotFound(name, looked, f"pip install '{wanted.distribution}'")

    def _places(self, name: str, wanted: WeightSet) -> Iterator[tuple[str, Path | None]]:
        if name in self._paths:
            given = self._paths[name]
            yield f"the path given: {given}", given.parent if given.is_file() else given
        else:
            yield f"a path given for {name!r}: none", None
        if wanted.repo is not None:
            yield f"the local Hugging Face cache: {wanted.repo}", _cached(wanted)
        yield f"the installed package {wanted.distribution}", _carried(wanted)
        if wanted.repo is None:
            return
        if self._allow_download:
            yield f"the hub: {wanted.repo}", self._download(name, wanted)
        else:
            yield f"the hub: {wanted.repo} (not asked: allow_download is off)", None

    def _download(self, name: str, wanted: WeightSet) -> Path:
        hub = require("huggingface_hub", extra="default")
        try:
            for file in wanted.files:
                path = Path(
                    hub.hf_hub_download(
                        wanted.repo, file, revision=wanted.revision, endpoint=self._endpoint
                    )
                )
        except Exception as error:  # what its HTTP client raises has no common base
            raise WeightsError(f"{name!r} cannot be fetched from {wanted.repo}: {error}") from error
        return path.parent


def _cached(wanted: WeightSet) -> Path | None:
    hub = require("huggingface_hub", extra="default")
    file = next(iter(wanted.files))
    path = hub.try_to_load_from_cache(wanted.repo, file, revision=wanted.revision)
    return Path(path).parent if isinstance(path, str) else None


def _carried(wanted: WeightSet) -> Path | None:
    # find_spec of a top-level package imports nothing of it.
    spec = importlib.util.find_spec(wanted.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / wanted.folder


@cache
def _digest(path: Path, size: int, modified: int) -> str:
    # Once per process: a file that changes gets another size or time.
    del size, modified
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _verify(name: str, directory: Path, wanted: WeightSet) -> None:
    for file, pinned in wanted.files.items():
        status = (directory / file).stat()
        found = _digest(directory / file, status.st_size, status.st_mtime_ns)
        if found != pinned:
            raise WeightsMismatch(
                f"{directory / file} has sha256 {found}, but {name!r} is pinned to {pinned}; "
                f"it is not loaded. Remove it, or reinstall: pip install '{wanted.distribution}'"
            )
