"""The direction of imports, held for every module of the package.

All imports count: those of a function, and those for type checking only, since they couple too.
"""

import ast
import statistics
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"

# Data moves one way: a module imports from layers before its own, and from its own folder.
# Modules of one layer that are files next to each other may import each other, without a cycle.
LAYERS = (
    (
        "errors",
        "limits",
        "processes",
        "products",
        "records",
        "render_html",
        "reports",
        "resident",
        "values",
        "words",
    ),
    ("contracts", "config", "extras", "preferences"),
    ("registry", "weights", "services", "planning", "pictures", "vision"),
    ("plugins", "encoders", "rerankers", "memory"),
    (
        "encoding",
        "ingest",
        "reindex",
        "retrieve",
        "moments",
        "context",
        "measured",
        "learning",
        "preferring",
        "quoting",
        "scoring",
        "selecting",
        "suspicion",
    ),
    ("care", "changes"),
    ("engine",),
    ("kept",),
    ("app",),
    ("",),  # the package itself: the names it offers
    ("agents", "timeline", "doctor", "demo", "evaluate", "render", "testing", "watching"),
    ("cli",),
)
LEVELS = {unit: level for level, units in enumerate(LAYERS) for unit in units}
# What is plugged in knows the contracts, not each other.
APART = {"plugins", "encoders", "rerankers", "memory"}

MODULE_LINES = 400
MODULE_MEDIAN = 150
FUNCTION_LINES = 60
FUNCTION_P90 = 35


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"), str(path))
    assert len(found) > 20
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """The dotted names a module imports; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function, first = node.func, node.args[0]
            name = getattr(function, "id", getattr(function, "attr", ""))
            if (
                name in ("require", "import_module", "__import__")
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                yield first.value


@cache
def edges() -> Mapping[str, frozenset[str]]:
    """Which modules of the package each one imports."""
    known = modules()
    graph = {}
    for name, tree in known.items():
        targets = set()
        for target in imported(tree):
            if target.split(".")[0] != "agentctx":
                continue
            while target not in known:  # a name in a module, not a module
                target = target.rpartition(".")[0]
            targets.add(target)
        graph[name] = frozenset(targets - {name})
    return graph


def unit(module: str) -> str:
    """The file or folder right under the package that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def test_every_module_has_a_layer() -> None:
    assert {unit(name) for name in modules()} <= set(LEVELS)


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_down(name: str) -> None:
    here = unit(name)
    for target in sorted(edges()[name]):
        there = unit(target)
        allowed = LEVELS[there] < LEVELS[here] or there == here
        if LEVELS[there] == LEVELS[here]:
            allowed |= here not in APART
        assert allowed, f"{name} (layer {LEVELS[here]}) imports {target} (layer {LEVELS[there]})"


def test_no_import_cycles() -> None:
    try:
        TopologicalSorter(edges()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_one_module_imports_chroma() -> None:
    users = {
        name
        for name, tree in modules().items()
        if any(target.split(".")[0] == "chromadb" for target in imported(tree))
    }
    assert users == {"agentctx.memory.chroma"}


def test_only_the_command_line_reads_the_environment() -> None:
    names = {"environ", "environb", "getenv", "getenvb", "envvar", "auto_envvar_prefix"}
    assert set(mentions(names)) == {"agentctx.cli.options"}


def test_only_a_decoder_process_writes_its_environment() -> None:
    assert set(mentions({"putenv", "unsetenv"})) == {"agentctx.plugins.decoder"}


def test_only_the_command_line_sets_up_logging() -> None:
    names = {"basicConfig", "dictConfig", "fileConfig", "addHandler", "setLevel", "captureWarnings"}
    assert {unit(name) for name in mentions(names)} <= {"cli"}


def test_nothing_prints() -> None:
    prints = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    }
    assert not prints


def mentions(names: set[str]) -> Iterator[str]:
    """The modules that use one of these names: as attribute, name, import or keyword."""
    for module, tree in modules().items():
        used: set[str | None] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=found) | ast.Name(id=found) | ast.keyword(arg=found):
                    used.add(found)
                case ast.ImportFrom(names=aliases):
                    used |= {alias.name for alias in aliases}
        if used & names:
            yield module


def module_lines() -> Mapping[str, int]:
    """Lines per file of the package."""
    return {
        str(path.relative_to(SOURCE)): len(path.read_text("utf-8").splitlines())
        for path in sorted(SOURCE.rglob("*.py"))
    }


def function_lines() -> Mapping[str, int]:
    """Lines per function of the package, with signature and docstring, without decorators."""
    return {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_modules_are_short() -> None:
    lines = module_lines()
    assert {name: n for name, n in lines.items() if n > MODULE_LINES} == {}
    assert statistics.median(lines.values()) < MODULE_MEDIAN


def test_functions_are_short() -> None:
    lines = function_lines()
    assert {name: n for name, n in lines.items() if n > FUNCTION_LINES} == {}
    assert statistics.quantiles(lines.values(), n=10)[-1] < FUNCTION_P90


def test_there_is_as_much_test_as_source() -> None:
    tests = sum(
        len(path.read_text("utf-8").splitlines()) for path in (ROOT / "tests").rglob("*.py")
    )
    source = sum(module_lines().values())
    assert tests >= source, f"{tests} lines of tests, {source} of source: {tests / source:.2f}"
