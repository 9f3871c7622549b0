"""Grouping: the rules by which a Call finds its task: what the log says of it, its template, its words, its shape.

Plain data, small enough for a file: thousands of rules at most, whatever the number of calls. `assignment.py` turns
it into one expression over all Calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

METADATA: Final = ("task", "template_id", "application", "endpoint", "schema_hash", "system_hash", "api_key_hash")
"""Columns that say what a call is for, strongest first."""
LengthClass = Literal["short", "medium", "long"]
SHORT_MAX_TOKENS: Final = 32
"""Answers up to this length are a label, a number or a name."""
MEDIUM_MAX_TOKENS: Final = 400
"""Answers up to this length are a paragraph or a small record."""


@dataclass(frozen=True, slots=True)
class MetadataRule:
    """Calls with this combination of kept values belong to this group."""

    values: tuple[str, ...]
    """In the order of `METADATA`; empty where the call has none, or a rare one."""
    group: str


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """Calls of the group whose first `words_count` words are these belong to this task; the longest rule wins."""

    group: str
    words_count: int
    words_hash: int
    """Element `words_count - 1` of `prompt_words`: it stands for all words up to there."""
    task: str


@dataclass(frozen=True, slots=True)
class ClusterRule:
    """Calls of the group, outside its templates, belong to the task whose terms weigh most in their prompts."""

    group: str
    task: str
    weights: tuple[tuple[int, float], ...]
    """Hashed term, weight."""


@dataclass(frozen=True, slots=True)
class ShapeRule:
    """Calls of the group without a prompt, by model and length of the answer."""

    group: str
    model: str
    length: LengthClass
    task: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """All rules; a call that none of them knows belongs to the task of its group, else to the rest."""

    kept: dict[str, tuple[str, ...]]
    """Column of `METADATA` -> its values that occur often enough to tell tasks apart."""
    metadata: tuple[MetadataRule, ...]
    templates: tuple[TemplateRule, ...] = ()
    clusters: tuple[ClusterRule, ...] = ()
    shapes: tuple[ShapeRule, ...] = ()
    names: dict[str, str] | None = None
    """Task id -> name; None until they are named."""


REST: Final = "rest"
"""Group of the calls that no rule knows."""
