"""Correlations: the pairs of facts that a scenario says move together, checked and made into a Copula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from breakeven.catalog.load import Catalog
from breakeven.decision.scenario_entries import CorrelationEntry
from breakeven.errors import ScenarioError, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Column, Copula, Pair, copula_of, of_ranks
from breakeven.options.assembly.capacity import RATIO, RATIO_DIMENSION

Place = Callable[[int], str]
"""File and line of the entry of an index, with a colon behind; empty when no file was read."""


def check_correlations(entries: Sequence[CorrelationEntry], place: Place) -> None:
    """Refuse a pair that stands twice, and correlations that cannot all be true, naming the line."""
    first: dict[frozenset[str], int] = {}
    for index, entry in enumerate(entries):
        pair = frozenset(entry.between)
        if pair in first:
            earlier = place(first[pair]).removesuffix(": ") or f"entry {first[pair] + 1}"
            raise ScenarioError(
                f"{place(index)}correlations: '{entry.between[0]}' and '{entry.between[1]}' stand in {earlier} "
                f"already; delete one"
            )
        first[pair] = index
    by_name = [_pair(entry, Column(entry.between[0], None), Column(entry.between[1], None)) for entry in entries]
    _checked_copula(entries, by_name, place)


def copula_of_scenario(
    entries: Sequence[CorrelationEntry], catalog: Catalog, facts: Mapping[str, Assumption], place: Place
) -> Copula | None:
    """The copula of `entries` over the columns of the facts named; None when there are none.

    `facts` are the scenario's own. Raises ScenarioError for a name that has no draws of its own.
    """
    if not entries:
        return None
    columns = _columns(catalog, facts)
    pairs = []
    for index, entry in enumerate(entries):
        for name in entry.between:
            if name not in columns:
                raise ScenarioError(
                    f"{place(index)}correlations: no fact with a range is named '{name}'; {nearest(name, [*columns])}"
                )
        one, other = (columns[name] for name in entry.between)
        if one.key == other.key:
            raise ScenarioError(
                f"{place(index)}correlations: '{entry.between[0]}' and '{entry.between[1]}' are drawn as one already; "
                f"delete the pair"
            )
        pairs.append(_pair(entry, one, other))
    return _checked_copula(entries, pairs, place)


def _columns(catalog: Catalog, facts: Mapping[str, Assumption]) -> dict[str, Column]:
    """The column of every name that has draws of its own."""
    known = {name: fact for offer in catalog.gpu_offers.values() for name, fact in offer.facts.items()}
    known.update({**catalog.assumptions, **facts})
    columns = {name: Column(name, fact.dimension) for name, fact in known.items()}
    columns.setdefault(RATIO, Column(RATIO, RATIO_DIMENSION))
    first: dict[str | int, Column] = {}  # names that share a dimension are one column
    return {name: first.setdefault(column.key, column) for name, column in columns.items()}


def _pair(entry: CorrelationEntry, one: Column, other: Column) -> Pair:
    normal = of_ranks(entry.rank) if entry.rank is not None else entry.normal
    assert normal is not None
    return Pair(one, other, normal)


def _checked_copula(entries: Sequence[CorrelationEntry], pairs: Sequence[Pair], place: Place) -> Copula | None:
    """The copula of `pairs`; where there is none, the last line of the first group that cannot be is named."""
    if not pairs:
        return None
    found = copula_of(pairs)
    if found is not None:
        return found
    for group in _groups(pairs):
        if copula_of([pairs[index] for index in group]) is None:
            together = ", ".join(f"{entries[index].between[0]} ~ {entries[index].between[1]}" for index in group)
            raise ScenarioError(
                f"{place(group[-1])}correlations: not positive definite: no futures have all of these at once: "
                f"{together} (a pair that is not named counts as 0). Bring one closer to 0, or name the missing pair"
            )
    raise AssertionError("groups that share no name are positive definite together when each is")


def _groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Indices of the pairs that hang together by a column, each group in order."""
    groups: list[tuple[set[str | int], list[int]]] = []
    for index, pair in enumerate(pairs):
        keys, members = {pair.one.key, pair.other.key}, [index]
        apart = []
        for group in groups:
            if group[0] & keys:
                keys, members = keys | group[0], group[1] + members
            else:
                apart.append(group)
        groups = [*apart, (keys, members)]
    return [sorted(members) for _, members in groups]
