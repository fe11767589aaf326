"""Whisper as CTranslate2 stores it, written as openai-whisper and transformers take it.

    python scripts/whisper_weights.py DIRECTORY [--model CONVERTED]

writes ``tiny.en.pt`` and ``transformers/`` into DIRECTORY, from the float16 weights that the
default stack brings: the engines on torch can then be tried, and compared, without a model hub.
Needs torch and transformers.
"""

import argparse
import json
import re
import shutil
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_VERSION = 6
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}

# Of a layer: CTranslate2's name, and those of openai-whisper for its equal parts, in order.
_PARTS = {
    "self_attention/layer_norm": ("attn_ln",),
    "self_attention/linear_0": ("attn.query", "attn.key", "attn.value"),
    "self_attention/linear_1": ("attn.out",),
    "attention/layer_norm": ("cross_attn_ln",),
    "attention/linear_0": ("cross_attn.query",),
    "attention/linear_1": ("cross_attn.key", "cross_attn.value"),
    "attention/linear_2": ("cross_attn.out",),
    "ffn/layer_norm": ("mlp_ln",),
    "ffn/linear_0": ("mlp.0",),
    "ffn/linear_1": ("mlp.2",),
}
_WHOLE = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.ln_post",
    "decoder/layer_norm": "decoder.ln",
    "decoder/embeddings": "decoder.token_embedding",
}
_SUFFIXES = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}

# From openai-whisper's names to those of transformers, applied in order.
_RENAMED = (
    (r"\.blocks\.", ".layers."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.cross_attn_ln\.", ".encoder_attn_layer_norm."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.cross_attn\.", ".encoder_attn."),
    (r"\.attn\.", ".self_attn."),
    (r"\.(query|key|value)\.", lambda match: f".{match[1][0]}_proj."),
    (r"\.out\.", ".out_proj."),
    (r"\.ln(?:_post)?\.", ".layer_norm."),
    (r"token_embedding", "embed_tokens"),
    (r"positional_embedding", "embed_positions.weight"),
)


def read_ctranslate2(path: Path) -> Arrays:
    """The variables of a ``model.bin`` (version 6) by name; raises ValueError for another file."""
    with path.open("rb") as file:
        version, _, _ = _number(file, "I"), _name(file), _number(file, "I")
        if version != _VERSION:
            raise ValueError(f"{path} has version {version}; only {_VERSION} is known")
        return dict(_variable(file) for _ in range(_number(file, "I")))


def _number(file: BinaryIO, kind: str) -> int:
    (number,) = struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))
    return int(number)


def _name(file: BinaryIO) -> str:
    return file.read(_number(file, "H")).rstrip(b"\0").decode()


def _variable(file: BinaryIO) -> tuple[str, NDArray[Any]]:
    name = _name(file)
    shape = [_number(file, "I") for _ in range(_number(file, "B"))]
    kind = _TYPES[_number(file, "B")]
    data = file.read(_number(file, "I"))
    return name, np.frombuffer(data, kind).reshape(shape)


def openai_state(variables: Mapping[str, NDArray[Any]]) -> Arrays:
    """The state of openai-whisper's model, float32, from CTranslate2's variables."""
    found = {name: array.astype(np.float32) for name, array in _openai(variables)}
    # Keys have no bias in Whisper; fused with queries and values they were given zeros.
    biases = [name for name in found if name.endswith(".key.bias")]
    if any(found.pop(name).any() for name in biases):
        raise ValueError("a bias of keys is not zero: this is no Whisper model")
    return found


def _openai(variables: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, array in variables.items():
        whole, _, suffix = name.rpartition("/")
        if name.endswith("/position_encodings/encodings"):
            yield f"{name.partition('/')[0]}.positional_embedding", array
        elif whole in _WHOLE:
            yield f"{_WHOLE[whole]}.{_SUFFIXES[suffix]}", array
        elif match := re.fullmatch(r"(encoder|decoder)/layer_(\d+)/(.+)", whole):
            side, layer, part = match.groups()
            names = _PARTS[part]
            for one, share in zip(names, np.split(array, len(names)), strict=True):
                yield f"{side}.blocks.{layer}.{one}.{_SUFFIXES[suffix]}", share


def dimensions(variables: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """openai-whisper's ``ModelDimensions``."""
    vocabulary, state = variables["decoder/embeddings/weight"].shape
    layers = {
        side: len({name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_")})
        - 1  # the norm at the end
        for side in ("encoder", "decoder")
    }
    return {
        "n_mels": variables["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": len(variables["encoder/position_encodings/encodings"]),
        "n_audio_state": state,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": layers["encoder"],
        "n_vocab": vocabulary,
        "n_text_ctx": len(variables["decoder/position_encodings/encodings"]),
        "n_text_state": state,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": layers["decoder"],
    }


def save_openai(model: Path, path: Path) -> Path:
    """Write the model of a directory as a checkpoint of openai-whisper."""
    import torch

    variables = read_ctranslate2(model / "model.bin")
    state = {name: torch.from_numpy(a.copy()) for name, a in openai_state(variables).items()}
    torch.save({"dims": dimensions(variables), "model_state_dict": state}, path)
    return path


def save_transformers(model: Path, directory: Path) -> Path:
    """Write the model of a directory, English only, as transformers saves a Whisper model."""
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    variables = read_ctranslate2(model / "model.bin")
    told = json.loads((model / "config.json").read_text())
    size = dimensions(variables)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(model / "tokenizer.json", directory)
    end = "<|endoftext|>"
    named = {"tokenizer_class": "WhisperTokenizer", "eos_token": end, "bos_token": end,
             "unk_token": end, "pad_token": end}  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(named))
    tokenizer = WhisperTokenizer.from_pretrained(directory)
    marks = {
        name: tokenizer.convert_tokens_to_ids(f"<|{token}|>")
        for name, token in (("end", "endoftext"), ("start", "startoftranscript"),
                            ("plain", "notimestamps"), ("before", "startofprev"))
    }  # fmt: skip
    special = {"decoder_start_token_id": marks["start"], "pad_token_id": marks["end"],
               "bos_token_id": marks["end"], "eos_token_id": marks["end"]}  # fmt: skip
    config = WhisperConfig(
        vocab_size=size["n_vocab"], num_mel_bins=size["n_mels"], d_model=size["n_audio_state"],
        encoder_layers=size["n_audio_layer"], encoder_attention_heads=size["n_audio_head"],
        decoder_layers=size["n_text_layer"], decoder_attention_heads=size["n_text_head"],
        encoder_ffn_dim=4 * size["n_audio_state"], decoder_ffn_dim=4 * size["n_text_state"],
        max_source_positions=size["n_audio_ctx"], max_target_positions=size["n_text_ctx"],
        **special,
    )  # fmt: skip
    made = WhisperForConditionalGeneration(config)
    state = {transformers_name(n): torch.from_numpy(a.copy())
             for n, a in openai_state(variables).items()}  # fmt: skip
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    made.load_state_dict(state)
    made.generation_config = GenerationConfig(
        **special, is_multilingual=False, max_length=size["n_text_ctx"],
        alignment_heads=told["alignment_heads"], suppress_tokens=told["suppress_ids"],
        begin_suppress_tokens=told["suppress_ids_begin"], max_initial_timestamp_index=50,
        no_timestamps_token_id=marks["plain"], prev_sot_token_id=marks["before"],
    )  # fmt: skip
    made.save_pretrained(directory)
    extractor = WhisperFeatureExtractor(feature_size=size["n_mels"])
    WhisperProcessor(extractor, tokenizer).save_pretrained(directory)
    return directory


def transformers_name(name: str) -> str:
    """transformers' name of a tensor of openai-whisper."""
    for pattern, other in _RENAMED:
        name = re.sub(pattern, other, name)
    return f"model.{name}"


def main() -> None:
    """Write both forms of a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--model", type=Path, help="a directory with a model for CTranslate2")
    given = parser.parse_args()
    if given.model is None:
        from agentctx.weights.store import WeightStore

        given.model = WeightStore().find("whisper-tiny.en")
    given.directory.mkdir(parents=True, exist_ok=True)
    print(save_openai(given.model, given.directory / "tiny.en.pt"))
    print(save_transformers(given.model, given.directory / "transformers"))


if __name__ == "__main__":
    main()
