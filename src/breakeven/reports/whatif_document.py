"""What-if document: what is different, what it does to every option, and where two options cost the same."""

from __future__ import annotations

from typing import Final, Literal

from breakeven.reports.option_part import Amount, Part

SCHEMA_VERSION: Final = "1.0"


class ChangePart(Part):
    """One thing that is different."""

    name: str
    """Of the fact, or of the key of the scenario."""
    said: str
    """As it was typed; the same as `name` where that was typed."""
    before: str
    after: str
    note: str
    """Empty; or that it changed nothing, and why."""


class OptionChangePart(Part):
    """One option before and after."""

    option: str
    title: str
    before_usd_per_month: Amount | None
    """For as many successful outcomes as today; None: it could not be costed."""
    after_usd_per_month: Amount | None
    before_cheapest_fraction: float | None
    """Share of the futures in which its present cost is the lowest."""
    after_cheapest_fraction: float | None
    before_always_above_mtok_per_month: float | None
    """Volume above which it always costs less than today's API, at typical values; None: there is none."""
    after_always_above_mtok_per_month: float | None
    before_present_cost_usd: Amount | None
    """Of all it takes over the horizon; None: it could not be costed."""
    after_present_cost_usd: Amount | None
    before_saves_usd: Amount | None = None
    """Present cost of staying as today less its own, future by future; negative: it costs more. None: not known."""
    after_saves_usd: Amount | None = None


class VerdictPart(Part):
    """What is recommended: the lowest expected present cost over the horizon."""

    option: str
    title: str
    odds_fraction: float
    """Share of the futures in which its present cost is the lowest."""
    present_cost_usd: Amount
    months_count: int
    usd_per_month: Amount
    """At the month's volume and prices, for as many successful outcomes as today."""


class SolutionPart(Part):
    """One value at which the cheaper of the two options changes."""

    value: float
    kind: Literal["crossing", "jump"]
    """Both cost the same there; or a fleet jumps by a replica there."""
    first_is_cheaper: Literal["above", "below"]


class SolvePart(Part):
    """The values of one number at which two options cost the same: in expectation over the horizon, or in one month."""

    name: str
    unit: str
    typical: float
    """As things are."""
    first: str
    second: str
    low: float
    """Bounds between which a solution was looked for."""
    high: float
    solutions: tuple[SolutionPart, ...]
    gap_now_usd_per_month: float
    """Cost of the first option less that of the second as things are."""
    crossing: Amount | None
    """Of the only solution, over the futures in which there is one; None: not looked at."""
    never_fraction: float | None
    """Share of the futures in which there is none between the bounds."""
    sentence: str
    basis: Literal["horizon", "month"] = "month"
    """Expected present costs over the horizon; or one month at typical values of all other numbers."""
    gap_now_present_usd: float | None = None
    """Expected present cost of the first option less that of the second as things are; None: not asked for."""


class WhatIfDocument(Part):
    """Before and after, and what was solved for."""

    schema_version: str
    kind: Literal["whatif"]
    sentence: str
    changes: tuple[ChangePart, ...]
    before: VerdictPart
    after: VerdictPart
    options: tuple[OptionChangePart, ...]
    """Lowest expected present cost after the changes first."""
    solved: SolvePart | None
    warnings: tuple[str, ...]
    as_of: str
    seed: int
    draws_count: int


def to_json(document: WhatIfDocument) -> str:
    """The document as JSON text."""
    return document.model_dump_json(indent=2) + "\n"
