"""Kept present: present costs that are asked for again and again, each option's from last time where nothing changed.

An option's present cost hangs on the paths, on today's bill (what has not moved yet is paid as today) and on its own
terms. The figures are those of `present_costs_usd`, to the bit: the kernel treats every option and draw alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.exact import Setting
from breakeven.decision.horizon.paths import ProjectedPaths, shock_loadings
from breakeven.decision.horizon.run import begin_present, draws_count_of, path_rows, smallest_stack
from breakeven.decision.horizon.terms import Floats, Terms, one_by_one
from breakeven.decision.last_few import LastFew
from breakeven.facts.distribution import Draws
from breakeven.options.option import Option

KEPT_COUNT: Final = 96
"""Present costs that are kept, of all options together."""
TOGETHER_COUNT: Final = 6
"""Fleets that begin together: more of them share the paths, fewer begin sooner."""
PATHS_COUNT: Final = 3


class KeptPresent:
    """The present costs of the last few questions. For one thread at a time, inside `remembering`."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[Draws, tuple[object, ...]]] = OrderedDict()
        self._buffers: dict[Hashable, Floats] = {}
        self._paths = LastFew[ProjectedPaths](PATHS_COUNT)

    def begin(self, setting: Setting, options: Mapping[str, Option]) -> Callable[[], dict[str, Draws]]:
        """Begin on the present costs of options, the status quo among them, beside whatever the caller does meanwhile.

        Each few fleets begin as soon as their terms are known. What comes back waits for all of them, each of shape
        ``(draws,)``; it is to be called before anything else is asked.
        """
        setting = replace(setting, paths=self._known_paths(setting.paths))
        making = one_by_one(setting, {STATUS_QUO: options[STATUS_QUO], **options})
        base = next(making)
        draws_count = draws_count_of(setting, (base,))
        path = path_rows(setting, draws_count)
        loadings = shock_loadings(setting.facts.months_count, setting.facts.typical_half_life_months)
        shared = (path, loadings, *setting.residual_facts, base)
        keys = {base.name: (*map(id, shared), id(base))}
        begun: list[tuple[tuple[Terms, ...], Floats]] = []
        waiting: list[Terms] = []
        # on an error it waits as well: the buffers are written into by the next question
        with ExitStack() as under_way:

            def begin() -> None:
                wanted = (base, *sorted(waiting, key=_steps_first))
                found = np.zeros((len(wanted), draws_count))
                stacked = smallest_stack(setting, wanted, draws_count, partial(self._buffer, len(begun)))
                under_way.callback(begin_present(path, loadings, stacked, found))
                begun.append((wanted, found))
                waiting.clear()

            for each in making:
                keys[each.name] = key = (*map(id, shared), id(each))
                if key not in self._known:
                    waiting.append(each)
                if sum(one.steps for one in waiting) >= TOGETHER_COUNT:
                    begin()
            if waiting or (not begun and keys[base.name] not in self._known):
                begin()
            wait = under_way.pop_all().close

        def costs_usd() -> dict[str, Draws]:
            wait()
            for wanted, found in begun:
                found.setflags(write=False)
                for row, each in enumerate(wanted):
                    self._known[keys[each.name]] = (found[row], (*shared, each))
            for key in keys.values():
                self._known.move_to_end(key)
            while len(self._known) > max(KEPT_COUNT, len(keys)):
                self._known.popitem(last=False)
            return {name: self._known[keys[name]][0] for name in options}

        return costs_usd

    def _known_paths(self, paths: ProjectedPaths) -> ProjectedPaths:
        """The same paths, with what was computed of them: they outlast the many arrays of a move."""
        key = tuple(each if isinstance(each, int) else id(each) for each in paths.made_of)
        return self._paths.get(key) or self._paths.keep(key, paths)

    def _buffer(self, place: int, name: str, count: int, *shape: int) -> Floats:
        """The first `count` of an array that is used again, since new memory costs time; what is not set is old.

        `place`: of the few options that it is for.
        """
        kept = self._buffers.get((place, name, shape))
        if kept is None or len(kept) < count:
            kept = self._buffers[(place, name, shape)] = np.zeros((count, *shape))
        return kept[:count]


def _steps_first(each: Terms) -> tuple[int, float, float, list[float]]:
    """Fleets that may have the same steps stand side by side, so that the kernel counts their units once."""
    return each.kind, float(each.step_mtok[0]), float(each.fewest_count[0]), each.knots.tolist()
