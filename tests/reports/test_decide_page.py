"""The one-page decision: the same words as the document, in few lines, from documents of any age."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from breakeven.reports import amounts
from breakeven.reports.decide_json import decide_json
from breakeven.reports.decide_page import decide_page
from breakeven.reports.decide_terminal import render_decision
from breakeven.reports.document import Document
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


def test_the_year_is_twelve_months_of_the_verdict() -> None:
    document = with_decision(sample_document())
    saves = document.verdict.saves_usd_per_month
    assert saves is not None
    tile = decide_page(document).tiles[0]
    assert tile.value == amounts.difference(saves.p50 * 12)
    assert tile.range == amounts.difference_range(saves.p10 * 12, saves.p90 * 12)


def test_where_staying_is_chosen_the_present_value_is_that_of_the_best_move() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.horizon is not None
    decision = document.answers.decision.model_copy(update={"recommended": "frontier_api"})
    horizon = document.horizon.model_copy(update={"moves_to": "rented_spot"})
    stays = document.model_copy(
        update={"answers": document.answers.model_copy(update={"decision": decision}), "horizon": horizon}
    )
    year, present, payback, _ = decide_page(stays).tiles
    moved = next(each for each in horizon.options if each.option == "rented_spot")
    assert present.value == amounts.difference(moved.saves_usd.mean) and present.value.startswith("costs")
    assert "moving to Rented H100, spot" in present.note
    assert payback.value == "never"
    extra = next(each for each in document.options if each.name == "rented_spot").extra_usd_per_month
    assert year.value == amounts.difference(extra.p50 * 12)


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
