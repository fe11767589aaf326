"""CLIP_benchmark's folders of WebDataset shards: zero-shot classification, or retrieval.

``*.tar`` in the folder or in one of its splits (``test`` first). The members of a sample share a
name up to the first dot: a picture, and ``.cls`` (the number of its class), ``.txt`` (captions, one
a line) or ``.json`` (with ``caption``). For classes there is a ``classnames.txt``, and may be a
``zeroshot_classification_templates.txt`` with a ``{c}`` in each line; a class is as near as the
nearest of its prompts is (CLIP takes their mean vector).

Members are never unpacked under their names. A name that leads out of the folder, a link, a
device, or more than is allowed makes a shard invalid.
"""

import json
import tarfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agentctx.errors import SourceInvalid, SourceNotFound, SourceTooLarge
from agentctx.evaluate.datasets.captions import both_ways
from agentctx.evaluate.datasets.reading import PICTURES, a_text, expecting, inside, lines, text
from agentctx.evaluate.datasets.records import Collection, Dataset, Item, Member, Query
from agentctx.records import Observation

_MB = 1024**2
# What a member may have in bytes: a picture, and what is said of one.
LARGEST_PICTURE = 100 * _MB
LARGEST_TEXT = _MB
_SAID = (".cls", ".txt", ".json")
_SPLITS = ("test", "val", "validation", "dev", "train")
_TEMPLATE = "a photo of a {c}."
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)

# The members of a sample by their extensions.
Sample = dict[str, Member]


def fits(folder: Path) -> bool:
    """Whether a folder, or one of its splits, holds shards."""
    return bool(_shards(folder))


def read(folder: Path) -> Dataset:
    """All samples of a folder: by class where they have classes, otherwise by caption."""
    shards = _shards(folder)
    if not shards:
        raise SourceNotFound(folder, "there is no shard (*.tar) in it, nor in a split of it")
    samples = {name: sample for shard in shards for name, sample in _samples(shard)}
    if not samples:
        raise SourceInvalid(shards[0], "there is no picture in it")
    if any(".cls" in sample for sample in samples.values()):
        return Dataset(folder.name, "webdataset", _classes(folder, samples))
    captions = {name: (_picture(one), _captions(one)) for name, one in samples.items()}
    return Dataset(folder.name, "webdataset", both_ways(captions))


def _shards(folder: Path) -> list[Path]:
    for place in (folder, *(folder / split for split in _SPLITS)):
        if found := sorted(place.glob("*.tar")):
            return found
    return []


def _samples(shard: Path) -> Iterator[tuple[str, Sample]]:
    """The samples of a shard that have a picture, by the name of the shard and their own."""
    found: dict[str, Sample] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for info in archive:
                if info.isdir():
                    continue
                _check(shard, info)
                folder, _, file = info.name.rpartition("/")
                stem, dot, extension = file.partition(".")
                suffix = f"{dot}{extension.lower()}"
                if suffix in PICTURES or suffix in _SAID:
                    member = Member(shard, info.name, suffix, info.offset_data, info.size)
                    found.setdefault(f"{folder}/{stem}", {})[suffix] = member
    except tarfile.TarError as error:
        reason = f"it is no tar file, or a compressed one, which must be unpacked: {error}"
        raise SourceInvalid(shard, reason) from error
    for name, sample in found.items():
        if not PICTURES.isdisjoint(sample):
            yield f"{shard.parent.name}/{shard.stem}{'/' + name.lstrip('/')}", sample


def _check(shard: Path, info: tarfile.TarInfo) -> None:
    place = f"{shard}, member {info.name!r}"
    if not info.isreg() or info.issparse():
        raise SourceInvalid(place, "it is a link, a device or the like; a shard holds files only")
    inside(shard.parent, info.name, place)
    allowed = LARGEST_TEXT if info.name.lower().endswith(_SAID) else LARGEST_PICTURE
    if info.size > allowed:
        raise SourceTooLarge(place, f"it has {info.size:,} bytes; at most {allowed:,} are read")
    if info.offset_data + info.size > shard.stat().st_size:
        raise SourceInvalid(place, "the shard ends before it does: it is cut off")


def _picture(sample: Sample) -> Member:
    return next(member for suffix, member in sample.items() if suffix in PICTURES)


def _said(member: Member) -> str:
    try:
        return member.read().decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise SourceInvalid(_place(member), f"it is no text in UTF-8: {error}") from error


def _place(member: Member) -> str:
    return f"{member.archive}, member {member.name!r}"


def _captions(sample: Sample) -> list[str]:
    if ".txt" in sample:
        captions = [line.strip() for line in _said(sample[".txt"]).splitlines()]
        if found := [line for line in captions if line]:
            return found
    elif ".json" in sample:
        with expecting(_place(sample[".json"]), "a caption"):
            return [a_text(json.loads(_said(sample[".json"]))["caption"])]
    place = _place(_picture(sample))
    raise SourceInvalid(place, "it has no caption: neither .txt nor .json says anything")


def _classes(folder: Path, samples: dict[str, Sample]) -> list[Collection]:
    classes = [line.strip() for line in text(folder / "classnames.txt").rstrip().splitlines()]
    listed = folder / "zeroshot_classification_templates.txt"
    templates = [line for _, line in lines(listed)] if listed.is_file() else [_TEMPLATE]
    members: dict[int, dict[str, int]] = {number: {} for number in range(len(classes))}
    for name, sample in samples.items():
        number = _class_of(sample, len(classes))
        members[number][name] = 1
    return [
        Collection(
            "class by picture",
            _prompts(classes, templates),
            [
                Query(name, _picture(samples[name]), {f"class {number}": 1}, "class by picture")
                for number, names in members.items()
                for name in names
            ],
        ),
        Collection(
            "pictures by class",
            [Item(name, _picture(sample)) for name, sample in samples.items()],
            [
                Query(f"class {n}", _prompt(templates[0], classes[n]), names, "pictures by class")
                for n, names in members.items()
                if names
            ],
        ),
    ]


def _class_of(sample: Sample, classes: int) -> int:
    if ".cls" not in sample:
        place = _place(_picture(sample))
        raise SourceInvalid(place, "it has no .cls, though others of its shards have")
    place = _place(sample[".cls"])
    with expecting(place, "the number of a class"):
        number = int(_said(sample[".cls"]))
    if not 0 <= number < classes:
        raise SourceInvalid(
            place, f"it is of class {number}; classnames.txt has 0 to {classes - 1}"
        )
    return number


def _prompts(classes: Sequence[str], templates: Sequence[str]) -> list[Item]:
    prompts = [
        (f"class {number}", _prompt(template, name))
        for number, name in enumerate(classes)
        for template in templates
    ]
    return [
        # The prompt's number as source, so that none has neighbours.
        Item(id_, Observation(text=words, captured_at=_WHEN, source=f"{id_} prompt {at}"))
        for at, (id_, words) in enumerate(prompts)
    ]


def _prompt(template: str, name: str) -> str:
    return template.replace("{c}", name)
