"""The rules, each with its weight; from 1 on, in one stretch of text, it reads like instructions.

The weights were set by hand on two thirds of the attacks in ``tests/hygiene/attacks.json`` and on
text that attacks nobody; `scripts/bench/injection.py` measures them on the last third.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

LONG = 24  # characters of base64 or hex that can hold a sentence


class Rule(NamedTuple):
    """A pattern, what it speaks for, and how much."""

    reason: str
    weight: float
    pattern: str
    # It can match only where one of these is in the text, in lower case; (): anywhere.
    needs: tuple[str, ...] = ()


# Over the letters of `vocabulary`: one letter for each word, "." for a word of no kind, "u" for an
# address, "T" for the name of a tool of ours, "," and "/" for the ends of clauses and sentences.
_ = "[^/]"
BY_WORDS: Sequence[Rule] = (
    Rule("override", 1.0, rf"i{_}{{0,3}}[pyq]{_}{{0,3}}n|n{_}{{0,2}}p{_}{{0,2}}i|pp?.?q?n.?i"),
    Rule("override", 0.6, rf"i{_}{{0,4}}n"),
    Rule("override", 0.6, rf"i{_}{{0,2}}qp|i{_}?sn"),
    Rule("override", 0.4, rf"N{_}{{0,2}}[nk]|{_}?yN[nk]"),
    Rule("override", 0.5, rf"n{_}{{1,3}}r"),
    Rule("role", 0.5, rf"ybw|wyb|yb{_}?w"),
    Rule("role", 0.5, rf"y[bm]{_}{{0,4}}[zrs]"),
    Rule("role", 0.5, r"(?:^|/).?r,"),
    Rule("role", 0.5, rf"s{_}?z|r{_}{{0,2}}z|j{_}{{1,3}}[rs]"),
    Rule("addressed", 0.6, rf"A{_}{{0,4}}r"),
    Rule("addressed", 0.5, rf"r{_}{{0,2}}m|r{_}{{0,2}}R|yR"),
    Rule("addressed", 0.5, rf"m{_}{{0,2}}f|r{_}{{0,3}}[xvf]"),
    Rule("tool demand", 0.5, rf"v{_}{{0,3}}t|vi|v[DX]"),
    Rule("tool demand", 0.6, rf"v{_}{{0,2}}(?:it|T)"),
    Rule("tool demand", 0.3, r"T"),
    Rule("tool demand", 0.4, rf"[Di]{_}{{0,3}}[cdS]"),
    Rule("exfiltration", 0.4, rf"[xX]{_}{{0,10}}u"),
    Rule("exfiltration", 0.5, rf"[xX]{_}{{0,5}}[cS]"),
    Rule("exfiltration", 0.3, rf"x{_}{{0,3}}d"),
    Rule("exfiltration", 0.3, rf"[xX]{_}{{0,5}}[cS]{_}{{0,14}}u"),
    Rule("exfiltration", 0.4, rf"x{_}?q{_}?[dcS]"),
    Rule("exfiltration", 0.4, rf"[xX]{_}{{0,3}}h{_}{{0,2}}[dcS]"),
    Rule("exfiltration", 0.8, rf"X{_}{{0,4}}sn"),
    Rule("secrecy", 1.0, rf"g{_}{{0,2}}l{_}{{0,5}}h|l{_}{{0,2}}h{_}{{0,2}}O|h{_}?gl"),
    Rule("secrecy", 0.3, r"gl|lO"),
    Rule("claimed consent", 0.5, rf"[hr]{_}{{0,2}}G"),
    Rule("encoded text", 0.4, rf"e{_}{{0,4}}[vf]"),
    Rule("encoded text", 0.2, r"e"),
)

# Over the text as it is seen, in lower case.
BY_MARKS: Sequence[Rule] = (
    Rule(
        "prompt marker",
        1.0,
        r"<\|\s?(?:im_?start|im_?end|im_?sep|system|user|assistant|endof\w+|eot_id|\w+_header_id)"
        r"|\[/?inst\]|<</?sys>>",
        ("<", "[inst", "[/inst"),
    ),
    Rule("prompt marker", 1.0, r"\n\n ?human:.{1,300}?\n\s*assistant:", ("human:",)),
    Rule(
        "prompt marker",
        0.9,
        r"(?m)^\s*#{2,4}\s*(?:instruction|system|assistant|human)s?\b",
        ("##",),
    ),
    Rule("prompt marker", 0.6, r"(?m)^\s*(?:system|developer)\s?:(?!:)", ("system", "developer")),
    Rule("role", 0.5, r"(?m)^\s*(?:ai|assistant|agent|chatbot)\s?[:,](?!:)", ("a",)),
    Rule(
        "forged frame",
        1.0,
        r"(?:[<‹〈《]|&lt;)\s*[/⁄]?\s*d\s?a\s?t\s?a\s*(?:[>›〉》]|&gt;)",
        ("<", "‹", "〈", "《", "&lt;"),
    ),
    Rule(
        "forged frame",
        1.0,
        r"\[[0-9a-f]{10}\]\s*\w+\s*[·•.]|\[\d{1,3}\]\s*\w{4,12}\s*[·•]",
        ("[",),
    ),
    Rule(
        "forged frame",
        1.0,
        r"retrieved data from the user|note by (?:an agent|the user)|suspicious: reads like"
        r"|verified user instruction",
        ("retrieved data", "note by", "suspicious:", "verified"),
    ),
    Rule(
        "tool demand",
        0.5,
        r"[\"'](?:tool|tool_?name|function|tool_calls?)[\"']\s*:",
        ("tool", "func"),
    ),
    Rule("tool demand", 0.5, r"[\"'](?:arguments|parameters)[\"']\s*:\s*\{", ("argum", "param")),
    Rule("tool demand", 0.5, r"confirm\s*[=:]\s*true|with confirm\b", ("confirm",)),
    Rule(
        "beacon",
        1.0,
        r"(?<!\[)!\[[^\]\n]{0,80}\]\(\s*https?:[^)\s?{]{0,200}(?:\{|\?(?!(?:branch|color|event|label|logo"
        r"|raw|size|style|v|width)=))|<img[^>]{0,80}src=[^>?]{0,200}\?(?:[cdmpqst]|data|info|log|msg|text)="
        r"|=\s?(?:hyperlink|webservice|importxml|importdata|image)\s?\(",
        ("![", "<img", "="),
    ),
    Rule(
        "command line",
        1.0,
        r"\b(?:curl|wget|iwr|irm|fetch)\b[^\n|]{0,200}\|\s*(?:sudo\s+)?(?:(?:ba|z|da)?sh|python3?"
        r"|perl|iex)\b",
        ("|",),
    ),
    Rule(
        "addressed",
        0.6,
        r"\bif you(?:'re| are) (?:an? |the )?(?:ai|assistant|language|agent)",
        ("if you",),
    ),
    Rule("role", 0.5, r"\bas an? (?:ai|(?:large )?language model|assistant)\b", ("as a",)),
    Rule(
        "addressed",
        0.4,
        r"\blanguage model\b|\bai (?:agent|assistant|system)s?\b",
        ("language model", "ai "),
    ),
    Rule(
        "secrecy",
        1.0,
        r"\bkeep (?:this|it|that)[^.\n]{0,20} from the (?:user|owner)\b",
        ("keep ",),
    ),
    Rule("secrecy", 0.4, r"\bsay nothing\b|\bnever mention\b", ("say nothing", "never mention")),
    Rule(
        "claimed consent",
        0.5,
        r"\bwithout (?:asking|telling|confirm\w+|permission|approval)\b",
        ("without ",),
    ),
)
# A run of base64 or hex by itself; what it decodes to is read as well.
ENCODED = Rule(
    "encoded text", 0.4, rf"(?<![\w/.:%&?#+-])[A-Za-z0-9+/]{{{LONG},}}={{0,2}}(?![\w/.:%&-])"
)
DISGUISED = Rule("disguised spelling", 0.5, "")

# Over the text as it was stored, before anything is taken out of it.
BY_CARRIER: Sequence[Rule] = (
    Rule("hidden text", 1.0, "[\U000e0000-\U000e007f]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}"),
    Rule("hidden text", 1.0, "[\u202d\u202e]"),
    Rule("hidden text", 1.0, "[\u200b-\u200f\u2060-\u2064\ufeff\xad]{4}"),
    Rule("hidden text", 0.4, r"(?<=[a-z])[\u200b-\u200d\u2060-\u2064\ufeff](?=[a-z])"),
)


Compiled = Sequence[tuple[Rule, "re.Pattern[str]"]]


def _compiled(rules: Sequence[Rule]) -> Compiled:
    return tuple((rule, re.compile(rule.pattern, re.DOTALL)) for rule in rules)


@cache
def by_words() -> Compiled:
    """The rules over letters of words, compiled at first use."""
    return _compiled(BY_WORDS)


@cache
def by_marks() -> Compiled:
    """The rules over the visible text in lower case."""
    return _compiled(BY_MARKS)


@cache
def by_carrier() -> Compiled:
    """The rules over the text as it was stored."""
    return _compiled(BY_CARRIER)
