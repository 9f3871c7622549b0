"""Outcomes document: success by task and model with intervals, who says so, what a success costs, and cautions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Final, Literal

from breakeven import __version__
from breakeven.outcomes.cautions import cautions
from breakeven.outcomes.item_success import CorrelationRange
from breakeven.outcomes.judged import Judged
from breakeven.outcomes.judging import CorrectedRate
from breakeven.outcomes.repeats import UNJUDGED, unjudged
from breakeven.outcomes.success_rates import ALL, RateRange, SuccessRate, of_group
from breakeven.reports.amounts import money
from breakeven.reports.option_part import Part

SCHEMA_VERSION: Final = "1.0"


class RangePart(Part):
    """A share with its 90 % interval."""

    value: float | None
    low: float
    high: float


class CostPart(Part):
    """Cost of one success of a single try, USD."""

    value: float | None
    """None where nothing succeeded, or nothing is priced."""
    low: float | None
    high: float | None
    why: str = ""
    """Why there is no value."""


class RatePart(Part):
    """One model in one group."""

    group: str
    """Empty: all requests."""
    model: str
    tries_count: int
    successes_count: float
    success_fraction: RangePart
    """The one to go by: corrected, else counted, or pooled where tries are few."""
    is_pooled: bool
    is_corrected: bool
    """The judge's errors are taken out of `success_fraction` and `usd_per_success`; of no group but that of all."""
    counted: RangePart
    pooled: RangePart
    usd_per_request: float | None
    usd_per_success: CostPart
    sources: dict[str, int]
    """Who judged -> answers; "" where the file does not say."""


class PricePart(Part):
    """How calls of a model are priced where the file does not say."""

    model: str
    words: str
    is_estimate: bool


class CorrectedPart(Part):
    """A model's rate with the judge's errors taken out."""

    model: str
    success_fraction: RangePart
    judged_fraction: float
    judge_weight_ratio: float
    judged_count: int
    gold_count: int
    """Careful labels; with --judge-errors the answers, of another sample, on which the judge's errors are known."""
    false_accept_fraction: float | None
    """Share of bad answers, by gold, that the judge passes; None where no gold is beside its word."""
    usd_per_success: CostPart
    """Mean cost of a call over the corrected rate; the range is that of the rate."""


class CanaryPart(Part):
    """What the judge did with answers that no honest judge passes."""

    kind: str
    judged_count: int
    false_accept_fraction: RangePart


class RepeatedPart(Part):
    """How alike tries of one request are."""

    model: str
    requests_count: int
    alpha_count: float
    beta_count: float
    correlation_fraction: float
    """Of two tries, by the likeliest Beta."""
    correlation: RangePart | None = None
    """Median and 90 % interval of what is known of it; `compare` draws from it."""


class ChecksPart(Part):
    """What the validators did."""

    checked_count: int
    failed_count: int
    overruled_count: int
    unkept_count: int
    """Answers that the file does not keep: not checked."""
    reasons: dict[str, int]


class RejectsPart(Part):
    """Rows that are no outcomes."""

    rows_count: int
    """Of the files of outcomes: rows of which something was rejected."""
    cells_count: int
    """Everything that was rejected there: of the wide format a row may have several cells."""
    labels_count: int
    """Rows of feedback and gold labels that are none."""
    reasons: dict[str, int]
    examples: list[str]
    path: str | None


class OutcomesDocument(Part):
    """The answer to `breakeven outcomes`."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["outcomes"] = "outcomes"
    breakeven_version: str = __version__
    verdict: str
    files: str
    source: str
    by: str
    requests_count: int
    models: list[str]
    rates: list[RatePart]
    prices: list[PricePart]
    corrected: list[CorrectedPart]
    canaries: list[CanaryPart]
    repeated: list[RepeatedPart]
    checks: ChecksPart | None
    warnings: list[str]
    notes: list[str]
    rejects: RejectsPart
    rows_count: int
    seed: int


@dataclass(frozen=True, slots=True)
class OutcomesQuestion:
    """What the document is of."""

    judged: Judged
    rates: Sequence[SuccessRate]
    by: str
    price_words: Mapping[str, tuple[str, bool]]
    """Model -> where its price is from, and whether it is an estimate; only where the file does not say."""
    reject_path: Path | None
    seed: int


def outcomes_document(asked: OutcomesQuestion) -> OutcomesDocument:
    """The document."""
    found, table = asked.judged, asked.judged.outcomes.table
    whole = of_group(asked.rates, ALL)
    return OutcomesDocument(
        verdict=verdict(whole, found.corrected),
        files=table.label,
        source=table.source,
        by=asked.by if any(each.group for each in asked.rates) else "",
        requests_count=table.requests_count,
        models=list(table.models),
        rates=[_rate(each, found.corrected) for each in asked.rates],
        prices=[PricePart(model=m, words=w, is_estimate=e) for m, (w, e) in asked.price_words.items()],
        corrected=_corrected(found, whole),
        canaries=[
            CanaryPart(kind=each.kind, judged_count=each.judged_count, false_accept_fraction=_range(each.accepted))
            for each in found.canaries
        ],
        repeated=[
            RepeatedPart(
                model=name,
                requests_count=each.repeated_count,
                alpha_count=each.alpha_count,
                beta_count=each.beta_count,
                correlation_fraction=each.correlation_fraction,
                correlation=None if each.correlation is None else _correlation(each.correlation),
            )
            for name, each in found.repeated.items()
        ],
        checks=None
        if found.checks is None
        else ChecksPart(
            checked_count=found.checks.checked_count,
            failed_count=found.checks.failed_count,
            overruled_count=found.checks.overruled_count,
            unkept_count=found.checks.unkept_count,
            reasons=dict(found.checks.reasons),
        ),
        warnings=list(cautions(found, whole)),
        notes=[*(each for each in found.notes if not each.endswith(UNJUDGED)), *_unjudged(found)],
        rejects=_rejects(asked),
        rows_count=found.outcomes.rows_count,
        seed=asked.seed,
    )


def _rejects(asked: OutcomesQuestion) -> RejectsPart:
    found = asked.judged
    mine = [each for each in found.rejects if f"{each.file} (" in found.outcomes.table.label]
    reasons: dict[str, int] = {}
    for each in mine:
        reasons[each.reason] = reasons.get(each.reason, 0) + 1
    return RejectsPart(
        rows_count=len({(each.file, each.row) for each in mine}),
        cells_count=len(mine),
        labels_count=len(found.rejects) - len(mine),
        reasons=reasons,
        examples=[str(each) for each in mine[:3]],
        path=str(asked.reject_path) if asked.reject_path and found.rejects else None,
    )


def _unjudged(found: Judged) -> list[str]:
    """What is not judged after every source was heard; the file's own note is of before."""
    return unjudged(found.outcomes.table, found.outcomes.tries_count)


def verdict(whole: Sequence[SuccessRate], corrected: Mapping[str, CorrectedRate]) -> str:
    """The best and the cheapest model in a sentence, with the doubt that the intervals leave."""
    if not whole:
        return "No answer is judged yet: nothing can be said of success."
    rates = {each.model: _believed(each, corrected) for each in whole}
    best = max(rates, key=lambda name: rates[name].success_fraction)
    rivals = [name for name in rates if name != best and rates[name].high_fraction >= rates[best].low_fraction]
    shown = f"{100 * rates[best].success_fraction:.1f} %"
    if len(whole) == 1:
        first = f"{best} succeeds in {shown} of {whole[0].tries_count:,} answers."
    elif rivals:
        names = ", ".join(rivals[:3]) + (", ..." if len(rivals) > 3 else "")
        first = f"{best} succeeds most often ({shown}), not beyond doubt: {names} may do as well."
    else:
        first = f"{best} succeeds most often ({shown})."
    costs = {each.model: part for each in whole if (part := _rate(each, corrected).usd_per_success).value is not None}
    return first + _of_cheapest(costs, rates) if len(costs) > 1 else first


def _of_cheapest(costs: Mapping[str, CostPart], rates: Mapping[str, RateRange]) -> str:
    cheapest = min(costs, key=lambda name: costs[name].value or 0.0)
    mine = costs[cheapest]
    most = inf if mine.high is None else mine.high
    rivals = [name for name, each in costs.items() if name != cheapest and (each.low or 0.0) <= most]
    doubt = ""
    if rivals:
        doubt = f", not beyond doubt ({', '.join(rivals[:3])}{', ...' if len(rivals) > 3 else ''} may cost as little)"
    return (
        f" Success costs least with {cheapest}: {money(1000 * (mine.value or 0.0))} per thousand by single tries, "
        f"at {100 * rates[cheapest].success_fraction:.1f} % success{doubt}; what a failure costs is not in that."
    )


def _believed(rate: SuccessRate, corrected: Mapping[str, CorrectedRate]) -> RateRange:
    """The rate with the judge's errors taken out, where they are known."""
    found = corrected.get(rate.model)
    if found is None:
        return rate.counted
    return RateRange(found.success_fraction, found.low_fraction, found.high_fraction)


def to_json(document: OutcomesDocument) -> str:
    """The document as JSON text."""
    return document.model_dump_json(indent=2) + "\n"


def _rate(rate: SuccessRate, corrected: Mapping[str, CorrectedRate]) -> RatePart:
    cost, known = rate.cost, None if rate.group else corrected.get(rate.model)
    why = "" if cost.usd_per_success is not None else "unpriced" if cost.usd_per_request is None else "no success"
    return RatePart(
        group=rate.group,
        model=rate.model,
        tries_count=rate.tries_count,
        successes_count=rate.successes_count,
        success_fraction=_range(rate.shown if known is None else _believed(rate, corrected)),
        is_pooled=rate.is_rare and known is None,
        is_corrected=known is not None,
        counted=_range(rate.counted),
        pooled=_range(rate.pooled),
        usd_per_request=cost.usd_per_request,
        usd_per_success=CostPart(
            value=cost.usd_per_success, low=cost.low_usd_per_success, high=cost.high_usd_per_success, why=why
        )
        if known is None
        else _corrected_cost(known, cost.usd_per_request),
        sources=dict(rate.sources),
    )


def _range(rate: RateRange) -> RangePart:
    value = rate.success_fraction
    return RangePart(value=value if isfinite(value) else None, low=rate.low_fraction, high=rate.high_fraction)


def _correlation(known: CorrelationRange) -> RangePart:
    return RangePart(value=known.typical_fraction, low=known.low_fraction, high=known.high_fraction)


def _corrected(found: Judged, whole: Sequence[SuccessRate]) -> list[CorrectedPart]:
    costs = {each.model: each.cost.usd_per_request for each in whole}
    return [
        CorrectedPart(
            model=name,
            success_fraction=RangePart(value=each.success_fraction, low=each.low_fraction, high=each.high_fraction),
            judged_fraction=each.judged_fraction,
            judge_weight_ratio=each.judge_weight_ratio,
            judged_count=each.judged_count,
            gold_count=each.gold_count,
            false_accept_fraction=found.confusions[name].false_accept_fraction if name in found.confusions else None,
            usd_per_success=_corrected_cost(each, costs.get(name)),
        )
        for name, each in found.corrected.items()
    ]


def _corrected_cost(rate: CorrectedRate, usd_per_request: float | None) -> CostPart:
    if usd_per_request is None or rate.success_fraction <= 0:
        return CostPart(value=None, low=None, high=None, why="unpriced" if usd_per_request is None else "no success")
    return CostPart(
        value=usd_per_request / rate.success_fraction,
        low=usd_per_request / rate.high_fraction,
        high=usd_per_request / rate.low_fraction if rate.low_fraction > 0 else None,
    )
