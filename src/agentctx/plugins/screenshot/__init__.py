"""Screenshots and photographs: what is written on them and where, and what a photograph shows."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from agentctx.contracts import Requirement, Services, Source
from agentctx.errors import ConfigError
from agentctx.extras import require
from agentctx.pictures import SUFFIXES, About, Frame, decoded, mime_of, thumbnail
from agentctx.plugins import apart
from agentctx.plugins.screenshot import photos
from agentctx.plugins.screenshot.frames import Read, Recent, Screen, same
from agentctx.plugins.screenshot.layout import reading_order, text_of
from agentctx.plugins.screenshot.ocr import Line, Ocr, shared
from agentctx.plugins.screenshot.reading import read
from agentctx.plugins.when import time_of
from agentctx.records import Attribute, Media, Observation
from agentctx.vision.classifier import Classifier, key_of

if TYPE_CHECKING:
    from PIL.Image import Image

_WEIGHTS = "ppocr-v6-small"


class Screenshot:
    """One observation per screen: its lines in reading order, their boxes, a thumbnail.

    A screen, or a line of it, that has not changed since one of the last few screens is not read
    again; an unchanged screen carries ``same_as``, the id of the earlier observation. Frames of
    an animation that do not change count as one, as long as all of them together.

    A photograph is of modality ``picture``, and its text begins with what a classifier guesses that
    it shows; the guesses are attributes as well.

    ``threads``: lines read at once, 0 for one per core. ``photos``: whether photographs are told
    from screens; without that every picture is a ``screenshot``, and needs no classifier.
    """

    requires = (
        Requirement("PIL", "screen"),
        Requirement("rapidocr", "screen"),
        Requirement("cv2", "screen"),
        Requirement("onnx", "screen"),
    )
    weights = ("ppocr-v6-small", "efficientnet-lite0")

    def __init__(self, services: Services, *, threads: int = 0, photos: bool = True) -> None:
        if threads < 0:
            raise ConfigError(f"threads is {threads}; it cannot be negative")
        self._weights = services.weights
        self._threads = threads
        self._recent = Recent()
        self._classifier = Classifier(services.weights, threads) if photos else None

    def accepts(self, source: Source) -> bool:
        """Pictures by content, and whatever is named like one."""
        return mime_of(source.head) is not None or source.suffix in SUFFIXES

    def observe(self, source: Source) -> Iterator[Observation]:
        """The screens in the file: one, or those of its frames or pages that differ."""
        require("PIL.Image", extra="screen")
        with closing(apart.stream(decoded, source)) as parts:
            about = next(parts)
            assert isinstance(about, About)
            started = source.captured_at or about.captured_at or time_of(source.path)
            original = Media.of_file("original", about.mime, source.path)
            for frame, screen in _distinct(parts, about.lossy):
                source.check_time()
                reading = read(frame.image, screen, self._recent, self._ocr, source.check_time)
                earlier = reading.same
                blocks = reading_order(reading.lines)
                lines = tuple(line for block in blocks for row in block for line in row)
                made = earlier.media if earlier else _made(frame.image, lines)
                media = (original, *made)
                guesses = (
                    earlier.guesses if earlier else self._guesses(frame.image, len(lines), media)
                )
                texts = [] if guesses is None else [photos.in_words(guesses)]
                attributes: dict[str, Attribute] = {
                    "width": frame.image.width,
                    "height": frame.image.height,
                    "lines": len(lines),
                    "phash": f"{(earlier.screen if earlier else screen).phash:016x}",
                    **about.labels,
                    **({"same_as": earlier.id} if earlier else {}),
                    **({} if guesses is None else photos.attributes(guesses)),
                    **source.attributes,
                }
                observation = Observation(
                    modality="screenshot" if guesses is None else "picture",
                    text="\n\n".join(text for text in (*texts, text_of(blocks)) if text),
                    captured_at=started + timedelta(seconds=frame.offset),
                    duration=frame.duration,
                    session=source.session,
                    source=source.name,
                    attributes=attributes,
                    media=media,
                )
                if not earlier:
                    view = reading.view or observation.id
                    id_, parts_read = observation.id, reading.parts
                    self._recent.add(Read(screen, lines, id_, made, view, parts_read, guesses))
                yield observation

    def _guesses(
        self, image: "Image", lines: int, media: Sequence[Media]
    ) -> Sequence[photos.Guess] | None:
        """What a photograph may show; None for what is none."""
        if self._classifier is None or not photos.may_be_photo(image, lines):
            return None
        (seen,) = self._classifier.look([(key_of(media), lambda: image)])
        if not photos.is_photo(seen.probabilities):
            return None
        return photos.guesses(seen.probabilities)

    def _ocr(self) -> Ocr:
        return shared(self._weights.find(_WEIGHTS), self._threads)


def _distinct(parts: Iterator[object], lossy: bool) -> Iterator[tuple[Frame, Screen]]:
    """Frames, those in a row that show the same made into one as long as all of them."""
    held: tuple[Frame, Screen] | None = None
    for frame in parts:
        assert isinstance(frame, Frame)
        screen = Screen.of(frame.image, lossy=lossy)
        if held and same(held[1], screen):
            kept, shown = held
            held = Frame(kept.image, kept.offset, kept.duration + frame.duration), shown
            continue
        if held:
            yield held
        held = frame, screen
    if held:
        yield held


def _made(image: "Image", lines: Sequence[Line]) -> tuple[Media, ...]:
    """What is stored of a screen beside the original."""
    return (
        Media.of_bytes("thumbnail", "image/webp", thumbnail(image)),
        Media.of_bytes("layout", "application/json", _layout(lines)),
    )


def _layout(lines: Sequence[Line]) -> bytes:
    """The lines as JSON, in reading order: text, box (left, top, right, bottom), confidence."""
    rows = [{"text": line.text, "box": line.box, "confidence": line.confidence} for line in lines]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
