"""Prices' age: oldest, newest and median of the list prices that were read, and of nothing else."""

from __future__ import annotations

import pytest

from breakeven.reports.document import AssumptionPart, SourcePart
from breakeven.reports.findings import prices_age_finding
from breakeven.reports.prices_age import prices_age
from reports.sample_document import sample_document


def fact(name: str, age_days: int, *, layer: str = "offer", grade: str = "quoted") -> AssumptionPart:
    """A fact that was read `age_days` before the document's day."""
    source = SourcePart(title=f"list of {name}", link="x", read="2026-01-01", grade=grade, age_days=age_days)
    return AssumptionPart(
        name=name, unit="u", low=1, typical=1, high=1, layer=layer, source=source, note="", used_by=(), stale=False
    )


def test_only_list_prices_count() -> None:
    read = (
        fact("gpu_rent_usd_per_gpu_hour", 44),
        fact("input_usd_per_mtok", 3),
        fact("output_usd_per_mtok", 5),
        fact("engineer_usd_per_year", 900, layer="catalogue"),
        fact("correction_usd_per_hour", 800, layer="catalogue", grade="guess"),
        fact("electricity_usd_per_kwh", 700, layer="scenario"),
    )
    age = prices_age(read)
    assert age is not None
    assert (age.count, age.newest_days, age.median_days, age.oldest_days) == (3, 3, 5, 44)
    assert age.oldest == "GPU rent, list of gpu_rent_usd_per_gpu_hour"


def test_no_list_price_no_age() -> None:
    assert prices_age((fact("engineer_usd_per_year", 900),)) is None


def test_every_report_says_it_and_an_older_document_does_not_mind() -> None:
    document = sample_document()
    said = prices_age_finding(document)
    assert said.startswith("Prices: read 0-44 days before 23 Nov 2026, median 12 (oldest: GPU rent, H100 SXM")
    older = document.model_copy(update={"footer": document.footer.model_copy(update={"prices_age": None})})
    assert prices_age_finding(older) == ""


@pytest.mark.parametrize(
    ("ages_days", "said"),
    [
        ((3, 44), "Prices: read 3-44 days before 23 Nov 2026, median 23.5 (oldest: "),
        ((44, 44), "Prices: read 44 days before 23 Nov 2026 (oldest: "),
        ((-21, 9, 12), "Prices: read from 21 days after to 12 days before 23 Nov 2026, median 9 days before (oldest: "),
        ((-21, -3), "Prices: read from 21 days after to 3 days after 23 Nov 2026, median 12 days after (oldest: "),
        ((-21, -21), "Prices: read 21 days after 23 Nov 2026 (oldest: "),
    ],
)
def test_a_question_about_an_earlier_day_reads_prices_after_it(ages_days: tuple[int, ...], said: str) -> None:
    age = prices_age([fact("gpu_rent_usd_per_gpu_hour", each) for each in ages_days])
    document = sample_document()
    asked = document.model_copy(update={"footer": document.footer.model_copy(update={"prices_age": age})})
    assert prices_age_finding(asked).startswith(said)
