"""The one-page decision: the same words as the document, in few lines, from documents of any age."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from breakeven.reports import amounts
from breakeven.reports.decide_json import decide_json
from breakeven.reports.decide_page import decide_page, month_words, payback_span
from breakeven.reports.decide_terminal import render_decision
from breakeven.reports.document import Document
from breakeven.reports.horizon_part import HorizonOptionPart, PaybackPart
from breakeven.reports.html import render_html
from breakeven.reports.markdown import render_markdown
from decision_documents import with_decision, with_options, without_decision
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, sample_document


def shown(document: Document, width: int = 80) -> list[str]:
    console = Console(file=StringIO(), width=width, highlight=False)
    render_decision(document, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_the_page_is_the_document_s_decision() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.risk is not None
    page, decision = decide_page(document), document.answers.decision
    assert (page.recommended, page.sentence) == (decision.recommended, decision.sentence)
    assert page.figures == decision.figures and len(page.figures) == 3
    assert page.monday == decision.monday and page.change_our_mind == decision.change_our_mind
    assert page.odds.startswith("69 of 100 futures")
    assert page.measure_next == document.risk.measure_next
    assert page.missing == ()


def staying() -> Document:
    """Staying is recommended; spot GPUs are the best move."""
    document = with_decision(sample_document())
    assert document.answers is not None and document.horizon is not None
    decision = document.answers.decision.model_copy(update={"recommended": "frontier_api"})
    horizon = document.horizon.model_copy(update={"recommended": "frontier_api", "moves_to": "rented_spot"})
    answers = document.answers.model_copy(update={"decision": decision})
    return document.model_copy(update={"answers": answers, "horizon": horizon})


def of_one_month(document: Document) -> Document:
    """`document` with a horizon of one month."""
    assert document.horizon is not None
    monthly = [each for each in HorizonOptionPart.model_fields if each.endswith("_usd_per_month")]
    options = tuple(
        each.model_copy(update={field: getattr(each, field)[:1] for field in monthly})
        for each in document.horizon.options
    )
    horizon = document.horizon.model_copy(update={"months_count": 1, "options": options})
    return document.model_copy(update={"horizon": horizon})


def bills(document: Document, name: str) -> tuple[float, ...]:
    assert document.horizon is not None
    return next(each.p50_usd_per_month for each in document.horizon.options if each.option == name)


def test_the_first_year_is_the_horizon_s_own_bills() -> None:
    document = with_decision(sample_document())
    page = decide_page(document)
    saved = sum(bills(document, "frontier_api")[:12]) - sum(bills(document, page.recommended)[:12])
    assert page.tiles[0].label == "First 12 months, all costs, median"
    assert page.tiles[0].value == amounts.difference(saved)


def test_of_one_month_nothing_counts_twelve_times() -> None:
    document = of_one_month(staying())
    page = decide_page(document)
    saved = bills(document, "frontier_api")[0] - bills(document, "rented_spot")[0]
    assert page.tiles[0].label == "Moving to rented H100 (spot): first month, all costs, median"
    assert page.tiles[0].value == amounts.difference(saved)
    text = " ".join([*shown(document, 120), *(each.note for each in page.tiles), page.odds])
    assert "NPV, 1 month " in text and "within 1 month in" in text and "1 months" not in text


def test_without_months_the_year_is_twelve_months_of_the_verdict() -> None:
    document = with_decision(sample_document()).model_copy(update={"horizon": None})
    saves = document.verdict.saves_usd_per_month
    assert saves is not None
    tile = decide_page(document).tiles[0]
    assert tile.label == "A year, at today's volume and prices"
    assert tile.value == amounts.difference(saves.p50 * 12)
    assert tile.range == amounts.difference_range(saves.p10 * 12, saves.p90 * 12)


def test_where_staying_is_chosen_all_money_is_of_the_best_move() -> None:
    document = staying()
    assert document.horizon is not None
    first, present, payback, odds = decide_page(document).tiles
    moved = next(each for each in document.horizon.options if each.option == "rented_spot")
    assert present.value == amounts.difference(moved.saves_usd.mean) and present.value.startswith("costs")
    assert first.value == amounts.difference(
        sum(bills(document, "frontier_api")[:12]) - sum(bills(document, "rented_spot")[:12])
    )
    assert first.value.startswith("costs") and payback.value == "never"
    assert all(each.label.startswith("Moving to rented H100 (spot): ") for each in (first, present, payback))
    assert odds.label == "Odds of staying"
    text = "\n".join(shown(document))
    assert text.count("Moving to rented H100 (spot), against staying as today:") == 1
    assert "First 12 months, total costs" in text and "NPV, 36 months" in text


def test_the_recommended_move_needs_no_name_in_its_figures() -> None:
    document = with_decision(sample_document())
    assert not any(each.about or each.label.startswith("Moving") for each in decide_page(document).tiles)
    assert "against staying as today:" not in "\n".join(shown(document))


def test_a_payback_is_told_no_more_exactly_than_it_is_known() -> None:
    assert [month_words(each) for each in (0.095, 0.49, 0.5, 0.0, None)] == [
        "within the first month",
        "within the first month",
        "month 0.5",
        "at once",
        "never",
    ]
    part = PaybackPart(
        typical_months=0.1, p10_months=0.02, p50_months=0.1, p90_months=None, never_fraction=0.2, sentence=""
    )
    assert payback_span(part) == "within the first month to never"
    assert payback_span(part.model_copy(update={"p90_months": 0.3})) == ""


TODAY_ALONE = "Today's volume and prices alone would say the hybrid: "
MONTH_ALONE = "With the expected breach loss counted, brokered is cheapest most often."


def test_what_the_months_say_is_not_said_again_of_one_month() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    details = (f"{TODAY_ALONE}the months turn the answer.", MONTH_ALONE, "Success rates are assumed.")
    verdict = document.verdict.model_copy(update={"details": details})
    told = document.answers.decision.model_copy(update={"today_alone": f"{TODAY_ALONE}$5 a month.", "with_losses": "L"})
    answers = document.answers.model_copy(update={"decision": told})
    both = document.model_copy(update={"verdict": verdict, "answers": answers})
    assert decide_page(both).details == ("Success rates are assumed.",)
    text = render_markdown(both)
    assert text.count("alone would say the hybrid") == 1 and "most often" not in text
    silent = told.model_copy(update={"today_alone": ""})
    quiet = both.model_copy(update={"answers": answers.model_copy(update={"decision": silent})})
    assert decide_page(quiet).details == (details[0], details[2])
    assert decide_page(without_decision(both)).details == details


def test_who_stays_is_told_when_to_move() -> None:
    document = staying()
    assert document.answers is not None
    assert decide_page(with_decision(sample_document())).exit_title == "When to go back"
    page = decide_page(document)
    assert page.stays and page.exit_title == "When to move"
    assert "When to move" in shown(document) and "When to go back" not in shown(document)
    for text in (render_markdown(document), render_html(document)):
        assert "When to move" in text and "When to go back" not in text
    own = document.answers.model_copy(update={"exit_title": "When to act"})
    assert decide_page(document.model_copy(update={"answers": own})).exit_title == "When to act"


def test_no_saving_is_ever_negative() -> None:
    for document in (sample_document(), many_options_document()):
        for each in decide_page(with_decision(document)).tiles:
            assert "saves -" not in f"{each.value} {each.range}" and not each.value.startswith("-$")


@pytest.mark.parametrize("part", ["horizon", "risk", "answers"])
def test_a_missing_part_is_named(part: str) -> None:
    page = decide_page(with_decision(sample_document()).model_copy(update={part: None}))
    assert len(page.missing) == 1 and "Run `breakeven compare` again" in page.missing[0]


def test_an_older_document_still_gives_a_page() -> None:
    document = without_decision(sample_document())
    page = decide_page(document)
    assert page.recommended == document.verdict.recommended
    assert len(page.figures) == 3 and page.change_our_mind and page.monday
    assert page.tiles[1].value == "not in this document"
    assert page.missing[0].startswith("Not in this document (schema 1.1)")


def test_one_option_has_nothing_to_compare_with() -> None:
    page = decide_page(with_options(without_decision(sample_document()), 1))
    assert page.tiles[0].note == "nothing to compare it with"


@pytest.mark.parametrize("width", [80, 100, 150])
def test_it_fits_the_screen(width: int) -> None:
    lines = shown(with_decision(many_options_document()), width)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 45


def test_all_that_matters_is_on_the_screen() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    text = " ".join(" ".join(shown(document)).split())
    decision = document.answers.decision
    for each in (decision.sentence, *decision.monday, *decision.change_our_mind, decision.with_losses):
        assert each in text
    for figure in decision.figures:
        assert figure.label.split()[0] in text and figure.value in text
    assert "SYNTHETIC DATA" in text and "Next: " in text


def test_a_wide_screen_puts_parts_side_by_side() -> None:
    document = with_decision(sample_document())
    assert any("On Monday" in line and "What would change our mind" in line for line in shown(document, 150))
    assert len(shown(document, 150)) < len(shown(document, 80))


def test_hostile_names_stay_inside() -> None:
    document = with_decision(hostile_document(), words=lambda i: " " + HOSTILE[i % len(HOSTILE)])
    lines = shown(document)
    assert max(map(len, lines)) <= 80
    assert not any(each in "".join(lines) for each in ("\x1b", "\u202e"))


def test_json_holds_the_page() -> None:
    document = with_decision(sample_document())
    found = json.loads(decide_json(document))
    page = decide_page(document)
    assert (found["kind"], found["schema_version"]) == ("decision", "1.0")
    assert found["sentence"] == page.sentence and found["probability_fraction"] == page.probability_fraction
    assert [each["label"] for each in found["figures"]] == [each.label for each in page.figures]
    assert found["footer"]["calls_hash"] == document.footer.calls_hash


def test_conditions_to_go_back_are_told_once() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    assert decide_page(document).exits_apart and "When to go back" in "\n".join(shown(document))
    told = tuple(f"Volume {each.condition}" for each in document.answers.exit_criteria)
    decision = document.answers.decision.model_copy(update={"change_our_mind": told})
    answers = document.answers.model_copy(update={"decision": decision})
    together = document.model_copy(update={"answers": answers})
    page = decide_page(together)
    assert page.exits_apart == () and len(page.exit_criteria) == len(told)
    text = "\n".join(shown(together))
    assert "When to go back" not in text and "What would change our mind, and send us back" in text
