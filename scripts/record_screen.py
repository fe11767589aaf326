"""Record ten minutes of a screen, a picture a second, with the text that is truly visible on each.

    python scripts/record_screen.py DIR [--seed 6] [--seconds 600]

Pages are driven in headless Chromium: typing, a manual that is scrolled, a chat that grows, figures
that change, a form, dialogs, other windows and back, and rests; a clock shows seconds for the first
half, and a cursor blinks. DIR gets 0000.png to 0599.png and truth.json: for each frame a list of
lines, each as text and box (left, top, right, bottom in pixels), from the boxes of the page's own
text, as far as nothing hides them. Needs Chromium and the Python manual (Debian: chromium,
python3-doc). The same seed gives the same pictures where fonts and Chromium are the same.
"""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path

from stream_parts.browser import Page
from stream_parts.scenes import Desk, Step

SIZE = (1280, 800)
MANUALS = ("/usr/share/doc/python3-doc/html", "/usr/share/doc/python3.11/html")
CHAPTER = "library/json.html"
DESK = Path(__file__).parent / "stream_parts" / "desk.html"


def record(folder: Path, seed: int, seconds: int) -> None:
    """Write the pictures and the truth of so many seconds of the session of a seed."""
    manual = next((path for name in MANUALS if (path := Path(name) / CHAPTER).exists()), None)
    if manual is None:
        raise SystemExit("needs the Python manual: apt install python3-doc")
    folder.mkdir(parents=True, exist_ok=True)
    desk = Desk(seed)
    truth = []
    with Page(DESK.as_uri(), SIZE) as page:
        take(page, [*desk.setting(), ("open", manual.resolve().as_uri())])
        for number, step in enumerate(islice(desk.steps(), seconds)):
            take(page, step)
            truth.append(page.evaluate("truth()"))
            page.picture(folder / f"{number:04}.png")
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), "utf-8")


def take(page: Page, step: Step) -> None:
    """Carry out the calls of a step, and wait until the page is drawn."""
    waiting: Step = []
    for call in step:
        if call[0] != "type":
            waiting.append(call)
            continue
        page.evaluate(f"desk.step({json.dumps(waiting)})")
        page.type(call[1])
        waiting = []
    page.evaluate(f"desk.step({json.dumps(waiting)})")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=600)
    given = parser.parse_args()
    record(given.folder, given.seed, given.seconds)
    print(f"{given.seconds} frames in {given.folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
