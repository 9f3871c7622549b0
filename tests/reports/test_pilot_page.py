"""The pilot's page for a CFO: one file, no script, nothing fetched, hostile names harmless, the answer first."""

from __future__ import annotations

import re
from functools import cache

import pytest
from tests.reports.test_html import Page

from breakeven.reports import pilot_wording as told
from breakeven.reports.chart_style import DARK
from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY
from breakeven.reports.pilot_charts import draw_pilot_charts
from breakeven.reports.pilot_page import render_pilot_html
from breakeven.reports.pilot_summary import pilot_summary
from reports.made_pilots import PILOTS

SECTIONS = ["verdict", "problems", "rollout", "quality", "money", "forecast", "not-claimed", "guards", "design",
            "journal", "reproduce"]  # fmt: skip


@cache
def html(name: str) -> str:
    """The page of a made-up pilot."""
    return render_pilot_html(PILOTS[name]())


@pytest.mark.parametrize("name", PILOTS)
def test_the_page_nests_and_its_sections_stand_in_order(name: str) -> None:
    ids = Page(html(name)).ids()
    assert len(ids) == len(set(ids))
    found = [each for each in ids if each in SECTIONS]
    assert found == [each for each in SECTIONS if each in found]
    assert {"verdict", "design", "reproduce"} <= set(found)


@pytest.mark.parametrize("name", PILOTS)
def test_nothing_runs_and_nothing_is_fetched(name: str) -> None:
    text = html(name)
    assert "<script" not in text.lower()
    assert "@import" not in text
    assert CONTENT_SECURITY_POLICY.replace("'", "&#39;") in text
    for tag, attributes in Page(text).tags:
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "form", "img", "foreignobject"}
        for key, value in attributes.items():
            assert not key.startswith("on"), (tag, key)
            if key in {"src", "href", "xlink:href", "action", "poster", "data", "srcset"}:
                assert str(value).startswith("#"), (tag, key, value)
    assert all(each.startswith("#") for each in re.findall(r"url\(([^)]*)\)", text))


def test_hostile_names_are_text() -> None:
    text = html("hostile")
    page = Page(text)
    assert "<script>alert(1)</script>" in page.text
    assert "<img src=x" not in text
    assert "{{ 7 * 7 }}" in page.text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


@pytest.mark.parametrize("name", ["yes", "many", "hostile"])
def test_the_same_document_gives_the_same_bytes(name: str) -> None:
    assert render_pilot_html(PILOTS[name]()) == html(name)
    assert len(html(name).encode()) < 120_000


@pytest.mark.parametrize(
    ("name", "answer"),
    [("yes", "YES"), ("no", "NO"), ("not_yet", "NOT YET"), ("offline", "YES, FOR 1 OF 3 TASKS"),
     ("designed", "NOT STARTED")],
)  # fmt: skip
def test_the_answer_stands_first_in_words(name: str, answer: str) -> None:
    body = Page("<div>" + html(name).partition('<body class="pilot">')[2].partition("</body>")[0] + "</div>").text
    sentence = pilot_summary(PILOTS[name]()).sentence
    assert body.index(answer) < body.index(sentence)
    assert body.index(sentence) < body.index("What was promised before it started")


def test_everything_of_the_contract_is_on_the_page() -> None:
    text = Page(html("yes")).text
    for words in (
        "saves $18,400",
        "95 %: saves $16,300 to $20,500",
        "1.7 months",
        "99.6 %",
        "97.0 to 102.2 %",
        "at least 95 % was asked",
        "5.63 k of 20",
        "Retries and escalations",
        "Not counted, because nobody stated it",
        "89 % dearer: the servers were idle 46 % of the time",
        "What is not claimed",
        "a new version needs a new pilot",
        "Guardrails: all 4 hold",
        "4f0c9a1be27d88630512c3",
        "in at most 5 % of such pilots, however often one looks",
    ):
        assert words in text, words


def test_what_went_wrong_is_loud() -> None:
    text = Page(html("no")).text
    for words in ("DESIGN CHANGED SINCE IT STARTED", "A GUARD HAS FIRED", "FIRED",
                  "margin_ratio 0.95 is now 0.90",
                  "costs $2,300 more", "never", "proven: loses more than 5 %"):  # fmt: skip
        assert words in text, words
    assert "Guardrails: all" not in text
    assert "SUCCESS HAS FALLEN SINCE THE ROLLOUT" in Page(html("promoted")).text


def test_a_no_shows_no_saving_and_no_payback_as_a_reason() -> None:
    stopped = PILOTS["no"]()
    first, second, *_ = pilot_summary(stopped).tiles
    assert (first.label, first.value, first.is_muted) == ("A month", "would have cost $2,300 more", True)
    assert first.note == "and loses more success than was allowed"
    assert second.label.startswith("Success")  # no payback between them
    assert stopped.savings is not None
    month = stopped.savings.saved_usd_per_month.model_copy(update={"value": 5724.0})
    cheaper = stopped.model_copy(update={"savings": stopped.savings.model_copy(update={"saved_usd_per_month": month})})
    assert pilot_summary(cheaper).tiles[0].value == "would have saved $5,724"
    assert "; 100 proves a loss" in pilot_summary(stopped).tasks[0].evidence


def test_a_stop_that_nobody_has_carried_out_is_asked_for() -> None:
    stopped = PILOTS["no"]()
    running = stopped.model_copy(update={"journal": stopped.journal[:-1]})
    words = "The candidate still gets requests"
    assert [each.event for each in running.journal] == ["started", "ramped"]
    assert words not in " ".join(pilot_summary(stopped).details)
    assert words in " ".join(pilot_summary(running).details)
    assert words in Page(render_pilot_html(running)).text


def test_every_task_stands_in_the_table_and_guards_that_hold_are_folded() -> None:
    page, text = PILOTS["many"](), html("many")
    for each in page.tasks:
        assert each.task in text
        assert told.evidence_words(each, page) in text
    assert "16 more that hold" in text
    assert "not a decision of its own" in text


@pytest.mark.parametrize(("name", "count"), [("yes", 2), ("no", 2), ("many", 3), ("offline", 3), ("designed", 0)])
def test_every_chart_has_a_text_alternative_in_both_widths(name: str, count: int) -> None:
    labels = [each["aria-label"] for tag, each in Page(html(name)).tags if tag == "svg" and each.get("role") == "img"]
    assert len(labels) == 2 * count
    assert all(labels)
    hidden = [each for tag, each in Page(html(name)).tags if tag == "svg" and each.get("role") != "img"]
    assert all(each.get("aria-hidden") == "true" for each in hidden)


@pytest.mark.parametrize("name", ["yes", "no", "many"])
def test_every_chart_colour_has_a_dark_one(name: str) -> None:
    drawn = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', html(name).partition("</style>")[2]))
    assert drawn
    assert drawn - set(DARK) == set()


def test_a_proven_loss_is_what_the_chart_of_evidence_speaks_of() -> None:
    assert draw_pilot_charts(PILOTS["yes"]())["evidence"].caption.startswith("Evidence that the margin is kept: 5.63 k")
    caption = draw_pilot_charts(PILOTS["no"]())["evidence"].caption
    assert caption.startswith("Evidence that more than the margin is lost")
    assert caption.endswith("where 100 stops the candidate")


@pytest.mark.parametrize("name", [each for each in PILOTS if each != "hostile"])
def test_no_number_is_scientific_no_saving_negative_and_nothing_is_nan(name: str) -> None:
    body = html(name).partition('<body class="pilot">')[2].partition("</body>")[0]
    text = Page(f"<div>{body}</div>").text
    assert not re.search(r"\d(?:\.\d+)?e[+-]\d", text)
    assert "saves -" not in text
    assert not {"nan", "none", "inf"} & set(text.lower().replace(";", " ").split()) - {"none"}


def test_the_headline_speaks_of_the_tasks_that_have_a_yes() -> None:
    document = PILOTS["offline"]()
    faq = next(each for each in document.tasks if each.task == "faq")
    tile = next(each for each in pilot_summary(document).tiles if each.label.startswith("Success"))
    assert (tile.label, tile.value) == ("Success, of the baseline's (faq)", told.percent(faq.ratio.value))
    assert "baseline's, faq: 99.9 %" in draw_pilot_charts(document)["ratio"].caption
    both = pilot_summary(PILOTS["many"]())
    assert next(each for each in both.tiles if each.label.startswith("Success")).label.endswith("(all tasks together)")


def test_what_stands_with_its_problem_is_not_said_again_without_it() -> None:
    document = PILOTS["no"]()
    limits = document.problems[0].limits
    twice = document.model_copy(update={"not_claimed": (*document.not_claimed, limits)})
    page = pilot_summary(twice)
    assert limits not in page.not_claimed
    assert any(limits in each for each in page.alerts)


def test_an_event_whose_words_say_it_is_not_named_twice() -> None:
    document = PILOTS["no"]()
    told_of = {"stopped_task": "Stopped faq: success 0.7.", "stopped": "The verdict is no.", "started": ""}
    journal = tuple(
        document.journal[0].model_copy(update={"event": event, "words": words}) for event, words in told_of.items()
    )
    page = pilot_summary(document.model_copy(update={"journal": journal}))
    assert [words for _, words in page.journal] == [
        "Stopped faq: success 0.7.",
        "Stopped: The verdict is no.",
        "Started",
    ]
