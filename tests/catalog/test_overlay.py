"""Overlay: refreshed rows are read with the catalogue, from their day on; without them nothing changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.overlay import FOLDER_VARIABLE, default_folder, overlay_folder
from breakeven.catalog.refresh.run import RefreshPlan, refresh
from breakeven.catalog.refresh.write import write
from breakeven.catalog.staleness import ages
from breakeven.catalog.token_prices import PriceKey, price_table
from breakeven.errors import CatalogError
from price_server import Site, price_server, token_list

BEFORE, DAY = date(2026, 11, 30), date(2026, 12, 1)
RENT = "gpu_rent_usd_per_gpu_hour"
Refresher = Callable[..., Path]


@pytest.fixture
def site() -> Iterator[Site]:
    with price_server() as served:
        served.publish_gpus(factor=1.2, version="20261201-1")
        yield served


@pytest.fixture
def refreshed(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refresher:
    """Refreshes on a day, with some token prices changed, and makes the folder the one that is read."""
    folder = tmp_path / "refreshed"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))

    def on(today: date, accept: tuple[str, ...] = (), **prices: dict[str, float]) -> Path:
        listed: list[dict[str, Any]] = token_list()
        (openai,) = [each for each in listed if each["id"] == "openai"]
        for model, changed in prices.items():
            name = model.replace("__", "-").replace("_", ".")
            found = [each for each in openai["models"] if each["id"] == name]
            entry = found[0] if found else {"id": name, "match": {"equals": name}, "prices": {}}
            entry["prices"].update(changed)
            openai["models"] += [] if found else [entry]
        site.publish_tokens(listed)
        plan = RefreshPlan(folder, today, token_url=site.token_url, gpu_url=site.gpu_url, accepted=frozenset(accept))
        write(refresh(plan).files, folder)
        return folder

    return on


def price(day: date, as_of: date, model: str = "gpt-5") -> float | None:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    (row,) = price_table([PriceKey("openai", model)], moment, moment, catalog=load_catalog(as_of))
    return row.input_usd_per_mtok


def test_rents_hold_from_their_day_on(refreshed: Refresher) -> None:
    refreshed(DAY)
    before, after = (load_catalog(day).gpu_offers["h100-sxm-on-demand"].facts[RENT] for day in (BEFORE, DAY))
    assert (before.typical, before.source.read) == (4.2501, date(2026, 10, 10))
    assert after.typical > before.typical
    assert after.source.read == DAY


def test_token_prices_hold_from_the_day_the_release_was_checked(refreshed: Refresher) -> None:
    refreshed(DAY, gpt__5={"input_mtok": 1.5})
    assert price(date(2026, 11, 22), DAY) == 1.25  # the release knew this day: the past keeps its price
    assert price(DAY, DAY) == 1.5
    assert price(DAY, BEFORE) == 1.25  # as of the day before, nobody had read the list


def test_a_new_model_is_priced_as_far_back_as_its_list_goes(refreshed: Refresher) -> None:
    assert price(DAY, DAY, "gpt-7") is None
    refreshed(DAY, gpt__7={"input_mtok": 2.0, "output_mtok": 8.0})
    assert price(DAY, DAY, "gpt-7") == price(date(2026, 11, 1), DAY, "gpt-7") == 2.0


def test_each_list_governs_from_the_one_before(refreshed: Refresher) -> None:
    refreshed(DAY, gpt__5={"input_mtok": 1.5})
    later = date(2026, 12, 20)
    refreshed(later, gpt__5={"input_mtok": 1.0})
    assert [price(day, later) for day in (date(2026, 11, 20), BEFORE, later)] == [1.25, 1.5, 1.0]


def test_what_was_held_back_keeps_the_last_good_price(refreshed: Refresher) -> None:
    refreshed(DAY, gpt__5={"input_mtok": 1.5})
    later = date(2026, 12, 20)
    refreshed(later, gpt__5={"input_mtok": 15.0})
    assert price(later, later) == 1.5
    refreshed(date(2026, 12, 21), ("openai-gpt-5",), gpt__5={"input_mtok": 15.0})
    assert price(date(2026, 12, 21), date(2026, 12, 21)) == 15.0


def test_the_source_says_which_list_and_the_offer_is_fresh(refreshed: Refresher) -> None:
    refreshed(DAY, gpt__5={"input_mtok": 1.5})
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    (row,) = price_table([PriceKey("openai", "gpt-5")], moment, moment, catalog=load_catalog(DAY))
    assert row.source.title == "genai-prices, list of 2026-12-01: openai/gpt-5"
    assert row.source.read == DAY
    age = next(each.age_days for each in ages(load_catalog(DAY), DAY) if each.name == "openai-gpt-5")
    assert age == 0
    assert load_catalog(DAY).genai_prices_version.endswith("list of 2026-12-01")


def test_the_digest_covers_the_folder(refreshed: Refresher, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_catalog(DAY).digest
    refreshed(DAY)
    first = load_catalog(DAY).digest
    refreshed(date(2026, 12, 2), gpt__5={"input_mtok": 1.5})
    assert len({plain, first, load_catalog(DAY).digest}) == 3
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    assert load_catalog(DAY).digest == plain


def test_the_same_folder_gives_the_same_object(refreshed: Refresher) -> None:
    refreshed(DAY)
    assert load_catalog(DAY) is load_catalog(DAY)


def test_without_the_folder_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_catalog(DAY)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "not there"))
    assert load_catalog(DAY) is plain


def test_damage_is_named_with_what_to_do(refreshed: Refresher) -> None:
    folder = refreshed(DAY)
    (listed,) = (folder / "tokens").glob("*.json")
    good = listed.read_bytes()
    listed.write_bytes(good + b" ")
    with pytest.raises(CatalogError, match=r"not the list that was read .* refresh --write"):
        price(DAY, DAY)
    listed.unlink()
    with pytest.raises(CatalogError, match="No such file"):
        price(DAY, DAY)
    listed.write_bytes(good)
    rows = folder / "offers" / "gpu_refreshed.yaml"
    rows.write_text(rows.read_text(encoding="utf-8").replace("typical: ", "typical: -"), "utf-8")
    with pytest.raises(CatalogError, match=r"gpu_refreshed\.yaml:\d+: .*wanted low <= typical"):
        load_catalog(DAY)


def test_rows_that_the_catalogue_contradicts_are_named(refreshed: Refresher) -> None:
    rows = refreshed(DAY) / "offers" / "gpu_refreshed.yaml"
    rows.write_text(rows.read_text(encoding="utf-8").replace("gpu: H100-SXM-80", "gpu: H100"), "utf-8")
    with pytest.raises(CatalogError, match=r"does not fit this catalogue: .*already at offers/"):
        load_catalog(DAY)


def test_where_the_folder_is(tmp_path: Path) -> None:
    assert default_folder({FOLDER_VARIABLE: "/a", "XDG_DATA_HOME": "/b"}) == Path("/a")
    assert default_folder({"XDG_DATA_HOME": "/b"}) == Path("/b/breakeven/catalogue")
    assert default_folder({}) == Path.home() / ".local" / "share" / "breakeven" / "catalogue"
    assert overlay_folder({FOLDER_VARIABLE: ""}) is None
    assert overlay_folder({FOLDER_VARIABLE: str(tmp_path)}) == tmp_path


def test_the_list_on_disk_is_the_one_that_came(refreshed: Refresher) -> None:
    folder = refreshed(DAY)
    (listed,) = (folder / "tokens").glob("*.json")
    assert {each["id"] for each in json.loads(listed.read_bytes())} >= {"openai", "anthropic"}
