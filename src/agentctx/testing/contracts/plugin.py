"""What every plugin must hold."""

import hashlib
import itertools
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from agentctx.contracts import Plugin, Services, Source
from agentctx.errors import SourceError
from agentctx.records import Media, Observation
from agentctx.testing.contracts.factory import FactoryContract

_HINTS: Mapping[str, Any] = {
    "session": "contract",
    "captured_at": datetime(2026, 3, 14, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    "attributes": {"place": "bench", "marks": ("a", "b")},
}


class PluginContract(FactoryContract):
    """A plugin: it knows its files, tells of them in order and the same each time, and says no.

    ``own_times``: whether each observation's time is in the file, so that a hint changes nothing.
    """

    contract = Plugin
    own_times: ClassVar[bool] = False

    @pytest.fixture
    def sources(self) -> Sequence[Path]:
        """Files that it must observe. To be overridden."""
        raise NotImplementedError("give the suite `sources`: files that the plugin observes")

    @pytest.fixture
    def foreign(self) -> Sequence[Path]:
        """Files that it must not accept. To be overridden."""
        raise NotImplementedError("give the suite `foreign`: files that the plugin must not accept")

    @pytest.fixture
    def damaged(self) -> Sequence[Path]:
        """Files that it must refuse by a SourceError. To be overridden."""
        raise NotImplementedError("give the suite `damaged`: files that raise a SourceError")

    def observe(self, services: Services, path: Path, **hints: Any) -> list[Observation]:  # noqa: ANN401
        """What a fresh plugin makes of a file."""
        found = self.make(services).observe(_source(path, **{**_HINTS, **hints}))
        assert isinstance(found, Iterator), f"observe() gives a {type(found).__name__}, no iterator"
        return list(found)

    def test_it_accepts_its_own_and_nothing_else(
        self, services: Services, sources: Sequence[Path], foreign: Sequence[Path]
    ) -> None:
        """Each of ``sources``, none of ``foreign``."""
        plugin = self.make(services)
        for path in sources:
            assert plugin.accepts(_source(path)) is True, f"{path.name} is not accepted"
        for path in foreign:
            assert plugin.accepts(_source(path)) is False, f"{path.name} is accepted"

    def test_accepting_never_raises_and_remembers_nothing(
        self, services: Services, sources: Sequence[Path], tmp_path: Path
    ) -> None:
        """Whatever the first bytes are, under every extension it knows and none."""
        plugin = self.make(services)
        suffixes = sorted({path.suffix for path in sources} | {"", ".unknown"})
        for number, head in enumerate(_heads(sources)):
            for suffix in suffixes:
                path = tmp_path / f"{number}{suffix}"
                path.write_bytes(head)
                try:
                    first, again = (plugin.accepts(_source(path)) for _ in range(2))
                except Exception as error:
                    raise AssertionError(
                        f"accepts({head[:40]!r}, {suffix!r}): {error!r}"
                    ) from error
                assert first is again, f"accepts({head[:40]!r}, {suffix!r}): {first}, then {again}"
                path.unlink()

    def test_observations_are_whole(self, services: Services, sources: Sequence[Path]) -> None:
        """In order of time, with modality, source, plain attributes, and media as they say."""
        for path in sources:
            found = self.observe(services, path)
            assert found, f"{path.name} gives nothing; what holds nothing raises SourceInvalid"
            for before, after in itertools.pairwise(found):
                assert before.captured_at <= after.captured_at, f"out of order: {after}"
            for one in found:
                _check_labels(one, path)
                _check_attributes(one)
                for media in one.media:
                    _check_media(media)

    def test_the_same_file_gives_the_same_ids(
        self, services: Services, sources: Sequence[Path]
    ) -> None:
        """Adding a file twice must leave a memory unchanged."""
        for path in sources:
            one, other = (self.observe(services, path) for _ in range(2))
            assert [o.id for o in one] == [o.id for o in other], f"{one} is then {other}"

    def test_times_follow_the_hint_and_no_zone(
        self, services: Services, sources: Sequence[Path]
    ) -> None:
        """An hour later in the hint is an hour later in each, whatever zone the machine is in."""
        hour = timedelta(hours=1)
        shift = timedelta() if self.own_times else hour
        for path in sources:
            found = self.observe(services, path)
            with _another_zone():
                moved = self.observe(services, path, captured_at=_HINTS["captured_at"] + hour)
            for one, other in zip(found, moved, strict=True):
                moves = other.captured_at - one.captured_at
                assert moves == shift, f"{path.name}: it moves by {moves}, not by {shift}: {one}"

    def test_damaged_files_are_refused_by_name(
        self, services: Services, damaged: Sequence[Path]
    ) -> None:
        """By a SourceError, and by no other exception."""
        assert damaged, "give the suite at least one damaged file"
        for path in damaged:
            with pytest.raises(Exception) as raised:  # noqa: PT011 - any, so that it can be told
                self.observe(services, path)
            error = raised.value
            assert isinstance(error, SourceError), f"{path.name}: {error!r} is no SourceError"
            assert error.source == str(path), f"{path.name}: the error names {error.source!r}"
            assert error.reason, f"{path.name}: the error gives no reason"


def _check_labels(one: Observation, path: Path) -> None:
    assert one.modality, f"{one} has no modality"
    assert one.source == str(path), f"source is {one.source!r}, not {str(path)!r}"
    assert one.session == _HINTS["session"], f"the session is {one.session!r}, not the caller's"
    for name, value in _HINTS["attributes"].items():
        given = one.attributes.get(name)
        assert given == value, f"attribute {name!r} of the caller is {given!r}, not {value!r}"
    assert math.isfinite(one.duration), f"duration is {one.duration}"


def _check_attributes(one: Observation) -> None:
    try:
        json.dumps(dict(one.attributes), allow_nan=False)
    except ValueError as error:
        raise AssertionError(f"attributes are no JSON: {error}: {one}") from error


def _check_media(media: Media) -> None:
    data = media.read()
    assert media.digest == hashlib.sha256(data).hexdigest(), f"wrong digest: {media}"
    assert media.size == len(data), f"wrong size: {media} has {len(data)} bytes"
    assert media.kind, f"{media} has no kind"
    assert "/" in media.mime, f"{media.mime!r} is no media type"


@contextmanager
def _another_zone() -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change its time zone for one process")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo" if time.timezone == 0 else "UTC")
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()


def _source(path: Path, **known: Any) -> Source:  # noqa: ANN401
    with path.open("rb") as file:
        return Source(path, file.read(4096), **known)


def _heads(sources: Sequence[Path]) -> Iterator[bytes]:
    noise = np.random.default_rng(0)
    yield from (b"", b"\0", b"\n", b"{", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 4096, b"\xff" * 4096)
    yield from (noise.bytes(length) for length in (1, 16, 512, 4096))
    for path in sources:
        head = _source(path).head
        yield from (head[:length] for length in (1, 2, 3, 4, 8, 12, 16, 64, 511))
        for _ in range(8):
            changed = bytearray(head)
            changed[noise.integers(len(head))] = noise.integers(256)
            yield bytes(changed)
