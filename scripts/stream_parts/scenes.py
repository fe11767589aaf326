"""Ten minutes at a desk, a second at a time: what is typed, scrolled, said, measured and opened.

A step is a list of calls: names of functions of `desk.html` with their arguments, and ``type``,
which is what the keyboard puts in. The same seed gives the same steps.
"""

import math
from collections.abc import Iterator
from random import Random
from typing import Any

Call = tuple[Any, ...]
Step = list[Call]

APPS = (("notes", "Notes"), ("manual", "Manual"), ("chat", "Team chat"),
        ("board", "Operations"), ("order", "New order"))  # fmt: skip
_PEOPLE = ("Amara", "Jonas", "Li Wei", "Priya", "Tomasz", "Elena")
_WHAT = (
    "the pump controller", "the invoice run", "the nightly backup", "the label printer",
    "the staging cluster", "the badge reader", "the cooling loop", "the parcel scanner",
)  # fmt: skip
_DID = (
    "was restarted", "reports a timeout", "needs a new certificate", "passed its check",
    "has been moved", "lost its connection", "is waiting for approval", "was updated",
)  # fmt: skip
_WHERE = (
    "in hall 3", "at the north gate", "on server 14", "for customer 8812", "in rack B7",
    "at the second shift", "before the audit", "after the release",
)  # fmt: skip
_SERVICES = ("checkout", "payments", "search", "inventory", "mail", "shipping", "login",
             "reports", "archive", "pricing")  # fmt: skip
_FIELDS = ("Customer", "Delivery address", "Article", "Quantity", "Needed by", "Remarks")
_KEYS = 9  # characters a second


class Desk:
    """The session of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._tiles = [("Orders per minute", 412.0), ("Latency p99 (ms)", 238.0),
                       ("Error rate (%)", 0.7), ("Queue length", 1893.0)]  # fmt: skip
        self._curve = [0.5] * 60
        self._typed = ""

    def setting(self) -> Step:
        """What the desk shows before the first second."""
        lines = [f"{n}. {self._sentence()}" for n in range(1, 18)]
        talk: list[Call] = [self._message(f"08:{n + 10}") for n in range(14)]
        return [
            ("tabs", APPS),
            ("files", [f"{name}.md" for name in ("agenda", "hand-over", "incidents", "ideas",
                                                 "quarter plan", "suppliers", "travel")]),
            ("show", "notes"), ("focus", "#sheet"),
            ("type", "Hand-over of the night shift\n" + "\n".join(lines) + "\n"),
            *talk, ("fields", _FIELDS), *self._numbers(), *self._table(), ("job", "Idle", 0),
        ]  # fmt: skip

    def steps(self) -> Iterator[Step]:
        """600 steps, one a second."""
        for tick, step in enumerate(self._scenes()):
            clock = f"09:{tick // 60:02}" + (f":{tick % 60:02}" if tick < 300 else "")
            yield [*step, ("clock", clock)]

    def _scenes(self) -> Iterator[Step]:
        yield from self._typing(60)
        yield from self._asking("Save as", "The file hand-over.md exists. Replace it?", 7)
        yield from self._typing(13)
        yield from self._reading(70)
        yield from self._talking(55)
        yield from self._watching(55)
        yield from self._switching(36)
        yield from self._asking("Settings", "The clock no longer shows seconds.", 4)
        yield from self._idle(45)
        yield from self._ordering(65)
        yield from self._watching(50)
        yield from self._gliding(40)
        yield from self._talking(30, toast=True)
        yield from self._beside(35)
        yield from self._idle(32)

    # -- scenes -----------------------------------------------------------------------------------

    def _typing(self, seconds: int) -> Iterator[Step]:
        show: Step = [("show", "notes"), ("focus", "#sheet")]
        for second in range(seconds):
            status = f"Line {second // 8 + 19} · {180 + 2 * second} words"
            yield [*show, ("type", self._keys()), ("follow",), ("caret", second % 2 == 0),
                   ("status", status)]  # fmt: skip
            show = []

    def _asking(self, title: str, text: str, seconds: int) -> Iterator[Step]:
        for _ in range(seconds):
            yield [("dialog", title, text, ["Cancel", "OK"])]
        yield [("dialog", "", "", [])]

    def _reading(self, seconds: int) -> Iterator[Step]:
        """A page scrolled a few lines at a time, with rests, as somebody reads it."""
        show: Step = [("show", "manual"), ("caret", False)]
        rest = 3
        for _ in range(seconds):
            step, show, rest = show, [], rest - 1
            if not rest:
                far = self._random.random() < 0.1
                step = [
                    *step,
                    ("scroll", self._random.choice((420, -300) if far else (60, 120, 180))),
                ]
                rest = self._random.choice((1, 1, 2, 3, 5))
            yield step

    def _gliding(self, seconds: int) -> Iterator[Step]:
        """A page scrolled at a steady pace."""
        yield [("show", "manual"), ("caret", False)]
        for _ in range(seconds - 1):
            yield [("scroll", 33)]

    def _talking(self, seconds: int, *, toast: bool = False) -> Iterator[Step]:
        step: Step = [("show", "chat"), ("caret", False)]
        rest = 2
        for second in range(seconds):
            rest -= 1
            typing = self._random.choice(_PEOPLE[:3]) + " is typing" + "." * (1 + second % 3)
            step.append(("draft", typing if rest < 2 else "Write to the team"))
            if rest <= 0:
                step.append(self._message(f"09:{second // 60 + 20}"))
                rest = self._random.choice((2, 3, 5, 6))
            if toast and second in {12, 18}:
                text = f"Reminder: {self._sentence()}" if second == 12 else ""
                step.append(("toast", text))
            yield step
            step = []

    def _watching(self, seconds: int) -> Iterator[Step]:
        """Figures that change each second, a table now and then, a bar, a wheel and a curve."""
        step: Step = [("show", "board"), ("caret", False)]
        for second in range(seconds):
            step += self._numbers()
            if second % 5 == 0:
                step += self._table()
            share = min(1.0, second / (seconds - 8))
            step += [("job", f"Rebuilding index: {share:.0%}", share), ("turn", 45 * second % 360)]
            self._curve = [*self._curve[1:], 0.5 + 0.4 * math.sin(second / 4)
                           * self._random.uniform(0.6, 1)]  # fmt: skip
            yield [*step, ("plot", self._curve)]
            step = []

    def _switching(self, seconds: int) -> Iterator[Step]:
        """From window to window and back, a few seconds each."""
        order = ("notes", "manual", "notes", "board", "chat", "notes", "chat", "manual", "board")
        for second in range(seconds):
            yield [("show", order[second // 4 % len(order)])] if second % 4 == 0 else []

    def _idle(self, seconds: int) -> Iterator[Step]:
        """Nothing but a cursor that blinks."""
        for second in range(seconds):
            start: Step = [] if second else [("show", "notes"), ("focus", "#sheet")]
            yield [*start, ("caret", second % 2 == 0)]

    def _ordering(self, seconds: int) -> Iterator[Step]:
        """A form, filled in field by field."""
        show: Step = [("show", "order")]
        each = seconds // len(_FIELDS)
        for second in range(seconds):
            place = min(second // each, len(_FIELDS) - 1)
            if second == place * each:
                show = [*show, ("focus", "#order i", place)]
                self._typed = ""
            typed: Step = [("type", self._keys())] if second - place * each < 7 else []
            yield [*show, *typed, ("caret", second % 2 == 0)]
            show = []

    def _beside(self, seconds: int) -> Iterator[Step]:
        """Typing, with the chat as a smaller window in front."""
        step: Step = [("show", "notes"), ("float", "chat", True), ("focus", "#sheet")]
        for second in range(seconds):
            if second % 7 == 3:
                step.append(self._message("09:58"))
            else:
                step += [("type", self._keys()), ("follow",), ("caret", second % 2 == 0)]
            yield step
            step = []
        yield [("float", "chat", False)]

    # -- what they show ---------------------------------------------------------------------------

    def _keys(self) -> str:
        """What is typed in a second."""
        while len(self._typed) < _KEYS:
            self._typed += self._sentence() + self._random.choice((" ", "\n"))
        typed, self._typed = self._typed[:_KEYS], self._typed[_KEYS:]
        return typed

    def _sentence(self) -> str:
        pick = self._random.choice
        subject = pick(_WHAT)
        return f"{subject[0].upper()}{subject[1:]} {pick(_DID)} {pick(_WHERE)}."

    def _message(self, at: str) -> Call:
        parts = [self._sentence() for _ in range(self._random.choice((1, 1, 2)))]
        return "say", self._random.choice(_PEOPLE), at, " ".join(parts)

    def _numbers(self) -> Step:
        vary = self._random.uniform
        self._tiles = [(name, value * vary(0.96, 1.05)) for name, value in self._tiles]
        shown = [(name, f"{value:.1f}" if value < 10 else f"{value:.0f}")
                 for name, value in self._tiles]  # fmt: skip
        return [("tiles", shown)]

    def _table(self) -> Step:
        rows = [
            (name, self._random.choice(("healthy", "healthy", "degraded")),
             f"{self._random.randint(20, 950)} ms", f"{self._random.randint(1, 60)} min ago")
            for name in _SERVICES
        ]  # fmt: skip
        return [("rows", ("Service", "State", "Latency", "Last deploy"), rows)]
