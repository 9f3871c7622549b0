"""Option titles: the names of options as a person reads them, alone and in the middle of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.decision.comparison import SideBySide


@dataclass(frozen=True, slots=True)
class Titles:
    """Names of options as a person reads them."""

    by_name: Mapping[str, str]

    def __call__(self, name: str) -> str:
        """The title; the name itself where none is known."""
        return self.by_name.get(name, name)

    def inside(self, name: str) -> str:
        """The title in the middle of a sentence: a name (DeepSeek, GPUs) keeps its capital, a comma becomes brackets.

        >>> Titles({"a": "Rented GPUs, one-year term"}).inside("a")
        'rented GPUs (one-year term)'
        """
        title = self(name)
        head, comma, rest = title.partition(", ")
        title = f"{head} ({rest})" if comma else title
        if not title:
            return ""
        first = title.partition(" ")[0]
        return title if first[1:] != first[1:].lower() else title[0].lower() + title[1:]

    def start(self, name: str) -> str:
        """The same at the start of a sentence."""
        title = self.inside(name)
        return title[:1].upper() + title[1:]


def titles_of(comparison: SideBySide) -> Titles:
    """Of everything that was costed or left out."""
    known = {each.name: each.cost.title for each in comparison.options}
    return Titles({**{each.name: each.title for each in comparison.unavailable}, **known})
