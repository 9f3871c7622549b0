"""The Binder: layers, lineage, and errors that name the nearest name."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from breakeven.errors import UnknownName
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Binder, Layer

SOURCE = Source("test", "test", date(2026, 11, 23), Grade.OFFICIAL)


def fact(name: str, value: float) -> Assumption:
    return Assumption(name, "usd", value, value, value, SOURCE)


@formula
def total_usd(price_usd: Draws, fee_usd: Draws) -> Draws:
    """Price and fee."""
    return price_usd + fee_usd


def binder(**layers: dict[str, Assumption]) -> Binder:
    return Binder(
        lambda each: np.asarray([each.typical]),
        layers.get("catalogue", {}),
        layers.get("offer", {}),
        layers.get("scenario", {}),
    )


def test_scenario_beats_offer_beats_catalogue_and_the_losers_are_kept() -> None:
    node = binder(
        catalogue={"price_usd": fact("price_usd", 1)},
        offer={"price_usd": fact("price_usd", 2)},
        scenario={"price_usd": fact("price_usd", 3)},
    ).node("price_usd")
    assert (node.layer, float(node.value[0])) == (Layer.SCENARIO, 3.0)
    assert [(layer, each.typical) for layer, each in node.shadowed] == [(Layer.OFFER, 2), (Layer.CATALOGUE, 1)]


def test_a_derived_value_beats_everything() -> None:
    books = binder(scenario={"price_usd": fact("price_usd", 3)})
    books.derive("price_usd", 7.0, "worked out")
    assert books.node("price_usd").layer is Layer.DERIVED


def test_the_signature_is_the_lineage() -> None:
    books = binder(catalogue={"price_usd": fact("price_usd", 1), "fee_usd": fact("fee_usd", 2)})
    node = books.evaluate(total_usd)
    assert float(node.value[0]) == 3.0
    assert node.formula.endswith("test_trace.total_usd")
    assert node.summary == "Price and fee."
    assert set(node.leaves()) == {"price_usd", "fee_usd"}
    assert all(leaf.source is SOURCE for leaf in node.leaves().values())


def test_an_unknown_name_gets_the_nearest_one() -> None:
    books = binder(catalogue={"price_usd": fact("price_usd", 1)})
    with pytest.raises(UnknownName, match=r"no fact or formula named 'prise_usd'; did you mean 'price_usd'\?"):
        books.node("prise_usd")


def test_a_name_without_a_unit_is_refused() -> None:
    with pytest.raises(TypeError, match="carries no unit"):
        binder().derive("price", 1.0, "no unit")
    with pytest.raises(TypeError, match="'amount' carries no unit"):

        @formula
        def wrong_usd(amount: Draws) -> Draws:
            return amount
