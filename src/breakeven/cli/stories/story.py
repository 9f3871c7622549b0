"""Story: a made-up company, what it wants to know, and the chapters in which the verbs answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from breakeven.usage.synthetic_company import Company

if TYPE_CHECKING:
    from breakeven.cli.stories.stage import Stage
    from breakeven.reports.story_document import FigurePart, TruthPart


@dataclass(frozen=True, slots=True)
class Found:
    """What came out of a chapter."""

    sentences: Sequence[str]
    """In the words of the verbs where they have some."""
    figures: Sequence[FigurePart] = ()
    truth: Sequence[TruthPart] = ()
    limits: Sequence[str] = ()
    """What may not be concluded."""
    files: Sequence[str] = ()
    """What it left in the folder, for a reader to open."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of a story."""

    title: str
    why: str
    """Why anybody would do this now, before what is done."""
    play: Callable[[Stage, Story], Found]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is not computed."""

    name: str
    title: str
    about: str
    """Who they are and what they want to know."""
    company: Company
    open_model: str
    """The open model in question, as the catalogue names it."""
    as_of: datetime
    """The day of the prices: the last on which the catalogue was read."""
    scenario: str
    """Lines of scenario.yaml, beside the date and the draws."""
    chapters: tuple[Chapter, ...]
    also: tuple[str, ...] = ()
    """More models whose answers people judged."""
    gpu: str = ""
    """What it would be served on, where a fleet is planned."""
    tasks: tuple[str, ...] = ()
    """Those that somebody means to move."""
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task -> the validators by which the gateway judges both models' answers to it."""
    migration_usd: float = 0.0
    """What the switch costs once, as the company reckons."""
    draws_log2: int = 12
    """Futures drawn, as a power of two."""
    promised_option: str = ""
    """Of the first comparison: what the pilot checks it against; nothing where empty."""

    @property
    def incumbent(self) -> str:
        """The model in use, as outcomes, policies and pilots name it."""
        return f"{self.company.provider}/{self.company.model}"

    @property
    def models(self) -> tuple[str, str]:
        """The model in use and the one in question."""
        return self.incumbent, self.open_model

    @property
    def judged(self) -> tuple[str, ...]:
        """All models whose answers people judged."""
        return (*self.models, *self.also)


def story_named(name: str) -> Story:
    """The story of a company."""
    found: Story = import_module(f"breakeven.cli.stories.companies.{name}").STORY
    return found
