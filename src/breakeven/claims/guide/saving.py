"""Saving: what several claims measure: the share of a bill that is saved, and the price of a million tokens."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.claims.guide.finding import listed
from breakeven.decision.compare import STATUS_QUO
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node
from breakeven.options.option import OptionCost

TODAY: Final = STATUS_QUO
BROKERED: Final = "brokered"
RENTED: Final = "rented_on_demand"
HYBRID: Final = "hybrid"


@formula
def saved_fraction(own_usd_per_month: Draws, other_usd_per_month: Draws) -> Draws:
    """Share of the other bill that is saved; negative when it costs more.

    >>> round(float(saved_fraction(55.0, 100.0)), 9)
    0.45
    """
    return 1 - own_usd_per_month / other_usd_per_month


@formula
def difference_usd_per_month(more_usd_per_month: Draws, less_usd_per_month: Draws) -> Draws:
    """By how much the first is more than the second.

    >>> float(difference_usd_per_month(500.0, 450.0))
    50.0
    """
    return more_usd_per_month - less_usd_per_month


def token_price(cost: OptionCost) -> Node:
    """The bare price of the tokens of an Option that is billed by the token."""
    bill = next(line.usd_per_month for line in cost.breakdown.lines if line.name == "tokens")
    inside = next((each for each in bill.inputs if each.name == "token_usd_per_mtok"), None)
    if inside is not None:
        return inside
    return listed(
        "token_usd_per_mtok", np.asarray(bill.value / cost.volume.value), "bill over tokens", bill, cost.volume
    )
