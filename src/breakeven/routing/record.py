"""Record: a frozen dataclass as plain JSON values, and back; what does not fit is refused with its place.

Only what policy files need: texts, numbers, true and false, null, tuples, mappings by text, dataclasses, `Any`.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

from breakeven.errors import PolicyError, nearest


def to_plain(value: object) -> Any:
    """A value as JSON values; dataclasses become mappings by field, without fields that hold an empty default."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: to_plain(getattr(value, each.name)) for each in fields(value) if not _is_left_out(each, value)
        }
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    raise PolicyError(f"a policy cannot hold a {type(value).__name__}; wanted texts, numbers, lists or mappings.")


def _is_left_out(each: Field[Any], value: object) -> bool:
    """Whether a field holds its default, and that says nothing."""
    default = each.default_factory() if each.default_factory is not MISSING else each.default
    return (default is False or default in (None, (), {}, "")) and getattr(value, each.name) == default


def from_plain(kind: Any, value: object, where: str) -> Any:
    """JSON values as a value of a type; PolicyError names the place, what was seen and what was wanted."""
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(kind, value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise _refusal(where, value, "one of " + ", ".join(map(repr, get_args(kind))))
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise _refusal(where, value, "a list")
        item = get_args(kind)[0]
        return tuple(from_plain(item, each, f"{where}[{at}]") for at, each in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _refusal(where, value, "a mapping")
        item = get_args(kind)[1]
        return {key: from_plain(item, each, f"{where}.{key}") for key, each in value.items()}
    if is_dataclass(kind):
        return _record(kind, value, where)
    return _scalar(kind, value, where)


def _union(kind: Any, value: object, where: str) -> Any:
    if value is None and types.NoneType in get_args(kind):
        return None
    (other,) = [each for each in get_args(kind) if each is not types.NoneType]
    return from_plain(other, value, where)


def _record(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise _refusal(where, value, "a mapping")
    types_by_name, known = _types(kind), _fields(kind)
    for key in value:
        if key not in known:
            raise PolicyError(f"{where}: unknown key {key!r}; {nearest(key, list(known))}.")
    for name, each in known.items():
        if name not in value and each.default is MISSING and each.default_factory is MISSING:
            raise PolicyError(f"{where}: the key {name!r} is missing; learn again.")
    return kind(**{key: from_plain(types_by_name[key], each, f"{where}.{key}") for key, each in value.items()})


@lru_cache(maxsize=64)
def _types(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@lru_cache(maxsize=64)
def _fields(kind: Any) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(kind)}


def _scalar(kind: Any, value: object, where: str) -> Any:
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.inf
        if not math.isfinite(number):
            raise _refusal(where, value, "a finite number")
        return number
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind in (str, bool) and isinstance(value, kind):
        return value
    wanted = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}
    raise _refusal(where, value, wanted.get(kind, str(kind)))


def _refusal(where: str, value: object, wanted: str) -> PolicyError:
    shown = repr(value)
    return PolicyError(f"{where}: saw {shown[:60]}{'...' if len(shown) > 60 else ''}, wanted {wanted}.")
