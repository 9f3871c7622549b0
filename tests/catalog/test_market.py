"""Market ranges: one believable price per provider, then quantiles over providers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.files import read_files
from breakeven.catalog.gpu_names import good_of
from breakeven.catalog.market import (
    MARKET_PROVIDERS_COUNT,
    THIN_HIGH_RATIO,
    THIN_LOW_RATIO,
    MarketRange,
    Quote,
    market_range,
    provider_quotes,
)
from breakeven.catalog.schema import DatedRange

RENT = "gpu_rent_usd_per_gpu_hour"
COLUMN = {"on_demand": "ondemand_usd_gpu_h", "spot": "spot_usd_gpu_h"}
FEEDS = ("2026-05-24", "2026-10-10")


def _market_rows() -> Iterator[tuple[str, str, DatedRange]]:
    """GPU, term and dated row of every range that rests on quotes."""
    for file in read_files().gpu_offers:
        for offer in file.content.root.values():
            if offer.provider == "market" and offer.term in COLUMN:
                for row in offer.facts[RENT].values:
                    yield offer.gpu, offer.term, row


ROWS = [pytest.param(*each, id=f"{each[0]}-{each[1]}-{each[2].since}") for each in _market_rows()]


@given(st.lists(st.floats(0.1, 50), min_size=MARKET_PROVIDERS_COUNT, max_size=20))
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


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=MARKET_PROVIDERS_COUNT - 1))
def test_two_quotes_are_not_a_market(prices: list[float]) -> None:
    found = market_range(prices)
    assert found.typical == pytest.approx(median(prices), abs=5.1e-5)
    assert found.low == pytest.approx(THIN_LOW_RATIO * min(prices), abs=5.1e-5)
    assert found.high == pytest.approx(THIN_HIGH_RATIO * max(prices), abs=5.1e-5)


def test_the_widening_is_what_broad_markets_span() -> None:
    """The medians, over the markets of at least five providers, of low / typical and high / typical."""
    broad = [row.range for _, _, row in _market_rows() if row.range is not None and len(row.quotes or ()) >= 5]
    assert len(broad) > 10
    assert median(each.low / each.typical for each in broad) == pytest.approx(THIN_LOW_RATIO, abs=0.05)
    assert median(each.high / each.typical for each in broad) == pytest.approx(THIN_HIGH_RATIO, abs=0.1)


@pytest.mark.parametrize(("gpu", "term", "row"), ROWS)
def test_every_market_row_follows_from_the_feed(shared_data: Path, gpu: str, term: str, row: DatedRange) -> None:
    rows = [each for each in _feed_rows(shared_data) if _day_of(each) == str(row.since) and _good_of(each) == gpu]
    on_demand = provider_quotes(_quotes(rows, COLUMN["on_demand"]))
    below = {name: each.usd_per_gpu_hour for name, each in on_demand.items()} if term == "spot" else None
    wanted = provider_quotes(_quotes(rows, COLUMN[term]), below)
    assert {quote.provider: (quote.usd_per_gpu_hour, quote.gpus_count) for quote in row.quotes or ()} == {
        name: (each.usd_per_gpu_hour, each.gpus_count) for name, each in wanted.items()
    }
    span = market_range([each.usd_per_gpu_hour for each in wanted.values()])
    assert row.range is not None
    assert MarketRange(row.range.low, row.range.typical, row.range.high) == span


def test_every_good_of_the_feed_is_carried(shared_data: Path) -> None:
    """Nothing is lost silently: every GPU that a dated feed names, on every term it prices, has a row of that day."""
    wanted = set()
    for row in _feed_rows(shared_data):
        gpu, day = _good_of(row), _day_of(row)
        if gpu is not None and day in FEEDS:
            wanted |= {(gpu, term, day) for term, column in COLUMN.items() if float(row[column] or 0) > 0}
    carried = {(gpu, term, str(row.since)) for gpu, term, row in _market_rows()}
    assert carried == wanted


def test_rows_that_are_left_out_are_counted_on_the_page(shared_data: Path) -> None:
    rows = _feed_rows(shared_data)
    undated = [row for row in rows if _day_of(row) == "other"]
    unnamed = [row for row in rows if row not in undated and good_of(row["gpu"], row["note"]) is None]
    boards = [row for row in unnamed if re.search("A100|H100|H200", row["gpu"])]
    no_term = [row for row in rows if row not in undated and row not in unnamed and _good_of(row) is None]
    thin = [row for row in undated if "silybench" in row["source"]]
    counts = (len(boards), len(unnamed) - len(boards), len(no_term), len(undated) - len(thin), len(thin))
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "prices.md").read_text(encoding="utf-8")
    assert f"Left out of {len(rows)} rows" in page
    assert tuple(int(count) for count in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)) == counts


@pytest.mark.parametrize(
    ("label", "remark", "gpu"),
    [
        ("H100", "", "H100-SXM-80"),
        ("H100-PCIe", "", "H100-PCIe"),
        ("A100-80GB-PCIe", "", "A100-PCIe-80"),
        ("NVIDIA H100", "None; tiers on-demand", None),
        ("NVIDIA HGX H100", "SXM; tiers on-demand", "H100-SXM-80"),
        ("NVIDIA H100 NVLink", "NVLink; tiers on-demand", None),
        ("NVIDIA H100 PCIe NVLink", "NVLink; tiers production", "H100-PCIe"),
        ("NVIDIA H100 NVL", "NVL; tiers on-demand", "H100-NVL"),
        ("NVIDIA A100 SXM", "SXM; tiers on-demand", None),
        ("NVIDIA A100 SXM4 80GB", "SXM; tiers on-demand", "A100-SXM-80"),
        ("NVIDIA H200", "NVLink; tiers on-demand", None),
        ("NVIDIA B200", "None; tiers on-demand", "B200-SXM-180"),
        ("NVIDIA B200 NVL", "NVL; tiers on-demand", None),
        ("RTX 4090 (48 GB mod)", "", None),
        ("RTX 3090 Ti", "", None),
        ("NVIDIA RTX Pro 6000 SE", "", "RTX-PRO-6000-BSE"),
        ("NVIDIA RTX PRO-A6000 SE", "", None),
        ("NVIDIA GeForce RTX 4090", "", "RTX-4090"),
    ],
)
def test_a_name_that_fits_two_goods_means_neither(label: str, remark: str, gpu: str | None) -> None:
    assert good_of(label, remark) == gpu


def _feed_rows(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "prices" / "gpu_offers.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _day_of(row: dict[str, str]) -> str:
    """The May feed, with the copy that says it matches it; the October feed, with Azure's rows of five days before."""
    if "2026-05-24" in row["as_of"]:
        return "2026-05-24"
    return "2026-10-10" if "ewyluda/gpu-price-index" in row["source"] else "other"


def _good_of(row: dict[str, str]) -> str | None:
    """None also for a mode of use that is no term of renting: development on shared GPUs."""
    is_prototyping = "prototyping" in row["note"] and "production" not in row["note"]
    return None if is_prototyping else good_of(row["gpu"], row["note"])


def _quotes(rows: list[dict[str, str]], column: str) -> list[Quote]:
    return [Quote(row["provider"], int(row["count"]), float(row[column] or 0)) for row in rows]
