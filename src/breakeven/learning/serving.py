"""Serving: what a written policy decides on requests of a table, exactly as it would online, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.as_allowed import as_allowed
from breakeven.learning.cascades import applied
from breakeven.learning.drift import DriftReference, DriftReport, cheapest, drift
from breakeven.learning.group_rates import group_name, paths_of
from breakeven.learning.pricing import GivenPrice
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.answers import Answer
from breakeven.routing.known_groups import known_groups
from breakeven.routing.policies.cascade import CascadePolicy
from breakeven.routing.policy_file import LoadedPolicy
from breakeven.routing.request import RouteRequest


@dataclass(frozen=True, slots=True)
class Served:
    """A policy's decisions on a table."""

    table: OutcomeTable
    """With the policy's models, in its order."""
    choices: Indexes
    """The model whose answer each request is given."""
    scores: Floats
    """Predicted success, shape (requests, models); the group's rate where the policy did not look."""
    paid_usd: Floats
    """What each request costs, shape (requests,)."""
    reasons: Mapping[str, int]
    """Why it chose so -> requests; the part before a colon."""
    barred_requests_count: int = 0
    """Requests that not every model may take: there the best that may stands for it in `table`."""


def served(policy: LoadedPolicy, table: OutcomeTable) -> Served:
    """Let a policy decide every request of a table, one at a time."""
    if absent := [each for each in policy.models if each not in table.models]:
        raise LearningError(
            f"the policy may choose {', '.join(absent)}, and these outcomes do not know it; they have "
            f"{', '.join(table.models)}"
        )
    mine = table.of_models(policy.models)
    position = {name: at for at, name in enumerate(policy.models)}
    groups = known_groups(policy.document)
    choices = np.zeros(mine.requests_count, dtype=np.intp)
    scores, rates = np.zeros(mine.success.shape), np.zeros(mine.success.shape)
    may, decided_alone = np.ones(scores.shape, dtype=np.bool_), np.ones(len(choices), dtype=np.bool_)
    reasons: dict[str, int] = {}
    for row in range(mine.requests_count):
        request = RouteRequest(mine.prompts[row], {name: values[row] for name, values in mine.groups.items()})
        decision = policy.decide(request)
        if not decision.model:
            raise LearningError(
                f"the policy lets no model take request {mine.request_ids[row]!r} ({decision.reason}), so what it "
                "would cost cannot be told; leave such requests out"
            )
        choices[row], decided_alone[row] = position[decision.model], not decision.escalate_to
        asked = groups.asked(request)
        may[row], rates[row] = asked.may_take, asked.group.rates
        known = decision.success_fractions or groups.find(request.groups).success_fractions
        scores[row] = [known.get(name, 0.5) for name in policy.models]
        reason = decision.reason.partition(":")[0] if not decision.reason.startswith("default") else decision.reason
        reasons[reason] = reasons.get(reason, 0) + 1
    rows, barred_count = np.arange(mine.requests_count), 0
    if not may.all() and mine.propensity_fraction is None:  # a log tells of one model for each request, and no other
        barred_count = int((~may.all(axis=1)).sum())
        mine = as_allowed(mine, may, rates)
    paid = mine.cost_usd[rows, choices]
    if isinstance(policy.policy, CascadePolicy):
        cascade = applied(policy.policy.plan, mine, policy.policy.checks, _confidence(policy.policy))
        answering = np.where(decided_alone, choices, cascade.choices(0.5))
        check_usd = float(policy.document.evidence.get("check_usd_per_request", 0.0))
        paid = np.where(decided_alone, paid, cascade.cost_usd(answering, mine.cost_usd, check_usd))
        choices = answering
    why = dict(sorted(reasons.items(), key=lambda each: -each[1]))
    return Served(mine, choices, scores, paid, why, barred_count)


def _confidence(policy: CascadePolicy) -> Callable[[str, str], float]:
    return lambda answer, task: policy.confidence(Answer(answer, task))


def snapshot_prices(policy: LoadedPolicy, table: OutcomeTable) -> dict[str, GivenPrice]:
    """The policy's own prices of the models that a table has, for files without costs."""
    found = {}
    for each in policy.document.models:
        if each.name not in table.models:
            continue
        if each.input_usd_per_mtok is not None and each.output_usd_per_mtok is not None:
            found[each.name] = GivenPrice(None, each.input_usd_per_mtok, each.output_usd_per_mtok)
        elif each.usd_per_request is not None:
            found[each.name] = GivenPrice(each.usd_per_request)
    return found


def drift_of(policy: LoadedPolicy, answered: Served) -> DriftReport | None:
    """Mix and inputs of these requests against those that the policy was learnt from; None where it says nothing."""
    told = policy.document.evidence.get("drift_reference")
    if not isinstance(told, Mapping):
        return None
    try:
        reference = DriftReference(
            {str(name): int(count) for name, count in told["group_counts"].items()},
            tuple(float(each) for each in told["score_edges"]),
            tuple(int(each) for each in told["score_counts"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    groups = [group_name(path) for path in paths_of(answered.table)]
    return drift(reference, groups, answered.scores[:, cheapest(policy.document)])
