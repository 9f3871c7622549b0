"""Demand: the monthly work that every Option must carry, as the log shows it.

It covers the calls that have a price, and calls that name no model at all (the scenario's frontier model is
assumed for them, and said). Calls of a model without a known price are left out of every Option alike, and listed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.source import Source
from breakeven.facts.trace import Binder, Node
from breakeven.units import TOKENS_PER_MTOK
from breakeven.workload.lengths import UNKNOWN_LENGTHS, LengthSpread, together

SMALLEST_INPUT_FRACTION = 1e-9
"""A log without input has no cached input either; this keeps the division defined."""


@dataclass(frozen=True, slots=True)
class TokenMix:
    """Tokens by how they are billed, in the observed window."""

    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.uncached_input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens

    def fractions(self) -> dict[str, float]:
        """The four shares by the names the token formula asks for."""
        total = max(self.tokens, 1)
        return {
            "uncached_input_fraction": self.uncached_input_tokens / total,
            "cache_read_fraction": self.cache_read_tokens / total,
            "cache_write_fraction": self.cache_write_tokens / total,
            "output_fraction": self.output_tokens / total,
        }


@dataclass(frozen=True, slots=True)
class TaskDemand:
    """What one model does for one task of the log."""

    task: str
    """As the log names it."""
    mix: TokenMix
    requests_count: int
    spend_usd: float
    lengths: LengthSpread = UNKNOWN_LENGTHS


@dataclass(frozen=True, slots=True)
class ModelDemand:
    """What one model of today's mix does, and what its provider charges today."""

    label: str
    """``provider/model`` as the log names it."""
    mix: TokenMix
    requests_count: int
    spend_usd: float
    """The observed window at the prices of the comparison's date, tiers applied call by call."""
    prices: tuple[Assumption, ...]
    """The list prices behind it: ``input_usd_per_mtok`` and so on; empty when several tiers applied."""
    source: Source
    assumed: bool = False
    """True when the log names no model and the scenario's frontier model is taken."""
    batch_fraction: float = 0.0
    """Share of the tokens that the log already sent through the provider's batch API."""
    by_task: tuple[TaskDemand, ...] = ()
    """The part of it that names a task, by task; empty when the log does not know its tasks."""
    lengths: LengthSpread = UNKNOWN_LENGTHS
    """Of its calls that the log gives one by one."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The monthly work that every Option must carry."""

    models: tuple[ModelDemand, ...]
    observed_hours: float
    volume_ratio_name: str
    """The Assumption that says how far the observed window may stand from a usual month."""
    hourly_peak_to_mean_ratio: float | None
    """Busiest hour over mean hour, when the log is long enough to show it."""
    source: Source
    """The log."""
    left_out: tuple[str, ...] = ()
    """Models whose calls no option can take over (embeddings); left out of every option alike."""
    burst_headroom_ratio: float | None = None
    """Busiest minutes over the mean of their hour, when the log is long and dense enough to show it."""
    mix: TokenMix = field(init=False, repr=False, compare=False)
    """Tokens of all models together."""
    lengths: LengthSpread = field(init=False, repr=False, compare=False)
    """Lengths of the calls that the log gives one by one."""

    def __post_init__(self) -> None:
        mix = TokenMix(
            sum(each.mix.uncached_input_tokens for each in self.models),
            sum(each.mix.cache_read_tokens for each in self.models),
            sum(each.mix.cache_write_tokens for each in self.models),
            sum(each.mix.output_tokens for each in self.models),
        )
        object.__setattr__(self, "mix", mix)
        object.__setattr__(self, "lengths", together(each.lengths for each in self.models))

    @property
    def requests_count(self) -> int:
        """Requests in the observed window."""
        return sum(each.requests_count for each in self.models)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that the log names, most tokens first; empty when it does not know its tasks."""
        tokens: dict[str, int] = {}
        for model in self.models:
            for each in model.by_task:
                tokens[each.task] = tokens.get(each.task, 0) + each.mix.tokens
        return tuple(sorted(tokens, key=lambda task: (-tokens[task], task)))

    def volume_mtok_per_month(self, hours_per_month: Draws | float) -> Draws | float:
        """The observed window stretched to a month, millions of tokens."""
        return self.mix.tokens / self.observed_hours * hours_per_month / TOKENS_PER_MTOK


@formula
def observed_volume_mtok_per_month(observed_tokens: Draws, observed_hours: Draws, hours_per_month: Draws) -> Draws:
    """The tokens of the observed hours, stretched to a month.

    >>> float(observed_volume_mtok_per_month(1e6, 365.0, 730.0))
    2.0
    """
    return observed_tokens / observed_hours * hours_per_month / TOKENS_PER_MTOK


@formula
def part_volume_mtok_per_month(volume_mtok_per_month: Draws, part_fraction: Draws) -> Draws:
    """A part's share of the volume.

    >>> float(part_volume_mtok_per_month(100.0, 0.25))
    25.0
    """
    return volume_mtok_per_month * part_fraction


@formula
def volume_mtok_per_month(observed_volume_mtok_per_month: Draws, volume_over_observed_ratio: Draws) -> Draws:
    """Tokens of a usual month: the observed rate times how far the observed window may stand from it.

    >>> float(volume_mtok_per_month(100.0, 1.1))
    110.00000000000001
    """
    return observed_volume_mtok_per_month * volume_over_observed_ratio


@formula
def requests_per_month(volume_mtok_per_month: Draws, tokens_per_request: Draws) -> Draws:
    """Requests of a month at the observed size of a request.

    >>> float(requests_per_month(2.0, 1000.0))
    2000.0
    """
    return volume_mtok_per_month * TOKENS_PER_MTOK / tokens_per_request


@formula
def input_tokens_per_request(tokens_per_request: Draws, output_fraction: Draws) -> Draws:
    """Mean input of a request, cached or not."""
    return tokens_per_request * (1 - output_fraction)


@formula
def output_tokens_per_request(tokens_per_request: Draws, output_fraction: Draws) -> Draws:
    """Mean output of a request."""
    return tokens_per_request * output_fraction


@formula
def cached_input_fraction(cache_read_fraction: Draws, output_fraction: Draws) -> Draws:
    """Share of the input that the API served from its prompt cache.

    >>> float(cached_input_fraction(0.4, 0.2))
    0.5
    """
    return cache_read_fraction / np.maximum(1 - output_fraction, SMALLEST_INPUT_FRACTION)


def bind_demand(
    binder: Binder,
    demand: Demand,
    volume_mtok: Draws | None,
    share: Node | None = None,
    part: Demand | None = None,
) -> None:
    """Bind the demand's names.

    `volume_mtok` replaces the observed volume (for curves); `share` takes a part of the tokens. `part`: the calls of
    that share as the log shows them; without it they are like all the others.
    """
    source = demand.source
    tokens = demand.mix.tokens
    calls = part or demand
    for name, value in calls.mix.fractions().items():
        binder.derive(name, value, "from the log", source=source)
    tokens_per_request = calls.mix.tokens / max(calls.requests_count, 1)
    binder.derive("tokens_per_request", tokens_per_request, "from the log", source=source)
    if volume_mtok is None:
        how = f"{tokens:,} tokens in {demand.observed_hours:,.2f} observed hours, stretched to a month"
        binder.derive("observed_tokens", float(tokens), "from the log", source=source)
        binder.derive("observed_hours", demand.observed_hours, "from the log", source=source)
        seen = tuple(binder.node(name) for name in observed_volume_mtok_per_month.parameters)
        binder.apply(observed_volume_mtok_per_month, *seen, how=how)
        binder.rename("volume_over_observed_ratio", demand.volume_ratio_name, "depends on the days observed")
        whole = binder.evaluate(volume_mtok_per_month)
    else:
        whole = binder.derive("volume_mtok_per_month", volume_mtok, "a point of the cost curve")
    if share is not None:
        binder.apply(part_volume_mtok_per_month, whole, share, name="volume_mtok_per_month")
    for each in (
        requests_per_month,
        input_tokens_per_request,
        output_tokens_per_request,
        cached_input_fraction,
    ):
        binder.evaluate(each)
    _bind_shape(binder, demand, calls)


def _bind_shape(binder: Binder, demand: Demand, calls: Demand) -> None:
    """Offer what the log shows of its busiest hour and minutes, and of how widely the lengths of `calls` differ."""
    shown = {
        "hourly_peak_to_mean_ratio": (demand.hourly_peak_to_mean_ratio, "busiest hour of the log over its mean hour"),
        "burst_headroom_ratio": (demand.burst_headroom_ratio, "busiest minutes of the busiest hours over their mean"),
    }
    lengths = calls.lengths
    if lengths:
        how = f"variance over squared mean, {lengths.requests_count:,.0f} calls of the log"
        shown["input_cv2_ratio"] = (lengths.input_cv2_ratio, how)
        shown["output_cv2_ratio"] = (lengths.output_cv2_ratio, how)
    for name, (value, how) in shown.items():
        if value is not None:
            binder.shown[name] = (value, how, demand.source)
