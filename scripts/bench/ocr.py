"""Choose the OCR engine by measurement: errors, seconds and memory on pages whose text is known.

Pages of the Python manual (Debian package python3-doc) are rendered by headless Chromium. The same
page load yields the picture and the words that are visible in it, so the truth needs no labelling.
Every engine runs in a process of its own; the pages go to all engines in turn, so that a busy
machine slows all of them alike. CPU seconds count the time of all cores.

    python scripts/bench/ocr.py --json ocr.json --markdown ocr.md
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ocr_engines import ENGINES, Worker
from rapidfuzz.distance import Levenshtein

MANUALS = ("/usr/share/doc/python3-doc/html", "/usr/share/doc/python3.11/html")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
RATES = ("cer", "cer_glued", "wer", "words_lost")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One page to render: a file of the manual, the element it starts at, and how it is shown."""

    name: str
    file: str
    start: str = ""  # id of the element moved to the top of the page; "" is the page's own top
    size: tuple[int, int] = (1024, 768)
    dark: bool = False
    zoom: float = 1.0


PAGES = (
    Page("function table", "library/functions.html"),
    Page("prose and code", "library/json.html", size=(1440, 900)),
    Page("operator table", "library/stdtypes.html", start="numeric-types-int-float-complex"),
    Page("format codes", "library/datetime.html", start="strftime-and-strptime-format-codes",
         size=(1440, 900)),
    Page("tutorial, dark", "tutorial/controlflow.html", dark=True),
    Page("code, dark", "tutorial/introduction.html", start="lists", size=(1440, 900), dark=True),
    Page("news, small", "whatsnew/3.11.html", size=(1440, 900), zoom=0.8),
    Page("precedence table", "reference/expressions.html", start="operator-precedence"),
    Page("list of links", "library/index.html", size=(1440, 900)),
    Page("howto, small", "howto/regex.html", zoom=0.8),
    Page("C interface", "c-api/unicode.html", size=(1440, 900)),
    Page("log levels, dark", "library/logging.html", start="logging-levels", dark=True),
)  # fmt: skip

STYLE = """
html{{overflow:hidden!important;zoom:{zoom}}}
a.headerlink,script{{display:none!important}}
li{{list-style:none!important}}
*{{animation:none!important;transition:none!important}}
{dark}
"""
DARK = "html{background:#1e1e1e}html>body{filter:invert(1) hue-rotate(180deg);background:#e1e1e1}"

# Blocks that the lower edge would cut, and links too long for the side bar, are hidden; then every
# word still to be seen is listed, the words of one block together, in the order of a reader: the
# bar on top, the side bar, the page.
COLLECT = """
addEventListener('load', () => {
  const W = %(width)d, H = %(height)d, blocks = 'p,pre,li,td,th,dt,h1,h2,h3,h4,caption,div';
  const start = document.getElementById(%(start)s);
  if (start) for (let e = start; e.parentElement && !e.matches('.body'); e = e.parentElement)
    while (e.previousElementSibling) e.previousElementSibling.remove();
  const words = () => {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode()); ) {
      const style = getComputedStyle(node.parentElement);
      if (style.visibility !== 'visible' || node.parentElement.closest('script,style')) continue;
      for (const match of node.data.matchAll(/\\S+/g)) {
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        const box = range.getBoundingClientRect();
        if (!box.width || box.top >= H || box.left >= W) continue;
        const glued = match.index === 0 && found.length && !/^\\s/.test(node.data);
        found.push({node, box, text: match[0], block: node.parentElement.closest(blocks), glued});
      }
    }
    return found;
  };
  const hide = element => { element.style.visibility = 'hidden'; };
  for (const w of words()) {
    const side = w.block.closest('.sphinxsidebar');
    if (w.box.bottom > H - 2 || w.box.right > W || w.box.left < 0) hide(w.block);
    else if (side && w.box.right > side.getBoundingClientRect().right - 4)
      hide(w.node.parentElement);
  }
  const lists = new Map();
  for (const w of words()) {
    if (!lists.has(w.block)) lists.set(w.block, []);
    const list = lists.get(w.block), last = list[list.length - 1];
    const touches = last && Math.abs(last.right - w.box.left) < 1.5 && w.box.top < last.bottom;
    if (w.glued && touches) { last.text += w.text; last.right = w.box.right; }
    else list.push({text: w.text, right: w.box.right, bottom: w.box.bottom});
  }
  const rank = block => block.closest('.related') ? 0 : block.closest('.sphinxsidebar') ? 1 : 2;
  const sorted = [...lists].sort((a, b) => rank(a[0]) - rank(b[0]));
  const truth = document.createElement('pre');
  truth.id = 'truth';
  truth.style.display = 'none';
  truth.textContent = JSON.stringify(sorted.map(([, list]) => list.map(w => w.text).join(' ')));
  document.body.append(truth);
});
"""


def render(page: Page, manual: Path, chromium: str, folder: Path) -> tuple[Path, str]:
    """The page's picture (PNG, path) and the text that can be seen in it, block by block."""
    source = manual / page.file
    width, height = page.size
    text = re.sub(r"<script\b.*?</script>", "", source.read_text("utf-8"), flags=re.S)
    style = STYLE.format(zoom=page.zoom, dark=DARK if page.dark else "")
    script = COLLECT % {"width": width, "height": height, "start": json.dumps(page.start)}
    base = f'<head><base href="{source.as_uri()}">'
    ours = f"<style>{style}</style><script>{script}</script></head>"
    stem = re.sub(r"\W+", "-", page.name)
    document = folder / f"{stem}.html"
    document.write_text(text.replace("<head>", base).replace("</head>", ours), "utf-8")
    picture = folder / f"{stem}.png"
    command = [
        chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}", f"--screenshot={picture}", "--dump-dom",
        document.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    truth = re.search(r'<pre id="truth"[^>]*>(.*?)</pre>', done.stdout, flags=re.S)
    if truth is None or not picture.exists():
        raise SystemExit(f"{chromium} did not render {source}: {done.stderr[-500:]}")
    blocks: list[str] = json.loads(html.unescape(truth[1]))
    (folder / f"{stem}.txt").write_text("\n".join(blocks), "utf-8")
    return picture, "\n".join(blocks)


def normalised(text: str) -> str:
    """Whitespace collapsed; typographic quotes, dashes and bullets as a keyboard has them."""
    table = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-",
                           "−": "-", "•": " ", "»": ">", "…": "...", "¶": " "})  # fmt: skip
    return " ".join(text.translate(table).split())


def errors(truth: str, read: str) -> dict[str, float]:
    """Error rates of one page.

    cer and wer: Levenshtein distance of characters and of words over the length of the truth, in
    reading order. cer_glued: cer without any spaces, so cer - cer_glued is what spaces cost.
    words_lost: the share of the truth's words that are nowhere in the reading (order-free).
    """
    want, got = normalised(truth), normalised(read)
    words, found = want.split(), got.split()
    glued = want.replace(" ", "")
    missed = sum((Counter(words) - Counter(found)).values())
    return {
        "cer": Levenshtein.distance(want, got) / len(want),
        "cer_glued": Levenshtein.distance(glued, got.replace(" ", "")) / len(glued),
        "wer": Levenshtein.distance(words, found) / len(words),
        "words_lost": missed / len(words),
    }


def measure(
    pages: list[tuple[Page, Path, str]], names: list[str], rounds: int
) -> Iterator[dict[str, Any]]:
    """One row per engine and page; seconds is the median of the rounds, engines taking turns."""
    workers = {name: Worker(name) for name in names}
    try:
        for page, picture, truth in pages:
            read: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
            for _ in range(rounds):
                for name, worker in workers.items():
                    read[name].append(worker.read(picture))
            for name, results in read.items():
                text = results[0]["text"]
                times = {k: statistics.median(r[k] for r in results) for k in ("seconds", "cpu")}
                peak = workers[name].peak_mb()
                yield {"engine": name, "page": page.name, **times, "peak_mb": peak,
                       **errors(truth, text), "text": text}  # fmt: skip
            print(f"{page.name}: {len(truth)} characters", file=sys.stderr)
    finally:
        for worker in workers.values():
            worker.close()


def summary(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The mean over the pages, one row per engine; the times are those of the median page."""
    for name in dict.fromkeys(row["engine"] for row in rows):
        mine = [row for row in rows if row["engine"] == name]
        mean = {key: statistics.fmean(row[key] for row in mine) for key in RATES}
        times = {key: statistics.median(row[key] for row in mine) for key in ("seconds", "cpu")}
        yield {"engine": name, **mean, **times, "peak_mb": max(row["peak_mb"] for row in mine),
               "install_mb": ENGINES[name].install_mb}  # fmt: skip


def markdown(rows: list[dict[str, Any]]) -> str:
    """The summary as a table."""
    lines = [
        "| engine | CER | CER without spaces | WER | words lost | s/page | CPU s/page | peak MB "
        "| install MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        rates = " | ".join(f"{r[key]:.3f}" for key in RATES)
        lines.append(
            f"| {r['engine']} | {rates} | {r['seconds']:.1f} | {r['cpu']:.1f} "
            f"| {r['peak_mb']:.0f} | {r['install_mb']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure to OUT")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="write the table to OUT")
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES), dest="engines",
                        help="measure only this engine (repeatable)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="readings of each page (default 3)")
    parser.add_argument("--pages", type=int, default=len(PAGES), help="how many of the pages")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep pictures and truths in DIR")
    parser.add_argument("--manual", type=Path, help="the html folder of the Python manual")
    return parser.parse_args()


def main() -> None:
    """Render, read, compare and report."""
    options = arguments()
    chromium = next((path for path in map(shutil.which, CHROMIUM) if path), None)
    if chromium is None:
        raise SystemExit("needs headless Chromium: apt install chromium")
    known = (path for path in map(Path, MANUALS) if (path / "library").is_dir())
    manual = options.manual or next(known, None)
    if manual is None or not (manual / PAGES[0].file).is_file():
        raise SystemExit("needs the Python manual: apt install python3-doc, or --manual DIR")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shown = PAGES[: options.pages]
        pages = [(page, *render(page, manual.resolve(), chromium, folder)) for page in shown]
        rows = list(measure(pages, options.engines or list(ENGINES), options.rounds))
    means = list(summary(rows))
    if options.json:
        report = {
            "rounds": options.rounds,
            "pages": [asdict(page) for page in shown],
            "engines": means,
            "rows": rows,
        }
        options.json.write_text(json.dumps(report, indent=1), "utf-8")
    if options.markdown:
        options.markdown.write_text(markdown(means), "utf-8")
    print(markdown(means))


if __name__ == "__main__":
    main()
