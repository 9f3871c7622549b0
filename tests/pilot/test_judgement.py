"""Judgement: yes, no and not yet on planted pilots, what holds a verdict back, and what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.pilot.design import Design, Guards, TaskPlan
from breakeven.pilot.design_file import design_hash
from breakeven.pilot.judgement import verdict
from breakeven.pilot.observations import Evidence, Observations, Problem
from breakeven.pilot.verdict import Verdict
from pilot.planted import design, heavy_costs, observations, paired

PAIRS = 1500


def rows(
    candidate: float = 0.92, *, pairs: int = PAIRS, price: float = 0.25, seed: int = 1, **more: Any
) -> Observations:
    """One pair a minute: a baseline that succeeds in 92 %, costs a cent, and a candidate."""
    rng = np.random.default_rng(seed)
    costs = heavy_costs("even", rng, pairs).draws
    first, second, same = (rng.random(pairs) for _ in range(3))
    success = [(first < 0.92) * 1.0, (np.where(same < 0.4, first, second) < candidate) * 1.0]
    return paired(costs, price * costs, *success, **more)


def judge(seen: Observations, plan: Design | None = None, *, changed: bool = False, days: float = 0.0) -> Verdict:
    now = float(np.nanmax(seen.start_unix_s, initial=0.0)) + days * 86_400.0
    return verdict(plan or design(), Evidence(seen), changed, now)


def two_tasks(second: Observations, **changes: Any) -> tuple[Observations, Design]:
    """faq, where all is well, and mail."""
    first = rows()
    both = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in first.__slots__
        if name not in ("request_ids", "tasks")
    }
    both["task"] = np.repeat([0, 1], [first.rows_count, second.rows_count])
    both["unit"] = np.concatenate([first.unit, second.unit + first.rows_count])
    ids = (*first.request_ids, *(f"m{each}" for each in second.request_ids))
    plans = tuple(TaskPlan(task, "a", "b", requests_per_hour=100.0) for task in ("faq", "mail"))
    seen = Observations(request_ids=ids, tasks=("faq", "mail"), **both)
    return seen, design(tasks=plans, **changes)


def test_yes_in_a_sentence_a_cfo_reads() -> None:
    plan = design(migration_usd=1000.0)
    found = judge(rows(), plan)
    assert (found.answer, found.accepted_tasks, found.stopped_tasks, found.more_days) == ("yes", ("faq",), (), None)
    assert re.fullmatch(
        r"Yes: qwen3-8b in place of openai/gpt-5 saves \$\d+ ± [\d.]+ a month \(95 %\), "
        r"quality [+-]\d\.\d pt \[-\d\.\d, \+\d\.\d\], floor held "
        r"\(at least 95 % of today's success\)\. Pays back in \d\.\d months \[\d\.\d, \d\.\d\]\.",
        found.sentence,
    ), found.sentence
    assert found.design_hash == design_hash(plan) and found.as_of.startswith("1970-01-02")
    assert found.savings is not None and found.savings.saved_usd_per_success.low > 0
    assert any("once in 500 requests or less often may not have been seen" in each for each in found.not_claimed)


def test_a_worse_model_is_a_no_with_its_reason() -> None:
    found = judge(rows(0.65))
    assert (found.answer, found.accepted_tasks, found.stopped_tasks) == ("no", (), ("faq",))
    assert re.fullmatch(
        r"No: qwen3-8b keeps only \d\d % \[\d\d, \d\d\] of openai/gpt-5's success, where 95 % is wanted, so it is "
        r"ruled out \(1,500 outcomes\)\.",
        found.sentence,
    ), found.sentence


def test_a_dearer_model_is_a_no_however_good() -> None:
    found = judge(rows(price=1.3))
    assert found.answer == "no"
    assert re.match(r"No: qwen3-8b in place of openai/gpt-5 costs \$\d+ ± [\d.]+ more a month", found.sentence)


def test_not_yet_says_how_many_more_days() -> None:
    found = judge(rows(0.90, pairs=400))
    assert found.answer == "not_yet" and found.more_days is not None and found.more_days > 0
    assert re.match(
        r"Not yet: about \d+ more days?; that qwen3-8b keeps openai/gpt-5's success is not proven yet\. So far: saves",
        found.sentence,
    )
    assert "of the evidence after 400 outcomes" in found.sentence


def test_files_bring_no_days() -> None:
    found = judge(rows(pairs=120), design(mode="offline"))
    assert found.answer == "not_yet"
    assert re.search(r"about [\d,]+ more outcomes", found.sentence) and " day" not in found.sentence, found.sentence


def test_the_success_holds_and_the_savings_are_not_proven() -> None:
    found = judge(rows(price=0.999))
    assert found.answer == "not_yet" and found.accepted_tasks == ("faq",)
    assert "the success holds, that qwen3-8b saves is not proven yet" in found.sentence


def test_when_the_time_is_over_it_is_a_no_that_says_which() -> None:
    short = design(days_max_days=0.5)
    quality, money = judge(rows(0.90, pairs=400), short, days=1), judge(rows(price=0.999), short, days=1)
    assert quality.answer == money.answer == "no"
    assert "0.5 days are over, and that qwen3-8b keeps openai/gpt-5's success is not proven" in quality.sentence
    assert "the success holds, that qwen3-8b saves is not proven" in money.sentence
    assert judge(rows(), short, days=1).answer == "yes", "what is proven in time stays proven"


def test_more_days_than_are_left_are_said() -> None:
    found = judge(rows(0.90, pairs=400), design(days_max_days=0.3))
    assert found.answer == "not_yet" and "at this pace, and 0 are left" in found.sentence


def test_files_have_no_time_that_runs_out() -> None:
    found = judge(rows(0.90, pairs=400), design(mode="offline", days_max_days=0.1), days=100)
    assert found.answer == "not_yet"


def test_a_changed_design_proves_nothing() -> None:
    found = judge(rows(), changed=True)
    assert (found.answer, found.accepted_tasks, found.is_design_changed) == ("not_yet", (), True)
    assert found.sentence.startswith("Not claimed: the design was changed")
    assert found.problems[0].code == "design_changed"
    assert any("design that was changed" in each for each in found.not_claimed)
    told = Problem("design_changed", "It was.", 1, "Nothing.")
    again = verdict(design(), Evidence(rows(), (told,)), True, 1e6)
    assert [each.code for each in again.problems].count("design_changed") == 1


def test_unpriced_requests_hold_a_yes_back() -> None:
    seen = rows()
    usd = seen.cost_usd.copy()
    usd[1] = np.nan
    found = judge(replace(seen, cost_usd=usd))
    assert (found.answer, found.accepted_tasks) == ("not_yet", ("faq",))
    assert "cannot be told: 1 of 1,500 requests of the candidate has no price" in found.sentence
    assert judge(replace(seen, cost_usd=usd), design(days_max_days=0.5), days=9).answer == "not_yet"


def test_some_tasks_of_several() -> None:
    seen, plan = two_tasks(rows(0.90, pairs=300, seed=2))
    found = judge(seen, plan)
    assert (found.answer, found.accepted_tasks) == ("yes", ("faq",))
    assert (
        found.sentence.startswith("Yes, for faq of 2 tasks: b in place of a saves")
        and "Not decided: mail." in found.sentence
    )
    assert "Nothing is claimed for mail: not decided." in found.not_claimed
    alone = judge(rows())
    assert found.savings and alone.savings
    assert found.savings.saved_usd_per_success.value == pytest.approx(alone.savings.saved_usd_per_success.value)


def test_a_task_that_was_stopped_takes_no_part() -> None:
    seen, plan = two_tasks(rows(0.60, seed=2))
    found = judge(seen, plan)
    assert (found.answer, found.accepted_tasks, found.stopped_tasks) == ("yes", ("faq",), ("mail",))
    assert "Ruled out: mail." in found.sentence


def test_the_spend_cap_stops_every_task() -> None:
    seen, plan = two_tasks(rows(seed=2), guards=Guards(spend_max_usd=0.01))
    found = judge(seen, plan)
    assert (found.answer, found.accepted_tasks, found.stopped_tasks) == ("no", (), ("faq", "mail"))
    assert found.sentence.startswith("No: b is ruled out: the pilot has cost")


def test_a_judge_alone_accepts_nothing() -> None:
    seen = rows()
    judged = replace(seen, judged=seen.success, success=np.full(seen.rows_count, np.nan))
    found = judge(judged, days=3)
    assert found.answer == "not_yet" and found.accepted_tasks == ()


@pytest.mark.parametrize("arm", [0, 1])
def test_one_arm_empty(arm: int) -> None:
    seen = rows()
    found = judge(seen.where(seen.arm == arm), design(mode="canary"))
    assert found.answer == "not_yet" and "So far: nothing that can be told." in found.sentence


def test_nothing_seen_at_all() -> None:
    found = judge(observations(np.zeros(0), np.zeros(0), np.zeros(0)))
    assert (found.answer, found.accepted_tasks, found.stopped_tasks) == ("not_yet", (), ())
    assert found.tasks[0].outcomes_count == 0


def test_where_nothing_comes_no_days_are_foretold_and_the_time_runs_all_the_same() -> None:
    nobody = Evidence(rows().where(np.zeros(2 * PAIRS, dtype=bool)))
    early, late = (verdict(design(), nobody, False, days * 86_400.0, started_unix_s=0.0) for days in (1.0, 40.0))
    assert (early.answer, early.more_days) == ("not_yet", None)
    assert early.sentence.startswith("Not yet: no request of this pilot was seen")
    assert late.answer == "no" and late.sentence.startswith("No: the 28 days are over, and no request of this pilot")


def test_answers_that_are_not_there_are_no_successes() -> None:
    """Four copies of ten are missing while the candidate was down; all others succeed."""
    seen = rows(1.0)
    down = (np.arange(2 * PAIRS) // 2 % 10 < 4) & (seen.arm == 1)
    found = judge(seen.where(~down))
    assert found.answer != "yes" and found.savings is not None
    whatever = found.savings.saved_usd_per_success
    whole = judge(replace(seen, success=np.where(down, 0.0, seen.success))).savings
    assert whole is not None and whatever.low < whole.saved_usd_per_success.value < whatever.high


def test_another_model_in_the_candidates_place_is_named_in_the_sentence() -> None:
    told = Problem("model_unknown", "Its arm was answered by x.", 9, "Claimed of x, which may or may not be qwen3-8b.")
    found = verdict(design(), Evidence(rows(), (told,)), False, 1e5)
    assert found.sentence.endswith("Claimed of x, which may or may not be qwen3-8b.")


def test_a_judges_word_is_no_quality() -> None:
    seen = rows()
    audited = np.repeat(np.arange(PAIRS) % 110 == 0, 2)
    some = replace(
        seen,
        judged=seen.success,
        success=np.where(audited, seen.success, np.nan),
        is_audited=audited,
        audit_fraction=np.full(2 * PAIRS, 0.01),
    )
    found = judge(some, days=3)
    assert found.answer == "not_yet" and "quality not known" in found.sentence


def test_the_same_evidence_says_the_same_and_problems_are_kept() -> None:
    odd = Problem("unknown_request", "3 outcomes are of nobody.", 3, "")
    evidence = Evidence(rows(), (odd, odd))
    one, other = (verdict(design(), evidence, False, 1e6) for _ in range(2))
    assert one == other and one.problems.count(odd) == 1


def test_what_is_not_claimed_is_said_in_sentences() -> None:
    for mode in ("shadow", "canary", "offline"):
        for each in judge(rows(), design(mode=mode)).not_claimed:
            assert each[0].isupper() and each.endswith("."), each
    claims = judge(rows()).not_claimed
    assert any("human_correction_usd" in each for each in claims) and any("salaries" in each for each in claims)


def test_promises_are_checked_on_the_way() -> None:
    plan = design(
        tasks=(TaskPlan("", "a", "b", requests_per_hour=100.0),), promised={"moe_model_success_fraction": 0.92}
    )
    found = judge(replace(rows(), tasks=("",)), plan)
    assert [each.name for each in found.forecast] == ["moe_model_success_fraction"] and found.forecast[0].is_within


def test_dear_calls_that_nobody_saw_are_counted_among_the_requests_that_save() -> None:
    seen, plan = two_tasks(rows(0.65, pairs=600))
    found = judge(seen, plan)
    assert found.accepted_tasks == ("faq",)
    assert any(f"once in {PAIRS // 3} requests" in each for each in found.not_claimed), found.not_claimed
