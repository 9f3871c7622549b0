"""Repeated: a decision that is made again and again with something different, and computes no more than that moves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

from breakeven.decision.breakeven import BreakEvenReport, pairwise
from breakeven.decision.compare import CostOfVolumes, cost_all, straight_pieces
from breakeven.decision.curve import CostCurve
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.kept_present import KeptPresent
from breakeven.decision.horizon.present import EXACT_UP_TO_DRAWS_COUNT, present_costs_usd
from breakeven.decision.last_few import LastFew
from breakeven.decision.standings import Standings, standings_among
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.memory import Memory, remembering
from breakeven.options.option import Evaluation, Option, OptionCost, Situation
from breakeven.options.remembered import Remembered

CURVES_COUNT: Final = 256
"""Curves, and pairs of them, that are kept."""
Found = TypeVar("Found")


class Repeated:
    """The same options on the same draws, in one situation after another. For one thread at a time."""

    def __init__(self, options: Mapping[str, Option], draws: DrawSet) -> None:
        self._memory = Memory()
        self.plain_options = options
        """As they are, which remember nothing."""
        self._options = {name: Remembered(each, self._memory) for name, each in options.items()}
        self.draws = draws
        self._draw = draws.of
        """One bound method, so that it is the same object whenever it is asked for."""
        self._present = KeptPresent()
        self._curves = LastFew[tuple[Any, tuple[object, ...]]](CURVES_COUNT)

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Whatever is computed inside is kept, and taken from what is kept."""
        with remembering(self._memory):
            yield

    @property
    def held_bytes(self) -> int:
        """Of all arrays that are remembered."""
        return self._memory.held_bytes

    def pin(self) -> None:
        """What is known now is kept for good: things as they are."""
        for each in self._options.values():
            each.pin()

    def answer(self, situation: Situation, estimates: Mapping[str, Assumption]) -> tuple[Standings, dict[str, Draws]]:
        """Costs of a month and where they cross; and the present cost of each option, as `horizon.present` has it.

        The months to come are gone through beside the search for the crossings.
        """
        costs, unavailable = cost_all(situation, self._options, Evaluation(self._draw))
        present = self._begin_present(situation, {name: self._options[name] for name in costs}, estimates)
        try:
            standings = standings_among(
                situation,
                self._options,
                costs,
                unavailable,
                self.draws.draws_count,
                self.draws.seed,
                curve_of=self._curve,
                pair_of=self._pair,
            )
        finally:
            present_usd = present()
        return standings, present_usd

    def _begin_present(
        self, situation: Situation, options: Mapping[str, Option], estimates: Mapping[str, Assumption]
    ) -> Callable[[], dict[str, Draws]]:
        if self.draws.draws_count <= EXACT_UP_TO_DRAWS_COUNT:
            return partial(present_costs_usd, situation, options, self._draw, estimates)
        return self._present.begin(setting_of(situation, self._draw, estimates), options)

    def _curve(
        self, at_typical: OptionCost, factor_ratio: float, end_mtok: float, cost_usd: CostOfVolumes
    ) -> CostCurve:
        key = ("curve", id(at_typical), factor_ratio, end_mtok)
        known: CostCurve | None = self._known(key)
        if known is not None:
            return known
        far = ("curve to the farthest end", id(at_typical), factor_ratio)
        farthest = self._known(far)
        found = self._keep(key, straight_pieces(at_typical, factor_ratio, end_mtok, cost_usd, farthest), at_typical)
        if farthest is None or farthest.end_mtok < end_mtok:
            self._keep(far, found, at_typical)
        return found

    def _pair(self, one: CostCurve, other: CostCurve, low_mtok: float, high_mtok: float) -> BreakEvenReport:
        key = ("pair", id(one), id(other), low_mtok, high_mtok)
        known = self._known(key)
        return known or self._keep(key, pairwise(one, other, low_mtok, high_mtok), one, other)

    def _known(self, key: Hashable) -> Any:
        found = self._curves.get(key)
        return None if found is None else found[0]

    def _keep(self, key: Hashable, found: Found, *named: object) -> Found:
        self._curves.keep(key, (found, named))
        return found
