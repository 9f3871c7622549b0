"""Cascade: a small model answers first; what its answer's check flags goes to the next model.

An answer is taken when its validators pass, and, where the plan asks for it, a second model agrees and confidence is
high enough. The last model's answer is always taken. Models that may not take a request are neither asked nor compared
with: where the second model may not, the last of those that may answers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.errors import PolicyError, nearest
from breakeven.routing.answers import COMPARISONS, Answer, same_answer
from breakeven.routing.choice import Weights, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import AskedGroup, KnownGroups, known_groups
from breakeven.routing.policy import Decision, Kind
from breakeven.routing.policy_document import CascadePlan, PolicyDocument
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer import Scorer
from breakeven.routing.validators import Validator, Verdict, check_answer, validators_of


@dataclass(frozen=True, slots=True)
class CascadePolicy:
    """Models in order, and the check between them."""

    weights: Weights
    groups: KnownGroups
    plan: CascadePlan
    checks: Mapping[str, tuple[Validator, ...]]
    """Task -> validators; "" for all other tasks."""
    scorer: Scorer | None = None
    """Predicts success from the words of an answer of the first model."""
    kind: Kind = "cascade"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        return self.weights.models

    def decide(self, request: RouteRequest) -> Decision:
        """The first model of the task's order that may take the request; the others follow in `escalate_to`."""
        asked = self.groups.asked(request)
        unknown = unknown_incumbent(request, self.weights, asked)
        if unknown is not None:
            return unknown
        rates, order = asked.group.success_fractions, self._order(request, asked)
        if not order:
            default = self.weights.default_model
            return open_decision(default, "default: cascade is closed", request, self.weights, asked, rates)
        return Decision(order[0], f"cascade: {' > '.join(order)}", rates, tuple(order[1:]))

    def _order(self, request: RouteRequest, asked: AskedGroup) -> list[str]:
        """The models to ask, first to last."""

        def may(name: str) -> bool:
            return bool(asked.may_take[self.models.index(name)])

        task, second = request.groups.get("task", ""), self.plan.agreement_model
        order = [name for name in self.plan.order_of(task) if may(name)]
        return order if second is None or may(second) else order[-1:]

    def accepts(self, answer: Answer) -> Verdict:
        """Whether an answer may be given out; if not, the next model of `escalate_to` is asked. Never raises."""
        verdict = check_answer(
            self.checks.get(answer.task, self.checks.get("", ())),
            answer.text,
            finish_reason=answer.finish_reason,
            tool_calls=answer.tool_calls,
        )
        if not verdict.ok:
            return verdict
        if self.plan.agreement_model is not None and not answer.is_last:
            if answer.tool_calls:
                return Verdict(False, "it calls tools, and only texts are compared")
            if answer.other_text is None:
                return Verdict(False, f"no answer of {self.plan.agreement_model} to compare with")
            if not same_answer(answer.text, answer.other_text, self.plan.agreement):
                return Verdict(False, f"{self.plan.agreement_model} answers otherwise")
        least = self.plan.confidence_of(answer.task)
        if least is not None and not self.confidence(answer) >= least:
            return Verdict(False, f"confidence below {least:g}")
        return Verdict(True)

    def confidence(self, answer: Answer) -> float:
        """How likely an answer is right: as the caller says, else by its words; 0 where nobody can tell."""
        if answer.confidence_fraction is not None:
            return answer.confidence_fraction
        if self.scorer is None or not answer.text.strip():
            return 0.0
        rates = self.groups.find({"task": answer.task}).rates
        return float(self.scorer.predicted_success(answer.text, rates)[self.models.index(self.plan.order[0])])


def policy_of(document: PolicyDocument) -> CascadePolicy:
    """The policy that a document describes."""
    plan = document.cascade
    if plan is None:
        raise PolicyError("a cascade policy needs the part `cascade`, and this one has none: learn it again.")
    if plan.agreement not in COMPARISONS:
        raise PolicyError(f"cascade.agreement is {plan.agreement!r}; {nearest(plan.agreement, list(COMPARISONS))}.")
    checks = {task: validators_of(declaration) for task, declaration in plan.checks_by_task.items()}
    return CascadePolicy(weights_of(document), known_groups(document), plan, checks, document.scorer)
