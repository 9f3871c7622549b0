"""Flags: what is plausible or not about a claim beside its arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from breakeven.claims.diagnosis import MONTHS
from breakeven.claims.dimensions import split_period
from breakeven.claims.lines import assumes_never_idle
from breakeven.claims.resolver import Resolver
from breakeven.claims.scopes import Scopes
from breakeven.facts.trace import Layer, Node

_SAME: Final = 0.005
_BUSY_EXAMPLES: Final = (0.3, 0.05)
"""Shares of busy hours for which a price at full speed is shown again: a well filled and an average GPU."""
_VOLUMES: Final = ("breakeven_mtok_per_month", "mtok_per_month")
_LUMPS: Final = ("overhead_", "other_", "running_", "host_")
_MADE_OF_OTHERS: Final = frozenset(
    {
        "api_usd",
        "gpu_rent_usd",
        "electricity_usd",
        "engineering_labour_usd",
        "saving_usd",
        "saving_fraction",
        "fleet_tok_per_s",
        "capex_usd",
    }
)
"""What a claim may give beside the facts that make it."""
SECONDS_PER_DAY: Final = 86_400.0


def flags_of(scopes: Scopes, resolvers: Mapping[str, Resolver], figures: Mapping[str, Node]) -> tuple[str, ...]:
    """Sentences for a reader, most important first."""
    found = [
        *_flipped(resolvers),
        *_too_small(resolvers, figures),
        *_contradictions(resolvers),
        *_never_idle(figures),
        *_utilised_rent(figures),
        *_months(scopes),
        *_lumps(figures),
    ]
    return tuple(dict.fromkeys(found))


def _flipped(resolvers: Mapping[str, Resolver]) -> Iterator[str]:
    """A plan that saves and a reality that does not."""
    savings = {name: _number(each, "saving_usd_per_month") for name, each in resolvers.items() if name}
    plus = [name for name, each in savings.items() if each is not None and each > 0]
    minus = [name for name, each in savings.items() if each is not None and each < 0]
    if plus and minus:
        gain, loss = savings[plus[0]] or 0.0, -(savings[minus[0]] or 0.0)
        yield (f"The verdict flips: {plus[0]} saves {gain:,.0f} USD a month, {minus[0]} costs {loss:,.0f} more.")


def _too_small(resolvers: Mapping[str, Resolver], figures: Mapping[str, Node]) -> Iterator[str]:
    """A volume that the claimed fleet cannot serve, or what it means for each GPU."""
    for part, resolver in resolvers.items():
        capacity = _number(resolver, "capacity_tokens_per_month")
        for name in _VOLUMES:
            volume = _number(resolver, name)
            if volume is None or math.isinf(volume) or not _asked(name, part, figures):
                continue
            label = "The break-even volume" if name.startswith("breakeven") else "The volume"
            where = f" ({part})" if part else ""
            if capacity and volume * 1e6 > capacity * (1 + _SAME):
                yield (
                    f"{label}{where} is {volume * 1e6 / capacity:,.2f} times what this fleet makes when it is never "
                    f"idle: it cannot serve it, and more GPUs cost more."
                )
            gpus = _number(resolver, "gpus_count")
            if not capacity and gpus:
                speed = volume * 1e6 / (30.4 * SECONDS_PER_DAY)
                yield (
                    f"{label}{where} means {speed:,.0f} tokens a second around the clock, {speed / gpus:,.0f} from "
                    f"each of {gpus:,.0f} GPUs; the claim says no speed (fleet_tok_per_s)."
                )


def _asked(name: str, part: str, figures: Mapping[str, Node]) -> bool:
    """Whether a figure of that part is about this volume, or rests on it."""
    stem = name.partition("_")[0] if name.startswith("breakeven") else ""
    mine = [node for full, node in figures.items() if full.rpartition(".")[0] == part]
    if stem:
        return any(node.name.startswith(("breakeven_mtok", "breakeven_tokens")) for node in mine)
    return any("tokens" in leaf or "mtok" in leaf for node in mine for leaf in node.leaves())


def _contradictions(resolvers: Mapping[str, Resolver]) -> Iterator[str]:
    """A given bill, rent or speed that the other given facts do not make."""
    for part, resolver in resolvers.items():
        for name, fact in resolver.given.items():
            if split_period(name)[0] not in _MADE_OF_OTHERS:
                continue
            others = {each: value for each, value in resolver.given.items() if each != name}
            found = Resolver(others, resolver.draw, resolver.unpriced, resolver.definitions).node(name)
            if found is not None and not assumes_never_idle(found) and not _close(found, fact.typical):
                where = f" ({part})" if part else ""
                yield f"The claim gives {name} {fact.typical:,.6g}{where}; its other facts make {_first(found):,.6g}."


def _never_idle(figures: Mapping[str, Node]) -> Iterator[str]:
    idle = [node for node in figures.values() if assumes_never_idle(node)]
    if not idle:
        return
    prices = [node for node in idle if node.unit == "usd/mtok"]
    again = ""
    if prices:
        dearer = [f"{_first(prices[0]) / share:,.3g} at {100 * share:.0f} % busy" for share in _BUSY_EXAMPLES]
        again = f" {_first(prices[0]):,.3g} USD per Mtok becomes {', '.join(dearer)}."
    yield f"It takes the fleet to be never idle: full speed in every paid second.{again} Give busy_fraction."


def _utilised_rent(figures: Mapping[str, Node]) -> Iterator[str]:
    if any("billed_fraction" in node.leaves() for node in figures.values()):
        yield (
            "The rent is multiplied by the share of hours billed: right only where the fleet scales to zero, with a "
            "cold start after each pause."
        )


def _months(scopes: Scopes) -> Iterator[str]:
    for scope in (scopes.whole, *scopes.parts):
        fact = scope.given.get("hours_per_month")
        if fact is not None:
            words = next(
                (each for hours, each in MONTHS.items() if math.isclose(hours, fact.typical, rel_tol=1e-4)), ""
            )
            named = f" ({words})" if words else ""
            extra = "" if fact.typical > 600 else ": the machine is off the rest of the time, and paid for"
            usual = "" if fact.typical == 730 else "; breakeven uses 730"
            yield f"A month is taken as {fact.typical:g} hours{named}{extra}{usual}."


def _lumps(figures: Mapping[str, Node]) -> Iterator[str]:
    for node in figures.values():
        for leaf in node.leaves().values():
            if leaf.name.startswith(_LUMPS) and leaf.layer is Layer.SCENARIO and leaf.value.any():
                yield (
                    f"{leaf.name} is one lump: it may hold some of the lines listed as missing. Name those it holds "
                    f"under `includes`."
                )


def _number(resolver: Resolver, name: str) -> float | None:
    found = resolver.node(name)
    return _first(found) if found is not None else None


def _first(node: Node) -> float:
    return float(node.value.flat[0])


def _close(node: Node, value: float) -> bool:
    return math.isclose(_first(node), value, rel_tol=_SAME)
