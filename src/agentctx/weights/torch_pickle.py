"""State dicts that torch saved before its ZIP format (until 1.5), read without torch.

Such a file is five pickles (a magic number, a protocol version, facts of the system, the state
dict with its storages by name, and the names in order), then the storages: a count of eight bytes
each, and raw numbers. A pickle may call anything, so this one may call only what a state dict is
made of, and what that makes are plain numpy arrays.
"""

import pickle
import pickletools
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from agentctx.errors import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES: Mapping[str, str] = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
}  # fmt: skip
# What damaged or hostile bytes make of an unpickler, and of arrays cut out of others.
_DAMAGE = (pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError,
           OverflowError, struct.error, RecursionError, MemoryError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of numbers in the file: its name there, the type of one number, and how many."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage: where it begins, its shape and its strides, all in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict by their names, in the order of the file.

    Raises WeightsError for a file that is damaged, is none of this format, or holds anything but
    tensors.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            tensors = _tensors(file)
            return _filled(tensors, _numbers(file, tensors, size))
        except _DAMAGE as error:
            raise WeightsError(
                f"{path} cannot be read as a state dict that torch saved before 1.6: {error}; get "
                "the file again, or save it anew"
            ) from error


def _tensors(file: BinaryIO) -> dict[str, _Tensor]:
    """The tensors that the fourth pickle names; the three before say what format this is."""
    for name, wanted in (("magic number", _MAGIC), ("protocol version", _PROTOCOL)):
        if _loaded(file) != wanted:
            raise ValueError(f"its {name} is not {wanted}")
    system = _loaded(file)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("it was not written by a little-endian machine")
    state = _loaded(file)
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in state.items()
    ):
        raise ValueError("it holds something else than tensors by their names")
    return dict(state)


def _numbers(
    file: BinaryIO, tensors: Mapping[str, _Tensor], size: int
) -> dict[str, NDArray[np.generic]]:
    """The storages, by their names, in the order that the last pickle tells."""
    known = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    keys = _loaded(file)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(known):
        raise ValueError("its storages are not those of its tensors")
    found: dict[str, NDArray[np.generic]] = {}
    for storage in (known[str(key)] for key in keys):
        (count,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(storage.dtype)
        # Before anything is read: a wrong count must not ask for all memory there is.
        if count != storage.count or count * dtype.itemsize > size - file.tell():
            raise ValueError(f"a storage of {storage.count} numbers has {count}, or is cut short")
        found[storage.key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return found


def _filled(
    tensors: Mapping[str, _Tensor], storages: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        numbers = storages[tensor.storage.key][tensor.offset :]
        steps = zip(tensor.shape, tensor.strides, strict=True)
        reach = sum((length - 1) * stride for length, stride in steps)
        # What is read has to be there, and no tensor may be larger than what it is read from.
        if not prod(tensor.shape) <= len(numbers) > reach:
            raise ValueError(f"the tensor {name!r:.60} is not inside of its storage")
        strides = [stride * numbers.itemsize for stride in tensor.strides]
        view = np.lib.stride_tricks.as_strided(numbers, tensor.shape, strides, writeable=False)
        found[name] = view.copy()
    return found


def _loaded(file: BinaryIO) -> object:
    """The next pickle in a file."""
    start = file.tell()
    for code, argument, place in pickletools.genops(file):
        # They are counted from 0; for a number of four bytes an unpickler would make room for all
        # that come before it, tens of gigabytes.
        if "PUT" in code.name and isinstance(argument, int) and argument > (place or 0):
            raise pickle.UnpicklingError("it remembers more than there is in it")
    file.seek(start)
    return _Unpickler(file).load()


def _rebuilt(*arguments: object) -> _Tensor:
    """What torch's pickles call for each tensor: storage, offset, shape, strides, and two more."""
    match arguments:
        case (_Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
            if min(offset, 0, *shape, *strides) == 0 and 0 not in shape:
                return _Tensor(storage, offset, shape, strides)
    raise ValueError("a tensor in it is described in another way")


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows what a state dict is made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Callable[..., object] | str:
        """The stand-in for a global that the pickle names."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}"[:120])

    def persistent_load(self, pid: object) -> _Storage:
        """A storage, by what the pickle says of it."""
        match pid:
            case ("storage", str(dtype), str(key), str(), int(count), None) if count >= 0:
                if dtype in _STORAGES.values():
                    return _Storage(sys.intern(key), dtype, count)
        raise pickle.UnpicklingError("a storage in it is described in another way")
