"""catalog: list, show, check and refresh as a user runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from breakeven import clock
from breakeven.catalog.entries import EntryKind
from breakeven.catalog.files import DATA
from breakeven.catalog.load import load_catalog
from breakeven.catalog.overlay import FOLDER_VARIABLE
from breakeven.catalog.staleness import ages
from breakeven.cli import main
from breakeven.cli.catalog import GRADES, KINDS
from breakeven.errors import CatalogError, UnknownName
from breakeven.facts.source import Grade
from price_server import Answer, Site, price_server, token_list

DAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: DAY)
    monkeypatch.setenv("COLUMNS", "100")


def run(*arguments: str | Path, code: int = 0) -> Result:
    """Run a verb of `catalog`; an error of ours is raised, as `main` would print it."""
    done = CliRunner().invoke(main.group, ["catalog", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def page(*arguments: str | Path, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def test_the_choices_are_those_of_the_catalogue() -> None:
    assert set(KINDS) == {kind.value for kind in EntryKind}
    assert set(GRADES) == {grade.value for grade in Grade}


def test_list_has_every_entry_of_every_kind_with_its_age() -> None:
    listed = page("list")
    catalog = load_catalog(DAY)
    names = {each["name"] for each in listed["entries"]}
    for group in (catalog.assumptions, catalog.gpu_offers, catalog.token_offers, catalog.gpus, catalog.models):
        assert set(group) <= names
    assert set(catalog.providers) <= names
    assert listed["not_shown"].get("carbon", 0) == len(catalog.carbon)
    assert len(listed["entries"]) + len(catalog.carbon) == listed["entries_count"]
    old = {age.name.partition(".")[0] for age in ages(catalog, DAY) if age.is_stale}
    assert {each["name"] for each in listed["entries"] if each["stale"]} <= old


def test_list_filters() -> None:
    assert {each["kind"] for each in page("list", "--kind", "endpoint")["entries"]} == {"endpoint"}
    assert {each["source"]["grade"] for each in page("list", "--grade", "guess")["entries"]} == {"guess"}
    assert all(each["stale"] for each in page("list", "--stale")["entries"])
    found = {each["name"] for each in page("list", "h100", "spot")["entries"]}
    assert "h100-sxm-spot" in found
    assert "h100-sxm-on-demand" not in found
    assert page("list", "--kind", "carbon")["not_shown"] == {}
    assert "None of" in run("list", "no such thing").stdout


def test_list_as_text_says_value_unit_age_and_grade() -> None:
    text = run("list", "h100-sxm-spot").stdout
    for said in ("h100-sxm-spot", "2.953", "2.513 to 5.956", "USD/hour", "44", "quoted", "as of 23 Nov 2026"):
        assert said in text
    assert "\x1b" not in text
    assert "STALE" in run("list", "usd_per_cny").stdout


def test_show_tells_the_history_the_quotes_and_the_readers() -> None:
    shown = page("show", "h100-sxm-on-demand")
    assert [row["since"] for row in shown["history"]] == ["2026-05-24", "2026-10-10"]
    assert {"provider": "lambda", "usd_per_gpu_hour": 3.99, "gpus_count": 8, "segment": "neocloud"} in shown["history"][
        1
    ]["quotes"]
    assert "breakeven.costs.gpu_rental.gpu_rent_usd_per_month" in {each["formula"] for each in shown["formulas"]}
    text = run("show", "h100-sxm-on-demand").stdout
    for said in ("read 10 Oct 2026, 44 days ago, limit 90: fresh", "offers/gpu_rent.yaml:", "lambda", "Formulas that"):
        assert said in text


def test_show_of_what_was_read_after_the_day_asked_for_has_no_age_below_nothing() -> None:
    assert "read 10 Oct 2026, 0 days ago, limit 90" in run("show", "h100-sxm-on-demand", "--as-of", "2026-10-10").stdout
    early = run("show", "deepseek-chat", "--as-of", "2026-06-01").stdout
    assert "read 23 Nov 2026, dated 175 days ahead, limit 90: fresh" in early


@pytest.mark.parametrize("kind", KINDS)
def test_show_knows_an_entry_of_every_kind(kind: str) -> None:
    listed = page("list", "--kind", kind)["entries"]
    for each in listed[:3]:
        assert each["name"] in run("show", each["name"]).stdout


def test_show_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'h100-sxm-spot'"):
        run("show", "h100-sxm-spt")


def test_show_of_a_fact_names_who_reads_it() -> None:
    shown = page("show", "engineer_usd_per_year")
    assert shown["formulas"]
    assert all(each["fact"] == "engineer_usd_per_year" for each in shown["formulas"])
    assert shown["history"][0]["where"].startswith("assumptions/labour.yaml:")


def test_check_names_stale_rows_with_file_and_line() -> None:
    checked = page("check")
    catalog = load_catalog(DAY)
    assert {each["name"] for each in checked["stale"]} == {
        age.name for age in ages(catalog, DAY) if age.is_stale and not age.is_unconfirmed
    }
    (cny,) = [each for each in checked["stale"] if each["name"] == "usd_per_cny"]
    file, _, line = cny["where"].partition(":")
    text = (DATA / file).read_text(encoding="utf-8").splitlines()
    assert text[int(line) - 1].startswith("usd_per_cny:")
    assert (cny["age_days"], cny["limit_days"]) == (319, 90)
    assert "Every row is sound" in run("check").stdout


def test_check_can_fail_on_stale_rows() -> None:
    run("check", "--fail-on-stale", code=1)
    run("check", code=0)


def test_check_of_a_folder_of_your_own(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DATA, folder)
    assert page("check", "--path", folder)["entries_count"] == page("check")["entries_count"]
    rents = folder / "offers" / "gpu_rent.yaml"
    rents.write_text(rents.read_text(encoding="utf-8").replace("typical: 4.2501", "typical: -1"), "utf-8")
    with pytest.raises(CatalogError, match=r"offers/gpu_rent\.yaml:\d+"):
        run("check", "--path", folder)


def test_check_names_what_was_announced_and_never_confirmed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DATA, folder)
    (folder / "assumptions" / "extra.yaml").write_text(
        """
spare_parts_usd_per_month:
  dimension: 900
  unit: usd/month
  values:
    - since: 2026-11-01
      expected: {low: 1, typical: 2, high: 3}
      source: {title: T, link: L, read: 2026-01-01, grade: guess}
    - since: 2027-01-01
      expected: {low: 1, typical: 2, high: 3}
      source: {title: T, link: L, read: 2026-01-01, grade: guess}
""",
        encoding="utf-8",
    )
    checked = page("check", "--path", folder)
    place = "assumptions/extra.yaml:2"
    assert checked["unconfirmed"] == [{"name": "spare_parts_usd_per_month", "where": place}]
    assert checked["announced"] == [{"name": "spare_parts_usd_per_month", "since": "2027-01-01", "where": place}]
    run("check", "--path", folder, "--fail-on-stale", code=1)


def test_check_names_prices_of_a_release_that_nobody_checked(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(DATA, folder)
    said = folder / "catalogue.yaml"
    said.write_text(said.read_text(encoding="utf-8").replace("version: 0.2.3", "version: 0.1.0"), "utf-8")
    assert "openai-gpt-5" in page("check", "--path", folder)["unchecked_prices"]["offers"]
    assert "which nobody has checked" in run("check", "--path", folder).stdout


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "refreshed"))
    with price_server() as served:
        yield served


def addresses(site: Site) -> tuple[str, ...]:
    return ("--token-url", site.token_url, "--gpu-url", site.gpu_url)


def test_refresh_shows_first_and_writes_when_told(site: Site, tmp_path: Path) -> None:
    site.publish_gpus(factor=1.05)
    text = run("refresh", *addresses(site)).stdout
    assert "Nothing written" in text
    assert "breakeven catalog refresh --write" in text
    assert "h100-sxm-on-demand" in text
    assert not (tmp_path / "refreshed").exists()
    written = page("refresh", "--write", *addresses(site))
    assert written["written"]
    assert written["counts"]["held_back"] == 0
    move = next(each for each in written["moves"] if each["name"] == "h100-sxm-on-demand")
    assert move["change_fraction"] == pytest.approx(move["new"] / move["old"] - 1)
    (listed,) = page("list", "h100-sxm-on-demand")["entries"]
    assert listed["figures"][0]["typical"] == move["new"]
    assert page("check")["refreshed"] == {"folder": str(tmp_path / "refreshed"), "token_lists": ["2026-11-23"]}
    assert page("show", "h100-sxm-on-demand")["history"][-1]["where"] == "refreshed on this machine"


def test_a_jump_exits_with_1_until_it_is_accepted(site: Site) -> None:
    listed = token_list()
    (openai,) = [each for each in listed if each["id"] == "openai"]
    (gpt5,) = [each for each in openai["models"] if each["id"] == "gpt-5"]
    gpt5["prices"]["output_mtok"] = 100.0
    site.publish_tokens(listed)
    text = run("refresh", "--only", "tokens", *addresses(site), code=1).stdout
    assert "HELD BACK" in text
    assert "--accept openai-gpt-5" in " ".join(text.split())
    run("refresh", "--only", "tokens", "--accept", "openai-gpt-5", *addresses(site), code=0)


def test_a_source_that_fails_is_an_error_and_writes_nothing(site: Site, tmp_path: Path) -> None:
    site.answers["/data.json"] = Answer(b"<html></html>", kind="text/html")
    with pytest.raises(CatalogError, match="is a web page"):
        run("refresh", "--write", *addresses(site))
    assert not (tmp_path / "refreshed").exists()


def test_the_process_exits_as_documented(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in ((["check", "--fail-on-stale"], 1), (["show", "nothing-like-it"], 2)):
        monkeypatch.setattr("sys.argv", ["breakeven", "catalog", *arguments])
        with pytest.raises(SystemExit) as stop:
            main.main()
        assert stop.value.code == code
    assert "UnknownName: the catalogue has no 'nothing-like-it'" in capsys.readouterr().err
