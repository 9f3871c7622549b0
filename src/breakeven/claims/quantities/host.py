"""Host: what serving it oneself costs: running lines, and capital spread over the life of the hardware."""

from __future__ import annotations

from breakeven.claims.sums import Addend, Sum
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import TOKENS_PER_MTOK

ONE_PERIOD = True
RUNNING_LINES = (
    "gpu_rent_usd",
    "committed_usd",
    "electricity_usd",
    "colocation_usd",
    "engineering_labour_usd",
    "mlops_infrastructure_usd",
    "monitoring_usd",
    "quality_monitoring_usd",
    "storage_usd",
    "network_usd",
    "software_usd",
    "hardware_decay_usd",
    "incident_response_usd",
    "opportunity_cost_usd",
    "migration_usd",
    "fine_tuning_usd",
    "failed_answers_usd",
    "overhead_usd",
    "other_usd",
)


@formula
def overhead_usd(gpu_rent_usd: Draws, overhead_fraction: Draws) -> Draws:
    """A lump for everything else, as a share of the rent.

    >>> round(overhead_usd(868.224, 0.15), 4)
    130.2336
    """
    return gpu_rent_usd * overhead_fraction


@formula
def stated_running_usd(host_usd: Draws) -> Draws:
    """The whole cost of self-hosting, where the claim states one figure for it.

    >>> stated_running_usd(95.0)
    95.0
    """
    return host_usd


@formula
def host_output_usd_per_mtok(host_usd: Draws, output_tokens: Draws) -> Draws:
    """Cost of a million output tokens when all cost is put on the output.

    >>> round(host_output_usd_per_mtok(87_072.0, 168e9), 3)
    0.518
    """
    return host_usd / output_tokens * TOKENS_PER_MTOK


@formula
def full_speed_usd_per_mtok(host_usd: Draws, capacity_tokens: Draws) -> Draws:
    """Cost of a million tokens if the fleet were never idle.

    >>> full_speed_usd_per_mtok(3.6, 3_600_000.0)
    1.0
    """
    return host_usd / capacity_tokens * TOKENS_PER_MTOK


WAYS = {"running_usd": (stated_running_usd,)}
ONLY_GIVEN = {"stated_running_usd": ("host_usd",)}
SUMS = (
    Sum(
        "running_usd",
        "The running lines that the claim counts.",
        tuple(Addend(each) for each in RUNNING_LINES),
        of_the_whole=True,
    ),
    Sum(
        "host_usd",
        "Running lines and capital.",
        (Addend("running_usd"), Addend("capital_usd")),
        of_the_whole=True,
    ),
)
