"""The generated reference is what the catalogue says today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breakeven.catalog.files import read_files
from breakeven.catalog.load import load_catalog
from breakeven.catalog.price_spread import disagreements
from breakeven.catalog.reference import COMMAND, main, pages

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["facts.md", "catalog.schema.json"])
def test_no_drift(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name], f"run `{COMMAND}`"


def test_every_name_is_on_the_page() -> None:
    page = pages()["facts.md"]
    catalog = load_catalog(read_files().catalogue.content.checked)
    groups = (
        catalog.assumptions,
        catalog.gpu_offers,
        catalog.token_offers,
        catalog.providers,
        catalog.gpus,
        catalog.models,
    )
    for group in groups:
        for name in group:
            assert f"`{name}`" in page


def test_disagreeing_lists_are_shown_side_by_side() -> None:
    page = pages()["facts.md"]
    catalog = load_catalog(read_files().catalogue.content.checked)
    for spread in disagreements(catalog):
        lines = [line for line in page.splitlines() if line.startswith(f"| `{spread.name}` |")]
        assert len(lines) == len(catalog.price_quotes[spread.name])
        assert sum(line.endswith("| counted |") for line in lines) == len(spread.counted)


def test_the_schema_describes_every_field() -> None:
    schema = json.loads(pages()["catalog.schema.json"])
    for name in (
        "AssumptionEntry",
        "DatedRange",
        "SourceEntry",
        "TokenOfferEntry",
        "GpuEntry",
        "ModelEntry",
        "ProviderEntry",
    ):
        definition = schema["$defs"][name]
        assert definition["additionalProperties"] is False
        assert definition["description"]
    assert schema["$defs"]["DatedRange"]["properties"]["since"]["description"] == "First day on which it holds."
    assert set(schema["$defs"]["SourceEntry"]["required"]) == {"title", "link", "read", "grade"}


def test_the_command_writes_the_pages(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {path.name for path in (tmp_path / "reference").iterdir()} == set(pages())
