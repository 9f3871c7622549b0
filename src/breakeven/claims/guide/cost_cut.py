"""Cost cut: 47,000 to 8,000 USD a month. No source was found for it, so the test says what would have to hold."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, Verdict, listed, stated, traced
from breakeven.claims.guide.saving import BROKERED, RENTED, TODAY, saved_fraction, token_price
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node
from breakeven.options.option import OptionCost

BEFORE_USD_PER_MONTH, AFTER_USD_PER_MONTH = 47_000.0, 8_000.0
GUIDE_SHARE_FRACTION: Final = 0.8
"""Share of the calls that fit a small model, as the guide says elsewhere."""
OPEN_MODELS: Final = ("gpt-oss-120b", "Qwen3-30B-A3B", "Llama-3.1-8B")


@formula
def needed_share_fraction(saved_fraction: Draws, price_over_today_fraction: Draws) -> Draws:
    """Share of the bill that must move to a price this many times today's; above 1: it cannot be reached.

    The bill after is ``1 - share + share x ratio`` of the bill before.

    >>> round(float(needed_share_fraction(0.6, 0.25)), 9)
    0.8
    """
    return saved_fraction / (1 - price_over_today_fraction)


@formula
def needed_price_fraction(saved_fraction: Draws, moved_share_fraction: Draws) -> Draws:
    """Price over today's at which moving this share saves that much; below 0: not even for nothing.

    >>> round(float(needed_price_fraction(0.6, 0.8)), 9)
    0.25
    """
    return 1 - saved_fraction / moved_share_fraction


@formula
def price_over_today_fraction(new_usd_per_mtok: Draws, today_usd_per_mtok: Draws) -> Draws:
    """The new price of a million tokens over today's.

    >>> float(price_over_today_fraction(0.25, 1.0))
    0.25
    """
    return new_usd_per_mtok / today_usd_per_mtok


@formula
def volume_of_bill_mtok_per_month(bill_usd_per_month: Draws, token_usd_per_mtok: Draws) -> Draws:
    """Tokens that a bill buys.

    >>> float(volume_of_bill_mtok_per_month(47_000.0, 4.7))
    10000.0
    """
    return bill_usd_per_month / token_usd_per_mtok


def cost_cut(bench: Bench) -> Finding:
    """Which share must move at which price, and what the options give where the tokens of today cost 47,000 a month."""
    before, after = (
        stated("other_usd_per_month", BEFORE_USD_PER_MONTH),
        stated("own_usd_per_month", AFTER_USD_PER_MONTH),
    )
    cut = traced(saved_fraction, after, before)
    today_price = token_price(bench.cost(TODAY))
    all_moved = traced(needed_price_fraction, cut, stated("moved_share_fraction", 1.0, "every call moves"))
    nine_tenths = traced(needed_price_fraction, cut, stated("moved_share_fraction", 0.9, "nine calls in ten move"))
    free = stated("saved_fraction", GUIDE_SHARE_FRACTION, "four calls in five move, and cost nothing")
    shares = _shares(bench, cut, today_price)
    mtok = float(np.median(volume_of_bill_mtok_per_month(BEFORE_USD_PER_MONTH, today_price.value)))
    volume = listed("volume_mtok_per_month", mtok, "tokens that 47,000 USD buy today", today_price)
    options = _options(bench, mtok)
    reached = [each for each in options if each.range.p50 <= AFTER_USD_PER_MONTH]
    possible = [each for each in shares if 0 < each.range.p50 <= 1]
    verdict: Verdict = "holds" if reached else "depends" if possible else "does not hold"
    least = min(options, key=lambda each: each.range.p50, default=None)
    lowest = least.node if least else before
    cheapest = min(possible, key=lambda each: each.range.p50, default=None)
    depends_on = "moving nearly every call to a model at least {times} cheaper, and on counting the token bill alone"
    return Finding(
        verdict,
        depends_on if verdict == "depends" else "",
        "needs {all_ratio} of today's price for every call; least all-in: {least}",
        "No source was found; a cut of {cut:plain} needs every call at {all_ratio} of today's price or less, "
        "or nine in ten at "
        "{most_ratio}; with four in five moved even free calls save only {free:plain}.",
        (
            "At the cheapest open price that is moving {share} of the bill; the answers must be as good, which "
            "nobody says.",
            "Where today's tokens cost 47,000 a month ({volume}) the cheapest option with everything counted costs "
            "{least:range} for as many successful outcomes.",
        ),
        f"prices for the mix of {bench.traffic}; options at the volume whose tokens cost 47,000 USD a month today",
        (
            Figure("cut", "the claimed cut", cut),
            Figure("all_ratio", "price over today's if all calls move", all_moved),
            Figure("times", "times cheaper", listed("cheaper_ratio", 1 / all_moved.value, "its inverse", all_moved)),
            Figure("most_ratio", "price over today's if nine in ten move", nine_tenths),
            Figure("free", "saved if four in five move and cost nothing", free),
            Figure("share", "share that must move at the cheapest price", cheapest.node if cheapest else cut),
            Figure("volume", "volume of a bill of 47,000", volume),
            Figure("least", least.label if least else "as today", lowest),
        ),
        (
            Table(
                "Share of the bill that must move, by price",
                ("Moved to", "Price over today's", "Share that must move"),
                tuple((each.label, Figure("p", "ratio", each.node.inputs[1]), _share_cell(each)) for each in shares),
            ),
            Table(
                "The options at that volume, everything counted, as many successful outcomes",
                ("Option", "USD a month", "Against 47,000"),
                tuple(
                    (each.label, each, Figure("c", "cut", traced(saved_fraction, each.node, before)))
                    for each in options
                ),
            ),
        ),
    )


def _share_cell(each: Figure) -> Figure | str:
    return each if 0 < each.range.p50 <= 1 else "not even all of it"


def _shares(bench: Bench, cut: Node, today_price: Node) -> tuple[Figure, ...]:
    """The share that must move to the cheaper tier, and to each open model at its cheapest broker."""
    found: list[Figure] = []
    tries = [("cheaper_tier", bench.open_model), *(("brokered", model) for model in OPEN_MODELS)]
    for option, model in tries:
        try:
            cost: OptionCost = bench.cost(option, None, bench.with_facts({}, open_model=model, broker_offer=None))
        except (UnknownPrice, CatalogError):
            continue
        ratio = traced(price_over_today_fraction, token_price(cost), today_price)
        found.append(
            Figure(f"share_{len(found)}", cost.buys.partition(",")[0], traced(needed_share_fraction, cut, ratio))
        )
    return tuple(found)


def _options(bench: Bench, mtok: float) -> tuple[Figure, ...]:
    found: list[Figure] = []
    for name in ("cheaper_tier", BROKERED, "managed_together", RENTED, "rented_one_year", "hybrid", TODAY):
        if name in bench.options and bench.can_have(name):
            found.append(Figure(f"at_{name}", bench.options[name].title, bench.equal_success(name, mtok)))
    return tuple(sorted(found, key=lambda each: each.range.p50))


CLAIMS = (
    GuideClaim(
        "from-47000-to-8000",
        7,
        "A company cut its bill from 47,000 to 8,000 USD a month.",
        "47,000 to 8,000 USD/month",
        cost_cut,
    ),
)
