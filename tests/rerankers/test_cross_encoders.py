"""Cross-encoders: the scores of the reference, without torch; and errors that say what to do.

``tiny_cross_encoder`` holds a model with random weights and what sentence-transformers scores by
it, both written by ``scripts/bench/cross_encoders.py``, which also compares the one on torch.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agentctx import Memory, Observation
from agentctx.config import Config
from agentctx.contracts import Candidate, Reranker
from agentctx.errors import ConfigError, MissingExtra, WeightsNotFound
from agentctx.registry import listing
from agentctx.rerankers.cross_encoder import CrossEncoder
from agentctx.rerankers.cross_encoder_onnx import CrossEncoderONNX
from agentctx.services import SharedServices
from agentctx.testing.doubles import FixedServices

TINY = Path(__file__).parent / "tiny_cross_encoder"
GOLDEN = json.loads((TINY / "golden.json").read_text("utf-8"))
# The scores are stored with six digits.
APART = 2e-6


def candidates(texts: list[str]) -> list[Candidate]:
    return [Candidate(text, Observation(text=text)) for text in texts]


def score(model: Path, query: str, texts: list[str], **options: object) -> np.ndarray:
    made = {"cross-encoder-onnx": {"model": str(model), **options}}
    reranker = SharedServices(Config(options=made)).reranker("cross-encoder-onnx")
    return reranker.score(Observation(text=query), candidates(texts))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The tiny model in a directory of the test's own."""
    return Path(shutil.copytree(TINY, tmp_path / "model"))


@pytest.mark.parametrize("batch", [1, 4, 32])
@pytest.mark.parametrize("row", range(len(GOLDEN["queries"])))
def test_the_scores_of_the_reference(row: int, batch: int) -> None:
    found = score(TINY, GOLDEN["queries"][row], GOLDEN["texts"], batch=batch)
    assert np.abs(found - np.array(GOLDEN["scores"][row])).max() <= APART


def test_the_golden_scores_tell_texts_apart() -> None:
    """Else any constant would pass."""
    scores = np.array(GOLDEN["scores"])
    assert (np.ptp(scores, axis=1) > 0.1).all()
    assert (np.ptp(scores, axis=0) > 0.01).all()


def test_what_is_too_long_is_cut_where_the_reference_cuts_it(copied: Path) -> None:
    """With the number of positions in place of the tokenizer's limit, long ones score otherwise."""
    row = 2
    query, texts, wanted = GOLDEN["queries"][row], GOLDEN["texts"], np.array(GOLDEN["scores"][row])
    (copied / "tokenizer_config.json").unlink()
    assert np.abs(score(copied, query, texts) - wanted).max() > 1e-3
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 48}))
    assert np.abs(score(copied, query, texts) - wanted).max() <= APART


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=30))
def test_any_text_has_a_score_of_its_own(texts: list[str], query: str) -> None:
    scores = score(TINY, query, texts)
    for text, found in zip(texts, scores.tolist(), strict=True):
        alone = score(TINY, query, [text])
        assert found == pytest.approx(float(alone[0]), abs=1e-5)
        assert (found == 0.0) == (not text.strip() or not query.strip())


@pytest.mark.parametrize("turned", [False, True])
def test_the_best_by_late_interaction_are_judged(turned: bool) -> None:
    """Whatever order they come in, and by the same scores as when all are."""
    texts = [f"The {what} was repaired in hall {n}." for n, what in enumerate(["door", "roof"] * 5)]
    texts[7] = "The pump stopped because its seal leaked."
    texts = texts[::-1] if turned else texts
    query = GOLDEN["queries"][0]
    everything = score(TINY, query, texts)
    few = score(TINY, query, texts, depth=3)
    judged = few > 0
    assert judged.sum() == 3
    assert judged[texts.index("The pump stopped because its seal leaked.")]
    assert few[judged] == pytest.approx(everything[judged], abs=1e-6)


def test_no_text_is_judged_twice_for_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search judges its best candidates alone first, then beside their neighbours."""
    judged, logits = list[str](), CrossEncoderONNX._logits

    def recorded(self: CrossEncoderONNX, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        judged.extend(texts)
        return logits(self, query, texts)

    monkeypatch.setattr(CrossEncoderONNX, "_logits", recorded)
    config = Config(options={"cross-encoder-onnx": {"model": str(TINY)}})
    reranker = SharedServices(config).reranker("cross-encoder-onnx")
    texts, (one, other, *_) = GOLDEN["texts"], GOLDEN["queries"]
    first = reranker.score(Observation(text=one), candidates(texts[:3]))
    again = reranker.score(Observation(text=one), candidates(texts[::-1]))
    assert judged == [*texts[:3], *texts[:2:-1]]
    assert again[-3:].tolist() == first[::-1].tolist()
    assert np.abs(again[::-1] - np.array(GOLDEN["scores"][0])).max() <= APART
    # Another question is another matter.
    found = reranker.score(Observation(text=other), candidates(texts))
    assert np.abs(found - np.array(GOLDEN["scores"][1])).max() <= APART


def test_a_model_in_the_layout_of_the_hub(copied: Path) -> None:
    (copied / "onnx").mkdir()
    (copied / "model.onnx").rename(copied / "onnx" / "model.onnx")
    found = score(copied, GOLDEN["queries"][0], GOLDEN["texts"])
    assert np.abs(found - np.array(GOLDEN["scores"][0])).max() <= APART


def test_a_memory_is_searched_with_it(tmp_path: Path) -> None:
    """It reads the text of every modality, and each hit says what it scored."""
    texts = GOLDEN["texts"][:4]
    seen = ["text", "screenshot", "sensor", "speech"]
    config = Config(
        reranker="cross-encoder-onnx", options={"cross-encoder-onnx": {"model": str(TINY)}}
    )
    with Memory.open(tmp_path / "memory", config) as memory:
        memory.add([Observation(modality=m, text=t) for m, t in zip(seen, texts, strict=True)])
        hits = memory.search(GOLDEN["queries"][0], plan=False)
    assert {hit.modality for hit in hits} == set(seen)
    for hit in hits:
        judged = next(signal for signal in hit.why if signal.name == "rerank")
        assert judged.score == pytest.approx(GOLDEN["scores"][0][texts.index(hit.text)], abs=APART)


@pytest.mark.parametrize("factory", [CrossEncoder, CrossEncoderONNX])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"depth": 0}, "depth is 0; it must be at least 1"),
        ({"floor": 1.5}, r"floor is 1\.5; it must be in 0\.\.1"),
    ],
)
def test_options_that_make_no_sense(
    factory: type[CrossEncoder], options: dict[str, float], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        factory(FixedServices(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_file_that_is_not_there(copied: Path, file: str) -> None:
    (copied / file).unlink()
    with pytest.raises(ConfigError, match=file) as error:
        score(copied, "pump", ["pump"])
    assert "copy it" in str(error.value) or "export it" in str(error.value)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_file_that_is_damaged(copied: Path, file: str) -> None:
    (copied / file).write_bytes((copied / file).read_bytes()[:100])
    with pytest.raises(ConfigError, match=f"{file} cannot be"):
        score(copied, "pump", ["pump"])


def test_a_model_with_several_labels(copied: Path) -> None:
    """One for entailment, say: the file of MiniLM gives 384 numbers for each token."""
    weights = SharedServices(Config()).weights
    shutil.copy(weights.find("minilm-int8") / "model.onnx", copied)
    with pytest.raises(ConfigError, match=r"has 384 labels; a reranker needs a model with one"):
        score(copied, "pump", ["pump"])


def test_without_weights_it_says_where_it_looked() -> None:
    name = "cross-encoder-onnx"
    options = {name: {"model": "nobody/has-this-model"}}
    reranker = SharedServices(Config(options=options)).reranker(name)
    with pytest.raises(WeightsNotFound, match="allow_download is off") as error:
        reranker.score(Observation(text="pump"), candidates(["pump"]))
    assert "a directory called nobody/has-this-model" in str(error.value)


# -- the one on torch -----------------------------------------------------------------------------


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sentence_transformers", "torch"):
        monkeypatch.setitem(sys.modules, module, None)
    options = {"cross-encoder": {"model": str(TINY)}}
    reranker = SharedServices(Config(options=options)).reranker("cross-encoder")
    with pytest.raises(MissingExtra, match=r"pip install 'agentctx\[cross-encoder\]'"):
        reranker.score(Observation(text="pump"), candidates(["pump"]))


def test_both_are_listed_with_what_they_need() -> None:
    rows = {row.name: row for row in listing() if row.kind == "reranker"}
    assert rows["cross-encoder-onnx"].ready
    assert not rows["cross-encoder"].error
    assert {need.extra for need in rows["cross-encoder"].missing} <= {"cross-encoder"}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The calls that are made of sentence-transformers, for what is on our side of them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "torch.py").write_text("class nn:\n    Identity = object\n")
    (tmp_path / "site" / "sentence_transformers.py").write_text(
        "class CrossEncoder:\n"
        "    def __init__(self, path, *, device, local_files_only, model_kwargs):\n"
        "        if device == 'abacus': raise RuntimeError('no such device')\n"
        "        assert local_files_only and model_kwargs == {'use_safetensors': True}\n"
        "        self.num_labels = 3 if device == 'meta' else 1\n"
        "    def predict(self, pairs, *, batch_size, show_progress_bar, activation_fn):\n"
        "        return [float(len(text) - len(query)) for query, text in pairs]\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    for module in ("sentence_transformers", "torch"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    yield
    for module in ("sentence_transformers", "torch"):
        sys.modules.pop(module, None)


def on_torch(device: str) -> Reranker:
    options = {"cross-encoder": {"model": str(TINY), "device": device}}
    return SharedServices(Config(options=options)).reranker("cross-encoder")


@pytest.mark.usefixtures("library")
def test_logits_become_scores() -> None:
    found = on_torch("cpu").score(
        Observation(text="four"), candidates(["", "four", "x" * 6, "y" * 2000])
    )
    assert found.tolist() == pytest.approx([0.0, 0.5, 1 / (1 + np.exp(-2.0)), 1.0])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("device", "message"),
    [("abacus", "cannot be used: no such device"), ("meta", "has 3 labels; a reranker needs")],
)
def test_a_model_that_cannot_be_used(device: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        on_torch(device).score(Observation(text="pump"), candidates(["pump"]))
