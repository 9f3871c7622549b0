"""Break-even odds: at which monthly volumes an option and the status quo cross, in every future, and how often never.

Each draw has cost curves of its own: lines, and staircases whose steps have a width of their own. The options' own cost
functions are asked, with one volume per draw: at both edges of steps spread evenly over the (logarithmic) axis, then by
bisection over whole steps, then along the line inside one step. Between two steps looked at next to one another the
balance of both is taken to change its sign at most once (with replicas and people it does; tests walk every step).
Never is infinity: counted, sorted, and never averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.breakeven import FirstLastBreakEven, never_fraction, quantiles
from breakeven.decision.compare import STATUS_QUO
from breakeven.errors import CurveError
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

Floats = NDArray[np.float64]
Gap = Callable[[Floats], Floats]
"""Cost of the option less that of the status quo at volumes of shape ``(..., draws)``; below 0 it costs less."""

DRAWS_LOG2: Final = 11
STEPS_COUNT: Final = 20
"""Steps of each draw that are looked at first, evenly spread over the logarithm of their number."""
CHUNK_VOLUMES_COUNT: Final = 16
PROBABILITIES: Final = (0.1, 0.5, 0.9)
EDGE_RATIO: Final = 1e-9
"""How far inside a step its edges are looked at, relatively: whole replicas are counted in floating point."""
_ROOT_STEPS_COUNT: Final = 60
_WHOLE_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "replicas_count": ("peak_req_per_s", "replica_capacity_req_per_s"),
    "provisioned_units_count": ("provisioned_peak_tok_per_s", "provisioned_unit_tok_per_s"),
}
"""What is bought whole -> the load that is proportional to the volume, and what one of it carries."""


@dataclass(frozen=True, slots=True)
class VolumeRange:
    """An uncertain volume by its quantiles, Mtok a month; infinity: never."""

    p10_mtok_per_month: float
    p50_mtok_per_month: float
    p90_mtok_per_month: float


@dataclass(frozen=True, slots=True)
class BreakEvenOdds:
    """Where one option and the status quo cross, over the futures."""

    option: str
    first: VolumeRange
    """Lowest volume of the axis at which it costs less."""
    last: VolumeRange
    """Volume above which it costs less at every volume of the axis."""
    never_fraction: float
    """Share of the futures in which it costs less nowhere on the axis."""
    here_fraction: float
    """Share of the futures in which it costs less at the volume of the log."""
    axis_low_mtok_per_month: float
    axis_high_mtok_per_month: float


def breakeven_odds(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    low_mtok_per_month: float,
    high_mtok_per_month: float,
) -> tuple[BreakEvenOdds, ...]:
    """The odds of every option against the status quo, for equal successful outcomes at one month's prices.

    The status quo must be among `options`; the first 2**DRAWS_LOG2 of `draws` are taken.
    """
    few = draws.first(DRAWS_LOG2)
    at_present = options[STATUS_QUO].cost(situation, Evaluation(few.of))
    base_line = _line_of(situation, options[STATUS_QUO], few, low_mtok_per_month, high_mtok_per_month)
    found = []
    for name, option in options.items():
        if name == STATUS_QUO:
            continue
        here = option.cost(situation, Evaluation(few.of))
        cheaper = here.total.value * (at_present.success.value / here.success.value) < at_present.total.value
        gap = _Gap(situation, option, few, base_line, at_present.success.value)
        crossing = first_last(gap, step_mtok_of(here), few.draws_count, low_mtok_per_month, high_mtok_per_month)
        found.append(
            BreakEvenOdds(
                name,
                VolumeRange(*quantiles(crossing.first_mtok, PROBABILITIES)),
                VolumeRange(*quantiles(crossing.last_mtok, PROBABILITIES)),
                never_fraction(crossing.first_mtok),
                float(np.mean(np.broadcast_to(cheaper, (few.draws_count,)))),
                low_mtok_per_month,
                high_mtok_per_month,
            )
        )
    return tuple(found)


def first_last(
    gap: Gap, step_mtok: Draws | None, draws_count: int, low_mtok: float, high_mtok: float
) -> FirstLastBreakEven:
    """First volume of the axis at which `gap` is below 0, and the one above which it stays there, of every draw.

    `step_mtok`: width of each draw's steps (right-closed); None: `gap` is one line in every draw.

    >>> api = np.array([0.20, 0.15])
    >>> gap = lambda v: 5_000 + 1_204.5 * np.maximum(np.ceil(v / 8_000), 2) - api * v
    >>> found = first_last(gap, np.array([8_000.0, 8_000.0]), 2, 10.0, 1e6)
    >>> found.first_mtok.round(6).tolist(), found.last_mtok.round(6).tolist()
    ([103292.5, inf], [121360.0, inf])
    """
    return _Steps(gap, step_mtok, draws_count, low_mtok, high_mtok).first_last()


def step_mtok_of(cost: OptionCost) -> Draws | None:
    """Width of the steps of `cost` in each draw: the volume that one more whole unit carries; None without steps."""
    if cost.staircase is None:
        return None
    waiting = [cost.total, *cost.facts]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        inputs = {each.name: each for each in node.inputs}
        load, carried = _WHOLE_UNITS.get(node.name, ("", ""))
        if load in inputs and carried in inputs:
            return _step(cost, inputs[load], inputs[carried])
        waiting.extend(node.inputs)
    raise CurveError(
        f"option '{cost.name}' has a staircase, and nothing in its trace says how wide its steps are; wanted one of: "
        f"{', '.join(_WHOLE_UNITS)}"
    )


def _step(cost: OptionCost, load: Node, carried: Node) -> Draws:
    return np.asarray(cost.volume.value * (carried.value / load.value))


class _Gap:
    """Cost of an option less the status quo's line, for equal successful outcomes."""

    def __init__(
        self, situation: Situation, option: Option, draws: DrawSet, base: tuple[Draws, Draws], base_success: Draws
    ) -> None:
        self._situation, self._option, self._draws = situation, option, draws
        self._intercept, self._slope = base
        self._base_success = base_success

    def __call__(self, volumes: Floats) -> Floats:
        cost = self._option.cost(self._situation, Evaluation(self._draws.of, volumes))
        equal = cost.total.value * (self._base_success / cost.success.value)
        return np.asarray(equal - (self._intercept + self._slope * volumes))


def _line_of(situation: Situation, option: Option, draws: DrawSet, low: float, high: float) -> tuple[Draws, Draws]:
    """Intercept and slope of the status quo in each draw: a bill per token is one line."""
    volumes = np.array([[low], [high]])
    total = option.cost(situation, Evaluation(draws.of, volumes)).total.value
    at_low, at_high = np.broadcast_to(total, (2, draws.draws_count))
    slope = (at_high - at_low) / (high - low)
    return at_low - slope * low, slope


class _Steps:
    """The steps of every draw between both ends of the axis."""

    def __init__(self, gap: Gap, step: Draws | None, draws_count: int, low: float, high: float) -> None:
        self._gap, self._low, self._high = gap, low, high
        width = np.inf if step is None else step
        self._width = np.broadcast_to(np.asarray(width, dtype=np.float64), (draws_count,))
        self._first_step = self._holding(np.full(draws_count, low))
        self._last_step = self._holding(np.full(draws_count, high))
        self._looked_at = self._first_look(one_line=step is None)
        self._balance = self._at_edges(self._looked_at)

    def first_last(self) -> FirstLastBreakEven:
        """Both searches side by side, as two rows: the first step that pays anywhere, the last that loses anywhere."""
        known = _pays_loses(self._balance)
        never, always = ~known[0].any(axis=0), ~known[1].any(axis=0)
        step = self._bisect(*self._neighbours(known))
        left, right = self._edges(step)
        starts, ends = self._at(np.stack([left, right]))
        root = self._root(left, right, starts, ends)
        first = np.where(step[0] == self._first_step, self._low, left[0] / (1 + EDGE_RATIO))
        first = np.where(starts[0] < 0, first, root[0])
        last = np.where(step[1] == self._last_step, np.inf, right[1] / (1 - EDGE_RATIO))
        last = np.where(ends[1] < 0, root[1], last)
        return FirstLastBreakEven(np.where(never, np.inf, first), np.where(always, self._low, last))

    def _at(self, volumes: Floats) -> Floats:
        """The gap at `volumes`, in their shape."""
        return np.broadcast_to(self._gap(volumes), volumes.shape)

    def _holding(self, volumes: Floats) -> Floats:
        """Number of the step that holds each volume, from 1; infinitely wide steps: 1."""
        return np.maximum(np.ceil(volumes / self._width), 1.0)

    def _edges(self, step: Floats) -> tuple[Floats, Floats]:
        """Volumes just inside both ends of `step`, within the axis."""
        finite = np.isfinite(self._width)
        width = np.where(finite, self._width, 0.0)
        left = np.maximum((step - 1) * width * (1 + EDGE_RATIO), self._low)
        right = np.where(finite, np.minimum(step * width * (1 - EDGE_RATIO), self._high), self._high)
        return left, np.maximum(right, left)

    def _first_look(self, *, one_line: bool) -> Floats:
        """Steps to look at first, ascending, shape ``(volumes, draws)``; both ends of the axis among them."""
        if one_line:
            return self._first_step[None]
        shares = np.linspace(0.0, 1.0, STEPS_COUNT)[:, None]
        steps = np.floor(self._first_step * (self._last_step / self._first_step) ** shares)
        steps = np.maximum(steps, np.minimum(self._first_step + np.arange(STEPS_COUNT)[:, None], self._last_step))
        steps[-1] = self._last_step
        return steps

    def _at_edges(self, steps: Floats) -> Floats:
        """The gap at both ends of each step, shape ``(2, volumes, draws)``."""
        volumes = np.concatenate(self._edges(steps))
        starts = range(0, len(volumes), CHUNK_VOLUMES_COUNT)
        chunks = [self._at(volumes[start : start + CHUNK_VOLUMES_COUNT]) for start in starts]
        return np.concatenate(chunks).reshape(2, *steps.shape)

    def _neighbours(self, known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Of the steps looked at: the one next to the first that pays and the last that loses, and these themselves."""
        columns, end = np.arange(self._width.size), len(self._looked_at) - 1
        first, last = known[0].argmax(axis=0), end - known[1][::-1].argmax(axis=0)
        inside = np.stack([self._looked_at[first, columns], self._looked_at[last, columns]])
        below = np.where(first > 0, self._looked_at[np.maximum(first - 1, 0), columns], inside[0] - 1)
        above = np.where(last < end, self._looked_at[np.minimum(last + 1, end), columns], inside[1] + 1)
        return np.stack([below, above]), inside

    def _bisect(self, outside: Floats, inside: Floats) -> Floats:
        """Narrow both rows to neighbouring steps, the one without and the one with what is looked for; the latter."""
        while np.any(np.abs(inside - outside) > 1):
            middle = np.floor((outside + inside) / 2)
            pays, loses = _pays_loses(self._at(np.stack(self._edges(middle))))
            holds = np.stack([pays[0], loses[1]])
            apart = np.abs(inside - outside) > 1
            inside = np.where(apart & holds, middle, inside)
            outside = np.where(apart & ~holds, middle, outside)
        return inside

    def _root(self, left: Floats, right: Floats, starts: Floats, ends: Floats) -> Floats:
        """Where the gap is 0 between two volumes of one step; exact at once on a line (regula falsi, Illinois)."""
        low, high, of_low, of_high = left.copy(), right.copy(), starts.copy(), ends.copy()
        crosses = (of_low < 0) != (of_high < 0)
        at = right.copy()
        side = np.zeros(left.shape)
        for _ in range(_ROOT_STEPS_COUNT):
            rise = of_high - of_low
            at = np.where(crosses & (rise != 0), low - of_low * (high - low) / np.where(rise == 0, 1.0, rise), at)
            value = self._at(at)
            if np.all(~crosses | (np.abs(value) <= 1e-9 * np.maximum(np.abs(starts), np.abs(ends)))):
                break
            to_high = (value < 0) == (of_high < 0)
            of_low = np.where(to_high, np.where(side > 0, of_low / 2, of_low), value)
            of_high = np.where(to_high, value, np.where(side < 0, of_high / 2, of_high))
            low, high = np.where(to_high, low, at), np.where(to_high, at, high)
            side = np.where(to_high, 1.0, -1.0)
        return at


def _pays_loses(balance: Floats) -> NDArray[np.bool_]:
    """Whether each step pays at one of its ends, and whether it loses at one; `balance` has both ends first."""
    return np.stack([balance.min(axis=0) < 0, balance.max(axis=0) >= 0])
