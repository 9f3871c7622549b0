"""Envelope: which of several options is cheapest at every monthly volume, exactly.

Between two neighbouring breakpoints of all curves each option is a line, and the lower envelope of lines is concave:
where the same option is cheapest at both ends of such an interval it is cheapest all through it, and only the other
intervals need their crossings computed. All intervals are treated at once, as ``(curves, intervals)`` matrices.

A stretch is right-closed like the pieces of a `CostCurve`. Where two options cost the same over a stretch, the one
given first holds it; where two lines merely meet, the volume where they meet belongs to the stretch that ends there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.decision.curve import (
    ROUNDING_RATIO,
    STRAIGHT_RATIO,
    CostCurve,
    Floats,
    merged_edges,
    pieces_from,
    shared_range_mtok,
)
from breakeven.errors import CurveError

Indices = NDArray[np.intp]
Kind = Literal["crossing", "step"]
"""How the cheapest option changes: the two costs meet ("crossing"), or one of them jumps ("step")."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """One monthly volume at which the cheapest option changes."""

    mtok_per_month: float
    from_option: str
    """Cheapest up to and including the volume."""
    to_option: str
    """Cheapest just above it."""
    kind: Kind
    usd_per_month: float
    """Cost of `from_option` at the volume."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Volumes ``(from_mtok, to_mtok]`` over which one option is the cheapest."""

    from_mtok: float
    to_mtok: float
    option: str


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes of the cheapest option, side by side; shape ``(changes,)``."""

    volumes_mtok: Floats
    meet: NDArray[np.bool_]
    usd_per_month: Floats
    """Cost of the option before, at the volume."""


@dataclass(frozen=True, eq=False)
class Envelope:
    """The cheapest option at every volume of ``(low_mtok, high_mtok]``, and every volume where it changes.

    Stretches and crossings, which may be thousands, are written out when somebody asks for them.
    """

    options: tuple[str, ...]
    low_mtok: float
    high_mtok: float
    _starts_mtok: Floats
    """Where each stretch begins."""
    _holders: Indices
    """Who holds it: position in `options`."""
    _changes: _Changes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Envelope):
            return NotImplemented
        one, two = ((each.options, each.low_mtok, each.high_mtok, each.stretches) for each in (self, other))
        return one == two and self.crossings == other.crossings

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The volumes over which one option is the cheapest, in order."""
        bounds = [*self._starts_mtok.tolist(), self.high_mtok]
        holders = self._holders.tolist()
        return tuple(Stretch(bounds[i], bounds[i + 1], self.options[holder]) for i, holder in enumerate(holders))

    @cached_property
    def crossings(self) -> tuple[BreakEven, ...]:
        """Every volume at which the cheapest option changes, in order."""
        names, holders, found = self.options, self._holders.tolist(), self._changes
        told = (found.volumes_mtok, found.meet, found.usd_per_month)
        rows = zip(holders[:-1], holders[1:], *(each.tolist() for each in told), strict=True)
        return tuple(
            BreakEven(volume, names[before], names[after], "crossing" if meeting else "step", usd)
            for before, after, volume, meeting, usd in rows
        )

    @property
    def last_stretch(self) -> Stretch:
        """The one with the highest volumes."""
        return Stretch(float(self._starts_mtok[-1]), self.high_mtok, self.options[int(self._holders[-1])])

    def cheapest_at(self, volumes_mtok: ArrayLike) -> Indices:
        """Position in `options` of the cheapest one at each volume of ``(low_mtok, high_mtok]``, any shape."""
        volumes = np.asarray(volumes_mtok, dtype=np.float64)
        if not ((volumes > self.low_mtok) & (volumes <= self.high_mtok)).all():
            raise CurveError(
                f"a volume lies outside ({self.low_mtok:,g}, {self.high_mtok:,g}] Mtok, the range evaluated."
            )
        ends = np.append(self._starts_mtok[1:], self.high_mtok)
        return np.asarray(self._holders[np.searchsorted(ends, volumes, side="left")])

    def cheapest_fraction(self) -> dict[str, float]:
        """Share of the range over which each option is cheapest; options that never are have 0."""
        lengths = dict.fromkeys(self.options, 0.0)
        for stretch in self.stretches:
            lengths[stretch.option] += stretch.to_mtok - stretch.from_mtok
        return {option: length / (self.high_mtok - self.low_mtok) for option, length in lengths.items()}


def lower_envelope(curves: Sequence[CostCurve], low_mtok: float, high_mtok: float) -> Envelope:
    """The exact lower envelope of `curves` over ``(low_mtok, high_mtok]``.

    >>> api = CostCurve.linear("api", usd_per_mtok=0.20)
    >>> replica = CostCurve.linear("one replica", fixed_usd=1_000, usd_per_mtok=0.05, end_mtok=8_000)
    >>> [(round(s.to_mtok, 1), s.option) for s in lower_envelope([api, replica], 0, 8_000).stretches]
    [(6666.7, 'api'), (8000, 'one replica')]
    """
    _refuse_uncovered(curves, low_mtok, high_mtok)
    edges = merged_edges([curve.starts_mtok for curve in curves], low_mtok, high_mtok)
    intercepts, slopes = pieces_from(curves, edges[:-1])
    starts, holders = _walk(edges, intercepts, slopes)
    starts, holders = _merge(starts, holders, high_mtok)
    names = tuple(curve.name for curve in curves)
    return Envelope(names, low_mtok, high_mtok, starts, holders, _changes(edges, intercepts, slopes, starts, holders))


def _walk(edges: Floats, intercepts: Floats, slopes: Floats) -> tuple[Floats, Indices]:
    """Left edges of the stretches, sorted, and who holds each; neighbours may have the same holder."""
    lefts, rights = edges[:-1], edges[1:]
    at_left, at_right = intercepts + slopes * lefts, intercepts + slopes * rights
    # Where values tie, the lower slope holds the volumes to the right, and the higher slope those to the left.
    first = np.where(at_left == at_left.min(axis=0), slopes, np.inf).argmin(axis=0)
    last = np.where(at_right == at_right.min(axis=0), -slopes, np.inf).argmin(axis=0)
    first, last = _earliest_equal(at_left, at_right, np.array([first, last]))
    changing = np.flatnonzero(first != last)
    found_at, found_holders = _walk_lines(
        lefts[changing], rights[changing], intercepts[:, changing], slopes[:, changing], first[changing]
    )
    starts = np.concatenate([lefts, *found_at])
    holders = np.concatenate([first, *found_holders])
    order = np.argsort(starts, kind="stable")
    return starts[order], holders[order]


def _earliest_equal(at_left: Floats, at_right: Floats, holders: Indices) -> Indices:
    """The first curve that costs the same all through each interval, up to rounding; shape as `holders`.

    `at_left` and `at_right` have shape ``(curves, intervals)``, `holders` ``(rows, intervals)``.
    """
    columns = np.arange(holders.shape[1])
    left, right = at_left[holders, columns], at_right[holders, columns]
    rounding = ROUNDING_RATIO * np.maximum(np.abs(left), np.abs(right))
    same = np.abs(at_left[:, None] - left) <= rounding
    same &= np.abs(at_right[:, None] - right) <= rounding
    return np.asarray(same.argmax(axis=0))


def _walk_lines(
    lefts: Floats, rights: Floats, intercepts: Floats, slopes: Floats, holder: Indices
) -> tuple[list[Floats], list[Indices]]:
    """Where the holder changes inside each interval: at most one change per curve, all intervals in step."""
    intercepts, slopes = _snap_equal_lines(lefts, rights, intercepts, slopes)
    found_at: list[Floats] = []
    found_holders: list[Indices] = []
    at = lefts
    for _ in range(len(slopes) - 1):
        columns = np.arange(holder.size)
        flattening = slopes[holder, columns] - slopes
        meets = np.full(slopes.shape, np.inf)
        np.divide(intercepts - intercepts[holder, columns], flattening, out=meets, where=flattening > 0)
        np.maximum(meets, at, out=meets)  # a meeting at the edge itself may round to just before it
        following = meets.min(axis=0)
        inside = following < rights
        if not inside.any():
            break
        successor = np.where(meets == following, slopes, np.inf).argmin(axis=0)
        at, rights, holder = following[inside], rights[inside], successor[inside]
        intercepts, slopes = intercepts[:, inside], slopes[:, inside]
        found_at.append(at)
        found_holders.append(holder)
    return found_at, found_holders


def _snap_equal_lines(lefts: Floats, rights: Floats, intercepts: Floats, slopes: Floats) -> tuple[Floats, Floats]:
    """Lines that are equal up to rounding become equal to the last bit, so that the first one wins the tie."""
    at_left, at_right = intercepts + slopes * lefts, intercepts + slopes * rights
    columns = np.arange(lefts.size)
    rows = np.repeat(np.arange(len(slopes))[:, None], lefts.size, axis=1)
    rows = _earliest_equal(at_left, at_right, rows)
    return intercepts[rows, columns], slopes[rows, columns]


def _merge(starts: Floats, holders: Indices, high_mtok: float) -> tuple[Floats, Indices]:
    """Drop stretches that only rounding made, then join neighbours with the same holder."""
    ends = np.append(starts[1:], high_mtok)
    real = ends - starts > ROUNDING_RATIO * ends
    low_mtok, starts, holders = starts[0], starts[real], holders[real]
    starts[0] = low_mtok
    changed = np.append(True, holders[1:] != holders[:-1])
    return starts[changed], holders[changed]


def _changes(edges: Floats, intercepts: Floats, slopes: Floats, starts: Floats, holders: Indices) -> _Changes:
    """What happens at the start of every stretch but the first."""
    volumes, before, after = starts[1:], holders[:-1], holders[1:]
    ending = np.searchsorted(edges, volumes, side="left") - 1  # the interval that ends at or holds the volume
    beginning = np.searchsorted(edges, volumes, side="right") - 1  # the interval just above it
    cost_before = intercepts[before, ending] + slopes[before, ending] * volumes
    cost_after = intercepts[after, beginning] + slopes[after, beginning] * volumes
    meet = np.abs(cost_after - cost_before) <= STRAIGHT_RATIO * np.maximum(np.abs(cost_after), np.abs(cost_before))
    return _Changes(volumes, meet, cost_before)


def _refuse_uncovered(curves: Sequence[CostCurve], low_mtok: float, high_mtok: float) -> None:
    shared_low_mtok, shared_high_mtok = shared_range_mtok(curves)
    if not (shared_low_mtok <= low_mtok and high_mtok <= shared_high_mtok and np.isfinite(high_mtok)):
        raise CurveError(
            f"an envelope from {low_mtok:,g} to {high_mtok:,g} Mtok was asked for; all {len(curves)} curves cover "
            f"{shared_low_mtok:,g} to {shared_high_mtok:,g}. Ask for a finite range inside that, or widen the curves."
        )
    names = [curve.name for curve in curves]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise CurveError(f"two curves are called '{repeated[0]}'; give every option its own name.")
