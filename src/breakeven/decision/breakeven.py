"""Break-even: the monthly volumes at which the cheaper of two options changes, and how sure that is.

A price per token against whole replicas crosses several times, so there is a first break-even, a last one (the safe
volume), and sometimes none. None is infinity: it is counted, sorted and shown, and never averaged away, which is why
there is no mean of break-even volumes anywhere here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.decision.curve import CostCurve, Floats, Tail, shared_range_mtok
from breakeven.decision.envelope import BreakEven, Envelope, Stretch, lower_envelope
from breakeven.errors import CurveError

__all__ = [
    "Basis",
    "Beyond",
    "BreakEven",
    "BreakEvenReport",
    "BreakEvenWindow",
    "Envelope",
    "FirstLastBreakEven",
    "Stretch",
    "first_last_breakeven",
    "lower_envelope",
    "never_fraction",
    "pairwise",
    "quantiles",
    "window_bounds",
]

Basis = Literal["proved", "to_end"]
"""How far a claim reaches: at every larger volume too ("proved"), or only to the end of the range ("to_end")."""
Beyond = Literal["a", "b", "a_eventually", "b_eventually", "unknown"]
"""Which option is cheaper above the range: at every volume, only from some volume on, or not known."""


@dataclass(frozen=True, slots=True)
class BreakEvenReport:
    """Where the cheaper of options a and b changes; built by `pairwise`."""

    option_a: str
    option_b: str
    envelope: Envelope
    beyond: Beyond
    beyond_from_mtok: float
    """The volume above which `beyond` is proved; infinity where it is true but not known from when."""

    @property
    def crossings(self) -> tuple[BreakEven, ...]:
        """Every volume of the range at which the cheaper option changes, in order."""
        return self.envelope.crossings

    @property
    def first_mtok(self) -> float | None:
        """The lowest break-even volume; None when one option is cheaper throughout."""
        return self.crossings[0].mtok_per_month if self.crossings else None

    @property
    def last_mtok(self) -> float | None:
        """The highest break-even volume of the range; None when one option is cheaper throughout."""
        return self.crossings[-1].mtok_per_month if self.crossings else None

    @property
    def cheaper_at_end(self) -> str:
        """The cheaper option at the highest volume of the range."""
        return self.envelope.last_stretch.option

    @property
    def b_always_above_mtok(self) -> float | None:
        """Option b is cheaper at every volume of the range above this one; None when a is cheaper at its end."""
        last = self.envelope.last_stretch
        return last.from_mtok if last.option == self.option_b else None

    @property
    def b_always_basis(self) -> Basis | None:
        """Whether `b_always_above_mtok` holds for ever or only to the end of the range; None when there is none."""
        if self.b_always_above_mtok is None:
            return None
        return "proved" if self.beyond == "b" else "to_end"

    @property
    def b_never(self) -> bool:
        """Option b is cheaper nowhere in the range."""
        return all(stretch.option == self.option_a for stretch in self.envelope.stretches)

    @property
    def b_never_basis(self) -> Basis | None:
        """Whether `b_never` holds for ever or only to the end of the range; None when b is cheaper somewhere."""
        if not self.b_never:
            return None
        return "proved" if self.beyond == "a" else "to_end"


@dataclass(frozen=True, slots=True)
class FirstLastBreakEven:
    """First and last break-even volume of each draw, Mtok per month; infinity where there is none."""

    first_mtok: Floats
    """Self-hosting is nowhere cheaper below this volume."""
    last_mtok: Floats
    """Self-hosting is cheaper at every volume above this one: the safe volume."""

    @property
    def never_fraction(self) -> float:
        """Share of draws in which self-hosting is cheaper at no volume at all."""
        return never_fraction(self.first_mtok)


@dataclass(frozen=True, slots=True)
class BreakEvenWindow:
    """Volumes between which every break-even of each draw lies, Mtok per month; infinity where there is none."""

    lower_mtok: Floats
    upper_mtok: Floats


def pairwise(
    curve_a: CostCurve, curve_b: CostCurve, low_mtok: float | None = None, high_mtok: float | None = None
) -> BreakEvenReport:
    """Every volume at which the cheaper of two curves changes; by default over all that both cover.

    >>> api = CostCurve.linear("api", usd_per_mtok=0.20)
    >>> rented = CostCurve.staircase("rented", fixed_usd=5_000, usd_per_replica=1_204.5,
    ...     replica_capacity_mtok=8_000, min_replicas_count=2, end_mtok=150_000)
    >>> report = pairwise(api, rented)
    >>> report.first_mtok, report.last_mtok, report.b_always_basis
    (103292.5, 121360.0, 'proved')
    """
    shared_low_mtok, shared_high_mtok = shared_range_mtok([curve_a, curve_b])
    low = shared_low_mtok if low_mtok is None else low_mtok
    high = shared_high_mtok if high_mtok is None else high_mtok
    envelope = lower_envelope([curve_a, curve_b], low, high)
    beyond, beyond_from_mtok = _beyond(curve_a.tail, curve_b.tail, high)
    return BreakEvenReport(curve_a.name, curve_b.name, envelope, beyond, beyond_from_mtok)


def first_last_breakeven(
    *,
    api_usd_per_mtok: ArrayLike,
    fixed_usd_per_month: ArrayLike,
    usd_per_replica_month: ArrayLike,
    replica_capacity_mtok_per_month: ArrayLike,
    min_replicas_count: ArrayLike = 0,
    variable_usd_per_mtok: ArrayLike = 0.0,
) -> FirstLastBreakEven:
    """First and last volume where ``api * v`` meets ``fixed + variable * v + replica * max(m, ceil(v / capacity))``.

    Closed form, one pass over arrays that broadcast to shape ``(draws,)``. With q = api - variable and
    d = q * capacity - replica (what a full replica saves), step k is cheaper at its right edge iff ``k * d > fixed``
    and throughout iff ``(k - 1) * q * capacity >= fixed + k * replica``.

    >>> found = first_last_breakeven(api_usd_per_mtok=[0.20, 0.15], fixed_usd_per_month=5_000,
    ...     usd_per_replica_month=1_204.5, replica_capacity_mtok_per_month=8_000, min_replicas_count=2)
    >>> found.first_mtok.tolist(), found.last_mtok.tolist()
    ([103292.5, inf], [121360.0, inf])
    """
    q, fixed, replica, capacity, fewest = _checked_draws(
        api_usd_per_mtok,
        variable_usd_per_mtok,
        fixed_usd_per_month,
        usd_per_replica_month,
        replica_capacity_mtok_per_month,
        min_replicas_count,
    )
    never = q * capacity <= replica
    q = np.where(never, 1.0 + replica / capacity, q)  # any price that pays will do: the result is replaced below
    full_saves = q * capacity - replica

    # Each guess is at most one step off by rounding; the inequality itself decides.
    first_step = np.maximum(np.floor(fixed / full_saves) + 1, fewest)
    first_step -= (first_step > fewest) & _pays_at_edge(first_step - 1, q, fixed, replica, capacity)
    first_step += ~_pays_at_edge(first_step, q, fixed, replica, capacity)

    last_step = np.maximum(np.ceil((fixed + q * capacity) / full_saves) - 1, first_step)
    last_step -= (last_step > first_step) & _pays_throughout(last_step, q, fixed, replica, capacity)
    last_step += ~_pays_throughout(last_step + 1, q, fixed, replica, capacity)

    first = np.where(never, np.inf, (fixed + replica * first_step) / q)
    last = np.where(never, np.inf, (fixed + replica * last_step) / q)
    return FirstLastBreakEven(first, last)


def window_bounds(
    *,
    api_usd_per_mtok: ArrayLike,
    fixed_usd_per_month: ArrayLike,
    usd_per_replica_month: ArrayLike,
    replica_capacity_mtok_per_month: ArrayLike,
    min_replicas_count: ArrayLike = 0,
    variable_usd_per_mtok: ArrayLike = 0.0,
) -> BreakEvenWindow:
    """Bounds that hold every break-even: ``[F / (q - c/cap), (F + c) / (q - c/cap)]`` with q = api - variable.

    The lower bound is the naive ratio that ignores whole replicas, hence the optimistic edge. A minimum of m
    replicas can push either bound up to ``(F + m * c) / q``.

    >>> window = window_bounds(api_usd_per_mtok=0.20, fixed_usd_per_month=5_000, usd_per_replica_month=1_204.5,
    ...     replica_capacity_mtok_per_month=8_000, min_replicas_count=2)
    >>> round(float(window.lower_mtok), 5), round(float(window.upper_mtok), 5)
    (101137.80025, 125501.89633)
    """
    q, fixed, replica, capacity, fewest = _checked_draws(
        api_usd_per_mtok,
        variable_usd_per_mtok,
        fixed_usd_per_month,
        usd_per_replica_month,
        replica_capacity_mtok_per_month,
        min_replicas_count,
    )
    never = q * capacity <= replica
    q = np.where(never, 1.0, q)
    margin = np.where(never, 1.0, q - replica / capacity)
    with_fewest = (fixed + replica * fewest) / q
    lower = np.maximum(fixed / margin, with_fewest)
    upper = np.maximum((fixed + replica) / margin, with_fewest)
    return BreakEvenWindow(np.where(never, np.inf, lower), np.where(never, np.inf, upper))


def never_fraction(volumes_mtok: ArrayLike) -> float:
    """Share of draws whose break-even volume is infinite.

    >>> never_fraction([1.0, inf, 3.0, inf])
    0.5
    """
    return float(np.mean(_counted(volumes_mtok) == np.inf))


def quantiles(volumes_mtok: ArrayLike, probabilities: Sequence[float]) -> list[float]:
    """The smallest draw that at least this share of the draws does not exceed; infinity is a legal value.

    Order statistics, so nothing is interpolated between a volume and never. Probabilities lie in (0, 1].

    >>> quantiles([30.0, inf, 10.0, 20.0], [0.25, 0.5, 0.9])
    [10.0, 20.0, inf]
    """
    values = np.sort(_counted(volumes_mtok))
    wrong = [p for p in probabilities if not 0 < p <= 1]
    if wrong:
        raise CurveError(f"a quantile at probability {wrong[0]} was asked for; wanted one in (0, 1].")
    # 0.07 * 100 is 7.000000000000001 in floating point, and means the 7th of 100
    ranks = [int(np.ceil(p * values.size * (1 - 1e-12))) for p in probabilities]
    return [float(values[rank - 1]) for rank in ranks]


def _beyond(a: Tail | None, b: Tail | None, high_mtok: float) -> tuple[Beyond, float]:
    """Who is cheaper above `high_mtok`, from the two lines that each curve stays between for ever."""
    if a is None or b is None:
        return "unknown", inf
    known_from_mtok = max(high_mtok, a.from_mtok, b.from_mtok)
    a_from_mtok = _below_from(a, b, known_from_mtok, ties_count=True)
    b_from_mtok = _below_from(b, a, known_from_mtok, ties_count=False)
    if a_from_mtok is not None:
        return ("a" if a_from_mtok <= high_mtok else "a_eventually"), a_from_mtok
    if b_from_mtok is not None:
        return ("b" if b_from_mtok <= high_mtok else "b_eventually"), b_from_mtok
    return "unknown", inf


def _below_from(cheap: Tail, dear: Tail, known_from_mtok: float, *, ties_count: bool) -> float | None:
    """The volume above which `cheap` is surely below `dear`, infinity when only "some day"; None when not sure."""
    gap_usd = cheap.ceiling_usd - dear.floor_usd
    saving_usd_per_mtok = dear.slope_usd_per_mtok - cheap.slope_usd_per_mtok
    if saving_usd_per_mtok > 0:
        return max(known_from_mtok, gap_usd / saving_usd_per_mtok)
    if saving_usd_per_mtok == 0 and (gap_usd <= 0 if ties_count else gap_usd < 0):
        return known_from_mtok
    return None


def _pays_at_edge(step: Floats, q: Floats, fixed: Floats, replica: Floats, capacity: Floats) -> NDArray[np.bool_]:
    """Self-hosting is cheaper at the right edge of step k."""
    return np.asarray(fixed + replica * step < q * (step * capacity))


def _pays_throughout(step: Floats, q: Floats, fixed: Floats, replica: Floats, capacity: Floats) -> NDArray[np.bool_]:
    """Self-hosting is cheaper at every volume of step k."""
    return np.asarray(fixed + replica * step <= q * ((step - 1) * capacity))


def _checked_draws(
    api: ArrayLike, variable: ArrayLike, fixed: ArrayLike, replica: ArrayLike, capacity: ArrayLike, fewest: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Net price, fixed, replica, capacity and fewest replicas (at least 1), broadcast to one shape."""
    arrays = [np.asarray(each, dtype=np.float64) for each in (api, variable, fixed, replica, capacity, fewest)]
    for name, values in zip(("fixed cost", "replica cost", "capacity", "minimum replicas"), arrays[2:], strict=True):
        if not (np.isfinite(values).all() and (values >= 0).all()) or (name == "capacity" and (values == 0).any()):
            raise CurveError(
                f"break-even: a {name} of {float(np.min(values))} is impossible here; wanted finite values from 0 up "
                "(capacity above 0). For anything else build CostCurves and use `pairwise`."
            )
    if not all(np.isfinite(prices).all() for prices in arrays[:2]):
        raise CurveError("break-even: an API price or variable cost is not a finite number; leave out unpriced draws.")
    api_, variable_, fixed_, replica_, capacity_, fewest_ = np.broadcast_arrays(*arrays)
    return api_ - variable_, fixed_, replica_, capacity_, np.maximum(np.ceil(fewest_), 1.0)


def _counted(volumes_mtok: ArrayLike) -> Floats:
    values = np.asarray(volumes_mtok, dtype=np.float64).ravel()
    if not values.size or np.isnan(values).any():
        raise CurveError(
            f"{values.size} break-even volumes, {int(np.isnan(values).sum())} of them not a number; "
            "wanted at least one, each a number or inf."
        )
    return values
