"""Search in a shop: by words, by a picture, by both, and in the order that fits who asks.

The script makes a small catalogue: each product is a session of its own, with a description and a
picture of its packaging. Shows queries of several modalities, grouping by session, and `Prefer`,
which changes the order of what is found and never what is found. Its limit: with the default
encoders a picture is found by the words that are to be read on it, not by how the thing looks.

    pip install 'agentctx[default]' && python examples/ecommerce_search.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

from agentctx import Memory, Observation, Prefer

Query = str | Path | list[str | Path]
PRODUCTS = {
    "kettle-1": ("Norda", "Electric kettle, 1.7 litres, brushed steel, boils in four minutes."),
    "kettle-2": ("Veska", "Electric kettle, 1 litre, glass, with a green light and a thermostat."),
    "press-1": ("Norda", "French press for three cups of coffee, borosilicate glass."),
    "grinder-1": ("Veska", "Burr grinder for coffee beans, 18 steps, quiet motor."),
    "lamp-1": ("Lumen", "Desk lamp with a dimmer and a warm light for reading at night."),
    "boots-1": ("Fjell", "Hiking boots, waterproof leather, for wet and rocky paths."),
}
LABELS = {"kettle-1": "STEEL KETTLE", "kettle-2": "GLASS KETTLE", "grinder-1": "BEAN GRINDER"}


def package(path: Path, brand: str, label: str) -> Path:
    """A picture of a box, with what is printed on it."""
    picture = Image.new("RGB", (640, 320), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, 620, 300), outline="navy", width=4)
    pen.text((60, 60), brand.upper(), "navy", ImageFont.load_default(48))
    pen.text((60, 180), label, "black", ImageFont.load_default(60))
    picture.save(path)
    return path


def fill(memory: Memory, folder: Path) -> None:
    """The catalogue: descriptions, and pictures of some."""
    for sku, (brand, text) in PRODUCTS.items():
        known = {"brand": brand}
        memory.add(Observation(text=text, session=sku, source="catalogue", attributes=known))
        if sku in LABELS:
            box = package(folder / f"{sku}.png", brand, LABELS[sku])
            memory.add(box, session=sku, attributes=known)


def show(
    asked: str, memory: Memory, query: str | Path | list[str | Path], **options: Prefer
) -> None:
    """The products found, best first, each with its citation."""
    print(f"? {asked}")
    best: dict[str, str] = {}
    for hit in memory.search(query, limit=10, **options):
        cited = f"[{hit.id[:10]}] {hit.modality}: {hit.passage[:60]!r}"
        best.setdefault(hit.session, f"  {hit.score:.2f} {hit.session:<10} {cited}")
    print("\n".join([*list(best.values())[:3], ""]))


def main() -> None:
    """Fill the shop and search it."""
    with TemporaryDirectory() as place, Memory.open(Path(place) / "memory") as memory:
        folder = Path(place)
        fill(memory, folder)
        show("something to boil water for tea", memory, "something to boil water for tea")
        photo = package(folder / "photo.png", "Veska", "GLASS KETTLE")
        show("a photo of a box", memory, photo)
        show("the photo, and 'with a thermostat'", memory, ["with a thermostat", photo])
        show("an electric kettle", memory, "an electric kettle")
        veska = Prefer(attributes={"brand": "Veska"}, weights={"brand": 0.5})
        show("an electric kettle, asked by one who likes Veska", memory, "an electric kettle",
             prefer=veska)  # fmt: skip


if __name__ == "__main__":
    main()
