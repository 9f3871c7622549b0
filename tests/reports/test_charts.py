"""Charts: valid Vega-Lite, complete, deterministic, and harmless inside a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import ValidationError

from breakeven.reports.amounts import money_short
from breakeven.reports.bar_charts import line_looks
from breakeven.reports.chart_style import LINES, OTHER, series_of
from breakeven.reports.charts import draw_charts, specs, to_svg
from breakeven.reports.document import Document
from breakeven.reports.shortlist import (
    CHARTED_MAX_COUNT,
    FAMILY_TITLES,
    MAIN_MAX_COUNT,
    charted_options,
    families,
    main_options,
)
from breakeven.reports.traffic_charts import bars_of
from reports.many_options import many_options_document
from reports.sample_document import hostile_document, one_option_document, sample_document
from reports.vegalite import check

NAMES = ["option_ranges", "cost_curves", "volume_view", "breakdown", "levers", "daily_tokens", "hour_of_week"]


@pytest.fixture(scope="module")
def charts() -> dict[str, Any]:
    """All charts of the sample."""
    return draw_charts(sample_document())


def layer_rows(spec: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Data of the layer called `name`."""
    return next(each["data"]["values"] for each in spec["layer"] if each["name"] == name)


def words(spec: dict[str, Any]) -> Iterator[str]:
    """Every text of a chart."""
    for each in spec["layer"]:
        if each["mark"]["type"] == "text":
            yield from (row["label"] for row in each["data"]["values"])


@pytest.mark.parametrize("kind", ["wide", "narrow"])
def test_every_spec_is_valid_vegalite(kind: Any) -> None:
    drawn = specs(sample_document(), kind)
    assert list(drawn) == NAMES
    for spec in drawn.values():
        check(spec)


def test_a_spec_with_a_slip_is_not_valid() -> None:
    spec = specs(sample_document())["cost_curves"]
    spec["layer"][-1]["mark"]["tyqe"] = "text"
    with pytest.raises(ValidationError):
        check(spec)


def test_every_chart_is_drawn_in_both_widths_with_its_finding(charts: dict[str, Any]) -> None:
    assert list(charts) == NAMES
    for chart in charts.values():
        assert len(chart.caption) > 20
        for svg in (chart.wide_svg, chart.narrow_svg):
            root = ElementTree.fromstring(svg)
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"] == chart.caption


@pytest.mark.parametrize("document", [sample_document(), many_options_document()])
def test_every_charted_option_has_a_band_a_line_and_a_label_and_no_other_has(document: Document) -> None:
    spec = specs(document)["cost_curves"]
    names = {each["name"] for each in spec["layer"]}
    for look in series_of(document):
        mine = {f"{part}_{look.letter}" for part in ("band", "typical", "label", "odds")}
        assert mine <= names if look.charted else not mine & names
    charted = charted_options(document)
    assert {each.title for each in charted} <= {word.partition("  ")[2] for word in words(spec)}
    drawn = [name for name in names if name.startswith("typical_")]
    assert len(drawn) == len(charted) <= CHARTED_MAX_COUNT


def test_odds_of_all_options_fill_the_band_to_the_top() -> None:
    """Drawn options from the bottom, all the others in grey from the top: they meet."""
    spec = specs(many_options_document())["cost_curves"]
    tops: dict[float, float] = {}
    for each in spec["layer"]:
        if each["name"].startswith("odds_") and each["mark"]["type"] == "area" and each["name"] != "odds_others":
            for row in each["data"]["values"]:
                tops[row["v"]] = min(tops.get(row["v"], 1e9), row["y2"])
    for row in layer_rows(spec, "odds_others"):
        assert row["y2"] == pytest.approx(tops[row["v"]], abs=1e-6)


def test_the_range_chart_has_every_option_under_its_family() -> None:
    document = many_options_document()
    for kind in ("wide", "narrow"):
        spec = specs(document, kind)["option_ranges"]
        assert len(layer_rows(spec, "spans")) == len(layer_rows(spec, "option_titles")) == len(document.options)
        headings = [(row["y"], row["label"]) for row in layer_rows(spec, "family_titles")]
        assert [label for _, label in headings] == [each.title for each in families(document)]
        places = {row["label"].partition("  ")[0]: row["y"] for row in layer_rows(spec, "option_titles")}
        letters = {each.name: each.letter for each in series_of(document)}
        for option in document.options:
            above = [label for y, label in headings if y < places[letters[option.name]]]
            assert above[-1] == FAMILY_TITLES[option.family]
    medians = {row["label"] for row in layer_rows(spec, "median_labels")}
    assert medians == {money_short(each.equal_success_usd_per_month.p50) for each in document.options}


def test_every_crossing_is_marked() -> None:
    document = sample_document()
    spec = specs(document)["cost_curves"]
    marked = [row["v"] for row in layer_rows(spec, "crossings")]
    assert marked == [each.mtok_per_month for each in document.breakeven.crossings]
    assert len(marked) == 8
    charted = {each.name for each in charted_options(document)}
    pairs = [v for pair in document.breakeven.pairs for v in pair.crossings_mtok_per_month if pair.option in charted]
    assert [row["v"] for row in layer_rows(spec, "pair_crossings")] == pairs
    svg = draw_charts(document)["cost_curves"].wide_svg
    group = re.search(r'<g class="crossings_marks">(.*?)</g>', svg)
    assert group is not None
    assert group.group(1).count("<path") == len(marked)


def test_you_are_here() -> None:
    spec = specs(sample_document())["cost_curves"]
    assert layer_rows(spec, "here_label")[0]["label"] == "you: 2.1 B"
    outside = sample_document()
    part = outside.breakeven.model_copy(update={"volume_mtok_per_month": 2.0})
    spec = specs(outside.model_copy(update={"breakeven": part}))["cost_curves"]
    assert "here" not in {each["name"] for each in spec["layer"]}


def test_the_staircase_stands_upright_in_the_linear_view() -> None:
    document = sample_document()
    part = document.breakeven.model_copy(update={"volume_mtok_per_month": 6_000.0})
    curves = [
        each.model_copy(
            update={
                "exact_volumes_mtok_per_month": (0.0, 7_200.0, 7_200.0, 18_000.0),
                "exact_usd_per_month": (12_000.0, 12_000.0, 13_700.0, 13_700.0),
            }
        )
        for each in part.curves
    ]
    part = part.model_copy(update={"curves": tuple(curves)})
    spec = specs(document.model_copy(update={"breakeven": part}))["volume_view"]
    rows = layer_rows(spec, "exact_C")
    assert [(row["v"], row["usd"]) for row in rows[1:3]] == [(7_200.0, 12_000.0), (7_200.0, 13_700.0)]
    svg = to_svg(spec)
    path = re.search(r'exact_C_marks"[^>]*><path d="([^"]*)"', svg)
    assert path is not None
    corners = [pair.split(",") for pair in re.findall(r"[\d.]+,[\d.]+", path.group(1))]
    assert corners[1][0] == corners[2][0]
    assert corners[1][1] != corners[2][1]


@pytest.mark.parametrize("document", [sample_document(), many_options_document()])
def test_breakdown_has_every_line_of_the_main_options_and_keeps_losses_apart(document: Document) -> None:
    spec, main = specs(document)["breakdown"], main_options(document)
    lines = [x for option in main for x in option.lines if not x.apart and x.usd_per_month.mean > 0]
    losses = [x for option in main for x in option.lines if x.apart]
    assert len(layer_rows(spec, "lines")) == len(lines)
    assert len(layer_rows(spec, "losses")) == len(losses)
    assert len(layer_rows(spec, "row_titles")) == len(main) <= MAIN_MAX_COUNT


def test_more_lines_than_colours_share_a_grey_for_the_small_ones() -> None:
    document = sample_document()
    first = document.options[0]
    line = first.lines[0]
    sizes = [100.0 - 5 * k for k in range(14)]
    many = tuple(
        line.model_copy(
            update={"name": f"line_{k}", "usd_per_month": line.usd_per_month.model_copy(update={"mean": size})}
        )
        for k, size in enumerate(sizes)
    )
    only = document.model_copy(update={"options": (first.model_copy(update={"lines": many}),)})
    looks = line_looks(only)
    assert [each.colour for each in looks[:10]] == list(LINES)
    assert {each.colour for each in looks[10:]} == {OTHER}


def test_levers_that_turn_the_answer_say_so_in_words() -> None:
    wide = [row["label"] for row in layer_rows(specs(sample_document())["levers"], "turning_titles")]
    assert wide == ["Open model success", "turns the answer", "Broker engineering FTE", "turns the answer"]
    narrow = [row["label"] for row in layer_rows(specs(sample_document(), "narrow")["levers"], "turning_titles")]
    assert narrow == ["Open model success, turns the answer", "Broker engineering FTE, turns the answer"]


@pytest.mark.parametrize("kind", ["wide", "narrow"])
def test_no_word_is_scientific_or_negative_zero(kind: Any) -> None:
    for spec in specs(sample_document(), kind).values():
        for word in words(spec):
            assert not re.search(r"\de[+-]?\d|-\$0$", word), word


def test_a_long_log_is_drawn_by_week() -> None:
    workload = sample_document(days_count=365).workload
    assert len(bars_of(workload)) == 53
    assert len(bars_of(sample_document().workload)) == 28


def test_a_chart_without_data_is_left_out() -> None:
    drawn = draw_charts(one_option_document())
    assert set(drawn) == {"cost_curves", "volume_view", "breakdown", "daily_tokens"}


def test_costs_of_zero_do_not_break_the_logarithm() -> None:
    document = sample_document()
    curves = tuple(
        each.model_copy(
            update={
                "p10_usd_per_month": (0.0,) * len(each.p10_usd_per_month),
                "p50_usd_per_month": (0.0,) * len(each.p50_usd_per_month),
                "typical_usd_per_month": (0.0,) * len(each.p50_usd_per_month),
            }
        )
        for each in document.breakeven.curves
    )
    part = document.breakeven.model_copy(update={"curves": curves})
    spec = specs(document.model_copy(update={"breakeven": part}))["cost_curves"]
    assert "NaN" not in to_svg(spec)
    nothing = tuple(
        each.model_copy(update={"p90_usd_per_month": (0.0,) * len(each.p90_usd_per_month)}) for each in curves
    )
    part = part.model_copy(update={"curves": nothing})
    assert "cost_curves" not in specs(document.model_copy(update={"breakeven": part}))


def test_the_same_document_gives_the_same_bytes(charts: dict[str, Any]) -> None:
    again = draw_charts(sample_document())
    assert again == charts


def test_ids_are_unique_across_charts(charts: dict[str, Any]) -> None:
    drawn = "".join(svg for chart in charts.values() for svg in (chart.wide_svg, chart.narrow_svg))
    ids = re.findall(r'\bid="([^"]+)"', drawn)
    assert ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", drawn)) <= set(ids)


@pytest.mark.parametrize("document", [hostile_document(), sample_document()])
def test_an_svg_holds_nothing_that_acts_or_fetches(document: Document) -> None:
    for chart in draw_charts(document).values():
        for svg in (chart.wide_svg, chart.narrow_svg):
            root = ElementTree.fromstring(svg)
            tags = {each.tag for each in root.iter()}
            assert tags <= {"svg", "g", "path", "line", "text", "rect", "defs", "clipPath", "tspan"}
            for each in root.iter():
                assert not any(name.startswith("on") or "href" in name for name in each.attrib)
