"""Repeated: a decision that is made again and again with something different, and computes no more than that moves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeVar

from breakeven.decision.breakeven import BreakEvenReport, pairwise
from breakeven.decision.compare import STATUS_QUO, CostOfVolumes, cost_all, straight_pieces
from breakeven.decision.curve import CostCurve
from breakeven.decision.horizon.exact import Setting, setting_of
from breakeven.decision.horizon.kept_present import KeptPresent
from breakeven.decision.horizon.present import EXACT_UP_TO_DRAWS_COUNT, present_costs_usd
from breakeven.decision.horizon.terms import Terms, terms_of, terms_of_option
from breakeven.decision.last_few import LastFew
from breakeven.decision.standings import Standings, standings_among
from breakeven.decision.two_threads import TwoThreads
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.memory import Memory, remembering
from breakeven.options.option import Evaluation, Option, OptionCost, Situation
from breakeven.options.remembered import Remembered

CURVES_COUNT: Final = 256
"""Curves, and pairs of them, that are kept."""
Found = TypeVar("Found")
_Beforehand = tuple[Setting, dict[str, Terms]]


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
        self._threads = TwoThreads()
        self._by_kin = sorted(self._options.values(), key=lambda each: (each.family, each.name))
        """What they have in common is computed once, and mostly by one thread."""
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
        known = self._terms_beforehand(situation, estimates)
        costs, unavailable = cost_all(situation, self._options, Evaluation(self._draw))
        present = self._begin_present(situation, {name: self._options[name] for name in costs}, estimates, known)
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
        return standings, {name: present_usd[name] for name in costs}

    def _terms_beforehand(self, situation: Situation, estimates: Mapping[str, Assumption]) -> _Beforehand | None:
        """Cost every option on two threads, so that who then asks for one after the other finds it remembered."""
        if self.draws.draws_count <= EXACT_UP_TO_DRAWS_COUNT:
            return None
        evaluation, terms = Evaluation(self._draw), dict[str, Terms]()
        try:
            setting = self._setting(situation, estimates)
            base_success_fraction = self._options[STATUS_QUO].cost(situation, evaluation).success.value
        except (BreakevenError, KeyError):
            return None  # who asks in order is told

        def cost(option: Remembered) -> None:
            with suppress(BreakevenError):  # remembered as well
                option.cost(situation, evaluation)
                terms[option.name] = terms_of_option(setting, option, base_success_fraction)

        self._threads.share([partial(cost, each) for each in self._by_kin])
        return setting, terms

    def _begin_present(
        self,
        situation: Situation,
        options: Mapping[str, Option],
        estimates: Mapping[str, Assumption],
        known: _Beforehand | None,
    ) -> Callable[[], dict[str, Draws]]:
        if self.draws.draws_count <= EXACT_UP_TO_DRAWS_COUNT:
            return partial(present_costs_usd, situation, options, self._draw, estimates)
        in_order = {STATUS_QUO: options[STATUS_QUO], **options}
        setting, terms = known or (self._setting(situation, estimates), {})
        whole = terms.keys() >= in_order.keys()
        return self._present.begin(
            setting, [terms[name] for name in in_order] if whole else terms_of(setting, in_order)
        )

    def _setting(self, situation: Situation, estimates: Mapping[str, Assumption]) -> Setting:
        return self._present.with_known_paths(setting_of(situation, self._draw, estimates))

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
