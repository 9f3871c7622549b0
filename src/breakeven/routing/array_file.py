"""Array file: named numpy arrays in one uncompressed zip (`.npz`), read without ever running code.

The bytes are the same for the same arrays. Sizes and types are read from the headers and checked before memory is
taken; object arrays, compressed members and anything else that numpy could be talked into is refused.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import PolicyError

Array = npt.NDArray[Any]

ARRAYS_MAX_COUNT: Final = 64
FILE_MAX_GIB: Final = 1
_MAX_BYTES: Final = FILE_MAX_GIB * 2**30
_KINDS: Final = {"uint32", "int32", "int64", "float32", "float64"}
_DAY: Final = (1980, 1, 1, 0, 0, 0)
_HEADER_MAX_BYTES: Final = 4096


def array_bytes(arrays: Mapping[str, Array]) -> bytes:
    """The file's content."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _DAY), member.getvalue())
    return whole.getvalue()


def arrays_of(content: bytes, where: str) -> dict[str, Array]:
    """The arrays in a file's content; PolicyError where it is damaged, too large or not of plain numbers."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = file.infolist()
            _check_members(members, where)
            return {each.filename.removesuffix(".npy"): _array(file, each, where) for each in members}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, SyntaxError) as error:
        raise PolicyError(f"{where} is damaged ({error}); copy the policy folder again, or learn again.") from error


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    if len(members) > ARRAYS_MAX_COUNT:
        raise PolicyError(f"{where} holds {len(members)} arrays; a policy has at most {ARRAYS_MAX_COUNT}.")
    if len({each.filename for each in members}) < len(members):
        raise PolicyError(f"{where} holds two arrays of one name; learn again.")
    for each in members:
        if each.compress_type != zipfile.ZIP_STORED or each.file_size != each.compress_size:
            raise PolicyError(f"{where}: {each.filename} is compressed; a policy's arrays never are. Learn again.")
    if sum(each.file_size for each in members) > _MAX_BYTES:
        raise PolicyError(f"{where} says it holds more than {FILE_MAX_GIB} GiB; no policy does.")


def _array(file: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Array:
    """One array, after its header was compared with the size of its member."""
    with file.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise PolicyError(f"{where}: {member.filename} is in another format of numpy; learn again.")
        shape, by_column, kind = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER_MAX_BYTES)
        if kind.name not in _KINDS or not kind.isnative or (by_column and len(shape) > 1):
            raise PolicyError(
                f"{where}: {member.filename} is of type {kind}; wanted one of {', '.join(sorted(_KINDS))}."
            )
        wanted = kind.itemsize
        for size in shape:
            wanted *= size
        if not all(size >= 0 for size in shape) or wanted != member.file_size - stream.tell():
            raise PolicyError(f"{where}: {member.filename} says it has shape {shape}, and its size is another.")
        array = np.frombuffer(stream.read(), dtype=kind).reshape(shape)
    array.flags.writeable = False
    return array
