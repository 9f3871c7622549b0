"""Rows of the months, of doubt and of the guide's questions: the document's own numbers, in words."""

from __future__ import annotations

import pytest

from breakeven.reports import amounts
from breakeven.reports.decision_rows import (
    energy_rows,
    fast_form_words,
    loss_rows,
    months_rows,
    odds_rows,
    question_answer,
    rule_lines,
    worth_measuring,
)
from breakeven.reports.document import Document
from breakeven.reports.shortlist import main_options
from decision_documents import with_decision
from reports.many_options import many_options_document
from reports.sample_document import sample_document


@pytest.fixture(scope="module")
def many() -> Document:
    """Eighteen options with every part."""
    return with_decision(many_options_document())


def test_an_old_document_has_no_rows() -> None:
    old = sample_document()
    assert not [*months_rows(old), *odds_rows(old), *worth_measuring(old), *loss_rows(old), *energy_rows(old)]


def test_the_main_options_come_in_the_order_of_the_horizon(many: Document) -> None:
    assert many.horizon is not None
    shown = {each.name for each in main_options(many)}
    assert [row.option.name for row in months_rows(many)] == [
        each.option for each in many.horizon.options if each.option in shown
    ]
    assert len(months_rows(many, every=True)) == len(many.options)
    for row in months_rows(many):
        assert row.part.option == row.option.name


def test_never_is_a_word(many: Document) -> None:
    rows = {row.option.name: row for row in months_rows(many, every=True)}
    never = [row for row in rows.values() if row.part.payback and row.part.payback.p50_months is None]
    assert never
    assert {row.payback for row in never} == {"never"}
    assert {row.payback_note for row in never} == {"never in 100 of 100"}
    back = next(row for row in rows.values() if row.part.payback and row.part.payback.p50_months == 4)
    assert (back.payback, back.payback_span, back.payback_note) == ("month 4", "month 2 to never", "never in 14 of 100")
    assert rows["frontier_api"].payback == "as today"


def test_odds_keep_never_apart(many: Document) -> None:
    for row in odds_rows(many):
        assert (row.first, row.first_span) == ("900 M", "400 M to never")
        assert (row.last, row.last_span) == ("1.2 B", "500 M to never")
        assert (row.never, row.here) == ("20 of 100", "60 of 100")
    assert len(odds_rows(many, every=True)) == len(many.breakeven.pairs) > len(odds_rows(many))


def test_noise_is_not_worth_measuring(many: Document) -> None:
    assert many.risk is not None
    noisy = [each.model_copy(update={"is_noise": index > 2}) for index, each in enumerate(many.risk.information)]
    document = many.model_copy(update={"risk": many.risk.model_copy(update={"information": tuple(noisy)})})
    assert worth_measuring(document) == noisy[:3]


def test_options_with_one_risk_share_a_row_and_none_is_lost(many: Document) -> None:
    assert many.answers is not None
    (row,) = loss_rows(many)
    assert all(each.title in row.titles for each in many.options)
    first, *others = many.answers.privacy.options
    dear = first.model_copy(
        update={"annual_loss_usd": first.annual_loss_usd.model_copy(update={"mean": 1e6}), "exposure_ratio": 1.2}
    )
    privacy = many.answers.privacy.model_copy(update={"options": (*others, dear)})
    document = many.model_copy(update={"answers": many.answers.model_copy(update={"privacy": privacy})})
    top, rest = loss_rows(document)
    assert top.part is dear
    assert top.ratio == "1.2x"
    assert rest.titles.count(";") == len(others) - 1


def test_the_idle_share_is_that_of_expected_energy(many: Document) -> None:
    (row,) = energy_rows(many)
    share = row.part.idle_energy_kwh_per_month.mean / row.part.energy_kwh_per_month.mean
    assert row.idle == amounts.fraction(round(share, 2))


def test_an_unknown_answer_has_no_odds(many: Document) -> None:
    assert many.answers is not None
    told = {each.key: question_answer(each) for each in many.answers.five_questions.questions}
    assert told["data_sensitive"] == "unknown"
    assert told["volume"] == "no (yes in 4 of 100 futures)"
    assert told["accuracy"] == "yes (yes in 62 of 100 futures)"


def test_the_rule_and_the_money_stand_beside_each_other(many: Document) -> None:
    assert many.answers is not None
    five = many.answers.five_questions
    rule, money, risk = rule_lines(five)
    assert "three or more" in rule
    assert five.rule_says in rule
    assert five.money_says in money
    assert money.endswith("They do not contradict each other.")
    assert risk.startswith("Risk: medium. ")
    against = rule_lines(five.model_copy(update={"agree": False}))[1]
    assert against.endswith("They disagree; money decides.")


def test_how_near_the_fast_form_is_stands_in_words(many: Document) -> None:
    assert many.horizon is not None
    horizon = many.horizon.model_copy(update={"approximation_error_fraction": 0.0171})
    words = "fast form within 1.7 % of the exact months, measured in this run"
    assert fast_form_words(many.model_copy(update={"horizon": horizon})) == words
    assert fast_form_words(sample_document()) == ""
