"""Fluid: what one replica does under a steady stream of requests, without simulating it: batch, latency, largest rate.

The mean: ``b`` decoding sequences make an iteration of ``s0(b)`` seconds, and each request adds ``w`` seconds for its
prompt, so that iterations take ``s0(b) / (1 - rate w)``; ``b`` is the fixed point at which as many requests end as
come. The spread about the mean: requests decode together, all equally fast, at a speed that depends on how many they
are (processor sharing with a limit), whose number has a known distribution, the same for all spreads of lengths: in
state ``n`` requests end at the rate ``n (1 - rate w) / ((output - 1) s0(n))``, and beyond the limit of sequences or
of cache they wait. The time to first token: a request waits for the iteration that runs to end, then shares the next
one with those that came in the meantime (an M/G/1 queue with gated vacations). Percentiles are those of a gamma
distribution with the mean and the variance so found.

All arguments may be arrays of points that broadcast; 10,000 points of the largest rate take about half a second. How
far it is from the simulation is printed by ``benchmarks/simulate.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.errors import ServingError
from breakeven.serving.traffic.replica_timing import ReplicaTiming

Floats = NDArray[np.float64]
USUAL_QUANTILE: Final = 0.95
"""Share of the requests that meet a target for it to count as met."""
_HALVINGS: Final = 13
_GROWTH: Final = 1.15
_AVERAGED: Final = 0.74
"""Variance of a sum over one's own stay of a quantity that forgets itself in about that time, over its variance at
one moment: 2 (exp(-1) - 1 + 1)."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of requests: means and squared coefficients of variation. Arrays of points that broadcast."""

    input_tokens: Floats
    output_tokens: Floats
    input_cv2_ratio: Floats
    """Variance over squared mean: 0 for one length, 1 for an exponential spread."""
    output_cv2_ratio: Floats
    cached_fraction: Floats
    """Share of the input that the prefix cache holds."""

    @classmethod
    def of(
        cls,
        input_tokens: ArrayLike,
        output_tokens: ArrayLike,
        *,
        input_cv2_ratio: ArrayLike = 0.0,
        output_cv2_ratio: ArrayLike = 0.0,
        cached_fraction: ArrayLike = 0.0,
    ) -> Lengths:
        """Checked; raises ServingError on lengths below one token."""
        arrays = [
            np.asarray(each, np.float64)
            for each in (input_tokens, output_tokens, input_cv2_ratio, output_cv2_ratio, cached_fraction)
        ]
        for name, each in zip(("input", "output"), arrays, strict=False):
            if not (each >= 1).all():
                raise ServingError(f"requests of {np.min(each):g} {name} tokens; wanted at least 1")
        return cls(*np.broadcast_arrays(*arrays))

    @classmethod
    def seen(cls, input_tokens: ArrayLike, output_tokens: ArrayLike, cached_tokens: ArrayLike = 0) -> Lengths:
        """Of requests in a log."""
        inputs, outputs = np.asarray(input_tokens, np.float64), np.asarray(output_tokens, np.float64)
        return cls.of(
            inputs.mean(),
            outputs.mean(),
            input_cv2_ratio=inputs.var() / inputs.mean() ** 2,
            output_cv2_ratio=outputs.var() / outputs.mean() ** 2,
            cached_fraction=np.asarray(cached_tokens, np.float64).mean() / inputs.mean(),
        )


@dataclass(frozen=True, slots=True)
class Steady:
    """A replica under a steady stream. Arrays by point; infinite times where it cannot keep up."""

    sustainable: NDArray[np.bool_]
    batch_count: Floats
    """Mean number of decoding sequences."""
    busy_fraction: Floats
    """Share of the time with an iteration running."""
    load_fraction: Floats
    """Rate over the largest that can be sustained."""
    ttft_mean_s: Floats
    ttft_quantile_s: Floats
    tpot_mean_s: Floats
    tpot_quantile_s: Floats


def steady(
    timing: ReplicaTiming, arrival_req_per_s: ArrayLike, lengths: Lengths, *, quantile_fraction: float = USUAL_QUANTILE
) -> Steady:
    """What a replica does when requests come at random (Poisson) at a steady rate."""
    rate, _ = np.broadcast_arrays(np.asarray(arrival_req_per_s, np.float64), lengths.input_tokens)
    spread = _Spread.of(timing, _flat(lengths, rate.shape))
    found = spread.at(rate.ravel(), quantile_fraction)
    return Steady(*(np.asarray(getattr(found, each)).reshape(rate.shape) for each in Steady.__dataclass_fields__))


def saturated_req_per_s(timing: ReplicaTiming, lengths: Lengths) -> Floats:
    """Requests per second that a replica can end for ever, with no target for latency; 0 where one does not fit."""
    shape = lengths.input_tokens.shape
    return np.asarray(_Spread.of(timing, _flat(lengths, shape)).saturated_req_per_s.reshape(shape))


def max_rate_req_per_s(
    timing: ReplicaTiming,
    lengths: Lengths,
    *,
    ttft_s: ArrayLike | None = None,
    tpot_s: ArrayLike | None = None,
    quantile_fraction: float = USUAL_QUANTILE,
    time_ratio: ArrayLike = 1.0,
) -> Floats:
    """The largest rate of random arrivals at which that share of the requests meets each target; 0: none does.

    Without a target: the rate that can be sustained. `time_ratio`: true over predicted time of an iteration, such as
    draws of the prediction's error.

    >>> flat = ReplicaTiming(np.array([1.0, 2.0]), np.array([0.01, 0.01]), 0.0, 0.0, 0.0, 0.0, 1e9, 10, 2048)
    >>> float(max_rate_req_per_s(flat, Lengths.of(1, 101)).round(6))
    10.0
    """
    slow = np.asarray(time_ratio, np.float64)
    if not (slow > 0).all():
        raise ServingError("the true over the predicted time of an iteration must be above 0")
    aims = [np.inf if each is None else np.asarray(each, np.float64) for each in (ttft_s, tpot_s)]
    shape = np.broadcast_shapes(lengths.input_tokens.shape, slow.shape, *(np.shape(each) for each in aims))
    ratio = np.broadcast_to(slow, shape).ravel()
    first_s = timing.first_token_s
    ttft, tpot = (np.broadcast_to(each, shape).ravel() for each in aims)
    ttft, tpot = (ttft - first_s) / ratio + first_s, tpot / ratio  # slower iterations are tighter targets
    spread = _Spread.of(timing, _flat(lengths, shape))
    low, high = np.zeros(ratio.size), np.ones(ratio.size)
    if np.isinf(ttft).all() and np.isinf(tpot).all():
        low = high
    else:
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            found = spread.at(middle * spread.saturated_req_per_s, quantile_fraction)
            met = (found.ttft_quantile_s <= ttft) & (found.tpot_quantile_s <= tpot)
            low, high = np.where(met, middle, low), np.where(met, high, middle)
    return np.asarray((low * spread.saturated_req_per_s / ratio).reshape(shape))


def _flat(lengths: Lengths, shape: tuple[int, ...]) -> Lengths:
    names = Lengths.__dataclass_fields__
    return Lengths(*(np.broadcast_to(getattr(lengths, each), shape).ravel() for each in names))


def _step_s(timing: ReplicaTiming, new_tokens: Floats) -> Floats:
    """Time of an iteration with so many new tokens, without attention to the cache."""
    known = np.interp(new_tokens, timing.step_tokens, timing.step_s)
    if timing.step_tokens.size < 2:
        return known
    slope = (timing.step_s[-1] - timing.step_s[-2]) / (timing.step_tokens[-1] - timing.step_tokens[-2])
    return np.asarray(known + slope * np.maximum(new_tokens - timing.step_tokens[-1], 0.0))


def _quantile(mean: Floats, variance: Floats, z: float) -> Floats:
    """Of a gamma distribution (Wilson and Hilferty 1931); for the widest, the highest that any of that mean has.

    A variance that rounding made negative is none.
    """
    part = np.minimum(np.maximum(variance, 0.0) / np.maximum(mean, 1e-300) ** 2 / 9.0, (max(z, 0.0) / 2) ** 2 or np.inf)
    return np.asarray(mean * np.maximum(1 - part + z * np.sqrt(part), 0.0) ** 3)


@dataclass(frozen=True, slots=True)
class _Spread:
    """The states of a replica, points down, numbers of decoding sequences across."""

    first_s: float
    states: Floats
    """Numbers of sequences from none to the limit, coarser where there are many; the limit may come several times."""
    widths: Floats
    """How many whole numbers each state stands for, within the limit."""
    iteration_s: Floats
    """``s0``."""
    prompt_s: Floats
    """``w``."""
    prompt_sd_s: Floats
    """Its standard deviation."""
    full_s: Floats
    """The longest iteration: all the prompt tokens that are allowed."""
    after_first_tokens: Floats
    output_cv2_ratio: Floats
    chunks_count: Floats
    """Iterations that a prompt takes when others leave it all the room."""
    log_stay: Floats
    """ln of the time that a request decodes for in this state, over the number of sequences."""
    saturated_req_per_s: Floats

    @classmethod
    def of(cls, timing: ReplicaTiming, lengths: Lengths) -> _Spread:
        new_tokens = (lengths.input_tokens * (1 - lengths.cached_fraction))[:, None]
        held = lengths.input_tokens + 0.5 * lengths.output_tokens * (1 + lengths.output_cv2_ratio)
        fits = lengths.input_tokens + lengths.output_tokens <= timing.cache_capacity_tokens
        most = min(timing.sequences_max_count, timing.step_max_tokens)
        limit = np.clip(np.floor(timing.cache_capacity_tokens / held), 1, most)
        states, widths = _grid(limit)
        batch = np.maximum(states, 1.0)
        alone = _step_s(timing, batch)
        iteration = alone + batch * (timing.sequence_s + held[:, None] * timing.cache_read_s_per_token)
        squares = lengths.input_tokens**2 * (1 + lengths.input_cv2_ratio) * (1 - lengths.cached_fraction**2)
        pairs_s = (0.5 * squares * timing.attention_s_per_pair)[:, None]
        prompt = _step_s(timing, states + new_tokens) - alone + pairs_s
        spread = np.sqrt(lengths.input_cv2_ratio)[:, None]
        longer = _step_s(timing, states + new_tokens * (1 + spread)) - alone
        after = lengths.output_tokens - 1
        chunks = new_tokens[:, 0] / np.maximum(timing.step_max_tokens - 0.5 * limit, 1.0)
        full_s = iteration[:, -1]
        prompt_s = np.where(after > 0, prompt[:, -1], prompt[:, 0])
        per_request = np.maximum(after * full_s / limit + prompt_s, prompt_s + chunks * iteration[:, 0])
        return cls(
            timing.first_token_s,
            states,
            widths,
            iteration,
            prompt,
            longer - (prompt - pairs_s) + 2 * spread * pairs_s,
            iteration[:, 0] + float(_step_s(timing, np.array(float(timing.step_max_tokens))) - alone[0, 0]),
            after,
            lengths.output_cv2_ratio,
            chunks,
            np.log(np.maximum(after, 1e-300)[:, None] * iteration / batch),
            np.where(fits, 1 / per_request, 0.0),
        )

    def at(self, rate: Floats, quantile_fraction: float) -> Steady:
        """Under streams of these rates."""
        z = NormalDist().inv_cdf(quantile_fraction)
        ok = (rate < self.saturated_req_per_s) | (rate == 0)
        lam = np.where(ok, rate, 0.0)
        chance, wait, wait2 = self._chances(lam)
        prompt = np.sum(chance * self.prompt_s, axis=1)
        prompt2 = np.sum(chance * (self.prompt_s**2 + self.prompt_sd_s**2), axis=1)
        first = _first_token(self, lam, chance, prompt, prompt2)
        decode_s, tpot, tpot_variance = self._tpot(lam, chance, prompt, prompt2, first.own_iteration_s)
        several = self.after_first_tokens > 0
        floor = np.minimum(self.iteration_s[:, 0], tpot)
        slow = floor + _quantile(np.maximum(tpot - floor, 1e-12), tpot_variance, z)
        inf = np.where(ok, 0.0, np.inf)
        ttft, ttft_variance = first.mean_s + wait, first.variance_s2 + wait2 - wait**2
        return Steady(
            sustainable=ok,
            batch_count=np.where(several, lam * decode_s, 0.0) + inf,
            busy_fraction=np.where(ok, first.busy_fraction, 1.0),
            load_fraction=np.where(rate > 0, rate / np.maximum(self.saturated_req_per_s, 1e-300), 0.0),
            ttft_mean_s=self.first_s + ttft + inf,
            ttft_quantile_s=self.first_s + _quantile(ttft, ttft_variance, z) + inf,
            tpot_mean_s=np.where(several, tpot, 0.0) + inf,
            tpot_quantile_s=np.where(several, np.minimum(slow, np.maximum(self.full_s, tpot)), 0.0) + inf,
        )

    def _chances(self, lam: Floats) -> tuple[Floats, Floats, Floats]:
        """Chance of each state; mean and mean square of the wait for a place."""
        load = np.minimum(lam[:, None] * self.prompt_s, 1 - 1e-6)
        # those that come while prompts are computed join together: as if they came in batches (Borel-distributed)
        batches = (1 + (lam[:, None] * self.prompt_sd_s) ** 2) / (1 - load) ** 2
        lumps = 1 + (batches - 1) / (1 + self.output_cv2_ratio[:, None])  # 1 and 1/2: exact for fixed, exponential
        rise = (np.log(np.maximum(lam, 1e-300))[:, None] + self.log_stay - np.log1p(-load)) / lumps
        steps = np.diff(self.states, axis=1)
        summed = 0.5 * (steps * (rise[:, 1:] + rise[:, :-1]) + rise[:, 1:] - rise[:, :-1])
        weight = np.concatenate([np.zeros((lam.size, 1)), np.cumsum(summed, axis=1)], axis=1)
        top = weight.max(axis=1, keepdims=True)
        chance = np.exp(weight - top) * self.widths
        last_rise, lump = np.minimum(rise[:, -1], -1e-9), lumps[:, -1]
        fall = np.exp(np.maximum(last_rise, -600.0))
        waiting = np.exp(weight[:, -1] - top[:, 0]) * fall / (1 - fall)
        total = chance.sum(axis=1) + waiting
        chance = chance / total[:, None]
        beyond = waiting / total
        chance[:, -1] += beyond
        spare = np.maximum(-np.expm1(lump * last_rise), 1e-9)  # of what ends at the limit
        drained_s = lump * (1 - spare) / (np.maximum(lam, 1e-9) * spare)
        wait = beyond / fall * drained_s
        return chance, wait, 2 * wait * drained_s

    def _tpot(
        self, lam: Floats, chance: Floats, prompt: Floats, prompt2: Floats, own_iteration_s: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Time that a request decodes for; mean and variance over requests of its time between tokens."""
        load = np.minimum(lam[:, None] * self.prompt_s, 1 - 1e-6)
        seen = chance * self.states
        batch = seen.sum(axis=1)
        alone = np.maximum(1 - batch, 0.0)  # with few about, one who decodes mostly sees itself only
        seen[:, 1] += alone
        seen /= (batch + alone)[:, None]
        iteration = self.iteration_s / (1 - load)
        slowed = np.sum(seen * iteration, axis=1)
        spread = np.sum(seen * (iteration - slowed[:, None]) ** 2, axis=1)
        after = np.maximum(self.after_first_tokens, 1.0)
        use = np.minimum(lam * prompt, 1 - 1e-6)
        # prompts that came with one's own are computed after it, and hold up its first tokens
        behind = lam * own_iteration_s
        longest = np.maximum(self.full_s, slowed)
        held_up = behind * prompt / (1 - use)
        held_up2 = behind * prompt2 / (1 - use) ** 3 + held_up**2
        # per token, of which some requests have few (the mean of 1/n and 1/n**2 when n is log-normal)
        few = 1 + self.output_cv2_ratio
        disturbed = lam * slowed * prompt2 / (1 - use) ** 2 * few / after
        averaged = np.minimum(_AVERAGED * few, 1.0) * spread
        mean = np.minimum(slowed + held_up * few / after, longest)
        variance = averaged + disturbed + held_up2 * few**3 / after**2
        return np.minimum(slowed * after + held_up, longest * after), mean, variance


@dataclass(frozen=True, slots=True)
class _FirstToken:
    mean_s: Floats
    variance_s2: Floats
    own_iteration_s: Floats
    """Prompt time of the iteration that gives the first token."""
    busy_fraction: Floats


def _first_token(states: _Spread, lam: Floats, chance: Floats, prompt: Floats, prompt2: Floats) -> _FirstToken:
    """From arrival to the first token, when there is a place."""
    base = np.sum(chance * states.iteration_s, axis=1)
    more = np.maximum(states.chunks_count - 1, 0.0) * base
    own, own2 = prompt + more, prompt2 + more * (2 * prompt + more)
    load = np.minimum(lam * own, 1 - 1e-6)
    cycle = base / (1 - load)
    own3 = own2 * np.maximum(2 * own2 / np.maximum(own, 1e-300) - own, own)  # as a gamma distribution's
    residual = 0.5 * (cycle + lam * own2 / (1 - load**2))
    seen = 2 * residual  # mean of the cycle that an arrival falls into
    cubes = (
        base**2 * (1 + 2 * load) + 3 * base * (load**2 * seen + lam * own2) + 3 * load * lam * own2 * seen + lam * own3
    )
    residual2 = cubes / (3 * (1 - load**3))
    # nobody decodes: an iteration runs only for prompts, which share it the more of them come within one
    single, single2 = own + base, own2 + base * (2 * own + base)
    single3 = single2 * np.maximum(2 * single2 / single - single, single)
    within = lam * cycle
    use = np.minimum(1 - (1 - load) * np.exp(-within), 1 - 1e-6)
    apart = np.exp(-(within**2))
    seen = single2 / (single * (1 - use**2))
    cubes = single3 / single + 3 * use**2 * single2 / single * seen
    alone = apart * 0.5 * seen + (1 - apart) * residual
    alone2 = apart * cubes / (3 * (1 - use**3)) + (1 - apart) * residual2
    idle = chance[:, 0] * (1 - use)
    residual, residual2 = (
        (1 - chance[:, 0]) * decoding + chance[:, 0] * use * empty
        for decoding, empty in ((residual, alone), (residual2, alone2))
    )
    mean = base + own + residual * (1 + 2 * load)
    variance = (
        own2 - own**2 + np.maximum(residual2 - residual**2, 0.0) * (1 + 2 * load) ** 2 + 2 * lam * residual * own2
    )
    return _FirstToken(mean, variance, own + 2 * load * residual, 1 - idle)


def _grid(limit: Floats) -> tuple[Floats, Floats]:
    """Numbers of sequences from none to the limit, each with the whole numbers up to half way to its neighbours."""
    highest = float(limit.max())
    numbers = [float(each) for each in range(15)]
    while numbers[-1] < highest:
        numbers.append(float(np.ceil(numbers[-1] * _GROWTH)))
    states = np.minimum(np.array(numbers)[None, :], limit[:, None])
    ends = np.full((limit.size, 1), 0.5)
    edges = np.concatenate([-ends, 0.5 * (states[:, 1:] + states[:, :-1]), limit[:, None] + ends], axis=1)
    return states, np.diff(edges, axis=1)
