"""Remembered: an option that is not costed again while nothing that it read has changed.

An Option reads facts of the scenario by name. The names that it asked for, and what they were, are written down while
it is costed; under another scenario that says the same of them, the cost of then is the cost of now, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.memory import Memory, key_of
from breakeven.options.assembly.demand import Demand
from breakeven.options.option import Evaluation, Family, Option, OptionCost, Situation

KEPT_COUNT: Final = 3
"""Costs of one option that are kept, of each kind of evaluation."""
VIEWS_COUNT: Final = 6
"""What was read off costs at other volumes, that is kept."""
Seen = TypeVar("Seen")
Key = tuple[Hashable, ...]
"""First the kind of evaluation, then all that it is of."""
Read = dict[str, Assumption | None]


class Watched(Mapping[str, Assumption]):
    """Facts of a scenario, and which of them were asked for."""

    def __init__(self, facts: Mapping[str, Assumption]) -> None:
        self._facts = facts
        self.read: Read = {}
        self.read_all = False
        """Whether somebody went through all of them."""

    def __getitem__(self, name: str) -> Assumption:
        self.read[name] = found = self._facts.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The fact, or `default`: quicker than by the way of an error."""
        self.read[name] = found = self._facts.get(name)
        return default if found is None else found

    def __contains__(self, name: object) -> bool:
        self.read[str(name)] = found = self._facts.get(str(name))
        return found is not None

    def __iter__(self) -> Iterator[str]:
        self.read_all = True
        return iter(self._facts)

    def __len__(self) -> int:
        self.read_all = True
        return len(self._facts)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a costing gave, and what it was made of."""

    key: Key
    watched: Watched
    scenario: Mapping[str, Assumption]
    seen: Any
    error: BreakevenError | None
    held: tuple[object, ...]
    """What the key names by its identity."""

    def holds(self, key: Key, scenario: Mapping[str, Assumption], memory: Memory) -> bool:
        """Whether a scenario says the same of all that was read; every option asks the same of two scenarios."""
        if key != self.key:
            return False
        if self.scenario is scenario:
            return True
        moved: tuple[str, ...] = memory.recall(_moved, self.scenario, scenario)
        return not moved or not (self.watched.read_all or any(name in self.watched.read for name in moved))

    def result(self) -> Any:
        """What was seen; raises what was raised then."""
        if self.error is not None:
            raise copy(self.error)
        return self.seen


def _moved(one: Mapping[str, Assumption], other: Mapping[str, Assumption]) -> tuple[str, ...]:
    """Names of which two scenarios do not say the same: far fewer than an option reads."""
    return tuple(name for name in {**one, **other} if one.get(name) != other.get(name))


class Remembered:
    """An Option, with what it cost the last few times."""

    def __init__(self, option: Option, memory: Memory) -> None:
        self._option = option
        self._memory = memory
        self._costs: list[_Kept] = []
        self._views: list[_Kept] = []
        self._pinned: set[int] = set()

    @property
    def name(self) -> str:
        """Stable identifier."""
        return self._option.name

    @property
    def title(self) -> str:
        """What a person reads."""
        return self._option.title

    @property
    def family(self) -> Family:
        """Kind of the option."""
        return self._option.family

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """As the option itself costs it."""
        if evaluation.volume_mtok is not None and (own := self._at_own_volume(situation, evaluation)) is not None:
            return own
        found: OptionCost = self._kept(self._costs, KEPT_COUNT, situation, evaluation, _as_it_is)
        return found

    def view(self, situation: Situation, evaluation: Evaluation, view: Callable[[OptionCost], Seen]) -> Seen:
        """What `view` reads off the cost; the cost itself is not kept."""
        found: Seen = self._kept(self._views, VIEWS_COUNT, situation, evaluation, view)
        return found

    def pin(self) -> None:
        """Keep for good what is known now: things as they are, to which somebody comes back."""
        self._pinned = {id(each) for each in (*self._costs, *self._views)}

    def _at_own_volume(self, situation: Situation, evaluation: Evaluation) -> OptionCost | None:
        """The cost at the log's own volume, where that is the volume that is asked for in so many words."""
        if evaluation.work_ratio is not None:
            return None
        key = _key(situation, Evaluation(evaluation.draw), _as_it_is)
        own = next(
            (each for each in self._costs if each.holds(key, situation.scenario, self._memory) and each.error is None),
            None,
        )
        if own is None:
            return None
        cost: OptionCost = own.seen
        asked = self._memory.canonical(evaluation.volume_mtok)
        return cost if self._memory.canonical(cost.volume.value) is asked else None

    def _kept(
        self,
        entries: list[_Kept],
        count: int,
        situation: Situation,
        evaluation: Evaluation,
        view: Callable[[OptionCost], Any],
    ) -> Any:
        volume, work = (self._memory.canonical(each) for each in (evaluation.volume_mtok, evaluation.work_ratio))
        asked = Evaluation(evaluation.draw, volume, work, evaluation.lines_only)
        key = _key(situation, asked, view)
        place = next((at for at, each in enumerate(entries) if each.holds(key, situation.scenario, self._memory)), None)
        kept = self._made(key, situation, asked, view) if place is None else entries.pop(place)
        entries.insert(0, kept)  # the one asked for last stands first
        alike = [each for each in entries if each.key[0] == key[0] and id(each) not in self._pinned]
        if len(alike) > count:
            entries[:] = [each for each in entries if each is not alike[-1]]
        return kept.result()

    def _made(self, key: Key, situation: Situation, evaluation: Evaluation, view: Callable[[OptionCost], Any]) -> _Kept:
        watched = Watched(situation.scenario)
        seen, refused = None, None
        try:
            seen = view(self._option.cost(replace(situation, scenario=watched), evaluation))
        except BreakevenError as error:
            refused = copy(error)  # which holds no frame, and so none of the arrays in it
        demand, volume, work = situation.demand, evaluation.volume_mtok, evaluation.work_ratio
        held = (demand, demand.models, situation.catalog, situation.choices, evaluation.draw, volume, work)
        return _Kept(key, watched, situation.scenario, seen, refused, held)


def view_of(option: Option, situation: Situation, evaluation: Evaluation, view: Callable[[OptionCost], Seen]) -> Seen:
    """What `view` reads off the cost of an option, as it was where that is remembered."""
    if isinstance(option, Remembered):
        return option.view(situation, evaluation, view)
    return view(option.cost(situation, evaluation))


def _as_it_is(cost: OptionCost) -> OptionCost:
    return cost


def _key(situation: Situation, evaluation: Evaluation, view: Callable[[OptionCost], Any]) -> Key:
    own = evaluation.volume_mtok is None
    demand = id(situation.demand) if own else _beside_the_hours(situation.demand)
    volume, work = key_of(evaluation.volume_mtok), key_of(evaluation.work_ratio)
    return (
        (own, view, evaluation.draw, evaluation.lines_only),
        demand,
        id(situation.catalog),
        id(situation.choices),
        volume,
        work,
    )


def _beside_the_hours(demand: Demand) -> Hashable:
    """A demand whose volume is given: the hours in which the log was observed say nothing more."""
    return (
        id(demand.models),
        demand.volume_ratio_name,
        demand.hourly_peak_to_mean_ratio,
        demand.burst_headroom_ratio,
        demand.left_out,
        demand.source,
    )
