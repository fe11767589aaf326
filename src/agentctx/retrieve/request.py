"""What a search is asked for, once it is understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agentctx.records import Filters, Observation

# Of the questions that a memory can answer, fewer than 1 in 100 are below; docs/architecture.md.
LEAST_CONFIDENCE = 0.2


@dataclass(frozen=True, slots=True)
class Place:
    """A span that the answer should be near to, and within how many seconds most of it counts."""

    start: datetime
    end: datetime
    reach: float


@dataclass(frozen=True, slots=True)
class Request:
    """One search: of ``queries`` together, among what passes ``filters``.

    ``exact``: phrases to prefer; ``speakers``: whose words to prefer. ``without``: texts that a
    hit must not be about. ``told``: a time to prefer, which may be that of the story and not of
    its capture. ``place``: where in time the answer is; then everything there is a candidate,
    whatever it says, and nothing is too far off.
    ``events``: whether events of sensors are meant rather than their ordinary readings.
    ``least``: the confidence below which nothing is returned.
    """

    queries: Sequence[Observation]
    limit: int
    filters: Filters
    rerank: bool = True
    exact: Sequence[str] = ()
    speakers: Sequence[str] = ()
    without: Sequence[str] = ()
    told: tuple[datetime | None, datetime | None] | None = None
    place: Place | None = None
    events: bool = False
    least: float = LEAST_CONFIDENCE

    @property
    def words(self) -> str:
        """The queries as one text; "" when one of them is no text."""
        if any(query.modality != "text" for query in self.queries):
            return ""
        return " ".join(query.text for query in self.queries).strip()
