"""GPU rents: new rows by the rule of market.py; a narrower basket does not look like a dearer market."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from breakeven.catalog.files import read_files
from breakeven.catalog.refresh.gpu_rents import RentProposal, propose
from breakeven.catalog.refresh.gpuhunt_feed import read_feeds
from breakeven.catalog.refresh.moves import Move, Status
from breakeven.catalog.refresh.run import RefreshPlan
from price_server import H100, Site, row

TODAY = date(2026, 11, 23)
Plan = Callable[..., RefreshPlan]


def proposed(site: Site, plan: Plan, accepted: frozenset[str] = frozenset()) -> RentProposal:
    limits = plan().limits
    return propose(read_files(), read_feeds(site.gpu_url, (), TODAY, limits), site.gpu_url, accepted, TODAY)


def move_of(proposal: RentProposal, name: str) -> Move:
    (found,) = [each for each in proposal.moves if each.name == name]
    return found


def value_of(proposal: RentProposal, name: str) -> Any:
    (found,) = [each.value for each in proposal.rows if each.offer == name]
    return found


def test_the_range_is_that_of_numpy_over_read_and_carried_quotes(site: Site, plan: Plan) -> None:
    value = value_of(proposed(site, plan), "h100-sxm-on-demand")
    prices = {each["provider"]: each["usd_per_gpu_hour"] for each in value["quotes"]}
    read = {name.replace("labs", ""): each[2] for name, each in H100.items()}
    assert {name: prices[name] for name in read} == read
    carried = {each["provider"] for each in value["quotes"] if each.get("segment") == "read 2026-10-10"}
    assert carried == {"coreweave", "crusoe", "hyperstack", "vast"}
    assert set(prices) == set(read) | carried
    wanted = np.quantile(list(prices.values()), (0.05, 0.5, 0.95)).round(4)
    assert list(value["range"].values()) == pytest.approx(list(wanted))
    assert (value["since"], value["source"]["read"]) == (date(2026, 11, 22), date(2026, 11, 22))


def test_the_same_prices_give_the_same_middle_though_the_feed_lacks_marketplaces(site: Site, plan: Plan) -> None:
    move = move_of(proposed(site, plan), "h100-sxm-on-demand")
    assert (move.old_usd, move.new_usd) == (4.2501, 4.2501)
    assert move.status is Status.UNCHANGED
    assert "providers in both rows +0 %" in move.reason


def test_what_was_carried_too_long_is_dropped(site: Site, plan: Plan) -> None:
    site.publish_gpus(version="20270115-1")
    later = date(2027, 1, 15)
    feeds = read_feeds(site.gpu_url, (), later, plan().limits)
    value = value_of(propose(read_files(), feeds, "x", frozenset(), later), "h100-sxm-on-demand")
    assert {each["provider"] for each in value["quotes"]} == {name.replace("labs", "") for name in H100}


def test_spot_dearer_than_on_demand_is_refused(site: Site, plan: Plan) -> None:
    site.publish_rows("nebius", [row("gpu-h100-sxm 8", 8, 36.0), row("gpu-h100-sxm 8", 8, 36.0, spot=True)])
    value = value_of(proposed(site, plan), "h100-sxm-spot")
    assert "nebius" not in {each["provider"] for each in value["quotes"]}


def test_regions_count_once_at_their_median(site: Site, plan: Plan) -> None:
    prices = (5.0, 7.0, 100.0)
    rows = [row("p5.48xlarge", 8, 8 * price, region=f"r-{price}") for price in prices]
    site.publish_rows("aws", rows)
    value = value_of(proposed(site, plan), "h100-sxm-on-demand")
    assert {each["provider"]: each["usd_per_gpu_hour"] for each in value["quotes"]}["aws"] == 7.0


def test_a_jump_waits_for_a_yes(site: Site, plan: Plan) -> None:
    site.publish_gpus(factor=2.0)
    held = proposed(site, plan)
    move = move_of(held, "h100-sxm-on-demand")
    assert move.status is Status.HELD_BACK
    assert "--accept h100-sxm-on-demand" in move.reason
    assert not held.rows
    accepted = proposed(site, plan, frozenset({"h100-sxm-on-demand"}))
    assert [each.offer for each in accepted.rows] == ["h100-sxm-on-demand"]
    assert move_of(accepted, "h100-sxm-spot").status is Status.HELD_BACK
    assert len(proposed(site, plan, frozenset({"all"})).rows) == 2


def test_two_providers_are_no_market(site: Site, plan: Plan) -> None:
    for provider in set(H100) - {"aws", "gcp"}:
        site.publish_rows(provider, [row("rtx", 1, 0.4, gpu="RTX4090", memory=24)])
    move = move_of(proposed(site, plan), "h100-sxm-on-demand")
    assert move.status is Status.KEPT
    assert "aws, gcp" in move.reason


def test_a_feed_older_than_the_row_adds_nothing(site: Site, plan: Plan) -> None:
    days = {"20261105-1": Status.UNCHANGED, "20261024-1": Status.UNCHANGED}
    for version, status in days.items():
        site.publish_gpus(version=version)
        assert move_of(proposed(site, plan), "h100-sxm-on-demand").status is status
    early = date(2026, 10, 10)
    site.publish_gpus(version="20261010-1")
    feeds = read_feeds(site.gpu_url, (), early, plan().limits)
    kept = propose(read_files(), feeds, "x", frozenset(), early)
    assert "is not after the row of 2026-10-10" in move_of(kept, "h100-sxm-on-demand").reason
    assert not kept.rows
