"""Importing does nothing: heavy modules are loaded at first use, and not by asking for help."""

import json
import subprocess
import sys

import pytest

# What takes long to import, or starts threads, or belongs to an extra.
HEAVY = {
    "PIL",
    "av",
    "chromadb",
    "ctranslate2",
    "cv2",
    "faster_whisper",
    "huggingface_hub",
    "matplotlib",
    "onnxruntime",
    "pyarrow",
    "rapidocr",
    "ruptures",
    "scipy",
    "tokenizers",
    "torch",
}
FOR_PEOPLE = {"click", "rich"}
NUMBERS = {"numpy", "pydantic"}


def loaded(code: str) -> set[str]:
    """The top-level modules in a fresh process after some code, which must not fail."""
    report = (
        f"{code}\nimport json, sys\nsys.__stderr__.write('\\n' + json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


def test_the_package_is_light() -> None:
    assert not loaded("import agentctx") & (HEAVY | FOR_PEOPLE | NUMBERS)


def test_its_records_are_light() -> None:
    code = "import agentctx; agentctx.Observation(text='a'); agentctx.Config()"
    assert not loaded(code) & (HEAVY | FOR_PEOPLE | NUMBERS)


@pytest.mark.parametrize("words", ["--help", "--version", "search --help"])
def test_help_is_light(words: str) -> None:
    code = f"""
import sys
from agentctx.cli import main
sys.argv = ["agentctx", *{words.split()!r}]
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop
"""
    assert not loaded(code) & (HEAVY | NUMBERS | {"rich"})


def test_listing_imports_no_extra() -> None:
    code = "from agentctx.registry import listing\nassert all(row.error == '' for row in listing())"
    assert not loaded(code) & HEAVY


def test_opening_a_memory_loads_no_model_and_no_chroma() -> None:
    code = """
import tempfile
from agentctx import Memory
with tempfile.TemporaryDirectory() as folder, Memory.open(folder):
    pass
"""
    assert not loaded(code) & (HEAVY | FOR_PEOPLE)


def test_importing_changes_no_logging() -> None:
    code = """
import logging
before = (logging.root.level, list(logging.root.handlers))
import agentctx.app, agentctx.cli
assert before == (logging.root.level, list(logging.root.handlers))
"""
    loaded(code)
