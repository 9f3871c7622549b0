"""Carbon: grams of CO2 equivalent per kWh of electricity, by country and cloud region, as sources state them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from breakeven.catalog.asof import started_by
from breakeven.errors import UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source

if TYPE_CHECKING:
    from breakeven.catalog.files import CatalogFiles

CarbonScope = Literal["country", "cloud_region"]
GRID_CARBON = "grid_carbon_g_per_kwh"
GRID_CARBON_DIMENSION = 60


@dataclass(frozen=True, slots=True)
class CarbonValue:
    """What one source says about one zone."""

    g_per_kwh: float
    source: Source
    data_year: int | None = None
    """The year the electricity was generated; None: the source does not say."""

    @property
    def since(self) -> date:
        """The day the source was read: before that the catalogue did not know it."""
        return self.source.read


@dataclass(frozen=True, slots=True)
class CarbonZone:
    """One grid: a country, or a region of a cloud."""

    name: str
    """ISO 3166 alpha-3 for a country, ``gcp:europe-west1`` for a cloud region."""
    title: str
    scope: CarbonScope
    values: tuple[CarbonValue, ...]
    """Oldest reading first; one per source."""

    def as_assumption(self) -> Assumption:
        """The sources' span as a range: lowest, mean and highest. One source alone: no range, and the note says so."""
        grams = sorted(value.g_per_kwh for value in self.values)
        typical = sum(grams) / len(grams)
        by_source = "; ".join(
            f"{value.g_per_kwh:g} ({value.source.title}{f', data of {value.data_year}' if value.data_year else ''})"
            for value in self.values
        )
        spread = "The span of the sources." if len(grams) > 1 else "One source, so no range is known."
        note = f"Yearly average of the grid of {self.title}. {spread} {by_source}."
        source = self.values[-1].source
        return Assumption(
            GRID_CARBON, "gram/kwh", grams[0], typical, grams[-1], source, note, dimension=GRID_CARBON_DIMENSION
        )


class CarbonZones(Mapping[str, CarbonZone]):
    """All zones as of a day, by name. The file is read when somebody first asks, because most questions never do."""

    def __init__(self, files: CatalogFiles, as_of: date) -> None:
        self._files = files
        self._as_of = as_of
        self._zones: dict[str, CarbonZone] | None = None

    def __getitem__(self, name: str) -> CarbonZone:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def grid_carbon_g_per_kwh(self, zone: str) -> Assumption:
        """Carbon of the zone's grid, for use instead of the catalogue's default of the same name."""
        if zone not in self:
            raise UnknownName(f"no carbon zone '{zone}' in the catalogue; {nearest(zone, list(self))}")
        return self[zone].as_assumption()

    def _read(self) -> dict[str, CarbonZone]:
        if self._zones is None:
            self._zones = dict(_zones(self._files, self._as_of))
        return self._zones


def _zones(files: CatalogFiles, as_of: date) -> Iterator[tuple[str, CarbonZone]]:
    file = files.carbon()
    if file is None:
        return
    sources = {
        name: Source(entry.title, entry.link, entry.read, entry.grade) for name, entry in file.content.sources.items()
    }
    for name, zone in file.content.zones.items():
        values = (CarbonValue(value.g_per_kwh, sources[value.source], value.data_year) for value in zone.values)
        known = started_by(tuple(values), as_of)
        if known:
            yield name, CarbonZone(name, zone.name, zone.scope, known)
