"""Of a report: the workbook that the whole chain puts into a document says what the rest of that document says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from math import exp
from pathlib import Path

import pytest

from breakeven.decision.scenario import load_scenario
from breakeven.reports.answer import Question, answer
from breakeven.reports.document import Document
from breakeven.reports.spreadsheet import write_xlsx
from breakeven.reports.spreadsheet.values import workbook_values
from breakeven.usage.store import CallStore
from decision_documents import TODAY, real_document


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


LEVELS: dict[str, Callable[[int], float]] = {
    "growing by one percent a day": lambda day: exp(day / 100),
    "half as much again for ten days": lambda day: 1.5 if day >= 60 else 1.0,
}


@cache
def document_of(level: str) -> Document:
    """Of a log of ten weeks whose days have so many tokens."""
    days = range(70)
    lines = [
        json.dumps(
            {
                "id": f"call-{day}-{at}",
                "timestamp": (datetime(2026, 9, 7, 9, tzinfo=UTC) + timedelta(days=day, hours=at)).isoformat(),
                "model": "gpt-5",
                "input_tokens": round(3_000_000 * LEVELS[level](day) * (1.1 if (day + at) % 2 else 0.9)),
                "output_tokens": round(500_000 * LEVELS[level](day)),
                "status": "ok",
            }
        )
        for day in days
        for at in range(3)
    ]
    with tempfile.TemporaryDirectory() as folder, CallStore.temporary() as store:
        log = Path(folder) / "calls.jsonl"
        log.write_text("\n".join(lines) + "\n", encoding="utf-8")
        store.ingest(log, now=datetime(2026, 11, 23, tzinfo=UTC), reject_path=Path(folder) / "rejects.jsonl")
        asked = {"draws_log2": 6, "as_of": TODAY, "options": ("frontier_api", "brokered", "rented_on_demand")}
        scenario = load_scenario(None, {}).model_copy(update=asked)
        return answer(Question(store, log.name, scenario, TODAY))


@pytest.mark.parametrize("level", LEVELS)
def test_month_1_stands_where_the_log_ends(level: str) -> None:
    document = document_of(level)
    part, horizon = document.workbook, document.horizon
    assert part is not None
    assert horizon is not None
    values = workbook_values(part)
    ratio = values.today["volume_level_ratio"]
    if level.startswith("growing"):
        assert ratio > 1.2
        assert {"log_growth_fraction_per_month", "log_lead_months", "log_length_months"} <= set(part.inputs)
    else:
        present = 1.5 / (1 + 0.5 * 10 / 70)
        assert values.today["log_present_ratio"] == pytest.approx(present, rel=5e-3)
        assert ratio == pytest.approx(present, rel=0.03)
        assert "log_present_ratio" in part.inputs
    key = part.options[part.status_quo]["volume_mtok_per_month"]
    assert values.today[key] == pytest.approx(document.breakeven.volume_mtok_per_month, rel=1e-9)
    assert values.months[key][0] == pytest.approx(ratio * values.today[key], rel=1e-12)
    for each in horizon.options:
        roles = part.options[each.option]
        assert values.today[roles["present_cost_usd"]] == pytest.approx(each.typical_present_cost_usd, rel=1e-9)
        assert values.months[roles["cash"]] == pytest.approx(each.typical_usd_per_month, rel=1e-9), each.option


def test_it_can_be_written(tmp_path: Path) -> None:
    write_xlsx(real_document(), tmp_path / "book.xlsx")
    assert (tmp_path / "book.xlsx").stat().st_size > 100_000
