"""Risk part: what a document says about doubt: what it costs, which number to measure next, and break-even odds."""

from __future__ import annotations

from breakeven.reports.option_part import Part


class TornadoPart(Part):
    """One assumption moved alone from its low to its high; present value over the horizon."""

    name: str
    unit: str
    low: float
    typical: float
    high: float
    saves_at_low_usd: float
    """Present cost of the rival less that of the recommended option; negative: the rival costs less."""
    saves_at_high_usd: float
    saves_usd: float
    """With every assumption typical."""
    flips: bool


class SobolPart(Part):
    """Share of the variance of the saving's present value that one assumption explains (Saltelli et al. 2010).

    Of the saving on the scale asinh(saving / its median size), which keeps its sign and its order.
    """

    name: str
    first_order_fraction: float
    total_fraction: float


class InformationPart(Part):
    """What it is worth to know one number before deciding."""

    name: str
    unit: str
    low: float
    typical: float
    high: float
    grade: str
    evppi_usd: float
    """Expected value of knowing it exactly (EVPPI), present value over the horizon."""
    evppi_fraction: float
    """Of the value of knowing everything."""
    evsi_usd: float | None
    """Expected value of a sample of `samples_count` measurements (EVSI); None: it cannot be sampled."""
    samples_count: int | None
    how_to_measure: str
    """What to do to learn it; empty: nobody can know it today (chance)."""
    is_noise: bool = False
    """True: less than 1 % of the value of knowing everything, which cannot be told from nothing."""


class BreakEvenOddsPart(Part):
    """Where one option and the status quo cross, over the futures; never is kept apart and is never averaged."""

    option: str
    first_p10_mtok_per_month: float | None
    """Lowest volume at which it costs less; None: never, in that share of the futures."""
    first_p50_mtok_per_month: float | None
    first_p90_mtok_per_month: float | None
    last_p10_mtok_per_month: float | None
    """Volume above which it always costs less; None: never."""
    last_p50_mtok_per_month: float | None
    last_p90_mtok_per_month: float | None
    never_fraction: float
    """Share of the futures in which it costs less at no volume of the axis."""
    here_fraction: float
    """Share of the futures in which it costs less at the volume of the log."""
    sentence: str


class RiskPart(Part):
    """Doubt, priced."""

    recommended: str
    rival: str | None
    evpi_usd: float
    """Expected value of knowing everything before deciding (EVPI), present value over the horizon."""
    measure_next: str
    """Which number to measure next, and what that is worth; or that nothing is worth measuring."""
    information: tuple[InformationPart, ...]
    """Largest EVPPI first."""
    tornado: tuple[TornadoPart, ...]
    """Largest swing first."""
    sobol: tuple[SobolPart, ...]
    """Largest total index first."""
    breakeven_odds: tuple[BreakEvenOddsPart, ...]
    correlations: tuple[str, ...]
    """Correlations the scenario set, in words."""
    draws_count: int
