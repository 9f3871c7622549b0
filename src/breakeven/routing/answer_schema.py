"""Answer schema: whether a value fits a JSON Schema, in bounded time, without a network and without raising."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from breakeven.errors import PolicyError
from breakeven.routing.linear_regex import LinearRegex, linear_regex

NESTING_MAX_COUNT: Final = 64
_SAMPLES: Final[tuple[Any, ...]] = (None, {}, [], "", 0)
"""Values that a schema is tried on."""
_KEYS_OF_DATA: Final = ("enum", "const", "default", "examples")
_KEYS_OF_SCHEMAS: Final = ("properties", "$defs", "definitions", "dependentSchemas")


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A schema, ready to judge values."""

    schema: Mapping[str, Any] | bool
    _validator: Any

    @staticmethod
    def of(schema: Any) -> JsonSchema:
        """A schema of a declaration; PolicyError where it is none, or asks for what takes unbounded time."""
        import jsonschema  # type: ignore[import-untyped]
        import referencing

        if not isinstance(schema, Mapping | bool):
            raise PolicyError(f"validators: the JSON schema is {str(schema)[:60]!r}; wanted a mapping.")
        patterns = dict(_patterns(schema, 0))
        kind = jsonschema.validators.extend(
            jsonschema.Draft202012Validator, {"pattern": _pattern_keyword(patterns), "format": None}
        )
        try:
            kind.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise PolicyError(f"validators: the JSON schema is not valid: {error.message[:200]}.") from error
        # an empty registry: a reference to an address is refused, never fetched
        validator = kind(schema, registry=referencing.Registry())
        _refuse_useless(validator, schema)
        return JsonSchema(schema, validator)

    def misfit(self, value: Any) -> str:
        """What does not fit, "" where all does."""
        try:
            error = next(self._validator.iter_errors(value), None)
        except Exception as problem:  # a reference that leads nowhere, or to itself for ever
            return f"the schema cannot be applied ({type(problem).__name__})"
        if error is None:
            return ""
        place = "/".join(str(each) for each in error.absolute_path)
        return f"{place or 'the answer'}: {error.message[:120]}"


def parsed_json(text: str) -> tuple[Any, str]:
    """The value of a JSON text, and what is wrong with it ("" where nothing is)."""
    try:
        return json.loads(text, parse_constant=_no_constant), ""
    except RecursionError:
        return None, "nested too deeply"
    except ValueError as error:
        return None, str(error)[:120]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _patterns(schema: Any, depth: int) -> Iterator[tuple[str, LinearRegex]]:
    """Every pattern in a schema, made safe; patterns for names of properties are refused."""
    if depth > NESTING_MAX_COUNT:
        raise PolicyError("validators: the JSON schema is nested too deeply.")
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from _patterns(each, depth + 1)
    if not isinstance(schema, Mapping):
        return
    if "patternProperties" in schema:
        raise PolicyError("validators: the JSON schema uses patternProperties, which takes unbounded time; name them.")
    if isinstance(schema.get("pattern"), str):
        yield schema["pattern"], linear_regex(schema["pattern"])
    for key, value in schema.items():
        inner = value.values() if key in _KEYS_OF_SCHEMAS and isinstance(value, Mapping) else [value]
        for each in inner:
            yield from _patterns(each, depth + 1)


def _refuse_useless(validator: Any, schema: Any) -> None:
    """PolicyError where a schema cannot be applied: a reference leads nowhere, or to itself for ever."""
    for part in (schema, *({"$ref": each} for each in _references(schema))):
        for sample in _SAMPLES:
            try:
                next(validator.evolve(schema=part).iter_errors(sample), None)
            except Exception as problem:
                at = f" at the reference {part['$ref'][:80]!r}" if isinstance(part, Mapping) and "$ref" in part else ""
                raise PolicyError(
                    f"validators: the JSON schema cannot be applied{at} ({type(problem).__name__}); a "
                    "reference must lead to a part of the same schema, such as #/$defs/NAME, and not to itself."
                ) from None


def _references(schema: Any) -> Iterator[str]:
    """Every reference in a schema."""
    if isinstance(schema, list | tuple):
        for each in schema:
            yield from _references(each)
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    for key, value in schema.items():
        if key in _KEYS_OF_SCHEMAS and isinstance(value, Mapping):
            for each in value.values():
                yield from _references(each)
        elif key not in _KEYS_OF_DATA:
            yield from _references(value)


def _pattern_keyword(patterns: Mapping[str, LinearRegex]) -> Any:
    """The keyword `pattern`, matched in linear time."""

    def pattern(validator: Any, wanted: str, instance: Any, _: Any) -> Iterator[Any]:
        import jsonschema

        if validator.is_type(instance, "string") and not patterns[wanted].search(instance):
            yield jsonschema.ValidationError(f"{instance[:40]!r} does not match {wanted[:60]!r}")

    return pattern
