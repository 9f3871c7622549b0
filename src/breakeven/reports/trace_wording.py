"""Trace wording: what is said of one step in the tree behind a number, on the terminal and on a page alike."""

from __future__ import annotations

from breakeven.reports import amounts
from breakeven.reports.document import ShadowedPart, SourcePart, TraceNodePart
from breakeven.reports.safe_text import safe, short

HOW = "P50 (P10 to P90). A name is taken from the first layer that knows it: derived, scenario, offer, catalogue."
_LAYER_WORDS = {"derived": "derived", "scenario": "your scenario", "offer": "the offer", "catalogue": "the catalogue"}


def value_text(node: TraceNodePart) -> str:
    """The value with its range and unit."""
    return amounts.quantity_spread(node.p50, node.p10, node.p90, safe(node.unit))


def shadow_text(node: TraceNodePart, lost: ShadowedPart) -> str:
    """Which layer won, over what."""
    value = amounts.quantity_spread(lost.typical, lost.low, lost.high, safe(node.unit))
    return f"{layer_words(node.layer)} wins over {layer_words(lost.layer)}: {value}"


def source_text(node: TraceNodePart, source: SourcePart) -> str:
    """Grade, who supplied it, title, and when it was read."""
    read = f"read {amounts.date_text(source.read)}, {amounts.age(source.age_days)}"
    origin = "" if node.layer == "derived" else f"from {layer_words(node.layer)}: "
    return f"[{safe(source.grade)}] {origin}{short(source.title, 160)}; {safe(read)}"


def layer_words(name: str) -> str:
    """A layer as a person calls it."""
    return _LAYER_WORDS.get(name, safe(name))
