"""Charts of the months, of doubt and of rare losses: valid, complete, apart, and absent in an old document."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from breakeven.reports import decision_findings
from breakeven.reports.amounts import money_short
from breakeven.reports.chart_style import series_of
from breakeven.reports.charts import specs
from breakeven.reports.document import Document
from breakeven.reports.shortlist import main_options
from decision_documents import with_decision
from reports.many_options import many_options_document
from reports.sample_document import hostile_document, one_option_document, sample_document
from reports.vegalite import check

NAMES = (
    "bills_by_month", "odds_by_month", "paths_by_month", "information", "tornado", "breakeven_odds", "loss_exceedance",
)  # fmt: skip
FINDINGS = (
    decision_findings.bills_finding,
    decision_findings.odds_by_month_finding,
    decision_findings.paths_finding,
    decision_findings.information_finding,
    decision_findings.tornado_finding,
    decision_findings.breakeven_odds_finding,
    decision_findings.losses_finding,
)


def rows(spec: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Data of the layer called `name`."""
    return next(each["data"]["values"] for each in spec["layer"] if each["name"] == name)


def layers(spec: dict[str, Any], start: str) -> list[dict[str, Any]]:
    """Layers whose name begins with `start`."""
    return [each for each in spec["layer"] if each["name"].startswith(start)]


@pytest.mark.parametrize(("kind", "document"), [("wide", sample_document()), ("narrow", hostile_document())])
def test_every_spec_is_valid_vegalite(kind: Any, document: Document) -> None:
    drawn = specs(with_decision(document), kind)
    assert tuple(drawn)[: len(NAMES)] == NAMES
    for name in NAMES:
        check(drawn[name])


def test_an_old_document_has_none_of_them_and_nothing_to_say() -> None:
    assert not set(specs(sample_document())) & set(NAMES)
    assert {finding(sample_document()) for finding in FINDINGS} == {""}


def test_the_smallest_comparison_has_what_it_has() -> None:
    drawn = specs(with_decision(one_option_document()))
    assert "bills_by_month" in drawn
    assert not {"information", "tornado", "breakeven_odds"} & set(drawn)


def test_each_main_option_has_a_panel_with_its_band_and_today_beside_it() -> None:
    document = with_decision(many_options_document())
    spec = specs(document)["bills_by_month"]
    main, letters = main_options(document), {each.name: each.letter for each in series_of(document)}
    heads = [layer["data"]["values"][0]["label"] for layer in layers(spec, "head_")]
    assert [head.partition(" ")[0] for head in heads] == [letters[each.name] for each in main]
    assert len(layers(spec, "band_")) == len(main)
    assert len(layers(spec, "compared_")) == len(main) - 1


def test_panels_share_one_scale_and_do_not_overlap() -> None:
    document = with_decision(many_options_document())
    assert document.horizon is not None
    spec = specs(document)["bills_by_month"]
    parts = {each.option: each for each in document.horizon.options}
    drawn = [layer["data"]["values"] for layer in layers(spec, "middle_")]
    per_usd = set()
    for option, points in zip(main_options(document), drawn, strict=True):
        values = parts[option.name].p50_usd_per_month
        per_usd.add(round((points[0]["y"] - points[-1]["y"]) / (values[0] - values[-1]), 8))
    assert len(per_usd) == 1
    rights = [(points[0]["y"], points[0]["x"], points[-1]["x"]) for points in drawn[:4]]
    assert all(a[2] < b[1] for a, b in pairwise(rights))


def test_everything_is_worth_at_least_each_number() -> None:
    document = with_decision(sample_document())
    assert document.risk is not None
    spec = specs(document)["information"]
    widths = [row["x2"] for row in rows(spec, "worth")]
    assert widths[0] == max(widths)
    labels = [row["label"] for row in rows(spec, "worth_labels")]
    assert labels[0] == money_short(document.risk.evpi_usd)
    assert [label.partition(" (")[0] for label in labels[1:]] == [
        money_short(each.evppi_usd) for each in document.risk.information
    ]


def test_never_stands_apart_from_the_bars() -> None:
    document = with_decision(many_options_document())
    assert document.risk is not None
    spec = specs(document)["breakeven_odds"]
    assert {row["label"] for row in rows(spec, "nevers")} == {"never: 20 of 100"}
    assert len(rows(spec, "nevers")) == len(rows(spec, "odds_spans")) == len(rows(spec, "open_ends"))
    odds = [
        each.model_copy(
            update={
                "never_fraction": 1.0,
                "first_p10_mtok_per_month": None,
                "first_p50_mtok_per_month": None,
                "first_p90_mtok_per_month": None,
            }
        )
        for each in document.risk.breakeven_odds
    ]
    never = document.model_copy(update={"risk": document.risk.model_copy(update={"breakeven_odds": tuple(odds)})})
    spec = specs(never)["breakeven_odds"]
    assert {row["label"] for row in rows(spec, "nevers")} == {"never: 100 of 100"}
    assert rows(spec, "odds_spans") == rows(spec, "odds_medians") == rows(spec, "open_ends") == []


def test_the_tornado_is_the_document_s() -> None:
    document = with_decision(sample_document())
    assert document.risk is not None
    spec = specs(document)["tornado"]
    assert len(rows(spec, "levers")) == len(document.risk.tornado)
    turning = [row["label"] for row in rows(spec, "turning_titles")]
    assert turning.count("turns the answer") == sum(each.flips for each in document.risk.tornado)


def test_losses_of_both_paths_are_drawn_from_the_same_amounts() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    spec = specs(document)["loss_exceedance"]
    points = document.answers.privacy.exceedance
    api, own = rows(spec, "curve_api"), rows(spec, "curve_own")
    assert [row["x"] for row in api] == [row["x"] for row in own]
    assert len(api) == len(points)
    assert all(one["y"] < other["y"] for one, other in zip(api, own, strict=True))  # the API's odds are higher here
    dashes = {layer["name"]: layer["mark"]["strokeDash"] for layer in layers(spec, "curve_")}
    assert dashes["curve_api"] != dashes["curve_own"]


def test_no_word_is_scientific_or_a_negative_saving() -> None:
    document = with_decision(many_options_document())
    for finding in FINDINGS:
        assert len(finding(document)) > 20
        assert "saves -" not in finding(document)
        assert "e+" not in finding(document)


def test_the_curve_of_losses_falls_at_the_cap_and_not_before() -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    privacy = document.answers.privacy
    last = privacy.exceedance[-1].model_copy(update={"api_fraction": 0.0, "selfhost_fraction": 0.0})
    capped = privacy.model_copy(update={"exceedance": (*privacy.exceedance[:-1], last)})
    answers = document.answers.model_copy(update={"privacy": capped})
    curve = rows(specs(document.model_copy(update={"answers": answers}))["loss_exceedance"], "curve_api")
    before, edge, end = curve[-3:]
    assert edge["x"] == end["x"] > before["x"]
    assert edge["y"] == before["y"] < end["y"]
