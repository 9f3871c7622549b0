"""The shortlist: which options come first, which a chart draws, and how reasons are told together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from breakeven.reports.chart_style import OTHER, SERIES, series_of
from breakeven.reports.document import StretchPart, UnavailablePart
from breakeven.reports.shortlist import (
    CHARTED_MAX_COUNT,
    FAMILY_TITLES,
    MAIN_MAX_COUNT,
    charted_options,
    families,
    main_options,
    other_options,
    status_quo,
    unavailable_groups,
)
from reports.many_options import UNAVAILABLE, many_options_document
from reports.sample_document import one_option_document, sample_document


def test_today_is_the_option_that_no_pair_names() -> None:
    assert status_quo(sample_document()) == "frontier_api"
    assert status_quo(one_option_document()) == "frontier_api"


def test_the_best_of_each_family_comes_first_with_todays_and_the_likely() -> None:
    """By expected cost: deepseek is the cheapest API but today's; sunk GPUs are not everybody's to take."""
    names = [each.name for each in main_options(many_options_document())]
    assert names == [
        "brokered",
        "deepseek_api",
        "cheaper_tier",
        "routed",
        "frontier_api",
        "managed_together",
        "rented_one_year",
        "hybrid",
    ]


def test_a_family_of_conditional_options_alone_is_still_shown() -> None:
    document = many_options_document()
    kept = tuple(each for each in document.options if each.family != "self_hosted" or each.name == "sunk_gpus")
    assert "sunk_gpus" in [each.name for each in main_options(document.model_copy(update={"options": kept}))]


def test_main_and_others_are_all_options_once_in_the_documents_order() -> None:
    document = many_options_document()
    main, others = main_options(document), other_options(document)
    assert len(main) <= MAIN_MAX_COUNT
    assert sorted(each.name for each in (*main, *others)) == sorted(each.name for each in document.options)
    for shown in (main, others):
        assert [each.usd_per_success.p50 for each in shown] == sorted(each.usd_per_success.p50 for each in shown)


def test_every_option_has_one_family_and_families_keep_their_order() -> None:
    document = many_options_document()
    groups = families(document)
    assert [each.family for each in groups] == list(FAMILY_TITLES)
    assert sorted(each.name for group in groups for each in group.options) == sorted(o.name for o in document.options)


def test_a_chart_never_has_more_series_than_looks() -> None:
    document = many_options_document()
    assert len(SERIES) + 1 == CHARTED_MAX_COUNT
    charted = [each for each in series_of(document) if each.charted]
    assert len(charted) <= CHARTED_MAX_COUNT
    assert len({each.colour for each in charted}) == len({each.dash for each in charted}) == len(charted)
    assert {each.colour for each in series_of(document) if not each.charted} == {OTHER}


def test_what_is_cheapest_on_much_of_the_axis_is_drawn_even_if_dear_here() -> None:
    document = many_options_document()
    part = document.breakeven
    stretch = StretchPart(from_mtok_per_month=1_000.0, to_mtok_per_month=1_000_000.0, option="small_gpu")
    part = part.model_copy(update={"stretches": (stretch,)})
    drawn = [each.name for each in charted_options(document.model_copy(update={"breakeven": part}))]
    assert "small_gpu" in drawn
    assert "small_gpu" not in [each.name for each in charted_options(document)]
    assert {"frontier_api", "brokered"} <= set(drawn)
    assert len(drawn) == CHARTED_MAX_COUNT


def test_like_reasons_are_told_once_and_nobody_is_lost() -> None:
    groups = unavailable_groups(many_options_document().unavailable)
    assert [group.titles for group in groups] == [
        ("Brokered open model, DeepInfra", "Brokered open model, SiliconFlow"),
        ("Provisioned throughput (your quote)",),
        ("Managed endpoint, Modal",),
    ]
    assert groups[0].reason == (
        "this seller has no price per token for gpt-oss-120b in the catalogue; set open_model to compare another"
    )
    assert groups[1].reason == UNAVAILABLE[2][-1]


def test_reasons_of_another_kind_are_told_apart() -> None:
    one = UnavailablePart(name="a", title="A", reason="needs your quote", kind="price")
    other = UnavailablePart(name="b", title="B", reason="needs your quote", kind="constraint")
    assert len(unavailable_groups((one, other))) == 2


@given(st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["price", "constraint", "other"])), max_size=12))
def test_grouping_keeps_every_title(reasons: list[tuple[str, str]]) -> None:
    parts = [
        UnavailablePart(name=str(i), title=f"T{i}", reason=reason, kind=kind)  # type: ignore[arg-type]
        for i, (reason, kind) in enumerate(reasons)
    ]
    titles = [title for group in unavailable_groups(parts) for title in group.titles]
    assert sorted(titles) == sorted(each.title for each in parts)
