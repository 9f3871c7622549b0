"""Models build: a ranking of open models and its Workload become the models document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from breakeven import __version__
from breakeven.catalog.staleness import is_stale
from breakeven.costs.line import CostLine
from breakeven.decision.comparison import Range, leaf_nodes
from breakeven.decision.model_claims import (
    DuelClaim,
    RatioClaim,
    gold_standard,
    mid_against_tier,
    seventy_over_seven,
)
from breakeven.decision.models import ModelCost, ModelRanking, WayCost
from breakeven.facts.trace import Node
from breakeven.reports import models_wording as wording
from breakeven.reports.build import Inputs
from breakeven.reports.document import AssumptionPart, FooterPart, WorkloadPart
from breakeven.reports.models_document import (
    SCHEMA_VERSION,
    LeftOutPart,
    ModelClaimPart,
    ModelPart,
    ModelsDocument,
    ModelsVerdictPart,
    RefusedWayPart,
    SizeRatioPart,
    SuccessPart,
    WayPart,
)
from breakeven.reports.prices_age import prices_age
from breakeven.reports.range_amount import amount
from breakeven.reports.scope import ALWAYS_EXCLUDED, WITH_FLEETS
from breakeven.reports.tracing import source_part
from breakeven.reports.wording import data_details

TODAY = "today"


def build_models_document(
    ranking: ModelRanking, workload: WorkloadPart, inputs: Inputs, *, next_command: str, warnings: Iterable[str] = ()
) -> ModelsDocument:
    """The document; a pure function of its arguments."""
    best = ranking.best
    assumptions = _assumptions(ranking, inputs)
    return ModelsDocument(
        schema_version=SCHEMA_VERSION,
        kind="models",
        verdict=ModelsVerdictPart(
            sentence=wording.verdict_sentence(ranking),
            details=(*data_details(workload), *wording.verdict_details(ranking, inputs.scenario.open_model)),
            cheapest=best.name if best else None,
            odds_fraction=best.cheapest_fraction if best else 0.0,
            next_command=next_command,
        ),
        workload=workload,
        models=tuple(_model(each, rank) for rank, each in enumerate(ranking.models, 1)),
        left_out=tuple(
            LeftOutPart(name=each.model.name, size_class=each.size_class, kind=each.kind, reasons=each.reasons)
            for each in ranking.left_out
        ),
        today=_way(ranking.status_quo),
        cheaper_tier=_way(ranking.cheaper_tier) if ranking.cheaper_tier else None,
        claims=claim_parts(ranking),
        assumptions=assumptions,
        included=_included(ranking),
        excluded=(*wording.EXCLUDED, WITH_FLEETS, *ALWAYS_EXCLUDED),
        warnings=tuple(warnings),
        footer=FooterPart(
            breakeven_version=__version__,
            calls_hash=inputs.calls_hash,
            catalog_hash=inputs.catalog.digest,
            scenario_hash=inputs.scenario.digest(),
            prices_version=inputs.catalog.genai_prices_version,
            as_of=inputs.catalog.as_of.isoformat(),
            seed=ranking.seed,
            draws_count=ranking.draws_count,
            hours_per_month=inputs.hours_per_month,
            prices_age=prices_age(assumptions),
        ),
    )


def claim_parts(ranking: ModelRanking) -> tuple[ModelClaimPart, ...]:
    """The guide's claims about sizes of models, tested on this ranking."""
    small, mid, ratio = gold_standard(ranking), mid_against_tier(ranking), seventy_over_seven(ranking)
    return (
        _duel("small_gold_standard", small, wording.duel_because(ranking, small)),
        _duel("mid_beats_tier", mid, wording.duel_because(ranking, mid)),
        _ratio("seventy_is_ten_sevens", ratio),
    )


def _duel(name: str, test: DuelClaim, because: str) -> ModelClaimPart:
    return ModelClaimPart(
        name=name,
        claim=test.claim,
        figure=wording.duel_figure(test),
        verdict=test.verdict,
        because=because,
        wins_fraction=None if test.verdict == "not tested" else test.wins_fraction,
        ratios=(),
    )


def _ratio(name: str, test: RatioClaim) -> ModelClaimPart:
    return ModelClaimPart(
        name=name,
        claim=test.claim,
        figure=wording.ratio_figure(test),
        verdict=test.verdict,
        because=wording.ratio_because(test),
        wins_fraction=None,
        ratios=tuple(
            SizeRatioPart(measure=each.measure, large=each.large, small=each.small, ratio=amount(each.ratio, "ratio"))
            for each in test.ratios
        ),
    )


def _model(each: ModelCost, rank: int) -> ModelPart:
    success = each.success
    return ModelPart(
        rank=rank,
        name=each.name,
        size_class=each.size_class,
        params_count=each.model.params_count,
        active_params_count=each.model.active_params_count,
        context_tokens=each.model.context_tokens,
        calls_too_long_fraction=each.too_long_fraction,
        ways=tuple(_way(way) for way in each.ways),
        refused=tuple(
            RefusedWayPart(option=way.option, title=way.title, kind=way.kind, reason=way.reason) for way in each.refused
        ),
        success=SuccessPart(
            name=success.name,
            low=success.low,
            typical=success.typical,
            high=success.high,
            grade=success.source.grade.value,
        ),
        needed_success_fraction=amount(each.needed_success, "fraction"),
        needed_within=each.needed_within,
        probability_cheapest_fraction=each.cheapest_fraction,
        probability_below_today_fraction=each.below_status_quo_fraction,
    )


def _way(way: WayCost) -> WayPart:
    def shown(value: Range | None, unit: str) -> object:
        return amount(value, unit) if value else None

    return WayPart.model_validate(
        {
            "option": way.option,
            "title": way.cost.title,
            "buys": way.cost.buys,
            "gpu": way.gpu,
            "gpus_count": shown(way.gpus_count, "count"),
            "note": way.note,
            "usd_per_month": amount(way.usd_per_month, "usd/month"),
            "usd_per_mtok": amount(way.usd_per_mtok, "usd/mtok"),
            "token_usd_per_mtok": shown(way.token_usd_per_mtok, "usd/mtok"),
            "usd_per_success": amount(way.usd_per_success, "usd/success"),
        }
    )


def _everything(ranking: ModelRanking) -> list[tuple[str, WayCost]]:
    """Every way that was costed, with the model's name; today's models and the cheaper tier by what they are."""
    found = [(each.name, way) for each in ranking.models for way in each.ways]
    tier = [("cheaper tier", ranking.cheaper_tier)] if ranking.cheaper_tier else []
    return [(TODAY, ranking.status_quo), *tier, *found]


def _included(ranking: ModelRanking) -> tuple[str, ...]:
    """Titles of all lines that are more than zero somewhere."""
    lines: dict[str, CostLine] = {}
    for _, way in _everything(ranking):
        for line in way.cost.breakdown.lines:
            if np.any(line.usd_per_month.value > 0):
                lines.setdefault(line.title, line)
    return tuple(f"{title}, not in the total" if line.apart else title for title, line in lines.items())


def _assumptions(ranking: ModelRanking, inputs: Inputs) -> tuple[AssumptionPart, ...]:
    """Every Fact that was read, once per distinct range, with the models that read it."""
    readers: dict[tuple[str, float, float, float], dict[str, None]] = {}
    nodes: dict[tuple[str, float, float, float], Node] = {}
    for name, way in _everything(ranking):
        cost = way.cost
        for node in leaf_nodes([cost.cost_per_success, *(line.usd_per_month for line in cost.breakdown.lines)]):
            fact = node.assumption
            if fact is not None:
                key = (fact.name, fact.low, fact.typical, fact.high)
                readers.setdefault(key, {})[name] = None
                nodes[key] = node
    return tuple(_assumption(nodes[key], tuple(readers[key]), inputs) for key in sorted(nodes))


def _assumption(node: Node, used_by: Sequence[str], inputs: Inputs) -> AssumptionPart:
    fact = node.assumption
    assert fact is not None
    return AssumptionPart(
        name=fact.name,
        unit=fact.unit,
        low=fact.low,
        typical=fact.typical,
        high=fact.high,
        layer=node.layer.value,
        source=source_part(fact.source, inputs.catalog.as_of),
        note=fact.note,
        used_by=tuple(used_by),
        stale=is_stale(fact, inputs.catalog.as_of),
    )
