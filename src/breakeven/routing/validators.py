"""Validators: checks of one answer that need no other model: schema, pattern, label, tool call, not cut off, not empty.

They are declared per task, as a mapping:

    {"json_schema": {...}} {"regex": "^[A-D]$"} {"labels": ["yes", "no"]} {"tools": [...], "tool_required": true}
    {"not_truncated": true} {"non_empty": true} {"json": true}

An answer is text that nobody chose: checks take bounded time, read nothing from a network, and never raise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from breakeven.errors import PolicyError, nearest
from breakeven.routing.answer_schema import JsonSchema, parsed_json
from breakeven.routing.linear_regex import LinearRegex, linear_regex

ANSWER_MAX_COUNT: Final = 200_000
"""Characters; a longer answer is not checked and does not pass."""
TRUNCATED: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "token_limit"})
"""What providers say of an answer that was cut off."""

ToolCalls = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer passes, and why not."""

    ok: bool
    why: str = ""


class Validator(Protocol):
    """One check."""

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether an answer passes; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class NonEmpty:
    """The answer says something, or calls a tool."""

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether there is an answer."""
        del finish_reason
        return Verdict(True) if tool_calls or answer.strip() else Verdict(False, "empty answer")


@dataclass(frozen=True, slots=True)
class NotTruncated:
    """The model ended by itself. An answer whose end nobody recorded passes."""

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether it was not cut off."""
        del answer, tool_calls
        if finish_reason is not None and finish_reason.lower() in TRUNCATED:
            return Verdict(False, f"cut off ({finish_reason})")
        return Verdict(True)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The answer holds a match of a regular expression (`^` and `$` tie it to the ends)."""

    regex: LinearRegex

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether it matches."""
        del finish_reason, tool_calls
        return Verdict(True) if self.regex.search(answer.strip()) else Verdict(False, "does not match the pattern")


@dataclass(frozen=True, slots=True)
class Labels:
    """The answer is one of the labels, but for case, quotes and a full stop."""

    labels: frozenset[str]
    """As `label_of` gives them."""

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether it is a label."""
        del finish_reason, tool_calls
        return Verdict(True) if label_of(answer) in self.labels else Verdict(False, "not one of the labels")


@dataclass(frozen=True, slots=True)
class Json:
    """The answer is JSON, and fits a schema where one is given; a fence of three backticks around it is no harm."""

    schema: JsonSchema | None = None

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether it parses and fits."""
        del finish_reason, tool_calls
        value, problem = parsed_answer(answer)
        if problem:
            return Verdict(False, f"no valid JSON: {problem}")
        misfit = self.schema.misfit(value) if self.schema is not None else ""
        return Verdict(not misfit, misfit)


@dataclass(frozen=True, slots=True)
class Tools:
    """Each tool call names a declared tool, with arguments that fit it."""

    schemas: Mapping[str, JsonSchema]
    required: bool
    """Whether an answer without a tool call fails."""

    def check(self, answer: str, *, finish_reason: str | None = None, tool_calls: ToolCalls | None = None) -> Verdict:
        """Whether all calls fit."""
        del answer, finish_reason
        if not tool_calls:
            return Verdict(False, "no tool call") if self.required else Verdict(True)
        for call in tool_calls:
            problem = self._problem(call)
            if problem:
                return Verdict(False, problem)
        return Verdict(True)

    def _problem(self, call: object) -> str:
        inner = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(inner, Mapping):
            return "a tool call is no mapping"
        name, arguments = inner.get("name"), inner.get("arguments", inner.get("input"))
        if not isinstance(name, str) or name not in self.schemas:
            return f"unknown tool {str(name)[:60]!r}"
        if isinstance(arguments, str):
            arguments, problem = parsed_json(arguments[: ANSWER_MAX_COUNT + 1])
            if problem:
                return f"arguments of {name} are no valid JSON: {problem}"
        if not isinstance(arguments, Mapping):
            return f"arguments of {name} are no mapping"
        misfit = self.schemas[name].misfit(arguments)
        return f"arguments of {name}: {misfit}" if misfit else ""


def validators_of(declaration: Mapping[str, Any]) -> tuple[Validator, ...]:
    """The checks that a task's declaration asks for; PolicyError where it cannot be understood.

    >>> checks = validators_of({"labels": ["yes", "no"], "not_truncated": True})
    >>> check_answer(checks, "Yes."), check_answer(checks, "perhaps").why
    (Verdict(ok=True, why=''), 'not one of the labels')
    """
    if not isinstance(declaration, Mapping):
        raise PolicyError(f"validators: saw {str(declaration)[:60]!r}; wanted a mapping such as {{'labels': [...]}}.")
    found = []
    for name, value in declaration.items():
        if name not in _MAKERS:
            raise PolicyError(f"validators: unknown check {name!r}; {nearest(name, list(_MAKERS))}.")
        made = _MAKERS[name](value, declaration)
        if made is not None:
            found.append(made)
    return tuple(found)


def check_answer(
    validators: Sequence[Validator],
    answer: str,
    *,
    finish_reason: str | None = None,
    tool_calls: ToolCalls | None = None,
) -> Verdict:
    """The first check that fails, or that all pass."""
    if len(answer) > ANSWER_MAX_COUNT:
        return Verdict(False, f"longer than {ANSWER_MAX_COUNT:,} characters, not checked")
    for each in validators:
        verdict = each.check(answer, finish_reason=finish_reason, tool_calls=tool_calls)
        if not verdict.ok:
            return verdict
    return Verdict(True)


def label_of(text: str) -> str:
    """A label as labels are compared.

    >>> label_of(' "Yes." ')
    'yes'
    """
    return text.strip().strip("\"'`*.!").strip().casefold()


def parsed_answer(answer: str) -> tuple[Any, str]:
    """The value of an answer that is JSON, in a fence or not, and what is wrong with it ("" where nothing is)."""
    return parsed_json(_without_fence(answer))


def _without_fence(answer: str) -> str:
    text = answer.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") + 1 : -3]
    return text


def _flag(maker: Callable[[], Validator]) -> Callable[[Any, Mapping[str, Any]], Validator | None]:
    def made(value: Any, _: Mapping[str, Any]) -> Validator | None:
        if not isinstance(value, bool):
            raise PolicyError(f"validators: saw {str(value)[:60]!r}; wanted true or false.")
        return maker() if value else None

    return made


def _pattern(value: Any, _: Mapping[str, Any]) -> Validator:
    if not isinstance(value, str):
        raise PolicyError(f"validators: regex is {str(value)[:60]!r}; wanted a pattern in quotes.")
    return Pattern(linear_regex(value))


def _labels(value: Any, _: Mapping[str, Any]) -> Validator:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
        raise PolicyError(f"validators: labels is {str(value)[:60]!r}; wanted a list of texts.")
    return Labels(frozenset(label_of(each) for each in value))


def _schema(value: Any, _: Mapping[str, Any]) -> Validator:
    return Json(JsonSchema.of(value))


def _tools(value: Any, declaration: Mapping[str, Any]) -> Validator:
    if not isinstance(value, list | tuple):
        raise PolicyError(f"validators: tools is {str(value)[:60]!r}; wanted the list that requests declare.")
    schemas = {}
    for tool in value:
        inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
            raise PolicyError(f"validators: the tool {json.dumps(tool, default=str)[:80]} has no name.")
        schemas[inner["name"]] = JsonSchema.of(inner.get("parameters", inner.get("input_schema", {})))
    return Tools(schemas, declaration.get("tool_required") is True)


def _tool_required(value: Any, declaration: Mapping[str, Any]) -> Validator | None:
    if not isinstance(value, bool) or "tools" not in declaration:
        raise PolicyError("validators: tool_required is true or false, beside the list `tools`.")
    return None


_MAKERS: Final[dict[str, Callable[[Any, Mapping[str, Any]], Validator | None]]] = {
    "non_empty": _flag(NonEmpty),
    "not_truncated": _flag(NotTruncated),
    "json": _flag(Json),
    "json_schema": _schema,
    "regex": _pattern,
    "labels": _labels,
    "tools": _tools,
    "tool_required": _tool_required,
}
