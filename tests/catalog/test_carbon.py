"""Carbon: several sources per zone are a range, as of the day they were read; the file is read on first use."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.carbon import GRID_CARBON, GRID_CARBON_DIMENSION
from breakeven.catalog.files import DATA, read_files
from breakeven.catalog.ledger import fingerprints
from breakeven.catalog.load import Catalog, read_catalog
from breakeven.errors import CatalogError, UnknownName
from breakeven.units import unit_of

DAY = date(2026, 11, 23)
TEXT = """
sources:
  early: {title: Early, link: L, read: 2026-01-01, grade: quoted}
  late: {title: Late, link: L, read: 2026-10-23, grade: official}
zones:
  AAA:
    name: Aland
    scope: country
    values: [{g_per_kwh: 300, source: early}, {g_per_kwh: 360, source: late, data_year: 2022}]
  "gcp:x": {name: Somewhere, scope: cloud_region, values: [{g_per_kwh: 50, source: late}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled catalogue with two zones of our own."""
    root = tmp_path / "data"
    shutil.copytree(DATA, root)
    (root / "carbon.yaml").write_text(TEXT, encoding="utf-8")
    return root


def _broken(folder: Path, old: str, new: str) -> Catalog:
    assert old in TEXT
    (folder / "carbon.yaml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return read_catalog(folder, DAY)


def test_the_span_of_the_sources_is_the_range(folder: Path) -> None:
    catalog = read_catalog(folder, DAY)
    fact = catalog.grid_carbon_g_per_kwh("AAA")
    assert (fact.low, fact.typical, fact.high) == (300, 330, 360)
    assert (fact.name, fact.unit, fact.dimension) == (GRID_CARBON, unit_of(GRID_CARBON), GRID_CARBON_DIMENSION)
    assert "300 (Early); 360 (Late, data of 2022)" in fact.note
    assert fact.source.title == "Late"
    alone = catalog.grid_carbon_g_per_kwh("gcp:x")
    assert alone.is_certain
    assert "One source" in alone.note
    assert {name: zone.scope for name, zone in catalog.carbon.items()} == {"AAA": "country", "gcp:x": "cloud_region"}


def test_the_past_knows_only_what_had_been_read(folder: Path) -> None:
    catalog = read_catalog(folder, date(2026, 6, 1))
    assert catalog.grid_carbon_g_per_kwh("AAA").typical == 300
    assert "gcp:x" not in catalog.carbon


def test_an_unknown_zone_names_the_nearest(folder: Path) -> None:
    with pytest.raises(UnknownName, match="no carbon zone 'AAB' in the catalogue; did you mean 'AAA'"):
        read_catalog(folder, DAY).grid_carbon_g_per_kwh("AAB")


def test_without_the_file_there_are_no_zones(folder: Path) -> None:
    (folder / "carbon.yaml").unlink()
    assert len(read_catalog(folder, DAY).carbon) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("source: early}", "source: erly}", r"carbon\.yaml.*AAA: no source 'erly' under `sources`"),
        ("g_per_kwh: 300", "g_per_kwh: -1", r"carbon\.yaml:\d+: zones\.AAA\.values\.0\.g_per_kwh: saw -1"),
        ("scope: country", "scope: planet", r"zones\.AAA\.scope: saw 'planet'"),
        ("source: late, data_year: 2022", "source: early", "a source gives two values for this zone"),
    ],
)
def test_a_bad_zone_is_refused_when_somebody_asks(folder: Path, old: str, new: str, message: str) -> None:
    catalog = _broken(folder, old, new)
    with pytest.raises(CatalogError, match=message):
        len(catalog.carbon)


def test_zones_are_in_the_ledger(folder: Path) -> None:
    rows = fingerprints(read_files(folder))
    assert {"carbon.AAA.early@2026-01-01", "carbon.AAA.late@2026-10-23", "carbon.gcp:x.late@2026-10-23"} <= set(rows)
