"""Volume bands: which option is cheapest at each size of workload, what drives it, and where the guide's table differs.

Five bands from 10 million to 100 billion tokens a month. Each is costed with the workload's own shape (mix, lengths,
peaks) at its geometric middle, on the same draws as everything else, and again at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.decision.answers.outlook import equal_success_of
from breakeven.decision.comparison import Comparison, Range, open_to_all, range_of
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Evaluation, Family, Option, OptionCost, Situation

BAND_DRAWS_LOG2: Final = 11
MAIN_SHARE_FRACTION: Final = 0.5
"""A line that is this much of the cost is its driver alone; otherwise the next is named with it."""


@dataclass(frozen=True, slots=True)
class GuideBand:
    """One row of the guide's table."""

    from_mtok: float
    """Tokens a month, millions."""
    to_mtok: float
    says: str
    """Empty: the guide has no row here."""
    names: frozenset[str] = frozenset()
    """Options that this row means, by name."""
    families: frozenset[Family] = frozenset()
    """Options that this row means, by family."""

    @property
    def middle_mtok(self) -> float:
        """Geometric middle of the band."""
        return math.sqrt(self.from_mtok * self.to_mtok)

    def means(self, name: str, family: Family) -> bool:
        """Whether the guide's row speaks of this option."""
        return name in self.names or family in self.families


GUIDE: Final = (
    GuideBand(10.0, 60.0, "standard API", frozenset({"frontier_api"})),
    GuideBand(60.0, 500.0, "tiered API or small self-host", frozenset({"cheaper_tier", "batch_api", "small_gpu"})),
    GuideBand(500.0, 5_000.0, "managed GPU", families=frozenset({"managed"})),
    GuideBand(5_000.0, 10_000.0, ""),
    GuideBand(10_000.0, 100_000.0, "full self-hosting", families=frozenset({"self_hosted"})),
)
"""The guide's table; between 5 and 10 billion it says nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """One cost line and how much of the cost it is."""

    title: str
    cost_fraction: float


@dataclass(frozen=True, slots=True)
class AtVolume:
    """One option at one volume."""

    name: str
    title: str
    family: Family
    usd_per_month: Range
    """For as many successful outcomes as today's API gives."""
    drivers: tuple[Share, ...]
    """What most of its cost is; the largest line first."""


@dataclass(frozen=True, slots=True)
class VolumeBand:
    """What today's prices say of one band for this workload, beside the guide's row."""

    guide: GuideBand
    best: AtVolume
    """Lowest expected cost at the band's middle."""
    probability_fraction: float
    """Share of the futures in which it is the cheapest there."""
    regret_usd_per_month: float
    """Expected cost of being wrong with it."""
    runner_up: AtVolume | None
    guides_best: AtVolume | None
    """The cheapest option of the guide's kind at the middle; None: the guide names none, or none could be costed."""
    best_at_low: str
    """Lowest expected cost at the low end of the band."""
    best_at_high: str
    is_here: bool

    @property
    def agrees(self) -> bool | None:
        """Whether the cheapest option is of the guide's kind; None: the guide has no row here."""
        return self.guide.means(self.best.name, self.best.family) if self.guide.says else None


def volume_bands(
    comparison: Comparison, situation: Situation, options: Mapping[str, Option], draws: DrawSet
) -> tuple[VolumeBand, ...]:
    """The five bands for the options of a comparison that everybody may take."""
    volumes = np.array(sorted({each for band in GUIDE for each in (band.from_mtok, band.middle_mtok, band.to_mtok)}))
    names = [each.name for each in open_to_all(comparison.options) if each.same_as is None]
    field = _Field(comparison.status_quo, names, situation, options, draws.first(BAND_DRAWS_LOG2), volumes)
    here = comparison.typical_volume_mtok
    return tuple(_band(field, guide, is_here=guide.from_mtok <= here < guide.to_mtok) for guide in GUIDE)


class _Field:
    """Every option at every volume: rows are volumes, columns are futures."""

    def __init__(
        self,
        status_quo: str,
        names: Sequence[str],
        situation: Situation,
        options: Mapping[str, Option],
        draws: DrawSet,
        volumes: Draws,
    ) -> None:
        evaluation = Evaluation(draws.of, volumes[:, None])
        self._shape = (volumes.size, draws.draws_count)
        self._volumes = volumes
        base = options[status_quo].cost(situation, evaluation)
        self._costs: dict[str, OptionCost] = {}
        self._equal: dict[str, Draws] = {}
        for name in names:
            cost = base if name == status_quo else options[name].cost(situation, evaluation)
            self._costs[name] = cost
            self._equal[name] = np.broadcast_to(equal_success_of(cost, base), self._shape)

    def row(self, volume_mtok: float) -> int:
        """Row of a volume."""
        return int(np.argmin(np.abs(self._volumes - volume_mtok)))

    def ranked(self, row: int) -> list[str]:
        """Options by expected cost, lowest first."""
        return sorted(self._equal, key=lambda name: float(np.mean(self._equal[name][row])))

    def regret(self, name: str, row: int) -> Draws:
        """What an option costs beyond the best of each future."""
        best = np.min(np.stack([each[row] for each in self._equal.values()]), axis=0)
        return np.asarray(self._equal[name][row] - best)

    def family(self, name: str) -> Family:
        """Family of an option."""
        return self._costs[name].family

    def at(self, name: str, row: int) -> AtVolume:
        """One option at one volume."""
        cost = self._costs[name]
        return AtVolume(name, cost.title, cost.family, range_of(self._equal[name][row]), self._drivers(cost, row))

    def _drivers(self, cost: OptionCost, row: int) -> tuple[Share, ...]:
        means = {
            line.title: float(np.mean(np.broadcast_to(line.usd_per_month.value, self._shape)[row]))
            for line in cost.breakdown.counted
        }
        whole = sum(means.values())
        ranked = sorted(means.items(), key=lambda pair: -pair[1])[:2]
        shares = tuple(Share(title, usd / whole) for title, usd in ranked if whole > 0 and usd > 0)
        return shares[:1] if shares and shares[0].cost_fraction >= MAIN_SHARE_FRACTION else shares


def _band(field: _Field, guide: GuideBand, *, is_here: bool) -> VolumeBand:
    row = field.row(guide.middle_mtok)
    ranked = field.ranked(row)
    best, *others = ranked
    regret = field.regret(best, row)
    meant = next((name for name in ranked if guide.means(name, field.family(name))), None)
    return VolumeBand(
        guide,
        field.at(best, row),
        float(np.mean(regret <= 0)),
        float(np.mean(regret)),
        field.at(others[0], row) if others else None,
        field.at(meant, row) if meant else None,
        field.ranked(field.row(guide.from_mtok))[0],
        field.ranked(field.row(guide.to_mtok))[0],
        is_here,
    )
