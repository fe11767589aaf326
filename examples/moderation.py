"""Moderation of posts with a picture and a caption: what neither says alone, they may say together.

Each post is a session of one memory. Two rules look at both modalities: a caption that fits the
words of its picture worse than those of another post's is flagged as a mismatch; and where one
of them names a thing and the other offers it for sale, as a sale. Each flag cites what it rests on.

Its limits: it goes by words only. What a picture shows without words, irony, other languages and
other words than those of the lists are not seen, and it flags for a person to look, no more.

    pip install 'agentctx[default]' && python examples/moderation.py
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

from agentctx import Memory, Observation

POSTS = {
    "post-1": ("Sunset over the harbour", "The harbour at sunset, what a view!"),
    "post-2": ("Hunting rifle, as new", "Selling today, no papers needed, write to me."),
    "post-3": ("City marathon results 2026", "My grandmother's apple cake, recipe below."),
    "post-4": ("Rifle museum, open daily", "We visited the rifle museum with the class."),
    "post-5": ("Garden bench, oak", "Selling our garden bench, pick it up on Sunday."),
}
# A thing that may not be sold here, and words of selling: harmful together, fine apart.
THINGS = re.compile(r"\b(rifle|pistol|gun|ammunition)s?\b", re.I)
SELLING = re.compile(r"\b(sell|selling|for sale|buy|price)\b", re.I)
# A caption is said not to fit when its own picture scores this much less than another.
FITS = 0.75


def draw(path: Path, words: str) -> Path:
    """A picture with words on it."""
    picture = Image.new("RGB", (900, 300), "lightyellow")
    ImageDraw.Draw(picture).text((40, 120), words, "black", ImageFont.load_default(48))
    picture.save(path)
    return path


def flags(memory: Memory, session: str, screens: dict[str, Observation]) -> list[str]:
    """What a person should look at in a post, each with its citations."""
    (caption,) = memory.timeline(session=session, modality="text")
    own = screens[session]
    cited = f"[{caption.id[:10]}] {caption.text!r} and [{own.id[:10]}] {own.text!r}"
    found = []
    for one, other in ((caption, own), (own, caption)):
        if THINGS.search(one.text) and SELLING.search(other.text):
            found.append(f"a forbidden thing is offered for sale: {cited}")
    scores = memory.score(caption.text, [screen.text for screen in screens.values()])
    fit = dict(zip(screens, scores, strict=True))
    if fit[session] < FITS * max(fit.values()):
        found.append(f"caption and picture do not match: {cited}")
    return found


def main() -> None:
    """Fill a memory with the posts, and look at each."""
    with TemporaryDirectory() as place, Memory.open(Path(place) / "memory") as memory:
        for session, (words, caption) in POSTS.items():
            memory.add(draw(Path(place) / f"{session}.png", words), session=session)
            memory.add(Observation(text=caption, session=session, source="caption"))
        screens = {one.session: one for one in memory.timeline(modality="screenshot")}
        for session in POSTS:
            print(session, *(flags(memory, session, screens) or ["nothing to see"]), sep="\n  ")


if __name__ == "__main__":
    main()
