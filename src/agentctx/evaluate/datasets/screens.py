"""Screens of recorded tasks: does a task's description, in words, find a screenshot of it?

``tasks.json`` lists the screenshots in its folder: ``file``, ``session`` (the recording it was
taken in) and ``task`` (what was being done), as a ScreenAgent recording gives them. Only what is
on the screens is searched.
"""

from pathlib import Path

from agentctx.errors import SourceInvalid
from agentctx.evaluate.datasets.reading import a_text, expecting, inside, load
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Query

_LISTING = "tasks.json"


def fits(folder: Path) -> bool:
    """Whether a folder is in this format."""
    return (folder / _LISTING).is_file()


def read(folder: Path) -> Dataset:
    """All screenshots, and each task as a query that any of its screenshots answers."""
    listing = folder / _LISTING
    items: list[Item] = []
    tasks: dict[str, dict[str, int]] = {}
    with expecting(listing, "a list of screenshots with file, session and task"):
        for row in load(listing):
            file = inside(folder, row["file"], listing)
            items.append(Item(row["file"], file, str(row["session"])))
            tasks.setdefault(a_text(row["task"]), {})[row["file"]] = 1
    if not items:
        raise SourceInvalid(listing, "it lists no screenshot")
    queries = [
        Query(f"task {number}", task, files)
        for number, (task, files) in enumerate(tasks.items(), start=1)
    ]
    return Dataset(folder.name, "screens", [Collection(folder.name, items, queries)])
