"""CostCurve: what one option costs per month at every monthly volume, as straight pieces with jumps.

Every way to serve tokens is a line (price per token), a line that bends (price tiers) or a staircase (replicas,
engineers), so a curve is kept exactly, as pieces, and never as a grid of points. Piece i covers the volumes
``(starts[i], starts[i + 1]]``: a step's edge still has the cost of the lower step, as ``ceil`` gives it
(8,000 Mtok need one replica of 8,000 Mtok, not two). The first piece includes its start.

Volumes are Mtok per month and costs USD per month throughout; both are written without "per month" here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.errors import CurveError

Floats = NDArray[np.float64]
Billing = Literal["marginal", "whole_volume"]
"""How a tier's price applies: to the tokens inside its band, or to the whole month once the band is reached."""

MAX_PIECES_COUNT: Final = 5_000_000
ROUNDING_RATIO: Final = 1e-12
"""Volumes or costs closer than this, relatively, are the same number up to floating-point rounding."""
STRAIGHT_RATIO: Final = 1e-9
"""A function is a line on a piece when a third point misses the line by less than this share of the cost."""
_PROBE_FRACTIONS: Final = (0.001, 0.381966011250105, 0.999)
# Two probes close to the ends fix the line; the third sits at an irrational share, which evenly spaced steps
# that nobody listed cannot all meet.


@dataclass(frozen=True, slots=True)
class Tail:
    """What is known of a curve for ever: above `from_mtok` it lies between two lines of the same slope."""

    slope_usd_per_mtok: float
    """Average cost of one more Mtok as the volume grows without end."""
    floor_usd: float = -inf
    """cost >= floor_usd + slope * volume"""
    ceiling_usd: float = inf
    """cost <= ceiling_usd + slope * volume"""
    from_mtok: float = 0.0
    """Both bounds hold at every volume above this one."""


@dataclass(frozen=True, slots=True, eq=False)
class CostCurve:
    """Cost of one option against volume: on piece i, ``intercepts_usd[i] + slopes_usd_per_mtok[i] * volume``."""

    name: str
    starts_mtok: Floats
    """Left edges of the pieces, strictly increasing; shape ``(pieces,)``."""
    intercepts_usd: Floats
    """Where each piece's line meets volume zero, USD/month; shape ``(pieces,)``."""
    slopes_usd_per_mtok: Floats
    """Cost of one more Mtok on each piece; shape ``(pieces,)``."""
    end_mtok: float = inf
    """The curve says nothing above this volume."""
    tail: Tail | None = None
    """What is known above the end, so that "for ever" can be claimed; None when nothing is."""

    def __post_init__(self) -> None:
        for field in ("starts_mtok", "intercepts_usd", "slopes_usd_per_mtok"):
            values = np.array(getattr(self, field), dtype=np.float64)
            values.setflags(write=False)
            object.__setattr__(self, field, values)
        _refuse_malformed(self)

    @classmethod
    def linear(cls, name: str, *, fixed_usd: float = 0.0, usd_per_mtok: float, end_mtok: float = inf) -> CostCurve:
        """A fixed monthly cost plus one price per Mtok.

        >>> CostCurve.linear("api", usd_per_mtok=0.20).at([0, 104_000]).tolist()
        [0.0, 20800.0]
        """
        return cls.tiered(name, [0.0], [usd_per_mtok], fixed_usd=fixed_usd, end_mtok=end_mtok)

    @classmethod
    def tiered(
        cls,
        name: str,
        starts_mtok: Sequence[float],
        usd_per_mtok: Sequence[float],
        *,
        fixed_usd: float = 0.0,
        billing: Billing = "marginal",
        end_mtok: float = inf,
    ) -> CostCurve:
        """One price per volume band; band i is ``(starts_mtok[i], starts_mtok[i + 1]]``, the last has no end.

        With billing "marginal" each token pays the price of the band it falls in and the curve bends; with
        "whole_volume" all tokens of the month pay the price of the band reached, and the curve jumps.

        >>> CostCurve.tiered("api", [0, 100], [1.0, 0.5]).at([100, 200]).tolist()
        [100.0, 150.0]
        >>> CostCurve.tiered("api", [0, 100], [1.0, 0.5], billing="whole_volume").at([100, 200]).tolist()
        [100.0, 100.0]
        """
        prices = np.asarray(usd_per_mtok, dtype=np.float64)
        starts = np.asarray(starts_mtok, dtype=np.float64)
        if prices.shape != starts.shape or not prices.size:
            raise CurveError(
                f"curve '{name}': {starts.size} bands and {prices.size} prices; wanted one price per band."
            )
        intercepts = np.full(prices.shape, float(fixed_usd))
        if billing == "marginal":
            intercepts[1:] += np.cumsum((prices[:-1] - prices[1:]) * starts[1:])
        known_for_ever = Tail(
            float(prices[-1]), float(intercepts[-1]), float(intercepts[-1]), from_mtok=float(starts[-1])
        )
        return cls(name, starts, intercepts, prices, end_mtok, known_for_ever)

    @classmethod
    def staircase(
        cls,
        name: str,
        *,
        fixed_usd: float = 0.0,
        usd_per_mtok: float = 0.0,
        usd_per_replica: float,
        replica_capacity_mtok: float,
        min_replicas_count: int = 0,
        end_mtok: float,
    ) -> CostCurve:
        """``fixed + usd_per_mtok * v + usd_per_replica * max(min_replicas, ceil(v / capacity))`` up to `end_mtok`.

        A "replica" may be anything bought whole: GPUs, nodes, engineers. Add staircases with `total`.
        At volume 0 the first replica is already there (the first piece includes its start).

        >>> self_hosted = CostCurve.staircase("self", fixed_usd=5_000, usd_per_replica=1_204.5,
        ...     replica_capacity_mtok=8_000, min_replicas_count=2, end_mtok=130_000)
        >>> self_hosted.at([1, 16_000, 16_000.1, 104_000]).tolist()
        [7409.0, 7409.0, 8613.5, 20658.5]
        """
        if not (replica_capacity_mtok > 0 and isfinite(end_mtok)):
            raise CurveError(
                f"staircase '{name}': replica_capacity_mtok is {replica_capacity_mtok} and end_mtok is {end_mtok}; "
                "wanted a capacity above 0 and a finite end, since every step is kept."
            )
        first = max(int(min_replicas_count), 1)
        last = ceil(end_mtok / replica_capacity_mtok)
        if last > MAX_PIECES_COUNT:
            raise CurveError(
                f"staircase '{name}': {last:,} steps up to {end_mtok:,g} Mtok; at most {MAX_PIECES_COUNT:,} are kept. "
                "Lower end_mtok, or use a larger unit than one replica."
            )
        replicas = np.arange(first, max(first, last) + 1, dtype=np.float64)
        starts = np.zeros(replicas.size)
        np.multiply(replicas[:-1], replica_capacity_mtok, out=starts[1:])
        kept = slice(int(starts.searchsorted(end_mtok)))
        intercepts = fixed_usd + usd_per_replica * replicas
        slopes = np.empty(replicas.size)
        slopes.fill(usd_per_mtok)
        # x <= max(m, ceil(x)) <= x + max(1, m - x0) for every x >= x0
        from_mtok = min(first * replica_capacity_mtok, end_mtok)
        idle_replicas = max(1.0, first - from_mtok / replica_capacity_mtok)
        known_for_ever = Tail(
            usd_per_mtok + usd_per_replica / replica_capacity_mtok,
            fixed_usd,
            fixed_usd + usd_per_replica * idle_replicas,
            from_mtok,
        )
        return cls(name, starts[kept], intercepts[kept], slopes[kept], end_mtok, known_for_ever)

    @classmethod
    def from_function(
        cls,
        name: str,
        cost_usd: Callable[[Floats], Floats],
        steps_mtok: ArrayLike,
        start_mtok: float,
        end_mtok: float,
        *,
        tail: Tail | None = None,
        known: CostCurve | None = None,
    ) -> CostCurve:
        """The exact pieces of any vectorised cost that is straight between the volumes in `steps_mtok`.

        The function is called once, with three volumes inside each piece: two give the line, and CurveError is
        raised with the numbers where the third is not on it (a step missing from `steps_mtok`, or a bend).
        `known`: a curve of the same function with another end, whose pieces are taken as far as they are the same.

        >>> bill = CostCurve.from_function("bill", lambda v: 3.0 * np.ceil(v / 10), [10, 20], 0, 30)
        >>> bill.at([10, 10.5, 30]).tolist()
        [3.0, 6.0, 9.0]
        """
        edges = merged_edges([np.atleast_1d(np.asarray(steps_mtok, dtype=np.float64))], start_mtok, end_mtok)
        kept = 0 if known is None else _pieces_shared(edges, known)
        probes = edges[kept:-1] + np.outer(_PROBE_FRACTIONS, np.diff(edges[kept:]))
        costs = np.asarray(cost_usd(probes.ravel()), dtype=np.float64)
        if costs.shape != (probes.size,):
            raise CurveError(
                f"curve '{name}': the cost function returned shape {costs.shape} for {probes.size} volumes; "
                f"wanted ({probes.size},)."
            )
        near_start, inside, near_end = costs.reshape(probes.shape)
        slopes = (near_end - near_start) / (probes[2] - probes[0])
        intercepts = near_start - slopes * probes[0]
        _refuse_bent(name, edges[kept:], probes[1], inside, intercepts + slopes * probes[1])
        if known is not None:
            intercepts = np.concatenate([known.intercepts_usd[:kept], intercepts])
            slopes = np.concatenate([known.slopes_usd_per_mtok[:kept], slopes])
        return cls(name, edges[:-1], intercepts, slopes, end_mtok, tail)

    @classmethod
    def total(cls, name: str, curves: Sequence[CostCurve]) -> CostCurve:
        """The sum of several curves, over the volumes that all of them cover (replicas + engineers + a line).

        >>> team, api = CostCurve.linear("team", fixed_usd=5, usd_per_mtok=0), CostCurve.linear("api", usd_per_mtok=2)
        >>> float(CostCurve.total("both", [team, api]).at(10))
        25.0
        """
        low_mtok, high_mtok = shared_range_mtok(curves)
        edges = merged_edges([curve.starts_mtok for curve in curves], low_mtok, high_mtok)
        intercepts, slopes = pieces_from(curves, edges[:-1])
        tails = [curve.tail for curve in curves if curve.tail is not None]
        tail = _sum_of_tails(tails) if len(tails) == len(curves) else None
        return cls(name, edges[:-1], intercepts.sum(axis=0), slopes.sum(axis=0), high_mtok, tail)

    @property
    def start_mtok(self) -> float:
        """The lowest volume the curve speaks of."""
        return float(self.starts_mtok[0])

    @property
    def asymptotic_slope_usd_per_mtok(self) -> float | None:
        """Average cost of one more Mtok as the volume grows without end; None when not known."""
        return None if self.tail is None else self.tail.slope_usd_per_mtok

    def at(self, volumes_mtok: ArrayLike) -> Floats:
        """Cost in USD/month at each volume, any shape; CurveError outside the range of the curve."""
        volumes = np.asarray(volumes_mtok, dtype=np.float64)
        covered = (volumes >= self.start_mtok) & (volumes <= self.end_mtok)
        if not covered.all():
            raise CurveError(
                f"curve '{self.name}' was asked for {np.ravel(volumes[~covered])[0]:,g} Mtok and knows "
                f"{self.start_mtok:,g} to {self.end_mtok:,g}; build it with a wider range."
            )
        piece = np.maximum(np.searchsorted(self.starts_mtok, volumes, side="left") - 1, 0)
        return np.asarray(self.intercepts_usd[piece] + self.slopes_usd_per_mtok[piece] * volumes)


def merged_edges(breakpoints_mtok: Iterable[Floats], low_mtok: float, high_mtok: float) -> Floats:
    """`low_mtok`, every breakpoint strictly inside, and `high_mtok`: sorted, once each up to rounding."""
    if not 0 <= low_mtok < high_mtok:
        raise CurveError(f"volumes from {low_mtok:,g} to {high_mtok:,g} Mtok are no range; wanted 0 <= low < high.")
    merged = np.sort(
        np.concatenate([np.asarray(points, dtype=np.float64) for points in breakpoints_mtok]), kind="stable"
    )
    merged = merged[(merged > low_mtok) & (merged < high_mtok * (1 - ROUNDING_RATIO))]
    edges = np.concatenate(([low_mtok], merged, [high_mtok]))
    apart = edges[1:] - edges[:-1] > ROUNDING_RATIO * edges[1:]
    apart[-1] = True
    return edges[np.concatenate(([True], apart))]


def pieces_from(curves: Sequence[CostCurve], from_mtok: Floats) -> tuple[Floats, Floats]:
    """Intercepts and slopes just above each volume of `from_mtok`; both of shape ``(curves, volumes)``."""
    intercepts = np.empty((len(curves), len(from_mtok)))
    slopes = np.empty_like(intercepts)
    # A breakpoint merged with its neighbour by `merged_edges` is at most this much to the right.
    just_above = from_mtok * (1 + 2 * ROUNDING_RATIO)
    for row, curve in enumerate(curves):
        piece = np.searchsorted(curve.starts_mtok, just_above, side="right") - 1
        intercepts[row] = curve.intercepts_usd[piece]
        slopes[row] = curve.slopes_usd_per_mtok[piece]
    return intercepts, slopes


def shared_range_mtok(curves: Sequence[CostCurve]) -> tuple[float, float]:
    """The lowest and highest volume that all curves cover."""
    if not curves:
        raise CurveError("no cost curve was given; wanted at least one.")
    return max(curve.start_mtok for curve in curves), min(curve.end_mtok for curve in curves)


def _pieces_shared(edges: Floats, known: CostCurve) -> int:
    """How many pieces between `edges`, from the first on, are pieces of `known`; never the last one."""
    theirs = np.append(known.starts_mtok, known.end_mtok)
    count = min(edges.size, theirs.size)
    alike = edges[:count] == theirs[:count]
    edges_count = count if alike.all() else int(np.argmin(alike))
    return min(max(edges_count - 1, 0), edges.size - 2)


def _sum_of_tails(tails: Sequence[Tail]) -> Tail:
    return Tail(
        sum(tail.slope_usd_per_mtok for tail in tails),
        sum(tail.floor_usd for tail in tails),
        sum(tail.ceiling_usd for tail in tails),
        max(tail.from_mtok for tail in tails),
    )


def _refuse_malformed(curve: CostCurve) -> None:
    starts, shape = curve.starts_mtok, curve.starts_mtok.shape
    if (
        not shape == curve.intercepts_usd.shape == curve.slopes_usd_per_mtok.shape
        or starts.ndim != 1
        or not starts.size
    ):
        raise CurveError(
            f"curve '{curve.name}': shapes {shape}, {curve.intercepts_usd.shape}, {curve.slopes_usd_per_mtok.shape}; "
            "wanted as many starts as intercepts and slopes (prices), and at least one."
        )
    columns = (starts, curve.intercepts_usd, curve.slopes_usd_per_mtok)
    if not np.isfinite(np.concatenate(columns)).all():
        raise CurveError(f"curve '{curve.name}': a start, intercept or slope is not a finite number.")
    if starts[0] < 0 or (starts[1:] <= starts[:-1]).any() or not curve.end_mtok > starts[-1]:
        raise CurveError(
            f"curve '{curve.name}': starts {starts[:4].tolist()}... and end {curve.end_mtok:,g}; "
            "wanted starts from 0 up, strictly increasing, all below the end."
        )


def _refuse_bent(name: str, edges: Floats, inside_mtok: Floats, seen_usd: Floats, line_usd: Floats) -> None:
    """Raise when the function is not on the line (a NaN is not)."""
    on_line = np.abs(seen_usd - line_usd) <= STRAIGHT_RATIO * np.maximum(np.abs(seen_usd), np.abs(line_usd))
    if on_line.all():
        return
    first = int(np.argmin(on_line))
    raise CurveError(
        f"curve '{name}' is not straight between {edges[first]:,.10g} and {edges[first + 1]:,.10g} Mtok: at "
        f"{inside_mtok[first]:,.10g} Mtok it costs {seen_usd[first]:,.10g} USD where the line through its ends has "
        f"{line_usd[first]:,.10g} ({int((~on_line).sum())} of {len(on_line)} pieces are not straight). "
        "Add the missing step or bend to steps_mtok."
    )
