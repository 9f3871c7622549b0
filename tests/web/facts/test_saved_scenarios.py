"""Saved scenarios: the project's own with the sliders in it; never over another one, and the same numbers by file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from breakeven.decision.scenario import load_scenario, scenario_template
from breakeven.errors import BreakevenError, EditConflict, ScenarioError
from breakeven.reports.answer import answer
from breakeven.reports.whatif_session import WhatIfSession
from breakeven.web import documents
from breakeven.web.facts.edits import save_as
from breakeven.web.facts.saved_scenarios import delete_saved, find_saved, saved_scenarios
from breakeven.web.page import Desk
from breakeven.web.project import Project
from web.made_project import desk_of


@pytest.fixture
def desk(empty_project: Project) -> Desk:
    """A desk whose scenario is the template."""
    empty_project.scenario.write_text(scenario_template(), encoding="utf-8")
    return desk_of(empty_project)


def test_what_the_sliders_said_stands_in_the_file(desk: Desk) -> None:
    changes = (("volume", "5B"), ("salary", "180,000"), ("gpu", "L4"), ("api_price", "0.5"), ("batch_share", "20%"))
    saved = save_as(desk, "Cheaper GPUs", changes)
    assert saved.path == desk.project.folder / "scenarios" / "Cheaper_GPUs.yaml"
    said = load_scenario(saved.path)
    assert (said.volume_mtok_per_month, said.api_price_ratio, said.gpu) == (5_000, 0.5, "L4")
    assert said.overrides == {"engineer_usd_per_year": 180_000, "batch_share_fraction": 0.2}
    assert "# Facts by name" in saved.path.read_text()


def test_nothing_is_written_over_unless_it_may_go(desk: Desk) -> None:
    first = save_as(desk, "a", (("salary", "1"),)).path.read_bytes()
    with pytest.raises(EditConflict, match="already"):
        save_as(desk, "a", (("salary", "2"),))
    assert find_saved(desk, "a").path.read_bytes() == first
    save_as(desk, "a", (("salary", "2"),), overwrite=True)
    assert load_scenario(find_saved(desk, "a").path).overrides == {"engineer_usd_per_year": 2}


def test_of_many_at_once_one_gets_the_name(desk: Desk) -> None:
    won: list[int] = []
    begin = threading.Barrier(4)

    def person(number: int) -> None:
        begin.wait()
        try:
            save_as(desk, "same", (("salary", str(number + 1)),))
            won.append(number)
        except EditConflict:
            pass

    threads = [threading.Thread(target=person, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(won) == 1
    assert load_scenario(find_saved(desk, "same").path).overrides == {"engineer_usd_per_year": won[0] + 1}


@pytest.mark.parametrize("name", ["", "..", "///", "\0", "   ", "."])
def test_a_name_of_nothing_is_no_name(desk: Desk, name: str) -> None:
    with pytest.raises(ScenarioError, match="needs a name"):
        save_as(desk, name, ())


@pytest.mark.parametrize("name", ["../../../tmp/x", "scenario", "con", "a/b", "C:\\x", "x.yaml", "x\ny"])
def test_every_name_stays_in_the_folder(desk: Desk, name: str) -> None:
    saved = save_as(desk, name, ())
    assert saved.path.parent == desk.project.folder / "scenarios"
    assert [each.name for each in saved_scenarios(desk)] == [saved.name]
    assert desk.project.scenario.read_text() == scenario_template()


@pytest.mark.parametrize("name", ["../scenario", "scenario.yaml", "/etc/passwd", "", "nobody", "a/../b"])
def test_only_what_is_saved_can_be_opened_or_deleted(desk: Desk, name: str) -> None:
    with pytest.raises(ScenarioError, match="saved"):
        delete_saved(desk, name)
    assert desk.project.scenario.exists()


@pytest.mark.parametrize(
    "change",
    [("salary", "NaN"), ("salary", "1e309"), ("volume", "-5"), ("nobody", "1"), ("gpu", "a\nseed: 7"), ("team", "<b>")],
)
def test_an_impossible_change_is_refused(desk: Desk, change: tuple[str, str]) -> None:
    with pytest.raises(BreakevenError):
        save_as(desk, "x", (change,))
    assert saved_scenarios(desk) == ()


def test_files_that_the_scenario_names_are_found_from_the_folder(own_project: Project) -> None:
    desk = desk_of(own_project)
    text = own_project.scenario.read_text().replace("audit: null", "audit: .breakeven/audit.json  # ours")
    own_project.scenario.write_text(text.replace("outcomes: null", "outcomes: outcomes.csv"))
    saved = save_as(desk, "moved", ())
    said = load_scenario(saved.path)
    assert said.audit == "../.breakeven/audit.json"
    assert said.audit_file() is not None
    assert said.outcomes_file() is not None
    assert "# ours" in saved.path.read_text()


def test_a_project_without_a_scenario_can_save_too(empty_project: Project) -> None:
    saved = save_as(desk_of(empty_project), "first", (("salary", "5"),))
    assert saved.path.read_text() == "overrides:\n  engineer_usd_per_year: 5\n"
    assert not Path(empty_project.scenario).exists()


def test_a_saved_scenario_gives_the_numbers_that_the_sliders_gave(own_project: Project) -> None:
    text = own_project.scenario.read_text().replace("draws_log2: 14", "draws_log2: 8")
    own_project.scenario.write_text(text.replace("options: []", "options: [brokered, rented_on_demand]"))
    desk = desk_of(own_project)
    changes = (("volume", "2B"), ("salary", "200000"), ("api_price", "1.5"), ("gpu", "A100-SXM-80"))
    with documents.question(desk) as asked:
        told = WhatIfSession.open(asked, lambda _: None).answer(changes)
    saved = save_as(desk, "slid", changes)
    with documents.question_about(desk, load_scenario(saved.path)) as asked:
        options = {each.name: each for each in answer(asked).options}
    costs = {each.option: each.after_usd_per_month for each in told.options if each.after_usd_per_month}
    assert costs == {name: each.equal_success_usd_per_month for name, each in options.items()}
