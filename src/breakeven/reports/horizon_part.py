"""Horizon part: what a document says about the months to come: bills, odds, present values, payback and waiting."""

from __future__ import annotations

from breakeven.reports.option_part import Amount, Part


class PathPart(Part):
    """How one quantity moves over the months, as a multiple of today's; the first value is month 1."""

    name: str
    """volume, api_list_price, open_token_price, open_model_work, gpu_rent."""
    title: str
    basis: str
    """Where it comes from, in one sentence."""
    typical_ratio: tuple[float, ...]
    p10_ratio: tuple[float, ...]
    p50_ratio: tuple[float, ...]
    p90_ratio: tuple[float, ...]


class PaybackPart(Part):
    """When what was paid at the start has come back for good: the last crossing of the cumulative cash flow."""

    typical_months: float | None
    """At typical values; None: never within the horizon."""
    p10_months: float | None
    """None: never. Quantiles over all futures, in which never is later than every month."""
    p50_months: float | None
    p90_months: float | None
    never_fraction: float
    """Share of the futures in which it never pays back within the horizon."""
    sentence: str


class HorizonOptionPart(Part):
    """One option over the horizon, for as many successful outcomes as the status quo gives."""

    option: str
    present_cost_usd: Amount
    """Present value of all cash it takes, the move and purchases included, less what hardware brings at the end."""
    typical_present_cost_usd: float
    """The same with every assumption at its typical value."""
    saves_usd: Amount
    """Present value saved against the status quo (its NPV); negative: it costs more."""
    upfront_usd: Amount
    """Cash before the first month: the move, and hardware."""
    payback: PaybackPart | None
    """None for the status quo."""
    irr_fraction_per_month: float | None
    """Of the typical cash flow; None when it does not change its sign exactly once."""
    probability_cheapest_fraction: float
    """Share of the futures in which its present cost is the lowest."""
    regret_usd: Amount
    """What choosing it costs beyond the option that would have been best in each future."""
    typical_usd_per_month: tuple[float, ...]
    """Cash of each month with every assumption at its typical value; month 1 first."""
    typical_bill_usd_per_month: tuple[float, ...] = ()
    """The same as a bill, with hardware as its annuity: what the quantiles beside it are of."""
    p10_usd_per_month: tuple[float, ...]
    p50_usd_per_month: tuple[float, ...]
    p90_usd_per_month: tuple[float, ...]
    probability_cheapest_by_month_fraction: tuple[float, ...]
    """Share of the futures in which that month's bill is the lowest (capital spread as an annuity)."""


class WaitingPart(Part):
    """What it is worth to move later, or not at all."""

    wait_months: int | None
    """Months before the move; None: never."""
    present_cost_usd: Amount
    """Of staying as today until then, and then moving to the recommended rival of the status quo."""
    saves_against_now_usd: Amount
    """Positive: waiting that long costs less than moving now."""


class HorizonPart(Part):
    """The decision over time."""

    months_count: int
    discount_fraction_per_year: float
    """Typical cost of capital."""
    draws_count: int
    recommended: str
    """Lowest expected present cost among the options open to all."""
    moves_to: str | None
    """The best option that is not the status quo; the one that waiting is about."""
    paths: tuple[PathPart, ...]
    options: tuple[HorizonOptionPart, ...]
    """Lowest expected present cost first."""
    waiting: tuple[WaitingPart, ...]
    value_of_waiting_a_quarter_usd: float
    """Expected present value of deciding in three months with what is then known, instead of now; negative: what is
    lost meanwhile is worth more than what is learnt."""
    waiting_sentence: str
    growth_sentence: str
    """What the log says of growth, with its interval, and what was assumed."""
    sentence: str
    """The answer over the horizon."""
    approximation_error_fraction: float
    """Largest relative difference of the fast form of any option's present cost from the exact month by month one."""
