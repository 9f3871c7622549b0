"""The engine: which model a request gets, why, in which order others follow, and what is written down at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ConfigError
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import Arms, Condition, ResidencyRule, Retries, Shadow, TaskRule
from breakeven.gateway.plan import Head, Plan
from breakeven.routing.features import hashed_terms
from breakeven.routing.policy_document import CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, save
from breakeven.routing.task_naming import TaskNaming, save_task_naming
from breakeven.routing.term_weights import TermWeights
from gateway.admission.admission_parts import (
    BIG,
    BIG_NEAR,
    DEAR,
    FAR,
    NEAR,
    OPUS,
    SECRET,
    SMALL,
    attempt,
    body,
    failed,
    head,
    key,
    plan,
    refusal,
    room,
    settings,
)


@pytest.fixture
def task_map(tmp_path: Any) -> LoadedPolicy:
    """Small for FAQ, big for all else; medical data stays with small."""
    document = PolicyDocument(
        kind="task_map",
        models=(PricedModel("small", 0.1, 0.4), PricedModel("big", 2.0, 8.0)),
        default_model="big",
        groups=(GroupChoice((), "big"), GroupChoice(("faq",), "small"), GroupChoice(("hard",), "big")),
        allowed_by_task={"medical": ("small",)},
        value_usd_per_success=0.05,
    )
    return save(document, tmp_path / "policy")


def cascade(tmp_path: Any) -> LoadedPolicy:
    """Small first, then big, then opus."""
    document = PolicyDocument(
        kind="cascade",
        models=(PricedModel("small"), PricedModel("big"), PricedModel("opus")),
        default_model="big",
        groups=(GroupChoice((), "small"),),
        cascade=CascadePlan(("small", "big", "opus"), checks_by_task={"": {"non_empty": True}}),
    )
    return save(document, tmp_path / "cascade")


def test_a_policy_chooses_by_the_task_of_the_header(task_map: LoadedPolicy) -> None:
    of = room(policy=task_map)
    faq = plan(of, head(x_breakeven_task="faq"))
    assert (faq.targets[0], faq.reason, faq.task, faq.task_source) == (SMALL, "group: task=faq", "faq", "header")
    assert faq.policy_hash == task_map.hash
    hard = plan(of, head(x_breakeven_task="hard"))
    assert hard.targets == (BIG, BIG_NEAR)
    assert plan(of).reason == "default: unknown group" or plan(of).reason.startswith("group")


def test_what_a_policy_forbids_no_fallback_and_no_override_may_do(task_map: LoadedPolicy) -> None:
    of = room(settings(fallbacks={"small": ("big", "opus")}, keys=(key(may_override=True),)), task_map)
    medical = plan(of, head(x_breakeven_task="medical"))
    assert medical.targets == (SMALL,)
    assert medical.is_pinned
    assert refusal(of, head(x_breakeven_task="medical", x_breakeven_model="big")).code == "residency"


@pytest.mark.parametrize(
    ("asked", "reason", "first"),
    [
        ("opus", "asked: not in the policy", OPUS),
        ("auto", "default: unknown group", BIG),
        ("nobody-knows", "default: unknown model asked for", BIG),
    ],
)
def test_names_that_the_policy_does_not_know(task_map: LoadedPolicy, asked: str, reason: str, first: Any) -> None:
    of = room(policy=task_map)
    got = plan(of, head(x_breakeven_task="unseen"), body(model=asked))
    assert (got.reason, got.targets[0]) == (reason, first)


def test_without_a_policy_the_name_decides() -> None:
    of = room()
    assert plan(of).reason == "asked"
    assert (plan(of, None, body(model="auto")).reason, plan(of, None, body(model="auto")).targets[0]) == (
        "default",
        BIG,
    )
    assert refusal(of, None, body(model="gpt-x")).http_status == 404
    open_room = room(replace(settings(models={}, default_model=None, is_open=True), upstreams={"far": FAR}))
    passed = plan(open_room, head(secret=None), body(model="gpt-x"))
    assert (passed.reason, passed.targets[0].model, passed.key) == ("passthrough", "gpt-x", None)


def test_an_override_is_for_keys_that_may() -> None:
    assert refusal(room(), head(x_breakeven_model="small")).code == "override_not_allowed"
    of = room(settings(keys=(key(may_override=True, allowed_models=("small", "big")),)))
    assert plan(of, head(x_breakeven_model="small")).reason == "override"
    assert refusal(of, head(x_breakeven_model="opus")).code == "model_not_allowed"
    assert refusal(of, head(x_breakeven_model="none")).code == "model_not_found"
    assert refusal(of, head(x_breakeven_model="\x00")).code == "model_not_found"


def test_a_key_bounds_its_models_and_their_fallbacks() -> None:
    of = room(settings(keys=(key(allowed_models=("small",)),), fallbacks={"small": ("big", "opus")}))
    assert plan(of, None, body(model="small")).targets == (SMALL,)
    assert refusal(of).code == "model_not_allowed"


def test_embeddings_never_change_their_model(task_map: LoadedPolicy) -> None:
    of = room(settings(fallbacks={"big": ("small",)}), task_map)
    said = json.dumps({"model": "big", "input": "x"}).encode()
    got = plan(of, head("/v1/embeddings", x_breakeven_task="faq"), said)
    assert (got.targets, got.reason) == ((BIG, BIG_NEAR), "asked")
    assert refusal(of, head("/v1/embeddings"), json.dumps({"model": "opus", "input": "x"}).encode()).code == (
        "unsupported_operation"
    )


@pytest.mark.parametrize(
    ("path", "what_to_do"),
    [
        ("responses", "`/v1/responses`. Send it to `/v1/chat/completions`, which every model here takes, or ask"),
        ("completions", "`/v1/completions`. Send it to `/v1/chat/completions`"),
        ("embeddings", "`/v1/embeddings`. Ask for another model."),
    ],
)
def test_what_an_upstream_does_not_have_is_refused_with_what_to_do(path: str, what_to_do: str) -> None:
    said = json.dumps({"model": "opus", "input": "x", "prompt": "x"}).encode()
    got = refusal(room(), head(f"/v1/{path}"), said)
    assert (got.http_status, got.code) == (400, "unsupported_operation")
    assert what_to_do in got.message and "Nothing was sent." in got.message
    if "/v1/chat/completions" in what_to_do:
        assert plan(room(), None, body(model="opus")).targets[0] == OPUS  # so it is


def test_a_vendor_without_responses_is_refused_with_what_to_do() -> None:
    near = replace(BIG.upstream, quirks="deepseek")
    of = room(settings(models={"big": (replace(BIG, upstream=near),)}, upstreams={"near": near}, fallbacks={}))
    got = refusal(of, head("/v1/responses"), json.dumps({"model": "big", "input": "x"}).encode())
    assert (got.http_status, got.code) == (400, "unsupported_operation")
    assert "Send it to `/v1/chat/completions`" in got.message


@pytest.mark.parametrize("name", ["Model", "MAX_TOKENS", "Messages", "Stream", "meſſages", "max_to\u212aens"])
def test_names_in_other_letters_are_refused_as_some_servers_read_them(name: str) -> None:
    got = refusal(room(), None, body(**{name: "opus"}))
    assert (got.http_status, got.code) == (400, "ambiguous_name")
    assert plan(room(), None, body(**{f"{name}X": 1, "": 2, "1": 3})).reason == "asked"


def test_fallbacks_follow_in_order() -> None:
    of = room(settings(fallbacks={"big": ("small", "opus", "big")}))
    assert plan(of).targets == (BIG, BIG_NEAR, SMALL, OPUS)


def test_failures_go_on_to_others_and_come_back_after_a_wait() -> None:
    of = room(settings(retries=Retries(attempts_max_count=4, backoff_base_s=0.1, backoff_max_s=5.0)))
    got = plan(of)
    assert of.engine.next_target(got, failed(BIG)) == (BIG_NEAR, 0.0)
    assert of.engine.next_target(got, failed(BIG_NEAR, 2)) == (BIG_NEAR, 0.2)
    assert of.engine.next_target(got, failed(BIG_NEAR, 3)) == (BIG_NEAR, 0.4)
    assert of.engine.next_target(got, failed(BIG_NEAR, 4)) is None


@pytest.mark.parametrize("failure", ["client_gone", "too_large", "total_timeout"])
def test_some_failures_end_the_request(failure: Any) -> None:
    of = room()
    assert of.engine.next_target(plan(of), failed(BIG, 1, failure, None)) is None


def test_retry_after_is_kept_or_the_request_ends() -> None:
    of = room(settings(retries=Retries(backoff_max_s=5.0)))
    busy = failed(SMALL, status=429, retry_after_s=3.0)
    assert of.engine.next_target(plan(of, None, body(model="small")), busy) == (SMALL, 3.0)
    busy = failed(SMALL, status=429, retry_after_s=30.0)
    assert of.engine.next_target(plan(of, None, body(model="small")), busy) is None


def test_a_target_that_asks_to_wait_is_not_the_first_until_then() -> None:
    of = room()
    of.engine.next_target(plan(of), failed(BIG, status=429, retry_after_s=20.0))
    assert plan(of).targets == (BIG_NEAR, BIG)
    of.clock.at_s += 21
    assert plan(of).targets == (BIG, BIG_NEAR)


def test_a_hedge_is_another_target_and_pays_from_the_retry_budget() -> None:
    of = room()
    got = plan(of)
    assert of.engine.next_target(got, attempt(BIG, tokens=None, status=None)) == (BIG_NEAR, 0.0)
    assert of.engine.next_target(plan(of, None, body(model="small")), attempt(SMALL, tokens=None)) is None


def test_a_rejected_answer_goes_to_the_next_model(tmp_path: Any) -> None:
    of = room(policy=cascade(tmp_path))
    got = plan(of)
    assert (got.targets[0], got.escalate_to, got.reason) == (
        SMALL,
        (BIG, BIG_NEAR, OPUS),
        "cascade: small > big > opus",
    )
    assert got.answer_checks is not None
    assert of.engine.next_target(got, attempt(SMALL, 1, "rejected")) == (BIG, 0.0)
    assert of.engine.next_target(got, failed(BIG, 2)) == (BIG_NEAR, 0.0)
    assert of.engine.next_target(got, attempt(BIG_NEAR, 3, "rejected", kind="escalation")) == (OPUS, 0.0)
    assert of.engine.next_target(got, attempt(OPUS, 4, "rejected", kind="escalation")) is None


def test_a_streamed_answer_is_not_checked_and_so_comes_from_the_last_model(tmp_path: Any) -> None:
    got = plan(room(policy=cascade(tmp_path)), None, body(stream=True))
    assert (got.targets[0], got.escalate_to, got.answer_checks) == (OPUS, (), None)


def test_a_stream_is_checked_whole_where_the_configuration_says_so(tmp_path: Any) -> None:
    of = room(settings(cascade_streams="buffered"), cascade(tmp_path))
    got = plan(of, None, body(stream=True, stream_options={"include_usage": True}))
    assert (got.targets[0], got.is_buffered, got.escalate_to[-1]) == (SMALL, True, OPUS)
    assert got.answer_checks is not None and got.reason == "cascade: small > big > opus"
    assert not got.facts.is_stream and got.facts.is_usage_asked
    assert b"stream" not in got.facts.body and "stream" not in got.facts.document
    assert not plan(of).is_buffered, "nobody asked for a stream"
    said = json.dumps({"model": "auto", "input": "x", "stream": True}).encode()
    response = plan(of, head("/v1/responses"), said)
    assert (response.is_buffered, response.facts.is_stream, response.escalate_to) == (False, True, ())


def test_a_stream_that_cannot_be_asked_for_whole_is_refused_and_takes_nothing(tmp_path: Any) -> None:
    of = room(settings(cascade_streams="buffered", keys=(key(budget_usd=1.0),)), cascade(tmp_path))
    deep = b'{"stream":true,"x":' + b'{"a":' * 1_010 + b"1" + b"}" * 1_010 + b"," + body()[1:]
    assert refusal(of, None, deep).code == "invalid_json"
    assert of.kept.reserved == [] and of.engine.open_requests() == 0
    assert of.kept.refused_codes == ["invalid_json"] and of.kept.counted == {}


def test_an_escalation_that_nobody_can_pay_is_said(tmp_path: Any) -> None:
    of = room(settings(keys=(key(budget_usd=0.001),)), cascade(tmp_path))
    got = plan(of, None, body(max_tokens=1_000))
    assert of.engine.next_target(got, attempt(SMALL, 1, "rejected")) is None
    assert got.reason == "cascade: small > big > opus; not escalated: budget"


def agreeing(tmp_path: Any, second: str) -> LoadedPolicy:
    document = PolicyDocument(
        kind="cascade",
        models=(PricedModel("small"), PricedModel("big"), PricedModel("opus")),
        default_model="big",
        cascade=CascadePlan(("small", "opus"), agreement_model=second),
    )
    return save(document, tmp_path / "agreeing")


def test_a_cascade_that_compares_answers_asks_two_and_sets_both_aside(tmp_path: Any) -> None:
    of = room(settings(keys=(key(budget_usd=1.0),)), agreeing(tmp_path, "big"))
    got = plan(of, None, body(max_tokens=1_000))
    assert (got.targets[0], got.checker, got.escalate_to) == (SMALL, BIG, (OPUS,))
    assert got.reason == "cascade: small > opus"
    both, count = of.kept.reserved[0].usd, of.kept.reserved[0].tokens_count
    alone = room(settings(keys=(key(budget_usd=1.0),)), cascade(tmp_path))
    plan(alone, None, body(max_tokens=1_000))
    assert count == 2 * alone.kept.reserved[0].tokens_count
    assert both == pytest.approx(alone.kept.reserved[0].usd * 21), "a dear model is twenty times as dear"
    got.check = Attempt(BIG, 2, "check")
    assert of.engine.next_target(got, attempt(SMALL, 1, "rejected")) == (OPUS, 0.0)
    assert sum(each.usd for each in of.kept.reserved) >= both * 40 / 21, "the check may still cost as much as it may"


def test_who_compares_is_one_that_may_and_can(tmp_path: Any) -> None:
    of = room(policy=agreeing(tmp_path, "big"))
    assert plan(of).checker is BIG
    for number in range(10):
        of.engine.finish(plan(of), [failed(BIG, number + 1)], False)
    assert plan(of).checker is BIG_NEAR, "the first server is left alone"
    home = ResidencyRule(Condition(), ("far", "claude"))
    only = room(settings(residency=(home,)), agreeing(tmp_path, "big"))
    got = plan(only)
    assert (got.targets[0], got.checker) == (OPUS, None), "small is out of reach"
    itself = plan(room(policy=agreeing(tmp_path, "small")))
    assert (itself.targets[0], itself.checker) == (OPUS, None)
    assert itself.reason == "cascade: small > opus; small would be compared with itself"


def test_a_model_that_nobody_lists_leaves_the_request_to_the_default(tmp_path: Any) -> None:
    ghost = save(PolicyDocument(kind="single", models=(PricedModel("ghost"),), default_model="ghost"), tmp_path / "g")
    of = room(policy=ghost)
    for asked in ("auto", "unknown"):
        got = plan(of, None, body(model=asked))
        assert (got.targets[0], got.reason) == (BIG, "default: the policy's model is not listed here")
    bound = room(settings(keys=(key(allowed_models=("small",)),)), ghost)
    assert refusal(bound, None, body(model="auto")).code == "model_not_found"
    both = PolicyDocument(kind="single", models=(PricedModel("ghost"), PricedModel("small")), default_model="ghost")
    assert plan(room(policy=save(both, tmp_path / "both")), None, body(model="auto")).targets[0] is SMALL


def test_arms_are_the_same_in_every_process_and_keep_their_shares() -> None:
    arms = Arms("pilot", "user", {"old": 0.7, "new": 0.3}, {"new": "small"})
    one, other = room(settings(arms=arms)), room(settings(arms=arms))
    plans = [plan(one, None, body(user=f"user-{n}")) for n in range(2_000)]
    again = [plan(other, None, body(user=f"user-{n}")) for n in range(2_000)]
    assert [each.arm for each in plans] == [each.arm for each in again]
    new = [each for each in plans if each.arm == "new"]
    assert abs(len(new) / 2_000 - 0.3) < 0.035
    assert {each.targets[0] for each in new} == {SMALL}
    assert {(each.arm, each.propensity) for each in plans} == {("new", 0.3), ("old", 0.7)}
    assert {each.targets[0] for each in plans if each.arm == "old"} == {BIG}
    assert all(each.unit_hash for each in plans)


def test_a_request_that_some_arm_could_not_serve_is_in_no_arm(task_map: LoadedPolicy) -> None:
    arms = Arms("pilot", "request", {"old": 0.5, "new": 0.5}, {"new": "big"})
    of = room(settings(arms=arms), task_map)
    assert {plan(of, head(x_breakeven_task="medical")).arm for _ in range(40)} == {None}
    assert {plan(of, head(x_breakeven_task="faq")).arm for _ in range(60)} == {"old", "new"}
    only = room(settings(arms=replace(arms, tasks=("hard",))), task_map)
    assert {plan(only, head(x_breakeven_task="faq")).arm for _ in range(40)} == {None}
    no_unit = room(settings(arms=replace(arms, unit="session")), task_map)
    assert plan(no_unit).arm is None
    assert plan(no_unit, head(x_breakeven_session="s1")).arm is not None


def test_shadows_are_a_sample_and_stay_where_data_may_go(task_map: LoadedPolicy) -> None:
    of = room(settings(shadows=(Shadow("big", 0.25),)), task_map)
    got = [plan(of, head(x_breakeven_task="faq")).shadow for _ in range(2_000)]
    assert abs(sum(each is BIG for each in got) / 2_000 - 0.25) < 0.035
    assert {plan(of, head(x_breakeven_task="medical")).shadow for _ in range(60)} == {None}
    assert {plan(of, head(x_breakeven_task="hard")).shadow for _ in range(60)} == {None}


def test_rules_tell_a_task_where_no_header_does(task_map: LoadedPolicy) -> None:
    rules = (TaskRule(Condition(header=(b"x-app", "*")), "hard"), TaskRule(Condition(pattern=r"parcel"), "faq"))
    of = room(settings(tasks=rules), task_map)
    assert (plan(of).task, plan(of).task_source) == ("faq", "rule")
    assert plan(of, head(x_app="1")).task == "hard"
    assert plan(of, head(x_app="1", x_breakeven_task="medical")).task == "medical"
    assert plan(of, None, body("Hello")).task is None


def test_a_classifier_tells_it_where_no_rule_does(tmp_path: Any) -> None:
    columns = np.unique(np.concatenate([hashed_terms(each).indexes for each in ("parcel", "python")]))
    at = [int(np.searchsorted(columns, hashed_terms(each).indexes[0])) for each in ("parcel", "python")]
    weights = np.zeros((columns.size, 2), np.float32)
    weights[at, [0, 1]] = 9.0
    terms = TermWeights(columns, np.ones(columns.size, np.float32))
    path = tmp_path / "tasks.json"
    save_task_naming(TaskNaming(("faq", "code"), terms, weights, np.zeros(2), 0.9, 0.9), path)
    of = room(settings(tasks_file=path, tasks=(TaskRule(Condition(header=(b"x-app", "*")), "hard"),)))
    assert (plan(of).task, plan(of).task_source) == ("faq", "classifier")
    assert plan(of, None, body("Hello")).task is None
    assert plan(of, head(x_app="1")).task == "hard"
    path.write_text("{}")
    with pytest.raises(ConfigError, match="no file of tasks"):
        of.engine.reload(settings(tasks_file=path))
    assert plan(of).task == "faq"  # the old ones stay


def test_calls_limits_and_counters_hear_of_the_end_once() -> None:
    of = room(settings(keys=(key(budget_usd=1.0),)))
    got = plan(of, None, body(max_tokens=1_000))
    assert got.reservation is not None and got.reservation.usd == pytest.approx(0.008, rel=0.05)
    assert of.engine.open_requests() == 1
    answered = attempt(BIG, tokens=(1_000, 500))
    of.engine.finish(got, [answered], True)
    assert answered.cost_usd == pytest.approx(0.006)
    assert of.kept.settled == [(got.reservation, pytest.approx(0.006), 1_500)]
    assert of.kept.left_usd["team"] == pytest.approx(1 - 0.006)
    assert [(line["record_id"], line["cost_usd"]) for line in of.kept.lines] == [(got.request_id, 0.006)]
    assert (of.engine.open_requests(), len(of.kept.ended)) == (0, 1)


def test_a_request_that_was_never_sent_costs_nothing() -> None:
    of = room(settings(keys=(key(budget_usd=1.0),)))
    got = plan(of)
    of.engine.finish(got, [], False)
    assert of.kept.left_usd["team"] == pytest.approx(1.0)
    assert of.kept.lines == []


def test_a_shadow_that_ends_later_is_recorded_and_charged_to_nobody() -> None:
    of = room(settings(keys=(key(budget_usd=1.0),), shadows=(Shadow("small", 1.0),)))
    got = plan(of)
    assert got.shadow is SMALL
    of.engine.finish(got, [attempt(BIG)], True)
    left = of.kept.left_usd["team"]
    of.engine.finish(replace(got, reservation=None), [attempt(SMALL, 99, kind="shadow")], False)
    assert (of.kept.left_usd["team"], of.engine.open_requests(), len(of.kept.lines)) == (left, 0, 2)


def test_a_dearer_fallback_needs_room_in_the_budget() -> None:
    of = room(settings(keys=(key(budget_usd=0.01),), fallbacks={"small": ("big",)}))
    got = plan(of, None, body(model="small", max_tokens=1_000))
    more = of.engine.next_target(got, failed(SMALL))
    assert more == (BIG, 0.0)
    assert sum(each.usd for each in of.kept.reserved) == pytest.approx(0.008, rel=0.01)
    of.engine.finish(got, [failed(SMALL), attempt(BIG, 2, tokens=(20, 100))], True)
    assert of.kept.left_usd["team"] == pytest.approx(0.01 - 0.00084)
    poor = room(settings(keys=(key(budget_usd=0.001),), fallbacks={"small": ("big",)}))
    got = plan(poor, None, body(model="small", max_tokens=1_000))
    assert poor.engine.next_target(got, failed(SMALL)) is None


def test_a_cheaper_fallback_needs_no_more() -> None:
    of = room(
        settings(keys=(key(budget_usd=0.01),), fallbacks={"big": ("small",)}, models={"big": (BIG,), "small": (SMALL,)})
    )
    got = plan(of, None, body(max_tokens=1_000))
    assert of.engine.next_target(got, failed(BIG)) == (SMALL, 0.0)
    assert len(of.kept.reserved) == 1


def test_an_unpriced_model_is_never_free_of_charge_for_a_budget() -> None:
    unpriced = replace(BIG, price=None)
    of = room(settings(models={"big": (unpriced, BIG_NEAR)}, keys=(key(budget_usd=1.0),)))
    assert plan(of).targets == (BIG_NEAR,)
    of = room(settings(models={"big": (unpriced,)}, keys=(key(budget_usd=1.0),)))
    assert refusal(of).code == "unpriced_model"
    assert plan(room(settings(models={"big": (unpriced,)}))).targets == (unpriced,)
    assert DEAR is BIG.price and FAR is not NEAR


def test_outcomes_go_to_the_control_process_and_are_no_call() -> None:
    of = room()
    got = plan(of, head("/v1/outcomes"), b'{"request_id": "x", "success": true}')
    assert str(got.targets[0].upstream.socket_path).endswith("control.sock")
    of.engine.finish(got, [attempt(got.targets[0], tokens=None)], True)
    assert (of.kept.lines, of.engine.open_requests()) == ([], 0)
    assert of.engine.next_target(got, failed(got.targets[0])) is None
    no = room(settings(keys=(key(may_give_outcomes=False),)))
    assert refusal(no, head("/v1/outcomes"), b"{}").code == "outcomes_not_allowed"


def test_models_are_listed_for_the_key_in_the_shape_of_its_sdk() -> None:
    of = room(settings(keys=(key(allowed_models=("small", "opus")),)))
    listed = json.loads(of.engine.models(head("/v1/models")))  # type: ignore[arg-type]
    assert [each["id"] for each in listed["data"]] == ["small", "opus"]
    shown = json.loads(of.engine.models(head("/v1/models", anthropic_version="2023-06-01")))  # type: ignore[arg-type]
    assert (shown["first_id"], shown["data"][0]["type"]) == ("small", "model")
    one = json.loads(of.engine.models(head("/v1/models/opus")))  # type: ignore[arg-type]
    assert one["id"] == "opus"
    assert of.engine.models(head("/v1/models/big")).http_status == 404  # type: ignore[union-attr]
    assert of.engine.models(head("/v1/models", secret=None)).http_status == 401  # type: ignore[union-attr]


def test_response_headers_say_what_happened_and_nothing_breaks_out(task_map: LoadedPolicy) -> None:
    of = room(policy=task_map)
    got = plan(of, head(x_breakeven_task="faq"))
    lines = of.engine.response_headers(got, attempt(SMALL)).decode().splitlines()
    assert lines == [
        "x-breakeven-model: small",
        "x-breakeven-reason: group: task=faq",
        f"x-breakeven-policy: {task_map.hash[:12]}",
        "x-breakeven-task: faq",
        f"x-breakeven-request-id: {got.request_id}",
        "x-breakeven-attempts: 1",
    ]
    got.task = "a\r\nset-cookie: x\u2028é" + "x" * 500
    said = of.engine.response_headers(got, attempt(BIG, 2))
    assert b"\r\nset-cookie" not in said and said.isascii() and max(map(len, said.split(b"\r\n"))) < 160
    assert b"x-breakeven-reason: fallback, after group: task=faq\r\n" in said


def test_a_swapped_policy_and_new_settings_count_from_the_next_request(task_map: LoadedPolicy, tmp_path: Any) -> None:
    of = room(policy=task_map)
    before = plan(of, head(x_breakeven_task="faq"))
    of.engine.swap_policy(cascade(tmp_path))
    assert plan(of, head(x_breakeven_task="faq")).reason.startswith("cascade")
    of.engine.swap_policy(None)
    assert plan(of, head(x_breakeven_task="faq")).reason == "asked"
    of.engine.reload(settings(keys=(key("other", "bk-other"),)))
    assert refusal(of).code == "invalid_api_key"
    of.engine.set_keys((key("made", SECRET),))
    made = plan(of)
    assert made.key is not None and made.key.id == "made"
    of.engine.finish(before, [attempt(SMALL)], True)
    assert of.engine.open_requests() == 4 - 1


def test_trace_and_session_and_groups_are_taken_along() -> None:
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    of = room(settings(keys=(key(application="shop"),)))
    told = head(traceparent=f"00-{trace}-{span}-01", x_breakeven_session="s", x_breakeven_template="t1")
    got = plan(of, told, body(user="ann"))
    assert (got.trace_id, got.parent_id, got.session_id, got.application) == (trace, span, "s", "shop")
    assert got.groups["template_id"] == "t1" and got.groups["endpoint"] == "/v1/chat/completions"
    assert plan(of, head(traceparent="00-zz")).trace_id is None


def test_ids_are_all_different() -> None:
    of = room()
    assert len({plan(of).request_id for _ in range(1_000)}) == 1_000


def test_an_engine_never_raises_whatever_its_parts_do() -> None:
    class Broken:
        """Limits that fail."""

        def reserve(self, *_: Any) -> Any:
            """Never."""
            raise RuntimeError("no")

        settle = reserve

    of = room(settings(keys=(key(budget_usd=1.0),)), limits=Broken())
    assert refusal(of).code == "internal_error"
    assert of.kept.counted == {"events_totaladmission_error": 1}
    assert isinstance(of.engine.admit(Head(b"GET", b"", b"", []), b""), type(refusal(of)))
    assert not isinstance(of.engine.admit(head(), b"\xff"), Plan)
