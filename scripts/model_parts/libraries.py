"""The libraries of joint models used directly: what our encoders are held against."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoProcessor

Rows = NDArray[np.float32]
# How a model looks at pictures, and how it reads texts; rows are of any length.
Library = tuple[Callable[[Sequence[Image]], Rows], Callable[[Sequence[str]], Rows]]


def of_open_clip(folder: Path) -> Library:
    """A directory, by open_clip."""
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()

    @torch.inference_mode()
    def look(images: Sequence[Image]) -> Rows:
        found: Rows = model.encode_image(torch.stack([prepare(one) for one in images])).numpy()
        return found

    @torch.inference_mode()
    def read(texts: Sequence[str]) -> Rows:
        found: Rows = model.encode_text(tokenizer(list(texts))).numpy()
        return found

    return look, read


def of_transformers(folder: Path) -> Library:
    """A CLIP, SigLIP or SigLIP2, by transformers, as its documentation shows it."""
    model, processor = AutoModel.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    model.eval()
    length = model.config.text_config.max_position_embeddings
    padding = True if model.config.model_type == "clip" else "max_length"

    @torch.inference_mode()
    def look(images: Sequence[Image]) -> Rows:
        inputs = processor(images=list(images), return_tensors="pt")
        found: Rows = model.get_image_features(**inputs).pooler_output.numpy()
        return found

    @torch.inference_mode()
    def read(texts: Sequence[str]) -> Rows:
        inputs = processor(
            text=list(texts), padding=padding, truncation=True, max_length=length,
            return_tensors="pt",
        )  # fmt: skip
        found: Rows = model.get_text_features(**inputs).pooler_output.numpy()
        return found

    return look, read


def of_sentence_transformers(folder: Path) -> Library:
    """A CLIP-style model, by sentence-transformers."""
    model = SentenceTransformer(str(folder), device="cpu")
    return lambda images: model.encode(list(images)), lambda texts: model.encode(list(texts))


def of_onnx(folder: Path, source: Path, threads: int) -> Library:
    """An export, by onnxruntime and the processor of the model in ``source``."""
    import onnxruntime

    processor = AutoProcessor.from_pretrained(source)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    text, vision = (
        onnxruntime.InferenceSession(
            str(folder / "onnx" / f"{tower}_model.onnx"), options,
            providers=["CPUExecutionProvider"],
        )
        for tower in ("text", "vision")
    )  # fmt: skip

    def look(images: Sequence[Image]) -> Rows:
        inputs = processor(images=list(images), return_tensors="np")
        found: Rows = vision.run(None, {"pixel_values": inputs["pixel_values"]})[0]
        return found

    def read(texts: Sequence[str]) -> Rows:
        inputs = processor(text=list(texts), padding=True, truncation=True, return_tensors="np")
        found: Rows = text.run(None, {"input_ids": inputs["input_ids"]})[0]
        return found

    return look, read
