"""Prices: what a request costs by the dated prices that a policy carries; None where a price is not known, never 0."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.errors import UnknownPrice
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.units import TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True)
class PriceList:
    """The snapshot, by model."""

    by_model: dict[str, PricedModel]

    def cost_usd(self, model: str, input_tokens: int, output_tokens: int) -> float:
        """What these tokens cost at that model, or its mean cost of a request where only that is known.

        Raises UnknownPrice where neither is known.

        >>> prices = PriceList({"small": PricedModel("small", 0.1, 0.4, None, "2026-11-01")})
        >>> round(prices.cost_usd("small", 1_000_000, 500_000), 6)
        0.3
        """
        known = self.by_model.get(model)
        if known is not None and known.input_usd_per_mtok is not None and known.output_usd_per_mtok is not None:
            tokens_usd = input_tokens * known.input_usd_per_mtok + output_tokens * known.output_usd_per_mtok
            return tokens_usd / TOKENS_PER_MTOK
        if known is not None and known.usd_per_request is not None:
            return known.usd_per_request
        raise UnknownPrice(
            f"no price for {model!r} in the policy; learn it again with `--price {model}=USD`, "
            "or with costs in the outcome file."
        )

    def oldest(self) -> str | None:
        """The date of the oldest price, to warn of stale ones."""
        return min((each.prices_as_of for each in self.by_model.values() if each.prices_as_of), default=None)


def prices_of(document: PolicyDocument) -> PriceList:
    """The prices that a policy carries."""
    return PriceList({each.name: each for each in document.models})
