"""Plain text and Markdown files: notes, logs of a chat, pages."""

from collections.abc import Iterator

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import SourceInvalid, SourceTooLarge
from agentctx.plugins.when import time_of
from agentctx.records import Observation

_SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".rst", ".log"})


class Text:
    """One observation per file; ``max_bytes`` limits its size."""

    requires: tuple[Requirement, ...] = ()

    def __init__(self, services: Services, *, max_bytes: int = 16 * 1024**2) -> None:
        self._max_bytes = max_bytes

    def accepts(self, source: Source) -> bool:
        """Files whose extension says text."""
        return source.suffix in _SUFFIXES

    def observe(self, source: Source) -> Iterator[Observation]:
        """The whole file as one observation, dated by its name or its modification time."""
        size = source.path.stat().st_size
        if size > self._max_bytes:
            raise SourceTooLarge(
                source.name,
                f"{size:,} bytes of text, the limit is {self._max_bytes:,}; split it, or raise "
                "max_bytes in the options of 'text'",
            )
        text = decode(source.name, source.path.read_bytes())
        if not text.strip():
            raise SourceInvalid(source.name, "it holds no text; save it again")
        yield Observation(
            modality="text",
            text=text,
            captured_at=source.captured_at or time_of(source.path),
            session=source.session,
            source=source.name,
            attributes=source.attributes,
        )


def decode(name: str, data: bytes) -> str:
    """Text of a file in UTF-8, or in UTF-16 where a byte-order mark says so.

    Raises SourceInvalid, with the place of the first bad byte, for anything else.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceInvalid(
            name,
            f"it is not text in {encoding.removesuffix('-sig').upper()}: byte {error.start} is "
            f"0x{data[error.start]:02x}; convert it first, for instance with iconv",
        ) from error
    if "\0" in text:
        raise SourceInvalid(
            name, f"it is not text: character {text.index(chr(0))} is NUL; export it again"
        )
    return text.replace("\r\n", "\n")
