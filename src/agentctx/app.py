"""`Memory`: the one object a user holds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agentctx import care, learning, measured
from agentctx import context as packing
from agentctx import moments as joining
from agentctx.context import Cite
from agentctx.contracts import Arrival
from agentctx.engine import Query
from agentctx.errors import QueryError
from agentctx.ingest import Hints, Item, Progress
from agentctx.kept import Kept
from agentctx.planning import Plan
from agentctx.preferences import Prefer
from agentctx.records import Attribute, Context, Hit, Moment, Observation, SessionHit
from agentctx.reports import IngestReport
from agentctx.retrieve import sessions
from agentctx.selecting import Names, by_id, selection

if TYPE_CHECKING:
    from agentctx.changes import Changes
    from agentctx.learning import Learned
    from agentctx.memory.readings import Channel, Reading

# Hits that a context draws from; more than fit most budgets.
_CONTEXT_HITS = 20


class Memory(Kept):
    """A memory in one directory, open until `close` (or the end of a ``with`` block).

    >>> with Memory.open("~/memory") as memory:  # doctest: +SKIP
    ...     memory.add(["screenshot.png", "standup.wav", "pump.csv"])
    ...     print(memory.context("why did the pump stop?"))
    """

    # -- putting in ---------------------------------------------------------------------------

    def add(
        self,
        items: Iterable[Item] | Item,
        *,
        session: str = "",
        captured_at: datetime | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Add files, observations and what arrives; what is there already is left unchanged.

        ``session``, ``captured_at`` and ``attributes`` apply to the files, not to observations,
        which carry their own. ``progress(done, total, name)`` is called before each item, after
        each observation that is read or taken of a file, and at the end; what it raises ends the
        work, and adding the same again adds what is missing. A source that cannot be added is in
        ``report.failed`` with its error; what the report counts as added is on disk. What is older
        than ``config.retention`` allows is forgotten then, at most once an hour unless it came
        with this call.
        """
        if isinstance(items, Observation | str | Path | Arrival):
            items = [items]
        when = None if captured_at is None else captured_at.astimezone(UTC)
        report = self._ready().ingest().run(items, Hints(session, when, attributes), progress)
        return replace(report, expired=care.expire_if_due(self._store, self.config, report.ids))

    # -- getting out --------------------------------------------------------------------------

    def search(
        self,
        query: Query,
        limit: int = 10,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        rerank: bool = True,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
        prefer: Prefer | None = None,
        diversity: float = 0.0,
    ) -> list[Hit]:
        """The observations that fit a query best, at most ``limit``; none when nothing fits.

        The query is words, a file (picture, recording, log), an observation by example, or a
        list of these. ``modality``, ``session`` and ``source`` take one name or several;
        ``since`` and ``until`` keep what overlaps that span. What a question says of these itself
        ("on the screen", "yesterday", "when she said ...") is understood as well, with ``now`` as
        the reference (default: the present); ``plan=False`` takes it as words only, and a plan
        of `Memory.plan`, changed as you like, is carried out instead. ``prefer`` changes the
        order by who asks, in place of ``config.prefer``. ``diversity`` (0..1): how much it counts
        that a hit differs from those before it; above 0, what repeats a better hit is left out. An
        order that the question asks for ("the last ...") comes before both.
        """
        filters = selection(modality, since, until, session, source)
        return self._ready().search(
            query, limit, filters, plan=plan, now=now, rerank=rerank, prefer=prefer,
            diversity=diversity,
        )  # fmt: skip

    def feedback(
        self, hits: Sequence[Hit], accepted: Sequence[str], rejected: Sequence[str] | None = None
    ) -> int:
        """Learn which hits of one search were wanted, by their ids; gives the choices noted.

        Each accepted one was chosen over the rejected ones: by default, over all the others. Only
        signals and times are kept, and used with ``config.learned``.
        Raises QueryError for an id that is none of the hits.
        """
        return learning.note(self._store.catalog, hits, accepted, rejected)

    def learned(self) -> "Learned":
        """The weights that `feedback` has come to, beside the default ones."""
        return learning.learned(self._store.catalog)

    def unlearn(self) -> None:
        """Erase all feedback, and what was learned from it."""
        learning.erase(self._store.catalog)

    def score(self, question: str, texts: Sequence[str | Observation]) -> list[float]:
        """How well each text fits a question, in 0..1, by the reranker, wherever it comes from.

        A text counts by its best passage, and one without words 0; observations of this memory are
        read already, and take no encoding. Some rerankers weigh the words of the question by how
        well they tell these texts apart: scores of two calls do not compare. Raises ConfigError
        when the config has no reranker.
        """
        return self._ready().score(question, texts)

    def plan(self, question: str, now: datetime | None = None) -> Plan:
        """What a question is understood to ask for; ``print(plan.describe())`` says it in words."""
        return self._ready().plan(question, now)

    def sessions(
        self,
        query: Query,
        limit: int = 10,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
        prefer: Prefer | None = None,
    ) -> list[SessionHit]:
        """The sessions that fit a query best, at most ``limit``, each with its three best hits.

        The arguments are as in `search`. What belongs to no session is left out.
        """
        if limit < 1:
            raise QueryError(f"limit is {limit}; it must be at least 1")
        filters = selection(modality, since, until, session, source)
        wide = max(limit, sessions.DEPTH)
        hits = self._ready().search(query, wide, filters, plan=plan, now=now, prefer=prefer)
        return sessions.by_session(hits, limit)

    def moments(
        self,
        query: Query,
        window: float = 30.0,
        limit: int = 5,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        *,
        plan: bool | Plan = True,
        now: datetime | None = None,
        prefer: Prefer | None = None,
    ) -> list[Moment]:
        """Hits joined with whatever else was perceived within ``window`` seconds of them.

        ``plan``, ``now`` and ``prefer`` are as in `search`.
        """
        if not (math.isfinite(window) and window >= 0):
            raise QueryError(f"window is {window} s; it must be a number that cannot be negative")
        filters = selection(modality, since, until, session, source)
        hits = self._ready().search(query, 4 * limit, filters, plan=plan, now=now, prefer=prefer)
        return joining.join(self._store, hits, window, limit)

    def context(
        self,
        question: Query,
        max_tokens: int = 1500,
        *,
        modality: Names = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session: Names = None,
        source: Names = None,
        count_tokens: Callable[[str], int] | None = None,
        plan: bool | Plan = True,
        now: datetime | None = None,
        prefer: Prefer | None = None,
        limit: int = _CONTEXT_HITS,
        offset: int = 0,
        cite: Cite = "number",
    ) -> Context:
        """Evidence for a question in at most ``max_tokens`` tokens, with citations.

        ``plan``, ``now`` and ``prefer`` are as in `search`. Tokens are counted by ``count_tokens``,
        or by the text encoder's tokenizer. It is drawn from ``limit`` hits after the first
        ``offset``, and from what was said next to them; where a number of a sensor is asked for,
        it is told exactly. ``cite``: whether marks are numbers or short ids, which mean the same
        in the next call.
        """
        if max_tokens < 1:
            raise QueryError(f"max_tokens is {max_tokens}; it must be at least 1")
        filters = selection(modality, since, until, session, source)
        if limit < 1 or offset < 0:
            raise QueryError(f"limit is {limit} and offset {offset}; at least 1 and 0 are needed")
        engine = self._ready()
        if plan is True and isinstance(question, str):
            plan = engine.plan(question, now)
        wanted = offset + limit + 1
        hits = engine.search(question, wanted, filters, plan=plan, now=now, prefer=prefer)[offset:]
        exact = measured.facts(self._store, plan, filters, hits) if isinstance(plan, Plan) else []
        near = joining.surrounded(self._store, packing.mixed(hits[:limit]), filters)
        count = count_tokens or engine.text.count_tokens
        built = packing.build(near, max_tokens, count, cite, exact)
        return replace(built, more=len(hits) > limit)

    def changes(
        self,
        subject: str = "",
        *,
        since: datetime,
        until: datetime,
        session: Names = None,
        source: Names = None,
    ) -> "Changes":
        """What changed between two times: on the screens that show ``subject``, or in a channel.

        A channel is meant when the subject has its name; without a subject, it is whatever the
        screen showed, and every channel. ``print()`` says it in words.
        """
        filters = selection(None, since, until, session, source)
        return self._ready().changes(subject, since, until, filters)

    def timeline(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        modality: Names = None,
        session: Names = None,
        source: Names = None,
    ) -> list[Observation]:
        """Everything perceived in a span, by time."""
        rows = self._store.catalog.select(selection(modality, since, until, session, source))
        return [row.observation for row in rows]

    def get(self, ids: Sequence[str]) -> list[Observation]:
        """The observations with these ids, in that order; the beginning of an id will do.

        Raises QueryError for an id that is not there, or may be several.
        """
        return by_id(self._store.catalog, ids)

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has to the text encoder, as in the budget of `context`."""
        # Asked hundreds of times for one answer: it does not look whether the memory was moved.
        return self._engine.text.count_tokens(text)

    def channels(self) -> "list[Channel]":
        """The sensor channels that exact readings are kept of, sorted by name."""
        from agentctx.memory.readings import channels

        return channels(self._store.catalog.stored_media("readings"))

    def readings(
        self,
        channel: str,
        since: datetime | None = None,
        until: datetime | None = None,
        aggregate: str | None = None,
    ) -> "list[Reading] | float | int | None":
        """The exact values of a sensor channel in [since, until), or one aggregate of them."""
        from agentctx.memory.readings import readings

        files = self._store.catalog.stored_media("readings")
        return readings(files, channel, since, until, aggregate)
