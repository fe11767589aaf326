"""Nothing is taken of an archive with anything wrong in it, and the error says what and where."""

import io
import json
import random
import re
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from agentctx import Config, Memory, Observation
from agentctx.errors import ArchiveError, EncoderMismatch, StoreError
from agentctx.memory.archive import layout

from .conftest import NOTES
from .contents import counts
from .forged import members, parquet, put, remanifest, rerow, retable, write

Held = dict[str, bytes]
EMPTY = dict.fromkeys(
    ("observations", "media", "passages", "vectors", "tokens", "sources", "files"), 0
)
PICTURE = NOTES[6].media[0].digest


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """An empty memory that stays so."""
    with Memory.open(tmp_path_factory.mktemp("target") / "memory") as memory:
        yield memory


def refused(memory: Memory, archive: Path) -> str:
    """Import what must be refused; gives the message."""
    with pytest.raises(ArchiveError) as raised:
        memory.import_(archive, reencode=True)
    assert counts(memory) == EMPTY
    assert list(memory.directory.glob("media/*/*")) == []
    message = str(raised.value)
    assert message.startswith(f"{archive}: ") or "cannot be opened" in message
    return message


# -- the bytes of the file --------------------------------------------------------------------


def test_a_file_cut_anywhere(target: Memory, archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    cut = tmp_path / "cut"
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 1, len(whole) - 22, len(whole) - 500]:
        cut.write_bytes(whole[:length])
        assert "no ZIP file" in refused(target, cut)


def test_a_bit_flipped_anywhere(archive: Path, tmp_path: Path) -> None:
    """It is noticed, or it is where it has no meaning, and then all is taken as it is."""
    whole = archive.read_bytes()
    chance = random.Random(7)
    flipped = tmp_path / "flipped"
    taken = 0
    memory = Memory.open(tmp_path / "memory")
    # Everywhere, and once more where the directory of the ZIP is, which is small.
    places = [chance.randrange(len(whole)) for _ in range(60)]
    places += [chance.randrange(len(whole) - 1600, len(whole)) for _ in range(60)]
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << chance.randrange(8)
        flipped.write_bytes(data)
        try:
            memory.import_(flipped)
        except ArchiveError:
            assert counts(memory) == EMPTY
            continue
        taken += 1
        assert memory.verify().problems == ()
        memory.close()
        memory = Memory.open(tmp_path / f"memory-{taken}")
    memory.close()
    assert taken < len(places) / 2


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\5\6" + bytes(18), bytes(4096)])
def test_what_is_no_archive(target: Memory, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "other").write_bytes(data)
    refused(target, tmp_path / "other")


def test_what_cannot_be_opened(target: Memory, tmp_path: Path) -> None:
    assert "No such file" in refused(target, tmp_path / "absent")
    assert "Is a directory" in refused(target, tmp_path)


# -- the members ------------------------------------------------------------------------------


def drop(name: str) -> Callable[[Held], None]:
    return lambda held: held.__delitem__(name)


def extra(name: str, data: bytes = b"x") -> Callable[[Held], None]:
    return lambda held: held.__setitem__(name, data)


def manifest(**changes: Any) -> Callable[[Held], None]:
    return lambda held: remanifest(held, lambda found: found.update(changes))


def manifest_without(name: str) -> Callable[[Held], None]:
    return lambda held: remanifest(held, lambda found: found.__delitem__(name))


def first_card(**changes: Any) -> Callable[[Held], None]:
    return lambda held: remanifest(held, lambda found: found["spaces"][0].update(changes))


def table_says(name: str, **changes: Any) -> Callable[[Held], None]:
    return lambda held: remanifest(held, lambda found: found["tables"][name].update(changes))


def twice(held: Held) -> None:
    remanifest(held, lambda found: found["spaces"].append(found["spaces"][0]))


MEMBERS: dict[str, tuple[Callable[[Held], None], str]] = {
    "no manifest": (drop("manifest.json"), "it has no manifest.json"),
    "no json": (extra("manifest.json", b"{"), "manifest.json is not JSON"),
    "no text": (extra("manifest.json", b"\xff\xfe"), "manifest.json is not JSON"),
    "nested": (extra("manifest.json", b"[" * 100_000), "manifest.json is not JSON"),
    "long number": (extra("manifest.json", b"9" * 10_000), "manifest.json"),
    "other format": (manifest(format="zip"), "does not say that this is an archive of agentctx"),
    "list": (extra("manifest.json", b"[]"), "does not say that this is an archive of agentctx"),
    "newer": (manifest(version=2), "format 2 is newer than 1, .* upgrade agentctx"),
    "older": (manifest(version=0), "the format 0; there is none like it"),
    "no version": (manifest_without("version"), "the format None"),
    "true version": (manifest(version=True), "the format True"),
    "no time": (manifest(created_at="today"), "manifest.json is incomplete or damaged"),
    "no ids": (manifest_without("ids"), "manifest.json is incomplete or damaged: .*ids"),
    "odd ids": (manifest(ids=["../x"]), "manifest.json is incomplete or damaged"),
    "no spaces": (manifest(spaces=[]), "manifest.json is incomplete or damaged: .*the tables are"),
    "no card": (manifest(spaces=[7]), "manifest.json is incomplete or damaged"),
    "half a card": (manifest(spaces=[{"name": "x"}]), "manifest.json is incomplete or damaged"),
    "space twice": (twice, "a space is there twice"),
    "dimension": (first_card(dimension=-1), "-1 is no count"),
    "no dimension": (first_card(dimension="384"), "'384' is no count"),
    "huge dimension": (first_card(dimension=10**9), "has 1000000000 dimensions"),
    "other dimension": (first_card(dimension=383), "vectors/0.parquet has other columns"),
    "modality": (first_card(modalities=[1]), "manifest.json is incomplete or damaged"),
    "fewer media": (manifest(media=0), "media are in it, 0 should be"),
    "size": (table_says("media.parquet", size=1), "media.parquet has .* bytes, not 1"),
    "rows": (table_says("media.parquet", rows=1), "media.parquet has .* rows, not those"),
    "negative": (table_says("media.parquet", rows=-1), "-1 is no count"),
    "unknown": (table_says("media.parquet", extra=1), "a table has"),
    "sha256": (table_says("media.parquet", sha256="0" * 64), "media.parquet is damaged: its sha"),
    "no table": (drop("passages.parquet"), "passages.parquet is missing"),
    "no vectors": (drop("vectors/1.parquet"), "vectors/1.parquet is missing"),
    "stranger": (extra("readme.txt"), "'readme.txt' does not belong into an archive"),
    "upwards": (extra("../../../tmp/evil"), "'../../../tmp/evil' does not belong"),
    "absolute": (extra("/etc/passwd"), "'/etc/passwd' does not belong"),
    "media path": (extra("media/../x"), "'media/../x' does not belong"),
    "media name": (extra("media/" + "A" * 64), "does not belong"),
    "more media": (extra("media/" + "a" * 64), "media are in it"),
    "no media": (drop(f"media/{PICTURE}"), "media are in it"),
    "other media": (extra(f"media/{PICTURE}", b"eno"), f"media/{PICTURE} is damaged"),
    "longer media": (extra(f"media/{PICTURE}", b"longer"), f"media/{PICTURE} is damaged"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_members_that_do_not_fit(target: Memory, archive: Path, tmp_path: Path, case: str) -> None:
    change, says = MEMBERS[case]
    held = members(archive)
    change(held)
    message = refused(target, write(tmp_path / "forged", held))
    assert re.search(says, message), message


def test_a_member_twice(target: Memory, archive: Path, tmp_path: Path) -> None:
    forged = write(tmp_path / "forged", members(archive))
    with warnings.catch_warnings(), zipfile.ZipFile(forged, "a") as file:
        warnings.simplefilter("ignore")
        file.writestr("media.parquet", b"")
    assert "media.parquet is in it twice" in refused(target, forged)


def test_compressed_members(target: Memory, archive: Path, tmp_path: Path) -> None:
    forged = write(tmp_path / "forged", members(archive), zipfile.ZIP_DEFLATED)
    assert "is compressed, which members of archives are not" in refused(target, forged)


def test_a_long_manifest(
    target: Memory, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MANIFEST_BYTES", 100)
    assert "manifest.json has more than 100 bytes" in refused(target, archive)


def test_members_that_share_their_bytes(target: Memory, archive: Path, tmp_path: Path) -> None:
    """A ZIP whose directory lists one member under many names could be endless."""
    held = members(archive)
    forged = write(tmp_path / "forged", held | {"media/" + "0" * 64: bytes(100_000)})
    with zipfile.ZipFile(forged, "a") as file:
        large = file.getinfo("media/" + "0" * 64)
        for number in range(1, 9):
            copy = zipfile.ZipInfo("media/" + str(number) * 64)
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(copy, name, getattr(large, name))
            file.filelist.append(copy)
            file.NameToInfo[copy.filename] = copy
        file._didModify = True  # type: ignore[attr-defined]
    assert "its members are larger than the file" in refused(target, forged)


# -- the tables -------------------------------------------------------------------------------


def rows(name: str, change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Held], None]:
    def changed(found: list[dict[str, Any]]) -> None:
        change(found)

    return lambda held: rerow(held, name, changed)


def cell(name: str, row: int, **changes: Any) -> Callable[[Held], None]:
    return rows(name, lambda found: found[row].update(changes))


def columns(name: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Held], None]:
    return lambda held: retable(held, name, change)


def nullable(table: pa.Table) -> pa.Table:
    return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))


def bytes_of(name: str, data: bytes) -> Callable[[Held], None]:
    return lambda held: put(held, name, data)


def unit(*numbers: float) -> list[float]:
    return [*numbers, *([0.0] * (384 - len(numbers)))]


OBSERVATIONS = "observations.parquet"
PASSAGES = "passages.parquet"
MEDIA = "media.parquet"
VECTORS = "vectors/0.parquet"
TOKENS = "tokens/0.parquet"
SOURCES = "sources.parquet"

TABLES: dict[str, tuple[Callable[[Held], None], str]] = {
    # as Parquet
    "no parquet": (bytes_of(MEDIA, b"PAR1 or so PAR1"), "media.parquet cannot be read"),
    "empty file": (bytes_of(MEDIA, b""), "media.parquet cannot be read"),
    "column less": (columns(MEDIA, lambda t: t.drop_columns("mime")), "has other columns"),
    "column more": (
        columns(MEDIA, lambda t: t.append_column("x", t["size"])), "media.parquet has other columns"
    ),
    "type": (
        columns(PASSAGES, lambda t: t.set_column(2, "start", t["start"].cast("float64"))),
        "passages.parquet has other columns",
    ),
    "nullable": (columns(SOURCES, nullable), "sources.parquet has other columns"),
    # observations
    "id": (cell(OBSERVATIONS, 0, id="../x"), "observations.parquet, row 1: '../x' is no id"),
    "other id": (cell(OBSERVATIONS, 1, id="a" * 32), "row 2: its content is not that of its id"),
    "text": (cell(OBSERVATIONS, 2, text="forged"), "row 3: its content is not that of its id"),
    "session": (cell(OBSERVATIONS, 2, session="x"), "row 3: its content is not that of its id"),
    "time": (cell(OBSERVATIONS, 3, captured_at=0), "row 4: its content is not that of its id"),
    "no time": (cell(OBSERVATIONS, 3, captured_at=2**62), "row 4: captured_at is 46116860"),
    "negative": (cell(OBSERVATIONS, 0, duration=-1.0), "row 1: duration is -1.0 s"),
    "endless": (cell(OBSERVATIONS, 0, duration=float("inf")), "row 1: duration is inf s"),
    "no number": (cell(OBSERVATIONS, 0, duration=float("nan")), "row 1: duration is nan s"),
    "no json": (cell(OBSERVATIONS, 8, attributes="{"), "row 9: Expecting property name"),
    "no object": (cell(OBSERVATIONS, 8, attributes="[]"), "row 9: attributes are"),
    "objects": (cell(OBSERVATIONS, 8, attributes='{"a": {}}'), "row 9: attribute 'a' is {}"),
    "nested": (cell(OBSERVATIONS, 8, attributes="[" * 99_999), "row 9: attributes are nested"),
    "long": (cell(OBSERVATIONS, 8, attributes='{"a": ' + "9" * 5000 + "}"), "row 9: "),
    "twice": (rows(OBSERVATIONS, lambda r: r.append(r[0])), "the observation .* is there twice"),
    "fewer": (rows(OBSERVATIONS, lambda r: r.pop(2)), "is not there, or not at this place"),
    "order": (rows(OBSERVATIONS, lambda r: r.reverse()), "is not there, or not at this place"),
    # passages
    "beyond": (cell(PASSAGES, 0, stop=10**6), r"passages.parquet, row 1: 0\.\.1000000 is outside"),
    "before": (cell(PASSAGES, 0, start=-1), r"row 1: -1\.\.\d+ is outside"),
    "backwards": (cell(PASSAGES, 0, start=5, stop=4), r"row 1: 5\.\.4 is outside"),
    "ordinal": (cell(PASSAGES, 1, ordinal=1), "row 2: its ordinal is 1, not 0"),
    "huge": (cell(PASSAGES, 1, ordinal=2**63 - 1), "row 2: its ordinal is 9223372036854775807"),
    "stray": (cell(PASSAGES, 1, observation="b" * 32), "is not there, or not at this place"),
    # media
    "no file": (cell(MEDIA, 0, digest="c" * 64), "media.parquet, row 1: the file of the media 'cc"),
    "no digest": (cell(MEDIA, 0, digest="../../x"), "row 1: the file of the media"),
    "size": (cell(MEDIA, 0, size=4), "row 1: its size is 4, not that of the file"),
    "position": (cell(MEDIA, 1, position=0), "row 2: its position 0 is not behind 0"),
    "unused": (rows(MEDIA, lambda r: r.pop(0)), "content is not that of its id|belongs to no obs"),
    "other": (cell(MEDIA, 0, observation="d" * 32), "content is not that of its id"),
    # vectors
    "long vector": (cell(VECTORS, 4, vector=unit(1.0, 1.0)), r"vectors/0.parquet, row 5: .*1\.414"),
    "no vector": (cell(VECTORS, 4, vector=unit(0.0)), "row 5: its vector has the length 0"),
    "nan": (cell(VECTORS, 4, vector=unit(float("nan"))), "row 5: its vector has the length nan"),
    "inf": (cell(VECTORS, 4, vector=unit(float("inf"))), "row 5: its vector has the length inf"),
    "no passage": (cell(VECTORS, 4, ordinal=1), "row 5: the passage 1 is not there"),
    "below": (cell(VECTORS, 4, ordinal=-1), "row 5: the passage -1 is not there"),
    "no one's": (cell(TOKENS, 4, observation="e" * 32), "tokens/0.parquet, row 5: it belongs"),
    "vector twice": (rows(VECTORS, lambda r: r.insert(0, r[0])), "row 2: the passage 0"),
    # token matrices
    "shape": (cell(TOKENS, 0, tokens=1), "tokens/0.parquet, row 1: .* bytes are not 1 x 128"),
    "count": (cell(TOKENS, 0, tokens=-1, matrix=b""), "row 1: 0 bytes are not -1 x 128"),
    "ragged": (cell(TOKENS, 0, tokens=1, matrix=b"x"), "row 1: 1 bytes are not 1 x 128"),
    "no vector of": (cell(TOKENS, 0, ordinal=7), "row 1: the passage 7 has no vector"),
    "two": (rows(TOKENS, lambda r: r.insert(0, r[0])), "row 2: the passage 0 has no v"),
    # sources
    "source": (cell(SOURCES, 0, observation="f" * 32), "sources.parquet, row 1: the obs"),
    "no source": (cell(SOURCES, 0, observation="é"), "row 1: the observation 'é' is not there"),
    "key": (cell(SOURCES, 0, key="x"), "row 1: the key 'x' is none"),
    "unsorted": (rows(SOURCES, lambda r: r.reverse()), "or not in order"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_rows_that_do_not_fit(target: Memory, archive: Path, tmp_path: Path, case: str) -> None:
    change, says = TABLES[case]
    held = members(archive)
    change(held)
    message = refused(target, write(tmp_path / "forged", held))
    assert re.search(says, message), message
    assert "Nothing of it was taken" in message


def test_text_that_is_not_utf_8(target: Memory, archive: Path, tmp_path: Path) -> None:
    held = members(archive)
    data = held[OBSERVATIONS].replace(b"Note 3 says", b"Note \xff says")
    assert data != held[OBSERVATIONS]
    put(held, OBSERVATIONS, data)
    assert "observations.parquet cannot be read" in refused(
        target, write(tmp_path / "forged", held)
    )


# -- what would not fit into memory -----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"compression": "ZSTD"}, r"media.parquet is compressed \(ZSTD"),
        ({"use_dictionary": True}, "is compressed .*DICTIONARY"),
        ({"column_encoding": {"kind": "DELTA_BYTE_ARRAY"}}, "is compressed .*DELTA_BYTE_ARRAY"),
    ],
    ids=["compressed", "dictionary", "differences"],
)
def test_tables_that_could_unfold(
    target: Memory, archive: Path, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    held = members(archive)
    retable(held, MEDIA, lambda table: table, **options)
    assert re.search(says, refused(target, write(tmp_path / "forged", held)))


def test_a_bomb_costs_nothing(target: Memory, archive: Path, tmp_path: Path) -> None:
    """A text of a megabyte a thousand times, which is a gigabyte in a megabyte."""
    held = members(archive)
    import pyarrow.parquet as pq

    schema = pq.read_schema(io.BytesIO(held[OBSERVATIONS]))
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), ["x" * 2**20])
    arrays = [
        texts if field.name == "text" else pa.array([None if field.type == "x" else 0] * 1000)
        .cast(pa.int64()).cast(pa.string() if field.type == pa.string() else field.type)
        for field in schema
    ]  # fmt: skip
    fields = [field.with_type(array.type) for field, array in zip(schema, arrays, strict=True)]
    bomb = pa.table(arrays, schema=pa.schema(fields))
    put(held, OBSERVATIONS, parquet(bomb, use_dictionary=True, compression="ZSTD"), 1000)
    forged = write(tmp_path / "forged", held)
    assert forged.stat().st_size < 2**20
    before, start = pa.total_allocated_bytes(), time.perf_counter()
    tracemalloc.start()
    try:
        message = refused(target, forged)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "observations.parquet" in message
    assert peak < 20 * 2**20
    assert pa.total_allocated_bytes() - before < 20 * 2**20
    assert time.perf_counter() - start < 5


def test_a_group_of_rows_that_is_too_large(
    target: Memory, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "GROUP_BYTES", 1000)
    assert "bytes in one group" in refused(target, archive)


# -- what happens meanwhile -------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_checked(
    target: Memory, archive: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(archive.read_bytes())

    def touch(done: int, total: int, name: str) -> None:
        with copy.open("r+b") as file:
            file.truncate(copy.stat().st_size - (done == 0 and name == "checking"))

    with pytest.raises(StoreError, match=r"changed while it was being read|became shorter"):
        target.import_(copy, progress=touch)
    assert counts(target) == EMPTY


def test_an_archive_of_the_first_release_can_still_be_read(tmp_path: Path) -> None:
    """The stored one has a note, a picture, a passage more, and a source."""
    stored = Path(__file__).parent / "stored" / "format1.agentctx"
    with zipfile.ZipFile(stored) as file:
        assert json.loads(file.read("manifest.json"))["version"] == 1
    with Memory.open(tmp_path / "new") as memory:
        report = memory.import_(stored)
        assert (report.added, report.sources) == (4, 1)
        assert memory.verify().problems == ()
        assert memory.search("which pump leaks?")[0].text == "The seal of pump Alpha is leaking."


@pytest.mark.parametrize(("modality", "fits"), [("text", True), ("picture", False)])
def test_a_space_is_lacking_only_where_something_would_live_in_it(
    tmp_path: Path, modality: str, fits: bool
) -> None:
    words = Config(encoders=("minilm", "sensor-features"))
    with Memory.open(tmp_path / "words", words) as memory:
        memory.add(Observation(modality=modality, text="The seal of pump Alpha."))
        memory.export(tmp_path / "a.agentctx")
    with Memory.open(tmp_path / "new") as memory:
        if fits:
            assert memory.import_(tmp_path / "a.agentctx").added == 1
            return
        with pytest.raises(EncoderMismatch, match="none of the space 'picture'"):
            memory.import_(tmp_path / "a.agentctx")
