"""Footed: what every document has in common: a schema version, and a footer that says what reproduces it."""

from __future__ import annotations

from typing import Protocol

from breakeven.reports.document import FooterPart


class Footed(Protocol):
    """A document, whatever it is about."""

    @property
    def schema_version(self) -> str:
        """Version of its JSON Schema."""
        ...

    @property
    def footer(self) -> FooterPart:
        """What reproduces it."""
        ...
