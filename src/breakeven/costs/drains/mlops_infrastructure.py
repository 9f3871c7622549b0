"""MLOps infrastructure: the observability and the storage and network that a serving path needs beside its GPUs."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def mlops_infrastructure_usd_per_month(
    monitoring_usd_per_month: Draws, storage_network_usd_per_gpu_month: Draws, gpus_count: Draws
) -> Draws:
    """Monitoring and tracing, plus storage and network for each GPU.

    >>> float(mlops_infrastructure_usd_per_month(1000.0, 70.0, 4.0))
    1280.0
    """
    return monitoring_usd_per_month + storage_network_usd_per_gpu_month * gpus_count


def line(binder: Binder) -> CostLine:
    """Tooling; needs `monitoring_usd_per_month`, bound by the Option."""
    return CostLine("mlops_infrastructure", "MLOps infrastructure", binder.evaluate(mlops_infrastructure_usd_per_month))
