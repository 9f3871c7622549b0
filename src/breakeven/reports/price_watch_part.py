"""Price watch part: what a machine reads about two comparisons of one decision: what changed, and whether it moved."""

from __future__ import annotations

from typing import Final, Literal

from breakeven.reports.option_part import Part

SCHEMA_VERSION: Final = "1.0"


class MovePart(Part):
    """The cost of one option before and after."""

    option: str
    title: str
    before_usd_per_month: float
    """Median of its monthly bill in the baseline."""
    after_usd_per_month: float
    equal_success_before_usd_per_month: float
    """Median of the cost of as many successful outcomes as the status quo gives."""
    equal_success_after_usd_per_month: float
    present_before_usd: float | None
    """Present cost over the horizon with every assumption typical; None: one of the documents has no horizon."""
    present_after_usd: float | None
    moved_fraction: float | None
    """Of these three, the relative move that is the largest; None: from nothing to something."""
    beyond: bool
    """True: the largest move is beyond the bound."""


class RangePart(Part):
    """A fact as one of the two documents has it."""

    low: float
    typical: float
    high: float
    source: str
    read: str
    """Day on which the source was read."""


class FactChangePart(Part):
    """One fact that is not what it was."""

    name: str
    unit: str
    kind: Literal["price", "fact"]
    """price: from an offer, so that somebody charges it."""
    before: RangePart | None
    """None: the baseline does not read it."""
    after: RangePart | None
    """None: the new comparison does not read it."""
    used_by: tuple[str, ...]
    """Options that read it, before or after."""


class MedianPart(Part):
    """A value as one of the two documents has it."""

    value: float
    """Median."""
    source: str
    """Where it comes from; empty: a model of ours."""
    read: str


class CausePart(Part):
    """One value behind an option's cost that changed, and what that alone explains of the move."""

    name: str
    unit: str
    before: MedianPart
    after: MedianPart
    effect_usd_per_month: float
    """What it adds to the monthly bill, the larger causes having been counted before it."""


class PriceWatchPart(Part):
    """Two comparisons of one decision."""

    schema_version: str
    kind: Literal["price_watch"]
    moved: bool
    """True: the recommendation changed, or a cost moved beyond the bound; the command then exits with 2."""
    bound_fraction: float
    before_as_of: str
    after_as_of: str
    recommended_before: str
    recommended_after: str
    sentence: str
    differences: tuple[str, ...]
    """What else differs between the two: log, scenario, catalogue, version, seed."""
    volume_before_mtok_per_month: float
    volume_after_mtok_per_month: float
    moves: tuple[MovePart, ...]
    """Options in both, largest move first."""
    appeared: tuple[str, ...]
    """Options that only the new comparison has."""
    disappeared: tuple[str, ...]
    changes: tuple[FactChangePart, ...]
    """Prices first."""
    explained: str
    """The option whose move the causes explain: the one recommended now, or before if only that one moved."""
    explained_move_usd_per_month: float
    causes: tuple[CausePart, ...]
    """Largest effect first."""
    rest_usd_per_month: float
    """Of the move, what the causes do not explain: medians do not add up, and lines may have come or gone."""
