"""Success: how often a model does the work: as the scenario says, as a file of outcomes measured, else as assumed.

An open model that nobody measured is taken for its class, by its size; today's models for frontier models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from breakeven.catalog.model import ModelSpec
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Grade
from breakeven.facts.trace import Binder, Layer, Node
from breakeven.options.assembly.demand import Demand, ModelDemand
from breakeven.options.assembly.failure_cost import Answered, bind_failure_cost
from breakeven.options.assembly.measured_retries import bind_correlation
from breakeven.options.assembly.measured_success import MeasuredModel
from breakeven.options.assembly.retries import bind_tries
from breakeven.options.assembly.situation import Situation

SUCCESS: Final = "success_fraction"
ANY_OPEN_MODEL: Final = "open_model_success_fraction"
TODAYS_MODELS: Final = "frontier_success_fraction"
MID_FROM_PARAMS_COUNT: Final = 14e9
LARGE_FROM_PARAMS_COUNT: Final = 40e9

Evidence = Literal["measured", "partly", "stated", "assumed"]
"""Of a success rate: all of it measured, a part of it, none but some as the scenario says, or nothing but assumed."""


def success_fact(model: ModelSpec) -> str:
    """Name of the Fact for the model's class: by total parameters, and above 40 billion by kind.

    Small: below 14 billion. Mid: up to 40 billion, mixtures of experts among them. Large: dense above. Moe: mixtures
    of experts above.
    """
    if model.params_count < MID_FROM_PARAMS_COUNT:
        return "small_model_success_fraction"
    if model.params_count <= LARGE_FROM_PARAMS_COUNT:
        return "mid_model_success_fraction"
    return "moe_model_success_fraction" if model.is_moe else "large_model_success_fraction"


def bind_open_model_success(
    binder: Binder, model: ModelSpec, situation: Situation, calls: Demand | None = None
) -> Node:
    """Bind `success_fraction` of an Option that runs `model`, on `calls`, else on all.

    The scenario wins: `success_fraction` for every Option alike, then `open_model_success_fraction` for any open model.
    """
    if ANY_OPEN_MODEL in binder.scenario:
        return bind_assumed_success(binder, situation, ANY_OPEN_MODEL, "any open model, as the scenario says", calls)
    outcomes, asked = situation.choices.outcomes, calls or situation.demand
    found = outcomes.open_model(situation.catalog, model) if outcomes else None
    if outcomes and found:
        who = _Answerer(found)
        _bind_failures(binder, situation, {who: asked.models})
        _bind_mean(binder, _known(binder, situation, who, asked), f"{model.name}, as measured")
        bind_correlation(binder, situation, {found: 1.0})
        return bind_tries(binder)
    size = f"{model.params_count / 1e9:,.0f} billion parameters"
    kind = "mixture of experts" if model.is_moe else "dense"
    how = f"no outcome measured yet: assumed for its class ({model.name}: {size}, {kind})"
    return bind_assumed_success(binder, situation, success_fact(model), how, calls)


def bind_assumed_success(
    binder: Binder, situation: Situation, name: str, how: str, calls: Demand | None = None
) -> Node:
    """Bind `success_fraction` of an Option whose model does `calls`, or all, as the Fact `name` says."""
    _bind_failures(binder, situation, {_Answerer(None, name): (calls or situation.demand).models})
    binder.rename(SUCCESS, name, how)
    return bind_tries(binder)


def has_measured(situation: Situation, model: ModelSpec) -> bool:
    """Whether the scenario's outcomes have `model`."""
    outcomes = situation.choices.outcomes
    return outcomes is not None and outcomes.open_model(situation.catalog, model) is not None


def bind_todays_success(binder: Binder, situation: Situation, how: str, calls: Demand | None = None) -> Node:
    """Bind `success_fraction` of an Option in which today's models answer `calls`, each its own; all when None.

    A model that the outcomes do not have is assumed to do as `frontier_success_fraction` says.
    """
    return bind_mixed_success(binder, situation, how, calls or situation.demand)


def bind_mixed_success(
    binder: Binder,
    situation: Situation,
    how: str,
    calls: Demand,
    *,
    answers: Mapping[str, str] | None = None,
    instead: str = TODAYS_MODELS,
    unmeasured: Callable[[], Node] | None = None,
) -> Node:
    """Bind `success_fraction` where the log's models answer, or others in the place of some.

    `answers`: the log's model -> the one that answers in its place, which is assumed to do as `instead` says where the
    outcomes do not have it. `unmeasured`: binds the rate where they have none of all; by default `how` says what is
    assumed of today's models.
    """
    mix = _answerers(binder, situation, calls, answers or {}, instead)
    _bind_failures(binder, situation, mix)
    if SUCCESS in binder.scenario or not any(each.measured for each in mix):
        _ = unmeasured() if unmeasured else binder.rename(SUCCESS, TODAYS_MODELS, how)
    else:
        _bind_mix(binder, situation, mix, calls)
    bind_correlation(binder, situation, _measured_shares(mix, calls))
    return bind_tries(binder)


def _bind_mix(
    binder: Binder, situation: Situation, mix: Mapping[_Answerer, tuple[ModelDemand, ...]], calls: Demand
) -> Node:
    """Bind the mean over who answers, each by its share of the calls."""
    shares: dict[str, float] = {}
    for who, models in mix.items():
        of_them = _share(models, calls)
        for name, share in _known(binder, situation, who, replace(calls, models=models)).items():
            shares[name] = shares.get(name, 0.0) + of_them * share
    of_models = "" if len(mix) == 1 else "over the models that answer, measured where the outcomes have them"
    return _bind_mean(binder, shares, of_models or "as measured")


def _bind_mean(binder: Binder, shares: Mapping[str, float], said: str) -> Node:
    """Bind the mean of the Facts with these names, each by its share of the calls."""
    if len(shares) == 1:
        return binder.rename(SUCCESS, next(iter(shares)), said)
    if SUCCESS in binder.scenario:
        return binder.node(SUCCESS)
    nodes = tuple(binder.node(name) for name in shares)
    value: Draws | float = 0.0
    for node, share in zip(nodes, shares.values(), strict=True):
        value = value + node.value * share
    return binder.derive(SUCCESS, value, f"mean, weighted by calls: {said}", *nodes, weights=tuple(shares.values()))


def evidence_of(success: Node) -> Evidence:
    """What a success rate rests on."""
    leaves = [each for name, each in success.leaves().items() if each.assumption and name.endswith(SUCCESS)]
    stated = [each.layer is Layer.SCENARIO for each in leaves]
    measured = [
        not said and each.source is not None and each.source.grade is Grade.MEASURED
        for each, said in zip(leaves, stated, strict=True)
    ]
    if any(measured):
        return "measured" if all(measured) else "partly"
    return "stated" if any(stated) else "assumed"


@dataclass(frozen=True, slots=True)
class _Answerer:
    """A model of the outcomes, or the Fact that is assumed of those that they do not have."""

    measured: MeasuredModel | None
    assumed: str = ""


def _answerers(
    binder: Binder, situation: Situation, calls: Demand, answers: Mapping[str, str], instead: str
) -> dict[_Answerer, tuple[ModelDemand, ...]]:
    """Who answers which of the calls."""
    found: dict[_Answerer, tuple[ModelDemand, ...]] = {}
    outcomes = situation.choices.outcomes
    for each in calls.models:
        assumed = instead if each.label in answers else TODAYS_MODELS
        model = None
        if outcomes is not None and assumed not in binder.scenario:
            model = outcomes.log_model(situation.catalog, answers.get(each.label, each.label))
        who = _Answerer(model) if model else _Answerer(None, assumed)
        found[who] = (*found.get(who, ()), each)
    return found


def _known(binder: Binder, situation: Situation, who: _Answerer, calls: Demand) -> dict[str, float]:
    """Names of the Facts of `who`, which `binder` knows from now on, and the share of `calls` that each is of."""
    outcomes = situation.choices.outcomes
    if outcomes is None or who.measured is None:
        return {who.assumed: 1.0}
    found = outcomes.facts(who.measured, calls, situation.movable_tasks)
    _offer(binder, *(each.fact for each in found))
    return {each.fact.name: each.share_fraction for each in found}


def _measured_shares(
    mix: Mapping[_Answerer, tuple[ModelDemand, ...]], calls: Demand
) -> dict[MeasuredModel | None, float]:
    found: dict[MeasuredModel | None, float] = {}
    for who, models in mix.items():
        found[who.measured] = found.get(who.measured, 0.0) + _share(models, calls)
    return found


def _share(models: Sequence[ModelDemand], calls: Demand) -> float:
    return sum(each.requests_count for each in models) / max(calls.requests_count, 1)


def _bind_failures(binder: Binder, situation: Situation, mix: Mapping[_Answerer, tuple[ModelDemand, ...]]) -> None:
    """What a failed answer breaks, where the scenario says it by task."""
    costs, assumed = situation.choices.failure_usd_per_request, situation.catalog.assumptions
    if costs:
        answered = [
            Answered(calls, who.measured, 0.0 if who.measured else assumed[who.assumed].typical)
            for who, models in mix.items()
            for calls in models
        ]
        bind_failure_cost(binder, costs, answered, situation.demand.source.read)


def _offer(binder: Binder, *facts: Assumption) -> None:
    """Make Facts known to `binder`, below the scenario's."""
    binder.offer = {**binder.offer, **{fact.name: fact for fact in facts}}
