"""Strict YAML: duplicate keys are refused, and every place in a file can be turned back into its line."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import yaml

from breakeven.errors import BreakevenError, CatalogError

if TYPE_CHECKING:
    _BaseLoader = yaml.SafeLoader
else:
    _BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_STR: Final = "tag:yaml.org,2002:str"


class _Content:
    """Turns nodes into plain data, about three times as quickly as the loader's own constructor would.

    Like the safe loader it makes nothing but data; unlike it, the second of two equal keys is an error instead of the
    winner, and merge keys (``<<``) are refused, because they would hide one.
    """

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._scalars = {tag: make for tag, make in loader.yaml_constructors.items() if tag in _SCALAR_TAGS}
        self._loader = loader
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()

    def of(self, node: yaml.Node) -> Any:
        """The data of a node; one that is referred to twice (an anchor) is made once."""
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == _STR else self._scalar(node)
        if id(node) not in self._made:
            if id(node) in self._open:
                raise _problem(node, "an anchor contains itself")
            self._open.add(id(node))
            self._made[id(node)] = self._collection(node)
        return self._made[id(node)]

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag not in self._scalars:
            raise _problem(node, f"'{node.tag}' is not data; write a number, text, a date, true, false or null")
        try:
            return self._scalars[node.tag](self._loader, node)
        except ValueError as error:
            raise _problem(node, f"'{node.value}' is not possible: {error}") from error

    def _collection(self, node: yaml.Node) -> Any:
        if node.tag == "tag:yaml.org,2002:seq" and isinstance(node, yaml.SequenceNode):
            return [self.of(each) for each in node.value]
        if node.tag != "tag:yaml.org,2002:map" or not isinstance(node, yaml.MappingNode):
            raise _problem(node, f"'{node.tag}' is not data; write a list or a mapping")
        content: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = self.of(key_node) if key_node.tag == _STR else self._scalar(key_node)
            if key in content:
                raise _problem(key_node, f"the key '{key}' is there twice; keep one")
            content[key] = self.of(value_node)
        return content


_SCALAR_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "timestamp"))


def _problem(node: yaml.Node, text: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)


def read(text: str, file: str, error_type: type[BreakevenError] = CatalogError) -> Any:
    """The content of a YAML `text`; `file` is its name in error messages, `error_type` what is raised of bad text.

    >>> read("a: 1", "x.yaml")
    {'a': 1}
    """
    loader = _BaseLoader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Content(loader).of(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise error_type(f"{file}{line}: not readable as YAML: {problem}.") from error
    finally:
        loader.dispose()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of `path` that exists in `text`.

    >>> line_of("a:\\n  b: 1\\n  c: 2\\n", ["a", "c"])
    3
    """
    node, line = _composed(text), 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        node, line = found
    return line


@lru_cache(maxsize=16)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of `text`; a page asks for many lines of few files."""
    return yaml.compose(text, Loader=_BaseLoader)


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if str(key_node.value) == str(step):
                return value_node, key_node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child, child.start_mark.line + 1
    return None
