"""The firm wordings of questions: what is asked for beyond its words.

Every pattern is matched against a question in lower case, in which names, quotes and times that
were understood already are covered up (see `Question`). A group called ``keep`` stays among the
words to search for. The patterns are narrow on purpose: a false filter loses the answer, and what
is not understood still is searched for as words.
"""

import re
from typing import Final

_EDGE = (
    r"(?=\s*(?:$|[?.,;!\x01]|(?:at|when|while|before|after|during|since|until|between|just)\b|"
    r"\w+ (?:second|minute|hour)s? (?:before|after)\b))"
)


def compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns that match whole words only."""
    return tuple(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for pattern in patterns)


# -- speech ----------------------------------------------------------------------------------------

_SAY = (
    r"(?:say|says|said|mention|mentions|mentioned|tell|told|announced?|explain|explained|"
    r"suggest|suggested|discuss|discussed|complain(?:ed)?(?: about)?|warn(?:ed)?(?: about| of)?|"
    r"ask|asked|promised?|remark|remarked|bring up|brought up|"
    r"(?:talk|talked|speak|spoke|spoken)(?: about| of))"
)
_SAID = (
    r"(?:said|mentioned|told|announced|explained|suggested|complained|warned|asked|promised|"
    r"remarked|brought up|(?:talked|spoke)(?: about| of)|"
    r"(?:was|were) (?:speaking|talking|saying)(?: about| of)?)"
)
_ABOUT = r"(?: that| about| of| to \w+ about)?"
PRONOUNS: Final = frozenset(
    str.split("""
    he she they we i you somebody someone anybody anyone nobody everybody everyone
    """)
)
_PRONOUN = rf"(?:{'|'.join(sorted(PRONOUNS))})"
# Who speaks: a pronoun, a name (told by its capital, see `Question.speaks`), or somebody's role.
_WORD = (
    r"(?!(?:the|a|an|to|of|on|in|at|was|were|is|are|am|be|been|has|have|had|did|does|do|that|when|"
    r"as|and|or|not|who|what|which|how|why|where)\b)[\w'-]+"
)
_NAME = rf"(?P<name>{_WORD}(?: {_WORD})?)"
_ROLE = rf"(?P<keep>(?:the|my|our|a) (?P<role>{_WORD}(?: {_WORD})?))"
SAYS: Final = compiled(
    rf"(?:did|does|has|had|have) (?:{_PRONOUN}|{_ROLE}|{_NAME})(?: (?:ever|just|also|first|last))? "
    rf"{_SAY}{_ABOUT}",
    rf"(?P<states>(?P<first>who)|{_PRONOUN}|{_ROLE}|{_NAME}) "
    rf"(?:first |last |just )?{_SAID}{_ABOUT}",
    r"(?:as|was|were|been|got|is) (?:\w+ly |first |last |ever )?"
    r"(?:said|mentioned|discussed|announced|suggested|talked about|brought up)"
    r"(?: (?:or|and) (?:shown|displayed|spoken))?(?: about)?",
    r"(?:thing|things|words?) (?:said|mentioned)(?: about)?",
    r"(?:was|were) (?:anything|something|nothing|it|that) (?:said|mentioned)(?: about)?",
    r"(?<=when )(?:was|were) (?P<keep>(?:[\w-]+ ){1,5}?)(?:first |last |ever )?"
    r"(?:mentioned|discussed|talked about|brought up)",
)
HEARD: Final = compiled(
    r"(?:did|have|had) (?:i|we|he|she|they|you) (?:just )?hear[d]?(?: about| of)?",
    r"(?:was|were|been) (?:heard|spoken|said aloud)(?: about| of)?",
    r"(?:in|on) (?:the|this|that|my|our) (?:audio|voice|sound|call|phone)? ?recordings?",
    r"in the audio",
)
# Where "she said" asks for what was said, and does not only tell which valve is meant: "the last
# thing she said", "when she said", but not "who repaired the valve she mentioned".
STATED: Final = re.compile(r"(?:^\s*|\b(?:what|things?|words?|everything|anything|all) )$")
# What nobody can perceive: then "when she said" tells what it is about, and not from where to look.
INNER: Final = re.compile(
    r"\b(?:mean|meant|feel|felt|think|thought|react|reacted|refer|referring)\b"
)
# What shows or carries words but does not speak: "what does the sign say?" asks for no speech.
THINGS: Final = frozenset(
    str.split("""
    advert article banner bible board book bottle brochure calendar card catalog catalogue
    certificate chart clock contract dashboard data dialog display document documentation draft
    email envelope file flyer form gauge graph guide handbook headline instruction invoice label
    law leaflet letter list log magazine mail manual map menu message meter monitor newspaper note
    notice novel package page paper plaque plate policy post poster procedure readme receipt recipe
    record report review rule schedule screen screenshot script sensor sheet shirt sign site slide
    song spec sticker story study survey tab table tag text thermometer ticket title tweet warning
    web website weather wiki window word
    """)
)

# -- photographs -----------------------------------------------------------------------------------

_PHOTO = r"(?:photo(?:graph)?s?|pictures?|snapshots?)"
_A_PHOTO = rf"(?:(?:the|that|my|our|a|any|all|some)(?: my| the| our)? )?{_PHOTO}"
_SHOWS = r"(?:of|with|showing|that shows?)"
PICTURED: Final = compiled(
    r"(?:(?:can|could|will) you )?(?:find|show|give|get|bring|fetch|open)(?: me| us)?"
    rf"(?: back| again)? {_A_PHOTO}(?: {_SHOWS})?",
    rf"{_A_PHOTO} (?:that )?(?:i|we) (?:took|made|shot|saved|snapped)(?: {_SHOWS})?",
    rf"(?:which|what) {_PHOTO} (?:shows?|showed|has|have|had|is|are|was|were)(?: {_SHOWS})?",
    rf"{_A_PHOTO} {_SHOWS}",
    rf"(?:(?:was|were|is|are|seen|shown) )?(?:in|on) (?:one of )?{_A_PHOTO}",
)

# -- screens ---------------------------------------------------------------------------------------

_SCREEN = (
    r"(?:the|my|his|her|our|their|your|this) "
    r"(?:main |second |left |right |computer |laptop |shared )?"
    r"(?:screens?|monitors?|displays?|desktop)"
    r"(?! (?:door|time|print\w*|protector|size|resolution))"
)
_PAGE = (
    r"(?:dashboard|page|web ?page|window|tab|dialog|pop-?up|spreadsheet|browser|slide|screen|chart|"
    r"trend|form|website|editor|terminal)"
)
_THE_PAGE = rf"(?P<keep>the (?:[\w-]+ ){{0,2}}?{_PAGE})"
_SHOWN = r"(?:shown|displayed|visible|seen|open|opened|up)"
SHOWN: Final = compiled(
    rf"(?:did (?:i|we|you|he|she|they) (?:see|have) |"
    rf"(?:was|were|is|are|been|appeared) (?:{_SHOWN} )?)?on {_SCREEN}",
    rf"(?:was|were|is|are|been) (?:being )?(?:shown|displayed)"
    rf"(?: about| regarding|{_EDGE})",
    r"(?:was|were|is|are) (?:shown |displayed |visible )?on[ -]screen",
    r"(?<=said or )shown(?: about)?",
    r"(?:the |my |all |any |a )?screen ?(?:shots?|captures?|grabs?|recordings?)"
    r"(?: of| with| about| from)?",
    rf"(?:was|were|am|are|had) (?:i|we) (?:been )?looking(?: at)?{_EDGE}",
    rf"(?:did|does) {_THE_PAGE} (?:show|say|display|look like)(?: about)?",
    rf"{_THE_PAGE} (?:was|were) (?:shown|displayed|visible|open|up){_EDGE}",
    rf"{_THE_PAGE} "
    r"(?:showed|displayed|appeared|popped up|came up|loaded|said)(?: about)?",
    rf"(?:which|what) (?P<keep>(?:\w+ )?{_PAGE}) (?:was|were|is|did i have) open",
    rf"(?<=changed )on (?P<keep>the (?:\w+ )?(?:{_PAGE}))(?! of the)",
    rf"(?<=what )(?:was|is|were) (?:{_SHOWN} |new |different )?on "
    r"(?P<keep>the (?:\w+ )?dashboard)(?! of the)",
)

# -- sensors ---------------------------------------------------------------------------------------

_GAUGE = r"(?:sensors?|gauge|meter|thermometer|probe)"
_READ = r"(?:do|read|show|measure|report|record|say|register|behave|react|change|detect)"
_READS = r"(?:read|showed|measured|reported|recorded|registered|said)"
_DID = r"(?:rose|fell|dropped|spiked|jumped|detected|drifted|failed|went|stopped|started)"
MEASURED: Final = compiled(
    rf"(?:what|how|which \w+|when|why) did (?P<keep>(?:the|our|my|this|that) (?:[\w-]+ ){{0,2}}?)"
    rf"{_GAUGE} {_READ}",
    rf"(?P<keep>the (?:[\w-]+ ){{0,2}}?){_GAUGE}(?: {_READS}|(?= {_DID}(?!\w)))",
    r"(?:the |all |any )?sensor'?s? (?:readings?|values?|data|logs?|events?|traces?|measurements?)"
    r"(?: of| from| for| on)?",
    r"(?:according to|on|by) the sensors?",
)
# Before and after the name of a channel.
OF_CHANNEL: Final = re.compile(
    r"(?:(?P<explicit>channels? )|(?:readings?|values?|measurements?) (?:of|from|on|for) (?:the )?|"
    r"sensor (?:for|of) (?:the )?)$"
)
CHANNEL_DOES: Final = re.compile(
    r"(?P<explicit> (?:channel|sensor)s?(?!\w))| (?:readings?|values?|measurements?|curve)(?!\w)|"
    r" (?:rise|rose|fall|fell|drop|dropped|spike|spiked|jump|jumped|climb|climbed|exceed|exceeded|"
    r"reach|reached|peak|peaked|increase|increased|decrease|decreased|oscillate|oscillated|drift|"
    r"drifted|change|changed|(?:was|were|is) (?:rising|falling|dropping|increasing|decreasing|"
    r"climbing|oscillating|above|below|over|under)|(?:go|went) (?:up|down|above|below|over)|do|"
    r"behave)(?!\w)"
)
ENDS: Final = re.compile(_EDGE + r"|(?= in the | of the | on the )")
HOW_HIGH: Final = re.compile(
    r"how (?:high|low|hot|cold|warm|strong|large|big|fast|loud|much) (?:was|is|were|did) "
    r"(?=(?:the )?$)"
)
WHAT_WAS: Final = re.compile(r"what(?:'s| was| is| were) (?:the )?(?=$)")
AGGREGATES: Final = {
    "max": re.compile(
        r"(?:the )?(?:maximum|max|maximal|highest|peak|largest|top)(?:(?: value)? of(?: the)?)? $"
    ),
    "min": re.compile(
        r"(?:the )?(?:minimum|min|minimal|lowest|smallest)(?:(?: value)? of(?: the)?)? $"
    ),
    "mean": re.compile(r"(?:the )?(?:average|mean)(?:(?: value)? of(?: the)?)? $"),
    "median": re.compile(r"(?:the )?median(?:(?: value)? of(?: the)?)? $"),
    "last": re.compile(
        r"(?:the )?(?:current|latest|last|most recent)(?: (?:value|reading)s?(?: of(?: the)?)?)? $"
    ),
    "first": re.compile(r"(?:the )?(?:first|earliest) (?:value|reading)s? of(?: the)? $"),
}

# -- text ------------------------------------------------------------------------------------------

_NOTE = r"(?:notes?|documents?|files?|text files?)"
WRITTEN: Final = compiled(
    rf"(?:is |was |are |were |written )*in (?:the|my|our|his|her|their|a) {_NOTE}(?: about| on)?",
    rf"(?:did|does|do) (?:the|my|our|his|her) {_NOTE} (?:say|mention|tell)(?: about)?",
    rf"according to (?:the|my|our|his|her|their) {_NOTE}",
    rf"(?:which|what|any) {_NOTE} (?:mentions?|mentioned|says?|said|describes?|contains?|"
    r"has|have|is about|are about)",
    rf"(?:(?<=latest )|(?<=recent )|(?<=earliest )|(?<=newest )){_NOTE}(?: about| on| of)?",
    rf"(?:(?<=show )|(?<=find ))(?:me )?(?:the |my |our |all )*{_NOTE}(?: about| on| from| of)?",
)

# -- order, difference, what is excluded -----------------------------------------------------------

_EARLY, _LATE = r"(?:first|earliest|oldest)", r"(?:last|latest|most recent|newest)"
_CAPTURED = (
    r"(?:screen ?shots?|readings?|values?|measurements?|messages?|notes?|mentions?|"
    r"recordings?)(?!\w)"
)
_CAPTURING = (
    r"(?:say|said|mention|mentioned|talk|talked|discuss|discussed|hear|heard|see|saw|seen|shown|"
    r"displayed|appear|appeared|spoke|speak)(?!\w)"
)
ORDERS: Final = {
    name: compiled(
        rf"(?:was |is )?(?:the )?(?:very )?{word} time(?: that)?",
        rf"(?:the |my )?{word} (?:things?|words?)"
        r"(?= (?:that )?(?:(?:\w+ ){0,2}(?:said|mentioned|saw|heard)|on (?:the|my) screen)(?!\w))",
        rf"(?:the |my )?{word}(?= (?:[\w-]+ )?{_CAPTURED})",
        rf"{bare}(?= {_CAPTURING})",
    )
    for name, word, bare in (("first", _EARLY, "first"), ("last", _LATE, "(?:last|most recently)"))
}
# Of what a modality is asked for, these mean the latest.
NOW: Final = compiled(
    r"right now|currently|at the moment(?! (?:of|when|that))|(?:last|most recently)(?=\s*[?.!]*$)"
)
CHANGED: Final = compiled(
    r"what(?:'s| has| have| had|ever)? changed(?=\s*(?:$|[?,.;\x01]|(?:on|in|at|between|since|"
    r"from|after|before|during|while|when|just|right|with the)\b))",
    r"what(?:'s| is| was) (?:different|new)"
    r"(?= (?:on the (?:screen|dashboard|monitor|display)|since|\x01))",
)
# Questions about what was perceived, in whatever way: their times are times of capture.
PERCEIVED: Final = compiled(
    r"what (?:else )?(?:has |had |was |is )?(?:happened|happening|going on)(?! to\b)",
    r"(?:show|list|find|give)(?: me| us)? (?:everything|anything|all)"
    r"(?: that happened)?(?= (?:from|on|in|at|of)|\s*\x01)",
    r"what (?:did|was|were|had|have) (?:i|we) (?:do|doing|done|see|seeing|seen|read|reading|write|"
    r"writing|written|work(?:ing|ed)?(?: on)?|look(?:ing)?(?: at)?|open|opened|decide|agree)",
)
_EXCLUDED = r"(?P<what>[^,;.?!\x01]{2,80}?)(?=\s*(?:$|[,;?!\x01]|\.(?:\s|$)))"
EXCLUDED: Final = compiled(
    rf",? ?but not (?:about |in |on |with |for )?{_EXCLUDED}",
    rf",? ?(?:except(?: for)?|excluding|other than|apart from|aside from|not counting) "
    rf"(?:about )?{_EXCLUDED}",
)
# Only of what was perceived: "a car without a key" is another car, not another hit.
WITHOUT: Final = compiled(rf",? ?without (?!\w+ing\b){_EXCLUDED}")
NOTHING: Final = frozenset(
    [
        "that",
        "this",
        "it",
        "them",
        "these",
        "those",
        "for",
        "to",
        "of",
        "with",
        "about",
        "in",
        "on",
        "at",
        "him",
        "her",
        "me",
        "us",
    ]
)

# Where a text has none of these, none of the patterns of that kind needs to be tried.
HINTS: Final = {
    "order": re.compile(
        r"first|last|latest|earl|oldest|newest|recent|right now|currently|at the moment"
    ),
    "excluded": re.compile(r"but |not |except|excluding|other than|from |with|leav|ignor|skip"),
    "changed": re.compile(r"chang|differ|new|moved|compare|gone "),
    "written": re.compile(r"note|document|file"),
    "measured": re.compile(r"sensor|gauge|meter|probe"),
}
