"""Facts: the table, one fact, changes with undo, two people at once, and texts that are out to harm."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from breakeven.catalog.load import load_catalog
from breakeven.decision.scenario import load_scenario
from breakeven.reports.document import Document
from breakeven.web import documents
from breakeven.web.page import Desk
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import TODAY, desk_of
from web.pages.page_words import words

PAY = "engineer_usd_per_year"


@pytest.fixture
def own(empty_project: Project) -> Iterator[TestClient]:
    """A client of a project whose scenario file may change; it has no calls."""
    empty_project.scenario.write_text("# ours\nseed: 3\noverrides:\n  pue_ratio: 1.2  # measured\n")
    with client_of(desk_of(empty_project)) as made:
        yield made


def project_of(client: TestClient) -> Project:
    desk: Desk = client.app.state.desk  # type: ignore[attr-defined]
    return desk.project


def version_of(client: TestClient) -> str:
    return str(client.get("/api/facts").json()["version"])


def test_every_assumption_of_the_comparison_is_a_row(compared: Project) -> None:
    desk = desk_of(compared)
    document = documents.comparison(desk)
    assert isinstance(document, Document)
    with client_of(desk) as client:
        told = client.get("/api/facts").json()
        page = client.get("/facts?rows=all").text
    rows = {(each["name"], each["low"], each["typical"], each["high"]) for each in told["facts"]}
    assert rows == {(each.name, each.low, each.typical, each.high) for each in document.assumptions}
    by_name = {each["name"]: each for each in told["facts"]}
    for part in document.assumptions[::10]:
        assert by_name[part.name]["unit"] == part.unit
        assert part.name in page
    for bar in (document.risk.tornado if document.risk else ())[:5]:
        assert by_name[bar.name]["swing_usd"] == pytest.approx(abs(bar.saves_at_high_usd - bar.saves_at_low_usd))
    assert told["comparison"] == "current"


def test_rows_of_one_name_say_that_they_move_together_and_have_names_of_their_own(
    compared: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(compared)
    document = documents.comparison(desk)
    assert isinstance(document, Document) and document.risk is not None
    bar = document.risk.tornado[0]
    part = next(each for each in document.assumptions if each.name == bar.name)
    other = part.model_copy(
        update={"high": part.high * 2, "source": part.source.model_copy(update={"title": "Another offer"})}
    )
    fixed = part.model_copy(update={"low": part.typical, "high": part.typical})
    twice = document.model_copy(update={"assumptions": (*document.assumptions, other, fixed)})
    monkeypatch.setattr(documents, "comparison", lambda _: twice)
    with client_of(desk) as client:
        rows = [each for each in client.get("/api/facts").json()["facts"] if each["name"] == bar.name]
        page = client.get("/facts?rows=all").text
    assert sorted(each["rows_of_name_count"] for each in rows) == [1, 2, 2]
    assert [each["swing_usd"] > 0 for each in rows] == [each["low"] != each["high"] for each in rows]
    shown = [each for each in page.split("<tr") if f'name={bar.name}"' in each]
    assert sorted("all 2 of this name move together" in each for each in shown) == [False, True, True]
    links = re.findall(rf'<th scope="row"><a href="/facts/fact\?name={bar.name}">(.*?)</a>', page)
    assert len(set(links)) == len(links) == 3 and any("Another offer" in each for each in links)


def test_what_is_said_of_a_fact_reads_as_words(compared: Project, own: TestClient) -> None:
    with client_of(desk_of(compared)) as client:
        found = next(each for each in client.get("/api/facts").json()["facts"] if len(each["used_by"]) == 2)
        page = client.get(f"/facts/fact?name={found['name']}").text
        assert re.search(r"Read by [^<]*[a-z), ], [A-Z]", page)
        tiles = client.get("/facts").text
    for words_of in ("show guesses", "show stale facts", "show facts set by you", "show facts that turn the answer"):
        assert words_of in tiles
    page = own.get("/facts/fact?name=api_migration_hours").text
    assert "In hours; possible: 0 to 1,000,000 hours" in page


def test_the_filter_works_by_its_address_alone(compared: Project) -> None:
    with client_of(desk_of(compared)) as client:

        def names(query: str) -> list[str]:
            return [each["name"] for each in client.get(f"/api/facts?{query}").json()["facts"]]

        everything, read = names("all=1"), names("")
        assert set(read) < set(everything)
        assert set(names("q=engineer")) == {
            each["name"]
            for each in client.get("/api/facts").json()["facts"]
            if "engineer" in f"{each['name']} {each['note']} {each['source']['title']} {each['unit']}".lower()
            or "engineer" in each["name"].replace("_", " ")
        }
        guesses = client.get("/api/facts?grade=guess").json()["facts"]
        assert guesses
        assert {each["source"]["grade"] for each in guesses} == {"guess"}
        gpu = client.get("/api/facts?option=rented_on_demand").json()["facts"]
        assert all("rented_on_demand" in each["used_by"] for each in gpu)
        assert names("sort=name") == sorted(names("sort=name"))
        swings = [each["swing_usd"] for each in client.get("/api/facts").json()["facts"]]
        assert swings == sorted(swings, reverse=True)
        assert names("grade=<script>&sort=;drop&only=x") == read
        assert "No fact passes" in client.get("/facts?q=zzzz").text


def test_a_link_is_a_web_address_or_no_link(compared: Project) -> None:
    with client_of(desk_of(compared)) as client:
        page = client.get("/facts?all=1&rows=all").text
    outside = re.findall(r'href="([^"/#?][^"]*)"', page)
    assert outside
    assert all(each.startswith(("https://", "http://")) for each in outside)


def test_change_undo_redo_reset(own: TestClient) -> None:
    project = project_of(own)
    before = project.scenario.read_bytes()
    sent = {"name": PAY, "typical": "180000", "version": version_of(own)}
    told = own.post("/facts/set", data=sent, follow_redirects=False)
    assert (told.status_code, told.headers["location"]) == (303, f"/facts/fact?name={PAY}&saved=1")
    assert load_scenario(project.scenario).overrides == {"pue_ratio": 1.2, PAY: 180_000}
    page = words(own.get(f"/facts/fact?name={PAY}&saved=1").text)
    assert "Saved in scenario.yaml" in page
    assert "$180,000/year" in page
    assert "The catalogue says $300,000/year ($210,000 to $420,000/year), guess." in page
    own.post("/facts/undo", data={"version": version_of(own), "next": "/facts"})
    assert project.scenario.read_bytes() == before
    own.post("/facts/redo", data={"version": version_of(own)})
    assert load_scenario(project.scenario).overrides[PAY] == 180_000
    own.post("/facts/reset", data={"name": PAY, "version": version_of(own)})
    assert project.scenario.read_bytes() == before


def test_two_people_see_mine_theirs_and_what_both_began_with(own: TestClient) -> None:
    project, seen = project_of(own), version_of(own)
    own.post("/facts/set", data={"name": PAY, "typical": "180000", "version": seen})
    mine = {"name": PAY, "typical": "150000", "low": "140000", "high": "200000", "note": "hr", "version": seen}
    told = own.post("/facts/set", data=mine)
    assert told.status_code == 409
    page = words(told.text)
    assert "as the catalogue says 180000 150000 (140000 to 200000); hr" in page
    assert "Nothing was written" in page
    assert load_scenario(project.scenario).overrides[PAY] == 180_000
    fields = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', told.text.split('action="/facts/set"')[1])
    )
    own.post("/facts/set", data=fields)
    assert load_scenario(project.scenario).overrides[PAY].typical == 150_000  # type: ignore[union-attr]
    assert "# measured" in project.scenario.read_text()
    own.post("/facts/undo", data={"version": version_of(own)})
    assert load_scenario(project.scenario).overrides[PAY] == 180_000


def test_a_script_gets_the_three_values_as_json(own: TestClient) -> None:
    seen = version_of(own)
    as_json = {"accept": "application/json"}
    first = own.post("/facts/set", data={"name": PAY, "typical": "180000", "version": seen}, headers=as_json)
    assert first.json() == {"version": version_of(own)}
    told = own.post("/facts/set", data={"name": PAY, "typical": "1", "version": seen}, headers=as_json)
    assert told.status_code == 409
    found = told.json()
    assert (found["base"], found["theirs"], found["mine"]["typical"]) == (None, 180_000, "1")
    assert found["version"] == version_of(own)


def test_another_fact_that_changed_is_said_to_be_another(own: TestClient) -> None:
    seen = version_of(own)
    own.post("/facts/set", data={"name": "pue_ratio", "typical": "1.4", "version": seen})
    told = own.post("/facts/set", data={"name": PAY, "typical": "150000", "version": seen})
    assert "Nobody touched this fact" in told.text
    assert "+ pue_ratio: 1.4 # measured" in words(told.text)


def test_what_was_written_by_hand_is_noticed(own: TestClient) -> None:
    project, seen = project_of(own), version_of(own)
    own.post("/facts/set", data={"name": PAY, "typical": "180000", "version": seen})
    project.scenario.write_text(project.scenario.read_text().replace("seed: 3", "seed: 4"))
    assert "was changed outside the dashboard" in own.get("/facts").text
    assert own.post("/facts/undo", data={"version": seen}).status_code == 409


@pytest.mark.parametrize(
    "value", ["NaN", "1e309", "1,5", "<script>alert(1)</script>", "", "-5", "1\n  seed: 7", "x" * 3_000]
)
def test_a_wrong_value_comes_back_and_nothing_is_written(own: TestClient, value: str) -> None:
    project = project_of(own)
    before = project.scenario.read_bytes()
    told = own.post("/facts/set", data={"name": PAY, "typical": value, "version": version_of(own)})
    assert told.status_code == 400
    assert 'role="alert"' in told.text
    assert "scenario.yaml" in words(told.text)
    assert "<script>alert" not in told.text
    assert str(project.folder) not in told.text
    assert project.scenario.read_bytes() == before
    if value == "1,5":
        assert "The decimal sign is a point" in told.text
        assert 'value="1,5"' in told.text


@pytest.mark.parametrize(
    ("name", "boxes", "words"),
    [
        ("engineer_tenure_months", ("25,5",), "Typical: wanted a number of months, e.g. {}; saw '25,5'"),
        ("engineer_tenure_months", ("24 months",), "Typical: wanted a number of months, e.g. {}; saw '24 months'"),
        ("cost_of_capital_fraction_per_year", ("12%",), "Typical: wanted a number in 1/year, e.g. {}; saw '12%'"),
        ("gpu_residual_fraction", ("12%",), "Typical: wanted a share from 0 to 1, e.g. {}; saw '12%'"),
        ("engineer_tenure_months", ("",), "Typical: wanted a number of months, e.g. {}; the box is empty"),
        (
            "engineer_tenure_months",
            ("24", "", "30"),
            "Low: wanted a number of months, e.g. {}, in both Low and High or in neither; the box is empty",
        ),
        (
            "engineer_tenure_months",
            ("24", "30", "20"),
            "Low, Typical, High: wanted the smallest first and the largest last; saw 30, 24 and 20",
        ),
        (PAY, ("-5",), "'engineer_usd_per_year' is -5; wanted zero or more, in usd/year"),
    ],
)
def test_a_wrong_entry_is_told_by_its_box_and_by_no_line_of_the_file(
    own: TestClient, name: str, boxes: tuple[str, ...], words: str
) -> None:
    typical = load_catalog(TODAY).assumptions[name].typical
    sent = dict(zip(("typical", "low", "high"), boxes, strict=False))
    told = own.post("/facts/set", data={"name": name, "version": version_of(own), **sent})
    assert told.status_code == 400
    said = re.search(r'<p class="said" id="error">(.*?)</p>', told.text)
    assert said is not None
    assert html.unescape(said[1]) == words.format(f"{typical:g}")
    assert "scenario.yaml:" not in told.text
    as_json = own.post(
        "/facts/set", data={"name": name, "version": version_of(own), **sent}, headers={"accept": "application/json"}
    )
    assert as_json.json()["error"]["message"] == words.format(f"{typical:g}")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "../../x", "", "a" * 5_000, "nobody", "seed", "\0"])
def test_a_strange_fact_is_refused(own: TestClient, name: str) -> None:
    project = project_of(own)
    before = project.scenario.read_bytes()
    told = own.post("/facts/set", data={"name": name, "typical": "1", "version": version_of(own)})
    assert told.status_code == 400
    assert "<script>alert" not in told.text
    assert own.get("/facts/fact", params={"name": name[:2_000]}).status_code == 400
    assert project.scenario.read_bytes() == before


def test_a_hostile_note_is_shown_as_text(own: TestClient) -> None:
    note = '"><img src=x onerror=alert(1)> \u202eevil'
    own.post("/facts/set", data={"name": PAY, "typical": "5", "note": note, "version": version_of(own)})
    for address in ("/facts?only=yours", f"/facts/fact?name={PAY}"):
        page = own.get(address).text
        assert "<img src=x" not in page
        assert "\u202e" not in page


def test_a_broken_scenario_is_said_on_every_page(own: TestClient) -> None:
    project_of(own).scenario.write_text("gpu: [\n")
    for address in ("/facts", f"/facts/fact?name={PAY}", "/api/facts"):
        told = own.get(address)
        assert told.status_code == 400
        assert "scenario.yaml is not valid YAML" in html.unescape(told.text)
        assert "unicode string" not in told.text
        mark = ("\\n" if address.startswith("/api") else "\n") + " " * 4 + "^"
        assert mark in told.text, "the mark stands below the place in the file"
        assert (f'href="{html.escape(address)}">Try again' in told.text) == (address != "/api/facts")


def test_where_one_is_sent_afterwards_stays_here(own: TestClient) -> None:
    sent = {"name": PAY, "typical": "6", "version": version_of(own), "next": "https://evil.example/"}
    told = own.post("/facts/set", data=sent, follow_redirects=False)
    assert told.headers["location"].startswith("/")


def test_without_calls_the_catalogue_is_shown_and_said_to_be_that(own: TestClient) -> None:
    page = own.get("/facts?rows=all").text
    assert "Nothing was imported yet" in page
    assert PAY in page


def test_saved_scenarios_are_listed_opened_compared_and_deleted(compared: Project, own_project: Project) -> None:
    with client_of(desk_of(own_project)) as client:
        assert "No scenario is saved yet" in client.get("/facts/scenarios").text
        data = {"name": "Dear people", "change": ["salary=500000", "gpu=L4"]}
        told = client.post("/facts/scenarios/save", data=data, follow_redirects=False)
        assert told.headers["location"].startswith("/facts/scenarios?name=Dear_people")
        page = words(client.get("/facts/scenarios?name=Dear_people").text)
        assert "+ engineer_usd_per_year: 500000" in page
        again = client.post("/facts/scenarios/save", data=data)
        assert (again.status_code, "already" in again.text) == (409, True)
        assert client.get("/facts/scenarios/download?name=Dear_people").text.count("500000") == 1
        kept = client.post("/facts/scenarios/delete", data={"name": "Dear_people"})
        assert "Delete scenarios/Dear_people.yaml?" in words(kept.text)
        assert len(client.get("/api/facts/scenarios").json()["scenarios"]) == 1
        client.post("/facts/scenarios/delete", data={"name": "Dear_people", "sure": "yes"})
        assert client.get("/api/facts/scenarios").json()["scenarios"] == []


@pytest.mark.parametrize("change", ["salary", "=1", "salary=NaN", "nobody=1", "gpu=a: b\n"])
def test_a_change_that_makes_no_sense_is_not_saved(own: TestClient, change: str) -> None:
    told = own.post("/facts/scenarios/save", data={"name": "x", "change": change})
    assert told.status_code == 400
    assert own.get("/api/facts/scenarios").json()["scenarios"] == []


def test_what_options_bind_for_themselves_can_be_set_for_all(own: TestClient, compared: Project) -> None:
    name = "engineering_fte_count"
    with client_of(desk_of(compared)) as client:
        page = words(client.get(f"/facts/fact?name={name}").text)
        assert "Rented GPUs, on demand" in page
        assert "One value for all options" in page
    wrong = own.post("/facts/set", data={"name": name, "typical": "many", "version": version_of(own)})
    assert (wrong.status_code, 'value="many"' in wrong.text) == (400, True)
    own.post("/facts/set", data={"name": name, "typical": "1.5", "version": version_of(own)})
    assert load_scenario(project_of(own).scenario).overrides[name] == 1.5
    assert "Change your value" in own.get(f"/facts/fact?name={name}").text
