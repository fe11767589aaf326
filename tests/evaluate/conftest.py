"""Small data folders in the format that ``agentctx eval`` reads, made here."""

import json
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from agentctx import Config
from agentctx.evaluate.retrieval import Options
from agentctx.evaluate.run import Evaluation, run

TURNS = [
    ("D1:1", "session_1", "9:05 am on 3 May, 2024", "Ana", "The blue kettle broke.", None),
    ("D1:2", "session_1", "9:05 am on 3 May, 2024", "Ben", "Oh no, was it expensive?", None),
    ("D1:3", "session_1", "9:05 am on 3 May, 2024", "Ana", "Look!", "a kettle with a burnt cable"),
    ("D2:1", "session_2", "12:30 pm on 9 June, 2024", "Ben", "I adopted a greyhound.", None),
    ("D2:2", "session_2", "12:30 pm on 9 June, 2024", "Ana", "How lovely! What is its name?", None),
    ("D2:3", "session_2", "12:30 pm on 9 June, 2024", "Ben", "We call him Comet.", None),
    ("D3:1", "session_3", "6:00 pm on 1 July, 2024", "Ana", "My sister sails to Iceland.", None),
    ("D3:2", "session_3", "6:00 pm on 1 July, 2024", "Ben", "Alone? That sounds brave.", None),
]  # fmt: skip
QUESTIONS = [
    ("Which animal did Ben adopt?", 4, ["D2:1"]),
    ("Who sails to Iceland?", 4, ["D3:1"]),
    ("What broke, and what burnt?", 1, ["D1:1", "D1:3"]),
    ("What is said in a turn that is missing?", 1, ["D9:1"]),
    ("What does nobody talk about?", 5, []),
]
SCREENS = {
    "Order coffee beans": ["Coffee shop", "Add espresso beans to the basket", "Checkout 12.50"],
    "Book a train to Oslo": ["Railway tickets", "Departure to Oslo 08:15", "Choose a seat"],
}


def conversation() -> dict[str, object]:
    """Eight turns in three sessions, and five questions, of which two have no evidence."""
    keys = ("id", "session", "when", "speaker", "text", "image_caption")
    turns = [dict(zip(keys, row, strict=True)) for row in TURNS]
    names = ("question", "category", "evidence")
    return {"turns": turns, "questions": [dict(zip(names, q, strict=True)) for q in QUESTIONS]}


def write(path: Path, content: object) -> Path:
    """A JSON file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
    return path


def draw(path: Path, lines: list[str]) -> None:
    """A screenshot with lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (420, 300), "white")
    for number, line in enumerate(lines):
        place = (15, 20 + 65 * number)
        ImageDraw.Draw(picture).text(place, line, "black", ImageFont.load_default(22))
    picture.save(path)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a conversation, three screenshots of two tasks, and two recordings."""
    root = tmp_path_factory.mktemp("data")
    write(root / "locomo" / "talk.json", conversation())
    rows = []
    for session, (task, lines) in enumerate(SCREENS.items()):
        for shot in range(2 - session):
            name = f"session{session}_{shot}.png"
            draw(root / "screens" / name, [*lines, f"Page {shot + 1} of 3"])
            rows.append({"file": name, "session": f"session{session}", "task": task})
    write(root / "screens" / "tasks.json", rows)
    write(root / "speech" / "transcripts.json", _recordings(root / "speech"))
    return root


@pytest.fixture(scope="session")
def evaluation(data: Path) -> Evaluation:
    """The conversation, measured without a reranker and without baselines, which is quick."""
    config = Config(encoders=("minilm",), reranker=None)
    return run(data, ["locomo"], config, options=Options(baselines=False))


def _recordings(folder: Path) -> list[Mapping[str, str]]:
    samples = Path(str(files("agentctx.demo") / "samples"))
    said = json.loads((samples / "transcripts.json").read_text("utf-8"))
    folder.mkdir()
    rows = []
    for name, row in list(said.items())[1:]:
        shutil.copy(samples / name, folder)
        rows.append({"file": name, "text": row["text"]})
    return rows
