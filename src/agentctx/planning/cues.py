"""Wordings that ask for perceptions, where a memory has them: screens, talk and sensor logs.

They are wider than those of `agentctx.planning.wording`, which hold for any memory: "which mail was
about the roof" asks for a screen only where screens were captured. A group called ``keep`` stays
among the words to search for, as there.
"""

import re
from typing import Final

from agentctx.planning.wording import compiled

_EDGE = (
    r"(?=\s*(?:$|[?.,:;!\x01]|(?:at|when|while|before|after|during|since|until|between|just|"
    r"about|on|"
    r"right|first|last|earlier|later|in|with|and|that|which|i|we)\b))"
)


# -- screens ---------------------------------------------------------------------------------------

# What is shown on a screen and hardly anywhere else, ...
_SHEET = (
    r"(?:(?:screen|web ?page|tab|window|ticket|e-?mail|mail|(?:chat )?thread|appointment|dashboard|"
    r"overview|spreadsheet|run-?book|wiki|source file|web ?site|order page|wiki page|inbox|"
    r"issue page|pull request)s?|calendar entr(?:y|ies)|pages? of \w+|sheets? of figures)"
)
# ... and what is shown there where it was open, looked at or about something.
_ITEM = (
    rf"(?:{_SHEET}|(?:page|sheet|order|file|document|slide|form|chart|diagram|dialog|invoice|"
    r"editor|"
    r"terminal|report|article|chat|message|calendar|table|list|plan|map|picture|code)s?)"
)
_TAIL = (
    r"(?: (?:in|of|from) (?:the |an? |my |our )?(?:(?:issue |ticket )?tracker|calendar|code editor|"
    r"editor|inbox|browser|shop|wiki|mailbox|instructions|figures))?"
)
_KEEP = rf"(?P<keep>(?:(?!(?:did|was|is|of|the)\b)[\w-]+ ){{0,2}}?{_ITEM}{_TAIL})"
_THE_SCREEN = r"(?:the|my|our|this) (?:\w+ )?(?:screen|display|monitor)"
_UP = rf"(?:open(?:ed)?|up|in front of (?:me|us)|on display|on[ -]screen|(?:up )?on {_THE_SCREEN})"
_I = r"(?:i|we)"
_VIEWED = (
    r"(?:look(?:ed|ing)? (?:at|into|through)|open(?:ed)?(?: up)?|read(?:ing)?|view(?:ed|ing)?|"
    r"see|saw|seen|on|in|visit(?:ed)?|scroll(?:ed|ing)? through|using|used?)"
)
_ORDER = r"(?:(?:(?:very )?first|last|latest|earliest|newest|most recent|next|previous) )?"
SEEN: Final = compiled(
    rf"(?:which|what) {_KEEP} (?:did|had|have|was|were|am|are) {_I} (?:have |had |been |then |"
    r"just )*"
    rf"(?:{_VIEWED}{_EDGE}|{_UP})(?: {_UP})?",
    rf"(?:which|what) {_KEEP} (?:was|were|is|are|came|popped|appeared) (?:being )?"
    rf"(?:{_UP}|shown|displayed|visible)(?: (?:to me|then))?",
    rf"(?:which|what) {_KEEP} (?:was|were|is|are)(?= (?:about|on|regarding)\b)",
    rf"(?:which|what) {_KEEP} (?:deals?|dealt|has|had|mentions?|mentioned|covers?|covered)"
    r"(?: with)?(?: both)?",
    rf"(?:on|in) (?:which|what) {_KEEP} (?:did|was|were|had|do|does|could)",
    rf"(?:did|had|have) {_I} (?:just |then )?(?:have |had )?{_UP}{_EDGE}",
    rf"(?:did|had|have) {_I} (?:just |then )?have (?:the |a |an |my |that )?{_KEEP} {_UP}",
    rf"(?:what|where) (?:was|were) {_I} (?:looking|viewing)(?: at)?",
    rf"(?:what|anything) did {_I} (?:look at|open)(?: about| on)?",
    rf"did {_I} (?:look at|open) {_KEEP}",
    rf"did {_I} look at",
    r"(?:was|were) (?:anything|something) (?:shown|displayed)",
    rf"(?:could|can|was|were|might) (?:to )?be (?:seen|visible) on {_THE_SCREEN}",
    r"(?:what|which (?P<keep>\w+)) could (?:be seen|i see|we see)",
    rf"(?:did|does) {_THE_SCREEN} (?:show|say)(?: about)?",
    rf"{_I} (?:saw|read)(?= .{{3,90}} on (?:one|a|the same|some) {_ITEM})",
    rf"{_I} (?:saw|read|opened|had) (?:a|an|the|this|that|some) {_KEEP}(?: {_UP})?(?: (?:that|"
    r"which))?"
    r"(?: (?:deal(?:t|s|ing) with|was|is|mention(?:ed|ing))|(?= (?:on|about|regarding|with) ))",
    rf"{_I} had something(?= (?:on|about) )",
    rf"{_I} had(?= (?:a|an|the|this|that|some) .{{2,90}} {_UP})",
    rf"(?:the |a |an )?{_KEEP} (?:(?:that|which) )?{_I} (?:had|have|was|were|looked|opened|read|"
    r"saw)"
    rf"(?: {_VIEWED}| {_UP})?",
    rf"(?:find|show|give|get|bring|fetch|open|pull up)(?: me| us)?(?: up| back| again)? "
    rf"(?:the|that|my|a|this) {_ORDER}{_KEEP}(?: that (?:was(?= about)|deals? with|dealt with|"
    r"mentions?|mentioned)|(?= (?:on|about|with|regarding) ))",
    rf"there (?:was|were|is) (?:a|an|this|some) {_KEEP}(?:(?: with)?(?: (?:something|anything|"
    rf"stuff|a "
    r"bit))(?= (?:about|on) )|(?= (?:about|on|that|with) ))",
    rf"(?:where|when) did {_I} (?:see|open|have|read|look at) (?:the|a|that|this) {_KEEP}"
    r"(?= (?:on|about|with|regarding|for) )",
    rf"(?:what|which) (?:was|is|were) (?:the|my) {_ORDER}{_KEEP}(?= (?:on|about|with|regarding) )",
    rf"what (?:exactly )?did (?:that|the|this) {_KEEP} (?:say|show|read|contain|look like)",
    rf"(?:i'm|i am|we are|we're) (?:after|looking for|searching(?: for)?) (?:the|a|an|that) "
    rf"{_KEEP}",
    rf"(?:reading|looking at|viewing|scrolling through|working on) (?P<keep>(?:the|a|an|my) "
    rf"(?:[\w-]+ )?{_ITEM}{_TAIL})",
    rf"(?:the|that|my|a) {_KEEP}(?= .{{2,100}}?(?:was|were|is|are|had been) (?:{_UP}|shown|"
    r"visible))",
    rf"(?:the|that|my|a) {_KEEP} (?:was|were|is|are|had been) (?:{_UP}|shown|visible|displayed)",
    r"(?:on|to|at) (?:one|a|the same) page",
    rf"(?:something|anything) on {_THE_SCREEN}(?: about| on| regarding)?",
)
# What else in a clause says that it was on a screen; and what only names it again.
SEEN_BESIDES: Final = compiled(
    rf"(?:was|were|is|are|had been) (?:{_UP}|shown|visible|displayed)",
    rf"{_I} (?:had|have|saw|read) (?:something|anything)(?= (?:on|about)\b)|{_I} (?:saw|read)(?= "
    r".* also )",
    r"(?:come|came) up(?: together)?(?=\W*$)|(?<=\w )on it(?=\W*$)|(?:on|to|at) (?:one|a|the "
    r"same) page",
    r"^\W*(?:something|anything|stuff)(?= (?:on|about|in|\x02)\b)",
)
# Where a memory has no texts, what was read was on a screen.
READ: Final = compiled(
    rf"(?:what|anything) (?:did {_I} read|(?:was|were) {_I} reading)(?: about| on)?",
    rf"{_I} read something(?= (?:about|on))",
)
AND_SHOWN: Final = re.compile(r"and (?:was |were )?(?:shown|displayed|seen)(?!\w)")
GENERIC: Final = frozenset(["page", "screen", "window", "tab"])
# A question that is only the name of a thing: "first ticket today?", "screens after the alarm".
THINGS: Final = (
    re.compile(
        rf"^\W*(?:the |all |any |my )*{_ORDER}(?P<keep>(?:{_SHEET}|pages?|screens?){_TAIL})"
        rf"(?= (?:on|about|with|regarding|that)\b|{_EDGE})(?! (?:did|do|should|can|will)\b)"
    ),
)
# Before the title of a page, which is told by its capital; or before what can only be a page.
TITLED: Final = re.compile(
    r"(?:changed|different|new|numbers?|figures?|values?|lines?|entries|compare) (?:(?:on|of) "
    r")?the "
)

# -- talk ------------------------------------------------------------------------------------------

_TALKED = (
    r"(?:talk(?:ed|ing)?|argu(?:ed|ing)|sp(?:oke|oken|eaking)|discuss(?:ed|ing)?|chatt(?:ed|ing)|"
    r"mention(?:ed|ing)?|bring(?:ing)? up|brought up|go(?:ing)? on|told (?:me|us)|saying|said)"
)
_ON = r"(?: (?:about|of|on))?"
_WHO = r"(?:they|we|people|you|someone|somebody|anyone|anybody|everyone|he|she|i)"
TALK: Final = compiled(
    r"(?:the |that |any |all |our |their |in )*(?:(?<!a )(?<!an )talks?|(?<!a )conversations?|"
    r"(?<!a )discussions?|(?<!a )chats?(?! thread)|(?<!a )(?:phone |video )?calls?|"
    r"(?<!other )words?|remarks?|comments?)(?: (?:they|we|people) had| going on)? "
    r"(?:about|on|regarding|concerning|over|(?<=discussion )of)",
    r"(?:any |first |last )?mentions? of|(?:anything|something|nothing) (?:was )?(?:said|mentioned)"
    r"(?: about| on)?",
    r"(?:was|were|started|kept|been) (?:explaining|discussing|talking|speaking|describing|arguing|"
    r"complaining|chatting|asking)(?: (?:about|of|on))?",
    r"(?:was|were|has|had) (?P<keep>(?!(?:it|that|anything|something)\b)[^,.;:?!\x01]{2,80}?) "
    r"(?:been )?(?:mentioned|discussed|brought up|talked about|spoken of)",
    rf"(?:what|who|which \w+) (?:was|were) {_WHO} {_TALKED}{_ON}|have to say (?:about|on)",
    rf"(?:what|who|things?|anything|everything|when|while|whilst|before|after|once|^|\x01)[\s\W]*"
    rf"{_WHO} (?:had |have |were |was |started |began |first |last |just |also )*"
    rf"{_TALKED}{_ON}",
    r"(?:was|were|is|are|been|got|get) (?:being |just |also |first |last |finally )*"
    r"(?:discussed|mentioned|talked about|brought up|spoken (?:about|of)|announced|said)"
    r"(?: (?:around|near) (?:me|us))?(?: about| on)?",
    r"(?:came|come|comes|coming) up in (?:the |a )?(?:conversation|talk|meeting|discussion|call)s?",
    r"(?:did|does|when|has|had) (?P<keep>(?:(?!which|what)[^,.;:?!\x01]){2,100}?) (?:came|come|"
    r"comes) "
    r"up(?! with)",
    r"(?:came|comes) up(?! with| to)(?: first| last)?",
    r"(?:what )?(?:(?:was|were|have) (?:i|we)|(?:i|we) (?:was|were|have|had)) (?:been )?told"
    r"(?: about| on)?",
    r"(?:which|what) words (?:fell|were (?:said|spoken|used))",
    r"(?:who|what|anyone) (?:said|did) (?:what|they say|people say|you say|anyone say)"
    r"(?: anything)?(?: about| on)?",
    r"what (?:was|were) the (?:talk|conversation|discussion|chat) about",
    r"(?:didn't|hasn't|did|has) (?:somebody|someone|anybody|anyone|they) (?:ever |first )?"
    r"(?:say|said|mention|mentioned|talk|talked|bring up|brought up|tell|told)(?: (?:me|us))?"
    r"(?: anything| something)?(?: about| of)?",
    # A clause that is only talk: "conversations on Monday".
    r"^\W*(?:the |all |any |our )*(?:talks?|conversations?|discussions?|phone calls?)"
    rf"{_EDGE}(?! (?:that|which|i|we)\b)",
    r"what was it (?:that )?(?:she|he|they|somebody|someone) said(?:,? something)?"
    r"(?: about| on)?",
)
THE_ONE: Final = re.compile(
    r"(?:(?:the|that) (?:one|other|talk|conversation) )?(?:about|on|regarding) "
)
ALOUD: Final = compiled(r"out loud|aloud|in conversation", r"(?:was |were )?going on|took place")

# -- sensors ---------------------------------------------------------------------------------------

_DOES = (
    r"(?:r[io]se[sn]?|f[ae]ll(?:s|en)?|drop(?:s|ped)?|dip(?:s|ped)?|spike[sd]?|jump(?:s|ed)?|"
    r"climb(?:s|ed)?|surge[sd]?|plunge[sd]?|plummet(?:s|ed)?|sag(?:s|ged)?|s[aiu]nk|sinks|"
    r"peak(?:s|ed)?|"
    r"exceed(?:s|ed)?|increase[sd]?|decrease[sd]?|decline[sd]?|oscillate[sd]?|fluctuate[sd]?|"
    r"drift(?:s|ed)?|swing|swung|slump(?:s|ed)?|(?:step(?:s|ped)?|shot|shoots?|went|goes?|gone|"
    r"cr[ei]pt|creeps?|ran|mov(?:es?|ed)|sh[oa]t) "
    r"(?:\w+ )?(?:up|down|silent|quiet|dead|off|high|low|above|below|upwards?|downwards?)|"
    r"fail(?:s|ed)?|(?:stood|stayed|hovered) \w+|collapse[sd]?|drop(?:ped)? out|cut out|"
    r"flat-?lined?|stuck|"
    r"stop(?:s|ped)? (?:\w+ing|responding)(?: \w+)?|(?:g[ai]ve|sen[dt]|sends|deliver(?:s|ed)?) no "
    r"\w+|(?:ha[ds]|have|showed) (?:a|an|no) (?:[\w-]+ ){0,2}"
    r"(?:peak|spike|dip|drop|jump|step|gap|outage|dropout|drift|rise|fall|values?|readings?|data))"
)
_DOING = (
    r"(?:rising|falling|dropping|increasing|decreasing|climbing|sinking|drifting|oscillating|"
    r"fluctuating|creeping|sagging|declining|stepping|jumping|above|below|over|under)"
)
EVENT: Final = re.compile(
    rf" (?:(?:\w+ly|just|then|ever|never|all of a sudden|had|has|have|did) ){{0,2}}(?:{_DOES}|"
    rf"been {_DOING}|"
    rf"(?:was|were|is|kept|keeps|started|began|starts) (?:\w+ly )?{_DOING})(?!\w)"
)
# What asks for values beside a channel; "it" and "that" stand for one that was named before.
FIGURES: Final = compiled(
    r"(?:the |what |which |any )*(?:values?|figures?|readings?|measurements?|log)"
    r"(?: (?:did|does|have|had|were|was|of|from|in|for|are|show|say))*",
    r"how (?:many|much) \w+ (?:are|is|were|was) (?P<keep>(?:missing|lost))(?: (?:from|in|of))?",
    r"what happened (?:to|with)|(?:show|have|go)(?=\W*$)",
    r"(?P<keep>(?:a|the|any|first|last) (?:\w+ )?(?:spike|peak|drop|dip|jump|fall|rise|step|gap|"
    r"drift|"
    r"outage|dropout|swing|surge)s? (?:in|of|on))",
    r"(?:anything|something|nothing) (?:unusual|odd|strange|special|happen(?:ed)?)",
    r"(?:how|what) (?:was|is|were|did|does)(?= the \x03?)",
    r"from what (?:value )?to what (?:value )?did",
    r"how (?:far|high|low|much|long) (?:did|was|were|is)(?: (?:it|that|they))?(?: (?:go|get|"
    r"last))?",
    r"what (?:did|does) (?:it|that) (?:do|read|show)|what it did",
    r"behav(?:e|ed|iour)|get nothing|got nothing",
)
# "How high did it go" asks for its end, and "go" says nothing else.
FAR: Final = re.compile(
    r"how (?P<far>high|hot|warm|much|far|fast|loud|low|cold) (?:did|has) (?=(?:the )?$)"
)
GO: Final = re.compile(r" (?:go|get|become|rise|fall|drop|climb|gone|got)(?: up| down)?(?!\w)")
ENDS_OF: Final = {
    **dict.fromkeys(["high", "hot", "warm", "fast", "loud"], "max"),
    **dict.fromkeys(["low", "cold"], "min"),
}
LISTED: Final = {
    "sensor": re.compile(
        r"^\W*(?:and )?(?:(?:what|which) (?:was|were) )?(?:the |its |both |i need |"
        r"(?:give|show|get) me )*(?:sensor )?(?:readings?|values?|figures?|measurements?|"
        r"numbers?)\W*$"
        r"|^\W*(?:and )?(?:how far|how high|how low|how much) (?:did|was|were) (?:it|that)"
        r"(?: (?:go|get|rise|fall|drop|move))?(?: up| down)?\W*$"
        r"|^\W*(?:and )?what did (?:the log|the sensor|it) (?:show|say|read|do)\W*$"
    ),
    "screenshot": re.compile(
        r"^\W*(?:and )?(?:(?:give|show|get) me |both |the |my )*(?:screen|display|page|window|"
        r"screenshot)"
        r"(?: (?:that |which )?(?:was |were )?(?:open|up|shown|then|i had))*[\s\x01]*\W*$"
    ),
    "speech": re.compile(
        r"^\W*(?:and )?(?:(?:give|show|get) me |both |the )*(?:talk|conversation|speech|words?|"
        r"discussion)[\s\x01]*\W*$"
        r"|^\W*(?:and )?what (?:(?:did )?(?:people|they|everyone|the others) (?:say|said)|"
        r"was (?:being )?said|was being talked about)[\s\x01]*\W*$"
    ),
}

# -- order, change, what is excluded ---------------------------------------------------------------

_FIRST, _LAST = r"(?:very )?(?:first|earliest)", r"(?:very )?(?:last|latest|newest|most recent)"
ORDERS: Final = {
    name: compiled(
        rf"(?:for )?(?:the )?{word} time(?: that)?",
        rf"(?:the |my )?{word}(?= (?:word|things?|remark|mention|talk|conversation|{_SHEET})\b)",
        rf"(?:the |my )?{word}(?= (?:[\w-]+ )?{_ITEM} (?:{_I}|today|yesterday|\x01))",
        rf"(?<=open ){bare}|(?<=look at ){bare}|(?<=see ){bare}|(?<=up ){bare}",
        rf"(?:the )?{word}(?= (?:spike|peak|dip|drop|jump|gap|step|outage)s?\b)",
        rf"{bare}(?=[\s?.!\x01]*$)",
        rf"{bare}(?= (?:mention|mentioned|open|opened|look|looked|brought|came|come|talk))",
    )
    for name, word, bare in (("first", _FIRST, "first"), ("last", _LAST, "last"))
}
CHANGED: Final = compiled(
    r"(?:which|what) (?:numbers?|figures?|values?|lines?|entries) (?:(?:of|on|in) "
    r"(?P<keep>.{2,60}?) )?"
    r"(?:had |have |has |did )?(?:moved|changed?|gone up|gone down|become different|differ(?:ed)?)",
    r"how (?:did|do|does) (?P<keep>.{2,80}?) (?:differ|compare)(?: (?:from|at|to|with))?",
    r"compare(?= .{0,80}\x01)",
    r"(?:what|anything) (?:is|was|'s|had|has) (?:become )?(?:different|new|moved)(?: (?:on|in))?",
)
THE_OTHER: Final = compiled(
    r"(?:with|to|and) the (?:one|state)(?= \x01)", r"(?:from|compared (?:to|with))(?= \x01)"
)
_WHAT = r"(?P<what>[^,;.?!\x01]{2,80}?)(?=\s*(?:$|[,;?!\x01]|\.(?:\s|$)))"
EXCLUDED: Final = compiled(
    r",? ?(?:but )?(?:without|with no|leaving out|ignoring|and not|but not) "
    r"(?:(?:any |a single |a )?(?:word|mention|talk|reference|trace)s? (?:on|of|about|to) |"
    r"mentioning |anything (?:on|about) |what (?:deals with|is about) )" + _WHAT,
    r",? ?but (?:nothing|no word|not a word|not anything) (?:about|on|of) " + _WHAT,
    r",? ?(?:but )?not (?:the )?ones? (?:that |which |with )?(?:also )?(?:about|on|for|brings? up|"
    r"mentions?|has|deals? with|is about|was about|talks? about|covers?) " + _WHAT,
    r",? ?(?:leaving out|leave out|ignoring|skipping) (?:the )?" + _WHAT,
)

# -- what says nothing about the content -----------------------------------------------------------

_THEN = (
    r"at (?:that|this|the same) (?:very |exact )?(?:moment|time|point|instant)|"
    r"at the time(?=\s*(?:$|[?.,!]))|(?:right|just|back|about|around) then|"
    r"(?<=open )then(?=\W*$)|(?<=up )then(?=\W*$)|then(?=\s*[?.!]*$)"
)
CARRIERS: Final = compiled(
    r"(?<![^\s])(?:please )?(?:i (?:believe|think|guess|suppose|remember)(?: that)?|"
    r"as far as i (?:know|remember|recall),?|if i remember right,?|can you tell me|tell me|"
    r"remind me(?: of)?|let me know|do you (?:know|remember))(?= (?:what|which|the|who|how|"
    r"there)\b)",
    r"when (?:exactly )?(?:was|is) it (?:exactly )?(?:that|when)",
    r"(?:at )?what time (?:exactly )?(?:was it )?(?:that|when)",
    r"at what time exactly(?: did)?|(?:was|is) there (?:ever )?(?:a|any|some) (?:moment|time|"
    r"point)s? "
    r"(?:when|where|at which)",
    r"show me (?:where|when|the (?:moment|place) (?:when|where))",
    r"at some (?:point|time)|some ?time or other|is(?:n't)? that (?:right|true|so|it)|am i right",
    r"(?:and )?(?:what|where|which|who|when) (?:one |page |mail )?(?:was|is) (?:it|that)(?: "
    r"(?:again|about|"
    r"exactly|now))?(?=\W*$)",
    r"(?:and )?(?:what came of (?:it|that)|how (?:much|high|low|many) (?:was|is|were) (?:it|that)|"
    r"and how)(?=\W*$)",
    r"(?:later|afterwards|next|earlier)(?=\W*$)",
    r"(?:, )?show me(?=\W*$)|(?<=\w )again(?=\W*$)|(?<= )in it(?=\W*(?:, show me)?\W*$)",
    _THEN,
)
# The same, where several things are named afterwards.
LEADS: Final = re.compile(
    r"what do (?:we|you|i) have(?= (?:on|about|from|for)\b)|"
    r"(?:give|show|tell) me (?:both|everything|all)(?=\s*[:,]| (?:on|about|from|for) the moment)"
)
# Without one of these no pattern for screens, or for talk, needs to be tried.
ON_SCREENS: Final = re.compile(
    r"screen|page|tab|window|ticket|mail|thread|appointment|board|overview|sheet|book|wiki|file|"
    r"site|"
    r"inbox|request|calendar|order|document|slide|form|chart|diagram|dialog|invoice|editor|"
    r"terminal|"
    r"report|article|chat|message|table|list|plan|map|picture|code|open|up|display|monitor|look|"
    r"read|"
    r"view|seen?|saw|front|shown"
)
SPOKEN: Final = re.compile(
    r"talk|conversation|discuss|chat|call|word|remark|comment|sp[eo]k|mention|br[io][nu]g|c[ao]me|"
    r"said|say|told|tell|announce|explain|describ|argu|complain|ask|going on|aloud|loud"
)
# Then a day may be one to come: "what must be ready until Friday?"
TO_COME: Final = frozenset(
    str.split("will going shall must should need needs due plan planned upcoming")
)
