"""The guide document and the page that is generated from it."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from breakeven.catalog.files import DATA, read_files
from breakeven.catalog.load import read_catalog
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.reference_workload import WORDS, reference_situation
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.reports.guide_build import build_guide_document
from breakeven.reports.guide_document import GuideDocument, to_json
from breakeven.reports.guide_page import FILE_NAME, markdown, page
from breakeven.reports.guide_terminal import render_guide

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / FILE_NAME
FEW = ("h100-spot-rent", "ten-thousand-a-year", "per-token-price")


def bench() -> Bench:
    catalog = read_catalog(DATA, read_files().catalogue.content.checked)
    return Bench(reference_situation(catalog), DrawSet(0, 8), discover_options(), WORDS, True)


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m breakeven.reports.guide_page"


def test_the_page_carries_date_seed_and_no_unfilled_template() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert read_files().catalogue.content.checked.isoformat() in text
    assert "seed 0" in text
    assert "{" not in text
    assert "nan" not in text.split()
    for line in text.splitlines():
        assert line.startswith(("|", "#", "<")) or len(line) <= 120


def test_every_figure_traces_to_the_table() -> None:
    document = build_guide_document(bench(), Scenario(), only=FEW)
    assert [each.id for each in document.claims] == list(FEW)
    for claim in document.claims:
        for figure in claim.figures:
            node = document.trace[figure.trace]
            assert (node.p50, node.unit) == (figure.p50, figure.unit)
            assert all(each in document.trace for each in node.inputs)


def test_the_same_question_gives_the_same_bytes() -> None:
    one, two = (to_json(build_guide_document(bench(), Scenario(), only=FEW)) for _ in range(2))
    assert one == two
    assert GuideDocument.model_validate(json.loads(one)) is not None


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_fits_its_width(width: int) -> None:
    console = Console(width=width, record=True, file=StringIO(), highlight=False)
    document = build_guide_document(bench(), Scenario(), only=FEW)
    render_guide(document, console)
    text = console.export_text()
    assert max(len(line) for line in text.splitlines()) <= width
    for each in FEW:
        assert each in text


def test_braces_in_a_logs_names_break_no_sentence() -> None:
    """Names come from logs: a brace of theirs is not a template's."""
    on = bench()
    models = tuple(replace(each, label="openai/{evil}") for each in on.situation.demand.models)
    on.situation = replace(on.situation, demand=replace(on.situation.demand, models=models))
    on.workload, on.is_reference = "your log {evil}", False
    text = markdown(build_guide_document(on, Scenario(), only=(*FEW, "mid-models-beat-mid-tier")))
    assert "{evil}" in text
