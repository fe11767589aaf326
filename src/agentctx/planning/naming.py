"""The sessions and sources that a question names as places to look in."""

import re
from collections.abc import Iterator, Sequence

from agentctx.planning.asked import Place
from agentctx.planning.question import Question
from agentctx.planning.vocabulary import Named

_IN_SESSION = re.compile(r"(?<!\w)(?:in|at|during|from|of|within) (?:the |our |my )?$")
_SESSION = re.compile(
    r"(?<!\w)(?:(?:in|at|during|from|of|within) )?(?:the |our |my )?(?:session|meeting|call) $"
)
_IS_SESSION = re.compile(r" (?:session|meeting|call)(?!\w)")
_IN_SOURCE = re.compile(r"(?<!\w)(?:in|from|of|on) (?:the )?(?:file |document |recording |log )?$")


def names_of_place(
    question: Question, named: Sequence[Named]
) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """The sessions and sources that a question is restricted to, with the words that say so."""
    for name in named:
        before, low = question.low[: name.start], question.low
        if "session" in name.names:
            told = _SESSION.search(before)
            after = _IS_SESSION.match(low, name.stop)
            clear = name.length > 1 or any(map(str.isdigit, low[name.start : name.stop]))
            start = told or _IN_SESSION.search(before)
            if told or after or (clear and start):
                place = (
                    start.start() if start else name.start,
                    after.end() if after else name.stop,
                )
                yield "session", name.names["session"], place
                continue
        if "source" in name.names and (told := _IN_SOURCE.search(before)):
            yield "source", name.names["source"], (told.start(), name.stop)
