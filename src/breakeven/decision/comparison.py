"""Comparison: the Options side by side for one Workload, with ranges, odds, break-even volumes and levers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from breakeven.costs.line import CostLine
from breakeven.decision.breakeven import BreakEvenReport, Envelope
from breakeven.decision.curve import CostCurve
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Node
from breakeven.options.assembly.demand import Demand
from breakeven.options.option import Family, OptionCost

UnavailableKind = Literal["price", "constraint", "other"]
"""No price is known; a hard constraint of the scenario is not met; or it does not fit the work."""


class Costed(Protocol):
    """One Option, costed, whatever else is known of it."""

    @property
    def name(self) -> str:
        """Name of the Option."""
        ...

    @property
    def cost(self) -> OptionCost:
        """With everything behind it."""
        ...

    @property
    def equal_success_usd_per_month(self) -> Range:
        """Cost of as many successful outcomes as the status quo gives."""
        ...

    @property
    def same_as(self) -> str | None:
        """An Option that costs the same in every draw, named earlier."""
        ...


AnyOption = TypeVar("AnyOption", bound=Costed)


class SideBySide(Protocol):
    """Options side by side, whatever else is known of them."""

    @property
    def demand(self) -> Demand:
        """The work."""
        ...

    @property
    def status_quo(self) -> str:
        """Name of the Option in which nothing changes."""
        ...

    @property
    def options(self) -> Sequence[Costed]:
        """Those that could be costed."""
        ...

    @property
    def unavailable(self) -> Sequence[Unavailable]:
        """Those that could not."""
        ...

    @property
    def typical_volume_mtok(self) -> float:
        """A month's volume as the log shows it."""
        ...

    def option(self, name: str) -> Costed:
        """The Option `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """An uncertain amount, by its quantiles over the draws."""

    p10: float
    p50: float
    p90: float
    mean: float


def range_of(draws: Draws) -> Range:
    """Exact P10, P50, P90 and mean of `draws`, shape ``(draws,)``.

    >>> range_of(np.arange(101.0))
    Range(p10=10.0, p50=50.0, p90=90.0, mean=50.0)
    """
    ordered = np.sort(draws)
    if ordered[-1] != ordered[-1]:
        return Range(np.nan, np.nan, np.nan, np.nan)
    p10, p50, p90 = (_quantile(ordered, each) for each in (0.1, 0.5, 0.9))
    return Range(p10, p50, p90, float(np.mean(draws)))


def _quantile(ordered: Draws, probability: float) -> float:
    """As `np.quantile` has it, to the bit."""
    place = probability * (ordered.size - 1)
    left = int(place)
    low, high = float(ordered[left]), float(ordered[min(left + 1, ordered.size - 1)])
    return between_neighbours(low, high, place - left)


def between_neighbours(low: float, high: float, share_fraction: float) -> float:
    """As `np.quantile` takes it, to the bit: in proportion, from the nearer one."""
    return high - (high - low) * (1 - share_fraction) if share_fraction >= 0.5 else low + (high - low) * share_fraction


@dataclass(frozen=True, slots=True)
class LineResult:
    """One cost line of one Option."""

    line: CostLine
    usd_per_month: Range
    engineer_hours_per_month: Range | None


@dataclass(frozen=True, slots=True)
class OptionResult:
    """One Option with everything the table shows."""

    cost: OptionCost
    usd_per_month: Range
    usd_per_mtok: Range
    usd_per_success: Range
    equal_success_usd_per_month: Range
    """Cost of as many successful outcomes as the status quo gives: what the decision compares."""
    with_losses_usd_per_month: Range
    success_fraction: Range
    raw_rent_usd_per_month: Range | None
    total_over_rent_ratio: Range | None
    cheapest_fraction: float
    """Share of the draws in which a successful outcome costs least here."""
    cheapest_with_losses_fraction: float
    """The same with expected breach losses counted."""
    extra_usd_per_month: Range
    """Cost beyond the status quo's, for equal successful outcomes; negative when it costs less."""
    lines: tuple[LineResult, ...]
    same_as: str | None = None
    """An Option that costs the same in every draw, named earlier: the odds are counted there."""

    @property
    def name(self) -> str:
        """Name of the Option."""
        return self.cost.name


@dataclass(frozen=True, slots=True)
class Unavailable:
    """An Option that could not be costed, and why; never counted as free."""

    name: str
    title: str
    reason: str
    family: Family = "api"
    kind: UnavailableKind = "other"


@dataclass(frozen=True, slots=True)
class Band:
    """Cost of one Option along a grid of volumes, for equal successful outcomes."""

    option: str
    volumes_mtok: NDArray[np.float64]
    p10_usd_per_month: NDArray[np.float64]
    p50_usd_per_month: NDArray[np.float64]
    p90_usd_per_month: NDArray[np.float64]
    typical_usd_per_month: NDArray[np.float64]
    cheapest_fraction: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Where an Option and the status quo cross, at typical values."""

    option: str
    report: BreakEvenReport


@dataclass(frozen=True, slots=True)
class Lever:
    """How far one Assumption alone moves the gap between the recommended Option and its rival."""

    name: str
    low: float
    high: float
    gap_at_low_usd_per_month: float
    gap_at_high_usd_per_month: float
    gap_usd_per_month: float
    node: Node

    @property
    def swing_usd_per_month(self) -> float:
        """Absolute movement of the gap over the Assumption's range."""
        return abs(self.gap_at_high_usd_per_month - self.gap_at_low_usd_per_month)

    @property
    def flips(self) -> bool:
        """True when the gap changes its sign inside the range: the answer hangs on this number."""
        gaps = (self.gap_at_low_usd_per_month, self.gap_at_high_usd_per_month, self.gap_usd_per_month)
        return min(gaps) < 0 < max(gaps)


@dataclass(frozen=True, slots=True)
class Choice:
    """What looking further than this month recommends."""

    name: str
    cheapest_fraction: float
    """Share of the futures in which its present cost is the lowest."""
    months_count: int
    likeliest: str
    """The Option that is cheapest in most futures."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Options side by side."""

    demand: Demand
    status_quo: str
    options: tuple[OptionResult, ...]
    """Sorted by the median cost per successful outcome, cheapest first."""
    unavailable: tuple[Unavailable, ...]
    curves: tuple[CostCurve, ...]
    """Typical monthly cost for equal successful outcomes, exact."""
    envelope: Envelope
    pairs: tuple[Pair, ...]
    bands: tuple[Band, ...]
    levers: tuple[Lever, ...]
    """Largest swing first."""
    typical_volume_mtok: float
    draws_count: int
    seed: int
    choice: Choice | None = None
    """What the months to come recommend; None: nobody has looked further than this month."""

    @property
    def best(self) -> OptionResult:
        """The recommended Option: lowest expected cost over the horizon, where one was looked at, else this month."""
        return self.option(self.choice.name) if self.choice else self.best_today

    @property
    def best_today(self) -> OptionResult:
        """The Option with the lowest expected cost per successful outcome at today's volume and prices."""
        return lowest_expected(self.options)

    @property
    def odds_fraction(self) -> float:
        """Share of the futures in which the recommended Option is the cheapest, over whatever was looked at."""
        return self.choice.cheapest_fraction if self.choice else self.best.cheapest_fraction

    @property
    def rival(self) -> OptionResult | None:
        """What the best Option is compared with: the status quo, or the next best when that is the best itself."""
        return rival_of(self.best, self.options, self.status_quo)

    def option(self, name: str) -> OptionResult:
        """The result of the Option `name`."""
        return next(each for each in self.options if each.name == name)


def lowest_expected(options: Sequence[OptionResult]) -> OptionResult:
    """The Option with the lowest expected cost per successful outcome, of those that everybody may take."""
    return min(open_to_all(options), key=lambda each: each.usd_per_success.mean)


def rival_of(best: OptionResult, options: Sequence[OptionResult], status_quo: str) -> OptionResult | None:
    """The status quo; when that is the best itself, the best of the others; None when there are none."""
    others = [each for each in options if each.name != best.name]
    if best.name == status_quo:
        return lowest_expected(others) if others else None
    return next(each for each in others if each.name == status_quo)


def leaf_nodes(roots: Iterable[Node]) -> tuple[Node, ...]:
    """Every Node without inputs below `roots`, once each, in the order in which a walk meets it last."""
    found: list[Node] = []
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.inputs)
            if not node.inputs:
                found.append(node)
    return tuple(reversed(found))


def open_to_all(options: Sequence[AnyOption]) -> Sequence[AnyOption]:
    """Those without a condition; all when every one has one."""
    return [each for each in options if not each.cost.only_if] or options
