"""Exposition reading: the text that a gateway shows Prometheus, as samples by name and label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

LINES_MAX_COUNT: Final = 200_000
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*,?')
_NAME: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)")
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line."""

    labels: Mapping[str, str]
    value: float


def read_exposition(text: str) -> dict[str, list[Sample]]:
    r"""Samples by name; a line that is no sample is left out.

    >>> read_exposition('# HELP a b\na_total{model="x\\"y"} 3.0\n')
    {'a_total': [Sample(labels={'model': 'x"y'}, value=3.0)]}
    """
    found: dict[str, list[Sample]] = {}
    for name, sample in _samples(text):
        found.setdefault(name, []).append(sample)
    return found


def _samples(text: str) -> Iterator[tuple[str, Sample]]:
    for line in text.split("\n", LINES_MAX_COUNT)[:LINES_MAX_COUNT]:
        name = _NAME.match(line)
        if name is None:
            continue
        rest = line[name.end() :]
        labels: dict[str, str] = {}
        if rest.startswith("{"):
            read = _labels(rest)
            if read is None:
                continue
            labels, rest = read
        try:
            value = float(rest.split()[0])
        except (ValueError, IndexError):
            continue
        if isfinite(value):
            yield name[1], Sample(labels, value)


def _labels(text: str) -> tuple[dict[str, str], str] | None:
    """The labels behind `{`, and what follows `}`."""
    at, labels = 1, {}
    while True:
        found = _LABEL.match(text, at)
        if found is None:
            break
        labels[found[1]] = _ESCAPED.sub(lambda each: "\n" if each[1] == "n" else each[1], found[2])
        at = found.end()
    return (labels, text[at + 1 :]) if text[at : at + 1] == "}" else None
