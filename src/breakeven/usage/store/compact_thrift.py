"""Compact Thrift: how Parquet writes its footer and the headers of its pages, read and written without a schema.

A struct is a dictionary from a field's number to its type and value, a list its elements' type and they. That is all
that Parquet's own structs need; maps and sets are in none of them.
"""

from __future__ import annotations

from typing import Any, Final

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY = 1, 2, 3, 7, 8
I32, I64, LIST, STRUCT = 5, 6, 9, 12
"""Types of fields that are written here anew."""
END: Final = b"\0"
"""Comes after the last field of a struct."""
_INTEGERS: Final = (4, I32, I64)
_LONG_LIST: Final = 15

Struct = dict[int, tuple[int, Any]]


def read_struct(data: bytes, at: int) -> tuple[Struct, int]:
    """The struct that begins `at`, and where it ends."""
    struct: Struct = {}
    number = 0
    while byte := data[at]:
        step, kind = byte >> 4, byte & 15
        at += 1
        if step:
            number += step
        else:
            folded, at = _read_varint(data, at)
            number = _unfolded(folded)
        if kind in (_TRUE, _FALSE):
            struct[number] = (kind, None)
        else:
            value, at = _read_value(data, at, kind)
            struct[number] = (kind, value)
    return struct, at + 1


def written_struct(struct: Struct) -> bytes:
    """The bytes of `struct`. Structs in it may be given as their bytes."""
    return written_fields(struct) + END


def written_fields(struct: Struct, before: int = 0) -> bytes:
    """The bytes of some fields, which come after the field `before` of the same struct."""
    parts = bytearray()
    for number, (kind, value) in sorted(struct.items()):
        step = number - before
        parts += bytes([step << 4 | kind]) if 0 < step <= 15 else bytes([kind]) + varint(_folded(number))
        if kind not in (_TRUE, _FALSE):
            _write_value(parts, kind, value)
        before = number
    return bytes(parts)


def varint(number: int) -> bytes:
    """A number that is not negative, seven bits to a byte.

    >>> varint(300).hex()
    'ac02'
    """
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _read_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in _INTEGERS:
        folded, at = _read_varint(data, at)
        return _unfolded(folded), at
    if kind == _BINARY:
        size, at = _read_varint(data, at)
        return data[at : at + size], at + size
    if kind == STRUCT:
        return read_struct(data, at)
    if kind == LIST:
        return _read_list(data, at)
    if kind in (_TRUE, _FALSE, _BYTE):
        return data[at], at + 1
    if kind == _DOUBLE:
        return data[at : at + 8], at + 8
    raise ValueError(f"type {kind} is in no struct of Parquet")


def _read_list(data: bytes, at: int) -> tuple[tuple[int, list[Any]], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == _LONG_LIST:
        size, at = _read_varint(data, at)
    values = []
    for _ in range(size):
        value, at = _read_value(data, at, kind)
        values.append(value)
    return (kind, values), at


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while (byte := data[at]) > 127:
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
    return number | byte << shift, at + 1


def _write_value(parts: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        parts += varint(_folded(value))
    elif kind == _BINARY:
        parts += varint(len(value)) + value
    elif kind == STRUCT:
        parts += value if isinstance(value, bytes) else written_struct(value)
    elif kind == LIST:
        inner, values = value
        size = len(values)
        parts += bytes([size << 4 | inner]) if size < _LONG_LIST else bytes([0xF0 | inner]) + varint(size)
        for each in values:
            _write_value(parts, inner, each)
    elif kind == _DOUBLE:
        parts += value
    else:
        parts.append(value)


def _folded(number: int) -> int:
    """Numbers near zero become small ones: 0, -1, 1, -2 are 0, 1, 2, 3."""
    return number << 1 if number >= 0 else ~number << 1 | 1


def _unfolded(number: int) -> int:
    return number >> 1 if not number & 1 else ~(number >> 1)
