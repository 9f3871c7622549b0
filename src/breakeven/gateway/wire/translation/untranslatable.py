"""Untranslatable: what one dialect says and the other cannot, with the answer that its client gets."""

from __future__ import annotations

from breakeven.errors import BreakevenError
from breakeven.gateway.plan import Refusal


class Untranslatable(BreakevenError):
    """A request that the chosen upstream's dialect cannot say."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def untranslatable(what: str, wanted: str) -> Untranslatable:
    """An error that says what was seen and what to do."""
    return Untranslatable(Refusal(400, "not_translatable", f"{what} {wanted}"))
