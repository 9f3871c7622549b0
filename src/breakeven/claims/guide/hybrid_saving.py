"""Hybrid saving: the guide's 40 to 70 % saved by keeping the hard calls at the API and moving the others."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import (
    Figure,
    Finding,
    GuideClaim,
    Table,
    by_cases,
    odds_of,
    stated,
    traced,
)
from breakeven.claims.guide.saving import HYBRID, RENTED, TODAY, saved_fraction

GUIDE_LOW_FRACTION = 0.4
VOLUMES_MTOK: Final = (60.0, 1_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0, 300_000.0)


def hybrid_saves(bench: Bench) -> Finding:
    """The hybrid against both pure options, by volume, for as many successful outcomes."""
    rows: list[tuple[Figure | str, ...]] = []
    saved: list[Figure] = []
    worse: list[float] = []
    for mtok in VOLUMES_MTOK:
        mixed, api, rented = (bench.equal_success(name, mtok) for name in (HYBRID, TODAY, RENTED))
        figure = Figure(f"saved_{mtok:g}", "saved against today", traced(saved_fraction, mixed, api))
        saved.append(figure)
        dearer = (mixed.value > api.value) & (mixed.value > rented.value)
        odds = odds_of(dearer, mixed, api, rented)
        if np.mean(dearer) > 1 / 2:
            worse.append(mtok)
        volume = Figure("v", "volume", stated("volume_mtok_per_month", mtok, "looked at"))
        money = (Figure("h", "hybrid", mixed), Figure("a", "API", api), Figure("r", "rented", rented))
        rows.append((volume, *money, figure, Figure("o", "dearer than both", odds)))
    reached = [float(np.mean(each.node.value >= GUIDE_LOW_FRACTION)) for each in saved]
    verdict = by_cases(reached)
    best, most = max(saved, key=lambda each: each.range.p50), saved[int(np.argmax(reached))]
    figures = [
        Figure("small", "saved at 60 M tokens", saved[0].node),
        Figure("large", "saved at 300 B tokens", saved[-1].node),
        Figure("best", "saved at best", best.node),
        Figure(
            "odds",
            "odds of 40 % or more, at best",
            odds_of(most.node.value >= GUIDE_LOW_FRACTION, most.node),
        ),
    ]
    between = "It was never dearer than both pure options in most futures."
    if worse:
        figures += [
            Figure("worse_from", "dearer than both from", stated("volume_mtok_per_month", worse[0], "looked at")),
            Figure("worse_to", "dearer than both up to", stated("volume_mtok_per_month", worse[-1], "looked at")),
        ]
        at = "At {worse_from}" if worse[0] == worse[-1] else "From {worse_from} to {worse_to}"
        between = f"{at} it is dearer than staying and dearer than moving everything, because it pays for both."
    return Finding(
        verdict,
        "the volume (tens of billions of tokens a month) and the share of calls that may move"
        if verdict == "depends"
        else "",
        "than staying: {small} at 60 M tokens, {best} at best; 40 % or more saved in {odds} futures at most",
        "The fleet's people and idle GPUs are paid whatever share moves: than staying, a hybrid costs "
        "{small:range} at 60 M "
        "tokens and {large:range} at 300 B.",
        (between, "The share that moves is a guess here, unless your log names its tasks or the scenario sets it."),
        f"{bench.open_model} on rented GPUs for the commodity share, the rest as today; {bench.traffic}, at "
        "other volumes",
        tuple(figures),
        (
            Table(
                "Hybrid, by volume",
                (
                    "Tokens a month",
                    "Hybrid, USD a month",
                    "All at the API",
                    "All on rented GPUs",
                    "Hybrid against the API",
                    "Odds: dearer than both",
                ),
                tuple(rows),
            ),
        ),
    )


CLAIMS = (GuideClaim("hybrid-saves", 6, "A hybrid saves 40 to 70 %.", "40-70 % saved", hybrid_saves),)
