"""Joint models of pictures and words with random weights, of any size, each in its own layout.

The vectors of such models mean nothing, but they differ from input to input, and depend on every
step before them: on how a picture is scaled and a text is cut as much as on the network.
"""

import json
import string
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from open_clip import CLIP
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    PreTrainedModel,
    Siglip2Config,
    Siglip2ImageProcessor,
    Siglip2Model,
    Siglip2Processor,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
)

_SENTENCES = (
    "a photo of a red pump beside a blue wall", "the same picture but in green and yellow",
    "two circles and a triangle on a white ground", "a screen with a chart of the bearing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model is: of pictures (``side`` pixels) and of texts (``context`` tokens)."""

    side: int
    patch: int
    width: int
    layers: int
    heads: int
    text_width: int
    text_layers: int
    text_heads: int
    context: int
    dimension: int


TINY = Shape(32, 8, 32, 2, 2, 24, 2, 2, 16, 20)
# That of CLIP ViT-B/32 with 151 million parameters, of SigLIP base with a few more.
BASE = Shape(224, 32, 768, 12, 12, 512, 12, 8, 77, 512)


def open_clip(folder: Path, shape: Shape = TINY) -> Path:
    """A directory as open_clip saves it, with its own tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "embed_dim": shape.dimension,
        "vision_cfg": {
            "image_size": shape.side, "patch_size": shape.patch, "width": shape.width,
            "layers": shape.layers, "head_width": shape.width // shape.heads,
        },
        "text_cfg": {
            "context_length": shape.context, "vocab_size": 49408, "width": shape.text_width,
            "heads": shape.text_heads, "layers": shape.text_layers,
        },
    }  # fmt: skip
    preprocessing = {"mean": [0.4, 0.5, 0.6], "std": [0.3, 0.2, 0.25], "interpolation": "bicubic"}
    about = {"model_cfg": config, "preprocess_cfg": {**preprocessing, "resize_mode": "shortest"}}
    (folder / "open_clip_config.json").write_text(json.dumps(about), "utf-8")
    model = CLIP(**config)
    _randomise(model)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def clip(folder: Path, shape: Shape = TINY) -> Path:
    """A CLIP as transformers saves it."""
    vocabulary, merges = _byte_pairs()
    config = CLIPConfig(
        projection_dim=shape.dimension,
        text_config=_text(shape, len(vocabulary)) | {"eos_token_id": vocabulary["<|endoftext|>"]},
        vision_config=_vision(shape) | {"image_size": shape.side},
    )
    processor = CLIPProcessor(
        CLIPImageProcessor(
            size={"shortest_edge": shape.side},
            crop_size={"height": shape.side, "width": shape.side},
        ),
        CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=shape.context),
    )
    return _saved(folder, CLIPModel(config), processor)


def siglip(folder: Path, shape: Shape = TINY) -> Path:
    """A SigLIP as transformers saves it; SigLIP2 models of one resolution have this form, too."""
    config = SiglipConfig(
        text_config=_text(shape, len(_pieces()[0])) | {"projection_size": shape.width},
        vision_config=_vision(shape) | {"image_size": shape.side},
    )
    images = SiglipImageProcessor(size={"height": shape.side, "width": shape.side})
    return _saved(folder, SiglipModel(config), SiglipProcessor(images, _siglip_tokenizer(shape)))


def siglip2(folder: Path, shape: Shape = TINY) -> Path:
    """A SigLIP2 for pictures of any shape (NaFlex); its processor wants patches of 16 pixels."""
    config = Siglip2Config(
        text_config=_text(shape, len(_pieces()[0]))
        | {"projection_size": shape.width, "max_position_embeddings": 64},
        vision_config=_vision(shape) | {"patch_size": 16, "num_patches": 256},
    )
    images = Siglip2ImageProcessor(patch_size=16, max_num_patches=256)
    return _saved(folder, Siglip2Model(config), Siglip2Processor(images, _siglip_tokenizer(shape)))


def sentence_transformers(folder: Path, shape: Shape = TINY) -> Path:
    """A CLIP as sentence-transformers saves it, in the layout of its clip-ViT-B-32."""
    clip(folder / "0_CLIPModel", shape)
    kind = "sentence_transformers.models.CLIPModel"
    modules = [{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": kind}]
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    return folder


def onnx(folder: Path, source: Path) -> Path:
    """A model of transformers (`clip` or `siglip`) exported: one file for each tower."""
    from transformers import AutoModel, AutoProcessor

    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    processor = AutoProcessor.from_pretrained(source)
    projected = model.config.model_type == "clip"
    side = model.config.vision_config.image_size
    _export(
        folder / "onnx" / "text_model.onnx",
        _Tower(model, "text"),
        processor.tokenizer(["a red pump", "a"], padding=True, return_tensors="pt")["input_ids"],
        "input_ids",
        "text_embeds" if projected else "pooler_output",
    )
    _export(
        folder / "onnx" / "vision_model.onnx",
        _Tower(model, "image"),
        torch.zeros(2, 3, side, side),
        "pixel_values",
        "image_embeds" if projected else "pooler_output",
    )
    model.config.save_pretrained(folder)
    processor.tokenizer.save_pretrained(folder)
    processor.image_processor.save_pretrained(folder)
    return folder


class _Tower(torch.nn.Module):
    def __init__(self, model: PreTrainedModel, kind: str) -> None:
        super().__init__()
        self.model, self.kind = model, kind

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = getattr(self.model, f"get_{self.kind}_features")(given).pooler_output
        return found


def _export(path: Path, tower: _Tower, example: torch.Tensor, given: str, found: str) -> None:
    axes = {given: {0: "batch"}, found: {0: "batch"}}
    if tower.kind == "text":
        axes[given][1] = "tokens"
    with warnings.catch_warnings():
        # The newer exporter needs another package, and onnxruntime reads what this one writes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower, (example,), str(path), input_names=[given], output_names=[found],
            dynamic_axes=axes, dynamo=False,
        )  # fmt: skip


def _text(shape: Shape, vocabulary: int) -> dict[str, int]:
    return {
        "vocab_size": vocabulary, "hidden_size": shape.text_width,
        "intermediate_size": 4 * shape.text_width, "num_hidden_layers": shape.text_layers,
        "num_attention_heads": shape.text_heads, "max_position_embeddings": shape.context,
    }  # fmt: skip


def _vision(shape: Shape) -> dict[str, int]:
    return {
        "hidden_size": shape.width, "intermediate_size": 4 * shape.width,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
        "patch_size": shape.patch,
    }  # fmt: skip


def _saved(folder: Path, model: PreTrainedModel, processor: object) -> Path:
    _randomise(model)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def _randomise(model: torch.nn.Module) -> None:
    """Weights large enough that different inputs have different vectors."""
    torch.manual_seed(6)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.normal_(std=1.0 if fan_in < 2 else 1.5 / fan_in**0.5)


def _byte_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary of CLIP's kind: of every byte, alone and at the end of a word."""
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    found.train_from_iterator(_SENTENCES, trainer)
    learned = json.loads(found.to_str())["model"]
    vocabulary: dict[str, int] = dict(learned["vocab"])
    for byte in pre_tokenizers.ByteLevel.alphabet():
        vocabulary.setdefault(f"{byte}</w>", len(vocabulary))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return vocabulary, [tuple(pair) for pair in learned["merges"]]


def _pieces() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary of SigLIP2's kind: of letters, then bytes for what is unknown."""
    vocabulary: dict[str, int] = {}
    letters = string.ascii_lowercase + string.digits + "▁.,'"
    for piece in (
        *("<pad>", "<eos>", "<bos>", "<unk>", "<mask>"),
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *letters,
    ):
        vocabulary.setdefault(piece, len(vocabulary))
    merges = [("t", "h"), ("th", "e"), ("e", "d"), ("▁", "a"), ("▁", "the")]
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    return vocabulary, merges


def _siglip_tokenizer(shape: Shape) -> Siglip2Tokenizer:
    vocabulary, merges = _pieces()
    return Siglip2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        padding_side="right",
        model_max_length=shape.context,
        # As the published ones: padding was not masked in training.
        model_input_names=["input_ids"],
    )
