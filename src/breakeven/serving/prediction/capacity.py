"""Capacity: what a Deployment delivers under a load: tokens per second with a range, latencies, what fits, and why.

The chain: memory fit, step times (a roofline with fitted efficiencies), corrections where the deployment was measured
publicly, first tokens from the iteration-level simulation, an interval from errors on rows that were held out, and
last, where given, the user's own measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from breakeven.serving.calibrate import Correction, DeploymentKey, Figure
from breakeven.serving.prediction.columns import Columns, columns
from breakeven.serving.prediction.corrections import architecture
from breakeven.serving.prediction.cycle import Cycle, cycles, slower_ratio
from breakeven.serving.prediction.deployment import Deployment, Point
from breakeven.serving.prediction.fitted_model import FittedModel, shipped_model
from breakeven.serving.prediction.regime import (
    NEAR_LIMIT_FRACTION,
    HeldOutErrors,
    Nearness,
    Regime,
    errors_of,
    interval_ratio,
)
from breakeven.serving.prediction.step_time import Memory, Times, memory, times
from breakeven.serving.prediction.timings import SEQUENCES_MAX_COUNT, replica_timings
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.units import BYTES_PER_GB, MS_PER_S

SEARCH_POINTS_COUNT = 48
"""Concurrencies tried between one and what fits."""


class FitStatus(StrEnum):
    """Whether a point can be served at all."""

    OK = "ok"
    DOES_NOT_FIT = "does_not_fit"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is predicted of one Point; figures are NaN where it does not fit."""

    point: Point
    status: FitStatus
    output_tok_per_s: float
    """Of all replicas."""
    low_output_tok_per_s: float
    """80 % of measurements in this regime lie between low and high."""
    high_output_tok_per_s: float
    ttft_ms: float
    tpot_ms: float
    batch_count: float
    """Sequences that decode together on one replica."""
    sequences_count: float
    """Sequences that fit on one replica at once."""
    weights_gb_per_gpu: float
    cache_gb_per_gpu: float
    """Room for the cache; negative: the weights alone do not fit."""
    prompt_ms: float
    """Reading one prompt."""
    step_ms: float
    """One decode step."""
    prefill_fraction: float
    """Share of the replica's time that goes into prompts."""
    tokens_per_joule_ratio: float
    """Output tokens per joule with every GPU at its power limit: a floor."""
    regime: Regime
    errors: HeldOutErrors
    """How wrong the model was on held-out rows of this regime."""
    measured_points_count: int = 0
    """Points of the user's own measurements behind the figures; 0: none."""

    @property
    def is_measured(self) -> bool:
        """Whether the user's own measurements correct the prediction."""
        return self.measured_points_count > 0


@dataclass(frozen=True, slots=True)
class _Raw:
    """Arrays behind predictions."""

    c: Columns
    held: Memory
    found: Times
    loop: Cycle


def predict(
    points: Sequence[Point], *, model: FittedModel | None = None, measured: Sequence[Correction] = ()
) -> list[Prediction]:
    """Predict points; `measured`: the user's own corrections (`breakeven calibrate`), used where their key matches."""
    if not points:
        return []
    fitted = model or shipped_model()
    raw = _raw(points, fitted)
    return [_prediction(i, point, raw, fitted, measured) for i, point in enumerate(points)]


def replica_timing(
    deployment: Deployment,
    input_tokens: float,
    output_tokens: float,
    *,
    model: FittedModel | None = None,
    measured: Sequence[Correction] = (),
    sequences_max_count: int = SEQUENCES_MAX_COUNT,
) -> ReplicaTiming:
    """Times of one replica for requests of about these lengths, corrected by what is measured of the deployment."""
    fitted = model or shipped_model()
    point = Point(deployment, input_tokens, output_tokens)
    c = columns([point])
    found = times(c, fitted.values)
    slower = slower_ratio(c, found, [point.deployment], fitted)
    own = _own(deployment, "output_tok_per_s", measured)
    if own is not None:
        slower = slower / own.factor(float(found.batch_count[0]))
    return replica_timings(c, fitted.values, slower_ratio=slower, sequences_max_count=sequences_max_count)[0]


def capacity_error(
    deployment: Deployment, *, model: FittedModel | None = None, measured: Sequence[Correction] = ()
) -> tuple[Regime, float]:
    """Regime of a deployment away from the limit of its cache, and the factor of its 80 % interval."""
    fitted = model or shipped_model()
    regime = Regime(_nearness(deployment, fitted), deployment.model.is_moe, False, True)
    assert fitted.errors is not None
    own = _own(deployment, "output_tok_per_s", measured)
    if own is not None:
        found = own.interval(own.centre_concurrency_count)
        return regime, found.high / found.typical
    return regime, interval_ratio(regime, fitted.errors)


def largest_concurrency(
    deployment: Deployment,
    input_tokens: float,
    output_tokens: float,
    *,
    ttft_ms: float | None = None,
    tpot_ms: float | None = None,
    model: FittedModel | None = None,
    measured: Sequence[Correction] = (),
) -> Prediction | None:
    """The prediction at the largest concurrency of one replica that meets the targets; None: not even one request."""
    fitted = model or shipped_model()
    c = columns([Point(deployment, input_tokens, output_tokens, 1.0)])
    most = float(memory(c, fitted.values).sequences_count[0])
    if most < 1:
        return None
    tried = np.unique(np.round(np.geomspace(1, max(min(most, SEQUENCES_MAX_COUNT), 1), SEARCH_POINTS_COUNT)))
    best: Prediction | None = None
    while tried.size:
        points = [Point(deployment, input_tokens, output_tokens, float(each)) for each in tried]
        found = predict(points, model=fitted, measured=measured)
        good = [i for i, each in enumerate(found) if _meets(each, ttft_ms, tpot_ms)]
        if not good:
            return best
        last = good[-1]
        best = found[last]
        if last + 1 == len(found):
            return best
        tried = np.arange(tried[last] + 1, tried[last + 1])
        tried = tried[:: max(tried.size // SEARCH_POINTS_COUNT, 1)]
    return best


def _meets(each: Prediction, ttft_ms: float | None, tpot_ms: float | None) -> bool:
    has_steps = each.point.output_tokens > 1
    return (ttft_ms is None or each.ttft_ms <= ttft_ms) and (
        tpot_ms is None or not has_steps or each.tpot_ms <= tpot_ms
    )


def _raw(points: Sequence[Point], fitted: FittedModel) -> _Raw:
    c = columns(points)
    loop = cycles(c, [point.deployment for point in points], fitted)
    return _Raw(c, memory(c, fitted.values), times(c, fitted.values), loop)


def _nearness(deployment: Deployment, fitted: FittedModel) -> Nearness:
    if deployment.pipeline_parallel_count > 1:
        return Nearness.UNSEEN_BOTH  # no pipeline was measured
    if fitted.corrections.knows(deployment):
        return Nearness.KNOWN_DEPLOYMENT
    seen_model = architecture(deployment.model) in fitted.architectures
    seen_gpu = deployment.gpu.name in fitted.gpus
    if seen_model and seen_gpu:
        return Nearness.NEW_DEPLOYMENT
    if seen_gpu:
        return Nearness.UNSEEN_MODEL
    return Nearness.UNSEEN_GPU if seen_model else Nearness.UNSEEN_BOTH


def _own(deployment: Deployment, figure: Figure, measured: Sequence[Correction]) -> Correction | None:
    key = deployment_key(deployment)
    return next((each for each in measured if each.figure == figure and _same(each.key, key)), None)


def deployment_key(deployment: Deployment) -> DeploymentKey:
    """The key that the user's own measurements of a deployment carry."""
    return DeploymentKey(
        deployment.model.name, deployment.gpu.name, deployment.gpus_count, deployment.precision, deployment.engine
    )


def _same(measured: DeploymentKey, wanted: DeploymentKey) -> bool:
    """A measurement that does not say its engine counts for every engine."""
    exact = (measured.model, measured.gpu, measured.gpus_count, measured.precision)
    return exact == (wanted.model, wanted.gpu, wanted.gpus_count, wanted.precision) and measured.engine in (
        "",
        wanted.engine,
    )


def _prediction(i: int, point: Point, raw: _Raw, fitted: FittedModel, measured: Sequence[Correction]) -> Prediction:
    assert fitted.errors is not None
    deployment, c = point.deployment, raw.c
    running = float(min(c.concurrency_count[i], raw.found.batch_count[i] if c.is_offline[i] else np.inf))
    near = running > NEAR_LIMIT_FRACTION * float(raw.held.sequences_count[i])
    closed = point.concurrency_count is not None and not point.is_static_batch
    regime = Regime(_nearness(deployment, fitted), deployment.model.is_moe, near and closed, closed)
    fits = float(raw.held.sequences_count[i]) >= 1
    nothing = float("nan")
    output = float(raw.loop.output_tok_per_s[i]) if fits else nothing
    spread = interval_ratio(regime, fitted.errors)
    low, high = output / spread, output * spread
    ttft, tpot = (float(each[i]) * MS_PER_S if fits else nothing for each in (raw.loop.ttft_s, raw.loop.tpot_s))
    own = _own(deployment, "output_tok_per_s", measured)
    if own is not None:
        found = own.interval(running)
        low, output, high = output * found.low, output * found.typical, output * found.high
        ttft *= _factor(deployment, "ttft_ms", measured, running)
        tpot *= _factor(deployment, "tpot_ms", measured, running)
    slower = float(raw.loop.slower_ratio[i])
    watts = point.replicas_count * deployment.gpus_count * deployment.gpu.power_w
    return Prediction(
        point,
        FitStatus.OK if fits else FitStatus.DOES_NOT_FIT,
        output,
        low,
        high,
        ttft,
        tpot,
        float(raw.found.batch_count[i]),
        float(raw.held.sequences_count[i]),
        float(raw.held.weights_bytes_per_gpu[i]) / BYTES_PER_GB,
        float(raw.held.room_bytes_per_gpu[i]) / BYTES_PER_GB,
        float(raw.found.prompt_s[i]) * slower * MS_PER_S,
        float(raw.found.step_s[i]) * slower * MS_PER_S,
        float(raw.found.prefill_fraction(c.output_tokens)[i]),
        output / watts,
        regime,
        errors_of(regime, fitted.errors),
        own.points_count if own is not None else 0,
    )


def _factor(deployment: Deployment, figure: Figure, measured: Sequence[Correction], concurrency: float) -> float:
    own = _own(deployment, figure, measured)
    return own.factor(concurrency) if own is not None else 1.0
