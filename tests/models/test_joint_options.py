"""What can be chosen about a joint space, and what is said when it cannot be had."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agentctx import Config, Observation
from agentctx.contracts import Encoder, FittingEncoder
from agentctx.errors import ConfigError, MissingExtra, SourceInvalid, WeightsNotFound
from agentctx.records import EncoderCard, Media, Passage
from agentctx.services import SharedServices
from agentctx.testing.doubles import FixedServices

from .pictures import drawn, observation

NAMES = ["open-clip", "clip-transformers", "clip-sentence-transformers", "clip-onnx"]
KINDS = dict(zip(NAMES, ["open_clip", "clip", "sentence_transformers", "clip-onnx"], strict=True))
EXTRAS = {
    "open-clip": ("open_clip", "open-clip"),
    "clip-transformers": ("transformers", "transformers"),
    "clip-sentence-transformers": ("sentence_transformers", "sentence-transformers"),
}
Make = Callable[[str], Path]


def encoder(name: str, **options: object) -> Encoder:
    return SharedServices(Config(options={name: options})).encoder(name)


def row(made: Encoder, seed: int = 1) -> np.ndarray:
    one = observation(drawn(50, 40, seed))
    return made.encode([Passage(one, 0, "", 0, 0)]).vectors[0]


@pytest.fixture
def copied(checkpoint: Make, tmp_path: Path) -> Make:
    """A model in a directory of the test's own."""
    return lambda kind: Path(shutil.copytree(checkpoint(kind), tmp_path / f"my {kind}"))


# -- cards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_card_tells_the_model_and_its_licence(name: str, copied: Make) -> None:
    folder = copied(KINDS[name])
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# A model\n", "utf-8")
    card = encoder(name, model=str(folder)).card
    weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("*.onnx")])
    digests = {one: hashlib.sha256(one.read_bytes()).hexdigest() for one in weights}
    if len(weights) == 1:
        digest = digests[weights[0]]
    else:
        lines = [f"{one.relative_to(folder).as_posix()} {digests[one]}\n" for one in weights]
        digest = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    assert card == EncoderCard(
        name=folder.name,
        revision=digest[:12],
        space=f"{name}-my-{KINDS[name].replace('_', '-')}",
        dimension=20,
        modalities=("picture", "screenshot", "text"),
        licence="mit",
        digest=digest,
    )


def test_a_licence_that_nobody_names_is_unknown(checkpoint: Make) -> None:
    assert encoder("open-clip", model=checkpoint("open_clip")).card.licence == "unknown"


def test_a_model_of_the_hub_is_found_in_the_cache(checkpoint: Make) -> None:
    """By its name; the revision is the commit where the cache has it."""
    from agentctx.encoders.clip_transformers import TransformersClip

    services = FixedServices(weights={"someone/clip": checkpoint("clip")})
    made = TransformersClip(services, model="someone/clip", device="cpu")
    assert made.card.name == "someone/clip"
    assert made.card.space == "clip-transformers-someone-clip"
    assert row(made).shape == (20,)


# -- where and in which numbers -------------------------------------------------------------------


@pytest.mark.parametrize("name", list(EXTRAS))
def test_bfloat16_is_near_float32(name: str, checkpoint: Make) -> None:
    model = checkpoint(KINDS[name])
    whole = row(encoder(name, model=model, device="cpu"))
    half = row(encoder(name, model=model, device="cpu", dtype="bfloat16"))
    assert half.dtype == np.float32
    assert 0.98 < float(whole @ half) < 1 - 1e-7


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_is_not_there(name: str, checkpoint: Make) -> None:
    made = encoder(name, model=checkpoint(KINDS[name]), device="mps")
    with pytest.raises(ConfigError, match="device is 'mps', but"):
        row(made)


@pytest.mark.parametrize("name", NAMES)
def test_the_best_device_is_found(name: str, checkpoint: Make) -> None:
    one, other = (encoder(name, model=checkpoint(KINDS[name]), device=d) for d in ("auto", "cpu"))
    assert float(row(one) @ row(other)) > 0.999


def test_files_of_other_numbers(copied: Make) -> None:
    """``dtype`` chooses among the files that exports have beside each other."""
    folder = copied("clip-onnx")
    for tower in ("text", "vision"):
        path = folder / "onnx" / f"{tower}_model.onnx"
        path.rename(path.with_name(f"{tower}_model_quantized.onnx"))
    with pytest.raises(ConfigError, match=r"has no text_model\.onnx"):
        _ = encoder("clip-onnx", model=folder).card
    assert row(encoder("clip-onnx", model=folder, dtype="int8")).shape == (20,)


# -- how well words fit ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_fits_half_at_a_quarter(name: str, checkpoint: Make) -> None:
    made = encoder(name, model=checkpoint(KINDS[name]), device="cpu")
    assert isinstance(made, FittingEncoder)
    fits = made.fit(np.array([0.0, 0.2, 0.25, 0.3, 1.0], np.float32))
    assert fits.dtype == np.float32
    assert fits.tolist() == pytest.approx([0.0, 0.076, 0.5, 0.924, 1.0], abs=1e-3)


@pytest.mark.parametrize("kind", ["siglip", "siglip2"])
def test_a_siglip_says_itself_how_well_words_fit(kind: str, checkpoint: Make) -> None:
    """By the scale and bias that it was trained with."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(checkpoint(kind))
    scale, bias = model.logit_scale.exp().item(), model.logit_bias.item()
    made = encoder("clip-transformers", model=checkpoint(kind), device="cpu")
    assert isinstance(made, FittingEncoder)
    found = made.fit(np.array([-0.3, 0.4], np.float32))
    assert found == pytest.approx(
        1 / (1 + np.exp(-(scale * np.array([-0.3, 0.4]) + bias))), abs=1e-5
    )


def test_it_can_be_said_how_well_words_fit(checkpoint: Make) -> None:
    made = encoder("clip-onnx", model=checkpoint("clip-onnx"), logit=[2.0, 0.0])
    assert isinstance(made, FittingEncoder)
    assert made.fit(np.zeros(1, np.float32)).tolist() == [0.5]
    with pytest.raises(ConfigError, match="must be two numbers"):
        encoder("clip-onnx", model="x", logit=[1.0])


# -- open_clip's ways to name a model -------------------------------------------------------------


@pytest.fixture
def architecture(checkpoint: Make, tmp_path: Path) -> str:
    """The small model's architecture, known to open_clip by a name."""
    import open_clip

    about = json.loads((checkpoint("open_clip") / "open_clip_config.json").read_text())
    (tmp_path / "ViT-tiny.json").write_text(json.dumps(about["model_cfg"]))
    open_clip.add_model_config(tmp_path / "ViT-tiny.json")
    return "ViT-tiny"


def test_a_checkpoint_of_ones_own(architecture: str, checkpoint: Make, tmp_path: Path) -> None:
    """As open_clip's training leaves it: with the optimiser's state, in torch's format."""
    import open_clip
    import torch

    model = open_clip.create_model(architecture)
    path = tmp_path / "epoch_3.pt"
    torch.save({"epoch": 3, "name": "run", "state_dict": model.state_dict()}, path)
    made = encoder("open-clip", model=f"{architecture}:{path}", device="cpu")
    assert made.card.name == f"{architecture}:epoch_3.pt"
    _, _, prepare = open_clip.create_model_and_transforms(architecture)
    with torch.no_grad():
        wanted = model.eval().encode_image(prepare(drawn(50, 40, 1))[None])[0].numpy()
    assert float(row(made) @ wanted) / float(np.linalg.norm(wanted)) >= 0.9999


def test_a_tag(architecture: str, checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights come from where weights come from, and pictures are prepared as the tag says."""
    import open_clip
    from open_clip import pretrained

    from agentctx.encoders.open_clip import OpenClip

    tag = {"hf_hub": "someone/tiny/", "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.4, 0.3)}
    tag |= {"interpolation": "bilinear", "resize_mode": "squash"}
    monkeypatch.setitem(pretrained._PRETRAINED, architecture, {"mine": tag})
    services = FixedServices(weights={"someone/tiny": checkpoint("open_clip")})
    made = OpenClip(services, model=f"{architecture}:mine", device="cpu")
    assert made.card.name == f"{architecture}:mine"
    monkeypatch.setattr(
        pretrained, "download_pretrained",
        lambda *_, **__: str(checkpoint("open_clip") / "open_clip_model.safetensors"),
    )  # fmt: skip
    monkeypatch.setattr(open_clip.factory, "download_pretrained", pretrained.download_pretrained)
    model, _, prepare = open_clip.create_model_and_transforms(architecture, pretrained="mine")
    import torch

    with torch.no_grad():
        wanted = model.eval().encode_image(prepare(drawn(50, 40, 1))[None])[0].numpy()
    assert float(row(made) @ wanted) / float(np.linalg.norm(wanted)) >= 0.9999


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("ViT-none:openai", "open_clip has no model 'ViT-none'"),
        ("ViT-B-32:nothing", "has no weights 'nothing', and there is no such file"),
        ("ViT-B-32:openai", "the model is ViT-B-32-quickgelu:openai"),
        ("roberta-ViT-B-32:laion2b_s12b_b32k", "has roberta-base as its text tower"),
    ],
)
def test_names_that_open_clip_cannot_use(model: str, message: str) -> None:
    from agentctx.encoders.open_clip import OpenClip

    services = FixedServices(weights={"timm/vit_base_patch32_clip_224.openai": Path("/")})
    with pytest.raises((ConfigError, WeightsNotFound), match=message):
        _ = OpenClip(services, model=model).card


# -- what is missing ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_without_weights_it_says_where_it_looked(name: str) -> None:
    with pytest.raises(WeightsNotFound, match="allow_download is off") as error:
        _ = encoder(name, model="nobody/has-this-model").card
    assert "a directory called nobody/has-this-model" in str(error.value)


@pytest.mark.parametrize("name", list(EXTRAS))
def test_without_the_extra_it_says_how_to_get_it(
    name: str, checkpoint: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, extra = EXTRAS[name]
    model = checkpoint(KINDS[name])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'agentctx\[{extra}\]'"):
        row(encoder(name, model=model))


@pytest.mark.parametrize("name", NAMES)
def test_no_model_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"name one in \[options\.{name}\]"):
        encoder(name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"templates": []}, "must be a list of sentences"),
        ({"templates": "a photo of {}"}, "must be a list of sentences"),
        ({"templates": ["a photo"]}, "the template 'a photo' must have one {}"),
        ({"dtype": "float8"}, "dtype is 'float8'; it must be one of float32"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_options_that_make_no_sense(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder(name, model="x", **options)


@pytest.mark.parametrize("name", NAMES)
def test_damaged_weights(name: str, copied: Make) -> None:
    folder = copied(KINDS[name])
    for path in [*folder.rglob("*.safetensors"), *folder.rglob("*.onnx")]:
        path.write_bytes(path.read_bytes()[:300])
    made = encoder(name, model=folder, device="cpu")
    with pytest.raises(ConfigError, match="cannot be used"):
        row(made)


@pytest.mark.parametrize("name", list(EXTRAS))
def test_pickles_are_not_read(name: str, copied: Make) -> None:
    folder = copied(KINDS[name])
    for path in folder.rglob("*.safetensors"):
        path.rename(path.with_name("pytorch_model.bin"))
    with pytest.raises(ConfigError, match="safetensors"):
        _ = encoder(name, model=folder).card


def test_a_model_of_texts_only(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    tiny = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8,
    )  # fmt: skip
    BertModel(tiny).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="a bert has no tower for pictures"):
        _ = encoder("clip-transformers", model=tmp_path).card


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "onnx/vision_model.onnx"])
def test_a_file_of_an_export_that_is_not_there(file: str, copied: Make) -> None:
    folder = copied("clip-onnx")
    (folder / file).unlink()
    with pytest.raises(ConfigError, match=Path(file).name):
        encoder("clip-onnx", model=folder).encode_query(Observation(text="pump"))


def test_an_observation_that_is_no_picture(checkpoint: Make) -> None:
    made = encoder("clip-onnx", model=checkpoint("clip-onnx"))
    lying = Media.of_bytes("original", "image/png", b"no picture at all")
    one = Observation(modality="screenshot", media=(lying,), source="lie.png")
    with pytest.raises(SourceInvalid, match=r"lie\.png"):
        made.encode([Passage(one, 0, "", 0, 0)])
