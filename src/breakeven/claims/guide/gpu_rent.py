"""GPU rent: the guide's 1.65 USD an hour for an H100 on spot, and its 10,000 USD a year at 70 % utilisation."""

from __future__ import annotations

from typing import Final

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, Verdict, stated, traced
from breakeven.errors import UnknownPrice
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import HOURS_PER_YEAR

GUIDE_USD_PER_GPU_HOUR: Final = 1.65
GUIDE_USD_PER_YEAR: Final = 10_000.0
GUIDE_BUSY_FRACTION: Final = 0.7
NEAR_FRACTION: Final = 0.1
"""A figure this close to the guide's is the guide's."""
BOARDS: Final = {"H100-SXM-80": "SXM", "H100-PCIe": "PCIe", "H100-NVL": "NVL"}
TERMS: Final = {"spot": "spot", "on_demand": "on demand", "one_year": "one-year term"}


@formula
def billed_rent_usd_per_year(gpu_rent_usd_per_gpu_hour: Draws, billed_fraction: Draws) -> Draws:
    """A year's rent of one GPU that is paid for in this share of the 8,760 hours.

    >>> round(float(billed_rent_usd_per_year(1.65, 1.0))), round(float(billed_rent_usd_per_year(1.65, 0.7)), 1)
    (14454, 10117.8)
    """
    return gpu_rent_usd_per_gpu_hour * HOURS_PER_YEAR * billed_fraction


@formula
def quoted_over_claimed_ratio(quoted_usd_per_gpu_hour: Draws, claimed_usd_per_gpu_hour: Draws) -> Draws:
    """How many times the guide's rent the quoted one is.

    >>> float(quoted_over_claimed_ratio(3.3, 1.65))
    2.0
    """
    return quoted_usd_per_gpu_hour / claimed_usd_per_gpu_hour


def spot_rent(bench: Bench) -> Finding:
    """Today's quotes of each H100 board and term."""
    rows: list[tuple[Figure | str, ...]] = []
    quotes: dict[tuple[str, str], Figure] = {}
    for gpu, board in BOARDS.items():
        row: list[Figure | str] = [board]
        for term, words in TERMS.items():
            try:
                node = bench.quoted_rent(gpu, term)
            except UnknownPrice:
                row.append("no quote")
                continue
            quotes[board, term] = Figure(f"{board.lower()}_{term}", f"H100 {board}, {words}", node)
            row.append(quotes[board, term])
        rows.append(tuple(row))
    sxm = quotes["SXM", "spot"]
    ratio = traced(quoted_over_claimed_ratio, sxm.node, stated("claimed_usd_per_gpu_hour", GUIDE_USD_PER_GPU_HOUR))
    inside = [board for (board, term), each in quotes.items() if term == "spot" and _holds_guide(each)]
    verdict: Verdict = "depends" if inside else "does not hold"
    depends_on = f"the board: {' and '.join(inside)} spot quotes reach down to it" if inside else ""
    why = "The SXM board that most comparisons mean is quoted at {sxm_spot:range} on spot, {times} the guide's figure."
    if abs(sxm.range.p50 / GUIDE_USD_PER_GPU_HOUR - 1) <= NEAR_FRACTION:
        verdict, depends_on = "holds", ""
        why = "The SXM board is quoted at {sxm_spot:range} on spot."
    return Finding(
        verdict,
        depends_on,
        "SXM spot {sxm_spot:range}, on demand {sxm_on_demand}",
        why,
        (
            "SXM, PCIe and NVL are different goods at different prices; spot capacity can be taken away at any time.",
            "Rents fell until autumn 2025 and have risen again since, so that any one number ages within months.",
        ),
        "quotes over providers, P10 to P90; no workload is involved",
        (*quotes.values(), Figure("times", "SXM spot over the guide's figure", ratio)),
        (Table("H100 rent, USD per GPU hour", ("Board", *TERMS.values()), tuple(rows)),),
    )


def _holds_guide(figure: Figure) -> bool:
    return figure.range.p10 <= GUIDE_USD_PER_GPU_HOUR <= figure.range.p90


def yearly_rent(bench: Bench) -> Finding:
    """A year of one GPU: every hour billed, or only the busy ones, at the guide's rent and at today's."""
    claimed = stated("gpu_rent_usd_per_gpu_hour", GUIDE_USD_PER_GPU_HOUR)
    today = bench.quoted_rent("H100-SXM-80", "spot")
    always = stated("billed_fraction", 1.0, "always on: every hour is paid, busy or not")
    released = stated(
        "billed_fraction", GUIDE_BUSY_FRACTION, "handed back and not billed in the other 30 % of the hours"
    )
    figures = (
        Figure("always", "1.65 an hour, always on", traced(billed_rent_usd_per_year, claimed, always)),
        Figure(
            "released", "1.65 an hour, released 30 % of the time", traced(billed_rent_usd_per_year, claimed, released)
        ),
        Figure("today_always", "today's SXM spot, always on", traced(billed_rent_usd_per_year, today, always)),
        Figure("today_released", "today's SXM spot, released", traced(billed_rent_usd_per_year, today, released)),
    )
    near = {each.key: abs(each.range.p50 / GUIDE_USD_PER_YEAR - 1) <= NEAR_FRACTION for each in figures}
    verdict: Verdict = "does not hold"
    if near["today_always"]:
        verdict = "holds"
    elif near["released"] or near["today_released"]:
        verdict = "depends"
    return Finding(
        verdict,
        "a rent of 1.65 and on handing the GPU back whenever it is idle" if verdict == "depends" else "",
        "{always} always on; {released} if released",
        "Utilisation does not shorten the bill: an always-on GPU at 1.65 bills 8,760 hours, {always}, however busy.",
        (
            "{released} is right only if the GPU is released, and not billed, in 30 % of the hours.",
            "At today's spot rent it costs {today_always:range} always on, {today_released:range} released.",
            "It is bare rent of one GPU: a second replica, people and tools are not in it.",
        ),
        "one H100 SXM for 8,760 hours",
        figures,
        (
            Table(
                "One H100 for a year, USD",
                ("Rent", "Always on", "Released 30 % of the time"),
                (("1.65 an hour, as in the guide", *figures[:2]), ("today's SXM spot", *figures[2:])),
            ),
        ),
    )


CLAIMS = (
    GuideClaim("h100-spot-rent", 1, "An H100 rents for 1.65 USD an hour on spot.", "1.65 USD/h", spot_rent),
    GuideClaim(
        "ten-thousand-a-year",
        2,
        "An H100 at 70 % utilisation costs about 10,000 USD a year.",
        "10,000 USD/year",
        yearly_rent,
    ),
)
