"""Horizon build: the months to come as the part of the document that every surface shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from breakeven.decision.breakeven import never_fraction, quantiles
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.comparison import range_of
from breakeven.decision.horizon.horizon import Horizon, OptionHorizon
from breakeven.decision.horizon.paths import PATHS
from breakeven.decision.horizon.waiting import QUARTER_MONTHS, Waiting
from breakeven.facts.trace import Node
from breakeven.reports.amounts import counted, difference, difference_range, money, odds
from breakeven.reports.horizon_part import HorizonOptionPart, HorizonPart, PathPart, PaybackPart, WaitingPart
from breakeven.reports.option_part import Amount
from breakeven.reports.option_titles import Titles
from breakeven.reports.range_amount import amount

QUANTILES: Final = (0.1, 0.5, 0.9)
TRIFLE_FRACTION: Final = 0.002
"""Of the present cost: less than this is the noise of a regression."""
TITLES: Final = {
    "volume": "Volume",
    "api_list_price": "Price of an API token, for equal quality",
    "open_token_price": "Price of an open model's token, for equal quality",
    "open_model_work": "GPU work per token of an open model, for equal quality",
    "gpu_rent": "GPU rent",
}


def horizon_part(horizon: Horizon, titles: Titles, growth_sentence: str) -> HorizonPart:
    """The part; `titles`: those of the options."""
    return HorizonPart(
        months_count=horizon.months_count,
        discount_fraction_per_year=horizon.discount_fraction_per_year,
        draws_count=horizon.draws_count,
        recommended=horizon.recommended,
        moves_to=horizon.waiting.moves_to if horizon.waiting else None,
        paths=tuple(_path(horizon, name) for name in PATHS),
        options=tuple(_option(each, horizon, titles) for each in horizon.options),
        waiting=_waits(horizon.waiting) if horizon.waiting else (),
        value_of_waiting_a_quarter_usd=horizon.waiting.value_of_a_quarter_usd if horizon.waiting else 0.0,
        waiting_sentence=_waiting_sentence(horizon, titles),
        growth_sentence=growth_sentence,
        sentence=_sentence(horizon, titles),
        approximation_error_fraction=horizon.approximation_error_fraction,
    )


def _path(horizon: Horizon, name: str) -> PathPart:
    draws = getattr(horizon.paths, name)
    p10, p50, p90 = np.quantile(np.broadcast_to(draws, draws.shape), QUANTILES, axis=1)
    names = [each for each in PATHS[name].parameters if each != "elapsed_months"]
    return PathPart(
        name=name,
        title=TITLES[name],
        basis=_basis([horizon.nodes[each] for each in names], chance=name == "gpu_rent"),
        typical_ratio=_listed(getattr(horizon.typical_paths, name)[:, 0]),
        p10_ratio=_listed(p10),
        p50_ratio=_listed(p50),
        p90_ratio=_listed(p90),
    )


def _basis(nodes: Sequence[Node], *, chance: bool) -> str:
    told = []
    for node in nodes:
        fact = node.assumption
        if fact is not None:
            told.append(f"{fact.name} {fact.typical:g} ({fact.low:g} to {fact.high:g}; {fact.source.grade.value})")
    more = ["chance on top, both ways"] if chance else []
    return "; ".join([*told, *more])


def _option(each: OptionHorizon, horizon: Horizon, titles: Titles) -> HorizonOptionPart:
    today = horizon.option(STATUS_QUO)
    p10, p50, p90 = np.quantile(each.bills_usd_per_month, QUANTILES, axis=1)
    return HorizonOptionPart(
        option=each.name,
        present_cost_usd=usd(each.present_cost_usd),
        typical_present_cost_usd=each.typical_present_cost_usd,
        saves_usd=usd(today.present_cost_usd - each.present_cost_usd),
        upfront_usd=usd(each.upfront_usd),
        payback=None if each.name == STATUS_QUO else _payback(each, horizon, titles),
        irr_fraction_per_month=each.irr_fraction_per_month,
        probability_cheapest_fraction=each.cheapest_fraction,
        regret_usd=usd(each.regret_usd),
        typical_usd_per_month=_listed(each.typical.usd_per_month[:, 0]),
        typical_bill_usd_per_month=_listed(each.typical.bill_usd_per_month[:, 0]),
        p10_usd_per_month=_listed(p10),
        p50_usd_per_month=_listed(p50),
        p90_usd_per_month=_listed(p90),
        probability_cheapest_by_month_fraction=_listed(each.cheapest_by_month_fraction),
    )


def _payback(each: OptionHorizon, horizon: Horizon, titles: Titles) -> PaybackPart:
    never = never_fraction(each.payback_months)
    p10, p50, p90 = (_month(value) for value in quantiles(each.payback_months, QUANTILES))
    typical = _month(each.typical_payback_months)
    title, end = titles.start(each.name), f"within {counted(horizon.months_count, 'month')}"
    if never == 1:
        sentence = f"{title} never pays back {end}."
    elif p50 is None:
        sentence = f"{title} pays back {end} in {odds(1 - never)} futures only; in the others never."
    else:
        worst = f"month {p90:.0f}" if p90 is not None else f"never {end} ({odds(never)} futures)"
        sentence = f"{title} pays back in month {p50:.0f} in the median; in the worst tenth {worst}."
    return PaybackPart(
        typical_months=typical, p10_months=p10, p50_months=p50, p90_months=p90, never_fraction=never, sentence=sentence
    )


def _month(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _waits(waiting: Waiting) -> tuple[WaitingPart, ...]:
    now = waiting.waits[0].present_cost_usd
    return tuple(
        WaitingPart(
            wait_months=each.wait_months,
            present_cost_usd=usd(each.present_cost_usd),
            saves_against_now_usd=usd(now - each.present_cost_usd),
        )
        for each in waiting.waits
    )


def _waiting_sentence(horizon: Horizon, titles: Titles) -> str:
    waiting = horizon.waiting
    if waiting is None:
        return "Nothing but today's way could be costed: there is nothing to wait for."
    title, value = titles.inside(waiting.moves_to), waiting.value_of_a_quarter_usd
    now_usd = float(np.mean(waiting.waits[0].present_cost_usd))
    if horizon.months_count <= QUARTER_MONTHS:
        return f"{counted(horizon.months_count, 'month')} are too few to wait a quarter."
    if abs(value) < TRIFLE_FRACTION * now_usd:
        return f"Waiting a quarter before deciding on {title} makes no difference that can be told from nothing."
    if value > 0:
        return (
            f"Waiting a quarter before deciding on {title} is worth about {money(value)}: what is then known of volume "
            "and prices is worth more than three months of the difference."
        )
    return (
        f"Waiting a quarter before deciding on {title} costs about {money(-value)}: three months of the difference are "
        "worth more than what is learnt meanwhile."
    )


def _sentence(horizon: Horizon, titles: Titles) -> str:
    best, rival = horizon.option(horizon.recommended), horizon.rival
    over = f"Over {counted(horizon.months_count, 'month')}"
    if rival is None:
        return f"{over}, {titles.inside(best.name)} is the only option that could be costed."
    gap = range_of(horizon.option(rival).present_cost_usd - best.present_cost_usd)
    return (
        f"{over}, {titles.inside(best.name)} {difference(gap.mean)} against {titles.inside(rival)} in expectation, in "
        f"present value "
        f"({difference_range(gap.p10, gap.p90)}); it is cheapest in {odds(best.cheapest_fraction)} futures."
    )


def usd(draws: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Amount:
    """P10, P50, P90 and mean of draws in USD."""
    return amount(range_of(draws), "usd")


def _listed(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(float(each) for each in values)
