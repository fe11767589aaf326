"""Reading a screen with what is known from those before: only what is new goes to the engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agentctx.extras import require
from agentctx.plugins.screenshot import regions
from agentctx.plugins.screenshot.boxes import Box, area, core, cut, grown, overlap, shared
from agentctx.plugins.screenshot.carrying import Mask, known
from agentctx.plugins.screenshot.frames import Read, Recent, Screen, same
from agentctx.plugins.screenshot.ocr import Line, Ocr, Pixels, Quad, bounds

if TYPE_CHECKING:
    from PIL.Image import Image

# So many screens in a row may be read in parts; the next is read whole, which ends what the
# detector may have made of a part otherwise than of the whole.
_PARTS = 100
_ROUNDS = 4
_ONE = 0.6  # of the smaller box: these are one line
_EDGE = 2  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The lines on a screen, in no order.

    ``same``: the earlier screen that shows the same, if there is one. ``view`` and ``parts``: as
    in `Read`.
    """

    lines: Sequence[Line]
    same: Read | None = None
    view: str = ""
    parts: int = 0


def read(
    image: "Image",
    screen: Screen,
    recent: Recent,
    engine: Callable[[], Ocr],
    check_time: Callable[[], None] = lambda: None,
) -> Reading:
    """The lines on a screen, an RGB picture, by the recent ones and an engine.

    ``check_time`` is called between steps, and may raise.
    """
    earlier = recent.like(screen)
    for before in earlier:
        if same(before.screen, screen):
            recent.seen(before)
            return Reading(before.lines, before)
    ocr = engine()
    cv2: Any = require("cv2", extra="screen")
    pixels = cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
    found = known(screen, earlier)
    if found.read is None or found.read.parts >= _PARTS:
        return Reading(ocr.recognise(pixels, ocr.detect(pixels, check_time), check_time))
    lines, quads = _Search(ocr, pixels, screen, check_time).run(found.lines, found.left)
    fresh = ocr.recognise(pixels, quads, check_time)
    view = found.read.view if 2 * len(lines) >= len(lines) + len(fresh) else ""
    return Reading([*lines, *fresh], view=view, parts=found.read.parts + 1)


class _Search:
    """For the lines on the parts of a screen that are new."""

    def __init__(
        self, ocr: Ocr, pixels: Pixels, screen: Screen, check_time: Callable[[], None]
    ) -> None:
        self._ocr = ocr
        self._pixels = pixels
        self._grey = screen.grey
        self._check_time = check_time
        self._seen: dict[Box, list[Quad]] = {}

    def run(self, lines: list[Line], left: Mask) -> tuple[list[Line], list[Quad]]:
        """The lines that stay of those carried over, and where to read new ones."""
        wanted = regions.spread(left)
        lines = self._without(regions.touched(lines, wanted), lines, wanted)
        for _ in range(_ROUNDS):
            boxes = regions.parts(self._grey, wanted)
            if any(area(box) == self._grey.size for box in boxes):
                break
            quads: list[Quad] = []
            settled = True
            for box in boxes:
                for quad in self._quads(box):
                    place = bounds(quad)
                    if not wanted[cut(core(place))].any() or self._is_one(place, lines):
                        continue
                    quads.append(quad)
                    met = [line for line in lines if overlap(line.box, place) > _ONE]
                    lines = self._without(met, lines, wanted)
                    if self._at_edge(place, box):
                        wanted[cut(self._wider(place, box))] = True
                        settled = False
                    settled = settled and not met
            if settled:
                return lines, quads
        return [], self._ocr.detect(self._pixels, self._check_time)

    def _quads(self, box: Box) -> list[Quad]:
        """What the detector finds in a part, in places on the whole screen."""
        if box not in self._seen:
            part = np.ascontiguousarray(self._pixels[cut(box)])
            offset = np.array(box[:2], np.float32)
            found = self._ocr.detect(part, self._check_time, regions.LEAST_SIDE)
            self._seen[box] = [quad + offset for quad in found]
        return self._seen[box]

    @staticmethod
    def _without(some: Sequence[Line], lines: list[Line], wanted: Mask) -> list[Line]:
        """The lines but some, whose places are wanted instead."""
        for line in some:
            wanted[cut(core(line.box))] = True
        return [line for line in lines if line not in some]

    @staticmethod
    def _is_one(place: Box, lines: Sequence[Line]) -> bool:
        """Whether it is the place of a line that was carried over."""
        return any(
            area(shared(place, line.box)) > _ONE * max(area(place), area(line.box))
            for line in lines
        )

    def _at_edge(self, place: Box, box: Box) -> bool:
        height, width = self._grey.shape
        return (
            (place[0] - box[0] <= _EDGE and box[0] > 0)
            or (place[1] - box[1] <= _EDGE and box[1] > 0)
            or (box[2] - place[2] <= _EDGE and box[2] < width)
            or (box[3] - place[3] <= _EDGE and box[3] < height)
        )

    def _wider(self, place: Box, box: Box) -> Box:
        across, along = box[2] - box[0], place[3] - place[1]
        height, width = self._grey.shape
        return grown(core(place), across, along, (height, width))
