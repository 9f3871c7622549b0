"""Providers: what nobody has read stays unknown, and what was written from memory says so."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.files import DATA
from breakeven.catalog.load import load_catalog, read_catalog
from breakeven.facts.source import Grade

DAY = date(2026, 11, 23)
CATALOG = load_catalog(DAY)
FIELDS = ("jurisdiction", "processing_regions", "retention_days", "trains_on_data", "certifications")
ROW = """
a-cloud:
  title: A cloud
  source: {title: T, link: L, read: 2026-01-01, grade: quoted}
"""


def test_a_provider_with_nothing_read_is_unknown_in_everything(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(DATA, root)
    with (root / "providers.yaml").open("a", encoding="utf-8") as file:
        file.write(ROW)
    found = read_catalog(root, DAY).providers["a-cloud"]
    assert [getattr(found, name) for name in FIELDS] == [None] * len(FIELDS)
    assert (found.title, found.note, found.from_memory) == ("A cloud", "", ())


def test_what_is_given_comes_back_as_given(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(DATA, root)
    given = (
        "  jurisdiction: FR\n  processing_regions: [EU, GB]\n  retention_days: 0\n  trains_on_data: true\n"
        "  certifications: []\n  from_memory: [jurisdiction, retention_days]\n"
    )
    with (root / "providers.yaml").open("a", encoding="utf-8") as file:
        file.write(ROW + given)
    found = read_catalog(root, DAY).providers["a-cloud"]
    assert [getattr(found, name) for name in FIELDS] == ["FR", ("EU", "GB"), 0.0, True, ()]
    assert found.from_memory == ("jurisdiction", "retention_days")


@pytest.mark.parametrize("name", CATALOG.providers)
def test_what_is_said_has_a_source_or_says_that_it_is_memory(name: str) -> None:
    provider = CATALOG.providers[name]
    read = [field for field in FIELDS if getattr(provider, field) is not None and field not in provider.from_memory]
    if read:
        assert provider.source.grade in {Grade.QUOTED, Grade.OFFICIAL}
        assert provider.note, "a promise has conditions: say them"
    if provider.from_memory:
        assert provider.jurisdiction is not None


def test_every_seller_is_known_by_name() -> None:
    sellers = {offer.provider for offer in CATALOG.gpu_offers.values()}
    sellers |= {offer.provider for offer in CATALOG.token_offers.values()}
    assert sellers <= set(CATALOG.providers)
    assert [getattr(CATALOG.providers["market"], field) for field in FIELDS] == [None] * len(FIELDS)


def test_contradicting_pages_leave_a_field_unknown() -> None:
    """Together's own pages say both that it keeps prompts by default and that it does not."""
    assert CATALOG.providers["together"].retention_days is None
    assert "contradict" in CATALOG.providers["together"].note
    assert CATALOG.providers["deepseek"].trains_on_data is None
