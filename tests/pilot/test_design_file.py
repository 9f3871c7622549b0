"""Design file: the hash is of what it says, what was promised is judged, and a change is said field by field."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import PilotError
from breakeven.pilot.design import Design, Guards, RampStep, TaskPlan
from breakeven.pilot.design_file import design_hash, promise, read_design, write_design

PLAN = TaskPlan("faq", "big", "small", requests_per_hour=120.0)
DESIGN = Design("faq", "canary", (PLAN,), "2026-11-02T08:00:00+00:00", expects={"pairs": [1, 2.5], "days": None})


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "pilot.json"
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, **changes}))


def test_what_is_written_is_read_with_the_same_hash(tmp_path: Path) -> None:
    written = write_design(DESIGN, tmp_path)
    found = read_design(tmp_path)
    assert found.design == DESIGN
    assert found.hash == written == design_hash(DESIGN)
    assert json.loads((tmp_path / "pilot.json").read_text())["hash"] == written
    assert not found.is_changed
    assert found.trial_name == f"faq-{written[:12]}"


@given(
    margin=st.floats(0.51, 1.0),
    alpha=st.floats(0.001, 0.4),
    ramp=st.lists(st.floats(0.001, 0.99), min_size=1, max_size=5, unique=True).map(sorted),
    spend=st.none() | st.floats(0.01, 1e6),
)
def test_any_design_survives(
    margin: float, alpha: float, ramp: list[float], spend: float | None, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("pilot")
    of = replace(
        DESIGN,
        margin_ratio=margin,
        alpha_fraction=alpha,
        ramp=tuple(RampStep(each) for each in ramp),
        guards=Guards(spend_max_usd=spend, error_rate_max_fraction=None),
    )
    write_design(of, folder)
    assert read_design(folder).design == of


def test_a_design_may_be_edited_until_it_starts(tmp_path: Path) -> None:
    before = write_design(DESIGN, tmp_path)
    edit(tmp_path, margin_ratio=0.9)
    found = read_design(tmp_path)
    assert found.design.margin_ratio == 0.9
    assert found.hash != before
    assert not found.is_changed
    assert found.is_edited
    promised = promise(tmp_path)
    assert promised.hash == found.hash
    assert not read_design(tmp_path).is_edited
    assert json.loads((tmp_path / "pilot.json").read_text())["hash"] == found.hash


def test_a_design_changed_after_the_start_is_said_and_what_was_promised_is_judged(tmp_path: Path) -> None:
    write_design(DESIGN, tmp_path)
    promised = promise(tmp_path)
    edit(tmp_path, margin_ratio=0.8, audit_fraction=0.0)
    found = read_design(tmp_path)
    assert found.is_changed
    assert found.hash == promised.hash
    assert found.design.margin_ratio == 0.95
    assert "margin_ratio: promised 0.95, pilot.json now says 0.8." in found.changes
    assert len(found.changes) == 2
    assert promise(tmp_path).hash == promised.hash  # starting again promises nothing new


def test_a_copy_that_was_touched_is_said(tmp_path: Path) -> None:
    write_design(DESIGN, tmp_path)
    promise(tmp_path)
    path = tmp_path / "promised.json"
    path.write_text(path.read_text().replace('"margin_ratio": 0.95', '"margin_ratio": 0.6'))
    assert any("promised.json" in each for each in read_design(tmp_path).changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"margin_ratio": 1.2}, "margin_ratio"),
        ({"alpha_fraction": 0}, "alpha_fraction"),
        ({"tasks": []}, "tasks"),
        ({"unit": "moon"}, "request, key, session, user"),
        ({"ramp": [{"share_fraction": 0.5}, {"share_fraction": 0.2}]}, "rising"),
        ({"ramp": [{"share_fraction": 1.0}]}, "both arms"),
        ({"checks_by_task": {"": {"regexp": "x"}}}, "unknown check"),
        ({"mode": "magic"}, "mode"),
        ({"surprise": 1}, "surprise"),
        ({"format_version": 9}, "upgrade"),
        ({"format": "x"}, "no pilot"),
        ({"name": "../up"}, "letters"),
        ({"created": None}, "created"),
        ({"created": "yesterday"}, "created"),
        ({"migration_usd": -5}, "migration_usd"),
        ({"idle_usd_per_month": -1e9}, "idle_usd_per_month"),
        ({"human_correction_usd": -1}, "human_correction_usd"),
        ({"label_usd": -1}, "label_usd"),
        ({"guards": {"error_rate_max_fraction": 2}}, "error_rate_max_fraction"),
        ({"guards": {"spend_max_usd": -1}}, "spend_max_usd"),
        ({"seed": -1}, "seed"),
        ({"tasks": [{"task": "\ud800", "baseline_model": "big", "candidate_model": "small"}]}, "Unicode"),
        ({"created": "2999-01-01T00:00:00+00:00"}, "created"),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    write_design(DESIGN, tmp_path)
    edit(tmp_path, **changes)
    with pytest.raises(PilotError, match=words):
        read_design(tmp_path)


def test_same_models_and_two_plans_of_a_task_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PilotError, match="another one"):
        write_design(replace(DESIGN, tasks=(TaskPlan("faq", "big", "big"),)), tmp_path)
    with pytest.raises(PilotError, match="two plans"):
        write_design(replace(DESIGN, tasks=(PLAN, PLAN)), tmp_path)


def test_a_damaged_or_absent_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PilotError, match="pilot init"):
        read_design(tmp_path)
    (tmp_path / "pilot.json").write_text("{")
    with pytest.raises(PilotError, match="no valid JSON"):
        read_design(tmp_path)
    (tmp_path / "pilot.json").write_text("[]")
    with pytest.raises(PilotError, match="a list"):
        read_design(tmp_path)


def test_a_project_may_be_moved(tmp_path: Path) -> None:
    inside, outside = tmp_path / "team", tmp_path / "gateway-state"
    design = replace(DESIGN, policy_folder=str(inside / "policy"), sources=(str(inside / "state"), str(outside)))
    written = write_design(design, inside / "pilots" / "faq")
    assert read_design(inside / "pilots" / "faq").design == design
    promise(inside / "pilots" / "faq")
    moved = tmp_path / "elsewhere"
    inside.rename(moved)
    found = read_design(moved / "pilots" / "faq")
    assert found.hash == written and not found.is_changed
    assert found.design.policy_folder == str(moved / "policy")
    assert found.design.sources == (str(moved / "state"), str(outside))


def test_a_pilot_outside_a_project_keeps_its_places(tmp_path: Path) -> None:
    design = replace(DESIGN, policy_folder=str(tmp_path / "policy"), sources=("state",))
    write_design(design, tmp_path / "faq")
    assert read_design(tmp_path / "faq").design == design
