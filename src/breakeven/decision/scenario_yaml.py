"""Scenario YAML: the text of a scenario file as keys and values, and the line on which each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from breakeven.errors import ScenarioError

_NO_NAME: Final = 'in "<unicode string>", '
"""What the parser calls a text that has no name of its own."""


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Content of the file and the line of each key, by dotted path; raises ScenarioError naming file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror}; `breakeven init` writes a scenario file") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is not UTF-8 text; `breakeven init` writes a scenario file") from None
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The same of a `text` as if it stood in the file `path`."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        told = str(error).replace(_NO_NAME, "")  # the file is named already
        raise ScenarioError(f"{path} is not valid YAML: {told}") from None
    except ValueError as error:  # a day that no month has
        raise ScenarioError(f"{path}: {error}") from None
    _refuse_twice(tree, path)
    if content is None:
        return {}, {}
    if not isinstance(content, dict):
        raise ScenarioError(
            f"{path}: saw a {type(content).__name__}; wanted keys and values as `breakeven init` writes"
        )
    return content, _lines(tree, "")


def place_of(where: str, lines: Mapping[str, int], dotted: str) -> str:
    """The file `where`, with the line of the key `dotted` where it is known."""
    return f"{where}, line {lines[dotted]}" if dotted in lines else where


def _refuse_twice(node: yaml.Node | None, path: Path) -> None:
    """A key that stands twice says two things; YAML would silently take the last."""
    first: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode) and key.value in first:
            earlier = first[key.value]
            raise ScenarioError(f"{path}, line {line}: '{key.value}' stands in line {earlier} already; delete one")
        first[str(key.value)] = line
        _refuse_twice(value, path)
    for each in node.value if isinstance(node, yaml.SequenceNode) else ():
        _refuse_twice(each, path)


def _lines(node: yaml.Node | None, prefix: str) -> dict[str, int]:
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}{key.value}"
            found[path] = key.start_mark.line + 1
            found.update(_lines(value, path + "."))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            path = f"{prefix}{index}"
            found[path] = value.start_mark.line + 1
            found.update(_lines(value, path + "."))
    return found
