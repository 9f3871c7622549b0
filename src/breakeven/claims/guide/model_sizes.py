"""Model sizes: small models as the gold standard, 27-30B against mid-tier APIs, and a 70B at ten times a 7B."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, listed, odds_of, traced
from breakeven.decision.model_claims import (
    ABOUT_RATIO,
    CLAIMED_RATIO,
    DuelClaim,
    full_load_rent,
    gold_standard,
    mid_against_tier,
    seventy_over_seven,
)
from breakeven.decision.models import SIZE_CLASSES, ModelCost, WayCost, cheapest
from breakeven.errors import CatalogError
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node

SHOWN_SUCCESSES_COUNT: Final = 1_000.0
LABEL_MAX_COUNT: Final = 40
CLASS_TITLES: Final = {
    "small": "below 14B",
    "mid": "14 to 40B",
    "large": "dense above 40B",
    "moe": "mixtures of experts above 40B",
}


@formula
def thousand_successes_usd(cost_usd_per_success: Draws) -> Draws:
    """What a thousand successful outcomes cost.

    >>> float(thousand_successes_usd(0.01))
    10.0
    """
    return cost_usd_per_success * SHOWN_SUCCESSES_COUNT


@formula
def large_over_small_ratio(large_usd_per_mtok: Draws, small_usd_per_mtok: Draws) -> Draws:
    """How many times the small model's price the large one's is.

    >>> float(large_over_small_ratio(0.9, 0.1))
    9.0
    """
    return large_usd_per_mtok / small_usd_per_mtok


def small_is_gold(bench: Bench) -> Finding:
    """The best model below 14 billion parameters against the best larger open model, per successful outcome."""
    return _duel(bench, gold_standard(bench.ranking()), "the success rate of small models on your own tasks")


def mid_beats_tier(bench: Bench) -> Finding:
    """The best model of 27 to 30 billion parameters against the cheaper models of today's own provider."""
    return _duel(bench, mid_against_tier(bench.ranking()), "the success rates, which nobody has measured on your tasks")


def _duel(bench: Bench, duel: DuelClaim, depends_on: str) -> Finding:
    ranking = bench.ranking()
    if duel.verdict == "not tested":
        raise CatalogError(duel.reason)
    mine = ranking.model(duel.challenger)
    tier = ranking.cheaper_tier
    rival = next((each.best for each in ranking.models if each.name == duel.rival), tier)
    assert rival is not None
    label = _tier_label(rival) if rival is tier else duel.rival
    mine_cost, rival_cost = mine.best.cost.cost_per_success, rival.cost.cost_per_success
    wins = odds_of(mine_cost.value < rival_cost.value, mine_cost, rival_cost)
    needed = listed(
        "needed_success_fraction",
        mine.success_cost.needed_fraction(rival.cost.cost_per_success.value),
        "success rate at which an outcome costs what the rival's does",
        mine.best.cost.total,
        rival.cost.cost_per_success,
    )
    figures = (
        _thousand("mine", duel.challenger, mine.best),
        _thousand("rival", label, rival),
        Figure("wins", "odds that it is cheaper", wins),
        Figure("needed", "success rate needed to draw level", needed),
        Figure("assumed", "success rate guessed for its class", mine.best.cost.success),
    )
    level = "it draws level at a success rate of {needed}, and {assumed:range} is guessed for its class."
    if figures[3].range.p50 > 1:
        level = "no success rate draws level: right every time, it would still cost more."
    return Finding(
        duel.verdict,
        depends_on if duel.verdict == "depends" else "",
        f"{duel.challenger} {{mine}}, {label} {{rival}} per 1,000 successes; cheaper in {{wins}} futures",
        f"{duel.challenger} is the cheaper one per successful outcome in {{wins}} futures; {level}",
        (
            "The success rates are guesses by class of model: this is a statement about money, not about quality.",
            f"1,000 successes cost {{mine:range}} with {duel.challenger} and {{rival:range}} with {label}.",
        ),
        f"every open model of the catalogue at its cheapest way to be served; {bench.traffic}",
        figures,
        (_classes(bench),),
    )


def _tier_label(tier: WayCost) -> str:
    """The models of the tier where there is one; the names come from the log, so no brace of theirs is a template's."""
    plain = tier.cost.buys.replace("{", "(").replace("}", ")")
    return plain if len(plain) <= LABEL_MAX_COUNT else tier.cost.title


def _classes(bench: Bench) -> Table:
    """The cheapest model of each class, and today's."""
    ranking = bench.ranking()
    rows: list[tuple[Figure | str, ...]] = []
    for size in SIZE_CLASSES:
        best = cheapest([each for each in ranking.models if each.size_class == size])
        if best is not None:
            rows.append((CLASS_TITLES[size], best.name, *_cells(best.best), _needed(best, ranking.status_quo)))
    for way in (ranking.cheaper_tier, ranking.status_quo):
        if way is not None:
            rows.append(("API", way.cost.title, *_cells(way), "-"))
    columns = ("Class", "Cheapest model", "1,000 successes", "Success assumed", "Pays against today from a success of")
    return Table("Cost per success, by class of model", columns, tuple(rows))


def _cells(way: WayCost) -> tuple[Figure, Figure]:
    return _thousand("c", "1,000 successes", way), Figure("s", "success assumed", way.cost.success)


def _needed(each: ModelCost, today: WayCost) -> Figure | str:
    value = each.success_cost.needed_fraction(today.cost.cost_per_success.value)
    if float(np.median(value)) > 1:
        return "no rate is enough"
    node = listed(
        "needed_success_fraction", value, "draws level with today", each.best.cost.total, today.cost.cost_per_success
    )
    return Figure("n", "success needed", node)


def _thousand(key: str, label: str, way: WayCost) -> Figure:
    return Figure(key, label, traced(thousand_successes_usd, way.cost.cost_per_success))


def seventy_is_ten_sevens(bench: Bench) -> Finding:
    """The price of a broker's tokens and the cost of rented GPUs, large over small."""
    ranking = bench.ranking()
    claim = seventy_over_seven(ranking)
    if claim.verdict == "not tested":
        raise CatalogError(claim.reason)
    figures: list[Figure] = []
    rows: list[tuple[Figure | str, ...]] = []
    near: list[str] = []
    for index, each in enumerate(claim.ratios):
        node = _ratio_node(each.measure, ranking.model(each.large), ranking.model(each.small))
        if node is None:
            node = listed("size_ratio", each.ratio.p50, each.measure)
        figure = Figure(f"ratio_{index}", each.measure, node)
        figures.append(figure)
        rows.append((each.measure, each.large, each.small, figure))
        if (
            each.measure != "parameters"
            and CLAIMED_RATIO / ABOUT_RATIO <= figure.range.p50 <= CLAIMED_RATIO * ABOUT_RATIO
        ):
            near.append(each.measure)
    spoken = ", ".join(f"{each.label} {{{each.key}}}" for each in figures)
    return Finding(
        "holds" if claim.verdict == "holds" else "depends" if near else "does not hold",
        f"what is counted: {' and '.join(near)}" if near and claim.verdict != "holds" else "",
        spoken,
        f"The factor depends on what one counts: {spoken}."
        if near
        else f"Only the parameters are ten to one: {spoken}.",
        (
            "The fixed costs of people and idle GPUs are the same for both models, so the bill differs less than "
            "the size.",
        ),
        f"the cheapest dense 70B against the cheapest model of 7 to 8B, by measure; {bench.traffic}",
        tuple(figures),
        (Table("A 70B over a 7B", ("Measure", "Large", "Small", "Ratio"), tuple(rows)),),
    )


def _ratio_node(measure: str, large: ModelCost, small: ModelCost) -> Node | None:
    """The ratio with its Trace, for a measure in money."""
    two = _per_mtok(measure, large), _per_mtok(measure, small)
    return None if two[0] is None or two[1] is None else traced(large_over_small_ratio, two[0], two[1])


def _per_mtok(measure: str, each: ModelCost) -> Node | None:
    way = each.way("brokered" if measure in ("token price", "brokered per success") else "rented_on_demand")
    if way is None or measure == "parameters":
        return None
    name = f"{measure.replace(' ', '_')}_usd_per_mtok"
    if measure == "rent at full load":
        rent = full_load_rent(way.cost)
        return None if rent is None else listed(name, rent, "rent of a replica that is never idle", way.cost.total)
    if measure == "token price":
        bill = next(line.usd_per_month for line in way.cost.breakdown.lines if line.name == "tokens")
        return listed(name, bill.value / way.cost.volume.value, "bill over tokens", bill, way.cost.volume)
    if measure == "rented per month":
        return listed(
            name, way.cost.total.value / way.cost.volume.value, "total over tokens", way.cost.total, way.cost.volume
        )
    good = way.cost.volume.value * way.cost.success.value
    how = "total over the tokens of successful calls"
    return listed(name, way.cost.total.value / good, how, way.cost.total, way.cost.volume, way.cost.success)


CLAIMS = (
    GuideClaim(
        "small-models-gold-standard",
        9,
        "Models below 14B are the gold standard of self-hosting.",
        "<14B cheapest per success",
        small_is_gold,
    ),
    GuideClaim(
        "mid-models-beat-mid-tier",
        10,
        "Models of 27-30B beat mid-tier APIs.",
        "27-30B cheaper per success",
        mid_beats_tier,
    ),
    GuideClaim("seventy-is-ten-sevens", 11, "A 70B model costs 10 times a 7B model.", "10x", seventy_is_ten_sevens),
)
