"""Explaining numbers without a trace: every path listed leads somewhere, and says what, how and from which facts."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from breakeven.errors import DocumentError, UnknownName
from breakeven.reports.document import Amount, Document
from breakeven.reports.explain import find_trace
from breakeven.reports.explain_methods import METHODS
from breakeven.reports.explain_parts import explain_path, explained_json, is_part_path, part_paths
from breakeven.reports.terminal_explain import render_explained
from decision_documents import with_decision, without_decision
from reports.sample_document import HOSTILE, hostile_document, sample_document

ROOT = Path(__file__).parents[2]
DOCUMENT = with_decision(sample_document())


def shown(path: str) -> str:
    console = Console(file=StringIO(), width=100, highlight=False)
    render_explained(explain_path(DOCUMENT, path), console, "report.json")
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_every_listed_path_leads_to_its_number() -> None:
    paths = list(part_paths(DOCUMENT))
    assert len(paths) == len(set(paths))
    for path in paths:
        found = explain_path(DOCUMENT, path)
        assert found.path == path and isinstance(found.value, Amount | int | float | tuple)
        assert found.meaning or found.about
        assert found.method.words and found.method.page
        json.dumps(explained_json(found), allow_nan=False)


def test_the_paths_of_the_parts_are_listed() -> None:
    paths = set(part_paths(DOCUMENT))
    assert {
        "horizon.rented_on_demand.present_cost_usd",
        "horizon.value_of_waiting_a_quarter_usd",
        "risk.evpi_usd",
        f"risk.{DOCUMENT.levers[0].name}.evppi_usd",
        "answers.volume_bands.3.usd_per_month",
        "answers.five_questions.volume.probability_fraction",
    } <= paths


def test_an_amount_of_an_option() -> None:
    assert DOCUMENT.horizon is not None
    found = explain_path(DOCUMENT, "horizon.brokered.present_cost_usd")
    part = next(each for each in DOCUMENT.horizon.options if each.option == "brokered")
    assert found.value == part.present_cost_usd and found.unit == "usd"
    assert found.meaning.startswith("Present value of all cash it takes")
    assert found.traces == ("brokered.total_usd_per_month", "brokered.cost_usd_per_success")
    assert {each.name for each in found.facts} == {
        each.name for each in DOCUMENT.assumptions if "brokered" in each.used_by
    }


def test_the_value_of_information_on_a_fact() -> None:
    name = DOCUMENT.levers[0].name
    found = explain_path(DOCUMENT, f"risk.{name}.evppi_usd")
    assert DOCUMENT.risk is not None and found.value == DOCUMENT.risk.information[0].evppi_usd
    assert found.unit == "usd" and "knowing it exactly" in found.meaning
    swing = explain_path(DOCUMENT, f"risk.{name}.saves_at_low_usd")
    assert swing.value == DOCUMENT.risk.tornado[0].saves_at_low_usd


def test_places_count_from_one() -> None:
    assert DOCUMENT.answers is not None and DOCUMENT.horizon is not None
    band = explain_path(DOCUMENT, "answers.volume_bands.3")
    assert band.value == DOCUMENT.answers.volume_bands[2]
    month = explain_path(DOCUMENT, "horizon.hybrid.typical_usd_per_month.12")
    part = next(each for each in DOCUMENT.horizon.options if each.option == "hybrid")
    assert month.value == part.typical_usd_per_month[11] and month.unit == "usd/month"


def test_a_question_shows_its_evidence() -> None:
    text = shown("answers.five_questions.volume")
    assert "answer: no" in text and "your log against the prices of today" in text
    assert "One of the five questions." in text


def test_the_page_says_value_meaning_method_and_facts() -> None:
    text = " ".join(shown("horizon.rented_on_demand.saves_usd").split())
    assert "P50 (P10 to P90" in text and "costs $" in text and "-$" not in text.split("Facts")[0]
    assert "future by future" in text and "docs/explanation/" in text
    assert "breakeven explain report.json rented_on_demand.total_usd_per_month" in text


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("horizon.rented_on_demnd.saves_usd", "horizon.rented_on_demand.saves_usd"),
        ("risk.evpi_us", "risk.evpi_usd"),
        ("answers.volume_bands.99", "answers.volume_bands"),
        ("horizon.brokered.saves_usd.p10.x", "horizon.brokered.saves_usd"),
    ],
)
def test_a_wrong_path_names_the_nearest(path: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"nothing named '{path}'.*{near}"):
        explain_path(DOCUMENT, path)


def test_a_document_without_the_part_says_so() -> None:
    with pytest.raises(DocumentError, match=r"has no risk \(schema 1.1\); run `breakeven compare` again"):
        explain_path(without_decision(sample_document()), "risk.evpi_usd")


def test_an_option_s_own_lines_come_first() -> None:
    base = sample_document()
    named = base.model_copy(
        update={"options": (base.options[0].model_copy(update={"name": "risk"}), *base.options[1:])}
    )
    assert is_part_path(base, "risk.evpi_usd") and not is_part_path(named, "risk.total_usd_per_month")
    assert not is_part_path(base, "frontier_api.tokens")


def test_hostile_names_are_paths_too() -> None:
    document = with_decision(hostile_document(), words=lambda i: HOSTILE[i % len(HOSTILE)])
    for path in part_paths(document):
        explain_path(document, path)


def test_every_page_named_exists() -> None:
    pages = {each.page for each in METHODS.values()}
    missing = sorted(each for each in pages if not (ROOT / each).is_file())
    assert not missing


def driven_document() -> Document:
    """A document whose paths and assumptions are those of the months."""
    model = DOCUMENT.assumptions[0]
    names = ("volume_growth_fraction_per_month", "growth_half_life_months", "gpu_rent_half_life_months",
             "gpu_rent_volatility_ratio", "cost_of_capital_fraction_per_year", "migration_ramp_months")  # fmt: skip
    facts = tuple(model.model_copy(update={"name": each, "used_by": ()}) for each in names)
    assert DOCUMENT.horizon is not None
    volume = DOCUMENT.horizon.paths[0].model_copy(
        update={"name": "volume", "basis": f"{names[0]} 0.02 (0 to 0.1; guess); {names[1]} 12 (6 to 24; guess)"}
    )
    rent = volume.model_copy(
        update={"name": "gpu_rent", "basis": f"{names[2]} 12 (6 to 30; guess); chance on top, both ways"}
    )
    horizon = DOCUMENT.horizon.model_copy(update={"paths": (volume, rent)})
    return DOCUMENT.model_copy(update={"horizon": horizon, "assumptions": (*DOCUMENT.assumptions, *facts)})


def test_what_drives_the_months_stands_first_behind_their_numbers() -> None:
    document = driven_document()
    driving = [each.name for each in document.assumptions[len(DOCUMENT.assumptions) :]]
    for path in ("horizon.brokered.saves_usd", "horizon.value_of_waiting_a_quarter_usd", "risk.evpi_usd"):
        found = explain_path(document, path)
        assert [each.name for each in found.facts[: len(driving)]] == driving
        assert len(found.facts) > len(driving)
    assert not {each.name for each in explain_path(document, "answers.volume_bands.1").facts} & set(driving)


def test_a_path_of_the_months_stands_on_its_own_facts() -> None:
    document = driven_document()
    volume = explain_path(document, "horizon.volume.p50_ratio")
    assert [each.name for each in volume.facts] == ["volume_growth_fraction_per_month", "growth_half_life_months"]
    rent = explain_path(document, "horizon.gpu_rent.p50_ratio")
    assert [each.name for each in rent.facts] == ["gpu_rent_half_life_months", "gpu_rent_volatility_ratio"]


def test_exit_criteria_are_told_with_their_conditions() -> None:
    assert DOCUMENT.answers is not None
    text = " ".join(shown("answers.exit_criteria").split())
    for each in DOCUMENT.answers.exit_criteria:
        assert f"{each.metric}: {each.condition} ({each.why})" in text


def test_an_option_alone_is_its_total() -> None:
    document = sample_document()
    assert find_trace(document, "brokered") == find_trace(document, "brokered.total_usd_per_month")
