"""The published cases that ship: each gives its recomputed figures, and they are those of the public collection."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.claims.bundled import bundled_claim, bundled_names
from breakeven.reports.claim_document import claim_document
from claims.claiming import AS_OF, checked_case, row_of

RECOMPUTED_AS = {
    ("lenovo-2025-on-demand", "breakeven_months"): "payback_months",
    ("dreaming-utilisation", "ten_percent"): "ten percent.host_usd_per_mtok",
    ("cascade-vs-router", "true_cascade"): "cascade_usd_per_mtok",
}
"""Figures that the collection recomputes and the page never published."""
IN_OTHER_UNITS = {"capacity_b": 1e9}
"""What the collection counts in billions."""


def test_there_are_22() -> None:
    assert len(bundled_names()) == 22


@pytest.mark.parametrize("name", bundled_names())
def test_each_gives_its_recomputed_figures(name: str) -> None:
    found = checked_case(name)
    assert found.is_reproduced
    assert found.file.entry.published
    for full, expected in found.file.entry.recomputed.items():
        row = row_of(found, full)
        if expected == "never":
            assert row.is_never
        elif expected == "unpriced":
            assert row.value is None and row.problem.startswith("UNPRICED")
        else:
            assert row.value == pytest.approx(float(expected), rel=max(found.file.entry.tolerance, 1e-12))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", bundled_names())
def test_each_names_its_source(name: str) -> None:
    entry = bundled_claim(name).entry
    assert entry.source.title and entry.source.link and entry.source.read


@pytest.mark.parametrize("name", bundled_names())
def test_json_of_every_case_is_json(name: str) -> None:
    catalog = load_catalog(AS_OF)
    json.dumps(claim_document(checked_case(name), catalog), allow_nan=False)


def collection(shared_data: Path) -> dict[str, dict[str, Any]]:
    cases = json.loads((shared_data / "cases" / "published_cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in cases}


def test_all_of_the_collection_are_bundled(shared_data: Path) -> None:
    assert set(collection(shared_data)) <= set(bundled_names())


@pytest.mark.parametrize("name", bundled_names())
def test_the_figures_are_those_of_the_collection(name: str, shared_data: Path) -> None:
    case = collection(shared_data)[name]
    found = checked_case(name)
    entry = found.file.entry
    assert entry.kind == case["kind"]
    assert entry.tolerance == pytest.approx(case["rel_tol"])
    names = {label: full for full, label in entry.published_as.items()}
    for label, published in case["published"].items():
        scale = IN_OTHER_UNITS.get(label, 1.0)
        assert entry.published[names[label]] == pytest.approx(published * scale), label
    for label, recomputed in case["recomputed"].items():
        full = names.get(label) or RECOMPUTED_AS[(name, label)]
        value = row_of(found, full).value
        wanted = recomputed * IN_OTHER_UNITS.get(label, 1.0)
        assert value == pytest.approx(wanted, rel=max(case["rel_tol"], 1e-6)), label


def test_two_months_become_never_with_one_engineer() -> None:
    found = checked_case("xqa-labour")
    assert row_of(found, "naive.payback_months").value == 2.0
    row = row_of(found, "with one engineer.payback_months")
    assert row.value is not None and math.isinf(row.value)


def test_an_unknown_model_is_unpriced_with_its_tokens() -> None:
    row = row_of(checked_case("litellm-35913"), "unknown model.api_usd")
    assert row.value is None
    assert "37,400,000 tokens" in row.problem


def test_the_overrun_flips_the_verdict() -> None:
    assert any("verdict flips" in each for each in checked_case("arika-overrun").flags)


def test_a_router_is_not_a_cascade() -> None:
    found = checked_case("cascade-vs-router")
    assert found.verdict == "trap"
    assert row_of(found, "routed_usd_per_mtok").value == pytest.approx(3.08)
    assert row_of(found, "cascade_usd_per_mtok").value == pytest.approx(3.10)
    assert row_of(found, "with a verifier.cascade_usd_per_mtok").value == pytest.approx(3.20)


def test_utilisation_times_rent_is_a_switch() -> None:
    found = checked_case("llmtco-examples")
    assert row_of(found, "rented, scales to zero.gpu_rent_usd_per_month").value == pytest.approx(328.5)
    assert row_of(found, "rented, always on.gpu_rent_usd_per_month").value == pytest.approx(1095.0)


def test_labour_at_a_fraction_of_the_catalogue_is_named() -> None:
    found = checked_case("cynscode-g5").left_out["as published"]
    labour = next(each for each in found.lines if each.line.name == "engineering_labour")
    assert labour.is_thin
    assert labour.counted_usd_per_month == pytest.approx(200.0)
    assert labour.low_usd_per_month is not None and labour.low_usd_per_month > 1000
