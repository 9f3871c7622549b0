"""Naming: what a task is called: by the log where it says, else by the words that tell it from the others.

Class-based TF-IDF: the share of a task's prompts that have a word, times how rare the word is over all tasks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from breakeven.audit.grouping import REST, ShapeRule
from breakeven.audit.measures import Measured
from breakeven.audit.metadata import MetadataGroup
from breakeven.audit.mining import Mined

NAME_WORDS_COUNT: Final = 4
SHOWN_TERMS_COUNT: Final = 8
_SHORT_ANSWERS: Final = {"short": "labels and numbers", "medium": "short answers", "long": "long answers"}


def distinguishing_terms(measured: Sequence[Measured], vocabulary: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
    """Words of each task, most telling first."""
    total = {each.task: each.calls_count for each in measured}
    frequency: dict[int, float] = {}
    for each in measured:
        for term, share in each.terms.items():
            frequency[term] = frequency.get(term, 0.0) + share * total[each.task]
    calls_count = sum(total.values()) or 1.0
    found = {}
    for each in measured:
        known = [term for term in each.terms if term in vocabulary]
        score = {term: each.terms[term] * math.log(1 + calls_count / max(frequency[term], 1e-9)) for term in known}
        ordered = sorted(known, key=lambda term: (-score[term], vocabulary[term]))
        found[each.task] = tuple(vocabulary[term] for term in ordered[:SHOWN_TERMS_COUNT])
    return found


def names_of(measured: Sequence[Measured], mined: Mined, terms: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Task id -> a name that no other task has."""
    shapes = {rule.task: rule for rule in mined.grouping.shapes}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for each in measured:
        plain = _name(each.task, mined, terms.get(each.task, ()), shapes)
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain} ({number})", number + 1
        taken.add(name)
        found[each.task] = name
    return found


def _name(task: str, mined: Mined, terms: tuple[str, ...], shapes: Mapping[str, ShapeRule]) -> str:
    group = mined.groups.get(mined.group_of.get(task, REST))
    place = _place(group)
    if task in shapes:
        rule = shapes[task]
        return f"{place}{_SHORT_ANSWERS[rule.length]} of {rule.model or 'an unnamed model'}"
    by = mined.grouped_by.get(task, "rest")
    words = " ".join(terms[:NAME_WORDS_COUNT])
    if by in ("template", "cluster"):
        return f"{place}{words or by + ' ' + task.rpartition('.')[2][1:]}"
    if group is None or not group.values:
        return "everything else"
    split = any(other != task and of == task for other, of in mined.group_of.items())
    return f"{group.label} (other calls)" if split else group.label


def _place(group: MetadataGroup | None) -> str:
    return f"{group.label}: " if group is not None and group.values else ""
