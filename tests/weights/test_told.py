"""What ``agentctx doctor`` tells of weights: where they are, how large, and for what."""

import shutil
from pathlib import Path

from agentctx import Config
from agentctx.doctor import examine
from agentctx.weights.pins import PINS
from agentctx.weights.store import WeightStore


def told(config: Config, folder: Path) -> dict[str, str]:
    checks = examine(folder / "no memory", config)
    return {one.name: one.detail for one in checks if one.name.startswith("weights ")}


def test_every_set_is_told_with_its_size_and_its_users(tmp_path: Path) -> None:
    (own := tmp_path / "own").mkdir()
    shutil.copy(WeightStore().find("minilm-tokenizer") / "tokenizer.json", own)
    found = told(Config(weights={"minilm-tokenizer": own}), tmp_path)
    assert set(found) == {f"weights {name}" for name in PINS}
    assert found["weights minilm-tokenizer"] == f"{own} (0.5 MB, for minilm)"
    assert found["weights minilm-int8"].endswith("(22.9 MB, for minilm)")
    assert "for speech)" in found["weights whisper-tiny.en"]


def test_what_is_missing_has_no_size(tmp_path: Path) -> None:
    checks = examine(tmp_path / "none", Config(weights={"minilm-tokenizer": tmp_path}))
    # The path given has no such file; the package has.
    detail = next(one.detail for one in checks if one.name == "weights minilm-tokenizer")
    assert str(tmp_path) not in detail
