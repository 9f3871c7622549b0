"""The PDF: two pages whatever the document holds, the same bytes each time, and no text that does anything."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pytest

from breakeven.errors import OutputError
from breakeven.reports import amounts
from breakeven.reports.document import Document
from breakeven.reports.pdf.render import render_pdf
from breakeven.reports.pdf.words import BREAK, JOIN, RUN_MAX_COUNT, listed, printed
from breakeven.reports.shortlist import main_options
from decision_documents import real_document, with_decision, with_options, without_decision
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, sample_document

A4_PT = (595.276, 841.89)


@contextmanager
def opened(document: Document | bytes) -> Iterator[Any]:
    content = document if isinstance(document, bytes) else render_pdf(document)
    pdf = pypdfium2.PdfDocument(content)
    try:
        yield pdf
    finally:
        pdf.close()


class Words(str):
    """The words of a page; a text is in them wherever the page breaks its lines."""

    def __contains__(self, text: object) -> bool:
        return super().__contains__(squeezed(str(text)))


def squeezed(text: str) -> str:
    """Without blanks, and without the places where a word may break."""
    return "".join(text.replace(BREAK, "").replace(JOIN, "").split())


def texts(document: Document) -> list[Words]:
    """The words of each page."""
    with opened(document) as pdf:
        return [Words(squeezed(page.get_textpage().get_text_range())) for page in pdf]


def worst_case() -> Document:
    """Every text as long as it comes, in every part."""
    long = " ".join(f"{each} {'w' * 90}" for each in HOSTILE)
    document = with_decision(with_options(hostile_document(), 22), words=lambda _: f" {long}")
    answers = document.answers
    assert answers is not None
    decision = answers.decision.model_copy(
        update={"monday": (long,) * 30, "change_our_mind": (long,) * 30, "sentence": long, "with_losses": long}
    )
    many = answers.model_copy(
        update={
            "decision": decision,
            "volume_bands": answers.volume_bands * 4,
            "exit_criteria": answers.exit_criteria * 20,
        }
    )
    return document.model_copy(
        update={"answers": many, "included": (long,) * 60, "excluded": (long,) * 60, "warnings": (long,) * 60}
    )


DOCUMENTS = {
    "five options": lambda: with_decision(sample_document()),
    "three options": lambda: with_decision(with_options(many_options_document(), 3)),
    "twenty-two options": lambda: with_decision(with_options(many_options_document(), 22)),
    "one option": lambda: with_options(sample_document(), 1),
    "older": lambda: without_decision(many_options_document()),
    "horizon alone": lambda: with_decision(sample_document()).model_copy(update={"risk": None, "answers": None}),
    "answers alone": lambda: with_decision(sample_document()).model_copy(update={"risk": None, "horizon": None}),
    "hostile": lambda: with_decision(hostile_document(), words=lambda i: HOSTILE[i % len(HOSTILE)]),
    "hostile and old": lambda: without_decision(hostile_document()),
    "everything too long": worst_case,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_two_pages_of_a4_and_nothing_falls_off(name: str) -> None:
    """Every line lies inside the paper, and the signature, which is last, is there."""
    with opened(DOCUMENTS[name]()) as pdf:
        assert len(pdf) == 2
        for page, who in zip(pdf, ("Finance", "Engineering"), strict=True):
            assert page.get_size() == pytest.approx(A4_PT, abs=0.01)
            words = page.get_textpage()
            assert who in words.get_text_range()
            for index in range(words.count_rects()):
                left, bottom, right, top = words.get_rect(index)
                assert -1 <= left <= right <= A4_PT[0] + 1 and -1 <= bottom <= top <= A4_PT[1] + 1


def test_the_same_document_gives_the_same_bytes() -> None:
    document = with_decision(sample_document())
    assert render_pdf(document) == render_pdf(Document.model_validate(document.model_dump()))


def test_the_date_of_the_file_is_the_document_s() -> None:
    with opened(sample_document()) as pdf:
        found = pdf.get_metadata_dict()
    assert found["CreationDate"].startswith("D:20261123")
    assert found["Author"] == "breakeven"


def test_what_finance_signs() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.horizon is not None
    page = texts(document)[0]
    decision = document.answers.decision
    assert decision.sentence in page
    for each in (*decision.figures, *decision.change_our_mind, decision.with_losses, *document.excluded):
        for words in [each] if isinstance(each, str) else [each.label, each.value, each.range, each.why]:
            assert words in page
    chosen = next(each for each in document.horizon.options if each.option == decision.recommended)
    assert chosen.payback is not None
    today = next(each for each in document.horizon.options if each.option == "frontier_api")
    for words in (
        amounts.difference(chosen.saves_usd.mean),
        amounts.difference_range(chosen.saves_usd.p10, chosen.saves_usd.p90),
        f"{amounts.odds(decision.probability_fraction)} futures",
        "month 4",
        amounts.difference(sum(today.p50_usd_per_month[:12]) - sum(chosen.p50_usd_per_month[:12])),
        "First 12 months, all costs, median",
        document.horizon.waiting_sentence,
        "Included",
    ):
        assert words in page
    assert all(each in page for each in document.included)


def test_what_engineering_signs() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.risk is not None
    page = texts(document)[1]
    assert all(option.title in page for option in main_options(document))
    for band in document.answers.volume_bands:
        assert band.guide_says in page
    for question in document.answers.five_questions.questions:
        assert question.question in page
        assert (question.ask or question.evidence) in page
    for criterion in document.answers.exit_criteria:
        assert criterion.condition in page
    assert document.risk.measure_next in page
    assert all(each in page for each in document.answers.decision.monday)
    assert "1 more option in the HTML report" in page
    for hash_ in (document.footer.calls_hash, document.footer.catalog_hash, document.footer.scenario_hash):
        assert hash_[:12] in page


def test_an_older_document_says_what_it_does_not_hold() -> None:
    first, second = texts(without_decision(many_options_document()))
    assert "Not in this document (schema 1.1)" in first
    assert "not in this document" in first
    assert "Not in this document (schema 1.1)" in second
    assert "What moves the answer" in second and "Break-even" in second


def test_names_cannot_write_markup() -> None:
    """What looks like markup, in Typst or elsewhere, is printed as it stands."""
    evil = '#emph[no] $x$ *b* #read("/etc/passwd") \\ @ref <label> `raw`'
    base = with_decision(sample_document())
    options = tuple(each.model_copy(update={"title": evil}) for each in base.options)
    verdict = base.verdict.model_copy(update={"details": (evil,)})
    page = texts(base.model_copy(update={"options": options, "verdict": verdict}))[0]
    assert evil in page


def test_control_characters_do_not_get_in() -> None:
    joined = " ".join(texts(with_decision(hostile_document(), words=lambda i: HOSTILE[i % len(HOSTILE)])))
    assert "\x1b" not in joined and "\u202e" not in joined
    assert "<script>alert(1)</script>" in joined


def test_the_real_chain_gives_two_pages() -> None:
    document = real_document(("frontier_api", "brokered", "rented_on_demand"))
    first, second = texts(document)
    assert "the decision, for finance" in first and "the decision, for engineering" in second
    assert document.footer.calls_hash[:12] in first


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "breakeven.reports.pdf.typesetting.find_spec", lambda name: None if name == "typst" else found(name)
    )
    with pytest.raises(OutputError, match=r"pip install 'breakeven\[pdf\]'"):
        render_pdf(sample_document())


def test_printed_text_is_bounded_and_breakable() -> None:
    text = printed("a" * 500 + " normal words", 200)
    assert len(text.replace(BREAK, "")) <= 200
    assert max(len(run) for each in text.split(" ") for run in each.split(BREAK)) <= RUN_MAX_COUNT


def test_a_long_list_is_counted() -> None:
    assert listed(["a", "b", "c", "d"], 3, 10, "elsewhere") == ["a", "b", "2 more: elsewhere"]
    assert listed(["a", " ", ""], 3, 10, "elsewhere") == ["a"]


def test_an_option_of_the_command_line_stays_whole() -> None:
    assert printed("say --mlops-team yes - or -- no") == f"say --{JOIN}mlops-team yes - or -- no"


def test_bands_tell_the_expected_cost_and_questions_the_odds_of_yes() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.horizon is not None
    five = document.answers.five_questions
    asked = five.questions[0].model_copy(update={"answer": "no", "probability_fraction": 0.032})
    answers = document.answers.model_copy(
        update={"five_questions": five.model_copy(update={"questions": (asked, *five.questions[1:])})}
    )
    finance, engineering = texts(document.model_copy(update={"answers": answers}))
    assert "no (yes in 3 of 100 futures)" in engineering
    for band in document.answers.volume_bands:
        assert amounts.money(band.usd_per_month.mean) in engineering
    error = amounts.fraction(document.horizon.approximation_error_fraction)
    for page in (finance, engineering):
        assert f"fast form within {error} of the exact months, measured in this run" in page


def test_where_staying_is_chosen_its_figures_name_the_move() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None and document.horizon is not None
    decision = document.answers.decision.model_copy(update={"recommended": "frontier_api"})
    answers = document.answers.model_copy(update={"decision": decision})
    horizon = document.horizon.model_copy(update={"moves_to": "rented_spot"})
    finance, engineering = texts(document.model_copy(update={"answers": answers, "horizon": horizon}))
    assert "Moving to rented H100 (spot): first 12 months, all costs, median" in finance
    assert "Moving to rented H100 (spot): present value over 36 months (NPV)" in finance
    assert "When to move" in engineering and "When to go back" not in engineering
