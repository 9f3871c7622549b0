"""Estimates: what the lines that a claim leaves out would cost a deployment of its size, from the catalogue.

The very formulas and facts that `breakeven compare` uses for a fleet of that size, with the claim's own facts (a
salary, a price of electricity) before the catalogue's. A range is the 5 %, 50 % and 95 % quantile over the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.claims.dimensions import split_period
from breakeven.claims.lines import IDLE, LINES, Deployment, Line, counted, counted_usd_per_month
from breakeven.claims.registry import registry
from breakeven.claims.resolver import Resolver
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.facts.formula import Formula
from breakeven.facts.trace import Binder, Layer, Node
from breakeven.options.assembly.fleet_lines import bind_fleet_people

GPUS_PER_REPLICA: Final = 8.0
"""GPUs of a replica where the claim does not say: incidents are counted by replica."""
_BOUND_FROM_CLAIM: Final = (
    "requests_per_month",
    "tokens_per_request",
    "capex_usd",
    "power_kw",
    "hours_per_month",
    "busy_fraction",
)
DRAWS_LOG2: Final = 11


@dataclass(frozen=True, slots=True)
class MissingLine:
    """A line that a claim leaves out, or counts at far less than the catalogue would."""

    line: Line
    low_usd_per_month: float | None
    typical_usd_per_month: float | None
    high_usd_per_month: float | None
    counted_usd_per_month: float | None = None
    """What the claim counts for it, where that is below the catalogue's low end."""
    reason: str = ""
    """Why it has no figure."""
    node: Node | None = None

    @property
    def is_thin(self) -> bool:
        """Counted, but at less than the low end of the catalogue."""
        return self.counted_usd_per_month is not None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Everything a deployment's claim leaves out."""

    deployment: Deployment
    gpus_count: float | None
    counted: tuple[str, ...]
    lines: tuple[MissingLine, ...]

    def added(self) -> tuple[Node, ...]:
        """Low, typical and high of all of them together, as lines to count beside the claim's own; () when none."""
        found = [each for each in self.lines if each.node is not None and not each.line.apart]
        if not found:
            return ()
        nodes = [each.node for each in found if each.node is not None]
        already = sum(each.counted_usd_per_month or 0.0 for each in found)
        total = np.sum(np.broadcast_arrays(*(each.value for each in nodes)), axis=0) - already
        return tuple(_fixed(float(each), nodes) for each in np.quantile(total, (0.05, 0.5, 0.95)))


@dataclass(frozen=True, slots=True)
class Known:
    """What else sizes the lines of a claim."""

    catalog: Catalog
    gpu: str | None
    """Name of the GPU in the catalogue, where the claim gives it."""
    includes: tuple[str, ...]
    """Lines that the claim says it counts."""


def left_out(resolver: Resolver, deployment: Deployment, known: Known, *, never_idle: bool) -> LeftOut:
    """The lines that the claim behind `resolver` does not count, sized by its number of GPUs.

    `never_idle`: a figure takes the fleet to work in every paid second, so that idle capacity is left out.
    """
    gpus = resolver.node("gpus_count")
    size = float(np.median(gpus.value)) if gpus is not None else None
    binder = _fleet_of(resolver, size, deployment, known) if size else None
    lines: list[MissingLine] = []
    named: list[str] = []
    for each in LINES:
        if (each.owned_only and deployment != "owned") or (each.name == IDLE and not never_idle):
            continue
        if each.name in known.includes:
            named.append(each.name)
            continue
        has = counted(each, resolver) is not None
        estimate = _estimate(each, binder)
        if not has:
            lines.append(estimate)
            continue
        named.append(each.name)
        thin = _thin(each, estimate, resolver)
        if thin is not None:
            lines.append(thin)
    return LeftOut(deployment, size, tuple(named), tuple(lines))


def _fleet_of(resolver: Resolver, gpus_count: float, deployment: Deployment, known: Known) -> Binder:
    """The catalogue's fleet of that size, with the claim's facts first."""
    draws = DrawSet(0, DRAWS_LOG2)
    of_lines = {name for line in LINES for name in (*line.counted_by, split_period(line.quantity)[0])}
    facts = {name: fact for name, fact in resolver.given.items() if split_period(name)[0] not in of_lines}
    binder = Binder(draws.of, known.catalog.assumptions, _power(known), facts, _formulas())
    for name in _BOUND_FROM_CLAIM:
        found = resolver.node(name)
        if found is not None and name not in resolver.given:
            binder.derive(name, np.median(found.value), "worked out from the claim", found)
    binder.derive("gpus_count", gpus_count, "the claim's own")
    binder.derive("owned_gpus_count", gpus_count if deployment == "owned" else 0.0, "the claim's own")
    if "replicas_count" not in resolver.given:
        binder.derive("replicas_count", np.ceil(gpus_count / GPUS_PER_REPLICA), "one for each eight GPUs, assumed")
    binder.derive("recruiting_usd_per_month", 0.0, "done by people who are there")
    binder.derive("billed_fraction", 1.0, "always on")
    if "busy_fraction" not in resolver.given:
        binder.derive("busy_fraction", 1.0, "never idle, as the claim has it")
    if "success_fraction" not in resolver.given:
        binder.rename("success_fraction", "open_model_success_fraction", "no outcome measured: assumed")
    capex = resolver.node("capex_usd")
    if capex is not None:
        binder.derive("gpu_price_usd", np.median(capex.value) / gpus_count, "the claim's purchase, per GPU", capex)
    bind_fleet_people(binder)
    return binder


def _power(known: Known) -> dict[str, Assumption]:
    """Draw of a server of the claim's GPU, from the catalogue's offers to buy it."""
    return {
        name: fact
        for offer in known.catalog.gpu_offers.values()
        if offer.gpu == known.gpu and offer.term == "purchase"
        for name, fact in offer.facts.items()
        if name == "server_power_w_per_gpu"
    }


def _formulas() -> dict[str, Formula]:
    """The cost model's own formulas, by name; and those of claims where it has none."""
    found: dict[str, Formula] = {}
    for name, ways in registry().ways.items():
        own = [way.formula for way in ways if not way.formula.__module__.startswith("breakeven.claims")]
        found[name] = (own or [ways[0].formula])[0]
    return found


def _estimate(line: Line, binder: Binder | None) -> MissingLine:
    if line.name == IDLE:
        return MissingLine(line, None, None, None, reason="depends on your traffic: see the note on idle hours")
    if binder is None:
        return MissingLine(line, None, None, None, reason="give gpus_count to size it")
    try:
        node = binder.node(line.quantity)
    except BreakevenError as error:
        return MissingLine(line, None, None, None, reason=_short_reason(str(error)))
    low, typical, high = (float(each) for each in np.quantile(node.value, (0.05, 0.5, 0.95)))
    return MissingLine(line, low, typical, high, node=node)


def _thin(line: Line, estimate: MissingLine, resolver: Resolver) -> MissingLine | None:
    """The same line with what the claim counts, where that is below the catalogue's low end."""
    own = counted_usd_per_month(line, resolver)
    low = estimate.low_usd_per_month
    if own is None or low is None or own >= low:
        return None
    return MissingLine(line, low, estimate.typical_usd_per_month, estimate.high_usd_per_month, own, node=estimate.node)


def _short_reason(message: str) -> str:
    """``no fact or formula named 'x'; ...`` as what to give."""
    name = message.partition("'")[2].partition("'")[0]
    if name == "server_power_w_per_gpu":
        return f"give {name}, or gpu: NAME, to size it"
    return f"give {name} to size it" if name else "cannot be sized"


def _fixed(usd_per_month: float, nodes: list[Node]) -> Node:
    return Node(
        "left_out_usd_per_month",
        "usd/month",
        np.array([max(usd_per_month, 0.0)]),
        Layer.CATALOGUE,
        tuple(nodes),
        summary="the lines that the claim leaves out, from the catalogue",
    )
