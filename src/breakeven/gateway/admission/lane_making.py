"""Lane making: lanes are made of requests that came, by the ordinary steps of admission, where nothing else decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from typing import Any, Final

from breakeven.gateway.admission.chains import Bounds
from breakeven.gateway.admission.choosing import Choosing, Chosen, Wish
from breakeven.gateway.admission.lane import SHAPES_MAX_COUNT, Gate, Lane, Shape
from breakeven.gateway.admission.model_choice import ModelChoice
from breakeven.gateway.admission.reception import Received, Reception
from breakeven.gateway.admission.request_head import MODEL, TASK, TRACE, word
from breakeven.gateway.admission.routed_text import prompt_of
from breakeven.gateway.config.settings import Condition, GatewaySettings
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Head, Key, Plan, RequestFacts
from breakeven.gateway.wire.outgoing import asks_for_usage
from breakeven.gateway.wire.quirks import quirks_of
from breakeven.gateway.wire.request_facts import OPERATIONS

_SYSTEM_GROUP: Final = "system_hash"


def has_lanes(settings: GatewaySettings, policy: ModelChoice | None) -> bool:
    """Whether what looks alike is treated alike here: nothing is drawn, no text is searched, nobody waited for."""
    return (
        not settings.is_open
        and settings.arms is None
        and not settings.shadows
        and settings.prompts == "none"
        and settings.durability == "batch"
        and (policy is None or policy.loaded.document.trial is None)
        and not any(_looks_into(each.when) for each in settings.residency)
    )


def _looks_into(when: Condition) -> bool:
    """Whether a condition asks for what only a whole body tells."""
    return not (when.pattern is None and when.system_hash is None and when.schema_hash is None)


class LaneMaker:
    """Makes gates and lanes under one configuration and one version of a policy."""

    __slots__ = ("_by_system", "_choosing", "_limits", "_now", "_reads_words", "_reception")

    def __init__(
        self,
        settings: GatewaySettings,
        reception: Reception,
        choosing: Choosing,
        limits: SharedLimits,
        now: Callable[[], float],
    ) -> None:
        self._reception, self._choosing, self._limits, self._now = reception, choosing, limits, now
        self._reads_words = settings.tasks_file is not None or any(each.when.pattern for each in settings.tasks)
        levels = () if choosing.policy is None else choosing.policy.levels
        self._by_system = _SYSTEM_GROUP in levels or any(each.when.system_hash for each in settings.tasks)

    def gate(self, head: Head) -> Gate | None:
        """The gate of such heads; None: they take the ordinary way."""
        told = self._reception.told(head)
        if head.method != b"POST" or OPERATIONS.get(head.path) != "chat" or MODEL in told or TRACE in told:
            return None
        if self._reads_words and word(told, TASK) is None:
            return None
        key = self._reception.key(told, self._now())
        if not isinstance(key, Key):
            return None
        terms = self._limits.terms(key) if key.is_limited else None
        if key.is_limited and terms is None:
            return None
        ends_s = float("inf") if key.expires_unix_s is None else key.expires_unix_s
        policy = self._choosing.policy
        return Gate(head, key, terms, ends_s, self._by_system, policy is not None and policy.reads_words)

    def lane(self, gate: Gate, shape: Shape, body: bytes) -> Lane | None:
        """The lane of such requests; None: they take the ordinary way."""
        received = self._reception.receive(gate.head, body, self._now())
        if not isinstance(received, Received):
            return None
        chosen = self._choosing.usual(received.facts, received.bounds, received.groups)
        if not isinstance(chosen, Chosen) or chosen.escalate_to or chosen.answer_checks is not None:
            return None
        made = _lane(gate, shape, _plan(gate, received, chosen), received.bounds)
        if made is not None and gate.by_words:
            made.asking = self._choosing.asking(received.facts, received.bounds, received.groups)
        return made

    def by_words(
        self, lane: Lane, shape: Shape, document: dict[str, Any], body: bytes, system_hash: str | None
    ) -> Lane | None:
        """The lane of one request where the policy reads its words; `lane` is that of any such request."""
        kind: tuple[int | str, str] | None = None
        if lane.asking is not None:
            decision = self._choosing.decided(lane.asking, prompt_of(document))
            kind = (decision.model, decision.reason)
            if kind in lane.by_choice:
                return lane.by_choice[kind]
        of = lane.plan.facts
        groups = dict(lane.plan.groups)
        if system_hash is not None:
            groups[_SYSTEM_GROUP] = system_hash
        facts = RequestFacts(of.operation, document, body, of.model, of.is_stream, of.is_usage_asked, None)
        chosen = self._choosing.choose(Wish(facts, lane.bounds, groups))
        if not isinstance(chosen, Chosen) or chosen.escalate_to or chosen.answer_checks is not None:
            return None
        if kind is None:
            kind = (id(chosen.chain), chosen.reason)  # the chain is kept by the plan of the lane
            if (found := lane.by_choice.get(kind)) is not None:
                return found
        if len(lane.by_choice) >= SHAPES_MAX_COUNT:
            lane.by_choice.clear()
        plan = replace(
            lane.plan,
            targets=chosen.chain,
            reason=chosen.reason,
            policy_hash=chosen.policy_hash,
            is_pinned=_is_pinned(chosen),
        )
        found = lane.by_choice[kind] = _lane(lane.gate, shape, plan, lane.bounds)
        return found


def _lane(gate: Gate, shape: Shape, plan: Plan, bounds: Bounds) -> Lane | None:
    """The lane of a plan; None where its first target must be sent more than the client's own bytes."""
    facts, target = plan.facts, plan.targets[0]
    quirks = quirks_of(target.upstream.quirks)
    names = frozenset(shape.names)
    adds_usage = asks_for_usage(facts, target)
    if target.upstream.dialect != "openai" or (adds_usage and shape.has_options) or quirks.drops_message_names:
        return None
    if not quirks.dropped.isdisjoint(names) or not names.isdisjoint(quirks.renamed):
        return None
    price = target.price
    prices = (None, None) if price is None else (price.input_usd_per_mtok, price.output_usd_per_mtok)
    is_priced = all(each is not None and isfinite(each) for each in prices)
    return Lane(
        gate,
        plan,
        bounds,
        target,
        "tools" in names,
        target.model == facts.model,
        adds_usage,
        0.0 if price is None else max(price.input_usd_per_mtok or 0.0, price.cache_write_usd_per_mtok or 0.0),
        prices[0] if is_priced else None,
        prices[1] or 0.0,
        None if price is None else price.usd_per_request,
    )


def _plan(gate: Gate, received: Received, chosen: Chosen) -> Plan:
    """Of any request of the lane: what is one request's own is left out."""
    facts = received.facts
    return Plan(
        "",
        gate.head,
        RequestFacts(facts.operation, {}, b"", facts.model, facts.is_stream, facts.is_usage_asked, None),
        gate.key,
        chosen.chain,
        chosen.reason,
        received.task,
        received.task_source,
        received.application,
        {name: value for name, value in received.groups.items() if name != _SYSTEM_GROUP},
        chosen.policy_hash,
        session_id=received.session_id,
        is_pinned=_is_pinned(chosen),
    )


def _is_pinned(chosen: Chosen) -> bool:
    return chosen.bounds.upstreams is not None or chosen.bounds.policy_models is not None


def plan_of(
    lane: Lane, request_id: str, facts: RequestFacts, system_hash: str | None, at_s: tuple[float, float]
) -> Plan:
    """The plan of one request of a lane; `at_s`: when it came, by the Unix and by the monotonic clock."""
    plan = lane.plan
    groups = plan.groups if system_hash is None else {**plan.groups, _SYSTEM_GROUP: system_hash}
    return Plan(
        request_id,
        plan.head,
        facts,
        plan.key,
        plan.targets,
        plan.reason,
        plan.task,
        plan.task_source,
        plan.application,
        groups,
        plan.policy_hash,
        session_id=plan.session_id,
        is_pinned=plan.is_pinned,
        received_unix_s=at_s[0],
        received_monotonic_s=at_s[1],
    )
