"""Fleet: how many GPUs a claim speaks of, and how fast they are together."""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import BYTES_PER_GB


@formula
def gpus_count(nodes_count: Draws, gpus_per_node_count: Draws) -> Draws:
    """GPUs of all nodes.

    >>> gpus_count(226.75, 8.0)
    1814.0
    """
    return nodes_count * gpus_per_node_count


@formula
def fleet_tok_per_s(gpus_count: Draws, gpu_tok_per_s: Draws) -> Draws:
    """Speed of the fleet, from that of a GPU.

    >>> fleet_tok_per_s(4.0, 100.0)
    400.0
    """
    return gpus_count * gpu_tok_per_s


@formula
def replicas_tok_per_s(replicas_count: Draws, replica_tok_per_s: Draws) -> Draws:
    """Speed of the fleet, from that of a replica.

    >>> replicas_tok_per_s(2.0, 700.0)
    1400.0
    """
    return replicas_count * replica_tok_per_s


@formula
def nodes_tok_per_s(nodes_count: Draws, node_tok_per_s: Draws) -> Draws:
    """Speed of the fleet, from that of a node.

    >>> nodes_tok_per_s(12.0, 22_300.0)
    267600.0
    """
    return nodes_count * node_tok_per_s


@formula
def needed_gpus_count(mean_tok_per_s: Draws, gpu_tok_per_s: Draws) -> Draws:
    """Whole GPUs for a mean load, without any headroom.

    >>> float(needed_gpus_count(250.0, 100.0))
    3.0
    """
    return np.ceil(mean_tok_per_s / gpu_tok_per_s)


@formula
def weights_gb(params_count: Draws, weight_bytes_per_param: Draws) -> Draws:
    """Memory for the weights alone.

    >>> weights_gb(70e9, 2.0)
    140.0
    """
    return params_count * weight_bytes_per_param / BYTES_PER_GB


@formula
def nodes_busy_fraction(nodes_count: Draws, peak_nodes_count: Draws) -> Draws:
    """Mean over peak nodes: how well a fleet that must hold the peak is used.

    >>> round(nodes_busy_fraction(226.75, 278.0), 3)
    0.816
    """
    return nodes_count / peak_nodes_count


WAYS = {"fleet_tok_per_s": (replicas_tok_per_s, nodes_tok_per_s)}
