"""Staleness: prices after a quarter, everything else after a year."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.staleness import LIMIT_DAYS, Kind, ages, is_stale, stale

DAY = date(2026, 11, 23)
CATALOG = load_catalog(DAY)


def test_every_entry_has_an_age() -> None:
    names = {age.name for age in ages(CATALOG, DAY)}
    assert set(CATALOG.assumptions) <= names
    assert set(CATALOG.token_offers) | set(CATALOG.gpus) | set(CATALOG.models) | set(CATALOG.providers) <= names
    assert {f"{name}.{fact}" for name, offer in CATALOG.gpu_offers.items() for fact in offer.facts} <= names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("usd_per_cny", Kind.PRICE),
        ("gpu_price_usd", Kind.PRICE),
        ("hours_per_month", Kind.FACT),
        ("h100-sxm-purchase.server_power_w_per_gpu", Kind.FACT),
        ("h100-sxm-purchase.gpu_price_usd", Kind.PRICE),
        ("tokencost 0.1.26", Kind.PRICE),
    ],
)
def test_kind_decides_the_limit(name: str, kind: Kind) -> None:
    (age,) = [each for each in ages(CATALOG, DAY) if each.name == name]
    assert age.kind is kind
    assert age.limit_days == LIMIT_DAYS[kind]


def test_an_entry_is_fresh_on_its_last_day_and_stale_on_the_next() -> None:
    name = "h100-sxm-spot.gpu_rent_usd_per_gpu_hour"
    last = date(2026, 10, 10) + timedelta(days=90)
    assert name not in {age.name for age in stale(CATALOG, last)}
    (age,) = [each for each in stale(CATALOG, last + timedelta(days=1)) if each.name == name]
    assert age.reason == "read 91 days ago; limit 90"


def test_a_single_fact_agrees_with_the_list() -> None:
    old = {age.name for age in stale(CATALOG, DAY)}
    for name, assumption in CATALOG.assumptions.items():
        assert is_stale(assumption, DAY) == (name in old)


def test_oldest_first_and_fresh_ones_have_no_reason() -> None:
    found = ages(CATALOG, DAY)
    assert [age.age_days for age in found] == sorted((age.age_days for age in found), reverse=True)
    assert all(bool(age.reason) == age.is_stale for age in found)
