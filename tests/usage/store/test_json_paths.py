"""Many JSON keys in one parse, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from breakeven.usage.store.engine import Engine
from breakeven.usage.store.json_paths import JsonPaths, identifier, literal


def read(folder: Path, text: str, *spellings: tuple[str, ...]) -> list[str | None]:
    """The value of each spelling in `text`."""
    paths = JsonPaths((str(number), (keys,)) for number, keys in enumerate(spellings))
    values = [paths.values(str(number))[0] for number in range(len(spellings))]
    sql = f"SELECT {', '.join(values)} FROM (SELECT *, {paths.parse} AS j FROM chunk)"
    engine = Engine(folder / "spill")
    try:
        found = engine.run_over(pa.table({"text": [text]}), sql)
    finally:
        engine.close()
    return [column[0].as_py() for column in found.columns]


@pytest.mark.parametrize(
    ("text", "keys", "value"),
    [
        ('{"a": 1}', ("a",), "1"),
        ('{"a": "x"}', ("a",), "x"),
        ('{"a": null}', ("a",), None),
        ('{"b": 1}', ("a",), None),
        ('{"a": {"b": {"c": 2.50}}}', ("a", "b", "c"), "2.5"),
        ('{"a.b": 1, "a": {"b": 2}}', ("a.b",), "1"),
        ('{"a": [1, {"x": 2}]}', ("a",), '[1,{"x":2}]'),
        ('{"a": 123456789012345678901234567890}', ("a",), "123456789012345678901234567890"),
        ("not json", ("a",), None),
        ("[1]", ("a",), None),
    ],
)
def test_values(tmp_path: Path, text: str, keys: tuple[str, ...], value: str | None) -> None:
    assert read(tmp_path, text, keys) == [value]


def test_names_that_cannot_live_together_are_read_apart(tmp_path: Path) -> None:
    text = '{"user": {"id": 7}, "User": "upper", "a/b~c": "slash", "q\\"q": "quote"}'
    keys = [("user",), ("user", "id"), ("User",), ("USER",), ("a/b~c",), ('q"q',)]
    assert read(tmp_path, text, *keys) == ['{"id":7}', "7", "upper", None, "slash", "quote"]


def test_quoting() -> None:
    assert literal("it's") == "'it''s'"
    assert identifier('a"b') == '"a""b"'
