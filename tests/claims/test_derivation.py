"""Derivations: what follows from what, against forward chaining by brute force on random graphs of rules."""

from __future__ import annotations

import random

import pint
import pytest

from breakeven.claims.derivation import derive
from breakeven.claims.dimensions import factor
from breakeven.claims.registry import registry
from breakeven.claims.rules import Rule, general_rules
from breakeven.facts.formula import Formula
from breakeven.units import UNIT_BY_SUFFIX, unit_of


def closure(rules: list[Rule], stated: set[str]) -> set[str]:
    found = set(stated)
    while True:
        more = {rule.target for rule in rules if set(rule.inputs) <= found} - found
        if not more:
            return found
        found |= more


@pytest.mark.parametrize("seed", range(60))
def test_every_name_that_follows_is_had_and_none_from_itself(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"n{index}_usd" for index in range(12)]
    rules = [
        Rule(rng.choice(names), "formula", tuple(rng.sample(names, rng.randint(1, 3))), rng.choice([1.0, 5.0, 11.0]))
        for _ in range(25)
    ]
    stated = set(rng.sample(names, 2))
    by_target = {name: tuple(rule for rule in rules if rule.target == name) for name in names}
    chosen = derive(by_target, dict.fromkeys(stated, 0.0))
    assert set(chosen) | stated == closure(rules, stated)

    def depth(name: str, above: frozenset[str]) -> float:
        if name in stated:
            return 0.0
        assert name not in above, "had from itself"
        rule = chosen[name].rule
        return rule.weight + sum(depth(each, above | {name}) for each in dict.fromkeys(rule.inputs))

    for name in chosen:
        cost = depth(name, frozenset())
        for rule in by_target[name]:
            if all(each in stated or each in chosen for each in rule.inputs) and name not in rule.inputs:
                try:
                    other = rule.weight + sum(depth(each, frozenset({name})) for each in dict.fromkeys(rule.inputs))
                except AssertionError:
                    continue  # that way leads back to the name
                assert cost <= other + 1e-9


def test_conversions_are_those_of_pint() -> None:
    ureg: pint.UnitRegistry = pint.UnitRegistry(None)
    for unit in ("second", "usd", "token", "flop", "request", "month", "byte", "gram", "watt", "cny", "eur", "gbp"):
        ureg.define(f"{unit} = [kind_of_{unit}]")
    for line in (
        "s = second",
        "millisecond = 0.001 * second",
        "minute = 60 * second",
        "hour = 3600 * second",
        "day = 24 * hour",
        "week = 7 * day",
        "year = 12 * month",
        "mtok = 1e6 * token",
        "ktok = 1e3 * token",
        "kilowatt = 1e3 * watt",
        "kwh = kilowatt * hour",
        "kilogram = 1e3 * gram",
        "tonne = 1e6 * gram",
        "gigabyte = 1e9 * byte",
        "gibibyte = 1073741824 * byte",
        "teraflop = 1e12 * flop",
        "fraction = []",
        "ratio = []",
        "count = []",
    ):
        ureg.define(line)
    units = sorted({*UNIT_BY_SUFFIX.values(), "usd/ktok", "token/day"} - {"pixel"})
    for one in units:
        for two in units:
            times = factor(one, two)
            left, right = ureg.Quantity(1.0, one), ureg.Quantity(1.0, two)
            if left.dimensionality == right.dimensionality:
                assert times == pytest.approx(left.to(right.units).magnitude, rel=1e-12), (one, two)
            else:
                assert times is None, (one, two)


def test_further_ways_give_the_unit_of_their_quantity() -> None:
    for name, ways in registry().ways.items():
        for way in ways:
            assert way.formula.unit == unit_of(name), f"{way.formula.name} is no way to {name}"
            assert isinstance(way.formula, Formula)


def test_rules_name_only_units() -> None:
    rules = general_rules()
    assert len(rules) > 500
    assert all(rule.inputs for each in rules.values() for rule in each)
