"""Capacity: the largest rate of requests that one replica carries within the latency targets, with the model's error.

The replica's step times come from the fitted serving model (or the user's own measurements), the queue in front of it
from the fluid model, for the log's own lengths. How far public measurements lay from such predictions while they were
held out is a Fact of its own, and enters every draw. A capacity that the scenario gives wins over all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np

from breakeven.errors import CatalogError
from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.distribution import Draws, median_of
from breakeven.facts.formula import formula
from breakeven.facts.memory import recalled
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.deployment import Deployment
from breakeven.serving.calibrate import Correction
from breakeven.serving.fleet import cached_fraction
from breakeven.serving.prediction.capacity import capacity_error, deployment_key, replica_timing
from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.deployment import Deployment as Replica
from breakeven.serving.prediction.deployment import Point
from breakeven.serving.prediction.fitted_model import shipped_model
from breakeven.serving.prediction.regime import errors_of
from breakeven.serving.prediction.step_time import memory
from breakeven.serving.traffic.fluid import USUAL_QUANTILE, Lengths
from breakeven.serving.traffic.rate_table import RateTable
from breakeven.units import BYTES_PER_GB, MS_PER_S

CAPACITY: Final = "replica_capacity_req_per_s"
WORK_RATIO: Final = "open_model_work_ratio"
RATIO: Final = "capacity_measured_over_model_ratio"
RATIO_DIMENSION: Final = 51
SIZE: Final = "gpus_per_replica_count"
TARGETS: Final = ("ttft_target_ms", "tpot_target_ms")
LENGTHS: Final = ("input_tokens_per_request", "output_tokens_per_request", "input_cv2_ratio", "output_cv2_ratio")
REPLICA_SIZES: Final = (1, 2, 4, 8)
INTERVAL_Z: Final = NormalDist().inv_cdf(0.90)
"""Standard deviations from the median to the ends of an 80 % interval."""
RANGE_Z: Final = NormalDist().inv_cdf(HIGH_QUANTILE)
"""The same to the ends of an Assumption."""
CALIBRATED: Final = "breakeven calibrate"
"""Link of what the user measured."""
LONE_BUSY_FRACTION: Final = 0.5
"""Load of a replica that is given one request at a time, so that none waits long for another."""


@dataclass(frozen=True, slots=True)
class RequestLengths:
    """What the serving model asks of requests."""

    input_tokens: float
    output_tokens: float
    input_cv2_ratio: float
    output_cv2_ratio: float
    cached_input_fraction: float
    """Share of the input that could be cached at most."""


def bind_capacity(binder: Binder, machine: Deployment, gpus_per_replica_count: int | None) -> None:
    """Bind the GPUs of a replica and the requests per second that it carries; CatalogError where none will do."""
    lengths = _lengths(binder)
    if CAPACITY in binder.scenario:  # a user who measured it knows better
        size = _fitting_sizes(machine, lengths, gpus_per_replica_count)[0]
        binder.derive(SIZE, float(size), "the fewest GPUs that hold weights and KV cache")
        _bind_future_capacity(binder)
        return
    cached = binder.evaluate(cached_fraction)
    size = _size(binder, machine, lengths, gpus_per_replica_count)
    gpus = binder.derive(SIZE, float(size), _why_so_many(machine))
    ratio = _bind_ratio(binder, machine, size)
    inputs = [*(binder.node(name) for name in LENGTHS), cached, gpus, ratio]
    if machine.use.parallel_name:
        parallel, speed = binder.node(machine.use.parallel_name), binder.node(machine.use.speed_name)
        faster = ratio.value * speed.value
        value = recalled(_within_parallel, machine, size, lengths, parallel.value, faster, cached.value)
        how = f"predicted for vLLM with as many requests at once as {machine.use.name} answers, times its speed"
        inputs += [parallel, speed]
    else:
        targets = [binder.node(name) for name in TARGETS]
        values = *(each.value for each in targets), ratio.value, cached.value
        value, lone_fraction = recalled(_within_targets, machine, size, lengths, *values)
        how = (
            f"largest rate at which {100 * USUAL_QUANTILE:.0f} % of the requests meet each target{_lone(lone_fraction)}"
        )
        inputs += targets
    own = _own(machine.on(size), machine.measured)
    how += f"; {_said(own)}" if own else ""
    binder.derive(CAPACITY, value, how, *inputs, source=_source(own))
    _bind_future_capacity(binder)


@formula
def future_capacity_req_per_s(replica_capacity_req_per_s: Draws, open_model_work_ratio: Draws) -> Draws:
    """Requests per second of a replica when a newer open model of equal quality needs less work per token.

    >>> float(future_capacity_req_per_s(2.0, 0.5))
    4.0
    """
    return replica_capacity_req_per_s / open_model_work_ratio


def _bind_future_capacity(binder: Binder) -> None:
    """In a month to come, a replica carries more of the same work."""
    if binder.is_bound(WORK_RATIO):
        more = binder.evaluate(future_capacity_req_per_s)
        binder.derive(CAPACITY, more.value, "in a month to come, with newer open models of equal quality", more)


def _lengths(binder: Binder) -> RequestLengths:
    """At least a token in and a token out: an engine serves no less."""
    inputs, outputs, *spreads = (float(binder.value(name).flat[0]) for name in LENGTHS)
    cached = float(binder.value("cached_input_fraction").flat[0])
    return RequestLengths(max(inputs, 1.0), max(outputs, 1.0), spreads[0], spreads[1], cached)


def _size(binder: Binder, machine: Deployment, lengths: RequestLengths, given: int | None) -> int:
    """The fewest GPUs that hold the model and meet the targets at typical values; refused with numbers else."""
    sizes = _fitting_sizes(machine, lengths, given)
    if machine.use.parallel_name:
        return sizes[0]
    ttft_ms, tpot_ms, cached = (_typical(binder, name) for name in (*TARGETS, "cached_fraction"))
    slow = 1 / (binder.scenario[RATIO].typical if RATIO in binder.scenario else 1.0)
    return _size_in_time(machine, sizes, lengths, ttft_ms, tpot_ms, cached, slow)


@lru_cache(maxsize=512)
def _size_in_time(
    machine: Deployment,
    sizes: tuple[int, ...],
    lengths: RequestLengths,
    ttft_ms: float,
    tpot_ms: float,
    cached: float,
    slow: float,
) -> int:
    for size in sizes:
        rate = _table(machine, size, lengths).max_rate_req_per_s(
            ttft_s=ttft_ms / MS_PER_S, tpot_s=tpot_ms / MS_PER_S, time_ratio=slow, cached_fraction=cached
        )
        if float(rate) > 0:
            return size
    last = sizes[-1]
    lone_ttft_s, lone_tpot_s = _table(machine, last, lengths).lone_latencies_s(time_ratio=slow, cached_fraction=cached)
    raise CatalogError(
        f"{machine.label} is too slow: on {last} GPU(s) a request that is alone has its first token within "
        f"{lone_ttft_s * MS_PER_S:,.0f} ms and each further one within {lone_tpot_s * MS_PER_S:,.1f} ms "
        f"({100 * USUAL_QUANTILE:.0f} % of the requests, {lengths.input_tokens:,.0f} tokens in on average); wanted "
        f"{ttft_ms:,.0f} and {tpot_ms:,.1f} ms. Choose a faster GPU, a smaller model or precision, or set "
        f"{' and '.join(TARGETS)} to what your users accept"
    )


def _typical(binder: Binder, name: str) -> float:
    """The typical value of a fact, whatever is drawn; of a cached share, the product of both."""
    if name == "cached_fraction":
        return _typical(binder, "cached_input_fraction") * _typical(binder, "prefix_cache_kept_fraction")
    node = binder.node(name)
    return node.assumption.typical if node.assumption else median_of(node.value)


def _why_so_many(machine: Deployment) -> str:
    targets = "" if machine.use.parallel_name else " and meet the latency targets"
    return f"the fewest GPUs that hold weights and KV cache{targets}"


def _fitting_sizes(machine: Deployment, lengths: RequestLengths, given: int | None) -> tuple[int, ...]:
    """Numbers of GPUs on which the weights and enough sequences fit; raises CatalogError when there is none."""
    found = _fitting(machine, lengths, given)
    if not found.sizes:
        raise CatalogError(found.refused)
    return found.sizes


@dataclass(frozen=True, slots=True)
class _Fitting:
    sizes: tuple[int, ...]
    refused: str
    """Why the largest of the others does not do."""


@lru_cache(maxsize=512)
def _fitting(machine: Deployment, lengths: RequestLengths, given: int | None) -> _Fitting:
    need = machine.use.sequences_min_count
    fitting, refused = [], ""
    for size in (given,) if given else REPLICA_SIZES:
        try:
            point = Point(machine.on(size), lengths.input_tokens, lengths.output_tokens)
        except CatalogError as error:
            refused = refused or str(error)
            continue
        held = memory(columns([point]), shipped_model().values)
        if float(held.sequences_count[0]) >= need:
            fitting.append(size)
            continue
        weights, sequence = float(held.weights_bytes_per_gpu[0]) * size, float(held.sequence_bytes[0])
        refused = (
            f"does not fit: {weights / BYTES_PER_GB:.0f} GB of weights and {need * sequence / BYTES_PER_GB:.1f} GB of "
            f"KV cache (for {need:.0f} requests at once) on {size} GPU(s) of {machine.gpu.memory_gb:.0f} GB; choose a "
            f"smaller model or precision, or more GPUs"
        )
    return _Fitting(tuple(fitting), refused)


@lru_cache(maxsize=256)
def _table(machine: Deployment, size: int, lengths: RequestLengths, parallel_count: int | None = None) -> RateTable:
    timing = replica_timing(machine.on(size), lengths.input_tokens, lengths.output_tokens, measured=machine.measured)
    if parallel_count is not None:
        timing = replace(timing, sequences_max_count=parallel_count)
    asked = Lengths.of(
        lengths.input_tokens,
        lengths.output_tokens,
        input_cv2_ratio=lengths.input_cv2_ratio,
        output_cv2_ratio=lengths.output_cv2_ratio,
    )
    return RateTable.of(timing, asked, lengths.cached_input_fraction)


def _within_targets(
    machine: Deployment,
    size: int,
    lengths: RequestLengths,
    ttft_ms: Draws,
    tpot_ms: Draws,
    ratio: Draws,
    cached: Draws,
) -> tuple[Draws, float]:
    """Capacity, and the share of the futures in which even a lone request misses a target.

    A replica is never worth less than one that is given a request at a time: in those futures the option costs that.
    """
    table = _table(machine, size, lengths)
    ttft_s, tpot_s = ttft_ms / MS_PER_S, tpot_ms / MS_PER_S
    rate = table.max_rate_req_per_s(ttft_s=ttft_s, tpot_s=tpot_s, time_ratio=1 / ratio, cached_fraction=cached)
    alone = table.rate_alone_req_per_s(time_ratio=1 / ratio, cached_fraction=cached)
    return np.maximum(rate, alone * LONE_BUSY_FRACTION), float(np.mean(rate <= 0))


def _within_parallel(
    machine: Deployment, size: int, lengths: RequestLengths, parallel: Draws, ratio: Draws, cached: Draws
) -> Draws:
    """Capacity of an engine that answers so many requests at once, with no target."""
    counts, slow, share = np.broadcast_arrays(np.maximum(np.round(parallel), 1.0), 1 / ratio, cached)
    found = np.empty(counts.shape)
    for count in np.unique(counts):
        at = counts == count
        table = _table(machine, size, lengths, int(count))
        found[at] = table.max_rate_req_per_s(time_ratio=slow[at], cached_fraction=share[at])
    return found


def _bind_ratio(binder: Binder, machine: Deployment, size: int) -> Node:
    """Bind how far the truth may lie from the prediction, as a Fact of this deployment."""
    binder.offer = {**binder.offer, RATIO: _error_fact(machine, size)}
    return binder.node(RATIO)


@lru_cache(maxsize=256)
def _error_fact(machine: Deployment, size: int) -> Assumption:
    """Measured over predicted capacity: log-normal about 1, so that its 80 % interval is that of the regime."""
    replica, measured = machine.on(size), machine.measured
    regime, interval = capacity_error(replica, measured=measured)
    high = math.exp(math.log(interval) * RANGE_Z / INTERVAL_Z)
    own, errors = _own(replica, measured), shipped_model().errors
    assert errors is not None
    if own:
        note = f"{_said(own).capitalize()}; 80 % of further measurements lie within a factor of {interval:.2f}."
    else:
        found = errors_of(regime, errors)
        note = (
            f"{regime}: median error {100 * found.median_error_fraction:.1f} % on "
            f"{found.rows_count:,} held-out rows; 80 % of "
            f"measurements lie within a factor of {interval:.2f}. Measure your own with `breakeven bench` and "
            f"`breakeven calibrate`."
        )
    return Assumption(RATIO, "ratio", 1 / high, 1.0, high, _source(own), note, RATIO_DIMENSION)


def _own(replica: Replica, measured: tuple[Correction, ...]) -> Correction | None:
    """The user's own measurements of this very deployment."""
    key = deployment_key(replica)
    keys = (key, replace(key, engine=""))
    return next((each for each in measured if each.figure == "output_tok_per_s" and each.key in keys), None)


def capacity_words(binder: Binder) -> str:
    """For the table: whose measurement the capacity is; empty where the model predicts it."""
    source = binder.node(CAPACITY).source
    if source is None or source.link != CALIBRATED:
        return ""
    return f"; capacity {binder.node(CAPACITY).summary.rpartition('; ')[2]}"


def _said(own: Correction) -> str:
    return f"measured on your endpoint ({own.points_count} points, {own.measured_on})"


def _source(own: Correction | None) -> Source:
    if own:
        return Source(own.source_title, CALIBRATED, own.measured_on, Grade.MEASURED)
    source = shipped_model().source
    assert source is not None
    return source


def _lone(lone_fraction: float) -> str:
    if not lone_fraction:
        return ""
    seen = f"in {100 * lone_fraction:.1f} % of the futures even a lone request misses one"
    return f"; {seen}, and requests come one at a time"
