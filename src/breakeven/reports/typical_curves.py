"""Typical curves: cost against volume at typical values, exact, with every crossing; no ranges, which take longest."""

from __future__ import annotations

import numpy as np

from breakeven.decision.breakeven import lower_envelope
from breakeven.decision.compare import BAND_POINTS_COUNT
from breakeven.decision.curve import CostCurve
from breakeven.decision.standings import Standings
from breakeven.reports.build import corners, crossing_parts, floats, pair_part, stretch_parts
from breakeven.reports.document import BreakEvenPart, CurvePart


def typical_curves(standings: Standings) -> BreakEvenPart:
    """As a comparison has them, but for the ranges and the odds along the axis."""
    here, low, high = standings.typical_volume_mtok, standings.low_mtok, standings.end_mtok
    anybodys = {each.name for each in standings.options if not each.cost.only_if}
    envelope = lower_envelope([each for each in standings.curves if each.name in anybodys], low, high)
    grid = np.unique(np.append(np.geomspace(low, high, BAND_POINTS_COUNT), here))
    return BreakEvenPart(
        volume_mtok_per_month=here,
        axis_low_mtok_per_month=low,
        axis_high_mtok_per_month=high,
        stretches=stretch_parts(envelope),
        crossings=crossing_parts(envelope),
        pairs=tuple(pair_part(standings, each) for each in standings.pairs),
        curves=tuple(_curve(each, np.clip(grid, each.start_mtok, each.end_mtok), here) for each in standings.curves),
    )


def _curve(curve: CostCurve, volumes_mtok: np.ndarray, here_mtok: float) -> CurvePart:
    exact_volumes, exact_costs = corners(curve, here_mtok)
    return CurvePart(
        option=curve.name,
        volumes_mtok_per_month=floats(volumes_mtok),
        p10_usd_per_month=(),
        p50_usd_per_month=(),
        p90_usd_per_month=(),
        typical_usd_per_month=floats(curve.at(volumes_mtok)),
        probability_cheapest_fraction=(),
        exact_volumes_mtok_per_month=floats(exact_volumes),
        exact_usd_per_month=floats(exact_costs),
    )
