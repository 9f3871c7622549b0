"""Evidence: a gateway's state folder becomes one row for each request and arm, and whatever is wrong is named."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pilot.gateway_state import BASELINE, CANDIDATE, START_S, GatewayState

from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.design_file import DesignFile, design_hash
from breakeven.pilot.journal import Entry
from breakeven.pilot.observations import Evidence, Observations
from breakeven.pilot.reading.evidence import EvidenceReader
from breakeven.pilot.reading.read import Read
from breakeven.pilot.reading.window import window_of
from breakeven.routing.trial_drawing import is_audited
from breakeven.usage.store import CallStore

HASH, BEFORE = "a" * 64, "b" * 64
NOW_S = START_S + 7200


def at(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


STARTED = Entry(at(START_S), "started", "Started.", HASH, BEFORE, detail={"share_by_task": {"faq": 1.0}})


@pytest.fixture
def state(tmp_path: Path) -> GatewayState:
    return GatewayState(tmp_path / "state")


def design(state: GatewayState, **changes: Any) -> Design:
    plan = TaskPlan("faq", BASELINE, CANDIDATE)
    plain = {"name": "faq", "mode": "shadow", "tasks": (plan,), "created": "2026-11-02T08:00:00+00:00"}
    return Design(**{**plain, "sources": (str(state.folder),), **changes})


def found(of: Design, *changes: str) -> DesignFile:
    return DesignFile(of, design_hash(of), changes)


def read(of: Design, folder: Path, *entries: Entry, now_s: float = NOW_S, changes: tuple[str, ...] = ()) -> Read:
    reader = EvidenceReader(folder / "pilot", of)
    return reader.read(found(of, *changes), entries or (STARTED,), now_s)


def codes(evidence: Evidence) -> list[str]:
    return [each.code for each in evidence.problems]


def problem(evidence: Evidence, code: str) -> Any:
    return next(each for each in evidence.problems if each.code == code)


def success_of(seen: Observations, name: str, arm: int) -> float:
    return float(seen.success[seen.request_ids.index(name) if arm == 0 else _candidate(seen, name)])


def _candidate(seen: Observations, name: str) -> int:
    return next(i for i, each in enumerate(seen.request_ids) if each == name and seen.arm[i] == 1)


def test_shadow_has_two_rows_with_the_cost_of_all_calls(state: GatewayState, tmp_path: Path) -> None:
    state.call("r1-1", START_S + 9.5, BASELINE, arm="baseline", status="error", cost_usd=0.002, input_tokens=200)
    state.call("r1", START_S + 10, BASELINE, arm="baseline", propensity=1.0, outcome=1.0, retry_of="r1-1")
    state.call("r1-99", START_S + 10, CANDIDATE, arm="shadow", parent_id="r1", outcome=0.0, outcome_source="validator")
    state.written()
    seen = read(design(state), tmp_path).evidence.observations
    assert seen.request_ids == ("r1", "r1")
    assert seen.arm.tolist() == [0, 1]
    assert seen.cost_usd.tolist() == pytest.approx([0.012, 0.001])
    assert seen.retries_count.tolist() == [1, 0]
    assert seen.success.tolist() == [1.0, 0.0]
    assert seen.latency_s.tolist() == pytest.approx([1.3, 0.8])
    assert seen.propensity_fraction.tolist() == [1.0, 1.0]


def test_requests_of_the_candidate_that_another_model_answered_failed(state: GatewayState, tmp_path: Path) -> None:
    state.canary("plain", START_S + 1, True, 0.2, 1.0)
    state.call(
        "fell-1", START_S + 2, CANDIDATE, arm="candidate", propensity=0.2, status="error", cost_usd=None, **_NONE
    )
    state.canary("fell", START_S + 3, True, 0.2, 1.0, model=BASELINE)
    state.call("up-1", START_S + 4, CANDIDATE, arm="candidate", propensity=0.2, error_type="rejected")
    state.canary("up", START_S + 5, True, 0.2, 1.0, model=BASELINE)
    state.canary("gone", START_S + 6, True, 0.2, None, status="cancelled", error_type="client_gone")
    state.canary("base", START_S + 7, False, 0.2, 1.0)
    state.written(compacted=True)
    seen = read(design(state, mode="canary"), tmp_path).evidence.observations
    by_name = dict(zip(seen.request_ids, range(seen.rows_count), strict=True))
    assert [bool(seen.is_error[by_name[each]]) for each in ("plain", "fell", "up", "gone", "base")] == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert seen.success[by_name["fell"]] == 0.0
    assert seen.success[by_name["up"]] == 1.0
    assert np.isnan(seen.success[by_name["gone"]])
    assert seen.cost_usd[by_name["fell"]] == pytest.approx(0.01)  # the try that failed used nothing
    assert seen.cost_usd[by_name["up"]] == pytest.approx(0.011)
    assert seen.propensity_fraction[by_name["base"]] == pytest.approx(0.8)


_NONE = {"input_tokens": 0, "output_tokens": 0}


def test_a_log_with_other_names_for_the_candidate_is_said_and_still_read(state: GatewayState, tmp_path: Path) -> None:
    state.canary("a", START_S + 1, True, 0.2, 1.0, model="hosted/qwen", request_model=BASELINE)
    state.canary("b", START_S + 2, False, 0.2, 1.0)
    state.canary("c", START_S + 3, True, 0.2, 1.0, model=BASELINE)
    state.written()
    evidence = read(design(state, mode="canary"), tmp_path).evidence
    assert evidence.observations.is_error.tolist() == [False, False, True]
    assert "hosted/qwen" in problem(evidence, "model_unknown").message


def test_order_pieces_and_repeats_of_files_change_nothing(state: GatewayState, tmp_path: Path) -> None:
    rng = random.Random(7)
    for i in range(200):
        state.shadow(f"{i:04d}", START_S + i, float(i % 10 != 0), float(i % 7 != 0))
    lines = list(state.lines)
    state.written()
    one = read(design(state), tmp_path).evidence
    other = GatewayState(tmp_path / "other")
    rng.shuffle(lines)
    for at_line in range(0, len(lines), 90):
        other.lines = [dict(each) for each in lines[at_line : at_line + 90]]
        other.written(compacted=at_line < 180, name=f"relay-{at_line}")
    other.lines = [dict(each) for each in lines[:50]]  # read twice: in the log and in the Parquet
    other.written(name="relay-again")
    two = read(design(other), tmp_path).evidence
    assert list(one.source_digests.values()) == list(two.source_digests.values())
    assert one.observations.request_ids == two.observations.request_ids


def test_a_reader_takes_what_was_added_and_reads_nothing_twice(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    path = state.written()
    of = design(state)
    reader = EvidenceReader(tmp_path / "pilot", of)
    before = reader.signature()
    assert reader.read(found(of), (STARTED,), NOW_S).evidence.observations.rows_count == 2
    assert reader.signature() == before
    with path.open("a") as file:
        file.write('{"record_id": "b", "start_ti')  # half a line
    assert reader.read(found(of), (STARTED,), NOW_S).evidence.problems == ()
    with path.open("r+") as file:
        file.truncate(path.stat().st_size - len('{"record_id": "b", "start_ti'))
    state.shadow("b", START_S + 2, 1.0, 0.0)
    state.written()
    assert reader.signature() != before
    assert reader.read(found(of), (STARTED,), NOW_S).evidence.observations.request_ids == ("a", "a", "b", "b")
    state.written(compacted=True)  # the log is gone, its Calls are Parquet now
    assert reader.read(found(of), (STARTED,), NOW_S).evidence.observations.request_ids == ("a", "a", "b", "b")


def test_outcomes_come_late_and_count_once(state: GatewayState, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        state.shadow(name, START_S + 1, None, None)
    state.written()
    state.said(
        [
            {"request_id": "a", "success": 1.0, "source": "feedback"},
            {"request_id": "a", "success": 1.0, "source": "feedback"},
            {"request_id": "a", "success": 0.0, "source": "feedback", "model": CANDIDATE},
            {"request_id": "b", "success": 1.0, "source": "feedback"},
            {"request_id": "b", "success": 0.0, "source": "feedback"},
            {"request_id": "c", "success": 1.0, "source": "feedback"},
            {"request_id": "c", "success": 0.0, "source": "feedback", "replaces": True},
        ]
    )
    evidence = read(design(state), tmp_path).evidence
    seen = evidence.observations
    assert [success_of(seen, each, 0) for each in ("a", "b", "c")] == [1.0, 1.0, 0.0]
    assert success_of(seen, "a", 1) == 0.0
    assert np.isnan(success_of(seen, "b", 1))
    assert problem(evidence, "duplicated_feedback").rows_count == 1
    assert "outcomes.jsonl, row 2" in problem(evidence, "duplicated_feedback").message
    assert problem(evidence, "contradicting_feedback").rows_count == 1


def test_the_most_trusted_source_decides_and_judges_stay_apart(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.shadow("b", START_S + 2, None, None)
    state.written()
    state.said(
        [
            {"request_id": "a", "success": 0.0, "source": "gold"},
            {"request_id": "a", "success": 1.0, "source": "judge"},
            {"request_id": "b", "success": 0.75, "source": "judge"},
        ]
    )
    seen = read(design(state), tmp_path).evidence.observations
    assert success_of(seen, "a", 0) == 0.0
    row = seen.request_ids.index("b")
    assert np.isnan(seen.success[row])
    assert seen.judged[row] == 0.75


def test_bad_outcomes_are_named_with_file_and_row(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.written()
    with (state.folder / "outcomes" / "outcomes.jsonl").open("w") as file:
        file.write('{"request_id": "a", "success": 1.5}\n')
        file.write("nonsense\n")
        file.write('{"request_id": "never-seen", "success": true}\n')
        file.write('{"request_id": "a", "success": 1, "model": "another"}\n')
        file.write('{"request_id": "a", "success": NaN}\n')
    got = read(design(state), tmp_path)
    assert codes(got.evidence) == ["success_out_of_range", "unreadable_line", "unknown_request", "unclear_outcome"]
    assert "outcomes.jsonl, row 1" in problem(got.evidence, "success_out_of_range").message
    assert "1.5" in problem(got.evidence, "success_out_of_range").message
    assert "outcomes.jsonl, row 3" in problem(got.evidence, "unknown_request").message
    assert [each.row for each in got.rejects] == [1, 2, 5]


def test_outcomes_of_older_requests_are_not_unknown(state: GatewayState, tmp_path: Path) -> None:
    state.call("old", START_S - 40 * 86_400, BASELINE)
    state.written(compacted=True)
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.written(compacted=True)
    state.said([{"request_id": "old", "success": 1.0}])
    assert codes(read(design(state), tmp_path).evidence) == []


def test_traffic_outside_of_the_trial_is_not_kept_and_its_outcomes_are_not_unknown(
    state: GatewayState, tmp_path: Path
) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    for i in range(50):
        state.call(f"other{i}", START_S + 100 + i, BASELINE, task="mail")
    state.written(compacted=True)
    state.call("late", START_S + 200, BASELINE, task="mail")
    state.written()
    state.said([{"request_id": name, "success": 1.0} for name in ("other7", "late", "never")])
    of = design(state)
    reader = EvidenceReader(tmp_path / "pilot", of)
    evidence = reader.read(found(of), (STARTED,), NOW_S).evidence
    assert problem(evidence, "unknown_request").rows_count == 1
    (gateway,) = reader._gateways.values()
    window = window_of((STARTED,), NOW_S)
    assert gateway.calls(window).table.num_rows == 2


def test_a_swapped_policy_is_named_and_its_calls_do_not_count(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 60, 1.0, 1.0)
    state.policy_hash = "c" * 64
    state.shadow("b", START_S + 120, 1.0, 1.0)
    state.policy_hash = BEFORE
    state.call("c", START_S + 2, BASELINE)  # under way as the trial was written
    state.call("d", START_S + 300, BASELINE)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert evidence.observations.request_ids == ("a", "a")
    assert problem(evidence, "policy_swapped").rows_count == 2
    assert "cccccccccccc" in problem(evidence, "policy_swapped").message
    assert problem(evidence, "policy_swapped").limits
    assert problem(evidence, "policy_not_in_force").rows_count == 1


def test_clock_skew_is_named_and_times_stay_inside_the_pilot(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("early", START_S - 600, 1.0, 1.0)
    state.shadow("future", NOW_S + 600, 1.0, 1.0)
    state.call("back", START_S + 5, BASELINE, arm="baseline", propensity=1.0, outcome=1.0, duration_s=-3.0)
    state.call("back-99", START_S + 5, CANDIDATE, arm="shadow", parent_id="back", outcome=1.0)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert problem(evidence, "clock_skew").rows_count == 5
    seen = evidence.observations
    assert seen.rows_count == 6
    assert seen.start_unix_s.min() == START_S
    assert seen.start_unix_s.max() == NOW_S
    assert np.isnan(seen.latency_s[seen.request_ids.index("back")])


def test_an_empty_arm_and_missing_copies_are_named(state: GatewayState, tmp_path: Path) -> None:
    state.call("a", START_S + 1, BASELINE, arm="baseline", propensity=1.0, outcome=1.0)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert codes(evidence) == ["one_arm_empty"]
    assert CANDIDATE in problem(evidence, "one_arm_empty").message
    state.shadow("b", START_S + 2, 1.0, 1.0)
    state.call("c-99", START_S + 3, CANDIDATE, arm="shadow", parent_id="c", outcome=1.0)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert codes(evidence) == ["copies_missing", "copies_alone"]
    assert evidence.observations.request_ids == ("a", "b", "b", "c")
    assert evidence.observations.arm.tolist() == [0, 0, 1, 1]


def test_a_copy_under_way_is_not_missing(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.call("b", NOW_S - 10, BASELINE, arm="baseline", propensity=1.0, outcome=1.0)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert evidence.observations.request_ids == ("a", "a")
    assert evidence.problems == ()


def test_a_request_in_both_arms_of_a_canary_is_named_and_counts_for_nothing(
    state: GatewayState, tmp_path: Path
) -> None:
    for name, is_candidate in (("a", True), ("b", False), ("twice", True)):
        state.canary(name, START_S + 1, is_candidate, 0.5, 1.0)
    state.canary("twice-1", START_S + 2, False, 0.5, 1.0)
    state.written()
    evidence = read(design(state, mode="canary"), tmp_path).evidence
    assert evidence.observations.request_ids == ("a", "b")
    assert "twice" in problem(evidence, "duplicated_request").message


def test_unpriced_calls_are_never_free(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0, cost_usd=None)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert codes(evidence) == ["unpriced"]
    assert np.isnan(evidence.observations.cost_usd).all()


def test_judge_labels_alone_are_named(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, None, None)
    state.written()
    state.said([{"request_id": "a", "success": 1.0, "source": "judge", "model": m} for m in (BASELINE, CANDIDATE)])
    evidence = read(design(state), tmp_path).evidence
    assert codes(evidence) == ["judge_only"]
    assert problem(evidence, "judge_only").limits


def test_tasks_units_and_audits(state: GatewayState, tmp_path: Path) -> None:
    plans = (TaskPlan("faq", BASELINE, CANDIDATE), TaskPlan("mail", BASELINE, CANDIDATE))
    for i in range(40):
        task = ("faq", "mail", "else", None)[i % 4]
        state.canary(f"{i:03d}", START_S + i, i % 8 < 4, 0.5, 1.0, task=task, unit_hash=f"u{i % 5}")
    state.canary("rests", START_S + 90, False, 0.0, 1.0)  # the share was 0: nobody was dealt
    state.written(compacted=True)
    of = design(state, mode="canary", tasks=plans, unit="user", audit_fraction=0.5)
    seen = read(of, tmp_path).evidence.observations
    assert seen.rows_count == 20
    assert seen.tasks == ("faq", "mail")
    assert len(set(seen.unit.tolist())) == 5
    drawn = [is_audited(found(of).trial_name, each, 0.5) for each in seen.request_ids]
    assert seen.is_audited.tolist() == drawn
    assert 0 < sum(drawn) < 20
    rest = design(state, mode="canary", tasks=(replace(plans[0], task=""), plans[1]))
    assert read(rest, tmp_path).evidence.observations.rows_count == 40


def test_labels_of_people_are_gold_of_one_arm(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, None, None)
    state.written()
    folder = tmp_path / "pilot" / "labels"
    folder.mkdir(parents=True)
    said = [{"request_id": "a", "arm": arm, "success": 1.0 - i, "source": "gold"} for i, arm in enumerate(_ARMS)]
    (folder / "labels.jsonl").write_text("".join(json.dumps(each) + "\n" for each in said))
    seen = read(design(state), tmp_path).evidence.observations
    assert seen.success.tolist() == [1.0, 0.0]


_ARMS = ("baseline", "candidate")


def test_a_damaged_file_is_named_and_the_rest_counts(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.written(compacted=True)
    day = next((state.folder / "calls").iterdir())
    (day / "gateway-broken.parquet").write_bytes(b"PAR1 this is none")
    evidence = read(design(state), tmp_path).evidence
    assert codes(evidence) == ["damaged_file"]
    assert evidence.observations.rows_count == 2


def test_a_changed_design_is_said(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0)
    state.written()
    evidence = read(
        design(state), tmp_path, changes=("margin_ratio: promised 0.95, pilot.json now says 0.8.",)
    ).evidence
    assert "0.8" in problem(evidence, "design_changed").message


def test_an_imported_store_gives_the_same_as_the_gateways_own_folder(state: GatewayState, tmp_path: Path) -> None:
    for i in range(30):
        state.shadow(f"{i:04d}", START_S + i, float(i % 10 != 0), float(i % 7 != 0))
    state.written(compacted=True)
    with CallStore(tmp_path / "store") as store:
        store.ingest([state.folder / "calls"], now=datetime.fromtimestamp(NOW_S, UTC))
    own = read(design(state), tmp_path).evidence
    imported = read(design(state, sources=(str(tmp_path / "store"),)), tmp_path).evidence
    assert list(own.source_digests.values()) == list(imported.source_digests.values())
    assert imported.problems == ()


def test_calls_of_a_store_without_a_cost_get_the_price_of_their_day(state: GatewayState, tmp_path: Path) -> None:
    for i in range(3):
        state.call(f"{i}", START_S + i, "gpt-4o", arm="baseline", propensity=1.0, cost_usd=None, provider="openai")
        state.call(f"{i}-99", START_S + i, CANDIDATE, arm="shadow", parent_id=f"{i}", cost_usd=None, provider="own:gpu")
    state.written(compacted=True)
    with CallStore(tmp_path / "store") as store:
        store.ingest([state.folder / "calls"], now=datetime.fromtimestamp(NOW_S, UTC))
    evidence = read(design(state, sources=(str(tmp_path / "store"),)), tmp_path).evidence
    costs = evidence.observations.cost_usd
    # 900 tokens in at 2.50, 100 out at 10.00 USD per million
    assert costs[evidence.observations.arm == 0] == pytest.approx([0.00325] * 3)
    assert np.isnan(costs[evidence.observations.arm == 1]).all()
    assert codes(evidence) == ["unpriced"]


def test_more_outcomes_in_a_file_of_ones_own(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, None, None)
    state.written()
    path = tmp_path / "more.csv"
    path.write_text(f"request_id,model,success,source\na,{CANDIDATE},1,gold\na,{BASELINE},7,gold\n")
    of = design(state)
    reader = EvidenceReader(tmp_path / "pilot", of, (path,))
    got = reader.read(found(of), (STARTED,), NOW_S)
    assert success_of(got.evidence.observations, "a", 1) == 1.0
    assert "more.csv, row 3" in problem(got.evidence, "success_out_of_range").message


@pytest.mark.parametrize("word", ["llm-judge", "gpt-4o", "JUDGE", 5, ["judge"]])
def test_a_source_that_nobody_knows_is_a_judge(word: Any, state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, None, None)
    state.written()
    state.said([{"request_id": "a", "success": 1.0, "source": word, "arm": arm} for arm in _ARMS])
    evidence = read(design(state), tmp_path).evidence
    assert np.isnan(evidence.observations.success).all()
    assert evidence.observations.judged.tolist() == [1.0, 1.0]
    assert ("unknown_source" in codes(evidence)) == (word != "JUDGE")


@pytest.mark.parametrize(("word", "is_true"), [("llm-judge", False), ("Judge", False), ("Validator", True), ("", True)])
def test_a_source_in_calls_is_read_as_one_in_files(
    word: str, is_true: bool, state: GatewayState, tmp_path: Path
) -> None:
    state.call("a", START_S + 1, BASELINE, arm="baseline", propensity=1.0, outcome=1.0, outcome_source=word)
    state.call("a-99", START_S + 1, CANDIDATE, arm="shadow", parent_id="a", outcome=0.0, outcome_source=word)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    seen = evidence.observations
    assert (seen.success if is_true else seen.judged).tolist() == [1.0, 0.0]
    assert np.isnan(seen.judged if is_true else seen.success).all()
    assert ("unknown_source" in codes(evidence)) == (word == "llm-judge")


def test_an_arm_that_nobody_knows_is_named(state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, None, None)
    state.written()
    state.said({"request_id": "a", "success": 1.0, "arm": arm} for arm in (" Candidate", "treatment"))
    evidence = read(design(state), tmp_path).evidence
    assert success_of(evidence.observations, "a", 1) == 1.0
    assert np.isnan(success_of(evidence.observations, "a", 0))
    assert problem(evidence, "unclear_outcome").rows_count == 1


@pytest.mark.parametrize("cost", [-0.01, 1e300, -1e300])
def test_a_cost_that_no_call_has_is_none(cost: float, state: GatewayState, tmp_path: Path) -> None:
    state.shadow("a", START_S + 1, 1.0, 1.0, cost_usd=cost)
    state.shadow("b", START_S + 2, 1.0, 1.0, cost_usd=0.0)
    state.written()
    evidence = read(design(state), tmp_path).evidence
    assert np.isnan(evidence.observations.cost_usd).tolist() == [True, True, False, False]
    assert codes(evidence) == ["cost_out_of_range", "unpriced"]


def test_an_id_that_is_used_again_is_named_and_counts_for_nothing(state: GatewayState, tmp_path: Path) -> None:
    state.canary("a", START_S + 1, True, 0.5, 1.0)
    for i in range(5):
        state.canary("same", START_S + i, i % 2 == 0, 0.5, 1.0)
    lines = list(state.lines)
    state.written()
    state.lines = lines  # written twice: still the same calls
    state.written(name="again")
    evidence = read(design(state, mode="canary"), tmp_path).evidence
    assert evidence.observations.request_ids == ("a",)
    assert (
        "1 id is that of several different calls, the first is same" in problem(evidence, "duplicated_request").message
    )
