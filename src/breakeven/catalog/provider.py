"""Provider: who sells, under which law, and what is known of how it treats data. None means unknown, never "no"."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.facts.source import Source


@dataclass(frozen=True, slots=True)
class Provider:
    """What a hard constraint may ask of a seller. A constraint on a field that is None fails: nobody knows."""

    name: str
    title: str
    jurisdiction: str | None
    """ISO 3166 alpha-2 code of the country whose law binds the contracting company."""
    processing_regions: tuple[str, ...] | None
    """Everywhere that requests may be processed; whether you can choose among them is in `note`."""
    retention_days: float | None
    """How long prompts or answers are kept by default; 0: they are not."""
    trains_on_data: bool | None
    """Whether customers' API data trains models by default."""
    certifications: tuple[str, ...] | None
    source: Source
    note: str = ""
    from_memory: tuple[str, ...] = ()
    """Fields written from memory, not read in the source: weaker than the rest."""
