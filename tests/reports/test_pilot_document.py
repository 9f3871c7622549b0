"""The pilot's document: the verdict's own figures, plain JSON whatever they are, read back as it was written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.errors import DocumentError
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.observations import Evidence, Problem
from breakeven.pilot.verdict import Range
from breakeven.reports.pilot_document import as_json, pilot_document, read_pilot_document, to_json
from reports.made_pilots import DESIGN, JOURNAL, MARGIN, PILOTS, observations, outcomes, quality, savings, verdict


@pytest.mark.parametrize("name", PILOTS)
def test_what_is_written_is_read_back(name: str, tmp_path: Path) -> None:
    document = PILOTS[name]()
    path = tmp_path / "pilot.json"
    path.write_text(to_json(document), encoding="utf-8")
    assert read_pilot_document(path) == document


@pytest.mark.parametrize("name", PILOTS)
def test_the_json_holds_no_infinity_and_the_same_document_gives_the_same_text(name: str) -> None:
    document = PILOTS[name]()
    text = to_json(document)
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert to_json(document) == text
    assert as_json(document) == json.loads(text)


def test_the_figures_are_the_verdict_s_own() -> None:
    pairs = {"": outcomes(300, 0.9, 0.9, seed=3)}
    sure = quality("", pairs[""])
    money = savings(1200.0, 300.0)
    found = pilot_document(
        DESIGN,
        Evidence(observations(pairs, 2.0, "shadow", 3)),
        verdict("not_yet", "Not yet.", tasks=(sure,), savings=money, more_days=3.5),
        journal=JOURNAL,
    )
    assert (found.tasks[0].ln_e_ratio, found.tasks[0].outcomes_count) == (sure.ln_e_ratio, 300)
    assert (found.tasks[0].ratio.value, found.tasks[0].ratio.low) == (sure.ratio.value, sure.ratio.low)
    assert found.savings is not None
    assert found.savings.saved_usd_per_month.value == money.saved_usd_per_month.value
    assert found.savings.saved_usd_per_month.unit == "usd/month"
    assert found.verdict is not None
    assert (found.verdict.answer, found.verdict.more_days) == ("not_yet", 3.5)
    assert (found.footer.design_hash, found.footer.policy_hash) == ("4f0c9a1be27d88630512c3", "9c1f22ab77d0")
    assert found.design.margin_ratio == MARGIN


def test_what_was_seen_is_counted() -> None:
    pairs = {"a": outcomes(40, 0.9, 0.9, seed=1), "b": outcomes(60, 0.9, 0.8, seed=2)}
    rows = observations(pairs, 4.0, "shadow", 1)
    unpriced = rows.cost_usd.copy()
    unpriced[:3] = math.nan
    seen = pilot_document(DESIGN, Evidence(replace(rows, cost_usd=unpriced)), None).seen
    assert seen is not None
    assert (seen.requests_count, seen.baseline_requests_count, seen.candidate_requests_count) == (100, 100, 100)
    assert (seen.unpriced_count, seen.unknown_outcomes_count) == (3, 0)
    assert seen.baseline_usd == pytest.approx(float(rows.cost_usd[3:100].sum()))
    assert 3.5 < seen.days <= 4.0
    assert seen.first.startswith("2026-11-09T")


def test_an_endless_payback_is_told_and_is_not_a_number() -> None:
    payback = Range(math.inf, 14.0, math.inf)
    found = pilot_document(DESIGN, None, verdict("no", "No.", savings=savings(-100.0, 10.0, payback=payback)))
    assert found.savings is not None
    months = found.savings.payback_months
    assert (months.value, months.low, months.high) == (None, 14.0, None)
    assert months.is_value_endless
    assert months.is_high_endless


def test_a_logarithm_without_end_stays_a_number() -> None:
    sure = replace(quality("", outcomes(50, 0.9, 0.9, seed=1)), ln_e_ratio=math.inf, ln_inferior_e_ratio=-math.inf)
    found = pilot_document(DESIGN, None, verdict("yes", "Yes.", tasks=(sure,)))
    assert found.tasks[0].ln_e_ratio == 1e6
    assert found.tasks[0].ln_inferior_e_ratio == -1e6


def test_before_a_verdict_the_problems_of_reading_stand() -> None:
    rows = observations({"": outcomes(5, 0.9, 0.9, seed=1)}, 1.0, "shadow", 1)
    problem = Problem("unknown_request", "2 outcomes are of no request.", 2, "they count for nothing")
    found = pilot_document(DESIGN, Evidence(rows, (problem,)), None)
    assert [each.code for each in found.problems] == ["unknown_request"]
    assert found.verdict is None


def test_figures_of_numpy_in_the_expectations_become_plain() -> None:
    import numpy as np

    design = Design(
        "p", "offline", (TaskPlan("", "a", "b"),), "", expects={"days": np.float64(3.0), "n": (1, math.inf)}
    )
    assert pilot_document(design, None, None).design.expects == {"days": 3.0, "n": [1, None]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        ("{", "is not JSON"),
        ("[]", "is not the document of a pilot"),
        ('{"kind": "comparison", "schema_version": "1.3"}', "is not the document of a pilot"),
        ('{"kind": "pilot", "schema_version": "9.0"}', "upgrade breakeven"),
        ('{"kind": "pilot", "schema_version": "1.0"}', "is damaged at"),
    ],
)
def test_what_is_no_document_is_refused_in_words(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "pilot.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(DocumentError, match=words):
        read_pilot_document(path)
