"""Edits: checked, undone and done again, and never over what somebody else wrote meanwhile."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.scenario import load_scenario, scenario_template
from breakeven.errors import EditConflict, ScenarioError, UnknownName
from breakeven.web.facts.edits import Edits, fact_set
from breakeven.web.facts.fact_boxes import FactValue
from breakeven.web.facts.history import ABSENT, OUTSIDE, STEPS_COUNT
from breakeven.web.project import Project
from web.made_project import desk_of

PAY = "engineer_usd_per_year"
SHORT = "seed: 3  # lucky\noverrides:\n"
HOSTILE = (
    "NaN",
    "nan",
    ".nan",
    "inf",
    "1e309",
    "-1e309",
    ".inf",
    "1,5",
    "1.234,5",
    "",
    "   ",
    "<script>alert(1)</script>",
    "12\n  seed: 7",
    "12, high: 3}",
    "12 # comment",
    "*a",
    "&a 1",
    "!!python/object/apply:os.system ['true']",
    "{low: 1}",
    "[1]",
    "0x",
    "1:30",
    "yes",
    "null",
    "-1",
    "1e13",
    "\u202e12",
)


@pytest.fixture
def edits(empty_project: Project) -> Edits:
    """The edits of a project whose scenario is what `breakeven init` writes."""
    empty_project.scenario.write_text(scenario_template(), encoding="utf-8")
    return Edits(desk_of(empty_project))


def test_a_value_is_set_and_comes_back_with_undo_and_redo(edits: Edits, empty_project: Project) -> None:
    before = empty_project.scenario.read_bytes()
    one = edits.set(PAY, "180000", edits.version)
    two = edits.set(PAY, FactValue("190000", "150000", "250000", "our own books", "measured"), one)
    assert load_scenario(empty_project.scenario).overrides[PAY].typical == 190_000  # type: ignore[union-attr]
    assert edits.undo(two) == one
    assert load_scenario(empty_project.scenario).overrides == {PAY: 180_000}
    edits.undo()
    assert empty_project.scenario.read_bytes() == before
    with pytest.raises(ScenarioError, match="nothing to undo"):
        edits.undo()
    assert edits.redo() == one
    assert edits.redo() == two
    with pytest.raises(ScenarioError, match="nothing to do again"):
        edits.redo()
    edits.undo()
    edits.set(PAY, "5", edits.version)
    with pytest.raises(ScenarioError, match="a change came after"):
        edits.redo()


def test_a_range_keeps_its_form_and_its_comments(edits: Edits, empty_project: Project) -> None:
    text = f"overrides:\n  {PAY}:\n    low: 1  # the junior\n    typical: 2\n    high: 3\n    source: books\n"
    empty_project.scenario.write_text(text)
    edits.set(PAY, FactValue("20", "10", "30"), edits.version)
    assert empty_project.scenario.read_text() == (
        f"overrides:\n  {PAY}:\n    low: 10  # the junior\n    typical: 20\n    high: 30\n"
    )


def test_reset_gives_the_catalogue_the_word_again(edits: Edits, empty_project: Project) -> None:
    version = edits.set(PAY, "180000", edits.version)
    edits.reset(PAY, version)
    assert load_scenario(empty_project.scenario).overrides == {}


def test_where_there_is_no_file_one_is_made_and_undo_removes_it(empty_project: Project) -> None:
    edits = Edits(desk_of(empty_project))
    assert edits.version == ABSENT
    version = edits.set(PAY, "180000", ABSENT)
    assert load_scenario(empty_project.scenario).overrides == {PAY: 180_000}
    edits.undo(version)
    assert not empty_project.scenario.exists()


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_possible_number_is_refused_and_nothing_is_written(
    edits: Edits, empty_project: Project, value: str
) -> None:
    before = empty_project.scenario.read_bytes()
    with pytest.raises(ScenarioError):
        edits.set(PAY, value, edits.version)
    with pytest.raises(ScenarioError):
        edits.set(PAY, FactValue("20", value or "x", "30"), edits.version)
    assert empty_project.scenario.read_bytes() == before
    assert edits.history.steps == ()


@pytest.mark.parametrize(
    "name",
    ["no_such_usd", "<script>", "a: 1\nb", "../../etc/passwd", "", "seed", "*", "pue_ratio: 1\n  x", "\0", "a" * 9_000],
)
def test_a_fact_that_nobody_knows_is_refused(edits: Edits, empty_project: Project, name: str) -> None:
    before = empty_project.scenario.read_bytes()
    with pytest.raises((ScenarioError, UnknownName)):
        edits.set(name, "1", edits.version)
    assert empty_project.scenario.read_bytes() == before


@given(note=st.text(min_size=1, max_size=120))
def test_a_note_is_a_note_whatever_it_says(note: str) -> None:
    try:
        text = fact_set(SHORT, PAY, FactValue("180000", note=note), Path("scenario.yaml"))
    except ScenarioError:
        return
    said = yaml.safe_load(text)
    found = said.pop("overrides")[PAY]
    if isinstance(found, dict):
        assert found == {"low": 180_000, "typical": 180_000, "high": 180_000, "source": note.strip()}
    else:
        assert (found, note.strip()) == (180_000, "")
    assert said == {"seed": 3}


def test_a_note_longer_than_a_note_is_refused(edits: Edits) -> None:
    with pytest.raises(ScenarioError, match="at most 500"):
        edits.set(PAY, FactValue("180000", note="x" * 501), edits.version)


def test_a_stale_version_is_refused_and_both_can_be_seen(edits: Edits) -> None:
    seen = edits.version
    now = edits.set(PAY, "180000", seen)
    with pytest.raises(EditConflict, match="Nothing was written"):
        edits.set(PAY, "170000", seen)
    with pytest.raises(EditConflict):
        edits.undo(seen)
    assert edits.version == now
    assert (edits.override_at(seen, PAY), edits.override_at(now, PAY)) == (None, 180_000)
    assert edits.override_at("../../../etc/passwd", PAY) is None


def test_what_was_written_by_hand_is_noticed_and_is_a_step_of_its_own(edits: Edits, empty_project: Project) -> None:
    version = edits.set(PAY, "180000", edits.version)
    by_hand = empty_project.scenario.read_text().replace("seed: 0", "seed: 9")
    empty_project.scenario.write_text(by_hand)
    assert edits.is_changed_outside
    with pytest.raises(EditConflict):
        edits.set(PAY, "170000", version)
    edits.set(PAY, "170000", edits.version)
    assert not edits.is_changed_outside
    assert [each.words for each in edits.history.steps] == [f"{PAY}: 180000", OUTSIDE, f"{PAY}: 170000"]
    edits.undo()
    assert empty_project.scenario.read_text() == by_hand
    edits.undo()
    assert load_scenario(empty_project.scenario).seed == 0


def test_eight_people_at_once_lose_nothing(edits: Edits, empty_project: Project) -> None:
    names = [
        "pue_ratio",
        PAY,
        "downtime_usd_per_hour",
        "api_migration_hours",
        "electricity_usd_per_kwh",
        "migration_ramp_months",
        "engineer_hours_per_year",
        "opportunity_premium_fraction",
    ]
    empty_project.scenario.write_text(SHORT)
    begin, failed = threading.Barrier(len(names)), []

    def person(number: int, name: str) -> None:
        begin.wait()
        own = Edits(desk_of(empty_project))
        for step in range(2):
            value = "0.5" if name.endswith("fraction") else str(2 + number + step)
            for _ in range(400):
                try:
                    own.set(name, value, own.version)
                    break
                except EditConflict:
                    continue
            else:
                failed.append(name)

    threads = [threading.Thread(target=person, args=each) for each in enumerate(names)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    said = load_scenario(empty_project.scenario).overrides
    assert said == {name: 0.5 if name.endswith("fraction") else 3.0 + number for number, name in enumerate(names)}
    steps = edits.history.steps
    assert len(steps) == 2 * len(names) - 1  # the same share once more is no change
    assert all(one.after == two.before for one, two in pairwise(steps))


def test_a_link_stays_a_link_and_rights_stay(edits: Edits, empty_project: Project, tmp_path: Path) -> None:
    real = tmp_path / "shared.yaml"
    empty_project.scenario.rename(real)
    real.chmod(0o640)
    empty_project.scenario.symlink_to(real)
    edits.set(PAY, "180000", edits.version)
    assert empty_project.scenario.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load_scenario(real).overrides == {PAY: 180_000}


def test_a_damaged_history_costs_the_undo_and_nothing_else(edits: Edits, empty_project: Project) -> None:
    edits.set(PAY, "180000", edits.version)
    (empty_project.kept / "edits" / "history.json").write_text('{"steps": [{"words"')
    edits.set(PAY, "170000", edits.version)
    assert len(edits.history.steps) == 1
    edits.undo()
    assert load_scenario(empty_project.scenario).overrides == {PAY: 180_000}


def test_versions_that_nothing_needs_are_forgotten(edits: Edits, empty_project: Project) -> None:
    folder = empty_project.kept / "edits"
    version = edits.version
    for number in range(STEPS_COUNT + 30):
        (folder / f"{number:020x}.version").write_text("old")
    edits.set(PAY, "180000", version)
    assert len(list(folder.glob("*.version"))) <= STEPS_COUNT + 2
    edits.undo()


def test_a_file_that_is_no_text_is_said_to_be_none(edits: Edits, empty_project: Project) -> None:
    empty_project.scenario.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        edits.set(PAY, "180000", edits.version)
