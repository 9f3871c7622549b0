"""Models: every open model of the catalogue on this workload, each at its cheapest way to be served, side by side.

Success rates are guesses by class of model until somebody measures them, so beside each cost stands the success rate at
which the model would cost as much per successful outcome as today's API: that number needs no guess about the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from breakeven.catalog.model import ModelSpec
from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.comparison import Range, leaf_nodes, range_of
from breakeven.errors import CatalogError, ConstraintNotMet, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.formula import formula
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Node
from breakeven.options.assembly.measured_success import outcomes_words
from breakeven.options.assembly.offers import fixed_fact
from breakeven.options.assembly.success import success_fact
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

SizeClass = Literal["small", "mid", "large", "moe"]
"""By `success_fact`: below 14 billion parameters; 14 to 40; dense above; mixtures of experts above."""
Within = Literal["below", "inside", "above"]
LeftOutKind = Literal["price", "constraint", "context", "fit"]

SIZE_CLASSES: Final[tuple[SizeClass, ...]] = ("small", "mid", "large", "moe")
CHEAPER_TIER: Final = "cheaper_tier"
SMALL_GPU: Final = "small_gpu"
WAYS: Final = ("brokered", "rented_on_demand", SMALL_GPU)
"""Options that are asked for each model, unless the scenario names others; the small GPU for small models alone."""
OPEN_MODEL_FAMILIES: Final = frozenset({"brokered", "managed", "self_hosted"})
NOT_ANY_MODEL: Final = frozenset({"deepseek_api"})
TOO_LONG_MAX_FRACTION: Final = 0.01
"""A model whose context is too short for more of the calls than this is left out: they would all fail."""
SUCCESS: Final = "success_fraction"
_PROBES: Final = (1.0, 0.5)
"""Success rates at which an Option is costed again, to see what of its cost hangs on success."""


@formula
def needed_success_fraction(
    all_right_usd_per_month: Draws,
    all_wrong_extra_usd_per_month: Draws,
    rival_usd_per_success: Draws,
    requests_per_month: Draws,
) -> Draws:
    """Success rate at which an outcome costs what the rival's does; above 1: no rate is enough.

    The monthly cost is ``all_right + all_wrong_extra * (1 - p)``, the second part for correcting failed answers; solve
    ``cost / (requests * p) = rival``. Without corrections it is the rival's success times the ratio of the bills.

    >>> float(needed_success_fraction(600.0, 0.0, 0.01, 100_000.0))
    0.6
    """
    rival_usd_per_month = rival_usd_per_success * requests_per_month
    return (all_right_usd_per_month + all_wrong_extra_usd_per_month) / (
        rival_usd_per_month + all_wrong_extra_usd_per_month
    )


@dataclass(frozen=True, slots=True)
class WayCost:
    """One model served one way."""

    cost: OptionCost
    usd_per_month: Range
    usd_per_mtok: Range
    usd_per_success: Range
    token_usd_per_mtok: Range | None
    """Price of the tokens alone, for this mix; None where nothing is billed by the token."""
    gpu: str | None
    gpus_count: Range | None
    note: str = ""

    @property
    def option(self) -> str:
        """Name of the Option."""
        return self.cost.name


@dataclass(frozen=True, slots=True)
class SuccessCost:
    """A monthly bill as a line in the success rate p: ``all_right + all_wrong_extra * (1 - p)``."""

    all_right_usd_per_month: Draws
    all_wrong_extra_usd_per_month: Draws
    requests_per_month: Draws

    def needed_fraction(self, rival_usd_per_success: Draws) -> Draws:
        """Success rate at which an outcome costs what the rival's does."""
        return needed_success_fraction(
            self.all_right_usd_per_month,
            self.all_wrong_extra_usd_per_month,
            rival_usd_per_success,
            self.requests_per_month,
        )


@dataclass(frozen=True, slots=True)
class RefusedWay:
    """One way in which a model cannot be had."""

    option: str
    title: str
    reason: str
    kind: LeftOutKind


@dataclass(frozen=True, slots=True)
class ModelCost:
    """One open model at its cheapest way, and at the others."""

    model: ModelSpec
    size_class: SizeClass
    ways: tuple[WayCost, ...]
    """Lowest expected cost per success first."""
    refused: tuple[RefusedWay, ...]
    success: Assumption
    """What is assumed of the model's class, or what the scenario says."""
    success_cost: SuccessCost
    """The bill of the best way, by success."""
    needed_success: Range
    """Success rate at which an outcome costs what today's does."""
    needed_within: Within
    """Where the median of the needed rate lies: below, inside or above the range that is assumed."""
    cheapest_fraction: float
    """Share of the draws in which an outcome costs least here, of all models; a tie is shared."""
    below_status_quo_fraction: float
    """Share of the draws in which an outcome costs less than today's."""
    too_long_fraction: float
    """Share of the calls that do not fit into the model's context."""

    @property
    def name(self) -> str:
        """Name in the catalogue."""
        return self.model.name

    @property
    def best(self) -> WayCost:
        """The way with the lowest expected cost per success."""
        return self.ways[0]

    def way(self, option: str) -> WayCost | None:
        """The model served by `option`, or None."""
        return next((each for each in self.ways if each.option == option), None)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that is in no figure, and why."""

    model: ModelSpec
    size_class: SizeClass
    kind: LeftOutKind
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelRanking:
    """Open models side by side, on the same draws."""

    models: tuple[ModelCost, ...]
    """Sorted by the median cost per success, cheapest first."""
    left_out: tuple[LeftOut, ...]
    status_quo: WayCost
    cheaper_tier: WayCost | None
    """The provider's own cheaper models; None: see `no_tier_reason`."""
    no_tier_reason: str
    draws_count: int
    seed: int

    @property
    def best(self) -> ModelCost | None:
        """The model with the lowest expected cost per success; None when none could be costed."""
        return cheapest(self.models)

    def model(self, name: str) -> ModelCost:
        """The model called `name`."""
        return next(each for each in self.models if each.name == name)


def size_class(model: ModelSpec) -> SizeClass:
    """Class by which success is assumed."""
    word = success_fact(model).partition("_")[0]
    return next(each for each in SIZE_CLASSES if each == word)


def cheapest(models: Sequence[ModelCost]) -> ModelCost | None:
    """The one with the lowest expected cost per success."""
    return min(models, key=lambda each: (each.best.usd_per_success.mean, each.name), default=None)


def ways_of(named: Sequence[str], options: Mapping[str, Option]) -> tuple[str, ...]:
    """Which of the scenario's options serve any open model; the usual ones when it names none."""
    chosen = [
        name
        for name in named
        if name in options and options[name].family in OPEN_MODEL_FAMILIES and name not in NOT_ANY_MODEL
    ]
    return tuple(chosen) or tuple(name for name in WAYS if name in options)


def rank_models(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    *,
    ways: Sequence[str] = WAYS,
    too_long: Mapping[str, float] | None = None,
) -> ModelRanking:
    """Cost each open model by each of `ways`; `too_long`: share of the calls beyond a model's context, by its name.

    Raises UnknownPrice when today's models have no price: there is nothing to compare with.
    """
    evaluation, count = Evaluation(draws.of), draws.draws_count
    status_quo = _way(options[STATUS_QUO].cost(situation, evaluation), count)
    tier, no_tier = _tier(situation, options, evaluation, count)
    left_out: list[LeftOut] = []
    found: list[ModelCost] = []
    for model in situation.catalog.models.values():
        over_fraction = (too_long or {}).get(model.name, 0.0)
        if over_fraction > TOO_LONG_MAX_FRACTION:
            reason = f"context of {model.context_tokens:,} tokens: {over_fraction * 100:.1f} % of the calls are longer"
            left_out.append(LeftOut(model, size_class(model), "context", (reason,)))
            continue
        costed, refused = _all_ways(situation_for(situation, model), model, ways, options, draws)
        if costed:
            found.append(_model_cost(situation, model, costed, refused, options, draws, status_quo, over_fraction))
        else:
            left_out.append(LeftOut(model, size_class(model), _main_kind(refused), _reasons(refused)))
    ranked = sorted(_with_odds(found, count), key=lambda each: (each.best.usd_per_success.p50, each.name))
    return ModelRanking(tuple(ranked), tuple(left_out), status_quo, tier, no_tier, count, draws.seed)


def situation_for(situation: Situation, model: ModelSpec) -> Situation:
    """The situation with `model` as the open model; what the scenario chose for its own open model is for that alone.

    A precision that the model has no weights in is not forced on it: it runs in the one it is published in.
    """
    choices = situation.choices
    is_chosen = model.name == choices.open_model
    shipped = is_chosen or choices.precision in model.weights_gb_by_precision
    changed = replace(
        choices,
        open_model=model.name,
        small_model=model.name,
        broker_offer=choices.broker_offer if is_chosen else None,
        precision=choices.precision if shipped else None,
        gpus_per_replica_count=choices.gpus_per_replica_count if is_chosen else None,
    )
    return replace(situation, choices=changed)


def success_cost(situation: Situation, option: Option, draws: DrawSet) -> SuccessCost:
    """What of the bill hangs on success, found by costing the Option at two success rates."""
    source = Source("pinned to see what hangs on it", "breakeven", situation.catalog.as_of, Grade.GUESS)
    bills = []
    for rate in _PROBES:
        pinned = {**situation.scenario, SUCCESS: fixed_fact(SUCCESS, rate, source)}
        bills.append(option.cost(replace(situation, scenario=pinned), Evaluation(draws.of)))
    all_right, half_right = (each.total.value for each in bills)
    extra = (half_right - all_right) / (_PROBES[0] - _PROBES[1])
    return SuccessCost(all_right, extra, bills[0].requests.value)


def situation_of_way(situation: Situation, way: WayCost) -> Situation:
    """The situation with the GPU that `way` took."""
    if way.gpu is None or way.option == SMALL_GPU:
        return situation
    return replace(situation, choices=replace(situation.choices, gpu=way.gpu))


def full(value: Draws, draws_count: int) -> Draws:
    """`value` broadcast to shape ``(draws,)``."""
    return np.broadcast_to(value, (draws_count,)).astype(np.float64)


def _all_ways(
    situation: Situation, model: ModelSpec, ways: Sequence[str], options: Mapping[str, Option], draws: DrawSet
) -> tuple[tuple[WayCost, ...], tuple[RefusedWay, ...]]:
    """The model by each way, cheapest expected success first, and the ways it cannot be had."""
    costed: list[WayCost] = []
    refused: list[RefusedWay] = []
    evaluation = Evaluation(draws.of)
    for name in ways:
        if name == SMALL_GPU and size_class(model) != "small":
            continue
        option = options[name]
        used, note = situation, ""
        try:
            try:
                cost = option.cost(used, evaluation)
            except CatalogError as error:
                if isinstance(error, ConstraintNotMet) or name == SMALL_GPU or option.family == "brokered":
                    raise
                used, cost = _on_another_gpu(situation, option, evaluation, error)
                note = f"the scenario's GPUs do not hold it: {used.choices.gpu} is the cheapest that does"
        except (UnknownPrice, CatalogError) as error:
            refused.append(RefusedWay(name, option.title, str(error), _refusal(error)))
            continue
        gpu = used.choices.small_gpu if name == SMALL_GPU else used.choices.gpu
        costed.append(_way(cost, draws.draws_count, gpu=gpu, note=note))
    return tuple(sorted(costed, key=lambda each: (each.usd_per_success.mean, each.option))), tuple(refused)


def _on_another_gpu(
    situation: Situation, option: Option, evaluation: Evaluation, why_not: CatalogError
) -> tuple[Situation, OptionCost]:
    """The cheapest other GPU of the catalogue, at typical values; raises the first error when there is none."""
    found: list[tuple[float, str]] = []
    for gpu in situation.catalog.gpus:
        other = replace(situation, choices=replace(situation.choices, gpu=gpu, gpus_per_replica_count=None))
        try:
            found.append((float(option.cost(other, Evaluation(typical)).cost_per_success.value.flat[0]), gpu))
        except (UnknownPrice, CatalogError):
            continue
    if not found:
        raise why_not
    chosen = replace(situation, choices=replace(situation.choices, gpu=min(found)[1], gpus_per_replica_count=None))
    return chosen, option.cost(chosen, evaluation)


def _way(cost: OptionCost, draws_count: int, *, gpu: str | None = None, note: str = "") -> WayCost:
    total = full(cost.total.value, draws_count)
    facts = {node.name: node for node in cost.facts}
    tokens = next((line.usd_per_month for line in cost.breakdown.lines if line.name == "tokens"), None)
    price = next((node for node in tokens.inputs if node.name == "token_usd_per_mtok"), None) if tokens else None
    has_fleet = "gpus_count" in facts
    return WayCost(
        cost,
        range_of(total),
        range_of(total / cost.volume.value),
        range_of(full(cost.cost_per_success.value, draws_count)),
        range_of(full(price.value, draws_count)) if price else None,
        gpu if has_fleet else None,
        range_of(full(facts["gpus_count"].value, draws_count)) if has_fleet else None,
        note,
    )


def _model_cost(
    situation: Situation,
    model: ModelSpec,
    costed: tuple[WayCost, ...],
    refused: tuple[RefusedWay, ...],
    options: Mapping[str, Option],
    draws: DrawSet,
    status_quo: WayCost,
    over_fraction: float,
) -> ModelCost:
    best, today = costed[0], status_quo.cost.cost_per_success.value
    here = situation_of_way(situation_for(situation, model), best)
    by_success = success_cost(here, options[best.option], draws)
    needed = range_of(full(by_success.needed_fraction(today), draws.draws_count))
    success = _success_fact(here, model, best.cost.success)
    below = np.mean(full(best.cost.cost_per_success.value, draws.draws_count) < today)
    return ModelCost(
        model,
        size_class(model),
        costed,
        refused,
        success,
        by_success,
        needed,
        _within(needed.p50, success),
        0.0,
        float(below),
        over_fraction,
    )


def _success_fact(situation: Situation, model: ModelSpec, success: Node) -> Assumption:
    """The rate that the model's success starts from; one rate over all calls where each part was measured."""
    first = next(node.assumption for node in leaf_nodes([success]) if node.assumption is not None)
    outcomes = situation.choices.outcomes
    measured = outcomes.open_model(situation.catalog, model) if outcomes else None
    if outcomes is None or measured is None or not outcomes_words(first).file:
        return first
    return outcomes.fact(measured, situation.demand)


def _with_odds(found: Sequence[ModelCost], draws_count: int) -> list[ModelCost]:
    """Each with its share of the draws in which it is cheapest; models that tie on a draw share it."""
    if not found:
        return []
    stack = np.stack([full(each.best.cost.cost_per_success.value, draws_count) for each in found])
    is_lowest = stack == np.min(stack, axis=0)
    shares = np.mean(is_lowest / np.sum(is_lowest, axis=0), axis=1)
    return [replace(each, cheapest_fraction=float(share)) for each, share in zip(found, shares, strict=True)]


def _tier(
    situation: Situation, options: Mapping[str, Option], evaluation: Evaluation, draws_count: int
) -> tuple[WayCost | None, str]:
    if CHEAPER_TIER not in options:
        return None, "no such option"
    try:
        return _way(options[CHEAPER_TIER].cost(situation, evaluation), draws_count), ""
    except (UnknownPrice, CatalogError) as error:
        return None, str(error)


def _within(rate: float, assumed: Assumption) -> Within:
    if rate < assumed.low:
        return "below"
    return "inside" if rate <= assumed.high else "above"


def _refusal(error: Exception) -> LeftOutKind:
    if isinstance(error, ConstraintNotMet):
        return "constraint"
    return "price" if isinstance(error, UnknownPrice) else "fit"


def _main_kind(refused: Sequence[RefusedWay]) -> LeftOutKind:
    """What to do something about first."""
    kinds: tuple[LeftOutKind, ...] = ("constraint", "price", "fit")
    return next((each for each in kinds if any(each == one.kind for one in refused)), "fit")


def _reasons(refused: Sequence[RefusedWay]) -> tuple[str, ...]:
    return tuple(f"{each.title}: {each.reason}" for each in refused) or ("none of the ways asked for serves it",)
