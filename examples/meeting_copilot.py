"""A copilot for a meeting: the transcript, the slides and the code that was talked about.

The script makes a short meeting: subtitles of what was said, two slides, one source file. Shows
how what was said, shown and written is found by one question, what was on the slide when
something was said (a moment), and answers with citations. The answers are quotations that a script
picks (no language model); ``context.text`` is what you would give to yours.

    pip install 'agentctx[default]' && python examples/meeting_copilot.py
"""

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

from agentctx import Memory, Observation
from agentctx.testing.planner import answer

START = datetime.fromisoformat("2026-05-04T13:00:00Z")
SAID = """1
00:00:05,000 --> 00:00:09,000
Ann: Let us look at the latency of the checkout.

2
00:02:10,000 --> 00:02:16,000
Bo: The slow part is load_cart, it asks the database once for each item.

3
00:02:20,000 --> 00:02:25,000
Ann: Then we fetch all items in one query, Bo does it by Friday.

4
00:05:00,000 --> 00:05:04,000
Ann: Next is the budget for the second quarter.
"""
SLIDES = {
    1: ["Checkout", "latency 2.4 seconds, target 0.8"],
    4: ["Budget Q2", "Cloud: 12,000 euros"],
}
CODE = '''def load_cart(database, cart_id):
    """All items of a cart."""
    ids = database.ids_of(cart_id)
    return [database.item(one) for one in ids]  # one query for each item
'''


def slide(path: Path, lines: list[str]) -> Path:
    """A slide as it was on the screen."""
    picture = Image.new("RGB", (960, 540), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((60, 80 + 140 * number), line, "black", ImageFont.load_default(54 - 10 * number))
    picture.save(path)
    return path


def fill(memory: Memory, folder: Path) -> None:
    """The meeting as files and an observation."""
    (folder / "meeting.srt").write_text(SAID, "utf-8")
    memory.add(folder / "meeting.srt", session="meeting", captured_at=START)
    for minute, lines in SLIDES.items():
        shown = slide(folder / f"slide-{minute}.png", lines)
        memory.add(shown, session="meeting", captured_at=START + timedelta(minutes=minute))
    code = Observation(
        text=CODE,
        captured_at=START + timedelta(minutes=2),
        session="meeting",
        source="shop/cart.py",
        attributes={"language": "python"},
    )
    memory.add(code)


def main() -> None:
    """Ask the meeting."""
    with TemporaryDirectory() as place, Memory.open(Path(place) / "memory") as memory:
        fill(memory, Path(place))
        for question in (
            "Which function is slow, and why?",
            "What is the target for the latency of the checkout?",
            "Who fetches all items in one query, and by when?",
        ):
            context = memory.context(question, max_tokens=800, cite="id")
            print(f"? {question}\n{answer(question, [context.text])}\n")
        print("What was there when Bo spoke of load_cart:")
        (moment,) = memory.moments("the slow part is load_cart", window=90, limit=1)
        everything = [hit.observation for hit in moment.hits] + list(moment.companions)
        for one in sorted(everything, key=lambda one: one.captured_at):
            line = one.text.splitlines()[0]
            print(f"  {one.captured_at:%H:%M:%S} {one.modality:<10} [{one.id[:10]}] {line}")


if __name__ == "__main__":
    main()
