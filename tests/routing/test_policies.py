"""Policies: what they choose, by hand and by brute force; the safe side of anything strange."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.routing.policies_at_hand import MODELS, PROMPTS, document, scorer, task_map

from breakeven.errors import PolicyError
from breakeven.routing.answers import Answer
from breakeven.routing.choice import Weights, best_model
from breakeven.routing.policies import kinds, policy_of
from breakeven.routing.policies.cascade import CascadePolicy
from breakeven.routing.policy import REFUSED, Decision
from breakeven.routing.policy_document import KINDS, CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.request import RouteRequest, last_user_text
from breakeven.routing.scorer import Scorer

POLICIES = {kind: policy_of(document(kind)) for kind in KINDS}


def decide(plain: PolicyDocument, prompt: str = "", task: str | None = None, **more: object) -> Decision:
    groups = {} if task is None else {"task": task}
    return policy_of(plain).decide(RouteRequest(prompt, groups, **more))  # type: ignore[arg-type]


def test_the_folder_is_the_registry() -> None:
    assert kinds() == tuple(sorted(KINDS))
    with pytest.raises(PolicyError, match="did you mean 'threshold'"):
        policy_of(replace(task_map(), kind="treshold"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "model", "reason"),
    [
        ("faq", "small", "group: task=faq"),
        ("proof", "big", "group: task=proof"),
        ("unheard of", "big", "default: unknown group"),
        (None, "big", "group: all requests"),
    ],
)
def test_task_map(task: str | None, model: str, reason: str) -> None:
    found = decide(task_map(), "x", task)
    assert (found.model, found.reason) == (model, reason)


def test_a_group_takes_what_it_lacks_from_the_group_above() -> None:
    assert decide(task_map(), task="proof").success_fractions == {"small": 0.3, "big": 0.9}
    two = replace(
        task_map(),
        levels=("application", "task"),
        groups=(GroupChoice(("shop",), "small", {"small": 0.7}), GroupChoice(("shop", "faq"), "big", {"big": 0.8})),
    )
    known = policy_of(two).decide(RouteRequest("", {"application": "shop", "task": "faq"}))
    assert (known.model, known.success_fractions) == ("big", {"small": 0.7, "big": 0.8})
    above = policy_of(two).decide(RouteRequest("", {"application": "shop", "task": "new"}))
    assert (above.model, above.reason) == ("small", "default: unknown group")
    coarse = policy_of(two).decide(RouteRequest("", {"application": "shop"}))  # says no more than is known
    assert (coarse.model, coarse.reason) == ("small", "group: application=shop")
    nothing = policy_of(two).decide(RouteRequest("", {"task": "faq"}))
    assert (nothing.model, nothing.reason) == ("big", "default: unknown group")


def test_closed_models_get_nothing() -> None:
    first = decide(task_map(), task="faq", closed=frozenset({"small"}))
    assert (first.model, first.reason) == ("big", "default: small is closed")
    second = decide(task_map(), task="proof", closed=frozenset({"big"}))
    assert (second.model, second.reason) == ("small", "open: big is closed, and the default too")
    last = decide(task_map(), closed=frozenset(MODELS))
    assert last == Decision("", REFUSED, {})


def test_single_takes_the_default() -> None:
    assert decide(document("single"), "anything", "faq").model == "big"


@given(
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.lists(st.one_of(st.floats(0, 5), st.just(float("nan"))), min_size=4, max_size=4),
    st.one_of(st.none(), st.floats(0, 100)),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.floats(0, 3),
)
def test_the_rule_by_brute_force(
    success: list[float], usd: list[float], value: float | None, open_: list[bool], capacity: float
) -> None:
    prices = np.array([0.0, capacity, 0.0, 0.0])
    weights = Weights(("a", "b", "c", "d"), 0, value, {}, prices)
    found = best_model(weights, np.array(success), np.array(usd), "", np.array(open_))
    burdens = {}
    for at in range(4):
        burden = usd[at] + prices[at]
        if open_[at] and value is None:
            burdens[at] = (-success[at], burden if burden == burden else float("inf"))
        elif open_[at] and burden == burden and value is not None:
            burdens[at] = (burden + value * (1 - success[at]), 0.0)
    assert found == (min(burdens, key=lambda at: burdens[at]) if burdens else None)


def test_the_dearer_failure_of_a_task_weighs_more() -> None:
    weights = Weights(MODELS, 1, 0.01, {"law": 5.0, "": 0.02}, np.zeros(2))
    assert [weights.value_usd(task) for task in ("law", "chat")] == [5.0, 0.02]
    assert Weights(MODELS, 1, 0.03, {"": 0.02}, np.zeros(2)).value_usd("x") == 0.03
    assert Weights(MODELS, 1, None, {"law": 5.0}, np.zeros(2)).value_usd("law") is None
    by_task = Weights(MODELS, 1, None, {"law": 5.0}, np.zeros(2), {"law": 2.0, "chat": 0.1})
    assert [by_task.value_usd(task) for task in ("law", "chat", "other")] == [5.0, 0.1, None]


def alone(model_scores: tuple[float, float]) -> Scorer:
    """A scorer that says the same of every prompt."""
    linear = scorer().linear
    assert linear is not None
    zero = replace(
        linear,
        term_weights=np.zeros_like(linear.term_weights),
        surface_weights=np.zeros_like(linear.surface_weights),
        group_weights=np.zeros(2),
        intercepts=np.log(np.array(model_scores) / (1 - np.array(model_scores))),
    )
    return replace(
        scorer(), linear=zero, blend={"linear": 1.0}, neighbours=None, forest=None, calibration=None, novelty=None
    )


@pytest.mark.parametrize(("strong", "model"), [(0.85, "small"), (0.95, "big")])
def test_two_models_and_a_price_make_a_threshold(strong: float, model: str) -> None:
    """0.019 dearer at 0.19 a success: the line is at 0.1 more success."""
    plain = replace(document("threshold"), groups=(), value_usd_per_success=0.19, scorer=alone((0.8, strong)))
    found = decide(plain, "a question")
    assert (found.model, found.reason) == (model, "threshold")
    assert found.success_fractions == pytest.approx({"small": 0.8, "big": strong})


def test_threshold_keeps_to_the_models_that_a_group_allows() -> None:
    group = GroupChoice(("law",), "big", {"small": 0.9, "big": 0.9}, allowed_models=("big",))
    plain = replace(document("threshold"), groups=(group,), scorer=alone((0.9, 0.9)))
    assert decide(plain, "x", "law").model == "big"
    assert decide(plain, "x", "chat").model == "small"
    assert decide(plain, "x", "law", closed=frozenset({"big"})) == Decision("", REFUSED, {})


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [("", "default: empty prompt"), ("\n\t ", "default: empty prompt"), ("zebra", "default: novel prompt")],
)
def test_threshold_stays_with_the_default(prompt: str, reason: str) -> None:
    found = decide(document("threshold"), prompt)
    assert (found.model, found.reason) == ("big", reason)


def test_a_model_without_a_price_is_not_weighed() -> None:
    unpriced = (PricedModel("small"), PricedModel("big"))
    plain = replace(document("threshold"), models=unpriced, groups=(), scorer=alone((0.9, 0.9)))
    assert decide(plain, "x").reason == "default: no cost is known"
    free = replace(plain, value_usd_per_success=None, scorer=alone((0.95, 0.9)))
    assert decide(free, "x").model == "small"  # success alone counts


def test_a_scorer_that_gives_no_number_is_not_believed() -> None:
    broken = alone((0.5, 0.5))
    assert broken.linear is not None
    broken = replace(broken, linear=replace(broken.linear, intercepts=np.array([np.nan, 0.0])))
    for kind in ("threshold", "allocation"):
        plain = replace(document(kind), scorer=broken)  # type: ignore[arg-type]
        found = decide(plain, "x")
        assert (found.model, found.reason) == ("big", "default: the scorer gave no number")


def test_allocation_pays_for_capacity() -> None:
    def of(price: float) -> str:
        plain = replace(document("allocation"), value_usd_per_success=0.06, capacity_usd_per_request={"small": price})
        return decide(plain, "x").model

    # small 0.001 + 0.4 * 0.06 = 0.025; big 0.02 + 0.1 * 0.06 = 0.026
    assert (of(0.0), of(0.002)) == ("small", "big")


def test_allocation_weighs_the_tasks_own_failure() -> None:
    assert decide(document("allocation"), "x", "faq").model == "small"
    assert decide(document("allocation"), "x", "proof").model == "big"


def test_a_divided_group_is_split_by_the_prompt() -> None:
    shares = {"small": 0.3, "big": 0.6}
    plain = replace(document("allocation"), groups=(GroupChoice((), "big", share_fractions=shares),))
    policy = policy_of(plain)
    chosen = [policy.decide(RouteRequest(f"request {at}")).model for at in range(3000)]
    assert chosen.count("small") / 3000 == pytest.approx(1 / 3, abs=0.03)  # three and a half standard errors
    assert chosen == [policy.decide(RouteRequest(f"request {at}")).model for at in range(3000)]
    closed = frozenset({"small"})
    assert {policy.decide(RouteRequest(f"{at}", closed=closed)).model for at in range(50)} == {"big"}


def test_allocation_without_any_group_takes_the_default() -> None:
    assert decide(replace(document("allocation"), groups=()), "x").reason == "default: unknown group"
    assert decide(replace(document("allocation"), scorer=scorer()), "").reason == "default: empty prompt"
    assert decide(replace(document("allocation"), scorer=scorer()), "zebra").reason == "default: novel prompt"


def cascade(plan: CascadePlan) -> CascadePolicy:
    found = policy_of(replace(document("cascade"), cascade=plan))
    assert isinstance(found, CascadePolicy)
    return found


def test_a_cascade_starts_small_and_says_who_is_next() -> None:
    found = decide(document("cascade"), "x", "faq")
    assert (found.model, found.escalate_to, found.reason) == ("small", ("big",), "cascade: small > big")
    assert decide(document("cascade"), "x", "proof").escalate_to == ()
    assert decide(document("cascade"), "x", closed=frozenset({"small"})).model == "big"
    assert decide(document("cascade"), "x", closed=frozenset(MODELS)) == Decision("", REFUSED, {})


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        (Answer("yes", "faq"), True),
        (Answer("perhaps", "faq"), False),
        (Answer("perhaps", "chat"), True),
        (Answer("", "chat"), False),
    ],
)
def test_validators_of_the_task_decide(answer: Answer, ok: bool) -> None:
    policy = POLICIES["cascade"]
    assert isinstance(policy, CascadePolicy)
    assert policy.accepts(answer).ok is ok


def test_a_second_model_must_agree() -> None:
    policy = cascade(CascadePlan(("small", "big"), agreement_model="big", agreement="number"))
    assert policy.accepts(Answer("so 12", other_text="it is 12.0")).ok
    assert policy.accepts(Answer("so 12", other_text="13")).why == "big answers otherwise"
    assert policy.accepts(Answer("so 12")).why == "no answer of big to compare with"
    assert policy.accepts(Answer("so 12", is_last=True)).ok, "nobody is asked after it"
    called = Answer("so 12", tool_calls=[{"function": {"name": "f"}}], other_text="12")
    assert policy.accepts(called).why == "it calls tools, and only texts are compared"


def test_confidence_must_be_high_enough_and_known() -> None:
    policy = cascade(CascadePlan(("small", "big"), confidence_min_fraction=0.8))
    found = [policy.accepts(Answer("x", confidence_fraction=each)).ok for each in (0.8, 0.79, None, float("nan"))]
    assert found == [True, False, False, False]


def test_what_a_kind_lacks_is_said() -> None:
    with pytest.raises(PolicyError, match="needs a scorer"):
        policy_of(replace(task_map(), kind="threshold"))
    with pytest.raises(PolicyError, match="needs the part `cascade`"):
        policy_of(replace(task_map(), kind="cascade"))
    with pytest.raises(PolicyError, match="agreement is 'txt'; did you mean 'text'"):
        cascade(CascadePlan(("small",), agreement="txt"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_says_what_it_is(kind: str) -> None:
    assert (POLICIES[kind].kind, POLICIES[kind].models) == (kind, MODELS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_nobody_knows_is_answered_by_the_default(kind: str) -> None:
    found = POLICIES[kind].decide(RouteRequest(PROMPTS[0], {"task": "faq"}, "gpt-99"))
    assert (found.model, found.reason) == ("big", "default: unknown model asked for")
    assert POLICIES[kind].decide(RouteRequest(PROMPTS[0], {}, "small")).reason != found.reason


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    prompt=st.one_of(st.text(alphabet=st.characters(), max_size=200), st.sampled_from(PROMPTS)),
    groups=st.dictionaries(st.sampled_from(["task", "application", "x"]), st.text(max_size=8), max_size=3),
    incumbent=st.one_of(st.none(), st.sampled_from([*MODELS, "other", ""])),
    closed=st.frozensets(st.sampled_from([*MODELS, "other"])),
)
def test_any_request_gets_a_model_and_a_reason(
    kind: str, prompt: str, groups: dict[str, str], incumbent: str | None, closed: frozenset[str]
) -> None:
    request = RouteRequest(prompt, groups, incumbent, closed)
    found = POLICIES[kind].decide(request)
    assert found.reason
    if closed >= set(MODELS):
        assert found == Decision("", REFUSED, {})
    else:
        assert found.model in set(MODELS) - closed
        assert not closed & set(found.escalate_to)
    assert found == POLICIES[kind].decide(request)  # pure


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", ["x" * 1_000_000, "\ud800\0", "語" * 100_000, "🙂" * 5000, " ".join(PROMPTS) * 999])
def test_long_and_strange_prompts(kind: str, prompt: str) -> None:
    assert POLICIES[kind].decide(RouteRequest(prompt)).model in MODELS


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], ""),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "a"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "b"),
        ([{"role": "user", "content": ["a", {"text": "b"}, {"text": 3}, 4]}], "a\nb"),
        ([{"role": "user", "content": None}], ""),
        ([{"role": "system", "content": "s"}, "junk", {}], ""),
    ],
)
def test_last_user_text(messages: list[dict[str, object]], text: str) -> None:
    assert last_user_text(messages) == text
