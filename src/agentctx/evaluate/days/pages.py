"""The pages as HTML: templates of the package, filled with a screen's lines and with fillers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from random import Random
from string import Template
from typing import Any

from agentctx.evaluate.days.chance import seeded
from agentctx.evaluate.days.records import Day, Screen, World
from agentctx.evaluate.days.worlds import texts, worlds

Fields = dict[str, str]


def html(day: Day, screen: Screen) -> str:
    """A screen's page; the same screen always gives the same page."""
    world = next(one for one in worlds() if day.name.endswith(one.name))
    filling = _Filling(world, screen, seeded(screen.file))
    folder = files("agentctx.evaluate.days") / "pages"
    template = Template((folder / f"{screen.kind}.html").read_text("utf-8"))
    return template.substitute(filling.common() | _MORE[screen.kind](filling))


class _Filling:
    """What goes into one page's template."""

    def __init__(self, world: World, screen: Screen, rng: Random) -> None:
        self.world = world
        self.screen = screen
        self.rng = rng
        self.texts: Mapping[str, Any] = texts("pages")

    def some(self, name: str, count: int) -> list[Any]:
        return self.rng.sample(self.texts[name], count)

    def fillers(self, count: int) -> list[str]:
        return self.rng.sample(list(self.world.fillers), count)

    def number(self) -> str:
        return f"{self.world.prefix}-{self.rng.randrange(1200, 9800)}"

    def common(self) -> Fields:
        at = self.screen.at
        return {
            "title": escape(self.screen.title),
            "place": escape(self.world.place),
            "team": escape(self.world.team),
            "clock": f"{at:%A} {at.day} {at:%B %Y}, {at:%H:%M}",
            "sender": escape(self.some("people", 1)[0]),
            "people": "<br>".join(self.some("people", 3)),
            "lines": _paragraphs(self.screen.lines),
        }


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _cells(cells: Iterable[str], kinds: Sequence[str] = ()) -> str:
    marks = [*kinds, *[""] * 10]
    return "".join(
        f'<td class="{mark}">{escape(cell)}</td>' for cell, mark in zip(cells, marks, strict=False)
    )


def _dashboard(filling: _Filling) -> Fields:
    tiles = (
        f'<div class="tile"><label>{escape(label)}</label><b>{escape(value)}</b></div>'
        for label, value in filling.screen.figures.items()
    )
    heights = [filling.rng.uniform(10, 90) for _ in range(40)]
    points = " ".join(f"{10 + 23 * n},{height:.0f}" for n, height in enumerate(heights))
    items = "".join(f"<li>{escape(text)}</li>" for text in filling.fillers(4))
    return {
        "figures": "".join(tiles),
        "curve": f'<polyline points="{points}"/>',
        "fillers": items,
    }


def _chat(filling: _Filling) -> Fields:
    around = filling.some("small_talk", 4)
    lines = [*around[:2], *filling.screen.lines, *around[2:]]
    people = filling.some("people", 4)
    minutes = sorted(filling.rng.sample(range(1, 50), len(lines)), reverse=True)
    at = filling.screen.at.hour * 60 + filling.screen.at.minute
    messages = (
        f"<article><b>{filling.rng.choice(people)}</b>"
        f"<time>{(at - ago) // 60:02}:{(at - ago) % 60:02}</time><p>{escape(line)}</p></article>"
        for ago, line in zip(minutes, lines, strict=True)
    )
    subject = f"<article><p><b>Topic: {escape(filling.screen.title)}</b></p></article>"
    return {"messages": subject + "".join(messages)}


def _ticket(filling: _Filling) -> Fields:
    people = filling.some("people", 3)
    rows = (
        ("State", filling.some("states", 1)[0]),
        ("Priority", filling.some("priorities", 1)[0]),
        ("Assigned to", people[0]),
        ("Reported by", people[1]),
        ("Team", filling.world.team),
    )
    talk = filling.some("small_talk", 2)
    return {
        "number": filling.number(),
        "details": "".join(f"<tr>{_cells(row)}</tr>" for row in rows),
        "activity": _paragraphs(
            f"{who}: {line}" for who, line in zip(people[1:], talk, strict=True)
        ),
        "others": _paragraphs(f"{filling.number()} {text}" for text in filling.fillers(4)),
    }


def _mail(filling: _Filling) -> Fields:
    senders, subjects = filling.some("people", 7), filling.some("subjects", 6)
    rows = [f'<div class="row on"><b>{senders[6]}</b>{escape(filling.screen.title)}</div>']
    rows += [
        f'<div class="row"><b>{who}</b>{escape(subject)}</div>'
        for who, subject in zip(senders, subjects, strict=False)
    ]
    filling.rng.shuffle(rows)
    return {"rows": "".join(rows), "sender": senders[6]}


def _wiki(filling: _Filling) -> Fields:
    names = filling.texts["sections"]
    chapters = (
        f"<h2>{name}</h2><p>{escape(line)}</p>"
        for name, line in zip(names, filling.screen.lines, strict=False)
    )
    return {
        "chapters": "".join(chapters),
        "fillers": "<br>".join(escape(text) for text in filling.fillers(5)),
    }


def _sheet(filling: _Filling) -> Fields:
    rows = ["<tr>" + _cells(["", *"ABCDE"]) + "</tr>"]
    content = [[filling.screen.title], *[[line] for line in filling.screen.lines], []]
    content.append(["Item", "Quantity", "Price", "Total", "Remark"])
    for text in filling.fillers(5):
        count, price = filling.rng.randrange(1, 60), filling.rng.uniform(2, 90)
        remark = filling.some("small_talk", 1)[0]
        content.append([text, str(count), f"{price:.2f}", f"{count * price:.2f}", remark])
    for number, cells in enumerate(content, start=1):
        # A line of text runs over the empty cells beside it.
        if len(cells) == 1:
            row = f'<td>{number}</td><td colspan="5">{escape(cells[0])}</td>'
        else:
            row = _cells([str(number), *cells, *[""] * (5 - len(cells))], ["", "", *["num"] * 3])
        rows.append(f"<tr>{row}</tr>")
    return {"rows": "".join(rows)}


def _calendar(filling: _Filling) -> Fields:
    at = filling.screen.at
    columns = []
    for weekday, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri")):
        slots = [
            f'<div class="slot">{8 + 3 * n + filling.rng.randrange(3)}:'
            f"{filling.rng.choice(('00', '15', '30'))}<br>{escape(text)}</div>"
            for n, text in enumerate(filling.some("appointments", 2))
        ]
        if weekday == at.weekday():
            slots.append(f'<div class="slot">15:30<br>{escape(filling.screen.title)}</div>')
        columns.append(f'<div class="day"><b>{name}</b>{"".join(slots)}</div>')
    return {
        "columns": "".join(columns),
        "week": str(at.isocalendar().week),
        "when": f"{at:%A} 15:30 to 16:15",
        "people": ", ".join(filling.some("people", 3)),
    }


def _shop(filling: _Filling) -> Fields:
    goods = filling.some("goods", 6)
    cards = (
        f'<div class="card"><div class="pic"></div>{escape(name)}<br><b>{price} EUR</b></div>'
        for name, price in goods
    )
    return {
        "goods": "".join(cards),
        "count": str(filling.rng.randrange(1, 6)),
        "sum": f"{sum(float(price) for _, price in goods[:3]):.2f}",
    }


def _editor(filling: _Filling) -> Fields:
    stem = filling.screen.title.lower().replace(" ", "_").replace("'", "")
    comments = [f"<i># {escape(line)}</i>" for line in filling.screen.lines]
    code = [escape(line) for line in filling.texts["code"]]
    place = code.index("") + 1
    numbered = [f"<i># {escape(filling.screen.title)}</i>", *code[:place], *comments, *code[place:]]
    return {
        "file": f"{stem}.py",
        "code": "\n".join(numbered),
        "count": str(filling.rng.randrange(3, 30)),
    }


_MORE: Mapping[str, Callable[[_Filling], Fields]] = {
    "calendar": _calendar,
    "chat": _chat,
    "dashboard": _dashboard,
    "editor": _editor,
    "mail": _mail,
    "sheet": _sheet,
    "shop": _shop,
    "ticket": _ticket,
    "wiki": _wiki,
}
