"""Files made to hurt: bombs, lying headers, deep nesting, absurd lengths and counts."""

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image

from corpus_parts import pictures, sounds, texts

Make = Callable[[], bytes]
_MB = 1024**2


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def _png(width: int, height: int, depth: int = 1, colour: int = 0, *chunks: bytes) -> bytes:
    """A whole PNG of zeros, whose pixels are really there, with further chunks before them."""
    row = 1 + (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8
    packer = zlib.compressobj(1)
    total, packed = row * height, []
    while total > 0:
        packed.append(packer.compress(bytes(min(total, _MB))))
        total -= _MB
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = _chunk(b"IDAT", b"".join(packed) + packer.flush())
    parts = _chunk(b"IHDR", header), *chunks, pixels, _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _text_bomb() -> bytes:
    return _chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(200 * _MB)))


def _sized_png(width: int, height: int) -> bytes:
    """A small PNG that says it is another size."""
    data = pictures.makers()["plain.png"]()
    return data[:8] + _chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29]) + data[33:]


def _sized_gif(width: int, height: int) -> bytes:
    data = bytearray(pictures.makers()["plain.gif"]())
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _sized_bmp(width: int, height: int) -> bytes:
    data = bytearray(pictures.makers()["plain.bmp"]())
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _sized_jpeg(width: int, height: int) -> bytes:
    data = bytearray(pictures.makers()["plain.jpg"]())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _sized_tiff(width: int, height: int) -> bytes:
    """The tags of width and height overwritten, little-endian."""
    data = bytearray(pictures.makers()["tiff_lzw.tiff"]())
    for tag, value in ((256, width), (257, height)):
        at = data.index(struct.pack("<HH", tag, 4) if struct.pack("<HH", tag, 4) in data
                        else struct.pack("<HH", tag, 3))  # fmt: skip
        data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(data)


def _tiff_loop() -> bytes:
    """A TIFF whose first directory names itself as the next one."""
    data = bytearray(pictures.makers()["raw.tif"]())
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    return bytes(data)


def _many_frames(count: int, side: int) -> bytes:
    frames = [Image.new("L", (side, side), number % 256) for number in range(count)]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=10)
    return data.getvalue()


def _noise_picture(width: int, height: int) -> bytes:
    pixels = np.random.default_rng(7).integers(0, 256, (height, width), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", compress_level=1)
    return data.getvalue()


def _stripes(width: int, height: int) -> bytes:
    """A picture of thousands of short marks, each of which may be a line of text."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[4::16, :] = pixels[5::16, :] = pixels[9::16, :] = 0
    pixels[:, ::24] = pixels[:, 1::24] = pixels[:, 2::24] = 255
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def _wav(rate: int, channels: int, bits: int, length: int, sound: bytes, form: int = 1) -> bytes:
    """A wav whose header may say anything."""
    block = min(0xFFFF, channels * bits // 8)
    fmt = struct.pack("<HHIIHH", form, channels, rate, min(0xFFFF_FFFF, rate * block), block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", length) + sound
    return b"RIFF" + struct.pack("<I", min(0xFFFF_FFFF, 4 + len(chunks))) + b"WAVE" + chunks


def _quiet_flac(seconds: int) -> bytes:
    """Hours of silence, which FLAC packs a thousandfold."""
    return sounds.encoded(sounds.FLAC, np.zeros(seconds * 16_000, np.int16))


def _loud_wav(seconds: int) -> bytes:
    """Noise, in which a recogniser may hear anything."""
    noise = np.random.default_rng(3).normal(0, 9000, seconds * 16_000).astype(np.int16)
    return _wav(16_000, 1, 16, noise.nbytes, noise.tobytes())


def _late_webm() -> bytes:
    """Two seconds of sound, the second of which says that it comes after a year."""
    return sounds.delayed(366 * 86_400)


def _deep_json(depth: int, inside: str = "1") -> bytes:
    return ('{"segments": ' + "[" * depth + inside + "]" * depth + "}").encode()


def _many_segments(count: int, segment: str) -> bytes:
    return ('{"segments": [' + ",".join([segment] * count) + "]}").encode()


def _rows_csv(rows: int, line: str = "{n},{n}") -> bytes:
    return b"time,flow\n" + "\n".join(line.format(n=1773478800 + n) for n in range(rows)).encode()


def _columns_csv(columns: int, rows: int = 3) -> bytes:
    header = "time," + ",".join(f"c{n}" for n in range(columns))
    lines = [f"{1773478800 + row}," + ",".join(["1"] * columns) for row in range(rows)]
    return "\n".join([header, *lines]).encode()


def _columns_jsonl(columns: int) -> bytes:
    row = {"ts": 1773478800, **{f"c{n}": n for n in range(columns)}}
    return b"\n".join(json.dumps({**row, "ts": 1773478800 + n}).encode() for n in range(3))


def _parquet_bomb(rows: int, values: str = "floats") -> bytes:
    """Equal values, which Parquet packs to nearly nothing, in one huge row group."""
    data = io.BytesIO()
    block = 100_000
    times = pa.array(np.full(block, 1773478800.0))
    column = {
        "floats": lambda: pa.array(np.zeros(block)),
        "texts": lambda: pa.array(["x" * 1000]).take(pa.array(np.zeros(block, np.int32))),
        "keys": lambda: pa.array([f"{n:07d}" for n in range(block)]),
    }[values]()
    table = pa.table({"time": times, "sensor" if values == "keys" else "flow": column})
    with parquet.ParquetWriter(data, table.schema, compression="zstd") as writer:
        for start in range(0, rows, 10 * block):
            part = pa.concat_tables([table] * min(10, (rows - start) // block))
            writer.write_table(part, row_group_size=rows)
    return data.getvalue()


def _parquet_columns(count: int) -> bytes:
    data = io.BytesIO()
    columns = {"time": [1.0], **{f"c{n}": [float(n)] for n in range(count)}}
    parquet.write_table(pa.table(columns), data)
    return data.getvalue()


def _parquet_footer(length: int) -> bytes:
    data = texts.makers()["snappy.parquet"]()
    return data[:-8] + struct.pack("<I", length) + b"PAR1"


def _deep_arrow(depth: int) -> bytes:
    kind: pa.DataType = pa.float64()
    for _ in range(depth):
        kind = pa.struct([("a", kind)])
    schema = pa.schema([("time", pa.float64()), ("value", kind)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema):
        pass
    return sink.getvalue().to_pybytes()


def _offsets_arrow() -> bytes:
    """An Arrow file whose strings begin and end far outside of it."""
    data = bytearray(texts.makers()["file.arrow"]())
    lying = struct.pack("<3i", 0, 3, 6)
    at = data.index(lying)
    data[at : at + 12] = struct.pack("<3i", 0, 0x7000_0000, 0x7FFF_FFFF)
    return bytes(data)


def _subtitles(count: int) -> bytes:
    return b"\n".join(b"%d\n00:00:00,000 --> 00:00:01,000\nYes.\n" % n for n in range(count))


def makers() -> Mapping[str, Make]:
    """What makes each hostile file, by its file name."""
    return dict([*_pictures(), *_sounds(), *_logs(), *_texts()])


def _pictures() -> Iterator[tuple[str, Make]]:
    for side in (9_000, 20_000, 50_000):
        yield f"bomb-{side}.png", partial(_png, side, side)
    yield "deep-bomb.png", partial(_png, 7_000, 7_000, 16, 0)
    yield "rgba-bomb.png", partial(_png, 7_000, 7_000, 8, 6)
    yield "rgba16-bomb.png", partial(_png, 6_900, 6_900, 16, 6)
    yield "thin.png", partial(_png, 1_000_000, 1)
    yield "tall.png", partial(_png, 1, 1_000_000)
    yield "ribbon.png", partial(_png, 40, 400_000, 8, 2)
    yield "text-bomb.png", lambda: _png(8, 8, 8, 2, _text_bomb())
    yield "texts-bomb.png", lambda: _png(8, 8, 8, 2, *[_text_bomb()] * 40)
    for size in ((0, 0), (0x7FFF_FFFF, 0x7FFF_FFFF), (0xFFFF_FFFF, 1), (6_000, 8_000)):
        yield f"lies-{size[0]}x{size[1]}.png", partial(_sized_png, *size)
        yield f"lies-{size[0]}x{size[1]}.tiff", partial(_sized_tiff, *size)
    for size in ((0, 0), (65_535, 65_535), (6_000, 8_000)):
        yield f"lies-{size[0]}x{size[1]}.gif", partial(_sized_gif, *size)
        yield f"lies-{size[0]}x{size[1]}.jpg", partial(_sized_jpeg, *size)
    for size in ((0, 0), (0x7FFF_FFFF, 0x7FFF_FFFF), (-5, -5), (6_000, -8_000)):
        yield f"lies-{size[0]}x{size[1]}.bmp", partial(_sized_bmp, *size)
    yield "loop.tiff", _tiff_loop
    yield "frames-3000.gif", partial(_many_frames, 3_000, 8)
    yield "frames-100.gif", partial(_many_frames, 100, 900)
    yield "noise.png", partial(_noise_picture, 1_500, 1_000)
    yield "stripes.png", partial(_stripes, 2_000, 1_500)


def _sounds() -> Iterator[tuple[str, Make]]:
    short = bytes(32_000)
    for name, rate, channels, bits, length in (
        ("rate-0", 0, 1, 16, 32_000), ("rate-1", 1, 1, 16, 32_000),
        ("rate-max", 0xFFFF_FFFF, 1, 16, 32_000), ("channels-0", 16_000, 0, 16, 32_000),
        ("channels-max", 16_000, 0xFFFF, 16, 32_000), ("bits-0", 16_000, 1, 0, 32_000),
        ("bits-max", 16_000, 1, 0xFFFF, 32_000), ("length-max", 16_000, 1, 16, 0xFFFF_FFFE),
        ("length-open", 16_000, 1, 16, 0xFFFF_FFFF), ("rate-8", 8, 1, 16, 32_000),
    ):  # fmt: skip
        yield f"{name}.wav", partial(_wav, rate, channels, bits, length, short)
    yield "codec-unknown.wav", partial(_wav, 16_000, 1, 16, 32_000, short, 0xABCD)
    yield "no-data.wav", lambda: _wav(16_000, 1, 16, 0, b"")[:36]
    hours = 9 * 3600 * 1000
    yield "quiet-9h.wav", lambda: _wav(1000, 1, 8, hours, b"\x80" * hours)
    yield "quiet-1h.flac", partial(_quiet_flac, 3600)
    yield "loud.wav", partial(_loud_wav, 20)
    yield "late.mka", _late_webm
    yield "playlist.mp3", lambda: b"#EXTM3U\nfile:///etc/passwd\nhttp://127.0.0.1:9/x.mp3\n"
    yield "sync-only.mp3", lambda: b"\xff\xfb\x90\x00" * 50_000
    yield "sync-only.aac", lambda: b"\xff\xf1\x50\x80\x00\x1f\xfc" * 30_000
    yield "pages-only.ogg", lambda: (b"OggS" + bytes(24)) * 20_000
    yield "boxes.mp4", lambda: struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(
        ">I4s", 8, b"moov") * 50_000  # fmt: skip
    yield "nested.mp4", lambda: struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"".join(
        struct.pack(">I4s", 8 * (5_000 - n), b"moov") for n in range(5_000))  # fmt: skip
    yield "zeros.mkv", lambda: b"\x1aE\xdf\xa3" + bytes(_MB)


def _logs() -> Iterator[tuple[str, Make]]:
    yield "rows.csv", partial(_rows_csv, 1_500_000)
    yield "columns.csv", partial(_columns_csv, 20_000)
    yield "columns-2000.csv", partial(_columns_csv, 2_000, 30)
    yield "columns.jsonl", partial(_columns_jsonl, 20_000)
    yield "one-line.csv", lambda: b"time,flow\n1,2," + b"3," * (10 * _MB)
    yield "one-cell.csv", lambda: b'time,flow\n1,"' + b"x" * (20 * _MB) + b'"\n2,3\n'
    yield "open-quote.csv", lambda: b'time,flow\n1,"' + b"2\n3,4\n" * _MB
    yield "wide-header.csv", lambda: b"time," + b"a" * (5 * _MB) + b"\n1,2\n"
    yield "nul.csv", lambda: b"time,flow\n1,2\n\0\0\0\n3,4\n"
    yield "late-nul.csv", lambda: _rows_csv(20_000) + b"\n\0\0,\0\n"
    yield "mixed.csv", lambda: b"time,flow\n" + "1,ä\n".encode("latin-1") + "2,ä\n".encode() * 9
    yield "late-mixed.csv", lambda: _rows_csv(20_000) + "\n1,ä\n".encode("latin-1")
    yield "comments.csv", lambda: b"# \n" * 200_000
    yield "blank.csv", lambda: b"\n" * 500_000
    yield "huge-numbers.csv", lambda: _rows_csv(50, "{n},1e308")
    yield "huge-times.csv", lambda: _rows_csv(50, "1e300,{n}")
    yield "not-a-number.csv", lambda: _rows_csv(50, "nan,inf")
    yield "spread.csv", lambda: b"time,flow\n0001-01-02,1\n2026-01-01,2\n9999-12-29,3\n"
    yield "odd-years.csv", lambda: b"time,flow\n99999-01-01,1\n-0001-01-01,2\n"
    yield "keys.csv", lambda: b"time,sensor,value\n" + b"".join(
        b"%d,probe %d,%d\n" % (n, n, n) for n in range(50_000))  # fmt: skip
    yield "deep.jsonl", lambda: b'{"ts": 1, "a": ' + b'{"a": ' * 5_000 + b"1" + b"}" * 5_001
    yield "deep-list.jsonl", lambda: b'{"ts": 1, "a": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"
    yield "deep-head.json", lambda: b"[" * 100_000
    yield "kinds.jsonl", lambda: b'{"ts": 1, "a": 1}\n{"ts": "x", "a": {"b": [1]}}\n'
    yield "long-number.jsonl", lambda: b'{"ts": 1, "a": ' + b"9" * 100_000 + b"}\n"
    yield "one-row.jsonl", lambda: b'{"ts": 1, "a": 2, "b": "' + b"x" * (20 * _MB) + b'"}\n'
    for rows in (5_000_000, 60_000_000):
        yield f"bomb-{rows}.parquet", partial(_parquet_bomb, rows)
    yield "bomb-texts.parquet", partial(_parquet_bomb, 5_000_000, "texts")
    yield "bomb-keys.parquet", partial(_parquet_bomb, 300_000, "keys")
    yield "columns.parquet", partial(_parquet_columns, 15_000)
    for length in (0, 0x7FFF_FFFF, 0xFFFF_FFFF):
        yield f"footer-{length}.parquet", partial(_parquet_footer, length)
    for depth in (30, 3_000):
        yield f"deep-{depth}.arrow", partial(_deep_arrow, depth)
    yield "offsets.arrow", _offsets_arrow


def _texts() -> Iterator[tuple[str, Make]]:
    for depth in (900, 100_000):
        yield f"deep-{depth}.json", partial(_deep_json, depth)
    words = "[" * 50_000 + "]" * 50_000
    deep = '{"start": 0, "end": 1, "text": "a", "words": ' + words + "}"
    yield "deep-words.json", partial(_many_segments, 1, deep)
    yield "segments.json", partial(_many_segments, 200_000, '{"start":0,"end":1,"text":""}')
    yield "empties.json", lambda: b'{"text": "a", "segments": [{"start": 0}' + b",{}" * (5 * _MB)
    yield "huge-number.json", partial(_many_segments, 1, '{"start":1e999,"end":1e999,"text":"a"}')
    yield "long-number.json", lambda: _many_segments(1, '{"start":' + "9" * 90_000 + "}")
    yield "surrogate.json", partial(_many_segments, 1, r'{"start":0,"end":1,"text":"\ud800"}')
    yield "long-text.json", lambda: b'{"text": "' + b"\\n" * (4 * _MB)
    yield "many.srt", partial(_subtitles, 3_000)
    yield "long-line.srt", lambda: _subtitles(1) + b"x" * (8 * _MB)
    yield "spaces.srt", lambda: b" " * (8 * _MB) + b"\n1"
    yield "arrows.vtt", lambda: b"WEBVTT\n\n" + b"-->" * (2 * _MB)
    yield "tags.vtt", lambda: b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"<v a" * _MB
    yield "entities.vtt", lambda: b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"&#99999999;" * 50_000
    yield "blank.vtt", lambda: b"WEBVTT\n\n" + b"\n" * (8 * _MB)
    yield "nul.txt", lambda: b"words\0words"
    yield "late-nul.txt", lambda: b"words " * 1000 + b"\0"
    yield "mixed.txt", lambda: "Grüße\n".encode() * 20 + "Grüße\n".encode("latin-1")
    yield "utf16-odd.txt", lambda: "words".encode("utf-16")[:-1]
    yield "utf32.txt", lambda: "words".encode("utf-32")
    yield "surrogates.txt", lambda: b"\xff\xfe" + b"\x00\xd8" * 50
    yield "overlong.txt", lambda: b"\xc0\x80" * 50
    yield "controls.txt", lambda: bytes(range(1, 32)) * 40 + b"\x1b[2J\x1b]0;x\x07"
    yield "combining.txt", lambda: ("a" + "\u0301" * 300_000).encode()
    yield "one-word.txt", lambda: b"x" * (2 * _MB)
    yield "one-line.md", lambda: b"word " * 100_000
    yield "emoji.txt", lambda: "\U0001f468\u200d\U0001f469\u200d\U0001f467".encode() * 20_000
    yield "too-long.txt", lambda: b"word\n" * (4 * _MB)
    yield "zip.txt", lambda: gzip.compress(b"words", mtime=0)
    yield "zip-bomb.csv", lambda: gzip.compress(bytes(50 * _MB), mtime=0)
    yield "html.md", lambda: b"<" * 200_000 + b"script>"
    yield "bom-only.txt", lambda: b"\xef\xbb\xbf"
    yield "unknown.bin", lambda: bytes(range(256)) * 16
