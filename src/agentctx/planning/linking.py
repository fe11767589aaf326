"""Clauses in a relation of time: where a question names a moment to look from."""

import re
from typing import Final, NamedTuple

from agentctx.planning.clocks import HOUR, MINUTE
from agentctx.planning.dates import NUMBER, number
from agentctx.planning.plans import Kind

_NEAR = r"(?:just|right|shortly|immediately|directly|soon|straight)"
_LINK: Final = re.compile(
    rf"(?<![\w\x00-\x02])(?:(?:and|but) )?(?:"
    rf"(?:(?P<near>{_NEAR}) |(?P<count>{NUMBER}) (?P<unit>second|minute|hour)s? )?"
    r"(?P<side>before|after|prior to)|"
    r"(?P<soon>as soon as)|"
    r"(?P<moment>(?:at )?the (?:very )?(?:moment|instant|time) (?:when|that|of)|when)|"
    r"(?P<during>while|whilst|during|at the same time as)|"
    r"(?P<between>between)|(?P<since>since)|(?P<until>until|till|up to)"
    r")(?= )"
)
_SECONDS: Final = {"second": 1, "minute": MINUTE, "hour": HOUR}
# Not a link: idioms, and what asks for a time itself.
_NOT: Final = re.compile(
    r"(?:before long|before i forget|after all|after hours|when \w+ing\b|since then|until then|"
    r"until now|since when|"
    r"(?:before|after|until|since) (?:that|this|it)\s*(?:$|[?,.])|when possible|"
    r"when(?:'s)? (?:did|does|do|was|were|is|are|will|has|have|had|would|can|should)\b)"
)
_LOOKED: Final = re.compile(
    r"(?:look(?:ed|ing|s)?|named|tak(?:e|es|en|ing)|took|go|went|ever|day)\s$"
)
# Where the main clause begins, after one that comes first without a comma.
_ASKS: Final = re.compile(r"[,\s](?=(?:what|which|who|how|where|did|was|were|show|find)\b)")
_AND: Final = re.compile(r" and ")


class Link(NamedTuple):
    """A relation in a text: where its words are, and where its anchors (one or two) are."""

    kind: Kind
    near: bool
    distance: float | None
    place: tuple[int, int]
    anchors: tuple[tuple[int, int], ...]


def split(text: str) -> tuple[tuple[int, int], list[Link]]:
    """The main clause's place in a text (in lower case), and the relations it stands in."""
    found = [m for m in _LINK.finditer(text) if _is_link(text, m)]
    main, links = (0, len(text)), []
    for index, match in enumerate(found):
        stop = found[index + 1].start() if index + 1 < len(found) else len(text)
        if not text[: match.start()].strip(" ,\"'"):
            asks = text.find(",", match.end(), stop)
            after = _ASKS.search(text, match.end(), stop)
            place = asks if asks >= 0 else after.start() if after else -1
            if place < 0:
                return (0, len(text)), []
            main, stop = (place + 1, stop), place
        elif index == 0:
            main = (0, match.start())
        link = _link(text, match, stop)
        if link is None:
            return (0, len(text)), []
        links.append(link)
    return main, links


def _is_link(text: str, match: re.Match[str]) -> bool:
    start = match.start("side") if match["side"] else match.start()
    return not (_NOT.match(text, start) or _LOOKED.search(text, 0, match.start()))


def _link(text: str, match: re.Match[str], stop: int) -> Link | None:
    start = match.end() + 1
    anchors: tuple[tuple[int, int], ...] = ((start, stop),)
    kind: Kind
    if match["between"]:
        both = _AND.search(text, start, stop)
        if both is None:
            return None
        kind, anchors = "between", ((start, both.start()), (both.end(), stop))
    elif match["side"]:
        kind = "after" if match["side"] == "after" else "before"
    elif match["soon"]:
        kind = "after"
    elif match["moment"] or match["during"]:
        kind = "during"
    else:
        kind = "since" if match["since"] else "until"
    near = bool(match["near"] or match["soon"] or match["moment"])
    if not all(text[a:b].strip(" ?.,!") for a, b in anchors):
        return None
    distance = _SECONDS[match["unit"]] * number(match["count"]) if match["count"] else None
    return Link(kind, near, distance, match.span(), anchors)
