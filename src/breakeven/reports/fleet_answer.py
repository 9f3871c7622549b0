"""Fleet answer: a log, a deployment and a way to run it become a fleet plan, its rents and its cheapest commitments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.catalog.names import find_gpu, find_model
from breakeven.catalog.offer import GpuOffer
from breakeven.errors import ServingError, nearest
from breakeven.facts.source import Source
from breakeven.serving.calibrate import Correction
from breakeven.serving.commitments import CommitmentMix, GpuPrices, Reservation, mix_by_percentile
from breakeven.serving.measured_facts import MeasuredFacts
from breakeven.serving.prediction.capacity import FitStatus, capacity_error, predict, replica_timing
from breakeven.serving.prediction.deployment import Deployment, Point
from breakeven.serving.traffic.fleet_bins import bins_of, needed_replicas
from breakeven.serving.traffic.fleet_peak import peak_replicas, slowed
from breakeven.serving.traffic.fleet_plan import FleetPlan, plan_fleet
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.workload.arrivals import Arrivals

TERMS: Final[Mapping[str, float | None]] = {"on_demand": None, "spot": None, "one_year": 12.0, "three_years": 36.0}
"""Ways to rent, and for how many months one commits."""
_RENT: Final = "gpu_rent_usd_per_gpu_hour"
_SIZES: Final = (1, 2, 4, 8)
_REQUESTS_FOR_OTHERS_MAX: Final = 500_000
"""A longer log is planned in the way asked for only."""
_PREFERRED: Final = ("fp8", "bf16", "fp4")


@dataclass(frozen=True, slots=True)
class Rent:
    """What a GPU hour costs on one term."""

    term: str
    low: float
    typical: float
    high: float
    basis: str
    """The offer of the catalogue and its day, or who said it."""
    source: Source | None
    """None: given by the user."""


@dataclass(frozen=True, slots=True)
class FleetQuestion:
    """What was asked."""

    model: str
    gpu: str
    policy: FleetPolicy
    precision: str | None = None
    """None: 8 bits where the GPU computes in them, else 16."""
    gpus_count: int | None = None
    """GPUs of a replica; None: the size with which the peak needs fewest GPUs in all."""
    rents: Mapping[str, float] | None = None
    """Term -> USD per GPU hour, over the catalogue's."""
    spot_most_fraction: float = 0.0
    horizon_months: float = 12.0
    hours_per_month: float = 730.0
    measured: MeasuredFacts | None = None
    """The user's own measurement, used where it is of this deployment."""

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What was measured."""
        return tuple(self.measured.corrections.values()) if self.measured else ()


@dataclass(frozen=True, slots=True)
class FleetAnswer:
    """The fleet and what it costs a month."""

    question: FleetQuestion
    deployment: Deployment
    plan: FleetPlan
    rents: tuple[Rent, ...]
    unpriced: tuple[str, ...]
    """Terms of which nobody named a price."""
    mix: CommitmentMix | None
    """Cheapest mix for the log's hours; None when on demand has no price."""
    regime: str
    """How near the deployment lies to what was measured publicly."""
    is_measured: bool
    """Whether the user's own measurement corrects the times."""
    error_ratio: float
    """True over predicted speed lies between one over this and this in 80 % of the cases of the regime."""
    peak_fewest_count: int
    """Replicas for the peak if iterations are that much faster."""
    peak_most_count: int | None
    """If they are that much slower; None: then no number of replicas meets the targets."""
    others: tuple[tuple[str, FleetPlan], ...] = ()
    """The same log with the fleet run otherwise, by a name for the way."""
    beyond_context_count: int = 0
    """Calls of the log that are longer than the model's context; those that were drawn from buckets not counted."""

    @property
    def per_month_ratio(self) -> float:
        """What to multiply a total of the log with to stretch it to a month."""
        return self.question.hours_per_month / self.plan.observed_hours

    @property
    def paid_gpu_hours_per_month(self) -> float:
        """GPU hours."""
        return self.plan.paid_hours * self.deployment.gpus_count * self.per_month_ratio

    def rent(self, term: str) -> Rent | None:
        """The price of a term."""
        return next((each for each in self.rents if each.term == term), None)

    @property
    def usual_term(self) -> str:
        """How the hours are rented when nothing is reserved."""
        on_spot = self.question.spot_most_fraction > 0 and self.rent("spot") is not None
        return "spot" if on_spot else "on_demand"

    def usual_usd_per_month(self, which: str = "typical") -> float | None:
        """All paid hours on the usual term, at the typical price or an end of its range."""
        rent = self.rent(self.usual_term)
        return None if rent is None else self.paid_gpu_hours_per_month * float(getattr(rent, which))

    @property
    def mix_usd_per_month(self) -> float | None:
        """The cheapest mix, at typical prices."""
        return None if self.mix is None else self.mix.cost_usd * self._hours_ratio

    def idle_usd_per_month(self, which: str = "typical") -> float | None:
        """What the paid hours cost in which no iteration runs."""
        usd = self.usual_usd_per_month(which)
        return None if usd is None else usd * self.plan.idle_fraction

    def breakeven_fraction(self, term: str) -> float | None:
        """Share of the hours above which a GPU of that term is cheaper than the usual one by the hour.

        More than 1: never within the horizon. None: one of the two has no price.
        """
        reserved, usual = self.rent(term), self.rent(self.usual_term)
        if reserved is None or usual is None or not usual.typical:
            return None
        prices = GpuPrices(usual.typical, horizon_months=self.question.horizon_months)
        hour_usd = prices.effective_usd_per_gpu_hour(Reservation(term, reserved.typical, TERMS[term] or 0.0))
        return hour_usd / usual.typical

    @property
    def _hours_ratio(self) -> float:
        """Months in the whole hours of the log that the mix was made for."""
        return self.question.hours_per_month / self.plan.hourly_replicas_count.size


def answer_fleet(
    question: FleetQuestion, arrivals: Arrivals, catalog: Catalog, say: Callable[[str], None] = lambda _: None
) -> FleetAnswer:
    """Size the fleet; raises ServingError when nothing can serve the log, UnknownName for an unknown model or GPU."""
    deployment = chosen_deployment(question, arrivals, catalog, say)
    lengths = mean_lengths(arrivals)
    context_tokens = deployment.model.context_tokens
    timing = replica_timing(deployment, *lengths, measured=question.corrections)
    plan = plan_fleet(timing, arrivals, question.policy, say, context_tokens)
    rents, unpriced = rents_of(catalog, deployment.gpu.name, question.rents or {})
    mix = _mix(question, deployment, plan, rents)
    others: list[tuple[str, FleetPlan]] = []
    if plan.simulated_count <= _REQUESTS_FOR_OTHERS_MAX:
        for name, policy in _otherwise(question.policy):
            others.append((name, plan_fleet(timing, arrivals, policy, say, context_tokens)))
    regime, error_ratio = capacity_error(deployment, measured=question.corrections)
    is_measured = predict([Point(deployment, *lengths, 1.0)], measured=question.corrections)[0].is_measured
    say("the same with iterations as slow and as fast as the prediction may be wrong")
    fewest, most = (
        _peak_or_none(slowed(timing, ratio), arrivals, question.policy) for ratio in (1 / error_ratio, error_ratio)
    )
    return FleetAnswer(
        question,
        deployment,
        plan,
        rents,
        unpriced,
        mix,
        str(regime),
        is_measured,
        error_ratio,
        min(fewest or plan.peak_needed_count, plan.peak_needed_count),
        None if most is None else max(most, plan.peak_needed_count),
        tuple(others),
        int((arrivals.input_tokens + arrivals.output_tokens > context_tokens).sum()),
    )


def chosen_deployment(
    question: FleetQuestion, arrivals: Arrivals, catalog: Catalog, say: Callable[[str], None] = lambda _: None
) -> Deployment:
    """What was asked for, with what was left open chosen."""
    model, gpu = find_model(catalog, question.model), find_gpu(catalog, question.gpu)
    stored = model.weights_gb_by_precision
    usable = [each for each in _PREFERRED if each in stored and (each == "bf16" or _computes(gpu, each))]
    precision = question.precision or (usable or list(stored))[0]
    lengths = mean_lengths(arrivals)
    if question.gpus_count is not None:
        sizes: tuple[int, ...] = (question.gpus_count,)
    else:
        sizes = tuple(each for each in _SIZES if model.heads_count % each == 0)
    deployments = [Deployment(model, gpu, gpus, precision) for gpus in sizes]
    found = predict([Point(each, *lengths, 1.0) for each in deployments])
    fitting = [each.point.deployment for each in found if each.status is FitStatus.OK]
    if len(fitting) > 1:
        say("trying replicas of several sizes")
        fitting.sort(key=lambda each: _peak_gpus_count(each, arrivals, question))
    if fitting:
        return fitting[0]
    raise ServingError(
        f"{model.name} in {precision} does not fit on {sizes[-1]} x {gpu.name} with requests of {lengths[0]:,.0f} "
        f"input and {lengths[1]:,.0f} output tokens; take a larger GPU, more of them (--gpus), or a smaller precision "
        f"({', '.join(sorted(stored))})"
    )


def _peak_gpus_count(deployment: Deployment, arrivals: Arrivals, question: FleetQuestion) -> float:
    """GPUs that the peak needs with replicas of this size; infinite when no number of them meets the targets."""
    timing = replica_timing(deployment, *mean_lengths(arrivals), measured=question.corrections)
    policy = question.policy
    if arrivals.requests_count > _REQUESTS_FOR_OTHERS_MAX:
        needed = needed_replicas(timing, bins_of(arrivals, policy.decision_s), policy.target).max()
        return float(np.ceil(needed)) * deployment.gpus_count
    replicas = _peak_or_none(timing, arrivals, policy)
    return inf if replicas is None else float(replicas * deployment.gpus_count)


def rents_of(catalog: Catalog, gpu: str, said: Mapping[str, float]) -> tuple[tuple[Rent, ...], tuple[str, ...]]:
    """Prices by term: those said, then the market's in the catalogue; and the terms without any."""
    for term in said:
        if term not in TERMS:
            raise ServingError(f"no rent is called '{term}'; {nearest(term, list(TERMS))}")
    market: dict[str, GpuOffer] = {
        each.term: each
        for each in catalog.gpu_offers.values()
        if each.gpu == gpu and each.provider == "market" and _RENT in each.facts
    }
    rents: list[Rent] = []
    for term in TERMS:
        if term in said:
            rents.append(Rent(term, said[term], said[term], said[term], "yours", None))
        elif (offer := market.get(term)) is not None:
            fact = offer.facts[_RENT]
            basis = f"{offer.name}, {offer.since.isoformat()}"
            rents.append(Rent(term, fact.low, fact.typical, fact.high, basis, fact.source))
    return tuple(rents), tuple(term for term in TERMS if term not in {each.term for each in rents})


def _peak_or_none(timing: ReplicaTiming, arrivals: Arrivals, policy: FleetPolicy) -> int | None:
    try:
        return peak_replicas(timing, arrivals, policy)
    except ServingError:
        return None


def _mix(
    question: FleetQuestion, deployment: Deployment, plan: FleetPlan, rents: tuple[Rent, ...]
) -> CommitmentMix | None:
    typical = {each.term: each.typical for each in rents}
    if "on_demand" not in typical:
        return None
    reservations = tuple(
        Reservation(term, typical[term], months) for term, months in TERMS.items() if months and term in typical
    )
    prices = GpuPrices(
        typical["on_demand"], reservations, typical.get("spot"), question.spot_most_fraction, question.horizon_months
    )
    return mix_by_percentile(plan.hourly_replicas_count * deployment.gpus_count, prices)


def reservations_of(answer: FleetAnswer) -> tuple[str, ...]:
    """Names of the terms behind `mix.reserved_counts`."""
    return tuple(each.term for each in answer.rents if TERMS[each.term])


def _computes(gpu: object, precision: str) -> bool:
    return getattr(gpu, f"{precision}_tflops") is not None


def mean_lengths(arrivals: Arrivals) -> tuple[float, float]:
    """Mean input and output tokens of a request."""
    inputs, outputs = float(arrivals.input_tokens.sum()), float(arrivals.output_tokens.sum())
    if arrivals.spans is not None:
        inputs += float(arrivals.spans.input_tokens @ arrivals.spans.requests_count)
        outputs += float(arrivals.spans.output_tokens @ arrivals.spans.requests_count)
    return max(inputs / arrivals.requests_count, 1.0), max(outputs / arrivals.requests_count, 1.0)


def _otherwise(policy: FleetPolicy) -> list[tuple[str, FleetPolicy]]:
    """Ways to run the fleet that were not asked for."""
    ways = [
        ("always on", replace(policy, is_autoscaled=False, scales_to_zero=False)),
        ("autoscaled", replace(policy, is_autoscaled=True, scales_to_zero=False)),
        ("autoscaled, one spare", replace(policy, is_autoscaled=True, scales_to_zero=False, spare_count=1)),
        (
            "autoscaled, to zero when idle",
            replace(policy, is_autoscaled=True, scales_to_zero=True, replicas_min_count=0, spare_count=0),
        ),
    ]
    return [(name, each) for name, each in ways if each != policy]
