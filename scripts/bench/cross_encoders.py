"""Compare both cross-encoder rerankers with sentence-transformers on a small checkpoint made here.

    pip install 'agentctx[cross-encoder]' onnx pytest
    python scripts/bench/cross_encoders.py --json cross_encoders.json
    python scripts/bench/cross_encoders.py --out tests/rerankers/tiny_cross_encoder

A BERT with two layers and random weights is saved, exported to ONNX, and asked for the same pairs
by ``CrossEncoder.predict`` and by both of ours: its scores mean nothing, but they must be the same.
It is no part of the tests, because torch takes gigabytes; ``--out`` keeps the ONNX model and the
reference's scores for the tests that need no torch. Ends with 1 when a score differs by more than
1e-4.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder as Reference
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from agentctx.config import Config
from agentctx.contracts import Candidate, Reranker
from agentctx.records import Observation
from agentctx.services import SharedServices

MOST_TOKENS = 48
APART = 1e-4
QUERIES = [
    "Why did the pump stop?",
    "temperature in hall two",
    "What did she say about the valve, and when was it closed for the second time that night? " * 3,
    "日本 ÜBER 4711!",
]
# One for each modality, and what is hard to encode: nothing new, too long, another script.
TEXTS = [
    "The pump stopped because its seal was leaking.",
    "Alarm list\n09:12 PUMP-A vibration high\n09:13 PUMP-A stopped",
    "Vibration of pump A rose from 2.1 mm/s to 13.4 mm/s at 09:12:21.",
    "So I closed the valve again, at about three in the night.",
    "Lunch is at noon.",
    "pump",
    "The night shift drained the line and closed the valve. " * 20,
    "日本語のテキスト",
    "  Überdruck\tim Kessel: 4,2 bar \n",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tokenizer() -> BertTokenizerFast:
    """A word-piece tokenizer of 200 pieces, trained on the texts above."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.train_from_iterator(
        [*QUERIES, *TEXTS], trainers.WordPieceTrainer(vocab_size=200, special_tokens=SPECIAL)
    )
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return BertTokenizerFast(tokenizer_object=made, model_max_length=MOST_TOKENS)


def checkpoint(folder: Path, pieces: BertTokenizerFast) -> None:
    """A cross-encoder of 16 dimensions as transformers saves it, and its ONNX file beside it."""
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, num_labels=1, initializer_range=0.4,
    )  # fmt: skip
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    pieces.save_pretrained(folder)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = pieces(["a pump"], ["the valve is closed"], return_tensors="pt")
    with warnings.catch_warnings():
        # The newer exporter needs another package, and onnxruntime reads what this one writes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(example[name] for name in names),
            str(folder / "model.onnx"),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "pairs", 1: "tokens"} for name in names}
            | {"logits": {0: "pairs"}},
            dynamo=False,
        )


def reranker(name: str, folder: Path) -> Reranker:
    """One of ours, by its entry point's name."""
    options = {name: {"model": str(folder), "batch": 4}}
    return SharedServices(Config(reranker=name, options=options)).reranker(name)


def compare(folder: Path) -> tuple[list[dict[str, object]], list[list[float]]]:
    """Each of ours against the reference: the largest difference and seconds; and its scores."""
    model = Reference(str(folder), device="cpu", local_files_only=True)
    wanted = [model.predict([(query, text) for text in TEXTS]) for query in QUERIES]
    candidates = [Candidate(text, Observation(text=text)) for text in TEXTS]
    rows: list[dict[str, object]] = []
    for name in ("cross-encoder", "cross-encoder-onnx"):
        ours = reranker(name, folder)
        started = time.perf_counter()
        found = [ours.score(Observation(text=query), candidates) for query in QUERIES]
        apart = max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True))
        seconds = round(time.perf_counter() - started, 3)
        rows.append({"reranker": name, "largest difference": apart, "seconds": seconds})
    return rows, [[round(float(score), 6) for score in row] for row in wanted]


def contract(folder: Path) -> bool:
    """Whether the one on torch passes the suite that `agentctx.testing.contracts` offers."""
    suite = folder / "test_contract.py"
    suite.write_text(
        "from agentctx.rerankers.cross_encoder import CrossEncoder\n"
        "from agentctx.testing.contracts import RerankerContract\n\n\n"
        "class TestCrossEncoder(RerankerContract):\n"
        "    factory = CrossEncoder\n"
        f"    options = {{'model': {str(folder)!r}, 'batch': 2, 'device': 'cpu'}}\n"
    )
    return pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(suite)]) == 0


def main() -> int:
    """Make the checkpoint and compare; print the figures and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--out", type=Path, help="keep the ONNX model and the scores here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        checkpoint(made, tokenizer())
        rows, scores = compare(made)
        kept = contract(made)
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            for name in ("model.onnx", "tokenizer.json", "tokenizer_config.json", "config.json"):
                shutil.copy(made / name, arguments.out)
    libraries = ("sentence-transformers", "transformers", "torch", "onnxruntime")
    versions = {one: version(one) for one in libraries}
    spread = float(np.ptp(np.array(scores)))
    found = {
        "versions": versions,
        "pairs": len(TEXTS) * len(QUERIES),
        "spread": spread,
        "keeps the contract": kept,
        "rows": rows,
    }
    if arguments.out:
        golden = {"versions": versions, "queries": QUERIES, "texts": TEXTS, "scores": scores}
        text = json.dumps(golden, ensure_ascii=False, indent=1)
        (arguments.out / "golden.json").write_text(text + "\n", "utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    return 0 if kept and all(float(str(row["largest difference"])) <= APART for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
