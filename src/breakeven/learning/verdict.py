"""Verdict: route, do not route, or not enough evidence: is any router better than the best single model beyond doubt?

On requests that nothing was learnt from. All single models and all routers are compared at once, and the bounds hold
for all together (the largest of their standardised errors in bootstrap draws), so that trying many does not make one
look good. A single model that keeps the floor and costs less than the reference is found by the same rule: often that
is the whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.betting import Flags
from breakeven.learning.frontier import CostBasis, costs, hull
from breakeven.learning.resampling import RESAMPLES_COUNT, Figure, figure, resampled_means
from breakeven.outcomes.outcome import Floats, Indexes

Answer = Literal["route", "do not route", "not enough evidence"]
_ONE_SIDED: Final = 0.05
_ONE_SIDED_ERRORS: Final = 1.645
_POWER_ERRORS: Final = 0.842
"""Quantile of a power of 80 %."""
FEWEST_REQUESTS: Final = 300
"""Labelled requests below which no router is believed; a single model may be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One way to serve the held-out requests."""

    name: str
    is_single: bool
    cost_per_request: Figure
    """In the verdict's cost basis."""
    success_fraction: Figure
    keeps_floor: bool
    """Beyond doubt, or proven elsewhere."""
    gain_per_request: Figure
    """What it takes off the objective of the best single model; `low` holds for all at once."""
    beats_best_single: bool
    lead_over_chance: Figure
    """Success less that of models mixed by chance at the same cost, which spends the floor's slack as well."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and what it rests on."""

    answer: Answer
    model: str | None
    """The single model to use; None where the answer is to route."""
    router: str | None
    """The router to use; None where the answer is not to route."""
    cheaper_model_will_do: bool
    """A single model that costs less than the reference keeps the floor."""
    sentence: str
    standings: tuple[Standing, ...]
    requests_count: int
    cost_basis: CostBasis
    missing_requests_count: int | None
    """Labelled requests to add until the best router tried would probably be shown to be better."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """Means, bootstrap errors and bounds of all comparisons. Ways are the single models, then the routers."""

    names: tuple[str, ...]
    singles: int
    cost: Floats
    success: Floats
    quality: Floats
    """Success less the floor's part of the reference's; its bound below."""
    quality_low: Floats
    gain: Floats
    """Of each way over each single model, shape (ways, singles)."""
    gain_low: Floats
    gain_error: Floats
    better_low: Floats
    """Lower bound of the success over that of each single model."""
    draws: Floats
    """Cost and success of each way in each draw, shape (draws, 2, ways)."""
    lead: Floats
    """Success over that of single models mixed by chance at the same cost, shape (ways,)."""
    lead_draws: Floats
    """The same in each draw, shape (draws, ways)."""
    critical: float  # in standard errors
    is_one_model: bool
    """Each router sends all requests to one model, so none was tried."""


def verdict(
    routers: Mapping[str, Indexes],
    success: Floats,
    cost_usd: Floats | None,
    models: tuple[str, ...],
    reference: int,
    quality_floor_ratio: float = 0.95,
    failure_usd_per_request: Floats | None = None,
    proven: frozenset[str] = frozenset(),
    resamples_count: int = RESAMPLES_COUNT,
    seed: int = 0,
    paid: Mapping[str, Floats] | None = None,
    barred: frozenset[int] = frozenset(),
    mixes: Floats | None = None,
) -> Verdict:
    """Judge routers (name -> model of each request) on complete held-out outcomes (requests, models).

    The objective is the cost of a request plus, where given, what its failure costs (one number, or one for each
    request). A way must keep the floor, a part of the reference model's success, on these requests beyond doubt, or
    be named in `proven` (its floor was proven on other requests). `paid` is what a router costs on each request where
    that is not the cost of the model whose answer is given: a cascade pays every model that it asks. `barred` models
    may not take all requests alone (capacity, budget); `mixes` are the shares that chance may give the models, shape
    (mixes, models), each model alone where left out.
    """
    if len(success) < 2:
        raise LearningError(
            f"{len(success)} held-out requests: a verdict wants two at least, and {FEWEST_REQUESTS} to route"
        )
    money, basis = costs(success, cost_usd, reference)
    trial = _trial(
        routers, success, money, models, reference, quality_floor_ratio,
        failure_usd_per_request if basis == "usd" else None, resamples_count, seed,
        (paid or {}) if basis == "usd" else {}, mixes,
    )  # fmt: skip
    keeps = (trial.quality_low >= 0) | np.array([each in proven for each in trial.names])
    keeps[list(barred)] = False
    keeps[reference] = True
    best = _best_single(trial, keeps, reference)
    beats = keeps & _beats(trial, best) & (np.quantile(trial.lead_draws, _ONE_SIDED, axis=0) > 0)
    beats[: trial.singles] = False
    standings = tuple(_standing(trial, at, best, bool(keeps[at]), bool(beats[at])) for at in range(len(trial.names)))
    return _answer(trial, standings, best, reference, beats, len(success), basis, quality_floor_ratio)


def _trial(
    routers: Mapping[str, Indexes],
    success: Floats,
    money: Floats,
    models: tuple[str, ...],
    reference: int,
    quality_floor_ratio: float,
    failure_usd_per_request: Floats | None,
    resamples_count: int,
    seed: int,
    paid_by: Mapping[str, Floats],
    mixes: Floats | None,
) -> _Trial:
    rows, singles = np.arange(len(success)), success.shape[1]
    won = np.column_stack([success, *(success[rows, each] for each in routers.values())])
    paid = np.column_stack([money, *(paid_by.get(name, money[rows, each]) for name, each in routers.items())])
    failure = (
        0.0 if failure_usd_per_request is None else np.broadcast_to(failure_usd_per_request, (len(rows),))[:, None]
    )
    burden = paid + failure * (1.0 - won)
    ways = won.shape[1]
    draws = resampled_means(np.column_stack([paid, won, burden]), resamples_count, seed).reshape(-1, 3, ways)
    means = np.stack([paid.mean(axis=0), won.mean(axis=0), burden.mean(axis=0)])
    compared = _compared(means, singles, reference, quality_floor_ratio)
    drawn = _compared(np.moveaxis(draws, 0, -1), singles, reference, quality_floor_ratio)
    error = drawn.std(axis=-1)
    errors = (drawn - compared[..., None]) / np.where(error > 0, error, np.inf)[..., None]
    critical = float(np.quantile(errors.max(axis=0), 0.95))
    low = compared - critical * error
    split = [ways, ways + ways * singles]
    quality, gain, _ = np.split(compared, split)
    quality_low, gain_low, better_low = np.split(low, split)
    shape = (ways, singles)
    return _Trial(
        names=(*models, *routers),
        singles=singles,
        cost=means[0],
        success=means[1],
        quality=quality,
        quality_low=quality_low,
        gain=gain.reshape(shape),
        gain_low=gain_low.reshape(shape),
        gain_error=np.split(error, split)[1].reshape(shape),
        better_low=better_low.reshape(shape),
        draws=draws[:, :2],
        critical=critical,
        is_one_model=bool(routers) and all((each == each[0]).all() for each in routers.values()),
        **_leads(means, draws, np.eye(singles) if mixes is None else mixes),
    )


def _leads(means: Floats, draws: Floats, mixes: Floats) -> dict[str, Floats]:
    """How much more often each way succeeds than a lottery among single models that costs the same.

    What the lottery mixes are the corners of the hull of all `mixes` (each model alone, where nothing limits it); a way
    cheaper than any is compared with the cheapest, one dearer than any with the most successful.
    """
    singles = mixes.shape[1]
    mixed_cost, mixed_won = (means[:2, :singles] @ mixes.T).tolist()
    _, corner_success = hull(np.array(mixed_cost), np.array(mixed_won))
    corners = mixes[[mixed_won.index(each) for each in corner_success]]
    every = np.concatenate([means[None, :2], draws[:, :2]])
    found = np.empty((len(every), every.shape[2]))
    for at, (cost, won) in enumerate(every):
        corner_cost, corner_won = corners @ cost[:singles], corners @ won[:singles]
        order = np.argsort(corner_cost, kind="stable")
        found[at] = won - np.interp(cost, corner_cost[order], corner_won[order])
    return {"lead": found[0], "lead_draws": found[1:]}


def _compared(means: Floats, singles: int, reference: int, quality_floor_ratio: float) -> Floats:
    """Everything that is compared, in one row: quality of each way, then gain and success over each single model."""
    _, won, burden = means
    quality = won - quality_floor_ratio * won[reference]
    gain = burden[None, :singles] - burden[:, None]
    better = won[:, None] - won[None, :singles]
    flat = (-1, *means.shape[2:])
    return np.concatenate([quality, gain.reshape(flat), better.reshape(flat)])


def _best_single(trial: _Trial, keeps: Flags, reference: int) -> int:
    """Of the single models that keep the floor, the one with the least objective; the likelier to succeed of equals."""
    kept = [each for each in range(trial.singles) if keeps[each]]
    return min(kept, key=lambda each: (-trial.gain[each, reference], -trial.success[each], each != reference))


def _beats(trial: _Trial, best: int) -> Flags:
    """Cheaper by the objective beyond doubt, or more successful beyond doubt at no more cost."""
    more = (trial.better_low[:, best] > 0) & (trial.cost <= trial.cost[best])
    return np.asarray((trial.gain_low[:, best] > 0) | more)


def _standing(trial: _Trial, at: int, best: int, keeps: bool, beats: bool) -> Standing:
    gain = trial.gain[at, best]
    return Standing(
        name=trial.names[at],
        is_single=at < trial.singles,
        cost_per_request=figure(float(trial.cost[at]), trial.draws[:, 0, at]),
        success_fraction=figure(float(trial.success[at]), trial.draws[:, 1, at]),
        keeps_floor=keeps,
        gain_per_request=Figure(float(gain), float(trial.gain_low[at, best]), None),
        beats_best_single=beats,
        lead_over_chance=figure(float(trial.lead[at]), trial.lead_draws[:, at]),
    )


def _answer(
    trial: _Trial,
    standings: tuple[Standing, ...],
    best: int,
    reference: int,
    beats: Flags,
    requests: int,
    basis: CostBasis,
    quality_floor_ratio: float,
) -> Verdict:
    enough = requests >= FEWEST_REQUESTS
    winners = np.flatnonzero(beats)
    router = trial.names[int(winners[np.argmax(trial.gain[winners, best])])] if len(winners) and enough else None
    cheaper = best != reference and trial.cost[best] < trial.cost[reference]
    hopeful = [
        at
        for at in range(trial.singles, len(trial.names))
        if trial.gain[at, best] > 0 and (trial.quality[at] > 0 or standings[at].keeps_floor) and trial.lead[at] > 0
    ]
    missing = None if router or not hopeful else min(_missing(trial, at, best, requests) for at in hopeful)
    if router is not None:
        answer: Answer = "route"
    else:
        answer = "do not route" if enough or not hopeful else "not enough evidence"
    sentence = _sentence(answer, trial, best, reference, router, hopeful, basis, quality_floor_ratio, missing, requests)
    return Verdict(
        answer=answer,
        model=None if router else trial.names[best],
        router=router,
        cheaper_model_will_do=bool(cheaper),
        sentence=sentence,
        standings=standings,
        requests_count=requests,
        cost_basis=basis,
        missing_requests_count=missing,
    )


def _missing(trial: _Trial, at: int, best: int, requests: int) -> int:
    """Requests to add until the gain would be shown four times in five, if it is what it looks like."""
    ratio = (trial.critical + _POWER_ERRORS) * trial.gain_error[at, best] / trial.gain[at, best]
    if trial.lead[at] > 0:
        ratio = max(ratio, (_ONE_SIDED_ERRORS + _POWER_ERRORS) * float(trial.lead_draws[:, at].std()) / trial.lead[at])
    return max(int(np.ceil(requests * ratio**2)), FEWEST_REQUESTS, requests + 1) - requests


def _sentence(
    answer: Answer,
    trial: _Trial,
    best: int,
    reference: int,
    router: str | None,
    hopeful: list[int],
    basis: CostBasis,
    quality_floor_ratio: float,
    missing: int | None,
    requests: int,
) -> str:
    """The verdict first, then the figures."""
    if router is not None:
        at = trial.names.index(router)
        return (
            f"Route with {router}: {_beside(trial, at, best, basis)}, on {requests:,} held-out requests, "
            "beyond doubt (95 %, all ways tried together)."
        )
    alone = trial.names[best]
    if best != reference:
        alone = f"{alone} alone: {_beside(trial, best, reference, basis)}"
    else:
        alone = f"{alone} alone, success {100 * trial.success[best]:.1f} %"
    tried = max(hopeful, key=lambda at: trial.gain[at, best]) if hopeful else None
    lottery = [at for at in range(trial.singles, len(trial.names)) if trial.gain[at, best] > 0 >= trial.lead[at]]
    if tried is None and lottery:
        rest = (
            f"the best router tried ({trial.names[lottery[0]]}: {_beside(trial, lottery[0], best, basis)}) does no "
            "better than models mixed by chance at the same cost"
        )
    elif tried is None and trial.is_one_model:
        rest = "what was judged sends every request to one model, so no router was tried on these"
    elif tried is None:
        rest = (
            "no router tried costs less and keeps "
            + f"{100 * quality_floor_ratio:.0f} % of {trial.names[reference]}'s success"
        )
    else:
        rest = (
            f"the best router tried ({trial.names[tried]}: {_beside(trial, tried, best, basis)}) is not surely better"
            f"{'' if trial.gain_low[tried, best] <= 0 else ' than models mixed by chance at the same cost'}"
        )
        rest += f"; about {missing:,} more labelled requests could tell" if missing is not None else ""
    start = "Not enough evidence to route, stay with" if answer == "not enough evidence" else "Do not route: use"
    return f"{start} {alone}; {rest} ({requests:,} held-out requests)."


def _beside(trial: _Trial, at: int, other: int, basis: CostBasis) -> str:
    """Cost and success of one way beside another's."""
    what = "cost" if basis == "usd" else "calls of the reference model"
    then = trial.cost[other]
    part = f"{100 * (trial.cost[at] / then):.0f} % of the {what}" if then > 0 else f"no more {what}"
    ours, theirs = 100 * trial.success[at], 100 * trial.success[other]
    return f"{part} of {trial.names[other]}, success {ours:.1f} % against {theirs:.1f} %"
