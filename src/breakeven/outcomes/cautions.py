"""Cautions: what a reader must know before believing a table of outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from breakeven.outcomes.agreement import OVERSTATES_POINTS_COUNT
from breakeven.outcomes.canaries import FALSE_ACCEPT_MAX_FRACTION, CanaryResult
from breakeven.outcomes.judged import JudgeAlone, Judged, judge_alone
from breakeven.outcomes.judging import GOLD_MIN_COUNT
from breakeven.outcomes.success_rates import SuccessRate

TRIES_TELLING_COUNT: Final = 20
"""Fewer answers that all succeed are no surprise."""


def cautions(found: Judged, rates: Sequence[SuccessRate]) -> tuple[str, ...]:
    """Sentences, the gravest first; `rates` are those over all requests."""
    return (
        *_of_models(found, rates),
        *_of_contradictions(found),
        *_of_judges(found),
        *(_of_canary(each) for each in found.canaries if each.accepted.high_fraction > FALSE_ACCEPT_MAX_FRACTION),
        *_of_checks(found),
        *_of_prices(rates),
    )


def _of_models(found: Judged, rates: Sequence[SuccessRate]) -> Iterator[str]:
    table = found.outcomes.table
    if len(table.models) == 1:
        yield f"Only {table.models[0]} was tried: nothing can be compared, and nothing routed."
    elif not (np.sum(~np.isnan(table.success), axis=1) >= 2).any():
        yield (
            "No request was tried by two models: differences between models may be differences between what they were "
            "asked."
        )
    telling = [each for each in rates if each.tries_count >= TRIES_TELLING_COUNT]
    for ends, words in ((1.0, "succeeds"), (0.0, "fails")):
        alike = [each.model for each in telling if each.counted.success_fraction == ends]
        if alike and len(alike) == len(table.models):
            yield f"Every answer of every model {words}: the test tells no model from another."
        elif alike:
            yield f"Every answer of {', '.join(alike)} {words}: look whether the test can tell."


def _of_contradictions(found: Judged) -> Iterator[str]:
    count = found.outcomes.contradicting_count
    judged = int(np.sum(~np.isnan(found.outcomes.table.success)))
    if count:
        told = "1 answer is" if count == 1 else f"{count:,} answers are"
        yield f"{told} told several times and differently, of {judged:,}: whoever judged was not sure."


def _of_judges(found: Judged) -> Iterator[str]:
    sources = set(found.outcomes.table.source.split("+"))
    alone = judge_alone(found, ("judge",))
    if alone.alone_count:
        yield _of_judge_alone(found, alone)
    if "agreement" in sources:
        yield (
            "Agreement with a reference ranks models well and is no measure of quality: on public outcomes it "
            f"overstated it by up to {OVERSTATES_POINTS_COUNT} points."
        )
    if "retry" in sources:
        yield "Silence counts as success where nobody asked again: people also give up in silence."
    for name, corrected in found.corrected.items():
        if not corrected.low_fraction <= corrected.judged_fraction <= corrected.high_fraction:
            kind = "kind" if corrected.bias_fraction > 0 else "strict"
            yield f"The judge is too {kind} to {name} by {abs(corrected.bias_fraction) * 100:.1f} points."


def _of_judge_alone(found: Judged, alone: JudgeAlone) -> str:
    seen = "" if found.canaries else ", and no canary shows what it lets through (--canaries)"
    is_all = alone.alone_count == alone.answers_count
    part = "" if is_all else f" for {alone.alone_count:,} of {alone.answers_count:,} answers"
    few = (
        f"{GOLD_MIN_COUNT} careful labels of each model, of answers that the judge judged too, would take its errors "
        f"out ({alone.gold_count:,} stand here, too few or without the judge's own word)."
        if alone.gold_count
        else "careful labels of a random sample (--gold) would take its errors out."
    )
    return f"A judge model alone says what succeeds{part}{seen}; {few}"


def _of_canary(result: CanaryResult) -> str:
    accepted = result.accepted
    seen = f"{100 * accepted.success_fraction:.0f} % of {result.judged_count:,}"
    if accepted.low_fraction > FALSE_ACCEPT_MAX_FRACTION:
        return (
            f"The judge passes answers that cannot be right: {seen} canaries ({result.kind}). Do not believe it alone."
        )
    return (
        f"Too few canaries ({result.kind}: {seen} passed) to say that the judge passes at most "
        f"{100 * FALSE_ACCEPT_MAX_FRACTION:.0f} % of them."
    )


def _of_checks(found: Judged) -> Iterator[str]:
    if "validator" in found.outcomes.table.source.split("+"):
        yield "Validators see form: where an answer can have the right form and be wrong, success is overstated."
    if found.checks is not None:
        for each in found.checks.unused_tasks:
            yield f"Checks are declared for the task '{each}', which no request has."


def _of_prices(rates: Sequence[SuccessRate]) -> Iterator[str]:
    if unpriced := [each.model for each in rates if each.cost.usd_per_request is None]:
        yield f"Unpriced, so without a cost per success: {', '.join(unpriced)} (a column cost_usd, or --price)."
