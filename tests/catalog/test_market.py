"""Market ranges: one believable price per provider, then quantiles over providers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.files import read_files
from breakeven.catalog.market import Quote, market_range, provider_quotes

OFFERS = Path(__file__).parents[2] / ".." / "shared" / "data" / "prices" / "gpu_offers.csv"


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=20))
def test_quantiles_are_numpys(prices: list[float]) -> None:
    found = market_range(prices)
    assert [found.low, found.typical, found.high] == pytest.approx(np.quantile(prices, [0.05, 0.5, 0.95]), abs=5.1e-5)


def test_the_eight_gpu_offer_stands_for_a_provider_and_the_cheapest_where_there_is_none() -> None:
    node, dearer_node, single = Quote("a", 8, 3.0), Quote("a", 8, 3.4), Quote("a", 1, 2.5)
    pair, quad = Quote("b", 2, 4.0), Quote("b", 4, 3.9)
    assert provider_quotes([single, dearer_node, node, pair, quad]) == {"a": node, "b": quad}


def test_zero_is_missing_and_spot_must_be_below_on_demand() -> None:
    quotes = [Quote("vast", 1, 0.0), Quote("runpod", 1, 4.76), Quote("azure", 8, 2.95)]
    assert list(provider_quotes(quotes, {"runpod": 2.99, "azure": 15.98})) == ["azure"]


def test_junk_far_from_the_median_is_refused() -> None:
    quotes = [Quote(name, 1, price) for name, price in (("a", 4.0), ("b", 4.2), ("c", 5.0), ("junk", 0.5))]
    assert "junk" not in provider_quotes(quotes)


def test_nothing_believable_gives_nothing() -> None:
    assert provider_quotes([Quote("a", 1, 0.0)]) == {}


@pytest.mark.skipif(not OFFERS.exists(), reason="the shared price feed is not here")
@pytest.mark.parametrize(
    ("offer", "since", "column"),
    [
        ("h100-sxm-on-demand", "2026-05-24", "ondemand_usd_gpu_h"),
        ("h100-sxm-spot", "2026-05-24", "spot_usd_gpu_h"),
        ("h100-sxm-on-demand", "2026-10-10", "ondemand_usd_gpu_h"),
        ("h100-sxm-spot", "2026-10-10", "spot_usd_gpu_h"),
    ],
)
def test_the_catalogues_quotes_are_those_of_the_feed(offer: str, since: str, column: str) -> None:
    with OFFERS.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if _is_h100_sxm(row) and since in row["as_of"]]

    def quotes(of: str) -> list[Quote]:
        return [Quote(row["provider"], int(row["count"]), float(row[of] or 0)) for row in rows]

    on_demand = provider_quotes(quotes("ondemand_usd_gpu_h"))
    below = {name: each.usd_per_gpu_hour for name, each in on_demand.items()} if "spot" in column else None
    wanted = {name: each.usd_per_gpu_hour for name, each in provider_quotes(quotes(column), below).items()}

    facts = read_files().gpu_offers[0].content.root[offer].facts["gpu_rent_usd_per_gpu_hour"]
    (row,) = [value for value in facts.values if value.since.isoformat() == since]
    assert {quote.provider: quote.usd_per_gpu_hour for quote in row.quotes or []} == wanted


def _is_h100_sxm(row: dict[str, str]) -> bool:
    """The October feed writes H100 for the SXM board; the May feed says SXM or HGX in the name or the note."""
    if row["gpu"] == "H100":
        return True
    return (
        "H100" in row["gpu"]
        and "PCIe" not in row["gpu"]
        and any(mark in row["gpu"] + row["note"] for mark in ("SXM", "HGX"))
    )
