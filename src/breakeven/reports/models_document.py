"""The models document: open models ranked by cost per successful outcome, as versioned JSON.

Every amount is a range over the draws. The JSON Schema is published in docs/reference/models.schema.json. Minor
versions add fields; a major version may remove them.
"""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from breakeven.reports.document import Amount, AssumptionPart, FooterPart, WorkloadPart

SCHEMA_VERSION: Final = "1.0"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ModelsVerdictPart(_Part):
    """The answer."""

    sentence: str
    """The cheapest model, with its odds, or that none could be costed."""
    details: tuple[str, ...]
    """What a reader must know beside it, most important first."""
    cheapest: str | None
    """Name of the model with the lowest expected cost per success."""
    odds_fraction: float
    """Share of futures in which it has the cheapest outcome of all models."""
    next_command: str
    """What to run next."""


class WayPart(_Part):
    """One model served one way, or what it is compared with."""

    option: str
    title: str
    buys: str
    gpu: str | None
    """GPU that is rented; None where nothing is."""
    gpus_count: Amount | None
    note: str
    """What had to be chosen differently from the scenario; empty when nothing had to."""
    usd_per_month: Amount
    usd_per_mtok: Amount
    """Everything, over all tokens."""
    token_usd_per_mtok: Amount | None
    """The price of the tokens alone, for this mix; None where nothing is billed by the token."""
    usd_per_success: Amount


class RefusedWayPart(_Part):
    """One way in which a model cannot be had; it counts as no price, never as zero."""

    option: str
    title: str
    kind: Literal["price", "constraint", "context", "fit"]
    reason: str


class SuccessPart(_Part):
    """What success rate is assumed."""

    name: str
    """Name of the Fact."""
    low: float
    typical: float
    high: float
    grade: str
    """guess: nobody has measured it."""


class ModelPart(_Part):
    """One open model at its cheapest way."""

    rank: int
    """1 is the lowest median cost per success of all classes."""
    name: str
    size_class: Literal["small", "mid", "large", "moe"]
    """small: below 14 billion parameters; mid: up to 40; large: dense above; moe: mixtures of experts above."""
    params_count: float
    active_params_count: float
    """Parameters that take part in one token; fewer than all in a mixture of experts."""
    context_tokens: int
    calls_too_long_fraction: float
    """Share of the log's calls that do not fit into the context."""
    ways: tuple[WayPart, ...]
    """Lowest expected cost per success first: the first one is the model's cost."""
    refused: tuple[RefusedWayPart, ...]
    success: SuccessPart
    needed_success_fraction: Amount
    """Success rate at which an outcome costs what today's does; above 1: no rate is enough. Needs no guess about it."""
    needed_within: Literal["below", "inside", "above"]
    """Where the median of that rate lies against what is assumed of the class."""
    probability_cheapest_fraction: float
    """Share of futures in which an outcome costs least here, of all models; the shares add up to 1."""
    probability_below_today_fraction: float
    """Share of futures in which an outcome costs less than today's."""


class LeftOutPart(_Part):
    """A model that is in no figure."""

    name: str
    size_class: Literal["small", "mid", "large", "moe"]
    kind: Literal["price", "constraint", "context", "fit"]
    """price: UNPRICED; constraint: a hard constraint is not met; context: calls are too long; fit: too large."""
    reasons: tuple[str, ...]


class SizeRatioPart(_Part):
    """How many times the small model's figure the large one's is."""

    measure: str
    large: str
    small: str
    ratio: Amount


class ModelClaimPart(_Part):
    """One claim of the guide, tested on this workload."""

    name: str
    claim: str
    """As the guide states it."""
    figure: str
    """Our figure, in one line."""
    verdict: Literal["holds", "depends", "does not hold", "not tested"]
    because: str
    """What it depends on, or why not."""
    wins_fraction: float | None
    """For a claim that something beats something: in what share of the futures it does."""
    ratios: tuple[SizeRatioPart, ...]


class ModelsDocument(_Part):
    """Open models ranked by cost per successful outcome."""

    schema_version: str
    kind: Literal["models"]
    verdict: ModelsVerdictPart
    workload: WorkloadPart
    models: tuple[ModelPart, ...]
    """Lowest median cost per success first."""
    left_out: tuple[LeftOutPart, ...]
    today: WayPart
    """The models of the log as they are."""
    cheaper_tier: WayPart | None
    """The same providers' cheaper models."""
    claims: tuple[ModelClaimPart, ...]
    assumptions: tuple[AssumptionPart, ...]
    """Every Fact that was read; `used_by` names the models."""
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    warnings: tuple[str, ...]
    footer: FooterPart


def to_json(document: ModelsDocument) -> str:
    """The document as JSON text, two-space indented, ending in a newline."""
    return json.dumps(document.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
