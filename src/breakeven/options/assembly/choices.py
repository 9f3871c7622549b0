"""Choices: what the scenario chose where an Option leaves a choice, and what it demands of providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from breakeven.catalog.contract import ContractPrice
from breakeven.options.assembly.audited_work import AuditedWork
from breakeven.options.assembly.measured_success import MeasuredSuccess
from breakeven.serving.calibrate import Correction

Team = Literal["existing", "new_hires"]
DataBorder = Literal["eu", "own_vpc"]
COMMODITY_TASKS: Final = (
    "classification",
    "classify",
    "labelling",
    "labeling",
    "extraction",
    "extract",
    "faq",
    "tagging",
    "tag",
    "routing",
    "route",
    "moderation",
    "summarization",
    "summarisation",
    "summarize",
    "summarise",
    "summary",
)
"""Words in the name of a task by which a hybrid takes it for commodity work, unless the scenario lists others.

A guess at the names of the work that small open models are given first; nobody has measured it on these calls.
"""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Hard constraints on whoever processes the data; an empty one demands nothing."""

    jurisdictions: tuple[str, ...] = ()
    """Countries whose law the provider may be under, e.g. ``DE``; ``EU`` stands for its member states."""
    processing_regions: tuple[str, ...] = ()
    """Regions in which data may be processed; a provider that may process elsewhere too does not meet it."""
    retention_max_days: float | None = None
    """Longest time the provider may keep prompts and answers."""
    no_training: bool = False
    """True: the provider must not train on the data."""
    certifications: tuple[str, ...] = ()
    """Certificates the provider must hold, all of them."""
    data_may_not_leave: DataBorder | None = None
    """``eu``: paid by the token, it must process in the European Union only. ``own_vpc``: on your own machines only."""
    place: str = field(default="", compare=False)
    """File and line where the constraints stand; empty when no file says them. No part of what they say."""

    def __bool__(self) -> bool:
        return self != Requirements()


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What the scenario knows of a provider; None leaves what the catalogue says."""

    jurisdiction: str | None = None
    processing_regions: tuple[str, ...] | None = None
    retention_days: float | None = None
    trains_on_data: bool | None = None
    certifications: tuple[str, ...] | None = None
    in_own_vpc: bool | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the scenario chose where an Option leaves a choice."""

    frontier_model: str
    """``provider/model`` assumed for calls whose log names no model."""
    open_model: str
    """Name of the open model in the catalogue."""
    broker_offer: str | None
    """Name of the token offer in the catalogue; None: the cheapest one for the open model."""
    gpu: str
    """Name of the GPU in the catalogue."""
    precision: str | None = None
    """``bf16``, ``fp8`` or ``fp4``; None: the smallest the model is shipped in and the GPU computes."""
    gpus_per_replica_count: int | None = None
    """None: the fewest of 1, 2, 4, 8 that hold the model and enough sequences."""
    tier_model: str | None = None
    """``provider/model`` that all calls move to; None: each model's own cheaper tier."""
    deepseek_offer: str | None = None
    """Name of a token offer of DeepSeek's own API; None: deepseek-chat, or its successor."""
    small_model: str = "Qwen3-8B"
    """Name of the open model for one small GPU."""
    small_gpu: str = "L4"
    """Name of the small GPU in the catalogue."""
    region: str = "us"
    """Whose wages and power prices are taken."""
    team: Team = "existing"
    """Whether people who are there do the work, or people are hired for it."""
    contract: tuple[ContractPrice, ...] = ()
    """Agreed prices per token; they win over every list."""
    require: Requirements = field(default_factory=Requirements)
    """Hard constraints on providers."""
    providers: Mapping[str, ProviderTerms] = field(default_factory=dict)
    """Provider -> what the scenario knows of it."""
    commodity_tasks: tuple[str, ...] = COMMODITY_TASKS
    """Names of tasks that a hybrid moves, where the log names its tasks."""
    measured: tuple[Correction, ...] = ()
    """What was measured on deployments of one's own (`breakeven calibrate`)."""
    audited: AuditedWork | None = None
    """What an audit says of the log's tasks (`breakeven audit`)."""
    names_commodity_tasks: bool = False
    """Whether the scenario names `commodity_tasks` itself; then they win over the audit's."""
    outcomes: MeasuredSuccess | None = None
    """What a file of outcomes measured of models (`outcomes` in the scenario)."""
    failure_usd_per_request: Mapping[str, float] = field(default_factory=dict)
    """Task -> what a failed answer breaks; `other`: that of all other calls."""
