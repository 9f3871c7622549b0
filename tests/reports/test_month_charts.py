"""Month charts: every charted option has a line, and a document without months has no chart."""

from __future__ import annotations

import itertools
from typing import Any

import altair
import pytest

from breakeven.reports.chart_style import Canvas, series_of
from breakeven.reports.month_charts import costs_by_month, costs_title, odds_by_month
from decision_documents import MONTHS, with_decision
from reports.many_options import many_options_document
from reports.sample_document import sample_document

CANVAS = Canvas("wide", 372, 150, 52, 30, 40, 40)


def lines(spec: dict[str, Any]) -> dict[str, list[float]]:
    """Letter -> the values of its line."""
    found = [each for each in spec["layer"] if each["name"].startswith("line_")]
    return {each["name"].removeprefix("line_"): [row["v"] for row in each["data"]["values"]] for each in found}


def test_each_charted_option_has_its_months() -> None:
    document = with_decision(many_options_document())
    assert document.horizon is not None
    spec = costs_by_month(document, CANVAS)
    assert spec is not None
    months = {each.option: each.typical_usd_per_month for each in document.horizon.options}
    charted = {each.letter: list(months[each.name]) for each in series_of(document) if each.charted}
    assert lines(spec) == charted
    assert all(len(each) == MONTHS for each in charted.values())


def test_odds_of_options_that_are_never_cheapest_have_no_line() -> None:
    document = with_decision(sample_document())
    spec = odds_by_month(document, CANVAS)
    assert spec is not None
    drawn = lines(spec)
    assert 0 < len(drawn) < len(document.options)
    assert all(max(each) >= 0.02 for each in drawn.values())


@pytest.mark.parametrize("draw", [costs_by_month, odds_by_month])
def test_the_spec_is_valid(draw: Any) -> None:
    altair.Chart.from_dict(draw(with_decision(sample_document()), CANVAS))


def test_letters_do_not_collide() -> None:
    spec = costs_by_month(with_decision(many_options_document()), CANVAS)
    assert spec is not None
    heights = sorted(each["data"]["values"][0]["y"] for each in spec["layer"] if each["name"].startswith("letter_"))
    assert all(b - a >= 12.9 for a, b in itertools.pairwise(heights))


def test_no_months_no_chart() -> None:
    assert costs_by_month(sample_document(), CANVAS) is None
    assert odds_by_month(sample_document(), CANVAS) is None


def test_money_that_comes_in_lies_below_zero_and_on_the_chart() -> None:
    document = with_decision(sample_document())
    assert document.horizon is not None
    first = document.horizon.options[0]
    sold = first.model_copy(update={"typical_usd_per_month": (*first.typical_usd_per_month[:-1], -9_000.0)})
    horizon = document.horizon.model_copy(update={"options": (sold, *document.horizon.options[1:])})
    spec = costs_by_month(document.model_copy(update={"horizon": horizon}), CANVAS)
    assert spec is not None
    scales = [each["encoding"]["y"]["scale"] for each in spec["layer"] if each["name"].startswith("line_")]
    assert all(each["domain"][0] < -9_000 for each in scales)


def test_bills_are_drawn_where_the_document_tells_them() -> None:
    """Cash of the last month holds what sold hardware brings; the band is of bills, and so are the lines."""
    document = with_decision(sample_document())
    assert document.horizon is not None
    first = document.horizon.options[0]
    told = first.model_copy(update={
        "typical_usd_per_month": (*first.typical_usd_per_month[:-1], -85_000.0),
        "typical_bill_usd_per_month": first.typical_usd_per_month,
    })  # fmt: skip
    horizon = document.horizon.model_copy(update={"options": (told, *document.horizon.options[1:])})
    billed = document.model_copy(update={"horizon": horizon})
    spec = costs_by_month(billed, CANVAS)
    assert spec is not None
    letter = next(each.letter for each in series_of(billed) if each.name == told.option)
    assert lines(spec)[letter] == list(first.typical_usd_per_month)
    assert costs_title(billed) == "Bill of each month, typical"
    assert costs_title(document) == "Cash of each month, typical"


def test_what_has_no_line_is_together_so_that_every_month_adds_up() -> None:
    document = with_decision(many_options_document())
    assert document.horizon is not None
    charted = {each.name for each in series_of(document) if each.charted}
    hidden = next(each for each in document.horizon.options if each.option not in charted)
    odds = tuple(0.4 if each.option == hidden.option else 0.6 / (len(document.horizon.options) - 1) for each in
                 document.horizon.options)  # fmt: skip
    options = tuple(
        each.model_copy(update={"probability_cheapest_by_month_fraction": (share,) * MONTHS})
        for each, share in zip(document.horizon.options, odds, strict=True)
    )
    changed = document.model_copy(update={"horizon": document.horizon.model_copy(update={"options": options})})
    spec = odds_by_month(changed, CANVAS)
    assert spec is not None
    drawn = lines(spec)
    assert drawn["*"][0] >= 0.4
    assert sum(each[0] for each in drawn.values()) == pytest.approx(1.0)
