"""Measured retries: how alike tries of one request are, from a file of outcomes that numbers them (`attempt`).

Asked for where the scenario allows more tries than one. A model's own correlation takes the place of the catalogue's
guess only where its 90 % interval is narrower than the guess's: one as wide would tell no more. Models that answer
together count by their calls; those of which nothing is measured keep the guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Binder
from breakeven.options.assembly.measured_success import TITLE, MeasuredModel, MeasuredSuccess, TriesBelief, fact_name
from breakeven.options.assembly.retries import TRIES, retries
from breakeven.options.assembly.situation import Situation

CORRELATION: Final = "retry_correlation_fraction"


def bind_correlation(binder: Binder, situation: Situation, shares: Mapping[MeasuredModel | None, float]) -> None:
    """Bind the correlation of tries of the models that answer, each with its share of the calls; None: not measured.

    Nothing is bound, and the catalogue's guess counts, where none of them is measured well enough or the scenario says
    what it is.
    """
    outcomes = situation.choices.outcomes
    if outcomes is None or not retries(binder) or CORRELATION in binder.scenario:
        return
    guess, read = situation.catalog.assumptions[CORRELATION], situation.demand.source.read
    named: dict[str, float] = {}
    facts = {}
    for model, share in shares.items():
        fact = correlation_fact(outcomes, model, guess, read) if model is not None else None
        facts[(fact or guess).name] = fact or guess
        named[(fact or guess).name] = named.get((fact or guess).name, 0.0) + share
    if set(named) == {CORRELATION}:
        return
    binder.offer = {**binder.offer, **{name: each for name, each in facts.items() if name != CORRELATION}}
    if len(named) == 1:
        binder.rename(CORRELATION, next(iter(named)), "as measured")
        return
    nodes = tuple(binder.node(name) for name in named)
    value: Draws | float = 0.0
    for node, share in zip(nodes, named.values(), strict=True):
        value = value + node.value * share
    said = "mean over the models that answer, weighted by calls, measured where the outcomes tell"
    binder.derive(CORRELATION, value, said, *nodes, weights=tuple(named.values()))


def correlation_fact(
    outcomes: MeasuredSuccess, model: MeasuredModel, guess: Assumption, read: date
) -> Assumption | None:
    """What the outcomes measured of `model`; None where that is nothing, or no narrower than the guess."""
    tries = model.tries
    if tries is None or not _tells_more(tries, guess):
        return None
    return _fact(outcomes.label, outcomes.judged_by, model, read)


def unmeasured_tries(success: MeasuredSuccess, situation: Situation) -> list[str]:
    """For each model of the outcomes that is not measured well enough, why the guess stays; nothing without retries."""
    if TRIES not in situation.scenario or CORRELATION in situation.scenario:
        return []
    guess = situation.catalog.assumptions[CORRELATION]
    wide = [
        f"{each.name} ({each.tries.repeated_count:,} requests, {each.tries.low_fraction:.2f} to "
        f"{each.tries.high_fraction:.2f})"
        for each in success.models
        if each.tries is not None and not _tells_more(each.tries, guess)
    ]
    never = [each.name for each in success.models if each.tries is None]
    stays = f"the guess stays ({guess.low:g} to {guess.high:g})"
    found = []
    if wide:
        found.append(
            f"tries of one request tell no more about how alike they are than is guessed: {', '.join(wide)}; {stays}"
        )
    if never:
        named = ", ".join(never[:3]) + (", ..." if len(never) > 3 else "")
        found.append(
            f"too few requests were tried more than once to tell how alike tries are: {named}; {stays}. Number "
            "repeated tries in a column `attempt`"
        )
    return found


def _tells_more(tries: TriesBelief, guess: Assumption) -> bool:
    return tries.high_fraction - tries.low_fraction < guess.high - guess.low


@lru_cache(maxsize=256)
def _fact(label: str, judged_by: str, model: MeasuredModel, read: date) -> Assumption:
    tries = model.tries
    assert tries is not None
    judged = f", judged by {judged_by}" if judged_by else ""
    title = f"{TITLE}{label}: {model.name}, {tries.repeated_count:,} requests tried more than once{judged}"
    return Assumption(
        fact_name(model.name, CORRELATION),
        "fraction",
        tries.low_fraction,
        tries.typical_fraction,
        tries.high_fraction,
        Source(title, label, read, Grade.MEASURED),
        "Correlation of two tries of one request: posterior of the beta-binomial, 5 % to 95 %.",
    )
