"""Saving: what routing takes off the bill, signed, against what ran before, the best single model and the dearest one.

Routing has costs of its own and they are charged: prompt-cache hits lost by moving calls between models, the judge
that labels, shadow calls, the router. A cost that nobody stated is listed as not stated, not taken for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.learning.frontier import most_successful
from breakeven.learning.resampling import RESAMPLES_COUNT, Figure, figure, resampled_means, untold
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.units import TOKENS_PER_MTOK

UNPRICED: Final = "the cost of some model's calls is not known: give --price MODEL=USD, or cost_usd in the file"
_NOTHING_PAID: Final = "nothing was paid before"


@dataclass(frozen=True, slots=True)
class Charges:
    """What routing itself costs; None: not stated."""

    lost_cache_usd_per_request: float | None = None
    judge_usd_per_request: float | None = None
    shadow_usd_per_request: float | None = None
    router_usd_per_request: float | None = None

    def items(self) -> tuple[tuple[str, float | None], ...]:
        """Name and amount of each."""
        return (
            ("lost prompt-cache hits", self.lost_cache_usd_per_request),
            ("judge", self.judge_usd_per_request),
            ("shadow calls", self.shadow_usd_per_request),
            ("router", self.router_usd_per_request),
        )

    @property
    def total_usd_per_request(self) -> float:
        """Of those stated."""
        return sum(amount for _, amount in self.items() if amount is not None)

    @property
    def not_stated(self) -> tuple[str, ...]:
        """Names of the costs that nobody gave."""
        return tuple(name for name, amount in self.items() if amount is None)


def lost_cache_usd_per_request(
    moved_fraction: float,
    cached_tokens_per_request: float,
    input_usd_per_mtok: float,
    cache_read_usd_per_mtok: float,
) -> float:
    """Cost of cached input tokens that are paid in full because the call went to a model without that cache.

    >>> lost_cache_usd_per_request(0.5, 2000.0, 2.0, 0.2)
    0.0018
    """
    lost_tokens = moved_fraction * cached_tokens_per_request
    return lost_tokens * (input_usd_per_mtok - cache_read_usd_per_mtok) / TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True)
class Saving:
    """What a policy costs beside one way to do without it. Positive figures are saved, negative ones are lost."""

    against: str
    """`incumbent`, `best_single` or `dearest`."""
    model: str
    """The model, or the models, that took the calls there."""
    before_usd_per_request: float | None
    after_usd_per_request: float | None
    """With the charges."""
    saved_usd_per_request: Figure
    saved_fraction: Figure
    success_change_fraction: Figure
    """Success of the policy less success there: points of success rate, from -1 to 1."""

    @property
    def sentence(self) -> str:
        """The saving in words; a loss is said as a cost."""
        change = self.success_change_fraction.value or 0.0
        quality = f"success {100 * change:+.1f} points"
        if self.success_change_fraction.low is not None and self.success_change_fraction.high is not None:
            low, high = self.success_change_fraction.low, self.success_change_fraction.high
            quality += f" ({100 * low:+.1f} to {100 * high:+.1f})"
        saved, part = self.saved_usd_per_request, self.saved_fraction
        if saved.value is None or part.value is None:
            return f"against {self.model}: no money figure ({saved.why}); {quality}"
        verb = "saves" if saved.value >= 0 else "costs"
        more = "" if saved.value >= 0 else " more"
        ends = sorted(abs(each) for each in (part.low, part.high) if each is not None)
        span = (
            f" ({100 * ends[0]:.0f} to {100 * ends[1]:.0f} %)"
            if len(ends) == 2 and (part.low or 0.0) * (part.high or 0.0) > 0
            else f" (from {100 * (part.low or 0.0):+.0f} to {100 * (part.high or 0.0):+.0f} % saved)"
        )
        amount = f"{abs(saved.value) * 1000:.4g} USD{more} per 1,000 requests, {100 * abs(part.value):.0f} %"
        return f"against {self.model}: {verb} {amount}{span}; {quality}"


def savings(
    choices: Indexes,
    success: Floats,
    cost_usd: Floats | None,
    models: tuple[str, ...],
    incumbent: Indexes | None = None,
    best_single: int | None = None,
    charges: Charges | None = None,
    resamples_count: int = RESAMPLES_COUNT,
    seed: int = 0,
    paid_usd: Floats | None = None,
) -> tuple[Saving, ...]:
    """Savings of a policy's choices on complete outcomes (requests, models).

    `incumbent` is the model that took each request before; left out where nobody knows. `best_single` is the model that
    succeeds most, on these requests where it is not given. `paid_usd` is what the policy's requests cost where that is
    not the chosen model's call alone (a cascade asks several).
    """
    best = most_successful(success) if best_single is None else best_single
    everyone: dict[str, Indexes] = {} if incumbent is None else {"incumbent": incumbent}
    everyone["best_single"] = np.full(len(success), best, dtype=np.intp)
    if cost_usd is not None and not np.isnan(cost_usd).any():
        everyone["dearest"] = np.full(len(success), int(np.argmax(cost_usd.mean(axis=0))), dtype=np.intp)
    return _against(everyone, choices, success, cost_usd, models, charges or Charges(), resamples_count, seed, paid_usd)


def _against(
    everyone: Mapping[str, Indexes],
    choices: Indexes,
    success: Floats,
    cost_usd: Floats | None,
    models: tuple[str, ...],
    charges: Charges,
    resamples_count: int,
    seed: int,
    paid_usd: Floats | None,
) -> tuple[Saving, ...]:
    rows = np.arange(len(success))
    priced = cost_usd is not None and not np.isnan(cost_usd).any()
    money = cost_usd if priced and cost_usd is not None else np.zeros_like(success)
    pay = [choices, *everyone.values()]
    spent = [money[rows, each] for each in pay]
    if paid_usd is not None and priced:
        spent[0] = paid_usd
    columns = np.stack(spent + [success[rows, each] for each in pay], axis=1)
    means, draws = columns.mean(axis=0), resampled_means(columns, resamples_count, seed)
    charge, width = charges.total_usd_per_request, len(pay)
    after, after_draws = means[0] + charge, draws[:, 0] + charge
    found = []
    for at, (name, before) in enumerate(everyone.items(), start=1):
        saved, saved_draws = means[at] - after, draws[:, at] - after_draws
        bills = np.where(draws[:, at] > 0, draws[:, at], np.nan)
        paid = means[at] > 0
        part = figure(saved / means[at], saved_draws / bills, _NOTHING_PAID) if paid else untold(_NOTHING_PAID)
        found.append(
            Saving(
                against=name,
                model=_names(before, models),
                before_usd_per_request=float(means[at]) if priced else None,
                after_usd_per_request=float(after) if priced else None,
                saved_usd_per_request=figure(saved, saved_draws) if priced else untold(UNPRICED),
                saved_fraction=part if priced else untold(UNPRICED),
                success_change_fraction=figure(
                    means[width] - means[width + at], draws[:, width] - draws[:, width + at]
                ),
            )
        )
    return tuple(found)


def _names(choices: Indexes, models: tuple[str, ...]) -> str:
    """The model where one took all, else each with its share."""
    found, counts = np.unique(choices, return_counts=True)
    if len(found) == 1:
        return models[int(found[0])]
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{models[int(found[at])]} {100 * (counts[at] / counts.sum()):.0f} %" for at in order)
