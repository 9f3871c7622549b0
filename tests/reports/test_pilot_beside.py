"""Pilot and comparison side by side: who says what, whether they differ, and why that is no contradiction."""

from __future__ import annotations

import pytest

from breakeven.reports.document import Document
from breakeven.reports.pilot_beside import comparison_beside, pilot_beside, scope_words, why_they_differ
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.shortlist import status_quo
from reports.made_pilots import PILOTS
from reports.sample_document import sample_document


def comparison(*, stays: bool, requests_per_month: float = 2_000_000.0) -> Document:
    """A comparison that says stay, or move."""
    document = sample_document()
    today = status_quo(document)
    other = next(each.name for each in document.options if each.name != today)
    verdict = document.verdict.model_copy(update={"recommended": today if stays else other})
    workload = document.workload.model_copy(update={"requests_per_month": requests_per_month})
    return document.model_copy(update={"verdict": verdict, "workload": workload, "answers": None})


def paced(pilot: PilotDocument, requests_per_hour: float | None) -> PilotDocument:
    """The pilot of two tasks with so many requests an hour in each."""
    given = [{"task": each, "requests_per_hour": requests_per_hour} for each in ("faq", "mail")]
    plans = tuple(pilot.design.plans[0].model_copy(update=each) for each in given)
    return pilot.model_copy(update={"design": pilot.design.model_copy(update={"plans": plans})})


@pytest.mark.parametrize(
    ("pilot", "stays", "differs", "begins"),
    [
        ("yes", True, True, "No contradiction: the comparison is about all 2 M requests a month"),
        ("yes", False, False, "Both point the same way: "),
        ("no", True, False, "Both say stay: "),
        ("no", False, True, "They differ: "),
        ("not_yet", True, False, "The pilot has not decided yet: "),
        ("designed", False, False, "The pilot has not decided yet: "),
    ],
)
def test_each_pair_of_answers_has_its_words(pilot: str, stays: bool, differs: bool, begins: str) -> None:
    document, found = comparison(stays=stays), PILOTS[pilot]()
    mine, theirs = pilot_beside(document, found), comparison_beside(document, found)
    assert mine.why == theirs.why == why_they_differ(document, found)
    assert mine.why.startswith(begins)
    assert mine.differs is theirs.differs is differs
    assert theirs.said == document.verdict.sentence
    assert mine.said == ("designed, and nothing is measured yet." if found.verdict is None else found.verdict.sentence)


def test_a_loss_leads_to_the_comparison_with_what_was_measured() -> None:
    said = why_they_differ(comparison(stays=False), PILOTS["no"]())
    assert f"breakeven pilot report {PILOTS['no']().design.name} --recalibrate measured.yaml" in said


def test_the_share_is_told_where_it_is_known() -> None:
    document = comparison(stays=True)

    def scope(share: float | None) -> str:
        pace = None if share is None else share * 2_000_000 / 730 / 2
        return scope_words(document, paced(PILOTS["yes"](), pace))

    assert scope(0.5) == "faq, mail alone (50 % of the requests)"
    assert scope(1.0) == scope(0.999) == "faq, mail"
    assert scope(2.0) == scope(None) == "faq, mail alone"  # of another log, or not known


def test_many_tasks_are_counted_and_none_is_all_requests() -> None:
    many = PILOTS["many"]()
    assert f"and {len(many.design.plans) - 3} more" in scope_words(comparison(stays=True), many)
    plan = many.design.plans[0].model_copy(update={"task": ""})
    alone = many.model_copy(update={"design": many.design.model_copy(update={"plans": (plan,)})})
    assert scope_words(comparison(stays=True), alone) == "all requests"


def test_what_a_pilot_counts_is_what_was_stated() -> None:
    pilot = PILOTS["yes"]()

    def counted(**stated: float | None) -> str:
        design = pilot.design.model_copy(
            update={"human_correction_usd": None, "idle_usd_per_month": None, "label_usd": None, **stated}
        )
        return why_they_differ(comparison(stays=True), pilot.model_copy(update={"design": design}))

    assert counted().endswith("counts what their calls cost.")
    assert counted(human_correction_usd=0.5).endswith("counts what their calls cost and corrections.")
    assert counted(human_correction_usd=0.5, idle_usd_per_month=9.0).endswith(
        "counts what their calls cost, corrections and the candidate's servers."
    )


def test_hostile_names_stay_on_one_line() -> None:
    said = pilot_beside(comparison(stays=True), PILOTS["hostile"]())
    assert not {"\x1b", "\u202e", "\x07", "\n"} & set(said.said + said.why)
