"""Policy document: everything that a policy file holds, as values; `policy_file` reads and writes it.

One document serves every kind of policy; the kind says which part decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.routing.policy import Kind
from breakeven.routing.scorer import Scorer
from breakeven.routing.trial import Trial

FORMAT_NAME: Final = "breakeven-policy"
FORMAT_VERSION: Final = 3
"""The newest that is read. A policy is written as the oldest that can hold it: 2 has floors and values by task, 3 has
prices of capacity by task, a cascade with confidence by task or an order for all tasks not named, or a scorer with a
residual."""
KINDS: Final[tuple[Kind, ...]] = ("single", "task_map", "threshold", "cascade", "allocation")


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model that the policy may choose, and what it cost on a day; None where nobody knows (never 0 for unknown)."""

    name: str
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    usd_per_request: float | None = None
    """Mean of its calls when the policy was learnt."""
    prices_as_of: str | None = None
    """ISO date."""


@dataclass(frozen=True, slots=True)
class GroupChoice:
    """What was learnt of one group of requests; the empty path is all of them."""

    path: tuple[str, ...]
    """Values at the document's levels, or at the first few of them."""
    model: str
    """The model of the group's requests, where the group decides."""
    success_fractions: Mapping[str, float] = field(default_factory=dict)
    usd_per_request: Mapping[str, float] = field(default_factory=dict)
    tries_count: int = 0
    why: str = ""
    allowed_models: tuple[str, ...] = ()
    """The only models that ever take the group's requests (residency, latency); none named: all."""
    share_fractions: Mapping[str, float] = field(default_factory=dict)
    """Of an allocation whose limits divide the group: model -> its share; empty where it is not divided."""
    is_fallback: bool = False
    """True: `model` takes the requests of groups below that were not seen, whatever a scorer says of them. A preference
    and no restriction: where `model` is closed another one takes them."""


@dataclass(frozen=True, slots=True)
class TaskFloor:
    """The promise about one task that has a floor of its own."""

    task: str
    quality_floor_ratio: float
    calibration_requests_count: int
    holds: bool
    """False: the task stays with the reference model."""
    missing_requests_count: int | None = None


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The promise about quality, and whether the evidence bears it."""

    quality_floor_ratio: float
    """Of the success of `against_model`."""
    against_model: str
    confidence_fraction: float
    method: str
    calibration_requests_count: int
    holds: bool
    missing_requests_count: int | None = None
    """Labelled requests still missing where it does not hold for lack of evidence."""
    by_task: tuple[TaskFloor, ...] = ()
    """Tasks with a floor of their own; the rest of the promise is about all others. All hold together with
    `confidence_fraction`."""


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """Which models are tried one after the other, and what decides that an answer will do."""

    order: tuple[str, ...]
    """First to last; the last one's answer is always taken."""
    order_by_task: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task -> its own order, one model where nothing else is asked; "" for all tasks that are not named here."""
    checks_by_task: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task -> declaration of validators (`validators.validators_of`); the task "" is for all others."""
    agreement_model: str | None = None
    """A second model whose answer must be the same; None where answers are not compared."""
    agreement: str = "text"
    """How answers are compared: `answers.COMPARISONS`."""
    confidence_min_fraction: float | None = None
    """The least confidence in an answer to take it: what the policy's scorer predicts from the answer's words, or what
    the caller says (the probability of its tokens, a judge)."""
    confidence_min_fraction_by_task: Mapping[str, float] = field(default_factory=dict)
    """Task with a floor of its own -> the least confidence at which that was proven, in the place of the one above."""

    def order_of(self, task: str) -> tuple[str, ...]:
        """The models that a task's requests are put to, first to last.

        >>> plan = CascadePlan(("small", "big"), order_by_task={"contract": ("big",)})
        >>> plan.order_of("contract"), plan.order_of("faq")
        (('big',), ('small', 'big'))
        """
        return self.order_by_task.get(task, self.order_by_task.get("", self.order))

    def confidence_of(self, task: str) -> float | None:
        """The least confidence in an answer to a task; None where it is not asked for."""
        return self.confidence_min_fraction_by_task.get(task, self.confidence_min_fraction)


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy, as learnt."""

    kind: Kind
    models: tuple[PricedModel, ...]
    default_model: str
    """Takes whatever the policy cannot decide: the strong model, or the one in use."""
    incumbent_model: str | None = None
    """The model in use before."""
    levels: tuple[str, ...] = ("task",)
    """Group columns of a request, coarse to fine."""
    groups: tuple[GroupChoice, ...] = ()
    allowed_by_task: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task -> the only models that ever take its requests (residency), in whatever group they are."""
    value_usd_per_success: float | None = None
    """What a success is worth against its cost; None: the most successful model, whatever it costs."""
    value_usd_per_success_by_task: Mapping[str, float] = field(default_factory=dict)
    """Task with a floor of its own -> what a success of it is worth, in the place of the value above."""
    failure_usd_per_request: Mapping[str, float] = field(default_factory=dict)
    """Task -> what one failed answer costs, on top of the call; "" for all other tasks."""
    capacity_usd_per_request: Mapping[str, float] | None = None
    """Model -> shadow price of its capacity."""
    capacity_usd_per_request_by_task: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Task with a floor of its own -> the prices of capacity at which its floor was proven, in the place of those
    above."""
    scorer: Scorer | None = None
    """Of prompts; of a cascade: of the words of the first model's answers."""
    cascade: CascadePlan | None = None
    guarantee: Guarantee | None = None
    trial: Trial | None = None
    """A pilot's instructions, while it runs."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the report: what it was learnt from, gain and interval, verdict."""
    created: str = ""
    """ISO date."""
    made_by: str = ""

    @property
    def format_version(self) -> int:
        """The oldest format that can hold it."""
        plan = self.cascade
        by_task = plan is not None and (plan.confidence_min_fraction_by_task or "" in plan.order_by_task)
        has_residual = self.scorer is not None and self.scorer.residual is not None
        if self.capacity_usd_per_request_by_task or by_task or has_residual:
            return 3
        has_floors = self.guarantee is not None and bool(self.guarantee.by_task)
        return 2 if has_floors or self.value_usd_per_success_by_task else 1

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models, in order."""
        return tuple(each.name for each in self.models)
