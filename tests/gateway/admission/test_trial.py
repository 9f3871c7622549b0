"""Trials of a policy: who is in one, which arm a request gets, who answers where the candidate cannot."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import PolicyError
from breakeven.gateway.config.settings import Arms, Condition, ResidencyRule, Retries, Shadow
from breakeven.gateway.control.policy_fit import fits_models
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, save
from breakeven.routing.trial import Trial, TrialPart
from breakeven.routing.trial_drawing import is_copied
from gateway.admission.admission_parts import (
    BIG,
    BIG_NEAR,
    OPUS,
    SMALL,
    Room,
    attempt,
    body,
    failed,
    head,
    key,
    plan,
    room,
    settings,
)

CANARY = TrialPart("faq", "small", "canary", 0.3)
TRIAL = Trial("p-1", (CANARY,), checks_by_task={"": {"non_empty": True}})


def policy(tmp_path: Path, trial: Trial | None, **more: Any) -> LoadedPolicy:
    """Big for everything."""
    document = PolicyDocument("single", (PricedModel("big"),), "big", trial=trial)
    return save(replace(document, **more), tmp_path / "policy")


def with_trial(tmp_path: Path, trial: Trial = TRIAL, **more: Any) -> Room:
    """An engine under that trial."""
    return room(settings(**more), policy(tmp_path, trial))


def faq(of: Room, said: bytes | None = None, **headers: str) -> Any:
    """A request of the task on trial."""
    return plan(of, head(x_breakeven_task="faq", **headers), said)


def test_a_canary_deals_requests_and_falls_back_to_who_answers_otherwise(tmp_path: Path) -> None:
    of = with_trial(tmp_path)
    got = [faq(of) for _ in range(3_000)]
    dealt = Counter((each.arm, each.propensity, each.targets[0]) for each in got)
    assert set(dealt) == {("candidate", 0.3, SMALL), ("baseline", 0.7, BIG)}
    assert abs(dealt["candidate", 0.3, SMALL] / 3_000 - 0.3) < 5 * 0.0084
    assert {each.targets for each in got if each.arm == "candidate"} == {(SMALL, BIG, BIG_NEAR)}
    assert {each.policy_hash for each in got} == {got[0].policy_hash} != {None}
    assert all(each.trial is not None and len(each.trial.checks) == 1 for each in got)
    other = plan(of, head(x_breakeven_task="mail"))
    assert (other.arm, other.trial, other.targets[0]) == (None, None, BIG)


def test_a_larger_share_keeps_the_units_of_a_smaller_one(tmp_path: Path) -> None:
    def candidates(share: float) -> set[str]:
        parts = (replace(CANARY, share_fraction=share),)
        of = with_trial(tmp_path, replace(TRIAL, unit="user", parts=parts))
        users = [f"user-{number}" for number in range(1_000)]
        return {user for user in users if faq(of, body(user=user)).arm == "candidate"}

    few, more, all_of_them = candidates(0.05), candidates(0.2), candidates(1.0)
    assert few < more < all_of_them
    assert abs(len(few) - 50) < 5 * 7
    assert len(all_of_them) == 1_000


@pytest.mark.parametrize("unit", ["key", "session", "user", "header:X-Tenant"])
def test_what_is_dealt_keeps_its_arm_in_every_process(unit: str, tmp_path: Path) -> None:
    keys = (key(),)
    rooms = [with_trial(tmp_path, replace(TRIAL, unit=unit), keys=keys) for _ in range(2)]

    def one(of: Room, name: str) -> Any:
        return faq(of, body(user=name), x_breakeven_session=name, x_tenant=name)

    for number in range(50):
        first, again = (one(of, f"u-{number}") for of in rooms)
        assert (first.arm, first.unit_hash) == (again.arm, again.unit_hash)
        assert first.arm is not None and first.unit_hash


def test_a_request_that_says_not_whose_it_is_is_in_no_trial(tmp_path: Path) -> None:
    for unit in ("session", "user", "header:x-tenant"):
        got = faq(with_trial(tmp_path, replace(TRIAL, unit=unit)))
        assert (got.arm, got.trial, got.targets[0]) == (None, None, BIG)


def test_a_trial_stands_in_place_of_the_configurations_arms_and_shadows_for_its_tasks_only(tmp_path: Path) -> None:
    arms = Arms("old", "request", {"a": 1.0}, {"a": "opus"})
    of = with_trial(tmp_path, arms=arms, shadows=(Shadow("opus", 1.0),))
    assert {each.arm for each in (faq(of) for _ in range(60))} == {"baseline", "candidate"}
    assert {each.shadow for each in (faq(of) for _ in range(60))} == {None}
    rest = plan(of, head(x_breakeven_task="mail"))
    assert (rest.arm, rest.targets[0]) == ("a", OPUS)
    without = room(settings(shadows=(Shadow("opus", 1.0),)), policy(tmp_path, None))
    assert faq(without).shadow is OPUS


def test_a_request_that_the_candidate_may_not_answer_is_in_no_trial(tmp_path: Path) -> None:
    far_only = ResidencyRule(Condition(header=(b"x-class", "far")), ("far",))
    whole = replace(TRIAL, parts=(replace(CANARY, share_fraction=1.0),))
    of = with_trial(tmp_path, whole, residency=(far_only,))
    assert faq(of).arm == "candidate"
    got = faq(of, None, x_class="far")
    assert (got.arm, got.trial, got.targets, got.is_pinned) == (None, None, (BIG,), True)
    bound = with_trial(tmp_path, whole, keys=(key(allowed_models=("big",)),))
    assert faq(bound).arm is None
    mine = policy(tmp_path, whole, models=(PricedModel("big"), PricedModel("small")), kind="task_map")
    groups = (GroupChoice((), "big"), GroupChoice(("faq",), "big", allowed_models=("big",)))
    kept = save(replace(mine.document, groups=groups), tmp_path / "kept")
    assert faq(room(policy=kept)).arm is None


def test_whoever_names_a_model_that_no_policy_decides_is_in_no_trial(tmp_path: Path) -> None:
    whole = replace(TRIAL, parts=(replace(CANARY, share_fraction=1.0),))
    of = with_trial(tmp_path, whole, keys=(key(may_override=True),))
    assert faq(of, body(model="opus")).arm is None
    assert faq(of, None, x_breakeven_model="big").arm is None
    assert faq(of, body(model="auto")).arm == "candidate"


def test_a_baseline_by_name_and_the_rest_that_no_other_part_names(tmp_path: Path) -> None:
    rest = TrialPart("", "small", "canary", 0.5, baseline_model="opus")
    of = with_trial(tmp_path, replace(TRIAL, parts=(CANARY, rest)))
    got = [plan(of, head(x_breakeven_task="mail")) for _ in range(60)]
    assert {(each.arm, each.targets[0]) for each in got} == {("baseline", OPUS), ("candidate", SMALL)}
    assert {each.arm for each in (plan(of) for _ in range(60))} == {"baseline", "candidate"}
    assert {each.policy_hash for each in got} != {None}
    # a candidate that answers anyway is on no trial
    own = save(PolicyDocument("single", (PricedModel("small"),), "small", trial=TRIAL), tmp_path / "own")
    assert faq(room(policy=own)).arm is None


def test_a_share_of_nothing_rests(tmp_path: Path) -> None:
    for mode in ("canary", "shadow"):
        part = replace(CANARY, share_fraction=0.0, mode=mode)
        got = faq(with_trial(tmp_path, replace(TRIAL, parts=(part,))))
        assert (got.arm, got.trial, got.shadow, got.targets[0]) == (None, None, None, BIG)


def test_a_shadow_copies_a_share_of_requests_and_says_which(tmp_path: Path) -> None:
    part = replace(CANARY, share_fraction=0.25, mode="shadow")
    of = with_trial(tmp_path, replace(TRIAL, parts=(part,)), keys=(key(budget_usd=9_999.0),))
    got = [faq(of) for _ in range(400)]
    assert {each.targets[0] for each in got} == {BIG}
    for each in got:
        is_drawn = is_copied("p-1", each.request_id, 0.25)
        assert (each.arm, each.propensity) == (("baseline", 1.0) if is_drawn else (None, None))
        assert each.shadow is (SMALL if is_drawn else None)
        assert (each.trial is not None) == is_drawn
    assert 50 < sum(each.shadow is SMALL for each in got) < 150


@pytest.mark.parametrize(
    "acting",
    [
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "mcp", "server_label": "crm"}]},
        {"previous_response_id": "resp-1"},
        {"mcp_servers": [{"url": "https://crm.example"}]},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_a_server_does_by_itself_is_not_done_twice(acting: dict[str, Any], tmp_path: Path) -> None:
    part = replace(CANARY, share_fraction=1.0, mode="shadow")
    of = with_trial(tmp_path, replace(TRIAL, parts=(part,)))
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    assert faq(of, body(tools=[tool])).shadow is SMALL  # the client runs it, and the copy's call is only recorded
    got = faq(of, body(**acting))
    assert (got.shadow, got.arm) == (None, None)


def test_a_candidate_out_of_order_keeps_the_arm_of_its_requests(tmp_path: Path) -> None:
    of = with_trial(tmp_path, replace(TRIAL, parts=(replace(CANARY, share_fraction=1.0),)))
    first = faq(of)
    tried = [failed(SMALL), failed(SMALL, 2, "reset", None)]
    found = [of.engine.next_target(first, each) for each in tried]
    assert found == [(SMALL, 0.1), (BIG, 0.0)]  # once more itself, as a model in use would be asked again
    of.engine.finish(first, [*tried, attempt(BIG, 3)], True)
    assert [(line["arm"], line["propensity"], line["model_key"]) for line in of.kept.lines] == [
        ("candidate", 1.0, "small"),
        ("candidate", 1.0, "small"),
        ("candidate", 1.0, "big"),
    ]
    hasty = with_trial(tmp_path, replace(TRIAL, parts=(replace(CANARY, share_fraction=1.0),)), retries=Retries(2))
    assert hasty.engine.next_target(faq(hasty), failed(SMALL)) == (BIG, 0.0)  # no client fails for a trial
    baseline = with_trial(tmp_path, replace(TRIAL, parts=(replace(CANARY, share_fraction=1e-9),)))
    assert baseline.engine.next_target(faq(baseline), failed(BIG)) == (BIG_NEAR, 0.0)
    for _ in range(20):  # its breaker opens
        next_one = faq(of)
        of.engine.next_target(next_one, failed(next_one.targets[0])) if next_one.targets[0] is SMALL else None
    late = faq(of)
    assert (late.arm, late.targets[0]) == ("candidate", BIG)


def test_the_end_of_a_trial_and_another_share_come_with_another_policy(tmp_path: Path) -> None:
    of = with_trial(tmp_path, replace(TRIAL, parts=(replace(CANARY, share_fraction=1.0),)))
    assert faq(of).arm == "candidate"
    of.engine.swap_policy(policy(tmp_path, replace(TRIAL, parts=(replace(CANARY, share_fraction=1e-9),))))
    assert faq(of).arm == "baseline"
    of.engine.swap_policy(policy(tmp_path, None))
    assert (faq(of).arm, faq(of).trial, faq(of).targets[0]) == (None, None, BIG)


def test_what_checks_said_is_in_the_call(tmp_path: Path) -> None:
    of = with_trial(tmp_path)
    for outcome in (1.0, 0.0, None):
        got = faq(of)
        of.engine.finish(got, [attempt(got.targets[0], outcome_fraction=outcome)], True)
    told = [(line.get("outcome"), line.get("outcome_source")) for line in of.kept.lines]
    assert told == [(1.0, "validator"), (0.0, "validator"), (None, None)]


def test_a_trial_of_a_model_that_is_not_served_is_refused(tmp_path: Path) -> None:
    fits = fits_models(lambda: ("big", "small"))
    fits(policy(tmp_path, TRIAL))
    with pytest.raises(PolicyError, match=r"trial of the policy .* names 'smal', which.*small"):
        fits(policy(tmp_path, replace(TRIAL, parts=(replace(CANARY, candidate_model="smal"),))))
    with pytest.raises(PolicyError, match="names 'opus'"):
        fits(policy(tmp_path, replace(TRIAL, parts=(replace(CANARY, baseline_model="opus"),))))
    # and where a model goes away later, its requests are in no trial
    of = with_trial(tmp_path, replace(TRIAL, parts=(replace(CANARY, candidate_model="gone"),)))
    assert (faq(of).arm, faq(of).targets[0]) == (None, BIG)
