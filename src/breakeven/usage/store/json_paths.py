"""JSON paths in DuckDB: many keys of a row in one parse, by `json_transform`, everything as text.

DuckDB facts this leans on: `TRY(json_transform(...))` gives NULL for text that is not JSON; a field of another type
comes as its JSON text; struct fields are case-insensitive, so two keys that differ in case only cannot share one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

SOUND_TEXT = r"""CASE WHEN (contains(text, '\ud') OR contains(text, '\uD')) AND NOT json_valid(text)
    THEN regexp_replace(text,
    '(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\1', 'g')
    ELSE text END"""
"""`text` without halves of characters: a program that cuts a text in the middle of an emoji writes one, which is no
JSON to a strict parser. Whole ones (the group) stay."""

Spellings = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]


@lru_cache(maxsize=64)
def json_paths(spellings: Spellings) -> JsonPaths:
    """The paths of a plan, worked out once: chunk after chunk, and file after file, asks for the same."""
    return JsonPaths(spellings)


class JsonPaths:
    """Collects paths, then gives one parsing expression and an expression per path."""

    def __init__(self, spellings: Iterable[tuple[str, tuple[tuple[str, ...], ...]]]) -> None:
        self._tree: dict[str, Any] = {}
        self._expressions = {name: [self._add(keys) for keys in ways] for name, ways in spellings}

    @property
    def parse(self) -> str:
        """Expression over `text` that parses a row once."""
        return f"TRY(json_transform(text, {literal(json.dumps(self._tree))}))"

    def values(self, name: str) -> list[str]:
        """Expressions over `j`, the parsed row, that may hold the value of `name`, one per spelling."""
        return self._expressions[name]

    def _add(self, keys: tuple[str, ...]) -> str:
        node = self._tree
        for key in keys[:-1]:
            inner = node.get(key) if _free(node, key) else "taken"
            if inner is None:
                inner = node[key] = {}
            if not isinstance(inner, dict):
                return _apart(keys)
            node = inner
        leaf = keys[-1]
        if not _free(node, leaf) or isinstance(node.get(leaf), dict) or not leaf:
            return _apart(keys)
        node[leaf] = "VARCHAR"
        return "j" + "".join("." + identifier(key) for key in keys)


def _free(node: dict[str, Any], key: str) -> bool:
    """True when `key` is in `node` or no key that differs only in letter case is."""
    return key in node or key.casefold() not in {each.casefold() for each in node}


def _apart(keys: tuple[str, ...]) -> str:
    """The value by a parse of its own, for names that cannot live in the common struct."""
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
    return f"TRY(json_extract_string(text, {literal(pointer)}))"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
