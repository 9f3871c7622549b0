"""Blended rate: a cheap and a frontier model side by side (router) or one after the other (cascade).

A router sends each request to one model; a cascade asks the cheap one first, every time, and pays it every time
(Chen et al., FrugalGPT, arXiv 2305.05176). `cheap_fraction` is the share that ends with the cheap model.
"""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula

ONE_PERIOD = True


@formula
def routed_usd(cheap_usd: Draws, frontier_usd: Draws, cheap_fraction: Draws) -> Draws:
    """Router: each request goes to one of the two.

    >>> round(routed_usd(0.1, 15.0, 0.8), 6)
    3.08
    """
    return cheap_fraction * cheap_usd + (1 - cheap_fraction) * frontier_usd


@formula
def cascade_usd(cheap_usd: Draws, verifier_usd: Draws, frontier_usd: Draws, cheap_fraction: Draws) -> Draws:
    """Cascade with a verifier: the cheap model and the verifier on every request, the frontier model on the rest.

    >>> round(cascade_usd(0.1, 0.05, 15.0, 0.8), 6)
    3.15
    """
    return cheap_usd + verifier_usd + (1 - cheap_fraction) * frontier_usd


@formula
def unverified_cascade_usd(cheap_usd: Draws, frontier_usd: Draws, cheap_fraction: Draws) -> Draws:
    """Cascade whose verifier costs nothing: the cheap model on every request, the frontier model on the rest.

    >>> round(unverified_cascade_usd(0.1, 15.0, 0.8), 6)
    3.1
    """
    return cheap_usd + (1 - cheap_fraction) * frontier_usd


@formula
def routing_saving_fraction(routed_usd: Draws, frontier_usd: Draws) -> Draws:
    """Share saved by a router against the frontier model alone.

    >>> round(routing_saving_fraction(3.08, 15.0), 4)
    0.7947
    """
    return 1 - routed_usd / frontier_usd


@formula
def cascade_saving_fraction(cascade_usd: Draws, frontier_usd: Draws) -> Draws:
    """Share saved by a cascade against the frontier model alone; negative: it costs more.

    >>> round(cascade_saving_fraction(3.1, 15.0), 4)
    0.7933
    """
    return 1 - cascade_usd / frontier_usd


WAYS = {"cascade_usd": (unverified_cascade_usd,)}
