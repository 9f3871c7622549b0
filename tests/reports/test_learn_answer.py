"""Learn answer: the report beside a policy, and what it does not hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.errors import DocumentError
from breakeven.reports.learn_answer import REPORT_NAME, read_report, report_text
from breakeven.routing.policy_file import hash_without_trial, load, save
from breakeven.routing.trial import Trial, TrialPart
from reports.learnt_documents import learnt


def test_the_report_lies_beside_the_policy_without_prompts(tmp_path: Path) -> None:
    found = learnt(tmp_path, 200, prompts=True)
    assert any("Question" in each.prompt for each in found.document.examples)
    kept = (found.policy / REPORT_NAME).read_text(encoding="utf-8")
    assert "Question" not in kept
    assert "Question" not in (found.policy / "policy.json").read_text(encoding="utf-8")
    report = read_report(found.policy)
    assert report is not None
    assert report.policy.hash == load(found.policy).hash
    assert report.model_copy(update={"examples": found.document.examples}) == found.document
    assert report_text(report) == kept


def test_a_pilot_on_a_policy_does_not_hide_whose_report_it_is(tmp_path: Path) -> None:
    found = learnt(tmp_path, 200)
    before = load(found.policy)
    trial = Trial("faq-0123", (TrialPart("faq", "small", "canary", 0.05, "large"),))
    save(replace(before.document, trial=trial), found.policy)
    assert load(found.policy).hash != before.hash
    assert hash_without_trial(found.policy) == before.hash


def test_what_is_no_report_is_said(tmp_path: Path) -> None:
    assert read_report(tmp_path) is None
    path = tmp_path / REPORT_NAME
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DocumentError, match="no schema_version"):
        read_report(tmp_path)
    path.write_text(json.dumps({"schema_version": 9}), encoding="utf-8")
    with pytest.raises(DocumentError, match="upgrade breakeven"):
        read_report(tmp_path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(DocumentError, match="is not JSON"):
        read_report(tmp_path)
