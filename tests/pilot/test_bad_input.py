"""Bad input: each kind is detected, named in the verdict, and the verdict says what it may still claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pilot.gateway_state import BASELINE, CANDIDATE
from tests.pilot.test_running import World

from breakeven.pilot.design_file import write_design
from breakeven.pilot.running import Pilot
from breakeven.pilot.verdict import Verdict
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save

COUNT = 700


def change_design(here: World) -> None:
    path = here.pilot_folder / "pilot.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "margin_ratio": 0.6}))


def outcomes_for_strangers(here: World) -> None:
    here.state.said({"request_id": f"stranger{i}", "success": 1.0} for i in range(9))


def feedback_twice(here: World) -> None:
    said = [{"request_id": f"{i:032x}", "success": 1.0, "source": "feedback"} for i in range(0, 20, 2)]
    here.state.said([*said, *said])


def success_out_of_range(here: World) -> None:
    here.state.said({"request_id": f"{i:032x}", "success": 1.0 + i} for i in range(2, 8, 2))


def clocks_that_differ(here: World) -> None:
    for i in range(5):
        here.state.shadow(f"skew{i}", here.at_s + 3600, 1.0, 1.0)
    here.state.written()


def a_swapped_policy(here: World) -> None:
    document = PolicyDocument("single", (PricedModel(BASELINE),), BASELINE, created="2026-03-03")
    here.state.policy_hash = save(document, here.policy).hash
    for i in range(50):
        here.state.call(f"swap{i}", here.at_s - 1, BASELINE)
    here.state.written()


def unpriced_calls(here: World) -> None:
    for i in range(40):
        here.state.shadow(f"free{i}", here.at_s - 1, 1.0, 1.0, cost_usd=None)
    here.state.written()


@pytest.mark.parametrize(
    ("spoil", "code", "has_limits"),
    [
        (change_design, "design_changed", True),
        (outcomes_for_strangers, "unknown_request", False),
        (feedback_twice, "duplicated_feedback", False),
        (success_out_of_range, "success_out_of_range", True),
        (clocks_that_differ, "clock_skew", True),
        (a_swapped_policy, "policy_swapped", True),
        (unpriced_calls, "unpriced", True),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_it_is_named_and_the_rest_is_still_claimed(
    spoil: Callable[[World], None], code: str, has_limits: bool, tmp_path: Path
) -> None:
    here = World(tmp_path, "shadow", 1.0, per_batch=COUNT)
    write_design(here.design(), here.pilot_folder)
    here.pilot().start()
    here.serve()
    clean = look(here)
    assert clean.answer == "yes"
    assert clean.problems == ()
    spoil(here)
    spoilt = look(here)
    named = [each for each in spoilt.problems if each.code == code]
    assert named
    assert all(each.message.endswith(".") for each in named)
    limits = [each.limits for each in named if each.limits]
    assert bool(limits) == has_limits
    for each in limits:
        assert any(each in said for said in spoilt.not_claimed), f"{each!r} not in {spoilt.not_claimed}"
    assert spoilt.answer == ("not_yet" if code in ("design_changed", "unpriced") else "yes")


def test_a_price_that_is_given_later_reaches_back(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0, per_batch=COUNT)
    write_design(here.design(), here.pilot_folder)
    here.pilot().start()
    here.serve()
    unpriced_calls(here)
    prices = (PricedModel(BASELINE, usd_per_request=0.01), PricedModel(CANDIDATE, 1.0, 1.0))
    found = Pilot(here.pilot_folder, prices=prices, now=here.pilot()._now).look()
    assert found.verdict is not None
    assert found.verdict.answer == "yes"
    assert [each.code for each in found.verdict.problems] == ["given_price", "given_price"]
    free = [i for i, name in enumerate(found.evidence.observations.request_ids) if name.startswith("free")]
    # 900 tokens in and 100 out at 1 USD per million
    assert sorted({round(float(each), 9) for each in found.evidence.observations.cost_usd[free]}) == [0.001, 0.01]


def test_one_arm_empty_is_named_and_never_a_yes(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0)
    write_design(here.design(), here.pilot_folder)
    here.pilot().start()
    here.state.policy_hash = load(here.policy).hash
    for i in range(400):
        here.at_s += 1
        here.state.call(f"{i:032x}", here.at_s, BASELINE, arm="baseline", propensity=1.0, outcome=1.0)
    here.state.written()
    found = look(here)
    assert found.answer == "not_yet"
    (empty,) = (each for each in found.problems if each.code == "one_arm_empty")
    assert CANDIDATE in empty.message
    assert any(empty.limits in each for each in found.not_claimed)


def test_copies_that_are_not_there_are_no_successes(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0, per_batch=COUNT)
    write_design(here.design(), here.pilot_folder)
    here.pilot().start()
    here.serve()
    for i in range(COUNT // 2):
        here.state.call(f"down{i}", here.at_s + i, BASELINE, arm="baseline", propensity=1.0, outcome=1.0)
    here.state.written()
    here.at_s += 3600
    found = look(here)
    assert found.answer == "not_yet"
    assert {"copies_missing", "missing_outcomes"} <= {each.code for each in found.problems}


def test_no_request_at_all_is_said_and_ends_with_the_time(tmp_path: Path) -> None:
    here = World(tmp_path, "shadow", 1.0)
    write_design(here.design(), here.pilot_folder)
    here.pilot().start()
    assert look(here).answer == "not_yet"
    here.at_s += 29 * 86_400
    found = look(here)
    assert found.answer == "no"
    assert "no request of this pilot was seen" in found.sentence
    assert found.more_days is None


def look(here: World) -> Verdict:
    found = here.pilot().look().verdict
    assert found is not None
    return found
