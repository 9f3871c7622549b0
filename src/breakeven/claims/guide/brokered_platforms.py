"""Brokered platforms: the guide's 40 to 50 % saved, and its price "per token" at 10 billion tokens."""

from __future__ import annotations

from typing import Final

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, Verdict, by_share, listed, stated, traced
from breakeven.claims.guide.saving import BROKERED, RENTED, TODAY, saved_fraction, token_price
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import TOKENS_PER_MTOK

GUIDE_LOW_FRACTION, GUIDE_HIGH_FRACTION = 0.4, 0.5
GUIDE_LOW_USD, GUIDE_HIGH_USD = 0.001, 0.002
VOLUMES_MTOK: Final = (60.0, 1_000.0, 3_000.0, 10_000.0, 50_000.0, 200_000.0)
TEN_BILLION_MTOK: Final = 10_000.0


@formula
def price_usd_per_mtok(price_usd: Draws, priced_tokens: Draws) -> Draws:
    """A price for so many tokens as a price per million.

    >>> float(price_usd_per_mtok(0.001, 1.0)), float(price_usd_per_mtok(0.001, 1000.0))
    (1000.0, 1.0)
    """
    return price_usd / priced_tokens * TOKENS_PER_MTOK


@formula
def bill_usd_per_month(price_usd_per_mtok: Draws, volume_mtok_per_month: Draws) -> Draws:
    """A month's tokens at one price.

    >>> float(bill_usd_per_month(1.0, 10_000.0))
    10000.0
    """
    return price_usd_per_mtok * volume_mtok_per_month


@formula
def all_in_usd_per_mtok(total_usd_per_month: Draws, volume_mtok_per_month: Draws) -> Draws:
    """Everything over all tokens.

    >>> float(all_in_usd_per_mtok(20_000.0, 10_000.0))
    2.0
    """
    return total_usd_per_month / volume_mtok_per_month


def saved_by_brokers(bench: Bench) -> Finding:
    """The same open model at the cheapest broker, against rented GPUs and against today's API, by volume."""
    rows: list[tuple[Figure | str, ...]] = []
    against_rent: list[Figure] = []
    against_today: list[Figure] = []
    for mtok in VOLUMES_MTOK:
        own, rented, today = (bench.equal_success(name, mtok) for name in (BROKERED, RENTED, TODAY))
        volume = Figure(f"volume_{mtok:g}", "volume", stated("volume_mtok_per_month", mtok, "looked at"))
        over_rent = Figure(f"rent_{mtok:g}", "saved against renting", traced(saved_fraction, own, rented))
        over_today = Figure(f"today_{mtok:g}", "saved against today", traced(saved_fraction, own, today))
        against_rent.append(over_rent)
        against_today.append(over_today)
        rows.append((volume, Figure("b", "broker", own), Figure("r", "rented", rented), over_rent, over_today))
    both = [*against_rent, *against_today]
    share = sum(_in_band(each) for each in both) / len(both)
    spans = any(_crosses(each) for each in (against_rent, against_today))
    verdict: Verdict = "depends" if spans and by_share(share) == "does not hold" else by_share(share)
    ends = (against_rent[0], against_rent[-1], against_today[0], against_today[-1])
    keys = ("rent_small", "rent_large", "today_small", "today_large")
    return Finding(
        verdict,
        "what it is compared with, and the volume" if verdict == "depends" else "",
        "than renting: {rent_small} (60 M) to {rent_large} (200 B); than today's API: {today_small} to {today_large}",
        "Than GPUs that you rent for the same model a broker costs {rent_small:range} at 60 M tokens and "
        "{rent_large:range} "
        "at 200 B; people and idle GPUs make the difference.",
        (
            "Than today's API it costs {today_small:range} at 60 M, because another model must be moved to and "
            "watched, and "
            "{today_large:range} at 200 B.",
            "So 40 to 50 % is somebody's figure at one volume: ask against what, and at how many tokens.",
        ),
        f"{bench.open_model} at the cheapest broker against the same model on {bench.situation.choices.gpu} "
        "on demand; costs "
        f"for as many successful outcomes as today; {bench.traffic}, at other volumes",
        tuple(Figure(key, each.label, each.node) for key, each in zip(keys, ends, strict=True)),
        (
            Table(
                "Brokered, by volume",
                (
                    "Tokens a month",
                    "Brokered, USD a month",
                    "Rented GPUs, USD a month",
                    "Brokered against renting",
                    "Brokered against today",
                ),
                tuple(rows),
            ),
        ),
    )


def _in_band(each: Figure) -> bool:
    return GUIDE_LOW_FRACTION <= each.range.p50 <= GUIDE_HIGH_FRACTION


def _crosses(figures: list[Figure]) -> bool:
    """The median passes the guide's band somewhere between the smallest and the largest volume."""
    medians = [each.range.p50 for each in figures]
    return min(medians) <= GUIDE_HIGH_FRACTION and max(medians) >= GUIDE_LOW_FRACTION


def per_token(bench: Bench) -> Finding:
    """The guide's price read per token and per thousand tokens, against what tokens cost at that volume."""
    volume = stated("volume_mtok_per_month", TEN_BILLION_MTOK, "10 B tokens, as the guide states it")
    one, thousand = stated("priced_tokens", 1.0, "as it is written"), stated("priced_tokens", 1000.0, "per thousand")
    low, high = stated("price_usd", GUIDE_LOW_USD), stated("price_usd", GUIDE_HIGH_USD)
    literal = tuple(traced(price_usd_per_mtok, price, one) for price in (low, high))
    read = tuple(traced(price_usd_per_mtok, price, thousand) for price in (low, high))
    brokered, rented = bench.cost(BROKERED, TEN_BILLION_MTOK), bench.cost(RENTED, TEN_BILLION_MTOK)
    listed_price = token_price(brokered)
    figures = (
        Figure("literal", "per token, as written", literal[0]),
        Figure("literal_bill", "10 B tokens at that price", traced(bill_usd_per_month, literal[0], volume)),
        Figure("read", "per thousand tokens, low end", read[0]),
        Figure("read_high", "per thousand tokens, high end", read[1]),
        Figure("read_bill", "10 B tokens at that, low end", traced(bill_usd_per_month, read[0], volume)),
        Figure("read_bill_high", "10 B tokens at that, high end", traced(bill_usd_per_month, read[1], volume)),
        Figure("broker", "a broker's tokens alone", listed_price),
        Figure("broker_all", "brokered, everything counted", traced(all_in_usd_per_mtok, brokered.total, volume)),
        Figure("rented_all", "rented GPUs, everything counted", traced(all_in_usd_per_mtok, rented.total, volume)),
    )
    found = {each.key: each.range.p50 for each in figures}
    verdict: Verdict = "does not hold"
    if found["literal"] <= max(found["broker"], found["rented_all"]):
        verdict = "holds"
    elif found["read"] <= found["broker"]:
        verdict = "depends"
    times = listed(
        "read_over_broker_ratio", read[0].value / listed_price.value, "low end over it", read[0], listed_price
    )
    return Finding(
        verdict,
        "reading it per thousand tokens" if verdict == "depends" else "",
        "{read} to {read_high} if per thousand; a broker asks {broker}",
        "Per token it would be {literal}, a bill of {literal_bill} for 10 B tokens; only per thousand tokens does the "
        "figure make sense, and then it is {times} what a broker asks for the tokens.",
        (
            "Per thousand tokens it is {read_bill} to {read_bill_high}; a broker's tokens cost {broker:range}, "
            "brokered "
            "with everything counted {broker_all:range}, rented GPUs with everything counted {rented_all:range}.",
        ),
        f"{bench.open_model} at 10 B tokens a month in the mix of {bench.traffic}",
        (*figures, Figure("times", "per thousand over a broker's price", times)),
    )


CLAIMS = (
    GuideClaim(
        "brokered-saves",
        4,
        "Brokered platforms save 40 to 50 %.",
        "40-50 % saved",
        saved_by_brokers,
    ),
    GuideClaim(
        "per-token-price",
        5,
        'At 10 billion tokens self-hosting comes to 0.001 to 0.002 USD "per token".',
        "0.001-0.002 USD per token",
        per_token,
    ),
)
