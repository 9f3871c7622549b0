"""The what-if page at widths that people have: words whole, figures whole."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from breakeven.reports.option_part import Amount
from breakeven.reports.whatif_document import ChangePart, OptionChangePart, VerdictPart, WhatIfDocument
from breakeven.reports.whatif_rows import lengths_words
from breakeven.reports.whatif_terminal import render_whatif
from breakeven.reports.whatif_wording import sentence

TITLES = {
    "rented_spot": "Rented GPUs (spot)",
    "frontier_api": "Frontier API (as today)",
    "managed_together": "Managed endpoint of one's own (together)",
    "brokered": "Brokered open model (cheapest)",
}


def usd(value: float) -> Amount:
    return Amount(p10=value * 0.8, p50=value, p90=value * 1.3, mean=value, unit="usd/month")


def verdict(option: str, value: float) -> VerdictPart:
    return VerdictPart(
        option=option,
        title=TITLES[option],
        odds_fraction=0.61,
        present_cost_usd=usd(36 * value),
        months_count=36,
        usd_per_month=usd(value),
    )


def option(name: str, before: float, after: float, fractions: tuple[float, float]) -> OptionChangePart:
    return OptionChangePart(
        option=name,
        title=TITLES[name],
        before_usd_per_month=usd(before),
        after_usd_per_month=usd(after),
        before_cheapest_fraction=fractions[0],
        after_cheapest_fraction=fractions[1],
        before_always_above_mtok_per_month=None,
        after_always_above_mtok_per_month=1_234_567.0,
        before_present_cost_usd=usd(36 * before),
        after_present_cost_usd=usd(36 * after),
    )


DOCUMENT = WhatIfDocument(
    schema_version="1.0",
    kind="whatif",
    sentence="The recommendation changes from Frontier API (as today) to Rented GPUs (spot).",
    changes=(
        ChangePart(name="gpu_rent_usd_per_gpu_hour", said="gpu_usd_per_hour", before="$2.65", after="$1.65", note=""),
    ),
    before=verdict("frontier_api", 6_334),
    after=verdict("rented_spot", 5_012),
    options=(
        option("rented_spot", 8_120, 5_012, (0.12, 0.61)),
        option("frontier_api", 6_334, 6_334, (0.70, 0.31)),
        option("managed_together", 112_345, 98_765, (0.08, 0.04)),
        option("brokered", 7_012, 7_012, (0.10, 0.04)),
    ),
    solved=None,
    warnings=(),
    as_of="2026-11-24",
    seed=0,
    draws_count=128,
)


def page(width: int, document: WhatIfDocument = DOCUMENT) -> str:
    out = io.StringIO()
    render_whatif(document, Console(file=out, width=width))
    return out.getvalue()


def over(months_count: int, part: VerdictPart) -> VerdictPart:
    """The same verdict over other months."""
    usd_present = usd(part.usd_per_month.mean * months_count)
    return part.model_copy(update={"months_count": months_count, "present_cost_usd": usd_present})


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_word_and_no_figure_is_cut(width: int) -> None:
    text = page(width)
    assert all(len(line) <= width for line in text.splitlines())
    shown = set(re.findall(r"\S+", text))
    for title in TITLES.values():
        assert set(title.split()) <= shown
    assert {"$5,012", "$3,108", "$98,765"} <= shown
    assert "\u2026" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_sums_over_other_months_are_told_apart_and_never_held_against_each_other(width: int) -> None:
    shorter = DOCUMENT.model_copy(update={"after": over(24, DOCUMENT.after)})
    assert lengths_words(shorter) == "over 24 months instead of 36" and lengths_words(DOCUMENT) == ""
    text = page(width, shorter)
    assert "24 months" in text and "$180,432" in text
    assert text.count("less") == page(width).count("less") - 2, "the month's difference stays"
    assert text.count("the same") == page(width).count("the same") - 2


def test_the_sentence_says_that_the_months_differ() -> None:
    before, after = verdict("brokered", 1_000), over(24, verdict("brokered", 1_000))
    assert sentence(before, after, changed=True) == (
        "Still Brokered open model (cheapest): its present cost is $24,000 over 24 months in expectation (before: "
        "$36,000 over 36 months; sums of different lengths); lowest in 61 of 100 futures before, 61 of 100 after."
    )
    assert sentence(verdict("frontier_api", 1_000), after, changed=True) == (
        "The recommendation changes from Frontier API (as today) ($36,000 over 36 months, present cost) to Brokered "
        "open model (cheapest) ($24,000 over 24 months; sums of different lengths): lowest in 61 of 100 futures "
        "before, 61 of 100 after."
    )
    assert "over 36 months stays at $36,000 in expectation; " in sentence(before, before, changed=True)
    present = before.present_cost_usd
    nearly = before.model_copy(update={"present_cost_usd": present.model_copy(update={"mean": present.mean + 0.01})})
    assert "over 36 months hardly moves from $36,000 in expectation; " in sentence(before, nearly, changed=True)


def test_a_page_of_eighty_columns(snapshot: SnapshotAssertion) -> None:
    assert page(80) == snapshot
