"""Where a framework is not installed, its adapter says how to get it; importing one is light."""

import subprocess
import sys

import pytest

ADAPTERS = [("langchain", "langchain"), ("llamaindex", "llama-index")]

HIDE = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in ("langchain", "langchain_core", "llama_index")
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
from agentctx.errors import MissingExtra
"""


def run(code: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("adapter", "extra"), ADAPTERS)
def test_it_names_the_line_that_installs_it(adapter: str, extra: str) -> None:
    told = f"""
import agentctx.agents.{adapter} as adapter
try:
    adapter.ContextRetriever
except MissingExtra as error:
    print(error.install)
"""
    assert run(HIDE + told) == f"pip install 'agentctx[{extra}]'"


def test_a_name_brings_only_what_it_needs() -> None:
    code = """
import sys
from agentctx.agents.langchain import ContextRetriever
print("langchain.agents" in sys.modules, "llama_index" in sys.modules)
"""
    assert run(code) == "False False"


@pytest.mark.parametrize("adapter", ["langchain", "llamaindex"])
def test_its_names_are_known(adapter: str) -> None:
    code = f"""
import agentctx.agents.{adapter} as adapter
print(dir(adapter) == sorted(adapter.__all__), all(hasattr(adapter, n) for n in dir(adapter)))
print(hasattr(adapter, "nothing"))
"""
    assert run(code).split() == ["True", "True", "False"]
