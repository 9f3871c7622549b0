"""Of a report: the workbook that the whole chain puts into a document says what the rest of that document says."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.reports.spreadsheet import write_xlsx
from breakeven.reports.spreadsheet.values import workbook_values
from decision_documents import real_document


def test_typical_months_are_the_horizons() -> None:
    document = real_document()
    part, horizon = document.workbook, document.horizon
    assert part is not None
    assert horizon is not None
    values = workbook_values(part)
    assert part.months_count == horizon.months_count
    assert set(part.options) == {each.option for each in horizon.options}
    for each in horizon.options:
        roles = part.options[each.option]
        assert values.today[roles["present_cost_usd"]] == pytest.approx(each.typical_present_cost_usd, rel=1e-9)
        assert values.months[roles["cash"]] == pytest.approx(each.typical_usd_per_month, rel=1e-9), each.option


def test_typical_curves_pass_through_its_totals() -> None:
    document = real_document()
    part = document.workbook
    assert part is not None
    for curve in document.breakeven.curves:
        here = curve.volumes_mtok_per_month.index(document.breakeven.volume_mtok_per_month)
        total = part.cells[part.options[curve.option]["equal_success_usd_per_month"]].value
        assert total == pytest.approx(curve.typical_usd_per_month[here], rel=1e-9), curve.option


def test_it_can_be_written(tmp_path: Path) -> None:
    write_xlsx(real_document(), tmp_path / "book.xlsx")
    assert (tmp_path / "book.xlsx").stat().st_size > 100_000
