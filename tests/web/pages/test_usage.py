"""The Usage page says what `breakeven profile` says, and more of the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from breakeven.web.page import Desk
from breakeven.web.project import Project
from web.dashboards import client_of
from web.labelled_project import hostile_project
from web.made_project import TODAY, desk_of, verb


def settled(client: TestClient, desk: Desk, path: str) -> str:
    """A page once its work is done."""
    for _ in range(6):
        answer = client.get(path)
        running = desk.jobs.running()
        if not running and "data-wait" not in answer.text and answer.status_code != 202:
            assert answer.status_code == 200, answer.text
            return answer.text
        for job in running:
            assert job.wait(120)
    raise AssertionError(f"{path} never came")


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three weeks of calls, some of them of a model without a price, and hostile names."""
    return hostile_project(tmp_path_factory.mktemp("usage") / "team")


def test_the_json_is_that_of_the_profile(client: TestClient, desk: Desk) -> None:
    settled(client, desk, "/usage")
    said = json.loads(settled(client, desk, "/api/usage"))
    told = verb(desk.project.folder, "profile", "--scenario", "scenario.yaml", "--as-of", TODAY.isoformat(), "--json")
    assert said == json.loads(told)
    assert said["synthetic"] is True


def test_the_answer_stands_first_and_figures_carry_their_range(client: TestClient, desk: Desk) -> None:
    text = settled(client, desk, "/usage")
    part = json.loads(client.get("/api/usage").text)["stability"]
    main = text.partition('<main id="main"')[2]
    assert part["sentence"].split(":")[0] in main
    assert main.index('class="verdict"') < main.index("Over time")
    assert "Tokens next quarter" in main and "80\u00a0%:" in main
    assert f"{part['more_days_count']} more day" in main


def test_what_has_no_price_is_loud_and_says_what_to_do(client: TestClient, desk: Desk) -> None:
    text = settled(client, desk, "/usage")
    assert "UNPRICED, and in no spend on this page" in text
    assert "acme/acme-private-7b" in text
    assert "model_aliases:" in text and "contract_prices:" in text
    details = json.loads(client.get("/api/usage/details").text)
    mine = next(each for each in details["models"] if each["provider"] == "acme")
    assert mine["unpriced_tokens"] == sum(mine["tokens"]) and mine["unpriced_reason"]
    assert set(mine["spend_usd"]) == {None}


def test_prices_say_where_and_when_they_were_read(client: TestClient, desk: Desk) -> None:
    settled(client, desk, "/usage")
    details = json.loads(client.get("/api/usage/details").text)
    priced = next(each for each in details["models"] if each["model"] == "gpt-5")
    (price,) = priced["prices"]
    assert price["source"]["read"] and price["source"]["title"]
    assert f"${price['input_usd_per_mtok']:g} in" in client.get("/usage").text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [("?show=spend&by=provider", "by provider"), ("?by=kind", "cached input"), ("?show=gold&by=moon", "by model")],
)
def test_views_are_addresses_and_nonsense_shows_the_usual_one(
    client: TestClient, desk: Desk, query: str, wanted: str
) -> None:
    settled(client, desk, "/usage")
    assert wanted in settled(client, desk, f"/usage{query}")


def test_imports_add_up_and_rejects_say_why(client: TestClient, desk: Desk) -> None:
    text = settled(client, desk, "/usage")
    assert "4,003 rows = 4,000 calls + 0 duplicates + 3 rejects" in text
    assert "not valid JSON" in text


def test_months_of_a_short_log_are_called_extrapolated_and_names_stay_harmless(short: Project) -> None:
    desk = desk_of(short)
    with client_of(desk) as client:
        text = settled(client, desk, "/usage")
    assert "EXTRAPOLATED from" in text and "EXTRAPOLATED FROM" in text
    assert "<script>alert" not in text and "\x1b" not in text and "\u202e" not in text


def test_nothing_yet_teaches(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        text = client.get("/usage").text
        answer = client.get("/api/usage")
    assert "breakeven import" in text and "What you will see then" in text
    assert answer.status_code == 400 and "breakeven import" in answer.json()["error"]["message"]


def test_a_damaged_store_is_said_to_be(empty_project: Project) -> None:
    empty_project.store.mkdir(parents=True)
    (empty_project.store / "manifest.json").write_text("{", encoding="utf-8")
    with client_of(desk_of(empty_project)) as client:
        answer = client.get("/usage")
    assert answer.status_code == 400
    assert str(Path(empty_project.folder).resolve()) not in answer.text
