"""Stay on the API: the guide's 60 million tokens a month below which one stays there, at several frontier prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, by_cases, listed, odds_of
from breakeven.claims.guide.saving import TODAY
from breakeven.decision.compare import compare
from breakeven.decision.comparison import Pair
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Situation

GUIDE_MTOK: Final = 60.0
FRONTIERS: Final = ("openai/gpt-5", "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5")
CURVE_OPTIONS: Final = (
    "cheaper_tier",
    "batch_api",
    "brokered",
    "deepseek_api",
    "managed_together",
    "rented_spot",
    "rented_one_year",
    "rented_on_demand",
    "hybrid",
    "owned_gpus",
)
CURVE_DRAWS_LOG2: Final = 6
"""Break-even volumes are taken at typical values: the draws of that comparison are not used."""
API_FAMILY: Final = "api"


@dataclass(frozen=True, slots=True)
class _AtFrontier:
    label: str
    api: Figure
    cheapest: Figure
    self_hosted: Figure
    odds: Figure
    """That the API costs less than every way to serve an open model on GPUs of one's own or a provider's."""
    breakevens: dict[str, Figure | str]


def stay_on_api(bench: Bench) -> Finding:
    """The API against every option at 60 M tokens, and the volume at which each option first costs less."""
    found = [each for label in FRONTIERS if (each := _at_frontier(bench, label)) is not None]
    if not found:
        raise CatalogError("none of the frontier models has a price")
    odds = [each.odds.range.p50 for each in found]
    verdict = by_cases(odds)
    beaten = [each for each in found if each.cheapest.range.p50 < each.api.range.p50]
    names = [option for option in CURVE_OPTIONS if any(option in each.breakevens for each in found)]
    hosted = [name for name in names if bench.options[name].family in ("managed", "self_hosted")]
    firsts = [
        (cell, each.label) for each in found for name in hosted if isinstance(cell := each.breakevens.get(name), Figure)
    ]
    least, against = min(firsts, key=lambda pair: pair[0].range.p50, default=(None, ""))
    figures = [Figure(f"api_{index}", f"API at 60 M, {each.label}", each.api.node) for index, each in enumerate(found)]
    figures += [
        Figure(f"host_{index}", each.self_hosted.label, each.self_hosted.node) for index, each in enumerate(found)
    ]
    figures += [Figure(f"odds_{index}", f"odds for {each.label}", each.odds.node) for index, each in enumerate(found)]
    first_words = "no GPU option breaks even at any volume looked at"
    if least is not None:
        figures.append(Figure("first", f"lowest break-even of a GPU option: {least.label}", least.node))
        first_words = f"the first GPU option breaks even at {{first}} (against {against})"
    tier = ""
    if beaten:
        tier = (
            " Staying is not always cheapest per token: at 60 M "
            + "; ".join(f"{each.cheapest.label} costs less than {each.label}" for each in beaten)
            + "."
        )
    return Finding(
        verdict,
        "the price of the frontier model" if verdict == "depends" else "",
        f"{first_words}; API cheaper at 60 M in {{odds_0}} futures",
        f"At 60 M tokens the API costs {{api_0:range}} with {found[0].label} and the cheapest GPU option "
        f"{{host_0:range}}; {first_words}.",
        (
            "Break-even is against people and idle GPUs, so a dear frontier model is left much earlier than a "
            "cheap one." + tier,
            "A volume is where an option first costs less at typical values; further crossings may follow.",
        ),
        f"the mix of {bench.traffic}, all of it at one frontier model, {bench.open_model} for open options; "
        "costs for as "
        "many successful outcomes",
        tuple(figures),
        (
            Table(
                "At 60 M tokens a month",
                ("Frontier model", "As today", "Next cheapest", "It costs", "Cheapest on GPUs", "Odds: API below GPUs"),
                tuple(_at_sixty(each) for each in found),
            ),
            Table(
                "From which volume each option first costs less than the API",
                ("Option", *(each.label for each in found)),
                tuple(
                    (bench.options[name].title, *(each.breakevens.get(name, "not to be had") for each in found))
                    for name in names
                ),
            ),
        ),
    )


def _at_sixty(each: _AtFrontier) -> tuple[Figure | str, ...]:
    return each.label, each.api, each.cheapest.label, each.cheapest, each.self_hosted, each.odds


def _at_frontier(bench: Bench, label: str) -> _AtFrontier | None:
    try:
        situation = bench.with_frontier(label)
    except UnknownPrice:
        return None
    api = Figure("api", "API", bench.equal_success(TODAY, GUIDE_MTOK, situation))
    costs: dict[str, Figure] = {}
    for name, option in bench.options.items():
        if name == TODAY:
            continue
        try:
            cost = bench.cost(name, GUIDE_MTOK, situation)
        except (UnknownPrice, CatalogError):
            continue
        if not cost.only_if:
            costs[name] = Figure(name, option.title, bench.equal_success(name, GUIDE_MTOK, situation))
    hosted = {name: each for name, each in costs.items() if bench.options[name].family in ("managed", "self_hosted")}
    if not hosted:
        return None
    floor = np.min(np.stack([each.node.value for each in hosted.values()]), axis=0)
    odds = odds_of(api.node.value < floor, api.node, *(each.node for each in hosted.values()))
    cheapest = min(costs.values(), key=lambda each: each.range.p50)
    own = min(hosted.values(), key=lambda each: each.range.p50)
    return _AtFrontier(label, api, cheapest, own, Figure("odds", "odds", odds), _breakevens(bench, situation))


def _breakevens(bench: Bench, situation: Situation) -> dict[str, Figure | str]:
    """Option -> the first volume at which it costs less than the API, or that there is none."""
    options = {name: bench.options[name] for name in (TODAY, *CURVE_OPTIONS) if name in bench.options}
    comparison = compare(situation, options, DrawSet(bench.draws.seed, CURVE_DRAWS_LOG2))
    return {pair.option: _first(bench, situation, pair) for pair in comparison.pairs}


def _first(bench: Bench, situation: Situation, pair: Pair) -> Figure | str:
    report, title = pair.report, bench.options[pair.option].title
    if report.b_never:
        return (
            "never"
            if report.b_never_basis == "proved"
            else f"none up to {report.envelope.high_mtok / 1e3:,.0f} B tokens"
        )
    stretch = next(each for each in report.envelope.stretches if each.option == report.option_b)
    if stretch.from_mtok <= report.envelope.low_mtok:
        return "at any volume"
    at = np.asarray([stretch.from_mtok])
    totals = tuple(bench.typical_cost(name, at, situation).total for name in (TODAY, pair.option))
    node = listed(
        "breakeven_volume_mtok_per_month", stretch.from_mtok, "first crossing of the exact cost curves", *totals
    )
    return Figure(pair.option, title, node)


CLAIMS = (
    GuideClaim(
        "under-60-million-stay",
        13,
        "Under 60 million tokens a month, stay on the API.",
        "60 M tokens/month",
        stay_on_api,
    ),
)
