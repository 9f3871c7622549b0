"""Privacy as insurance: what a breach through the LLM path costs a year, here and there, and what a premium must cut.

Frequency x severity (FAIR, Open Group O-RT 3.0): events of a year are Poisson, each loses a lognormal amount, cut where
the firm's own loss ends. No way to serve is free of risk, so only the difference between two of them decides anything.
What nobody can know is not claimed: the flip value says by how much a move would have to cut the yearly rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from breakeven.costs.breach_risk import breach_loss_mean_usd
from breakeven.costs.line import CostLine
from breakeven.decision.answers.outlook import ON_GPUS, Outlook
from breakeven.decision.comparison import Comparison, OptionResult, Range, range_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.options.option import OptionCost, Situation
from breakeven.units import MONTHS_PER_YEAR, YEAR_MONTHS

_Z95: Final = float(ndtri(0.95))
BREACH_RISK: Final = "breach_risk"
"""End of the name of the lines that hold the expected loss; a hybrid has two."""
CURVE_POINTS_COUNT: Final = 25
CURVE_LOW_USD: Final = 10_000.0
SURVEYS: Final[Mapping[str, tuple[str, Literal["industry", "region"]]]] = {
    "breach_survey_mean_healthcare_usd": ("Health care", "industry"),
    "breach_survey_mean_financial_usd": ("Finance", "industry"),
    "breach_survey_mean_industrial_usd": ("Industrial firms", "industry"),
    "breach_survey_mean_technology_usd": ("Technology", "industry"),
    "breach_survey_mean_us_usd": ("United States", "region"),
    "breach_survey_mean_india_usd": ("India", "region"),
}
"""Surveyed mean cost of one breach -> whose it is."""
SURVEY_MEAN: Final = "breach_survey_mean_usd"


@formula
def loss_sigma_ratio(breach_loss_median_usd: Draws, breach_loss_p95_usd: Draws) -> Draws:
    """Standard deviation of the logarithm of a loss, from its median and its 95 % quantile.

    >>> round(float(loss_sigma_ratio(600_000.0, 30e6)), 4)
    2.3783
    """
    return np.maximum(np.log(breach_loss_p95_usd / breach_loss_median_usd) / _Z95, 1e-9)


@formula
def uncapped_loss_mean_usd(breach_loss_median_usd: Draws, breach_loss_p95_usd: Draws) -> Draws:
    """Mean of the lognormal loss without a cap: median x exp(sigma^2 / 2).

    >>> round(0.093 * float(uncapped_loss_mean_usd(600_000.0, 30e6)))
    943906
    """
    sigma = loss_sigma_ratio(breach_loss_median_usd, breach_loss_p95_usd)
    return breach_loss_median_usd * np.exp(sigma**2 / 2)


@formula
def loss_above_fraction(
    loss_usd: Draws, breach_loss_median_usd: Draws, breach_loss_p95_usd: Draws, breach_loss_cap_usd: Draws
) -> Draws:
    """Probability that one loss is above an amount; none is above the cap.

    >>> float(loss_above_fraction(600_000.0, 600_000.0, 30e6, 50e6)), float(loss_above_fraction(50e6, 6e5, 30e6, 50e6))
    (0.5, 0.0)
    """
    sigma = loss_sigma_ratio(breach_loss_median_usd, breach_loss_p95_usd)
    above = ndtr(-np.log(loss_usd / breach_loss_median_usd) / sigma)
    return np.where(loss_usd < breach_loss_cap_usd, above, 0.0)


@formula
def any_event_fraction(loss_events_per_year: Draws, loss_above_fraction: Draws) -> Draws:
    """Probability of at least one event of a year that is above an amount: a Poisson count thinned to those.

    >>> round(float(any_event_fraction(0.093, 1.0)), 4)
    0.0888
    >>> round(float(any_event_fraction(0.093, loss_above_fraction(10e6, 600_000.0, 30e6, 1e12))), 5)
    0.01095
    """
    in_a_year = loss_events_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR)
    return -np.expm1(-in_a_year * loss_above_fraction)


@formula
def flip_events_per_year(premium_usd_per_year: Draws, breach_loss_mean_usd: Draws) -> Draws:
    """By how much a premium must cut the yearly rate of events to be worth it.

    >>> round(float(flip_events_per_year(200_000.0, breach_loss_mean_usd(600_000.0, 30e6, 50e6))), 4)
    0.0431
    """
    return premium_usd_per_year / breach_loss_mean_usd


@dataclass(frozen=True, slots=True)
class Severity:
    """One loss: its median, its 95 % quantile, and where the firm's own loss ends; typical values."""

    median_usd: float
    p95_usd: float
    cap_usd: float

    def above_fraction(self, loss_usd: float) -> float:
        """Probability that one loss is above an amount."""
        return float(loss_above_fraction(loss_usd, self.median_usd, self.p95_usd, self.cap_usd))

    def times(self, relative_ratio: float) -> Severity:
        """A firm whose breaches cost so many times the average; its own loss ends where it ended."""
        return Severity(self.median_usd * relative_ratio, self.p95_usd * relative_ratio, self.cap_usd)

    @property
    def mean_usd(self) -> float:
        """Mean of the capped loss."""
        return float(breach_loss_mean_usd(self.median_usd, self.p95_usd, self.cap_usd))

    @property
    def beyond_cap_fraction(self) -> float:
        """Share of the uncapped mean that lies beyond the cap."""
        return 1 - self.mean_usd / self.uncapped_mean_usd

    @property
    def uncapped_mean_usd(self) -> float:
        """Mean of the loss without a cap."""
        return float(uncapped_loss_mean_usd(self.median_usd, self.p95_usd))


@dataclass(frozen=True, slots=True)
class OptionRisk:
    """Breach risk of one option."""

    name: str
    exposure_ratio: float
    """Relative to an average firm's LLM path, typical."""
    loss_events_per_year: float
    """Through the LLM path, typical."""
    annual_loss: Range
    """USD a year: frequency x capped severity, over the assumptions."""
    any_event_fraction: float


@dataclass(frozen=True, slots=True)
class Exceedance:
    """Probability that one loss of a year is above an amount, at typical values."""

    loss_usd: float
    api_fraction: float
    selfhost_fraction: float


@dataclass(frozen=True, slots=True)
class Peer:
    """Firms of one industry or region, by how far surveyed breach costs stand from the average."""

    name: str
    kind: Literal["industry", "region"]
    relative_ratio: float
    api_usd_per_year: float
    selfhost_usd_per_year: float
    survey: Assumption


@dataclass(frozen=True, slots=True)
class Premium:
    """What moving to GPUs costs more, and by how much it would have to cut the rate of events to be worth it."""

    option: str
    premium_usd_per_year: float
    """Expected; negative: it saves money as it is."""
    flip_events_per_year: float | None
    """None: nothing has to be bought."""
    loss_events_per_year: float
    """Today's rate through the LLM path, typical."""
    exposure_cut_events_per_year: float
    """What the typical exposures say that moving cuts; negative: it adds events."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """An option that a hard constraint rules out, and which one."""

    name: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Privacy:
    """Breach risk as insurance."""

    severity: Severity
    risks: tuple[OptionRisk, ...]
    exceedance: tuple[Exceedance, ...]
    peers: tuple[Peer, ...]
    recommended_with_losses: str
    with_losses_odds_fraction: float
    """That the option recommended with losses costs least when losses are counted."""
    premium: Premium | None
    """None: no option on GPUs could be costed."""
    excluded: tuple[Excluded, ...]


def privacy(
    comparison: Comparison,
    situation: Situation,
    at_typical: Mapping[str, OptionCost],
    outlook: Outlook,
    *,
    discounted_months: float = 1.0,
) -> Privacy:
    """Breach risk of every option; `at_typical` holds each of them at typical values.

    `discounted_months`: by how many months' worth the monthly loss weighs where the outlook is a horizon's.
    """
    facts = {**situation.catalog.assumptions, **situation.scenario}
    severity = Severity(*(facts[name].typical for name in _SEVERITY))
    results = [each for each in comparison.options if each.name in outlook.costs]
    risks = tuple(_option_risk(each, at_typical[each.name], facts) for each in results)
    rates = {each.name: each.loss_events_per_year for each in risks}
    api_rate, own_rate = _rate(facts, "api_breach_exposure_ratio"), _rate(facts, "selfhost_breach_exposure_ratio")
    with_losses = _with_losses(results, outlook, discounted_months)
    return Privacy(
        severity,
        risks,
        loss_exceedance(severity, api_rate, own_rate),
        _peers(facts, severity, api_rate, own_rate),
        with_losses.recommended,
        with_losses.odds_fraction(with_losses.recommended),
        _premium(comparison, outlook, severity, rates),
        _excluded(comparison),
    )


_SEVERITY: Final = ("breach_loss_median_usd", "breach_loss_p95_usd", "breach_loss_cap_usd")


def loss_exceedance(
    severity: Severity, api_events_per_year: float, selfhost_events_per_year: float
) -> tuple[Exceedance, ...]:
    """The loss-exceedance curve ``1 - exp(-rate sf(x))`` from small losses up to the cap."""
    amounts = np.geomspace(min(CURVE_LOW_USD, severity.cap_usd / 10), severity.cap_usd, CURVE_POINTS_COUNT)
    found = []
    for amount in amounts:
        above = severity.above_fraction(float(amount))
        api, own = (float(any_event_fraction(r, above)) for r in (api_events_per_year, selfhost_events_per_year))
        found.append(Exceedance(float(amount), api, own))
    return tuple(found)


def _rate(facts: Mapping[str, Assumption], exposure: str) -> float:
    """Typical events of a year; an exposure that the scenario sets for every option alike wins."""
    of_all = "breach_exposure_ratio"
    names = ("breach_incident_events_per_year", "breach_llm_path_fraction", of_all if of_all in facts else exposure)
    return float(np.prod([facts[name].typical for name in names]))


def _option_risk(result: OptionResult, typical: OptionCost, facts: Mapping[str, Assumption]) -> OptionRisk:
    exposure = sum(_exposure(line) for line in typical.breakdown.apart if line.name.endswith(BREACH_RISK))
    average = facts["breach_incident_events_per_year"].typical * facts["breach_llm_path_fraction"].typical
    rate = average * exposure
    loss = _monthly_loss(result) * MONTHS_PER_YEAR
    return OptionRisk(result.name, exposure, rate, range_of(loss), float(any_event_fraction(rate, 1.0)))


def _exposure(line: CostLine) -> float:
    """Relative exposure behind a line of breach risk at typical values."""
    node = next(each for each in line.usd_per_month.inputs if each.name == "breach_exposure_ratio")
    return float(node.value.flat[0])


def _monthly_loss(result: OptionResult) -> Draws:
    """Expected loss of every future, shape ``(draws,)`` or ``(1,)``."""
    return sum((np.atleast_1d(line.usd_per_month.value) for line in result.cost.breakdown.apart), np.zeros(1))


def _with_losses(results: Sequence[OptionResult], outlook: Outlook, discounted_months: float) -> Outlook:
    """The outlook with the expected losses counted; those of a horizon are paid every month of it."""
    costs: dict[str, Draws] = {}
    times = discounted_months if outlook.period == "horizon" else 1.0
    for each in results:
        known = outlook.costs[each.name]
        loss = _monthly_loss(each) * times
        costs[each.name] = known + np.broadcast_to(loss, (max(loss.size, known.size),))[: known.size]
    best = min(outlook.open_names, key=lambda name: float(np.mean(costs[name])))
    return Outlook(outlook.period, costs, outlook.open_names, outlook.status_quo, best)


def _peers(facts: Mapping[str, Assumption], severity: Severity, api_rate: float, own_rate: float) -> tuple[Peer, ...]:
    if SURVEY_MEAN not in facts:
        return ()
    found = []
    for name, (title, kind) in SURVEYS.items():
        if name in facts:
            relative = facts[name].typical / facts[SURVEY_MEAN].typical
            mean = severity.times(relative).mean_usd
            found.append(Peer(title, kind, relative, api_rate * mean, own_rate * mean, facts[name]))
    return tuple(found)


def _premium(
    comparison: Comparison, outlook: Outlook, severity: Severity, rates: Mapping[str, float]
) -> Premium | None:
    """Of the option on GPUs with the lowest expected cost this month, against today."""
    own = [
        each
        for each in comparison.options
        if each.cost.family in ON_GPUS and not each.cost.only_if and each.name in outlook.costs
    ]
    if not own:
        return None
    best = min(own, key=lambda each: each.extra_usd_per_month.mean)
    premium = best.extra_usd_per_month.mean * MONTHS_PER_YEAR
    today = rates[comparison.status_quo]
    flip = float(flip_events_per_year(premium, severity.mean_usd)) if premium > 0 else None
    return Premium(best.name, premium, flip, today, today - rates[best.name])


def _excluded(comparison: Comparison) -> tuple[Excluded, ...]:
    found = [
        Excluded(each.name, each.title, _first_reason(each.reason))
        for each in comparison.unavailable
        if each.kind == "constraint"
    ]
    today = comparison.option(comparison.status_quo).cost
    if today.only_if:
        found.insert(0, Excluded(today.name, today.title, f"only if {today.only_if}"))
    return tuple(found)


def _first_reason(reason: str) -> str:
    """What the first seller does not meet; others are counted."""
    first, *others = reason.replace(" does not meet what the scenario requires:", ":").split("; ")
    more = sum(": " in each for each in others)
    return f"{first} (and {more} more)" if more else first
