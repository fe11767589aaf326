"""Tests of what runs on torch, against the libraries themselves, on small models made here.

They need the extras that bring torch, which are too large for the environment of the gate; a job of
its own in ``.ci/run`` installs them. Nothing here is downloaded: weights are random.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

_MODULES = ("open_clip", "sentence_transformers", "torch", "transformers")


@pytest.fixture(autouse=True, scope="session")
def _on_torch() -> None:
    if missing := [module for module in _MODULES if find_spec(module) is None]:
        pytest.skip(
            f"needs {' and '.join(missing)}: pip install "
            "'agentctx[open-clip,sentence-transformers,transformers]'"
        )


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The directory of a small model by the name of its maker in ``scripts/model_parts``."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        from model_parts import joint

        if kind not in made:
            folder = tmp_path_factory.mktemp(kind) / f"tiny-{kind}"
            if kind.endswith("-onnx"):
                made[kind] = joint.onnx(folder, make(kind.removesuffix("-onnx")))
            else:
                made[kind] = getattr(joint, kind)(folder)
        return made[kind]

    return make
