"""Residency: no decision, of whatever kind and for whatever reason, names a model that may not take the request."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.routing.policies_at_hand import MODELS, PROMPTS, document, scorer

from breakeven.errors import PolicyError
from breakeven.routing.policies import policy_of
from breakeven.routing.policy import REFUSED, Decision, Kind
from breakeven.routing.policy_document import KINDS, CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from breakeven.routing.request import RouteRequest

REFUSAL = Decision("", REFUSED, {})
NAMES = (*MODELS, "far")
TASKS = ("legal", "faq", "home", "new")
SUBSETS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)


def restricted(kind: Kind, task: str, allowed: tuple[str, ...]) -> PolicyDocument:
    """A policy of a kind with one more group, which only some models may take."""
    plain = document(kind)
    return replace(plain, groups=(*plain.groups, GroupChoice((task,), allowed[0], allowed_models=allowed)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_one_model_may_take_is_refused_when_it_is_closed(kind: Kind) -> None:
    policy = policy_of(restricted(kind, "legal", ("big",)))
    assert policy.decide(RouteRequest(PROMPTS[0], {"task": "legal"})).model == "big"
    assert policy.decide(RouteRequest(PROMPTS[0], {"task": "legal"}, None, frozenset({"big"}))) == REFUSAL
    assert policy.decide(RouteRequest("", {"task": "legal"}, "gpt-99", frozenset({"big"}))) == REFUSAL
    free = policy.decide(RouteRequest(PROMPTS[0], {"task": "faq"}, None, frozenset({"big"})))
    assert free.model == "small"


@pytest.mark.parametrize("kind", KINDS)
def test_a_default_that_a_group_does_not_allow_never_takes_it(kind: Kind) -> None:
    policy = policy_of(restricted(kind, "home", ("small",)))
    for prompt in ("", "zebra", PROMPTS[0]):
        for incumbent in (None, "gpt-99", "big"):
            found = policy.decide(RouteRequest(prompt, {"task": "home"}, incumbent))
            assert (found.model, found.escalate_to) == ("small", ())
            assert policy.decide(RouteRequest(prompt, {"task": "home"}, incumbent, frozenset({"small"}))) == REFUSAL
    single = policy_of(restricted("single", "home", ("small",))).decide(RouteRequest("x", {"task": "home"}))
    assert single.reason == "open: big is not allowed, and the default too"


def test_of_several_that_may_take_it_the_most_successful_does() -> None:
    models = tuple(PricedModel(name, usd_per_request=0.01) for name in (*NAMES, "near"))
    rates = {"small": 0.99, "big": 0.95, "far": 0.5, "near": 0.7}
    group = GroupChoice(("home",), "far", rates, allowed_models=("far", "near"))
    plain = replace(document("task_map"), models=models, groups=(group,))
    closed = frozenset({"far", "big"})
    found = policy_of(plain).decide(RouteRequest("", {"task": "home"}, None, closed))
    assert (found.model, found.reason) == ("near", "open: far is closed, and the default too")
    unknown = policy_of(plain).decide(RouteRequest("", {"task": "home"}, "gpt-99"))
    assert (unknown.model, unknown.reason) == ("near", "open: big is not allowed, and the default too")
    mixed = policy_of(plain).decide(RouteRequest("", {"task": "home"}, None, frozenset({"far"})))
    assert mixed.reason == "open: far is closed, and the default not allowed"


@st.composite
def policies(draw: st.DrawFn) -> PolicyDocument:
    """Any kind, with three models, restricted groups at two levels, and restricted tasks."""
    kind = draw(st.sampled_from(KINDS))
    paths = draw(st.lists(st.sampled_from([(), ("a",), ("a", "legal"), ("b", "faq")]), unique=True))
    groups = []
    for path in paths:
        allowed = draw(st.one_of(st.just(()), SUBSETS))
        shares = draw(st.one_of(st.just({}), st.dictionaries(st.sampled_from(NAMES), st.just(0.5))))
        rates = draw(st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1)))
        model, falls_back = draw(st.sampled_from(NAMES)), draw(st.booleans())
        groups.append(
            GroupChoice(path, model, rates, allowed_models=allowed, share_fractions=shares, is_fallback=falls_back)
        )
    order = st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple)
    second = draw(st.one_of(st.none(), st.sampled_from(NAMES)))
    words = replace(scorer(), models=NAMES, blend={"group": 1.0}, linear=None, neighbours=None, forest=None)
    words = replace(words, calibration=None, novelty=None)
    return replace(
        document("task_map"),
        kind=kind,
        models=tuple(PricedModel(name, usd_per_request=0.01) for name in NAMES),
        default_model=draw(st.sampled_from(NAMES)),
        levels=("application", "task"),
        groups=tuple(groups),
        allowed_by_task=draw(st.dictionaries(st.sampled_from(TASKS), SUBSETS, max_size=2)),
        scorer=words if kind == "threshold" or draw(st.booleans()) else None,
        cascade=CascadePlan(draw(order), {"legal": draw(order)}, agreement_model=second),
    )


def may_take(plain: PolicyDocument, request: RouteRequest) -> set[str]:
    """Who may take a request, read off the document."""
    path = tuple(request.groups.get(level, "") for level in plain.levels)
    found = {each.path: each for each in plain.groups}
    nearest = next((found[path[:n]] for n in range(len(path), -1, -1) if path[:n] in found), None)
    names = set(NAMES) - request.closed
    if nearest is not None and nearest.allowed_models:
        names &= set(nearest.allowed_models)
    return names & set(plain.allowed_by_task.get(request.groups.get("task", ""), NAMES))


@settings(max_examples=400, deadline=None)
@given(
    policies(),
    st.fixed_dictionaries({}, optional={"application": st.sampled_from("abc"), "task": st.sampled_from(TASKS)}),
    st.sampled_from(["", PROMPTS[0], "zebra"]),
    st.sampled_from([None, "small", "gpt-99"]),
    st.frozensets(st.sampled_from(NAMES)),
)
def test_no_policy_names_a_model_that_may_not_take_it(
    plain: PolicyDocument, groups: dict[str, str], prompt: str, incumbent: str | None, closed: frozenset[str]
) -> None:
    request = RouteRequest(prompt, groups, incumbent, closed)
    found, names = policy_of(plain).decide(request), may_take(plain, request)
    if names:
        assert found.model in names
        assert set(found.escalate_to) <= names
    else:
        assert found == REFUSAL


@pytest.mark.parametrize("kind", KINDS)
def test_a_restricted_task_is_so_in_groups_that_were_not_seen(kind: Kind) -> None:
    plain = replace(document(kind), levels=("application", "task"), groups=(), allowed_by_task={"legal": ("small",)})
    policy = policy_of(plain)
    request = RouteRequest(PROMPTS[0], {"application": "never seen", "task": "legal"})
    assert policy.decide(request).model == "small"
    assert policy.decide(replace(request, closed=frozenset({"small"}))) == REFUSAL


def test_a_cascade_compares_with_no_model_that_may_not_take_it() -> None:
    plain = replace(restricted("cascade", "home", ("small",)), cascade=CascadePlan(MODELS, agreement_model="big"))
    assert policy_of(plain).decide(RouteRequest("x", {"task": "home"})).escalate_to == ()
    three = replace(
        plain,
        models=tuple(PricedModel(name) for name in NAMES),
        cascade=CascadePlan(("small", "big", "far"), agreement_model="big"),
    )
    found = policy_of(three).decide(RouteRequest("x", {"task": "faq"}, None, frozenset({"big"})))
    assert (found.model, found.escalate_to) == ("far", ())


def test_a_fallback_is_a_preference() -> None:
    """Requests not seen go to the group's model; where it is closed, to another, and are not refused."""
    root = GroupChoice((), "big", {"small": 0.6, "big": 0.9}, is_fallback=True)
    for kind in ("task_map", "threshold", "allocation"):
        plain = document(kind)
        plain = replace(plain, groups=(root, *plain.groups[1:]))
        found = policy_of(plain).decide(RouteRequest(PROMPTS[0], {"task": "new"}))
        assert (found.model, found.reason) == ("big", "default: unknown group")
        other = policy_of(plain).decide(RouteRequest(PROMPTS[0], {"task": "new"}, None, frozenset({"big"})))
        assert other.model == "small"


@pytest.mark.parametrize("kind", ["threshold", "allocation"])
def test_an_unknown_group_is_said_to_be_one_where_the_rule_decides(kind: Kind) -> None:
    words = replace(scorer(), blend={"group": 1.0}, linear=None, neighbours=None, forest=None)
    plain = replace(document(kind), scorer=replace(words, calibration=None, novelty=None))
    assert policy_of(plain).decide(RouteRequest("x", {"task": "new"})).reason == f"{kind}: unknown group"
    assert policy_of(plain).decide(RouteRequest("x", {"task": "faq"})).reason.startswith(kind)
    assert "unknown" not in policy_of(plain).decide(RouteRequest("x", {"task": "faq"})).reason
    one = replace(plain, groups=(replace(plain.groups[0], allowed_models=("big",)), *plain.groups[1:]))
    alone = policy_of(one).decide(RouteRequest("x", {"task": "new"}))
    assert (alone.model, alone.reason) == ("big", "default: unknown group")  # nothing was left to decide


def test_a_decision_that_fails_is_safe_too(tmp_path: Path) -> None:
    broken: Any = {"task": ["no", "text"]}
    both = save(restricted("task_map", "home", ("small",)), tmp_path / "one")
    found = both.decide(RouteRequest("x", broken))
    assert (found.model, found.reason) == ("small", "open: TypeError in the policy")  # allowed whatever the group is
    assert both.decide(RouteRequest("x", broken, None, frozenset({"small"}))) == REFUSAL
    unreadable: Any = 3
    assert both.decide(RouteRequest("x", {}, None, unreadable)) == REFUSAL
    free = save(document("task_map"), tmp_path / "two")
    assert free.decide(RouteRequest("x", broken)).model == "big"
    assert free.decide(RouteRequest("x", broken, None, frozenset({"big"}))).model == "small"


def test_restrictions_are_kept_in_the_file(tmp_path: Path) -> None:
    root = GroupChoice((), "big", is_fallback=True)
    plain = replace(document("task_map"), groups=(root,), allowed_by_task={"legal": ("big",)})
    save(plain, tmp_path)
    assert load(tmp_path).document == plain
    written = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))
    assert written["allowed_by_task"] == {"legal": ["big"]}
    save(document("task_map"), tmp_path)
    written = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))
    assert "allowed_by_task" not in written
    assert all("is_fallback" not in each for each in written["groups"])
    with pytest.raises(PolicyError, match=r"allowed_by_task\.legal: saw no model"):
        save(replace(plain, allowed_by_task={"legal": ()}), tmp_path)
    with pytest.raises(PolicyError, match="the model 'gpt' does not occur"):
        save(replace(plain, allowed_by_task={"legal": ("gpt",)}), tmp_path)
