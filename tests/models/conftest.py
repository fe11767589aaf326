"""Tests of what runs on torch, against the libraries themselves, on small models made here.

They need the extras that bring torch, which are too large for the environment of the gate; a job of
its own in ``.ci/run`` installs them. Nothing here is downloaded: weights are random.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

_EXTRAS = {
    "open_clip": "open-clip",
    "sentence_transformers": "sentence-transformers",
    "torch": "open-clip",
    "transformers": "transformers",
}


@pytest.fixture(autouse=True, scope="session")
def _on_torch() -> None:
    for module, extra in _EXTRAS.items():
        if find_spec(module) is None:
            pytest.skip(f"needs {module}, which is large: pip install 'agentctx[{extra}]'")


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
