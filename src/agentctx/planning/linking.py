"""Clauses in a relation of time: where a question names a moment to look from."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from agentctx.planning.clocks import HOUR, MINUTE
from agentctx.planning.dates import NUMBER, number
from agentctx.planning.plans import Kind

Place = tuple[int, int]

_NEAR = r"(?:just|right|shortly|immediately|directly|soon|straight)"
_NARROW = (
    rf"(?<![\w\x00-\x02])(?:(?:and|but) )?(?:"
    rf"(?:(?P<near>{_NEAR}) |(?P<count>{NUMBER}) (?P<unit>second|minute|hour)s? )?"
    r"(?P<side>before|after|prior to)|"
    r"(?P<soon>as soon as)|"
    r"(?P<moment>(?:at )?the (?:very )?(?:moment|instant|time) (?:when|that|of)|when)|"
    r"(?P<during>while|whilst|during|at the same time as)|"
    r"(?P<between>between)|(?P<since>since)|(?P<until>until|till|up to)"
    r")(?= )"
)
_LINK: Final = re.compile(_NARROW)
# In a memory of perceptions more wordings are about moments than about anything else.
_WIDE: Final = re.compile(
    rf"(?<![\w\x00-\x02])(?:(?:and|but) )?(?:(?:some time|sometime|earlier|later|that followed|"
    r"that came|"
    rf"which followed),? )?(?:"
    rf"(?:(?P<near>{_NEAR}|in the (?:very |last |first |few )*(?:second|minute|moment)s?(?: just|"
    r" right)?) "
    rf"|(?P<count>{NUMBER}) (?P<unit>second|minute|hour)s? )?"
    r"(?P<side>before(?! and after)|(?<!before and )after|prior to|earlier than|later than|ahead "
    r"of|"
    r"following|once(?=(?: \S+){1,8}? (?:had|was|were|has|came|started)\b))|"
    r"(?P<lead>(?:in the (?:\w+ )?(?:(?:second|minute|moment|hour)s? )?)?(?:leading up|run-up) to|"
    r"by the time)|"
    r"(?P<soon>as soon as|no sooner)|"
    r"(?P<moment>(?:at |on |from |for |about )?the (?:very |exact )?(?:moment|instant|time) "
    r"(?:when|that|of)|(?:at|on|about|from|for) the (?:very )?(?:moment|instant)"
    r"(?! (?:in|on|at|and|or|to|is|was)\b)(?= \w)|"
    r"the (?:very )?(?:moment|instant)(?= (?:the|they|she|he|we|i|someone|somebody|it|an?)\b)|"
    r"when(?:ever)?)|"
    r"(?P<during>(?:during|in) the time(?: that| when)?|while|whilst|during|throughout|"
    r"in the course of|at the same time as)|"
    r"(?P<between>between)|(?P<since>(?:ever )?since)|(?P<until>until|till|up to)"
    r")(?= )"
)
_AFTER: Final = ("after", "later than", "following", "once")
# What may stand before a relation that comes first.
_BEFORE: Final = " ,\"'\x01"
_SECONDS: Final = {"second": 1, "minute": MINUTE, "hour": HOUR}
# Not a link: idioms, and what asks for a time itself.
_NOT: Final = re.compile(
    r"(?:before long|before i forget|after all|after hours|when \w+ing\b|since then|until then|"
    r"until now|since when|"
    r"(?:before|after|until|since) (?:that|this|it)\s*(?:$|[?,.])|when possible|"
    r"when(?:'s)? (?:did|does|do|was|were|is|are|will|has|have|had|would|can|should)\b)"
)
_DOING: Final = re.compile(r"when \w+ing\b")
_LOOKED: Final = re.compile(
    r"(?:look(?:ed|ing|s)?|named|tak(?:e|es|en|ing)|took|go|went|ever|day)\s$"
)
# What is between two things and not between two moments.
_APART: Final = re.compile(
    r"(?:differ(?:s|ed|ence|ences)?|ch(?:oose|ose|oice)|distinguish|distance|gap|margin|dry|"
    r"stop(?:s|ped)?|"
    r"stuck|move[sd]?|travels?|split|contract|agreement|connection|relation|ratio|link|room)\s$"
)
# What a page is about is told by its topic; "before the sale" at the end of it is no moment.
_TOPIC: Final = re.compile(r"\b(?:(?:was|were|is) about|dealt with|deals with|that deal with)\b")
_PERCEIVED: Final = re.compile(
    r"\b(?:mention|talk|sp[eo]k|said|say|discuss|brought up|conversation|came up|screen|open|call)"
)
# Where the main clause begins, after one that comes first without a comma.
_ASKS: Final = re.compile(r"[,\s](?=(?:what|which|who|how|where|did|was|were|show|find)\b)")
_ASKS_FIRMLY: Final = re.compile(
    r", (?=(?:and )?(?:what|which|who|how|where|did|was|were|show|find|give)\b)"
)
_AND: Final = re.compile(r" and ")
_AND_ALIKE: Final = re.compile(
    r" and (?=(?:the (?:one|talk|conversation|discussion)s?|on|about)\b)"
)
# Where the next of several wanted things begins.
_WANTED: Final = (
    r"(?:(?:what|where|who|how far|how high|how low|how much|which [\w-]+) (?:was|were|did|do|is|"
    r"are|"
    r"had|said|people|they)|what (?:it|the)|the (?:values?|figures?|readings?|talk|words?|window|"
    r"screen|"
    r"page|display|conversation)|readings?|screen|talk|window|values?|figures?)\b"
)
_NEXT: Final = re.compile(rf"\s*(?:[,;:.?]\s*(?:and |but )?|\sand )(?={_WANTED})")
_STATED: Final = re.compile(
    r"(?!\W*(?:what|which|who|where|when|how|why|did|was|were|is|are|do|does|has|had|give|show|"
    r"find|"
    r"tell|compare|earlier)\b)[^.:?!]{5,160}?[.:] (?=(?:what|which|i need|give|show|who|how|"
    r"where|tell|"
    r"did|was)\b)"
)


class Link(NamedTuple):
    """A relation in a text: where its words are, if it has any, and its anchors (one or two)."""

    kind: Kind
    near: bool
    distance: float | None
    place: Place | None
    anchors: tuple[Place, ...]


def segments(text: str, place: Place) -> list[Place]:
    """The parts of a clause that may ask for one thing each: "what was shown and who spoke"."""
    between = [found.span() for found in _NEXT.finditer(text, *place)]
    starts = [place[0], *(stop for _, stop in between)]
    stops = [*(start for start, _ in between), place[1]]
    return [(start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop]


def stated(text: str) -> tuple[list[Place], list[Link]] | None:
    """A first sentence that may name the moment which the rest asks about; None if none."""
    if first := _STATED.match(text):
        link = Link("during", True, None, None, ((0, first.end() - 2),))
        return [(first.end(), len(text))], [link]
    return None


def split(text: str, *, wide: bool = False) -> tuple[list[Place], list[Link]]:
    """The main clause's places in a text (in lower case), and the relations it stands in.

    ``wide``: it asks for perceptions, so that more wordings are taken for relations.
    """
    whole = (0, len(text))
    pattern = _WIDE if wide else _LINK
    found = [match for match in pattern.finditer(text) if _is_link(text, match, wide=wide)]
    if wide:
        found = _outermost(text, found)
    main, links = [whole], list[Link]()
    for index, match in enumerate(found):
        stop = found[index + 1].start() if index + 1 < len(found) else len(text)
        if not text[: match.start()].strip(_BEFORE):
            place = _main_after(text, match.end(), stop, wide=wide)
            if place < 0:
                return [whole], []
            main, stop = [(0, match.start()), (place + 1, stop)], place
        else:
            if index == 0:
                main = [(0, match.start())]
            second = _AND.search(text, match.end(), stop) if match["between"] else None
            after = (second or match).end()
            if wide and (rest := _NEXT.search(text, after, stop)):
                main.append((rest.end(), stop))
                stop = rest.start()
        link = _link(text, match, stop)
        if link is None:
            return [whole], []
        links.append(link)
    return [place for place in main if place[0] < place[1]], links


def _main_after(text: str, start: int, stop: int, *, wide: bool) -> int:
    """Where the main clause begins after an anchor that comes first; -1 if nowhere."""
    if wide and (firmly := _ASKS_FIRMLY.search(text, start, stop)):
        return firmly.start()
    comma = text.find(",", start, stop)
    asks = None if comma >= 0 else _ASKS.search(text, start, stop)
    return asks.start() if asks else comma


def _outermost(text: str, found: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """Without those within an anchor: "before the trial run before the sale was mentioned"."""
    kept: list[re.Match[str]] = []
    inside = 0
    for match in found:
        if match.start() < inside:
            continue
        before = text[: match.start()].rstrip()
        joined = match.group().startswith(("and ", "but ")) or before.endswith(",")
        if kept and not (joined or inside):
            continue
        kept.append(match)
        inside = 0
        if not text[: match.start()].strip(_BEFORE):
            inside = max(_main_after(text, match.end(), len(text), wide=True), 0)
    return kept


def _is_link(text: str, match: re.Match[str], *, wide: bool) -> bool:
    start = match.start("side") if match["side"] else match.start()
    idiom = _NOT.match(text, start)
    if idiom and wide and _DOING.match(text, start) and _PERCEIVED.search(text, start):
        idiom = None  # "when hiking boots were mentioned"
    follows = match["side"] or match["since"]
    if idiom or (follows and _LOOKED.search(text, 0, match.start())):
        return False
    if match["between"] and (
        _APART.search(text, 0, match.start()) or not _AND.search(text, match.end())
    ):
        return False
    topic = wide and match["side"] and _TOPIC.search(text, 0, match.start())
    return not topic or bool(_PERCEIVED.search(text, match.end()))


def _link(text: str, match: re.Match[str], stop: int) -> Link | None:
    start = match.end() + 1
    anchors: tuple[tuple[int, int], ...] = ((start, stop),)
    kind: Kind
    if match["between"]:
        both = _AND_ALIKE.search(text, start, stop) or _AND.search(text, start, stop)
        if both is None:
            return None
        kind, anchors = "between", ((start, both.start()), (both.end(), stop))
    elif match["side"]:
        kind = "after" if match["side"] in _AFTER else "before"
    elif match.groupdict().get("lead"):
        kind = "before"
    elif match["soon"]:
        kind = "after"
    elif match["moment"] or match["during"]:
        kind = "during"
    else:
        kind = "since" if match["since"] else "until"
    near = bool(match["near"] or match["soon"] or match["moment"] or match.groupdict().get("lead"))
    if not all(text[a:b].strip(" ?.,!\x01") for a, b in anchors):
        return None
    distance = _SECONDS[match["unit"]] * number(match["count"]) if match["count"] else None
    return Link(kind, near, distance, match.span(), anchors)
