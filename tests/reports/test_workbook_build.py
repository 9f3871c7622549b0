"""Workbook build: an input changed in the cells is that input changed in the scenario; what cannot be is said."""

from __future__ import annotations

import pytest

from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.discover import discover_options
from breakeven.options.option import Situation
from breakeven.reports.spreadsheet.values import workbook_values
from breakeven.reports.workbook_build import workbook_part
from breakeven.reports.workbook_part import WorkbookPart
from costing import QUOTE, demand, pinned, situation

TOGETHER = {
    # what a scenario replaces at once, and stands in several cells here
    "incident_hours_per_event": ("incident_hours_per_event", "api_outage_hours_per_event"),
    "replicas_min_count": ("replicas_min_count",),
}


def asked(**overrides: float) -> Situation:
    return situation(demand(40_000.0, cache_read_fraction=0.2), pinned({**QUOTE, **overrides}))


def built(**overrides: float) -> WorkbookPart:
    return workbook_part(asked(**overrides), discover_options())


@pytest.fixture(scope="module")
def part() -> WorkbookPart:
    return built()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("month_window_volume_ratio", 1.7),
        ("hourly_peak_to_mean_ratio", 5.5),
        ("fleet_migration_hours", 900.0),
        ("batch_share_fraction", 0.9),
        ("gpu_rent_half_life_months", 3.0),
        ("incident_hours_per_event", 5.0),
        ("replicas_min_count", 7.0),
    ],
)
def test_a_change_here_is_a_change_there(part: WorkbookPart, name: str, value: float) -> None:
    names = TOGETHER.get(name, (name,))
    changed = {key: value for key, cell in part.cells.items() if cell.name in names and not cell.expression}
    found, new = workbook_values(part, changed), built(**{name: value})
    wanted = workbook_values(new)
    moved = 0
    for option, roles in part.options.items():
        for role in ("total_usd_per_month", "cost_usd_per_success", "upfront_usd", "present_cost_usd"):
            ours, theirs = found.today[roles[role]], wanted.today[new.options[option][role]]
            assert ours == pytest.approx(theirs, rel=1e-9), (option, role)
            moved += ours != part.cells[roles[role]].value
        assert found.months[roles["cash"]] == pytest.approx(wanted.months[new.options[option]["cash"]], rel=1e-9), (
            option
        )
    assert moved


def test_what_acts_through_a_model_is_fixed(part: WorkbookPart) -> None:
    fixed = {part.cells[key].name for key in part.fixed}
    assert {"ttft_target_ms", "tpot_target_ms", "prefix_cache_kept_fraction", "horizon_months"} <= fixed
    assert not set(part.fixed) & set(part.inputs)


def test_an_input_says_who_reads_it(part: WorkbookPart) -> None:
    assert set(part.cells["engineer_usd_per_year"].used_by) == set(part.options)
    assert part.cells["batch_share_fraction"].used_by == ("batch_api",)
    assert part.cells["engineer_usd_per_year"].grade
    assert part.cells["engineer_usd_per_year"].low


def test_every_cell_is_after_what_it_reads_today(part: WorkbookPart) -> None:
    seen: set[str] = set()
    for key, cell in part.cells.items():
        if cell.expression and not cell.monthly:
            assert all(each in seen or ":" in each for each in cell.inputs.values()), key
        seen.add(key)


def test_growth_that_the_log_shows_is_an_input() -> None:
    log = Source("the log", "calls.jsonl", asked().catalog.as_of, Grade.MEASURED)
    shown = Assumption("volume_growth_fraction_per_month", "1/month", 0.04, 0.05, 0.06, log)
    part = workbook_part(asked(), discover_options(), {shown.name: shown})
    cell = part.cells[shown.name]
    assert (cell.value, cell.low, cell.high, cell.source) == (0.05, 0.04, 0.06, "the log")
    later = workbook_values(part).months[part.paths["volume"]]
    assert later[1] == pytest.approx(1.05, rel=1e-12)


def test_the_same_question_gives_the_same_part() -> None:
    assert built().model_dump() == built().model_dump()


def test_what_is_not_to_be_chosen() -> None:
    part = workbook_part(asked(), discover_options(), closed=("brokered", "nobody"))
    assert part.closed == ("brokered", "sunk_gpus")
