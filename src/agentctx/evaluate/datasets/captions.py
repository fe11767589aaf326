"""Pictures with captions, searched both ways: pictures by words, and words by a picture.

Three forms, told by what is in the folder:

- ``captions.json``: ``{"cat.jpg": "a cat", ...}``, or a list of captions for each;
- annotations as COCO has them (Lin et al., 2014), in a ``*.json`` in the folder or in
  ``annotations/``: ``images`` (id, file_name) and ``annotations`` (image_id, caption); the pictures
  in the folder or in ``images/``;
- a ``.txt`` beside each picture: a caption a line.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentctx.errors import SourceInvalid, SourceNotFound
from agentctx.evaluate.datasets.reading import (
    PICTURES,
    a_text,
    expecting,
    head,
    inside,
    lines,
    load,
)
from agentctx.evaluate.datasets.records import Collection, Content, Dataset, Item, Query
from agentctx.records import Observation

_LISTING = "captions.json"
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)

# The captions of each picture, by a name.
Captions = Mapping[str, tuple[Content, list[str]]]


def fits(folder: Path) -> bool:
    """Whether a folder is in one of the three forms."""
    return (folder / _LISTING).is_file() or bool(_annotations(folder) or _beside(folder))


def read(folder: Path) -> Dataset:
    """The pictures of a folder with their captions, both ways."""
    if (folder / _LISTING).is_file():
        captions = _listed(folder)
    elif annotations := _annotations(folder):
        captions = _coco(folder, annotations[0])
    else:
        captions = {
            path.name: (path, [line.strip() for _, line in lines(path.with_suffix(".txt"))])
            for path in _beside(folder)
        }
    if not captions:
        raise SourceNotFound(folder, "there is no picture with a caption in it")
    return Dataset(folder.name, "captions", both_ways(captions))


def both_ways(captions: Captions) -> list[Collection]:
    """Words that are to find pictures, and pictures that are to find words.

    These are two memories, since beside the captions themselves no picture would be found by one.
    """
    pictures = [Item(name, content) for name, (content, _) in captions.items()]
    words = [
        (f"{name} {number}", caption, name)
        for name, (_, texts) in captions.items()
        for number, caption in enumerate(texts, start=1)
    ]
    sayings = [
        Item(id_, Observation(text=caption, captured_at=_WHEN, source=id_))
        for id_, caption, _ in words
    ]
    answers: dict[str, dict[str, int]] = {}
    for id_, _, name in words:
        answers.setdefault(name, {})[id_] = 1
    return [
        Collection(
            "pictures by words",
            pictures,
            [Query(id_, caption, {name: 1}, "pictures by words") for id_, caption, name in words],
        ),
        Collection(
            "words by picture",
            sayings,
            [
                Query(name, captions[name][0], found, "words by picture")
                for name, found in answers.items()
            ],
        ),
    ]


def _listed(folder: Path) -> Captions:
    listing = folder / _LISTING
    with expecting(listing, "captions by the name of a picture"):
        return {
            name: (_picture(folder, name, listing), _texts(value))
            for name, value in load(listing).items()
        }


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [a_text(one) for one in value]
    return [a_text(value)]


def _annotations(folder: Path) -> list[Path]:
    paths = [*folder.glob("*.json"), *folder.glob("annotations/*.json")]
    return sorted(path for path in paths if '"images"' in (text := head(path)) and "{" in text[:99])


def _coco(folder: Path, path: Path) -> Captions:
    data: Any = load(path)
    with expecting(path, "images (id, file_name) and annotations (image_id, caption)"):
        names = {row["id"]: row["file_name"] for row in data["images"]}
        captions: dict[str, list[str]] = {}
        for row in data["annotations"]:
            if row["image_id"] not in names:
                raise SourceInvalid(path, f"an annotation is of no image: {row['image_id']!r}")
            captions.setdefault(names[row["image_id"]], []).append(a_text(row["caption"]))
    root = folder / "images" if (folder / "images").is_dir() else folder
    return {name: (_picture(root, name, path), texts) for name, texts in captions.items()}


def _picture(folder: Path, name: str, place: Path) -> Path:
    path = inside(folder, name, place)
    if not path.is_file():
        raise SourceNotFound(path, f"there is no such file, but {place.name} has a caption for it")
    return path


def _beside(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURES and path.with_suffix(".txt").is_file()
    )
