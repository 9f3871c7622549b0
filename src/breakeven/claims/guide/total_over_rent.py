"""Total over rent: the guide says that everything together costs 3 to 5 times the raw rent of the GPUs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, by_share, listed, traced
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node
from breakeven.options.option import OptionCost, Situation

GUIDE_LOW_RATIO, GUIDE_HIGH_RATIO = 3.0, 5.0
TEAMS_FTE_COUNT: Final = (0.15, 0.5, 1.0, 2.0)
FLEETS_GPUS_COUNT: Final = (1, 2, 8, 32)
RENTED: Final = "rented_on_demand"
JUST_FULL_RATIO: Final = 1 - 1e-9


@formula
def total_over_rent_ratio(total_usd_per_month: Draws, raw_rent_usd_per_month: Draws) -> Draws:
    """Everything over what merely having the machines costs.

    >>> float(total_over_rent_ratio(9_000.0, 3_000.0))
    3.0
    """
    return total_usd_per_month / raw_rent_usd_per_month


def total_over_rent(bench: Bench) -> Finding:
    """The ratio by size of team and fleet for GPUs rented on demand, and by option at the workload's own volume."""
    grid: list[Figure] = []
    rows: list[tuple[Figure | str, ...]] = []
    for fte in TEAMS_FTE_COUNT:
        team = f"{fte:g} of an engineer" if fte < 1 else f"{fte:g} engineer{'s' if fte > 1 else ''}"
        rows.append(_row(bench, team, {"engineering_fte_count": fte}, "existing", grid))
    rows.append(_row(bench, "as many as such a fleet usually takes", {}, "existing", grid))
    rows.append(_row(bench, "the same, hired: whole people", {}, "new_hires", grid))
    if not grid:
        raise CatalogError(f"{bench.open_model} cannot be served on {bench.situation.choices.gpu} by the hour")
    by_option = _by_option(bench)
    medians = [each.range.p50 for each in grid]
    inside = [GUIDE_LOW_RATIO <= each <= GUIDE_HIGH_RATIO for each in medians]
    verdict = by_share(sum(inside) / len(inside))
    lowest, highest = grid[int(np.argmin(medians))], grid[int(np.argmax(medians))]
    return Finding(
        verdict,
        "people per GPU: the size of the team against that of the fleet" if verdict == "depends" else "",
        f"{{least}} to {{most}}; in 3-5x in {sum(inside)} of {len(inside)} team and fleet sizes",
        "One engineer costs the same beside one GPU and beside thirty-two, so the multiple runs from {least:range} to "
        "{most:range}.",
        (
            "A multiple says little about money: cheaper rent raises it, and an idle fleet lowers it.",
            "The total counts people, tools, incidents, opportunity, quality checks, failed answers and the move; "
            "the range of large fleets is wide because correcting failed answers grows with the traffic.",
        ),
        f"{bench.open_model} on {bench.situation.choices.gpu} rented on demand, each fleet as full as its "
        "peak hour allows; "
        f"the table by option: {bench.traffic}",
        (replace(lowest, key="least"), replace(highest, key="most"), *by_option),
        (
            Table(
                "Total over raw rent, by team and fleet (GPUs on demand)",
                ("People who keep it", *(f"{each} GPU{'s' if each > 1 else ''}" for each in FLEETS_GPUS_COUNT)),
                tuple(rows),
            ),
            Table(
                "Total over raw rent, by option, on the workload as it is",
                ("Option", "Total / raw rent"),
                tuple((each.label, each) for each in by_option),
            ),
        ),
    )


def _row(bench: Bench, team: str, facts: dict[str, float], kind: str, grid: list[Figure]) -> tuple[Figure | str, ...]:
    cells: list[Figure | str] = [team]
    for gpus in FLEETS_GPUS_COUNT:
        node = fleet_ratio(bench, gpus, facts, kind)
        if node is None:
            cells.append("model too large")
            continue
        figure = Figure(f"cell_{len(grid)}", f"{team}, {gpus} GPUs", node)
        grid.append(figure)
        cells.append(figure)
    return tuple(cells)


def fleet_ratio(bench: Bench, gpus_count: int, facts: dict[str, float], team: str) -> Node | None:
    """Total over rent of exactly so many GPUs, filled to their peak; None when a replica needs more than that."""
    learnt = bench.typical_cost(RENTED, np.asarray([bench.volume_mtok]))
    nodes = {each.name: float(each.value.flat[0]) for each in learnt.facts}
    per_replica = round(nodes["gpus_count"] / nodes["replicas_count"])
    if gpus_count % per_replica or learnt.staircase is None:
        return None
    replicas = gpus_count // per_replica
    pins = {
        "replicas_min_count": float(replicas),
        "replica_capacity_req_per_s": nodes["replica_capacity_req_per_s"],
        "burst_headroom_ratio": _typical(bench, "burst_headroom_ratio"),
        "hourly_peak_to_mean_ratio": _peak(bench),
    }
    situation = bench.pinned({**pins, **facts}, "pinned, so that the fleet has this size in every draw", team=team)
    return _ratio(bench.cost(RENTED, learnt.staircase.step_mtok * replicas * JUST_FULL_RATIO, situation))


def _typical(bench: Bench, name: str) -> float:
    return {**bench.situation.catalog.assumptions, **bench.situation.scenario}[name].typical


def _peak(bench: Bench) -> float:
    """The scenario's, the log's, or the catalogue's."""
    name, situation = "hourly_peak_to_mean_ratio", bench.situation
    seen = None if name in situation.scenario else situation.demand.hourly_peak_to_mean_ratio
    return _typical(bench, name) if seen is None else seen


def _ratio(cost: OptionCost) -> Node | None:
    rent = cost.breakdown.raw_rent_usd_per_month()
    if rent is None or not bool(np.all(rent > 0)):
        return None
    lines = tuple(line.usd_per_month for line in cost.breakdown.lines if line.raw_rent)
    return traced(
        total_over_rent_ratio, cost.total, listed("raw_rent_usd_per_month", rent, "lines of raw rent", *lines)
    )


def _by_option(bench: Bench) -> tuple[Figure, ...]:
    """A hybrid is left out: most of its total is the API's bill."""
    found = []
    for name, option in bench.options.items():
        if option.family in ("self_hosted", "managed"):
            node = _of_option(bench, name, bench.situation)
            if node is not None:
                found.append(Figure(name, option.title, node))
    return tuple(sorted(found, key=lambda each: each.range.p50))


def _of_option(bench: Bench, name: str, situation: Situation) -> Node | None:
    try:
        return _ratio(bench.cost(name, None, situation))
    except (UnknownPrice, CatalogError):
        return None


CLAIMS = (
    GuideClaim(
        "total-over-rent",
        3,
        "Self-hosting costs 3 to 5 times the raw rent of its GPUs in total.",
        "3-5x raw rent",
        total_over_rent,
    ),
)
