"""Option part: what a document says about one option: its amounts, its lines, and the hardware it buys."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A closed, frozen piece of a document whose fields carry their docstrings into the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Amount(Part):
    """An uncertain amount."""

    p10: float
    """10 % of the futures lie below."""
    p50: float
    """Median."""
    p90: float
    """90 % of the futures lie below."""
    mean: float
    """Expected value."""
    unit: str
    """Unit, e.g. usd/month."""


class LinePart(Part):
    """One cost line of one option."""

    name: str
    title: str
    usd_per_month: Amount
    engineer_hours_per_month: Amount | None
    raw_rent: bool
    apart: bool
    """True: an expected loss, beside the total and not in it."""
    note: str
    trace: str
    """Id of the node in `trace`."""


class OwnershipPart(Part):
    """One purchase of hardware three ways: as the comparison's annuity, as cash, and in the books."""

    lifetime_months: Amount
    """How long the hardware is kept."""
    capex_usd: Amount
    """Paid at the start."""
    resale_usd: Amount
    """Got back at the end."""
    running_usd_per_month: Amount
    """Every counted line but the capital: the same in all three."""
    annuity_usd_per_month: Amount
    """What the comparison counts for the capital: the loss of value and the interest on the money tied up."""
    annuity_total_usd_per_month: Amount
    """Annuity and running costs: the total of the option."""
    annuity_over_life_usd: Amount
    """That over all months of the life."""
    cash_over_life_usd: Amount
    """Purchase and running costs, less the resale."""
    depreciation_usd_per_month: Amount
    """Straight-line loss of value."""
    accounting_usd_per_month: Amount
    """Depreciation and running costs: what stands in the books each month."""
    accounting_over_life_usd: Amount
    """That over all months of the life: the same dollars as the cash."""
    cost_of_capital_usd_per_month: Amount
    """What the annuity holds beyond the depreciation."""


class OptionPart(Part):
    """One option."""

    name: str
    title: str
    family: str
    buys: str
    usd_per_month: Amount
    usd_per_mtok: Amount
    usd_per_success: Amount
    equal_success_usd_per_month: Amount
    """Cost of as many successful outcomes as today."""
    with_losses_usd_per_month: Amount
    """With the expected breach loss counted."""
    extra_usd_per_month: Amount
    """Beyond today's cost, for equal successful outcomes; negative: it costs less."""
    success_fraction: Amount
    raw_rent_usd_per_month: Amount | None
    total_over_rent_ratio: Amount | None
    """Total over bare GPU rent; the guide says 3 to 5."""
    probability_cheapest_fraction: float
    probability_cheapest_with_losses_fraction: float
    lines: tuple[LinePart, ...]
    total_trace: str = ""
    """Id of the total in `trace`."""
    cost_per_success_trace: str = ""
    """Id of the cost per successful outcome in `trace`."""
    facts: dict[str, Amount]
    """Replicas, GPUs, busy and billed share, cold starts, energy and carbon where the option has a fleet."""
    ownership: OwnershipPart | None = None
    """For an option that buys hardware."""
    only_if: str = ""
    """What must be true of the reader for the option to be there at all; such an option is never recommended, and
    its odds are those against all the others. Empty: everybody may take it."""
    same_as: str | None = None
    """An option that costs the same in every future; the odds are counted there."""


class UnavailablePart(Part):
    """An option that could not be costed."""

    name: str
    title: str
    reason: str
    family: str = ""
    kind: Literal["price", "constraint", "other"] = "other"
    """No price is known; a hard constraint of the scenario is not met; or it does not fit the work."""
