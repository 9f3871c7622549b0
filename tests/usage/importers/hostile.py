"""Hostile files: what a fuzz test does to a good log: bytes, lines, fields and cells, one at a time or together."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

NESTED: Any = 7
for _ in range(100):
    NESTED = {"a": [NESTED]}
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**63,
        10**30,
        1e300,
        float("nan"),
        float("inf"),
        -0.0,
        0.5,
        [],
        {},
        [1, "x"],
        NESTED,
    ),
    *(
        "",
        " ",
        "x",
        "7",
        " 7 ",
        "3.0",
        "1,234",
        "$1,234.50",
        "1.234,5",
        "-5",
        "1e999",
        "NaN",
        "null",
        "true",
        "[1]",
        "{}",
    ),
    *(
        "2026-11-02",
        "2026-13-45T99:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1793613600",
        "-1793613600",
    ),
    *(
        "\u202e\U0001f388\x00",
        "\x1b[31mred\x1b[0m\x07",
        "=cmd|'/C calc'!A0",
        "'; DROP TABLE calls; --",
        "\ud800",
        "a" * 9_000,
    ),
    *(
        '{"a": 1',
        "ann@example.com",
        "10.0.0.1",
        "sk-ABCDEFGHIJKLMNOPQRSTUVWX",
        "\n",
        '"',
        "a,b;c\td|e",
        "\r",
        "error",
        "bucket",
    ),
)
BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b'"',
    b"{",
    b"}",
    b"[",
    b",",
    b";",
    b"\x1b[2J",
    b"\xc3",
    b"-",
    b"9" * 400,
)
Change = Callable[[bytes, Random], bytes]


def cut(data: bytes, dice: Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def without_a_piece(data: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(data) + 1)
    return data[:start] + data[start + dice.randrange(40) :]


def other_bytes(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(changed) + 1)
        changed[place : place + dice.randrange(3)] = dice.choice(BYTES)
    return bytes(changed)


def twice(data: bytes, dice: Random) -> bytes:
    return data + dice.choice((b"", b"\n", b"\n\n")) + data


def lines_again(data: bytes, dice: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join([*lines, *dice.choices(lines, k=2)]) if lines else data


def lines_shuffled(data: bytes, dice: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    dice.shuffle(lines)
    return b"".join(lines)


def other_line_ends(data: bytes, dice: Random) -> bytes:
    return data.replace(b"\n", dice.choice((b"\r\n", b"\r", b"\n\n")))


def other_encoding(data: bytes, dice: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(dice.choice(("utf-16", "utf-8-sig", "utf-16-be", "latin-1")), "replace")


def a_key_twice(data: bytes, dice: Random) -> bytes:
    """The first key of some object stands in it once more, with another value."""
    places = [i for i in range(len(data) - 1) if data[i : i + 2] == b'{"']
    if not places:
        return data
    place = dice.choice(places)
    key = data[place + 1 : data.find(b'"', place + 2) + 1]
    return (
        data[: place + 1]
        + key
        + b": "
        + json.dumps(dice.choice(VALUES)).encode("utf-8", "replace")
        + b","
        + data[place + 1 :]
    )


def a_key_renamed(data: bytes, dice: Random) -> bytes:
    """An older or newer version calls a field something else, everywhere."""
    keys = sorted(
        {part for part in data.replace(b",", b'"').split(b'"') if part.isascii() and part.replace(b"_", b"").isalnum()}
    )
    return data.replace(dice.choice(keys), b"renamed_field") if keys else data


def other_fields(data: bytes, dice: Random) -> bytes:
    """Values anywhere in JSON, or cells of a table, become what nobody expects there."""
    text = data.decode("utf-8", "replace")
    try:
        return _dumped(_with_hostile(json.loads(text), dice))
    except ValueError:
        pass
    lines = text.splitlines()
    objects = [line.lstrip().startswith("{") for line in lines]
    if objects and all(objects):
        place = dice.randrange(len(lines))
        try:
            lines[place] = _dumped(_with_hostile(json.loads(lines[place]), dice)).decode()
        except ValueError:
            return data
        return "\n".join(lines).encode("utf-8", "replace")
    return _other_cell(text, dice)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _with_hostile(value: Any, dice: Random) -> Any:
    """`value` with one inner value, at any depth, replaced."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(sorted(value))
        return {**value, key: _with_hostile(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.85:
        place = dice.randrange(len(value))
        return [*value[:place], _with_hostile(value[place], dice), *value[place + 1 :]]
    return dice.choice(VALUES)


def _other_cell(text: str, dice: Random) -> bytes:
    try:
        records = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return text.encode("utf-8", "replace")
    filled = [record for record in records[1:] if record]
    if not filled:
        return text.encode("utf-8", "replace")
    record = dice.choice(filled)
    value = dice.choice(VALUES)
    record[dice.randrange(len(record))] = value if isinstance(value, str) else json.dumps(value)
    out = io.StringIO()
    try:
        csv.writer(out).writerows(records)
    except csv.Error:
        return text.encode("utf-8", "replace")
    return out.getvalue().encode("utf-8", "replace")


CHANGES: tuple[Change, ...] = (
    *(other_fields, other_fields, other_fields, other_fields, a_key_twice, a_key_renamed, cut, without_a_piece),
    *(other_bytes, other_bytes, twice, lines_again, lines_shuffled, other_line_ends, other_encoding),
)
"""Fields most often: they reach furthest."""


def changed(data: bytes, dice: Random, changes: list[Change]) -> bytes:
    """`data` after all `changes`; what was compressed is, one time in two, compressed again."""
    is_packed = data.startswith(b"\x1f\x8b")
    plain = gzip.decompress(data) if is_packed else data
    for change in changes:
        plain = change(plain, dice)
    if not is_packed or dice.random() < 0.5:
        return plain
    packed = gzip.compress(plain, mtime=0)
    return packed if dice.random() < 0.7 else other_bytes(packed, dice)
