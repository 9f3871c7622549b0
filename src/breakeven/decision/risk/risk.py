"""Risk: doubt, priced: what it costs, which number to measure next, what moves the answer, and break-even odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.risk.breakeven_odds import BreakEvenOdds
from breakeven.decision.risk.inputs import Evaluate, Input, drawn_from, inputs_read
from breakeven.decision.risk.measuring import measuring_of
from breakeven.decision.risk.sobol import DRAWS_LOG2, SobolIndex, compressed, sobol_indices
from breakeven.decision.risk.tornado import Swing, tornado
from breakeven.decision.risk.value_of_information import conditional_costs, evpi_usd
from breakeven.facts.copula import Copula
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Information:
    """What it is worth to know one input before deciding."""

    of: Input
    evppi_usd: float
    """To know it exactly."""
    evppi_fraction: float
    """Of the value of knowing everything."""
    is_noise: bool
    """True: too little to be told from nothing."""
    evsi_usd: float | None
    """To measure it `samples_count` times; None: it cannot be sampled."""
    samples_count: int | None
    how_to_measure: str
    """Empty: nobody can know it today."""


@dataclass(frozen=True, slots=True)
class Variance:
    """An input's share of the variance of the saving."""

    of: Input
    index: SobolIndex


@dataclass(frozen=True, slots=True)
class Risk:
    """Doubt about one decision."""

    recommended: str
    rival: str | None
    evpi_usd: float
    information: tuple[Information, ...]
    """Largest EVPPI first."""
    swings: tuple[Swing, ...]
    """Largest swing first; empty without a rival."""
    variances: tuple[Variance, ...]
    """Largest total index first; empty without a rival."""
    breakeven_odds: tuple[BreakEvenOdds, ...]
    correlations: tuple[str, ...]
    """In words."""
    draws_count: int

    @property
    def measure_next(self) -> Information | None:
        """What to measure next: the most valuable input that can be measured; None when none is worth it."""
        return next((each for each in self.information if each.how_to_measure and not each.is_noise), None)


def weigh(
    present_cost_usd: Mapping[str, Draws],
    evaluate: Evaluate,
    draws: DrawSet,
    *,
    recommended: str,
    rival: str | None,
    breakeven_odds: Sequence[BreakEvenOdds] = (),
    correlations: Sequence[str] = (),
) -> Risk:
    """Weigh the doubt in a decision between the options of `present_cost_usd`: all that everybody may take.

    Each cost has shape ``(draws,)`` and was made with `draws`; `evaluate` makes costs with other draws (for two options
    and some ten thousand draws at a time).
    """
    names = tuple(present_cost_usd)
    costs = np.stack([np.broadcast_to(present_cost_usd[name], (draws.draws_count,)) for name in names])
    inputs = inputs_read(evaluate, names)
    swings: tuple[Swing, ...] = ()
    variances: tuple[Variance, ...] = ()
    if rival is not None:
        ours = tuple(each for each in inputs if each.read_by & {recommended, rival})
        swings = tornado(evaluate, ours, recommended=recommended, rival=rival)
        size_usd = float(np.median(np.abs(costs[names.index(rival)] - costs[names.index(recommended)])))
        variances = _variances(evaluate, ours, draws, (recommended, rival), size_usd)
    return Risk(
        recommended,
        rival,
        evpi_usd(costs),
        _information(costs, inputs, draws),
        swings,
        variances,
        tuple(breakeven_odds),
        tuple(correlations),
        draws.draws_count,
    )


def _information(costs: Floats, inputs: Sequence[Input], draws: DrawSet) -> tuple[Information, ...]:
    everything = evpi_usd(costs)
    found = []
    for each in inputs:
        given = conditional_costs(costs, draws.uniform(each.fact.name, each.fact.dimension))
        measuring = measuring_of(each.fact)
        noise = measuring.noise_over_prior_ratio(each.fact)
        samples = measuring.samples_count if noise is not None and not given.is_noise else None
        found.append(
            Information(
                each,
                given.evppi_usd,
                given.evppi_usd / everything if everything > 0 else 0.0,
                given.is_noise,
                given.evsi_usd(samples, noise) if samples is not None and noise is not None else None,
                samples,
                measuring.how,
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.evppi_usd, each.of.name)))


def _variances(
    evaluate: Evaluate, inputs: Sequence[Input], draws: DrawSet, pair: tuple[str, str], size_usd: float
) -> tuple[Variance, ...]:
    """Sobol indices of the saving, the second of `pair` less the first, on the scale of `compressed`."""
    if not inputs:
        return ()
    recommended, rival = pair

    def saving(u: Floats) -> Floats:
        count = u.shape[1]
        columns = {each.key: row for each, row in zip(inputs, u, strict=True)}
        costs = evaluate(drawn_from(columns, count), (rival, recommended))
        return compressed(np.broadcast_to(costs[rival] - costs[recommended], (count,)), size_usd)

    indices = sobol_indices(
        saving,
        len(inputs),
        seed=draws.seed,
        draws_log2=min(DRAWS_LOG2, draws.draws_log2),
        correlation=_correlation(inputs, draws.copula),
    )
    found = [Variance(each, index) for each, index in zip(inputs, indices, strict=True)]
    return tuple(sorted(found, key=lambda each: (-each.index.total_fraction, each.of.name)))


def _correlation(inputs: Sequence[Input], copula: Copula | None) -> Floats | None:
    """Correlations of the normal scores of `inputs`; None when all are independent."""
    if copula is None:
        return None
    place = {column.key: index for index, column in enumerate(copula.columns)}
    matrix = np.eye(len(inputs))
    for row, one in enumerate(inputs):
        for column, other in enumerate(inputs):
            if row != column and one.key in place and other.key in place:
                matrix[row, column] = copula.matrix[place[one.key]][place[other.key]]
    return matrix
