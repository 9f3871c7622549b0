"""Choosing: which model a request gets, and why: an override, an arm, the policy, the name it asks for, a default."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.chains import Bounds, Chains, unknown_model
from breakeven.gateway.admission.model_choice import ModelChoice, Models
from breakeven.gateway.admission.routed_text import prompt_of
from breakeven.gateway.admission.trial_dealing import TrialDealing, acts_by_itself
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.plan import Operation, Refusal, RequestFacts
from breakeven.gateway.trial_terms import TrialTerms
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.buffered_stream import BUFFERED
from breakeven.routing.policy import Decision
from breakeven.routing.trial import BASELINE_ARM, CANDIDATE_ARM, TrialPart
from breakeven.routing.trial_drawing import arm_of

AUTO: Final = "auto"
"""The name of a model by which a client leaves the choice to the gateway, unless a model is called so."""
GENERATING: Final[frozenset[Operation]] = frozenset({"chat", "completions", "responses", "messages"})
"""What a policy decides: embeddings and counts of tokens need the very model that was asked for."""
_KEPT_MAX_COUNT: Final = 4_096
_NOT_OVERRIDABLE: Final = Refusal(
    403,
    "override_not_allowed",
    "This key may not choose its model by `x-breakeven-model`. Leave the header out, or ask for a key that may.",
)


@dataclass(slots=True)
class Wish:
    """A request, as far as its model depends on it."""

    facts: RequestFacts
    bounds: Bounds
    """Without what the policy says."""
    groups: dict[str, str]
    override: str | None = None
    may_override: bool = False
    unit: str | None = None
    """What arms are drawn by; None: this request is in no experiment."""
    part: TrialPart | None = None
    """Of the policy's trial."""
    request_id: str = ""


@dataclass(slots=True)
class Chosen:
    """What was chosen; it may be shared by many requests."""

    chain: tuple[Target, ...]
    """Never empty."""
    reason: str
    bounds: Bounds
    policy_hash: str | None = None
    arm: str | None = None
    propensity: float | None = None
    escalate_to: tuple[Target, ...] = ()
    answer_checks: Any = None
    checker: Target | None = None
    """Whose answer must be the same."""
    is_buffered: bool = False
    """A stream whose answer is checked whole."""
    trial: TrialTerms | None = None
    """Of a request that is in a trial."""
    copy_to: str | None = None
    """The candidate of a shadow that gets a copy."""


class Asking(NamedTuple):
    """What a policy that reads words is asked of requests of one kind, but for their words."""

    groups: dict[str, str]
    model: str | None
    """That the client asks for."""
    closed: Models
    """While no upstream is in trouble."""


class Choosing:
    """Chooses, under one configuration and one version of a policy."""

    __slots__ = (
        "_availability",
        "_barred",
        "_buffered",
        "_chosen",
        "_compares",
        "_is_varied",
        "_levels",
        "_passed",
        "_passthrough",
        "_settings",
        "chains",
        "policy",
        "trial",
    )

    def __init__(
        self, settings: GatewaySettings, chains: Chains, policy: ModelChoice | None, availability: Availability
    ) -> None:
        self._settings = settings
        self._availability = availability
        self.chains = chains
        self.policy = policy
        trial = None if policy is None else policy.loaded.document.trial
        self.trial = None if trial is None else TrialDealing(trial)
        name = settings.passthrough
        if name is None and not settings.models and len(settings.upstreams) == 1:
            name = next(iter(settings.upstreams))
        self._passthrough = None if name is None else settings.upstreams.get(name)
        self._passed: dict[str, Target] = {}
        self._buffered = BUFFERED if settings.cascade_streams == "buffered" else frozenset()
        """Operations whose streams are checked whole."""
        self._barred: dict[Bounds, Models] = {}
        self._is_varied = settings.arms is not None or (policy is not None and policy.reads_words)
        """Whether requests of one kind may get different models."""
        self._compares = policy is not None and policy.agreement_model is not None
        self._levels = () if policy is None else policy.levels
        self._chosen: dict[tuple[object, ...], Chosen | Refusal] = {}

    def usual(self, facts: RequestFacts, bounds: Bounds, groups: dict[str, str]) -> Chosen | Refusal:
        """The same for a request without a wish of its own, kept for the next one of its kind."""
        if self._is_varied:
            return self.choose(Wish(facts, bounds, groups))
        acts = self._compares and acts_by_itself(facts.document)
        kind = (facts.model, facts.is_stream, acts, bounds, *map(groups.get, self._levels))
        chosen = self._chosen.get(kind)
        if chosen is None:
            if len(self._chosen) >= _KEPT_MAX_COUNT:
                self._chosen.clear()
            chosen = self._chosen[kind] = self.choose(Wish(facts, bounds, groups))
        return chosen

    def asking(self, facts: RequestFacts, bounds: Bounds, groups: dict[str, str]) -> Asking | None:
        """What the policy is asked of such requests; None where something else decides, or has a say."""
        asked, policy, is_listed = facts.model, self.policy, facts.model in self._settings.models
        if policy is None or not policy.reads_words or facts.operation not in GENERATING:
            return None
        if self._settings.arms is not None or self.trial is not None:
            return None
        allowed = policy.allowed(groups)
        if allowed is not None:
            bounds = bounds._replace(policy_models=allowed)
        if not is_listed and asked != AUTO and self._passthrough is not None:
            return None
        if is_listed and asked not in policy.models and self.chains.of(asked, bounds):
            return None
        return Asking(groups, None if asked == AUTO else asked, self.barred(policy, bounds))

    def decided(self, asking: Asking, prompt: str) -> Decision:
        """What the policy says of one of them."""
        assert self.policy is not None
        return self.policy.decide(asking.groups, asking.model, asking.closed, prompt)

    def choose(self, wish: Wish) -> Chosen | Refusal:
        """The model of a request, with those that may take its place."""
        asked, bounds, policy = wish.facts.model, wish.bounds, self.policy
        is_generating = wish.facts.operation in GENERATING
        if policy is not None and is_generating:
            allowed = policy.allowed(wish.groups)
            if allowed is not None:
                bounds = bounds._replace(policy_models=allowed)
        if wish.override is not None:
            return self._overridden(wish, bounds)
        is_listed = asked in self._settings.models
        if not is_listed and asked != AUTO and self._passthrough is not None:
            return self._passed_through(asked, bounds)
        if not is_generating or policy is None:
            return self._without_policy(wish, bounds, is_listed, is_generating)
        if is_listed and asked not in policy.models and (chain := self.chains.of(asked, bounds)):
            return Chosen(chain, "asked: not in the policy", bounds)
        if wish.part is not None and self.trial is not None:
            return self._in_trial(wish, wish.part, bounds, policy, self.trial)
        return self._armed(wish, bounds) or self._by_policy(wish, bounds, policy)

    def _in_trial(
        self, wish: Wish, part: TrialPart, bounds: Bounds, policy: ModelChoice, dealing: TrialDealing
    ) -> Chosen | Refusal:
        """The model of a request's arm; a request that either model may not answer is in no trial."""
        usual = self._baseline(wish, part, bounds, policy)
        if isinstance(usual, Refusal) or usual.chain[0].name == part.candidate_model:
            return usual
        # a copy is on nobody's budget
        reach = bounds._replace(is_priced=False) if part.mode == "shadow" else bounds
        candidates = self.chains.of(part.candidate_model, reach)
        if not candidates or candidates[0].name != part.candidate_model:
            return usual
        if part.mode == "shadow":
            if dealing.is_copied(part, wish.facts.document, wish.unit, wish.request_id):
                usual.arm, usual.propensity, usual.copy_to = BASELINE_ARM, 1.0, part.candidate_model
        elif (dealt := dealing.arm(part, wish.unit)) is not None:
            if dealt[0] == CANDIDATE_ARM:  # when it fails the client gets what it would have got
                chain = tuple(dict.fromkeys((*candidates, *usual.chain)))
                usual = Chosen(chain, f"trial: {dealing.trial.pilot}", bounds, policy.loaded.hash)
            usual.arm, usual.propensity = dealt
        if usual.arm is not None:
            usual.trial = dealing.terms(wish.groups.get("task"))
        return usual

    def _baseline(self, wish: Wish, part: TrialPart, bounds: Bounds, policy: ModelChoice) -> Chosen | Refusal:
        """Who answers in the baseline's arm, and whoever is in no trial."""
        if part.baseline_model is not None and (chain := self.chains.of(part.baseline_model, bounds)):
            return Chosen(chain, f"baseline of a trial: {part.baseline_model}", bounds, policy.loaded.hash)
        return self._by_policy(replace(wish, unit=None), bounds, policy)

    def _overridden(self, wish: Wish, bounds: Bounds) -> Chosen | Refusal:
        if not wish.may_override:
            return _NOT_OVERRIDABLE
        model = wish.override or ""
        if model not in self._settings.models:
            return unknown_model(model)
        return self._named(model, bounds, "override")

    def _without_policy(self, wish: Wish, bounds: Bounds, is_listed: bool, is_generating: bool) -> Chosen | Refusal:
        asked, default = wish.facts.model, self._settings.default_model
        model, reason = (asked, "asked") if is_listed or default is None or asked != AUTO else (default, "default")
        if model not in self._settings.models:
            return unknown_model(model)
        armed = self._armed(wish, bounds) if is_generating else None
        if armed is not None:
            return armed
        chosen = self._named(model, bounds, reason)
        return self._with_arm(chosen, wish, bounds) if is_generating and isinstance(chosen, Chosen) else chosen

    def _named(self, model: str, bounds: Bounds, reason: str) -> Chosen | Refusal:
        chain = self.chains.of(model, bounds)
        return Chosen(chain, reason, bounds) if chain else self.chains.refusal(model, bounds)

    def _passed_through(self, asked: str, bounds: Bounds) -> Chosen | Refusal:
        upstream = self._passthrough
        assert upstream is not None
        target = self._passed.get(asked)
        if target is None:
            if len(self._passed) >= _KEPT_MAX_COUNT:
                self._passed.clear()
            target = self._passed[asked] = Target(asked, upstream, asked)
        refusal = bounds.refusal(target)
        return Chosen((target,), "passthrough", bounds) if refusal is None else refusal

    def _by_policy(self, wish: Wish, bounds: Bounds, policy: ModelChoice) -> Chosen | Refusal:
        asked = None if wish.facts.model == AUTO else wish.facts.model
        prompt = prompt_of(wish.facts.document) if policy.reads_words else None
        decision = policy.decide(wish.groups, asked, self._closed(policy, bounds), prompt)
        if not decision.model:  # whoever is only out of order may still have fallbacks
            decision = policy.decide(wish.groups, asked, self.barred(policy, bounds), prompt)
        buffers = wish.facts.is_stream and wish.facts.operation in self._buffered
        checker = None
        if decision.escalate_to and wish.facts.is_stream and not buffers:  # its answer would be out unchecked
            decision = _last_of(decision, "streamed")
        elif decision.escalate_to and policy.agreement_model is not None:
            found = self._checker(policy.agreement_model, decision, wish.facts, bounds)
            checker = found if isinstance(found, Target) else None
            decision = _last_of(decision, found) if isinstance(found, str) else decision
        if not decision.model:
            return self._unlisted(bounds, policy) or self._refused(bounds, policy)
        chain = self.chains.of(decision.model, bounds)
        if not chain:
            return self.chains.refusal(decision.model, bounds)
        chosen = Chosen(chain, decision.reason, bounds, policy.loaded.hash)
        if decision.escalate_to:
            own = self.chains.own
            chosen.escalate_to = tuple(target for name in decision.escalate_to for target in own(name, bounds))
            chosen.answer_checks = policy.loaded.accepts if chosen.escalate_to else None
            chosen.is_buffered = buffers and chosen.answer_checks is not None
            chosen.checker = checker if chosen.answer_checks is not None else None
        return self._with_arm(chosen, wish, bounds)

    def _checker(self, model: str, decision: Decision, facts: RequestFacts, bounds: Bounds) -> Target | str:
        """Who is asked beside the first model of a cascade, or why answers to such a request are not compared."""
        if model in (decision.model, *decision.escalate_to):
            return f"{model} would be compared with itself"
        if acts_by_itself(facts.document):
            return "asked once: an answer changes something at the upstream"
        targets = self.chains.own(model, bounds)
        if self._availability.is_troubled:
            targets = self._availability.ordered(targets, self._availability.now())
        return targets[0] if targets else f"{model} cannot be asked"

    def barred(self, policy: ModelChoice, bounds: Bounds) -> Models:
        """Models of the policy that may not take such a request at all."""
        barred = self._barred.get(bounds)
        if barred is None:
            if len(self._barred) >= _KEPT_MAX_COUNT:
                self._barred.clear()
            names = policy.models
            barred = self._barred[bounds] = frozenset(name for name in names if not self.chains.own(name, bounds))
        return barred

    def _closed(self, policy: ModelChoice, bounds: Bounds) -> Models:
        """Those, and the models all whose servers are left alone now."""
        barred = self.barred(policy, bounds)
        if not self._availability.is_troubled:
            return barred
        now_s = self._availability.now()
        names = [name for name in policy.models if name not in barred]
        admits = self._availability.admits
        return barred.union(
            [name for name in names if not any(admits(each, now_s) for each in self.chains.own(name, bounds))]
        )

    def _refused(self, bounds: Bounds, policy: ModelChoice) -> Refusal:
        """Why no model of the policy ever may take such a request."""
        found = [self.chains.refusal(name, bounds) for name in policy.models]
        known = [each for each in found if each.code != "model_not_found"]
        return known[0] if known else unknown_model(policy.loaded.document.default_model)

    def _unlisted(self, bounds: Bounds, policy: ModelChoice) -> Chosen | None:
        """The default model, where the policy names models that nobody serves here."""
        default = self._settings.default_model
        if default is None or all(name in self._settings.models for name in policy.models):
            return None
        chain = self.chains.of(default, bounds)
        return Chosen(chain, "default: the policy's model is not listed here", bounds) if chain else None

    def _armed(self, wish: Wish, bounds: Bounds) -> Chosen | None:
        """The model of the request's arm, where it has one; a request that some arm could not serve is in none."""
        drawn = self._arm(wish, bounds)
        if drawn is None:
            return None
        arms = self._settings.arms
        assert arms is not None
        model = arms.models.get(drawn[0])
        if model is None:
            return None
        chain = self.chains.of(model, bounds)
        return Chosen(chain, f"arm: {drawn[0]}", bounds, None, *drawn)

    def _with_arm(self, chosen: Chosen, wish: Wish, bounds: Bounds) -> Chosen:
        """Of an arm that follows the policy: its name and chance."""
        if wish.unit is not None and (drawn := self._arm(wish, bounds)) is not None:
            chosen.arm, chosen.propensity = drawn
        return chosen

    def _arm(self, wish: Wish, bounds: Bounds) -> tuple[str, float] | None:
        arms = self._settings.arms
        if arms is None or wish.unit is None or (arms.tasks and wish.groups.get("task") not in arms.tasks):
            return None
        if not all(self.chains.own(model, bounds) for model in arms.models.values()):
            return None
        return arm_of(arms.experiment, wish.unit, arms.shares)


NO_UPSTREAM: Final = Refusal(
    503, "no_upstream", "All servers that may answer this request have failed lately. Try again in a while.", 1.0
)


def _last_of(decision: Decision, why: str) -> Decision:
    """Where no answer can be checked the last model of a cascade answers: its answers are always taken."""
    return Decision(decision.escalate_to[-1], f"{decision.reason}; {why}", decision.success_fractions)
