"""What the documentation promises is so: commands, code, versions, dependencies."""

import ast
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import agentctx

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

TOOL_PROJECTS = sorted((ROOT / "tools").glob("*/pyproject.toml"))

USE = "pip install '.[default]' && agentctx demo"
DEVELOP = (
    "pip install -e '.[all,dev]' -e tools/agentctx-desktop -e tools/agentctx-mqtt && scripts/check"
)


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks of Markdown in one of the languages."""
    found = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [code for language, code in found if language in languages]


# -- commands -------------------------------------------------------------------------------------


def test_the_first_two_commands_of_the_readme() -> None:
    lines = [
        line.partition(" #")[0].strip().removeprefix("$ ")
        for block in blocks(README, "sh", "bash", "console")
        for line in block.splitlines()
    ]
    assert [line for line in lines if line.startswith("pip install")][:2] == [USE, DEVELOP]


def test_continuous_integration_runs_both() -> None:
    jobs = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert f'job user "{USE}"' in jobs
    assert f'job developer "{DEVELOP}"' in jobs


@pytest.mark.parametrize("script", [".ci/run", "scripts/check"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text("utf-8").startswith("#!/usr/bin/env bash\n")


def test_every_command_line_of_the_documentation_exists() -> None:
    """Each ``agentctx WORD --option`` in a shell block names a command and its options."""
    from agentctx.cli import cli

    for document in documents():
        for block in blocks(document.read_text("utf-8"), "sh", "bash", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                for words in re.findall(r"(?:^|[$&|] )\s*agentctx ([^#|&]*)", line):
                    name, *rest = words.split()
                    if name.startswith("-"):
                        continue
                    assert name in cli.commands, f"{document.name}: {line}"
                    command = cli.commands[name]
                    if isinstance(command, click.Group) and rest:
                        inner = command.get_command(click.Context(command), rest[0])
                        command = command if inner is None else inner
                    known = {option for parameter in command.params for option in parameter.opts}
                    given = {word.partition("=")[0] for word in rest if word[:1] == "-" != word}
                    assert given <= known, f"{document.name}: {line}"


def documents() -> list[Path]:
    """The READMEs and the guide."""
    tools = sorted((ROOT / "tools").glob("*/README.md"))
    return [ROOT / "README.md", *tools, *sorted((ROOT / "docs").rglob("*.md"))]


# -- code -----------------------------------------------------------------------------------------


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that holds the demo's files, under their names."""
    for path in (Path(agentctx.__file__).parent / "demo" / "samples").iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("samples")
def test_the_python_of_the_readme_runs() -> None:
    """All blocks, one after the other, as a reader would paste them."""
    code = blocks(README, "python")
    assert code
    names: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(code, 1):
        exec(compile(block, f"README.md, Python block {number}", "exec"), names)


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_python_of_the_documentation_parses(document: Path) -> None:
    for block in blocks(document.read_text("utf-8"), "python"):
        ast.parse(block, document.name)


def test_links_between_documents_lead_somewhere() -> None:
    for document in documents():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


# -- versions and dependencies --------------------------------------------------------------------


def test_the_changelog_has_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[?{re.escape(PROJECT['version'])}\b", changelog, re.MULTILINE)


# What is too large for the environment of the gate, and for its lock.
UNLOCKED = {
    "cross-encoder",
    "mteb",
    "open-clip",
    "openai-whisper",
    "sentence-transformers",
    "transformers",
    "umap",
}


def requirements() -> dict[str, list[Requirement]]:
    """Every distribution that our pyproject.toml or a tool's asks for, with the lines that do."""
    extras = PROJECT["optional-dependencies"]
    locked = (lines for extra, lines in extras.items() if extra not in UNLOCKED)
    tools = (tomllib.loads(path.read_text("utf-8"))["project"] for path in TOOL_PROJECTS)
    lines = [*PROJECT["dependencies"], *chain(*locked)]
    lines += chain(*(tool["dependencies"] for tool in tools))
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, lines):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    del found["agentctx"]
    return found


@pytest.mark.parametrize("name", sorted(requirements()))
def test_each_dependency_is_explained(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/architecture.md").read_text("utf-8")


def test_the_gate_needs_nothing_that_is_not_locked() -> None:
    bundles = "".join([*PROJECT["optional-dependencies"]["all"], *PROJECT["dependencies"]])
    for extra in UNLOCKED:
        assert extra not in bundles
        assert not set(PROJECT["optional-dependencies"][extra]) & set(
            PROJECT["optional-dependencies"]["dev"]
        )


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"]))
def test_each_extra_is_explained(extra: str) -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert f"`{extra}`" in text or f"[{extra}]" in text


@pytest.mark.parametrize("name", sorted(requirements()))
def test_the_lock_is_in_step(name: str) -> None:
    locked = re.findall(rf"^{re.escape(name)}==(\S+)", LOCK, re.MULTILINE)
    assert locked, f"{name} is not in requirements.lock; docs/development.md says how to make it"
    for requirement in requirements()[name]:
        assert all(version in requirement.specifier for version in locked)


def test_the_lock_holds_nothing_else() -> None:
    direct = {
        entry.partition("==")[0]
        for entry in re.split(r"\n(?=[a-z0-9])", LOCK)
        if "pyproject.toml)" in entry
    }
    assert direct == set(requirements())


def test_the_lock_has_digests_for_everything() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.strip())
    assert len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)


# -- what must not be in the project --------------------------------------------------------------

# Patterns with a class of one letter, so that this file does not hold what it looks for.
FORBIDDEN = {
    "the host of a package registry": r"py[p]i\.org|python[h]osted\.org|registry\.np[m]js",
    "a path of one machine": r"/wor[k]/|/roo[t]/|/tmp/la[b]|/opt/p[y]",
}


def kept() -> Iterator[Path]:
    """The files of the project, without what .gitignore names and without environments."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name != ".git"
            and not any(fnmatch(name, pattern) for pattern in ignored)
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        for name in files:
            if not any(fnmatch(name, pattern) for pattern in ignored):
                yield Path(folder, name)


def test_nothing_of_one_machine_is_kept() -> None:
    found = []
    for path in kept():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in FORBIDDEN.items():
            if match := re.search(pattern, text):
                found.append(f"{path.relative_to(ROOT)}: {what}: {match[0]}")
    assert found == []
