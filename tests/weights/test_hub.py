"""The hub, through its own client, against a server that speaks its protocol on this machine."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub.constants
import pytest

from agentctx.errors import WeightsError, WeightsMismatch, WeightsNotFound
from agentctx.weights.pins import WeightSet
from agentctx.weights.store import WeightStore

if TYPE_CHECKING:
    from .conftest import Hub


def online(hub: "Hub", pin: WeightSet) -> WeightStore:
    """A store that may ask the hub."""
    return WeightStore(allow_download=True, endpoint=hub.endpoint, pins={"model": pin})


def offline(hub: "Hub", pin: WeightSet) -> WeightStore:
    """A store that may not."""
    return WeightStore(endpoint=hub.endpoint, pins={"model": pin})


def test_a_download(hub: "Hub", pin: WeightSet) -> None:
    folder = online(hub, pin).find("model")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == hub.files
    assert f"GET /someone/model/resolve/{hub.commit}/config.json" in hub.asked
    assert "GET /storage/model.bin" in hub.asked


def test_the_pinned_revision_is_asked_for_and_no_other(hub: "Hub", pin: WeightSet) -> None:
    online(hub, pin).find("model")
    assert {line.split("/resolve/")[1][:40] for line in hub.asked if "/resolve/" in line} == {
        hub.commit
    }


def test_what_was_downloaded_is_found_without_the_hub(hub: "Hub", pin: WeightSet) -> None:
    folder = online(hub, pin).find("model")
    hub.asked.clear()
    assert offline(hub, pin).find("model") == folder
    assert online(hub, pin).find("model") == folder
    assert hub.asked == []


def test_the_cache_comes_before_the_package(hub: "Hub", pin: WeightSet, carrier: Path) -> None:
    assert offline(hub, pin).find("model") == carrier
    # The client's own download, as any other program on this machine may have made it.
    for file in pin.files:
        huggingface_hub.hf_hub_download(hub.repo, file, revision=hub.commit, endpoint=hub.endpoint)
    folder = offline(hub, pin).find("model")
    assert folder.is_relative_to(huggingface_hub.constants.HF_HUB_CACHE)


def test_a_half_filled_cache_is_passed_by(hub: "Hub", pin: WeightSet) -> None:
    huggingface_hub.hf_hub_download(
        hub.repo, "config.json", revision=hub.commit, endpoint=hub.endpoint
    )
    with pytest.raises(WeightsNotFound):
        offline(hub, pin).find("model")
    assert online(hub, pin).find("model").joinpath("model.bin").is_file()


def test_no_request_unless_allowed(hub: "Hub", pin: WeightSet, own: Path, carrier: Path) -> None:
    offline(hub, pin).find("model")
    WeightStore({"model": own}, endpoint=hub.endpoint, pins={"model": pin}).find("model")
    for file in carrier.iterdir():
        file.unlink()
    with pytest.raises(WeightsNotFound):
        offline(hub, pin).find("model")
    assert hub.asked == []


def test_no_request_when_the_files_are_here(hub: "Hub", pin: WeightSet, carrier: Path) -> None:
    assert online(hub, pin).find("model") == carrier
    assert hub.asked == []


def test_another_content_under_the_same_name_is_refused(hub: "Hub", pin: WeightSet) -> None:
    hub.files["model.bin"] = bytes(len(hub.files["model.bin"]))
    with pytest.raises(WeightsMismatch, match=r"model\.bin"):
        online(hub, pin).find("model")
    # It is in the cache now, and is refused there as well.
    with pytest.raises(WeightsMismatch, match=r"model\.bin"):
        offline(hub, pin).find("model")


@pytest.mark.parametrize(
    "change",
    [{"repo": "someone/other"}, {"revision": "d" * 40}, {"files": {"absent.bin": "0" * 64}}],
    ids=["repository", "revision", "file"],
)
def test_what_the_hub_does_not_have(hub: "Hub", pin: WeightSet, change: dict[str, object]) -> None:
    with pytest.raises(WeightsError, match="'model' cannot be fetched from someone/"):
        online(hub, replace(pin, **change)).find("model")  # type: ignore[arg-type]


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits before it tries again; for 20 seconds in all."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("_impatient")
def test_a_hub_that_is_not_there(pin: WeightSet) -> None:
    store = WeightStore(allow_download=True, endpoint="http://127.0.0.1:9", pins={"model": pin})
    with pytest.raises(WeightsError, match="'model' cannot be fetched from someone/model"):
        store.find("model")


@pytest.mark.usefixtures("_impatient")
def test_a_download_that_breaks_off(hub: "Hub", pin: WeightSet) -> None:
    hub.breaks_off = True
    with pytest.raises(WeightsError, match="'model' cannot be fetched from someone/model"):
        online(hub, pin).find("model")


# -- a model that the user names ------------------------------------------------------------------


def test_a_named_model_is_fetched_by_its_patterns(hub: "Hub") -> None:
    hub.files["pytorch_model.pkl"] = b"code that would run"
    folder = WeightStore(allow_download=True, endpoint=hub.endpoint).repository(
        hub.repo, ["*.json", "model.bin"], hub.commit
    )
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.bin"]
    assert (folder / "model.bin").read_bytes() == hub.files["model.bin"]


def test_a_named_model_is_found_again_without_the_hub(hub: "Hub") -> None:
    folder = WeightStore(allow_download=True, endpoint=hub.endpoint).repository(hub.repo, ["*"])
    hub.asked.clear()
    assert WeightStore(endpoint=hub.endpoint).repository(hub.repo, ["*"]) == folder
    assert hub.asked == []


def test_a_named_model_is_not_asked_for_unless_allowed(hub: "Hub") -> None:
    with pytest.raises(WeightsNotFound, match="not asked: allow_download is off") as error:
        WeightStore(endpoint=hub.endpoint).repository(hub.repo, ["*"])
    assert "hf download someone/model" in str(error.value)
    assert hub.asked == []


@pytest.mark.parametrize("name", ["someone/other", "/no/such folder"])
def test_a_named_model_that_the_hub_does_not_have(hub: "Hub", name: str) -> None:
    store = WeightStore(allow_download=True, endpoint=hub.endpoint)
    with pytest.raises(WeightsError, match=f"{name}' cannot be fetched from the hub"):
        store.repository(name, ["*"])
