"""A scripted planner: what the chat models of `agentctx.testing` think with. No language model.

It runs the loop that an agent runs, by rules: it matches the words of the question with the names
and descriptions of the tools, fills their arguments by their JSON schemas, reads what comes back,
and in the end quotes the sentences that have most of the question's words, with their citations.
It writes no sentence of its own, and understands nothing. Equal input gives equal output.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentctx.words import telling

NOTHING = "The memory has nothing on this."
INTRODUCTION = "The memory says (quoted by a scripted planner, not a language model):"

# A tool is called when it has at least this share of the best tool's likeness to the question.
_LIKELY = 0.5
_MOST_CALLS = 4
_MOST_QUOTES = 4
_SHORTEST = 4
_STEM = 4
_LONGEST_QUOTE = 300
# What a question says where a tool's description says something else.
_ASKED_AS: Mapping[str, str] = {
    "average": "mean",
    "changes": "changed",
    "different": "changed",
    "high": "max",
    "highest": "max",
    "low": "min",
    "lowest": "min",
    "maximum": "max",
    "minimum": "min",
    "typical": "median",
}
_EVIDENCE = re.compile(r"^\[([\w-]+)\] ([^\n]*)\n<data>\n(.*?)\n</data>", re.M | re.S)
_DATA = re.compile(r"<data>\n(.*?)\n</data>", re.S)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True, slots=True)
class KnownTool:
    """A tool as a model is told of it: its arguments are a JSON schema of an object."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called, or that was called."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was made, and the text that came back."""

    call: Call
    text: str


def step(
    question: str,
    tools: Sequence[KnownTool],
    done: Sequence[Done] = (),
    given: Sequence[str] = (),
) -> Call | str:
    """The next call to make, or the answer when there is none to make.

    ``given`` is evidence that came with the question.
    """
    if len(done) < _MOST_CALLS:
        for tool in chosen(question, tools):
            call = Call(tool.name, _filled(question, tool, done))
            tried = [one.call for one in done if one.call.name == tool.name]
            if _complete(tool, call) and call not in tried:
                return call
    return answer(question, [*given, *(one.text for one in done)])


def chosen(question: str, tools: Sequence[KnownTool]) -> list[KnownTool]:
    """The tools worth calling, the likest first; one that takes any question stands in for none.

    A word counts by how few of the tools have it; in a tool's name it counts twice.
    """
    asked = {_ASKED_AS.get(word, word) for word in telling(question)} - {"user", "tool"}
    words = [_words(f"{tool.name} {tool.name} {tool.description}") for tool in tools]
    rare = Counter(word for found in words for word in found)
    worth = {word: math.log(1 + len(tools) / rare[word]) for word in asked if word in rare}
    likeness = [sum(min(found[w], 2) * worth[w] for w in worth if w in found) for found in words]
    best = max(likeness, default=0.0)
    alike = [
        (score, tool)
        for score, tool in zip(likeness, tools, strict=True)
        if score and score >= _LIKELY * best
    ]
    ranked = [tool for _, tool in sorted(alike, key=lambda pair: -pair[0])]
    open_ = [tool for tool in tools if _asks(tool) and tool not in ranked]
    return [*ranked, *open_[:1]]


def answer(question: str, texts: Sequence[str]) -> str:
    """The likest sentence of each piece of evidence, the likest pieces first, with citations.

    The first piece, which its tool thought the best, is among them whatever its words are. What a
    tool says outside of evidence (a number that it read, why it failed) is quoted as it is.
    """
    asked = telling(question)
    found: dict[str, tuple[int, str]] = {}
    for mark, quoted in (one for text in texts for one in _evidence(text)):
        likeness, quote = max(
            ((_alike(asked, part), part) for part in _sentences(quoted)), key=lambda pair: pair[0]
        )
        if (likeness or not found) and quote not in (known for _, known in found.values()):
            found.setdefault(mark, (likeness, quote))
    ranked = sorted(found.items(), key=lambda item: -item[1][0])[:_MOST_QUOTES]
    quotes = [f"- “{quote[:_LONGEST_QUOTE]}” [{mark}]" for mark, (_, quote) in ranked]
    said = [f"- {line}" for text in texts for line in _said(text)]
    return "\n".join([INTRODUCTION, *said, *quotes]) if said or quotes else NOTHING


def _evidence(text: str) -> Iterator[tuple[str, str]]:
    """Citation mark and quotation of each piece of evidence that has words."""
    for mark, _, quoted in _EVIDENCE.findall(text):
        if quoted.strip():
            yield mark, quoted


def _said(text: str) -> list[str]:
    """What is told without a citation: a plain answer, or lines between delimiters."""
    if "<data>" not in text:
        return [] if text.lower().startswith("nothing") else [text]
    lines = [line for block in _DATA.findall(_EVIDENCE.sub("", text)) for line in block.split("\n")]
    # Names in a list are no sentences.
    return [line for line in lines if len(line.split()) >= _SHORTEST][:_MOST_QUOTES]


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def _alike(asked: Sequence[str], text: str) -> int:
    """How many of the words a text has, with whatever ending."""
    there = telling(text)
    return sum(any(_same(word, other) for other in there) for word in asked)


def _same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= _STEM and long.startswith(short))


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z]+", text.lower()))


def _asks(tool: KnownTool) -> bool:
    """Whether the tool takes a question as it is, and nothing else."""
    required = tool.schema.get("required", [])
    return [name in _QUESTIONS for name in required] == [True]


def _complete(tool: KnownTool, call: Call) -> bool:
    return set(tool.schema.get("required", [])) <= call.arguments.keys()


_QUESTIONS = frozenset({"input", "query", "question"})
_TEXTS = frozenset({"text", "note"})
_BOUNDS = {"since": 0, "until": 1}


def _filled(question: str, tool: KnownTool, done: Sequence[Done]) -> dict[str, Any]:
    """The arguments that the question, or what came back so far, has something for."""
    found: dict[str, Any] = {}
    times = _TIME.findall(question)
    for name, schema in tool.schema.get("properties", {}).items():
        about = f"{name} {schema.get('description', '')}".lower()
        value: Any = None
        if name in _QUESTIONS:
            value = question
        elif name in _TEXTS:
            value = question.partition(":")[2].strip() or question
        elif schema.get("type") != "string":
            continue  # numbers, lists and switches have defaults
        elif name in _BOUNDS:
            value = times[_BOUNDS[name]] if len(times) > 1 else None
        elif "iso 8601" in about and times:
            value = times[0]
        elif "brackets" in about or "id" in name.split("_"):
            value = _first_citation(question, done)
        else:
            value = _named(question, about, tool, done)
        if value is not None:
            found[name] = value
    return found


def _first_citation(question: str, done: Sequence[Done]) -> str | None:
    """The citation whose quotation has most of the question's words."""
    asked = telling(question)
    found = (pair for one in done for pair in _evidence(one.text))
    marks = [(_alike(asked, quoted), mark) for mark, quoted in found]
    return max(marks, key=lambda pair: pair[0])[1] if marks else None


def _named(question: str, about: str, tool: KnownTool, done: Sequence[Done]) -> str | None:
    """A value that the description names and the question asks for, or one that was listed."""
    asked = [_ASKED_AS.get(word, word) for word in telling(question)]
    for word in asked:
        if re.search(rf"[:,] {re.escape(word)}\b|\bor {re.escape(word)}\b", about):
            return word
    listed = [
        line
        for one in done
        if one.call.name == tool.name and not _EVIDENCE.search(one.text)
        for block in _DATA.findall(one.text)
        for line in block.splitlines()
    ]
    if "list" not in about:
        return None
    likest = max(listed, key=lambda line: _alike(asked, line), default="")
    return likest.partition(" [")[0].strip('"') if _alike(asked, likest) else None
