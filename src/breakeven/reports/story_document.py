"""Story document: a made-up company's chapters as JSON: why, the commands as typed, what came out, what was planted.

The page in HTML, the page in Markdown and what the terminal shows are made of it.
"""

from __future__ import annotations

from typing import Final, Literal, Self

from breakeven import __version__
from breakeven.reports.option_part import Part

SCHEMA_VERSION: Final = "1.0"
MADE_UP: Final = (
    "SYNTHETIC DATA: the company, its calls, its people's labels and the answers of the models are made up. Prices, "
    "ranges, formulas and statistics are the real ones, and every figure was computed by the commands shown."
)


class FigurePart(Part):
    """One number of a chapter, as its verb says it."""

    label: str
    value: str
    note: str = ""


class TruthPart(Part):
    """What was planted, and what the chain found of it."""

    what: str
    planted: str
    found: str
    is_inside: bool | None
    """Whether the range that was found holds what was planted; None where no range was claimed."""


class ChapterPart(Part):
    """One step."""

    number: int
    title: str
    why: str
    date: str
    """The story's date at its end."""
    commands: tuple[str, ...]
    sentences: tuple[str, ...]
    """What came out."""
    limits: tuple[str, ...]
    """What may not be concluded from it."""
    figures: tuple[FigurePart, ...]
    truth: tuple[TruthPart, ...]
    files: tuple[str, ...]


class StoryDocument(Part):
    """A story."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["story"] = "story"
    synthetic: Literal[True] = True
    name: str
    title: str
    about: str
    made_up: str = MADE_UP
    chapters: tuple[ChapterPart, ...]
    seed: int
    breakeven_version: str

    @classmethod
    def begun(cls, name: str, title: str, about: str, seed: int) -> Self:
        """Before its first chapter."""
        return cls(name=name, title=title, about=about, chapters=(), seed=seed, breakeven_version=__version__)

    @property
    def end(self) -> tuple[str, ...]:
        """What came of it: the last chapter's sentences."""
        return self.chapters[-1].sentences if self.chapters else ()

    @property
    def truth(self) -> tuple[TruthPart, ...]:
        """Everything that was planted and can be checked."""
        return tuple(each for chapter in self.chapters for each in chapter.truth)


TRUTH_NOTE: Final = (
    "No command saw what was planted. A range of 80 % misses it in one case of five, one of 95 % in one of twenty."
)
INSIDE_WORDS: Final = {True: "yes", False: "no", None: "no range"}
