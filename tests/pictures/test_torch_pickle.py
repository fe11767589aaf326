"""State dicts as torch saved them before 1.6: read without torch, and nothing else run."""

import pickle
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentctx.errors import WeightsError
from agentctx.weights.store import WeightStore
from agentctx.weights.torch_pickle import read_state_dict

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}


# Name, shape, sum, sum of absolute values: by torch.load and numpy, in 64 bits.
GOLDEN = (
    ("_conv_stem.weight", (32, 3, 3, 3), -26.811376610887237, 387.1200224778149),
    ("_blocks.4._depthwise_conv.weight", (240, 1, 5, 5), 8.738725161645561, 552.1659479336813),
    ("_blocks.15._project_conv.weight", (320, 1152, 1, 1), 39.96609939538757, 19663.280239632324),
    ("_bn1.running_var", (1280,), 13721.746045589447, 13721.746045589447),
    ("_fc.weight", (1000, 1280), -470.63256730128705, 65336.672894976124),
    ("_fc.bias", (1000,), -0.04981697298353538, 32.85884447465651),
)
STEM = (
    -0.06235400587320328, -0.10496000945568085, -0.24834227561950684,
    -0.07205912470817566, -0.1384616643190384, -0.1384616643190384,
    0.16054807603359222, -0.030670883134007454, -0.35272201895713806,
)  # fmt: skip


def bare(value: object) -> bytes:
    """The opcodes that put a plain value on an unpickler's stack."""
    return pickle.dumps(value, 2)[2:-1]


def tensor(
    key: str,
    count: int,
    shape: Sequence[int],
    strides: Sequence[int],
    offset: int = 0,
    kind: str = "torch\nFloatStorage",
) -> bytes:
    """The opcodes of one tensor, as torch wrote them."""
    storage = (b"(" + bare("storage") + b"c" + kind.encode() + b"\n" + bare(key) + bare("cpu")
               + bare(count) + b"NtQ")  # fmt: skip
    hooks = b"ccollections\nOrderedDict\n)R"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + bare(offset) + bare(tuple(shape))
            + bare(tuple(strides)) + b"\x89" + hooks + b"tR")  # fmt: skip


def state(**tensors: bytes) -> bytes:
    """The fourth pickle: an ordered dict of tensors."""
    items = b"".join(bare(name.replace("__", ".")) + one for name, one in tensors.items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."


def written(path: Path, fourth: bytes, **storages: Sequence[float]) -> Path:
    """A whole file, with storages of 32-bit floats."""
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, SYSTEM))
    tail = pickle.dumps(list(storages), 2)
    for numbers in storages.values():
        tail += struct.pack("<q", len(numbers)) + np.array(numbers, "<f4").tobytes()
    path.write_bytes(head + fourth + tail)
    return path


def test_the_default_weights_are_what_torch_reads() -> None:
    """Sums that torch.load gave of the same file, once."""
    path = WeightStore().find("efficientnet-lite0") / "efficientnet-lite0-57934424.pth"
    found = read_state_dict(path)
    assert len(found) == 296
    assert list(found)[:3] == ["_conv_stem.weight", "_bn0.weight", "_bn0.bias"]
    assert found["_bn0.num_batches_tracked"].dtype == np.int64
    for name, shape, total, size in GOLDEN:
        values = found[name]
        assert values.shape == shape
        assert values.dtype == np.float32
        assert float(values.sum(dtype=np.float64)) == pytest.approx(total, rel=1e-9)
        assert float(np.abs(values).sum(dtype=np.float64)) == pytest.approx(size, rel=1e-9)
    assert found["_conv_stem.weight"][3, 1].ravel().tolist() == pytest.approx(STEM, rel=1e-6)


def test_tensors_share_a_storage_and_may_be_transposed(tmp_path: Path) -> None:
    fourth = state(
        whole=tensor("7", 6, (2, 3), (3, 1)),
        turned__weight=tensor("7", 6, (3, 2), (1, 3)),
        part=tensor("7", 6, (2,), (1,), offset=4),
        one=tensor("8", 1, (), ()),
    )
    found = read_state_dict(written(tmp_path / "a.pth", fourth, **{"7": range(6), "8": [5.0]}))
    assert found["whole"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["turned.weight"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["part"].tolist() == [4, 5]
    assert found["one"].shape == ()
    assert float(found["one"]) == 5.0


@pytest.mark.parametrize(
    ("named", "call"),
    [
        ("os system", b"cos\nsystem\n"),
        ("builtins eval", b"cbuiltins\neval\n"),
        ("builtins getattr", b"cbuiltins\ngetattr\n"),
        ("torch load", b"ctorch\nload\n"),
        ("torch._utils _rebuild_parameter", b"ctorch._utils\n_rebuild_parameter\n"),
        ("collections.OrderedDict.update", b"ccollections\nOrderedDict.update\n"),
    ],
)
def test_a_pickle_may_call_nothing_else(tmp_path: Path, named: str, call: bytes) -> None:
    del named
    told = tmp_path / "was-here"
    attack = b"\x80\x02" + call + bare(f"touch {told}") + b"\x85R."
    path = written(tmp_path / "bad.pth", attack)
    with pytest.raises(WeightsError, match="it asks for"):
        read_state_dict(path)
    assert not told.exists()


BAD = {
    "another magic number": lambda: pickle.dumps(1, 2) + b"rest",
    "a zip archive": lambda: b"PK\x03\x04" + bytes(60),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("kind", BAD)
def test_another_format_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(BAD[kind]())
    with pytest.raises(WeightsError, match="cannot be read as a state dict"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("fourth", "says"),
    [
        (state(a=tensor("7", 6, (2, 4), (4, 1))), "not inside of its storage"),
        (state(a=tensor("7", 6, (2, 3), (3, 1), offset=1)), "not inside of its storage"),
        (state(a=tensor("7", 6, (2**20, 2**20), (0, 0))), "not inside of its storage"),
        (state(a=tensor("7", 6, (2,), (-1,))), "described in another way"),
        (state(a=tensor("7", 6, (0,), (1,))), "described in another way"),
        (state(a=tensor("7", 6, (2, 3), (3,))), "argument 2 is shorter"),
        (state(a=tensor("7", 6, (6,), (1,), kind="torch\nQInt8Storage")), "it asks for"),
        (state(a=tensor("7", 6, (6,), (1,), kind="collections\nOrderedDict")), "another way"),
        (state(a=bare("no tensor")), "something else than tensors"),
        (state(a=tensor("9", 6, (6,), (1,))), "not those of its tensors"),
        (state(a=tensor("7", 5, (5,), (1,))), "a storage of 5 numbers has 6"),
        (state(a=tensor("7", 2**40, (6,), (1,))), "has 6"),
        (b"\x80\x02" + bare([1, 2]) + b".", "something else than tensors"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "remembers more than there is"),
    ],
)
def test_what_lies_about_itself_is_refused(tmp_path: Path, fourth: bytes, says: str) -> None:
    path = written(tmp_path / "bad.pth", fourth, **{"7": range(6)})
    with pytest.raises(WeightsError, match=says):
        read_state_dict(path)


def test_a_file_of_a_big_endian_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.pth"
    parts = (MAGIC, 1001, {**SYSTEM, "little_endian": False}, {}, [])
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(WeightsError, match="little-endian"):
        read_state_dict(path)


def test_a_count_that_is_not_there_asks_for_no_memory(tmp_path: Path) -> None:
    huge = 2**50
    fourth = state(a=tensor("7", huge, (huge,), (1,)))
    path = written(tmp_path / "huge.pth", fourth, **{"7": []})
    data = path.read_bytes()
    path.write_bytes(data[:-8] + struct.pack("<q", huge))
    before = time.monotonic()
    with pytest.raises(WeightsError, match="cut short"):
        read_state_dict(path)
    assert time.monotonic() - before < 1.0


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_always_our_error_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes that are changed, cut off or put in: a WeightsError, or arrays of some kind."""
    whole = written(
        tmp_path / "whole.pth",
        state(a=tensor("7", 6, (2, 3), (3, 1)), b=tensor("8", 2, (2,), (1,))),
        **{"7": range(6), "8": [1.5, 2.5]},
    ).read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(damaged)))
    stop = data.draw(st.one_of(st.just(start), st.integers(start, len(damaged))))
    del damaged[start:stop]
    path = tmp_path / "damaged.pth"
    path.write_bytes(bytes(damaged))
    found: dict[str, Any] = {}
    try:
        found = read_state_dict(path)
    except WeightsError as error:
        assert str(path) in str(error)  # noqa: PT017 - an outcome among two
    assert all(isinstance(values, np.ndarray) for values in found.values())
