"""Scenario edit: a scenario file's text with one key given another value; comments, order and line ends stay.

The text is cut at the places that the YAML parser names, and what comes out is read again: where the file then says
anything but the one thing that was to change (an anchor, a merge key, several documents), nothing is given back and a
person has to write it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from breakeven.decision.scenario_yaml import parse_yaml
from breakeven.errors import ScenarioError

INDENT: Final = "  "
_ALIAS: Final = re.compile(r"\s*:\s*(\*[^\s,\]}]+)")
_PLAIN_NUMBER: Final = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")


def with_value(text: str, keys: Sequence[str], value: str | None, file: Path) -> str:
    """`text` with `value` (YAML on one line) under `keys`, e.g. ``("overrides", "pue_ratio")``; None: without the key.

    Raises ScenarioError where that cannot be done without touching anything else.

    >>> with_value("# ours\\ngpu: L4 # rented\\n", ("overrides", "pue_ratio"), "1.2", Path("scenario.yaml"))
    '# ours\\ngpu: L4 # rented\\noverrides:\\n  pue_ratio: 1.2\\n'
    """
    before, _ = parse_yaml(text, file)
    wanted = _changed(before, keys, None if value is None else yaml.safe_load(value), remove=value is None)
    try:
        found = _cut(text, list(keys), value)
        after, _ = parse_yaml(found, file)
    except (ScenarioError, yaml.YAMLError, LookupError):
        raise _by_hand(keys, file) from None
    if _without_empty(after) != _without_empty(wanted):
        raise _by_hand(keys, file)
    return found


def number_text(said: str) -> str:
    """What a person typed, as YAML: a number as it stands, anything else in quotes so that the loader refuses it.

    >>> number_text("1.65"), number_text("1e-5"), number_text("1,5")
    ('1.65', '1.0e-05', '"1,5"')
    """
    typed = said.strip()
    try:
        value = float(typed)
    except ValueError:
        return quoted(typed)
    if not math.isfinite(value):
        return quoted(typed)
    if _PLAIN_NUMBER.fullmatch(typed):
        read = yaml.safe_load(typed)
        if isinstance(read, int | float) and not isinstance(read, bool) and float(read) == value:
            return typed
    shown = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    mantissa, exponent, power = shown.partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{power}" if exponent else shown


def quoted(said: str) -> str:
    """Any text as a YAML text on one line.

    >>> quoted('a: b # "c"')
    '"a: b # \\\\"c\\\\""'
    """
    return str(yaml.safe_dump(said, default_style='"', allow_unicode=True, width=math.inf)).rstrip("\n")


def _by_hand(keys: Sequence[str], file: Path) -> ScenarioError:
    return ScenarioError(
        f"{file}: '{'.'.join(keys)}' is written in a way that cannot be changed without touching the rest of the file "
        "(an anchor, a merge, several documents); change it by hand"
    )


def _changed(content: dict[str, Any], keys: Sequence[str], value: Any, *, remove: bool) -> dict[str, Any]:
    found: dict[str, Any] = _apart(content)
    inner: Any = found
    for key in keys[:-1]:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    if remove:
        inner.pop(keys[-1], None)
    else:
        inner[keys[-1]] = value
    return found


def _apart(value: Any) -> Any:
    """A copy in which what an alias points at stands on its own at every place."""
    if isinstance(value, dict):
        return {key: _apart(each) for key, each in value.items()}
    return [_apart(each) for each in value] if isinstance(value, list) else value


def _without_empty(content: dict[str, Any]) -> dict[str, Any]:
    """A key that says nothing is no key."""
    return {key: value for key, value in content.items() if value is not None and value != {}}


def _cut(text: str, keys: list[str], value: str | None) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return text if value is None else _appended(text, keys, value)
    assert isinstance(root, yaml.MappingNode)
    node = root
    for depth, key in enumerate(keys):
        pair = _pair(node, key)
        if pair is None:
            if value is None:
                return text
            return _appended(text, keys, value) if depth == 0 else _inserted(text, node, keys[depth:], value)
        inside = pair[1]
        if depth == len(keys) - 1:
            return _removed(text, node, pair) if value is None else _replaced(text, pair, value)
        if not isinstance(inside, yaml.MappingNode) or not inside.value:
            return text if value is None else _begun(text, node, pair, keys[depth + 1 :], value)
        if _is_alias(pair):
            raise LookupError(key)
        node = inside
    raise LookupError(keys)


def _pair(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((each, value) for each, value in node.value if each.value == key), None)


def _is_alias(pair: tuple[yaml.Node, yaml.Node]) -> bool:
    """An alias is composed into the node that it points at, which stands earlier."""
    key, value = pair
    return bool(value.start_mark.index < key.end_mark.index)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _appended(text: str, keys: list[str], value: str) -> str:
    """A new key at the end of the file."""
    newline = _newline(text)
    gap = "" if not text or text.endswith(("\n", "\r")) else newline
    return text + gap + _block(keys, value, "", newline) + newline


def _block(keys: list[str], value: str, indent: str, newline: str) -> str:
    lines = [f"{indent}{INDENT * depth}{key}:" for depth, key in enumerate(keys)]
    return newline.join(lines) + f" {value}"


def _inserted(text: str, node: yaml.MappingNode, keys: list[str], value: str) -> str:
    """A new key behind the others of a mapping that has some."""
    if node.flow_style:
        at = _end(text, node.value[-1])
        nested = "".join(f"{key}: {{" for key in keys[:-1])
        return f"{text[:at]}, {nested}{keys[-1]}: {value}{'}' * (len(keys) - 1)}{text[at:]}"
    indent = " " * node.value[0][0].start_mark.column
    at = _line_end(text, _end(text, node.value[-1]))
    newline = _newline(text)
    return text[:at] + newline + _block(keys, value, indent, newline) + text[at:]


def _begun(text: str, node: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node], keys: list[str], value: str) -> str:
    """The first key of a mapping that is empty so far: ``overrides:``, ``overrides: {}``, ``overrides: null``."""
    key, empty = pair
    if _is_alias(pair):
        raise LookupError(key.value)
    start, end = empty.start_mark.index, empty.end_mark.index
    if node.flow_style:
        inner = "{" * (len(keys) - 1)
        told = f"{{{': '.join(keys[:-1])}{': ' if keys[:-1] else ''}{inner}{keys[-1]}: {value}{'}' * len(keys)}"
        return text[:start] + (" " if start == end else "") + told + text[end:]
    head = text[:start].rstrip(" ") if start != end else text[:start]
    rest = text[end:]
    stop = _line_end(rest, 0)
    newline = _newline(text)
    indent = " " * key.start_mark.column + INDENT
    return head + rest[:stop].rstrip(" ") + newline + _block(keys, value, indent, newline) + rest[stop:]


def _replaced(text: str, pair: tuple[yaml.Node, yaml.Node], value: str) -> str:
    key, old = pair
    end = _end(text, pair)
    if _is_alias(pair):
        found = _ALIAS.match(text, key.end_mark.index)
        if found is None:
            raise LookupError(key.value)
        return text[: found.start(1)] + value + text[found.end(1) :]
    if isinstance(old, yaml.CollectionNode) and not old.flow_style:
        start = text.index(":", key.end_mark.index) + 1
        return f"{text[:start]} {value}{text[end:]}"
    start = old.start_mark.index
    is_block_text = isinstance(old, yaml.ScalarNode) and old.style in ("|", ">")
    gap = " " if text[start - 1 : start] == ":" else ""
    return text[:start] + gap + value + (_newline(text) if is_block_text else "") + text[end:]


def _removed(text: str, node: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node]) -> str:
    start, end = pair[0].start_mark.index, _end(text, pair)
    if not node.flow_style:
        line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
        stop = _line_end(text, end)
        return text[:line] + text[_past_newline(text, stop) :]
    following = re.compile(r"\s*,\s*").match(text, end)
    if following:
        return text[:start] + text[following.end() :]
    leading = re.compile(r"\s*,\s*$").search(text[:start])
    return text[: leading.start() if leading else start] + text[end:]


def _end(text: str, pair: tuple[yaml.Node, yaml.Node]) -> int:
    """Where the value of a key ends; a block's own mark lies behind the comments that follow it."""
    key, value = pair
    if _is_alias(pair):
        found = _ALIAS.match(text, key.end_mark.index)
        if found is None:
            raise LookupError(key.value)
        return found.end(1)
    return _node_end(text, value)


def _node_end(text: str, node: yaml.Node) -> int:
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last) if isinstance(last, tuple) else _node_end(text, last)
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    """The end of the line of `at`, before its newline; `at` itself where a line has just ended."""
    if at and text[at - 1] in "\r\n":
        return at - (2 if text[at - 2 : at] == "\r\n" else 1)
    found = re.compile(r"\r\n|\n|\r|$").search(text, at)
    assert found is not None
    return found.start()


def _past_newline(text: str, at: int) -> int:
    found = re.compile(r"\r\n|\n|\r|").match(text, at)
    assert found is not None
    return found.end()
