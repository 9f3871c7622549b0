"""The terminal pages: read by a person as snapshots, and safe and narrow enough for any console."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from breakeven.errors import DocumentError
from breakeven.reports.amounts import money, money_short
from breakeven.reports.document import Document
from breakeven.reports.shortlist import MAIN_MAX_COUNT, main_options, other_options
from breakeven.reports.terminal import render_comparison, render_trace, render_workload
from decision_documents import with_decision
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, one_option_document, sample_document

ROOT = "rent_usd_per_month@1"
PAGES: dict[str, Callable[[Document, Console], None]] = {
    "comparison": render_comparison,
    "workload": lambda document, console: render_workload(document.workload, console),
    "trace": lambda document, console: render_trace(document, ROOT, console),
}


def page(name: str, document: Document, width: int, *, colour: bool = False) -> str:
    """One page as text."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, color_system="truecolor" if colour else None,
        highlight=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    PAGES[name](document, console)
    return stream.getvalue()


@pytest.mark.parametrize("name", PAGES)
def test_snapshot_at_width_100(name: str, snapshot: SnapshotAssertion) -> None:
    lines = page(name, sample_document(), 100).splitlines()
    assert "\n".join(line.rstrip() for line in lines) == snapshot


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize(
    "document",
    [
        sample_document(),
        many_options_document(),
        hostile_document(),
        one_option_document(),
        with_decision(many_options_document()),
        with_decision(hostile_document(), words=lambda index: HOSTILE[index % len(HOSTILE)]),
        with_decision(one_option_document()),
    ],
)
def test_no_line_is_longer_than_the_console(name: str, width: int, document: Document) -> None:
    for line in page(name, document, width).splitlines():
        assert len(line) <= width


@pytest.mark.parametrize("width", [80, 100, 124])
def test_no_number_is_broken_or_cut(width: int) -> None:
    text = page("comparison", sample_document(), width)
    for option in sample_document().options:
        assert f"{option.usd_per_month.p50:,.0f}" in text
    assert "…" not in text
    assert "61 of 100" in text


def test_nothing_is_coloured_where_the_console_is_no_terminal() -> None:
    for name in PAGES:
        assert "\x1b" not in page(name, hostile_document(), 100)


def test_hostile_names_reach_a_terminal_as_plain_text() -> None:
    for name in PAGES:
        text = page(name, hostile_document(), 100, colour=True)
        assert "\x1b[31mred" not in text
        assert "\x1b]0;" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
    assert "[red]rich markup[/red]" in page("comparison", hostile_document(), 200)


def test_colour_says_nothing_alone() -> None:
    """The page without colour has every word of the page with colour."""
    import re

    for name in PAGES:
        coloured = page(name, sample_document(), 100, colour=True)
        links = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", coloured)
        assert re.sub(r"\x1b\[[0-9;]*m", "", links) == page(name, sample_document(), 100)


def test_verdict_first_and_its_odds_in_the_sentence() -> None:
    text = " ".join(page("comparison", sample_document(), 100).split())
    assert text.index("61 of 100 futures") < text.index("USD a month")
    assert text.index("[UNPRICED") < text.index("Probably move")


def test_a_shared_subtree_is_printed_once() -> None:
    text = page("trace", sample_document(), 100)
    assert text.count("replicas of one GPU each") == 1
    assert "gpus_count  2  (see above)" in text
    assert "your scenario wins over the catalogue: 1 (1 to 2)" in text


def test_a_missing_node_is_said_and_a_ring_ends() -> None:
    document = sample_document()
    ring = document.trace[ROOT].model_copy(update={"inputs": (ROOT, "nowhere@1")})
    text = page("trace", document.model_copy(update={"trace": {**document.trace, ROOT: ring}}), 100)
    assert "nowhere@1: not in this document" in text
    assert text.count("(see above)") == 1


def test_an_unknown_root_names_the_nearest() -> None:
    with pytest.raises(DocumentError, match="did you mean 'rent@1'"):
        render_trace(sample_document(), "rents@1", Console(file=io.StringIO()))


def test_a_short_log_has_no_heat_map() -> None:
    assert "by hour of the week" not in page("workload", one_option_document(), 100)
    assert "by hour of the week" in page("workload", sample_document(), 100)


def test_a_long_log_says_what_it_leaves_out() -> None:
    assert "last 14 of 28 days" in page("workload", sample_document(), 100)
    assert "and 3 more models" not in page("workload", sample_document(), 100)


@pytest.mark.parametrize("width", [80, 120])
def test_snapshot_of_many_options(width: int, snapshot: SnapshotAssertion) -> None:
    lines = page("comparison", many_options_document(), width).splitlines()
    assert "\n".join(line.rstrip() for line in lines) == snapshot


def test_few_options_first_and_none_hidden() -> None:
    document = many_options_document()
    text = page("comparison", document, 120)
    first, rest = text.split("All other options")
    main = main_options(document)
    assert sum(f"{each.usd_per_month.p50:,.0f}" in first for each in main) == len(main) <= MAIN_MAX_COUNT
    for option in other_options(document):
        assert f"{option.usd_per_month.p50:,.0f}" in rest
    flat = " ".join(rest.split())
    for missing in document.unavailable:
        assert missing.title in flat


def test_break_even_sentences_of_the_best_alone() -> None:
    document = many_options_document()
    flat = " ".join(page("comparison", document, 120).split())
    main = {each.name for each in main_options(document)}
    for pair in document.breakeven.pairs:
        assert (pair.sentence in flat) == (pair.option in main)
    assert "11 more options: in the HTML report and the JSON document." in flat


@pytest.mark.parametrize("width", [80, 120])
def test_snapshot_of_a_decision(width: int, snapshot: SnapshotAssertion) -> None:
    lines = page("comparison", with_decision(many_options_document()), width).splitlines()
    assert "\n".join(line.rstrip() for line in lines) == snapshot


@pytest.mark.parametrize("width", [80, 96, 120, 140])
def test_each_main_option_has_its_months(width: int) -> None:
    document = with_decision(many_options_document())
    assert document.horizon is not None
    text = page("comparison", document, width)
    block = text[text.index("Over 36 months") : text.index("Measure next")]
    parts = {each.option: each for each in document.horizon.options}
    for option in main_options(document):
        part = parts[option.name]
        assert money_short(part.present_cost_usd.mean) in block
        if part.payback:
            assert money_short(abs(part.saves_usd.mean)) in block
    assert "never" in block
    assert "breakeven decide" in " ".join(block.split())
    assert "…" not in block


def test_the_odds_of_never_take_the_place_of_break_even_at_typical_values() -> None:
    document = with_decision(many_options_document())
    assert document.risk is not None
    flat = " ".join(page("comparison", document, 120).split())
    assert flat.count("20 of 100") >= len(main_options(document)) - 1
    assert not any(pair.sentence in flat for pair in document.breakeven.pairs)
    assert document.risk.measure_next in flat


def test_the_guide_is_in_a_few_lines() -> None:
    document = with_decision(many_options_document())
    assert document.answers is not None
    text = page("comparison", document, 120)
    flat = " ".join(text.split())
    for band in document.answers.volume_bands:
        assert money(band.usd_per_month.mean) in flat
        assert band.guide_says in flat
    for line in (
        "- Volume: no (yes in 4 of 100 futures)",
        "- Data sensitivity (a gate): unknown; say --data-sensitive yes or no",
        "- MLOps team: unknown; say --mlops-team yes or no",
    ):
        assert line in text
    for each in document.answers.exit_criteria:
        assert f"{each.metric}: {each.condition}" in flat
