"""Linear regex: a regular expression matched in time proportional to the text, whatever the pattern and the text.

Python's own matcher backtracks: `(a+)+$` on thirty letters takes minutes, and an answer of a model is text that nobody
chose. Here Python parses the pattern and a set of states walks over the text once. What a walk cannot do (references
back, looking ahead or behind, atomic groups) is refused.
"""

from __future__ import annotations

import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.errors import PolicyError

STATES_MAX_COUNT: Final = 2_000
"""A pattern that needs more (as `(\\w{50}){100}` does) is refused."""
_PARTS_MAX_COUNT: Final = 20_000
_REMEMBERED_MAX_COUNT: Final = 5_000

_Test = Callable[[str], bool]
_States = frozenset[int]


@dataclass(slots=True)
class LinearRegex:
    """A pattern, ready to be looked for."""

    pattern: str
    _tests: list[_Test | None] = field(default_factory=list)
    """Of each state: the character that leads on; None where it leads on without one."""
    _nexts: list[list[int]] = field(default_factory=list)
    _assertions: list[Callable[[str, str, bool], bool] | None] = field(default_factory=list)
    """Of each state: what must hold between the character before and the one after ("" at the ends) to pass."""
    _start: int = 0
    _final: int = 0
    _remembered: dict[tuple[_States, str, str, bool], tuple[_States, bool]] = field(default_factory=dict)

    def search(self, text: str) -> bool:
        """Whether the pattern occurs anywhere in a text, as `re.search` would find it."""
        states: _States = frozenset()
        before = ""
        for at, character in enumerate(text):
            last = at == len(text) - 1
            states, found = self._step(states, before, character, last)
            if found:
                return True
            before = character
        return self._step(states, before, "", True)[1]

    def _step(self, states: _States, before: str, after: str, last: bool) -> tuple[_States, bool]:
        """States after one more character, and whether the pattern ended before it; a match may start anywhere."""
        key = (states, before, after, last)
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= _REMEMBERED_MAX_COUNT:
                self._remembered.clear()
            reached = self._reached({*states, self._start}, before, after, last)
            nexts = {
                to for at in reached if (test := self._tests[at]) and after and test(after) for to in self._nexts[at]
            }
            known = self._remembered[key] = frozenset(nexts), self._final in reached
        return known

    def _reached(self, states: set[int], before: str, after: str, last: bool) -> set[int]:
        """All states that can be reached without a character."""
        reached, waiting = set(states), list(states)
        while waiting:
            at = waiting.pop()
            assertion = self._assertions[at]
            if self._tests[at] is not None or (assertion is not None and not assertion(before, after, last)):
                continue
            fresh = [to for to in self._nexts[at] if to not in reached]
            reached.update(fresh)
            waiting.extend(fresh)
        return reached


def linear_regex(pattern: str) -> LinearRegex:
    """The pattern of a declaration; PolicyError where it is malformed or cannot be matched in linear time.

    >>> linear_regex(r"^(a+)+$").search("a" * 5000 + "b")
    False
    """
    try:
        parsed = sre.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"the pattern {pattern!r} is no regular expression: {error}.") from error
    regex = LinearRegex(pattern)
    builder = _Builder(regex)
    regex._start = builder.state()
    regex._final = builder.state()
    builder.link(builder.sequence(parsed, regex._start, parsed.state.flags), regex._final)
    return regex


@dataclass(slots=True)
class _Builder:
    """Makes states of a parsed pattern; each method returns the state where its part ends."""

    regex: LinearRegex
    parts_count: int = 0

    def state(self, test: _Test | None = None, assertion: Callable[[str, str, bool], bool] | None = None) -> int:
        if len(self.regex._tests) >= STATES_MAX_COUNT:
            raise self.too_large()
        self.regex._tests.append(test)
        self.regex._assertions.append(assertion)
        self.regex._nexts.append([])
        return len(self.regex._tests) - 1

    def too_large(self) -> PolicyError:
        return PolicyError(f"the pattern {self.regex.pattern!r} is too large: count less, as in {{1,20}}.")

    def link(self, source: int, target: int) -> None:
        self.regex._nexts[source].append(target)

    def sequence(self, parts: Any, at: int, flags: int) -> int:
        for operation, argument in parts:
            at = self.part(operation, argument, at, flags)
        return at

    def part(self, operation: Any, argument: Any, at: int, flags: int) -> int:
        if operation in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN):
            return self.after(at, self.state(test=_test(operation, argument, flags)))
        if operation is ops.AT:
            return self.after(at, self.state(assertion=_assertion(argument, flags)))
        if operation is ops.SUBPATTERN:
            _, added, removed, inner = argument
            return self.sequence(inner, at, (flags | added) & ~removed)
        if operation is ops.BRANCH:
            end = self.state()
            for branch in argument[1]:
                start = self.state()
                self.link(at, start)
                self.link(self.sequence(branch, start, flags), end)
            return end
        if operation in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            least, most, inner = argument
            return self.repeat(least, most, inner, at, flags)
        raise PolicyError(
            f"the pattern {self.regex.pattern!r} looks back or ahead ({str(operation).lower()}), and that takes no "
            "bounded time; say it in another way."
        )

    def after(self, at: int, state: int) -> int:
        self.link(at, state)
        end = self.state()
        self.link(state, end)
        return end

    def repeat(self, least: int, most: int, inner: Any, at: int, flags: int) -> int:
        self.parts_count += least + (0 if most == ops.MAXREPEAT else most - least)
        if self.parts_count > _PARTS_MAX_COUNT:
            raise self.too_large()
        for _ in range(least):
            at = self.sequence(inner, at, flags)
        if most == ops.MAXREPEAT:
            loop = self.state()
            self.link(at, loop)
            self.link(self.sequence(inner, loop, flags), loop)
            end = self.state()
            self.link(loop, end)
            return end
        end = self.state()
        for _ in range(most - least):
            self.link(at, end)
            at = self.sequence(inner, at, flags)
        self.link(at, end)
        return end


def _test(operation: Any, argument: Any, flags: int) -> _Test:
    """Whether a character fits one place of the pattern."""
    if operation is ops.ANY:
        return (lambda _: True) if flags & re.DOTALL else (lambda character: character != "\n")
    items = argument if operation is ops.IN else [(ops.LITERAL, argument)]
    negated = operation is ops.NOT_LITERAL or (bool(items) and items[0][0] is ops.NEGATE)
    singles = [_single(kind, value, flags) for kind, value in items if kind is not ops.NEGATE]

    def fits(character: str) -> bool:
        return any(single(each) for each in _cases(character, flags) for single in singles) is not negated

    return fits


def _cases(character: str, flags: int) -> Iterator[str]:
    yield character
    if flags & re.IGNORECASE:
        for other in {character.lower(), character.upper()} - {character}:
            if len(other) == 1 and (not flags & re.ASCII or (character.isascii() and other.isascii())):
                yield other


def _single(kind: Any, value: Any, flags: int) -> _Test:
    if kind is ops.LITERAL:
        return lambda character: ord(character) == value
    if kind is ops.RANGE:
        low, high = value
        return lambda character: low <= ord(character) <= high
    inside = _CATEGORIES[str(value).removeprefix("CATEGORY_").removeprefix("NOT_")]
    narrow = bool(flags & re.ASCII)
    wanted = "NOT_" not in str(value)
    return lambda character: (inside(character) and (not narrow or character.isascii())) is wanted


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CATEGORIES: Final[dict[str, _Test]] = {"DIGIT": str.isdecimal, "SPACE": str.isspace, "WORD": _is_word}


def _assertion(kind: Any, flags: int) -> Callable[[str, str, bool], bool]:
    """What must hold between two characters; `last` says that the one after is the text's last, or that none is."""
    lines = bool(flags & re.MULTILINE)
    narrow = bool(flags & re.ASCII)

    def word(character: str) -> bool:
        return bool(character) and _is_word(character) and (not narrow or character.isascii())

    if kind is ops.AT_BEGINNING:
        return lambda before, _after, _last: not before or (lines and before == "\n")
    if kind is ops.AT_BEGINNING_STRING:
        return lambda before, _after, _last: not before
    if kind is ops.AT_END:
        return lambda _before, after, last: not after or (after == "\n" and (lines or last))
    if kind is ops.AT_END_STRING:
        return lambda _before, after, _last: not after
    inside = kind is ops.AT_NON_BOUNDARY
    return lambda before, after, _last: (word(before) is word(after)) is inside
