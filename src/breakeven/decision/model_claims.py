"""Model claims: what the guide says about sizes of open models, tested on a ranking of them for this workload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.decision.comparison import Range, leaf_nodes, range_of
from breakeven.decision.models import ModelCost, ModelRanking, WayCost, full
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.options.option import OptionCost
from breakeven.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK

ClaimVerdict = Literal["holds", "depends", "does not hold", "not tested"]
Measure = Literal[
    "parameters", "token price", "rent at full load", "brokered per success", "rented per month", "rented per success"
]

GOLD_STANDARD: Final = "models below 14 billion parameters are the gold standard"
MID_BEATS_TIER: Final = "27-30B models beat mid-tier APIs"
SEVENTY_IS_TEN_SEVENS: Final = "a 70B model costs 10x a 7B model"
CLEAR_FROM_FRACTION, CLEAR_UP_TO_FRACTION = 0.9, 0.1
"""A duel won in this share of the draws or more holds; in no more than that share it does not; between, it depends."""
CLAIMED_RATIO, ABOUT_RATIO = 10.0, 2.0
"""About ten: between a half of it and twice it."""
SEVENTY_B, SEVEN_B, MID_B = (65e9, 75e9), (6.5e9, 8.5e9), (26.5e9, 31e9)
"""Total parameters, from and to, of what the guide calls 70B, 7B and 27-30B."""


@formula
def full_load_rent_usd_per_mtok(
    gpus_per_replica_count: Draws,
    gpu_rent_usd_per_gpu_hour: Draws,
    replica_capacity_req_per_s: Draws,
    tokens_per_request: Draws,
) -> Draws:
    """Rent of a million tokens on a replica that is never idle.

    >>> round(float(full_load_rent_usd_per_mtok(1.0, 3.6, 2.0, 500.0)), 9)
    1.0
    """
    tok_per_s = replica_capacity_req_per_s * tokens_per_request
    return gpus_per_replica_count * gpu_rent_usd_per_gpu_hour / SECONDS_PER_HOUR / tok_per_s * TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True)
class SizeRatio:
    """How many times the small model's figure the large one's is."""

    measure: Measure
    large: str
    small: str
    """The small model with the lowest expected figure: the claim's best case."""
    ratio: Range


@dataclass(frozen=True, slots=True)
class RatioClaim:
    """A claim about a ratio: one ratio for each thing one may mean by cost."""

    claim: str
    claimed_ratio: float
    ratios: tuple[SizeRatio, ...]
    verdict: ClaimVerdict
    reason: str = ""
    """Why it could not be tested."""


@dataclass(frozen=True, slots=True)
class DuelClaim:
    """A claim that one model beats something, held against cost per successful outcome."""

    claim: str
    challenger: str
    rival: str
    challenger_usd_per_success: Range | None
    rival_usd_per_success: Range | None
    bill_ratio: Range | None
    """The challenger's monthly bill over the rival's, whatever succeeds."""
    wins_fraction: float
    """Share of the draws in which the challenger's outcome costs less."""
    needed_success: Range | None
    """Success rate at which the challenger's outcome costs as much as the rival's."""
    verdict: ClaimVerdict
    reason: str = ""


def size_ratios(ranking: ModelRanking, large: ModelCost, smalls: Sequence[ModelCost]) -> tuple[SizeRatio, ...]:
    """`large` over the cheapest of `smalls`, for each measure that both have; a measure without both is absent."""
    found = []
    for measure, figure in _MEASURES.items():
        of_large = figure(large)
        of_smalls = [(each.name, value) for each in smalls if (value := figure(each)) is not None]
        if of_large is None or not of_smalls:
            continue
        name, least = min(of_smalls, key=lambda pair: (float(np.mean(pair[1])), pair[0]))
        ratio = range_of(full(of_large / least, ranking.draws_count))
        found.append(SizeRatio(measure, large.name, name, ratio))
    return tuple(found)


def seventy_over_seven(ranking: ModelRanking) -> RatioClaim:
    """Whether a 70B costs ten times a 7B: the cheapest dense 70B against the models of 7 and 8 billion parameters."""
    smalls = [each for each in ranking.models if _is_sized(each, SEVEN_B)]
    larges = [each for each in ranking.models if _is_sized(each, SEVENTY_B) and not each.model.is_moe]
    if not smalls or not larges:
        missing = "7B" if not smalls else "70B"
        return RatioClaim(SEVENTY_IS_TEN_SEVENS, CLAIMED_RATIO, (), "not tested", f"no {missing} model could be costed")
    large = min(larges, key=lambda each: each.best.usd_per_success.mean)
    ratios = size_ratios(ranking, large, smalls)
    hits = [CLAIMED_RATIO / ABOUT_RATIO <= each.ratio.p50 <= CLAIMED_RATIO * ABOUT_RATIO for each in _paid(ratios)]
    verdict: ClaimVerdict = "does not hold"
    if any(hits):
        verdict = "holds" if all(hits) else "depends"
    reason = "" if hits else "neither a broker nor rented GPUs serve both"
    return RatioClaim(SEVENTY_IS_TEN_SEVENS, CLAIMED_RATIO, ratios, verdict if hits else "not tested", reason)


def gold_standard(ranking: ModelRanking) -> DuelClaim:
    """Whether a small model's outcome costs less than that of the best larger open model."""
    small = [each for each in ranking.models if each.size_class == "small"]
    larger = [each for each in ranking.models if each.size_class != "small"]
    if not small or not larger:
        return _untested(GOLD_STANDARD, f"no {'small' if not small else 'larger'} model could be costed")
    challenger, rival = (min(each, key=lambda one: one.best.usd_per_success.mean) for each in (small, larger))
    return duel(GOLD_STANDARD, ranking, challenger, rival.name, rival.best)


def mid_against_tier(ranking: ModelRanking) -> DuelClaim:
    """Whether the best model of 27 to 30 billion parameters beats the cheaper models of today's own providers."""
    mid = [each for each in ranking.models if _is_sized(each, MID_B)]
    tier = ranking.cheaper_tier
    if not mid or tier is None:
        missing = "no model of 27 to 30B could be costed" if not mid else ranking.no_tier_reason
        return _untested(MID_BEATS_TIER, missing)
    return duel(MID_BEATS_TIER, ranking, min(mid, key=lambda one: one.best.usd_per_success.mean), tier.cost.title, tier)


def duel(claim: str, ranking: ModelRanking, challenger: ModelCost, rival: str, rival_way: WayCost) -> DuelClaim:
    """`challenger` at its best way against `rival_way`, draw by draw."""
    mine, other = challenger.best.cost, rival_way.cost
    count = ranking.draws_count
    wins = float(np.mean(full(mine.cost_per_success.value, count) < full(other.cost_per_success.value, count)))
    verdict: ClaimVerdict = "depends"
    if wins >= CLEAR_FROM_FRACTION:
        verdict = "holds"
    elif wins <= CLEAR_UP_TO_FRACTION:
        verdict = "does not hold"
    needed = challenger.success_cost.needed_fraction(other.cost_per_success.value)
    return DuelClaim(
        claim,
        challenger.name,
        rival,
        challenger.best.usd_per_success,
        rival_way.usd_per_success,
        range_of(full(mine.total.value / other.total.value, count)),
        wins,
        range_of(full(needed, count)),
        verdict,
    )


def _paid(ratios: Sequence[SizeRatio]) -> list[SizeRatio]:
    """The ratios of money; parameters are what the guide's figure seems to come from."""
    return [each for each in ratios if each.measure != "parameters"]


def _is_sized(each: ModelCost, span: tuple[float, float]) -> bool:
    return span[0] <= each.model.params_count <= span[1]


def _untested(claim: str, reason: str) -> DuelClaim:
    return DuelClaim(claim, "", "", None, None, None, 0.0, None, "not tested", reason)


def _parameters(each: ModelCost) -> Draws | None:
    return np.asarray([each.model.params_count])


def _token_price(each: ModelCost) -> Draws | None:
    way = each.way("brokered")
    if way is None:
        return None
    tokens = next(line.usd_per_month.value for line in way.cost.breakdown.lines if line.name == "tokens")
    return tokens / way.cost.volume.value


def _full_load(each: ModelCost) -> Draws | None:
    way = each.way("rented_on_demand")
    return None if way is None else full_load_rent(way.cost)


def full_load_rent(cost: OptionCost) -> Draws | None:
    """Rent of a million tokens if the fleet of `cost` were never idle; None when it has no fleet."""
    facts = {node.name: node.value for node in cost.facts}
    rents = [node for node in leaf_nodes([cost.total]) if node.name == "gpu_rent_usd_per_gpu_hour"]
    if "replica_capacity_req_per_s" not in facts or not rents:
        return None
    return full_load_rent_usd_per_mtok(
        facts["gpus_count"] / facts["replicas_count"],
        rents[0].value,
        facts["replica_capacity_req_per_s"],
        cost.volume.value * TOKENS_PER_MTOK / cost.requests.value,
    )


def _per_success(option: str) -> Callable[[ModelCost], Draws | None]:
    return lambda each: None if (way := each.way(option)) is None else way.cost.cost_per_success.value


def _per_month(option: str) -> Callable[[ModelCost], Draws | None]:
    return lambda each: None if (way := each.way(option)) is None else way.cost.total.value


_MEASURES: Final[dict[Measure, Callable[[ModelCost], Draws | None]]] = {
    "parameters": _parameters,
    "token price": _token_price,
    "rent at full load": _full_load,
    "brokered per success": _per_success("brokered"),
    "rented per month": _per_month("rented_on_demand"),
    "rented per success": _per_success("rented_on_demand"),
}
