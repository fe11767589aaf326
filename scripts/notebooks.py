"""Execute the notebooks and keep what they truly gave.

    python scripts/notebooks.py                 # all, written back with their output
    python scripts/notebooks.py 03_sensor       # those whose name begins so
    python scripts/notebooks.py --check         # execute, write nothing

A notebook runs in a directory of its own with no key, so that its output is the same everywhere
but for times of execution, which are not kept. Nothing of this machine may be in what is kept.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# With one of these, a notebook would ask a real model.
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")

# Of tqdm, where ipywidgets are not installed.
QUIET = "ignore:IProgress not found"


def execute(path: Path, environment: Mapping[str, str], timeout: int = 600) -> Any:  # noqa: ANN401
    """The notebook with its output; raises nbclient's CellExecutionError with the cell's error."""
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": folder}})
        given = {name: value for name, value in environment.items() if name not in KEYS}
        client.execute(env={**given, "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": QUIET})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            # The long form of what is shown as HTML, which nobody sees.
            if "text/html" in output.get("data", ()):
                output.data.pop("text/plain", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def main() -> None:
    """Execute those that were named."""
    import os

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of names (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    chosen = [
        path
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
        if not given.names or path.name.startswith(tuple(given.names))
    ]
    if not chosen:
        sys.exit(f"no notebook in {NOTEBOOKS} begins with: {' '.join(given.names)}")
    for path in chosen:
        executed = execute(path, os.environ)
        if not given.check:
            nbformat.write(executed, path)
        print(f"{path.name}: {len(executed.cells)} cells")


if __name__ == "__main__":
    main()
