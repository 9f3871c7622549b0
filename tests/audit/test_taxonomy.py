"""Taxonomy: names, words and structure vote; the reason is said, doubt is not hidden."""

from __future__ import annotations

import pytest

from breakeven.audit.task import Difficulty, Kind, LengthProfile
from breakeven.audit.taxonomy import TaskFeatures, kind_of

PLAIN = LengthProfile(500, 900, 150, 300)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ticket-classification_v2", "classification"),
        ("extract order data", "extraction"),
        ("faq-bot", "faq"),
        ("SummariseMeeting", "summarisation"),
        ("translate_product_page", "translation"),
        ("rewrite in house style", "rewriting"),
        ("code-review", "code"),
        ("marketing headlines", "creative"),
        ("browser agent", "agent"),
    ],
)
def test_a_name_tells(name: str, kind: Kind) -> None:
    found = kind_of(TaskFeatures(name, {}, PLAIN, Difficulty()))
    assert found.kind == kind
    assert found.confidence_fraction >= 0.6
    assert "the name says" in found.because


def test_words_that_most_prompts_have_tell_and_rare_words_do_not() -> None:
    often = kind_of(TaskFeatures("", {"translate": 0.98, "text": 0.9}, PLAIN, Difficulty()))
    assert (often.kind, often.because) == ("translation", '98 % of prompts say "translate"')
    assert kind_of(TaskFeatures("", {"translate": 0.1}, PLAIN, Difficulty())).kind == "unknown"


@pytest.mark.parametrize(
    ("features", "kind"),
    [
        (TaskFeatures("", {}, LengthProfile(400, 800, 5, 9), Difficulty()), "classification"),
        (TaskFeatures("", {}, PLAIN, Difficulty(), has_schema=True), "extraction"),
        (TaskFeatures("", {}, PLAIN, Difficulty(tools_fraction=0.9)), "agent"),
        (TaskFeatures("", {}, PLAIN, Difficulty(reasoning_fraction=0.8)), "reasoning"),
        (TaskFeatures("", {}, PLAIN, Difficulty(code_marks_ratio=9.0)), "code"),
        (TaskFeatures("", {}, PLAIN, Difficulty(user_turns_ratio=4.0)), "chat"),
        (TaskFeatures("", {}, LengthProfile(6000, 9000, 200, 400), Difficulty()), "summarisation"),
    ],
)
def test_structure_tells_without_words(features: TaskFeatures, kind: Kind) -> None:
    found = kind_of(features)
    assert found.kind == kind
    assert found.confidence_fraction <= 0.75


def test_contradicting_evidence_is_doubt() -> None:
    sure = kind_of(TaskFeatures("classify", {}, LengthProfile(400, 800, 5, 9), Difficulty()))
    torn = kind_of(TaskFeatures("classify", {}, PLAIN, Difficulty(reasoning_fraction=0.9, tools_fraction=0.9)))
    assert torn.confidence_fraction < sure.confidence_fraction - 0.2
