"""Both cross-encoder rerankers give the scores of sentence-transformers, on a small model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agentctx.rerankers.cross_encoder import CrossEncoder
from agentctx.testing.contracts import RerankerContract


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of ``scripts/bench/cross_encoders.py``, with its ONNX file beside it."""
    from bench import cross_encoders

    folder = tmp_path_factory.mktemp("cross-encoder")
    cross_encoders.checkpoint(folder, cross_encoders.tokenizer())
    return folder


def test_the_scores_of_the_reference(model: Path) -> None:
    from bench import cross_encoders

    rows, wanted = cross_encoders.compare(model)
    assert [row["reranker"] for row in rows] == ["cross-encoder", "cross-encoder-onnx"]
    for row in rows:
        assert float(str(row["largest difference"])) <= 1e-5, row
    # Else any constant would pass.
    assert max(max(row) - min(row) for row in wanted) > 0.1


class TestCrossEncoder(RerankerContract):
    factory = CrossEncoder

    @pytest.fixture(autouse=True)
    def _model(self, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"model": model, "batch": 2, "device": "cpu"}
        monkeypatch.setattr(type(self), "options", options)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], int]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["mteb_tasks.py"])
    return pytest.importorskip(
        "bench.mteb_tasks", reason="needs mteb: pip install 'agentctx[mteb]'"
    ).main


@pytest.mark.filterwarnings("default")
def test_mteb_evaluates_both_models(run: Callable[[], int]) -> None:
    """On small tasks of its kind, which must come out right."""
    assert run() == 0
