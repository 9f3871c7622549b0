"""Build: one Comparison and its Workload become the document that every surface shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven import __version__
from breakeven.catalog.load import Catalog
from breakeven.catalog.staleness import is_stale
from breakeven.costs.ownership_views import OwnershipViews
from breakeven.decision.comparison import (
    Band,
    Comparison,
    Lever,
    LineResult,
    OptionResult,
    Pair,
    SideBySide,
    range_of,
)
from breakeven.decision.curve import CostCurve
from breakeven.decision.envelope import Envelope
from breakeven.decision.recommendation import Recommendation, recommend
from breakeven.decision.scenario import Scenario
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Node
from breakeven.reports import scope, wording
from breakeven.reports.document import (
    SCHEMA_VERSION,
    Amount,
    AssumptionPart,
    BreakEvenPart,
    CrossingPart,
    CurvePart,
    Document,
    FooterPart,
    LeverPart,
    LinePart,
    OptionPart,
    OwnershipPart,
    PairPart,
    StretchPart,
    UnavailablePart,
    VerdictPart,
    WorkloadPart,
)
from breakeven.reports.further import Further
from breakeven.reports.prices_age import prices_age
from breakeven.reports.range_amount import amount
from breakeven.reports.scope import facts_behind
from breakeven.reports.tracing import TraceTable, source_part

LEVERS_SHOWN_COUNT = 12
EXACT_POINTS_MAX_COUNT = 400
LINEAR_VIEW_RATIO = 3.0
"""The linear view shows volumes up to this multiple of the user's own."""
ASKED_WITHOUT_A_LINE: Final = frozenset({"gpus_already_owned_count"})
"""Overrides that decide whether an option is there, and stand behind no amount."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a comparison was made from; printed in the footer."""

    catalog: Catalog
    scenario: Scenario
    calls_hash: str
    hours_per_month: float


def build_document(
    comparison: Comparison,
    workload: WorkloadPart,
    inputs: Inputs,
    *,
    next_command: str,
    warnings: Iterable[str] = (),
    urgent: Iterable[str] = (),
    further: Further | None = None,
) -> Document:
    """The document; a pure function of its arguments. `further`: what was found beyond this month.

    `urgent`: warnings that a reader must know before any figure; they stand under the verdict.
    """
    advice = recommend(comparison)
    trace = TraceTable(inputs.catalog.as_of)
    options = tuple(_option(each, trace) for each in comparison.options)
    paths = further.path_facts if further else ()
    assumptions = _assumptions(comparison, inputs, paths)
    return Document(
        schema_version=SCHEMA_VERSION,
        kind="comparison",
        verdict=_verdict(comparison, advice, workload, next_command, urgent),
        workload=workload,
        options=options,
        unavailable=tuple(
            UnavailablePart(name=each.name, title=each.title, reason=each.reason, family=each.family, kind=each.kind)
            for each in comparison.unavailable
        ),
        breakeven=breakeven_part(comparison),
        levers=tuple(_lever(each) for each in comparison.levers[:LEVERS_SHOWN_COUNT]),
        assumptions=assumptions,
        included=scope.included(comparison),
        excluded=scope.excluded(comparison),
        warnings=(
            *warnings,
            *_unused_overrides(comparison, inputs, paths),
            *_unused_measurements(comparison, inputs),
            *_age_warning(assumptions),
        ),
        trace=trace.nodes,
        footer=FooterPart(
            breakeven_version=__version__,
            calls_hash=inputs.calls_hash,
            catalog_hash=inputs.catalog.digest,
            scenario_hash=inputs.scenario.digest(),
            prices_version=inputs.catalog.genai_prices_version,
            as_of=inputs.catalog.as_of.isoformat(),
            seed=comparison.seed,
            draws_count=comparison.draws_count,
            hours_per_month=inputs.hours_per_month,
            prices_age=prices_age(assumptions),
        ),
        horizon=further.horizon if further else None,
        risk=further.risk if further else None,
        answers=further.answers if further else None,
        workbook=further.workbook if further else None,
    )


def _verdict(
    comparison: Comparison,
    advice: Recommendation,
    workload: WorkloadPart,
    next_command: str,
    urgent: Iterable[str],
) -> VerdictPart:
    details = [
        *urgent,
        *wording.constraint_details(comparison),
        *wording.data_details(workload),
        wording.quality_detail(comparison, advice),
        *wording.failure_details(comparison),
        *wording.disagreement_details(advice, comparison),
    ]
    return VerdictPart(
        sentence=wording.verdict_sentence(advice),
        details=tuple(details),
        recommended=advice.option.name,
        rival=advice.rival.name if advice.rival else None,
        confidence=advice.confidence,
        odds_fraction=advice.odds_fraction,
        saves_usd_per_month=amount(advice.saves_usd_per_month, "usd/month") if advice.saves_usd_per_month else None,
        next_command=next_command,
    )


def _option(result: OptionResult, trace: TraceTable) -> OptionPart:
    cost = result.cost
    monthly, rent, over_rent = "usd/month", result.raw_rent_usd_per_month, result.total_over_rent_ratio
    return OptionPart(
        name=cost.name,
        title=cost.title,
        family=cost.family,
        buys=cost.buys,
        usd_per_month=amount(result.usd_per_month, monthly),
        usd_per_mtok=amount(result.usd_per_mtok, "usd/mtok"),
        usd_per_success=amount(result.usd_per_success, "usd/success"),
        equal_success_usd_per_month=amount(result.equal_success_usd_per_month, monthly),
        with_losses_usd_per_month=amount(result.with_losses_usd_per_month, monthly),
        extra_usd_per_month=amount(result.extra_usd_per_month, monthly),
        success_fraction=amount(result.success_fraction, "fraction"),
        raw_rent_usd_per_month=amount(rent, monthly) if rent else None,
        total_over_rent_ratio=amount(over_rent, "ratio") if over_rent else None,
        probability_cheapest_fraction=result.cheapest_fraction,
        probability_cheapest_with_losses_fraction=result.cheapest_with_losses_fraction,
        lines=tuple(_line(each, trace) for each in result.lines),
        total_trace=trace.add(cost.total),
        cost_per_success_trace=trace.add(cost.cost_per_success),
        facts={node.name: _node_amount(node) for node in cost.facts},
        ownership=_ownership(cost.views) if cost.views else None,
        only_if=cost.only_if,
        same_as=result.same_as,
    )


def _ownership(views: OwnershipViews) -> OwnershipPart:
    """The purchase three ways; what the views do not hold themselves is their sum, draw by draw."""
    life, running = views.lifetime_months.value, views.running_usd_per_month.value
    annuity = views.depreciation_usd_per_month.value + views.cost_of_capital_usd_per_month.value
    return OwnershipPart(
        lifetime_months=_node_amount(views.lifetime_months),
        capex_usd=_node_amount(views.capex_usd),
        resale_usd=_node_amount(views.resale_usd),
        running_usd_per_month=_node_amount(views.running_usd_per_month),
        annuity_usd_per_month=_amount_of(annuity, "usd/month"),
        annuity_total_usd_per_month=_amount_of(annuity + running, "usd/month"),
        annuity_over_life_usd=_amount_of((annuity + running) * life, "usd"),
        cash_over_life_usd=_node_amount(views.cash_over_life_usd),
        depreciation_usd_per_month=_node_amount(views.depreciation_usd_per_month),
        accounting_usd_per_month=_node_amount(views.accounting_usd_per_month),
        accounting_over_life_usd=_node_amount(views.accounting_over_life_usd),
        cost_of_capital_usd_per_month=_node_amount(views.cost_of_capital_usd_per_month),
    )


def _line(result: LineResult, trace: TraceTable) -> LinePart:
    line, hours = result.line, result.engineer_hours_per_month
    return LinePart(
        name=line.name,
        title=line.title,
        usd_per_month=amount(result.usd_per_month, "usd/month"),
        engineer_hours_per_month=amount(hours, "hour/month") if hours else None,
        raw_rent=line.raw_rent,
        apart=line.apart,
        note=line.note,
        trace=trace.add(line.usd_per_month),
    )


def _node_amount(node: Node) -> Amount:
    return _amount_of(node.value, node.unit)


def _amount_of(value: Draws, unit: str) -> Amount:
    return amount(range_of(np.ravel(value)), unit)


def breakeven_part(comparison: Comparison) -> BreakEvenPart:
    envelope = comparison.envelope
    curves = {curve.name: curve for curve in comparison.curves}
    return BreakEvenPart(
        volume_mtok_per_month=comparison.typical_volume_mtok,
        axis_low_mtok_per_month=envelope.low_mtok,
        axis_high_mtok_per_month=envelope.high_mtok,
        stretches=stretch_parts(envelope),
        crossings=crossing_parts(envelope),
        pairs=tuple(pair_part(comparison, each) for each in comparison.pairs),
        curves=tuple(_curve(each, curves[each.option], comparison.typical_volume_mtok) for each in comparison.bands),
    )


def stretch_parts(envelope: Envelope) -> tuple[StretchPart, ...]:
    """Which option is cheapest along the axis."""
    return tuple(
        StretchPart(from_mtok_per_month=each.from_mtok, to_mtok_per_month=each.to_mtok, option=each.option)
        for each in envelope.stretches
    )


def crossing_parts(envelope: Envelope) -> tuple[CrossingPart, ...]:
    """Where that changes."""
    return tuple(
        CrossingPart(
            mtok_per_month=each.mtok_per_month,
            from_option=each.from_option,
            to_option=each.to_option,
            kind=each.kind,
        )
        for each in envelope.crossings
    )


def pair_part(comparison: SideBySide, pair: Pair) -> PairPart:
    """Where an option crosses the status quo."""
    report = pair.report
    return PairPart(
        option=pair.option,
        crossings_mtok_per_month=tuple(each.mtok_per_month for each in report.crossings),
        first_mtok_per_month=None if report.b_never else wording.first_cheaper_mtok(report),
        always_above_mtok_per_month=report.b_always_above_mtok,
        proven_beyond_axis="proved" in (report.b_always_basis, report.b_never_basis),
        sentence=wording.pair_sentence(comparison, pair),
    )


def _curve(band: Band, curve: CostCurve, volume_mtok: float) -> CurvePart:
    volumes, costs = corners(curve, volume_mtok)
    return CurvePart(
        option=band.option,
        volumes_mtok_per_month=floats(band.volumes_mtok),
        p10_usd_per_month=floats(band.p10_usd_per_month),
        p50_usd_per_month=floats(band.p50_usd_per_month),
        p90_usd_per_month=floats(band.p90_usd_per_month),
        typical_usd_per_month=floats(band.typical_usd_per_month),
        probability_cheapest_fraction=floats(band.cheapest_fraction),
        exact_volumes_mtok_per_month=floats(volumes),
        exact_usd_per_month=floats(costs),
    )


def corners(curve: CostCurve, here_mtok: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of each piece around the user's volume, so that jumps stand upright in a drawing."""
    end_mtok = here_mtok * LINEAR_VIEW_RATIO
    starts = curve.starts_mtok[curve.starts_mtok < end_mtok][:EXACT_POINTS_MAX_COUNT]
    ends = np.append(starts[1:], min(end_mtok, curve.end_mtok))
    pieces = slice(0, starts.size)
    intercepts, slopes = curve.intercepts_usd[pieces], curve.slopes_usd_per_mtok[pieces]
    volumes = np.stack([starts, ends], axis=1)
    costs = intercepts[:, None] + slopes[:, None] * volumes
    return volumes.ravel(), costs.ravel()


def floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    """As a document holds them."""
    return tuple(float(each) for each in values)


def _lever(lever: Lever) -> LeverPart:
    return LeverPart(
        name=lever.name,
        unit=lever.node.unit,
        low=lever.low,
        high=lever.high,
        gap_at_low_usd_per_month=lever.gap_at_low_usd_per_month,
        gap_at_high_usd_per_month=lever.gap_at_high_usd_per_month,
        gap_usd_per_month=lever.gap_usd_per_month,
        flips=lever.flips,
        grade=lever.node.source.grade.value if lever.node.source else "guess",
    )


def _assumptions(comparison: Comparison, inputs: Inputs, paths: Sequence[Node]) -> tuple[AssumptionPart, ...]:
    """Every Fact that was read, once per distinct range, with the options that read it; those of `paths` move all."""
    readers: dict[tuple[str, float, float, float], list[str]] = {}
    nodes: dict[tuple[str, float, float, float], Node] = {}
    for result in comparison.options:
        for node in facts_behind(result):
            fact = node.assumption
            if fact is not None:
                key = (node.name, fact.low, fact.typical, fact.high)
                names = readers.setdefault(key, [])
                if result.name not in names:
                    names.append(result.name)
                nodes[key] = node
    for node in paths:
        fact = node.assumption
        if fact is not None:
            key = (node.name, fact.low, fact.typical, fact.high)
            readers[key] = [result.name for result in comparison.options]
            nodes.setdefault(key, node)
    return tuple(_assumption(nodes[key], tuple(readers[key]), inputs) for key in sorted(nodes))


def _assumption(node: Node, used_by: tuple[str, ...], inputs: Inputs) -> AssumptionPart:
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
        used_by=used_by,
        stale=is_stale(fact, inputs.catalog.as_of),
    )


def _age_warning(assumptions: tuple[AssumptionPart, ...]) -> list[str]:
    stale = sum(each.stale for each in assumptions)
    if not stale:
        return []
    return [f"{stale} of {len(assumptions)} facts are older than their kind should be; the report marks them stale."]


def _unused_measurements(comparison: Comparison, inputs: Inputs) -> list[str]:
    """A measured file that stands behind no option."""
    read = {node.source for result in comparison.options for node in result.cost.facts}
    known = {(source.title, source.read) for source in read if source is not None}
    return [
        f"the measured file {each.name} ({each.facts.key}) changed nothing: no option runs that deployment; choose its "
        f"open_model, gpu, precision and gpus_per_replica_count"
        for each in inputs.scenario.measured_files()
        if (each.facts.source.title, each.facts.source.read) not in known
    ]


def _unused_overrides(comparison: Comparison, inputs: Inputs, paths: Sequence[Node]) -> list[str]:
    """An override that no option read would mislead in silence."""
    read = {node.name for result in comparison.options for node in facts_behind(result)} | ASKED_WITHOUT_A_LINE
    read |= {node.name for node in paths}
    which = "option that could be costed" if comparison.unavailable else "compared option"
    return [
        f"the override of '{name}' changed nothing: no {which} reads it"
        for name in inputs.scenario.overrides
        if name not in read
    ]
