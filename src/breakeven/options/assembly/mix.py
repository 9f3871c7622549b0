"""Mix: what a million tokens of the log cost, model by model, today or with some of the models at other prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Source
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.demand import Demand, ModelDemand, TokenMix
from breakeven.units import TOKENS_PER_MTOK


def bind_mix_price(binder: Binder, demand: Demand, prices: Mapping[str, Node] | None = None) -> Node:
    """Bind `token_usd_per_mtok`: each model's own price, weighted by its share of the tokens.

    `prices` replaces the price of some models, by label.
    """
    total = max(demand.mix.tokens, 1)
    nodes = tuple((prices or {}).get(each.label) or todays_price(binder, each, demand.source) for each in demand.models)
    shares = tuple(each.mix.tokens / total for each in demand.models)
    value: Draws | float = 0.0
    for share, node in zip(shares, nodes, strict=True):
        value = value + node.value * share
    if len(nodes) == 1:
        how = nodes[0].summary
    else:
        said = ", ".join(f"{each.label} {100 * share:.1f} %" for each, share in zip(demand.models, shares, strict=True))
        how = f"mean over the models of the log, weighted by tokens ({said})"
    return binder.derive("token_usd_per_mtok", value, how, *nodes, weights=shares)


def todays_price(binder: Binder, model: ModelDemand, log: Source) -> Node:
    """Price of a million tokens of this model's own mix, with the list prices as leaves."""
    how = f"{model.label}: {'assumed, the log names no model' if model.assumed else 'as the log shows'}"
    if model.prices:
        return mix_price(binder, model.mix, model.prices, model.label, log, how)
    effective = model.spend_usd / max(model.mix.tokens, 1) * TOKENS_PER_MTOK
    return Binder(binder.draw, {}).derive(
        "token_usd_per_mtok", effective, how + "; price tiers applied call by call", source=model.source
    )


def mix_price(binder: Binder, mix: TokenMix, prices: Sequence[Assumption], label: str, log: Source, how: str) -> Node:
    """Price of a million tokens of `mix` at `prices`; binds nothing in `binder`, whose draws it uses."""
    books = Binder(binder.draw, {}, {fact.name: fact for fact in prices})
    for name, value in mix.fractions().items():
        books.derive(name, value, f"{label} in the log", source=log)
    node = books.evaluate(token_usd_per_mtok)
    return books.derive("token_usd_per_mtok", node.value, how, node)


def describe(demand: Demand) -> str:
    """The models, most spent first."""
    ranked = sorted(demand.models, key=lambda each: -each.spend_usd)
    labels = [each.label + (" (assumed)" if each.assumed else "") for each in ranked]
    return shortened(labels)


def shortened(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
