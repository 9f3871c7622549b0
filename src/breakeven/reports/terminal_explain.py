"""Terminal explain: a number without a trace of its own: value, meaning, method, and the facts behind it."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.text import Text

from breakeven.reports import amounts
from breakeven.reports.answers_part import ExitCriterionPart
from breakeven.reports.document import AssumptionPart
from breakeven.reports.explain_parts import KEYS, Explained
from breakeven.reports.option_part import Amount, Part
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section
from breakeven.units import unit_of

SAVING: Final = "saves_"
SERIES_SHOWN_COUNT: Final = 60


def render_explained(found: Explained, console: Console, report: str) -> None:
    """Print it."""
    method = found.method
    how = f"{method.words} ({method.page})" if method.page else method.words
    behind = [_fact(each) for each in found.facts]
    if found.facts_count > len(found.facts):
        behind.append(f"{found.facts_count - len(found.facts)} more facts: in the JSON document.")
    print_parts(
        console,
        (
            Text.assemble((short(found.path, 160), "bold"), overflow="fold"),
            bullets(value_lines(found.value, found.unit, found.path.rpartition(".")[2])),
            Paragraph(safe(found.meaning or found.about)),
            section("How", Paragraph(safe(how)) if how else None),
            section("Facts behind it", bullets(behind)),
            section("The trees below", bullets([f"breakeven explain {report} {each}" for each in found.traces])),
        ),
    )


def value_lines(value: Any, unit: str, field: str = "") -> list[str]:
    """The value, one line for each number it has."""
    if isinstance(value, Amount):
        if field.startswith(SAVING):
            ends = amounts.difference_range(value.p10, value.p90)
            return [f"{_saving(value)}: P50 (P10 to P90: {ends})", f"{amounts.difference(value.mean)}: mean"]
        spread = amounts.quantity_spread(value.p50, value.p10, value.p90, safe(value.unit))
        return [f"{spread}: P50 (P10 to P90)", f"{amounts.quantity(value.mean, safe(value.unit))}: mean"]
    if isinstance(value, Part):
        return _part_lines(value)
    if isinstance(value, tuple):
        shown = [f"{index}: {_one(each, unit)}" for index, each in enumerate(value[:SERIES_SHOWN_COUNT], 1)]
        return shown or ["none"]
    saving = field.startswith(SAVING) and isinstance(value, float)
    return [amounts.difference(value) if saving else _one(value, unit)]


def _part_lines(part: Part) -> list[str]:
    found = []
    for field in type(part).model_fields:
        value = getattr(part, field)
        if isinstance(value, tuple | Part) and not isinstance(value, Amount):
            continue
        unit = str(getattr(part, "unit", "")) if field in ("low", "typical", "high") else unit_of(field) or ""
        saving = field.startswith(SAVING) and isinstance(value, Amount | float)
        found.append(f"{field}: {_saving(value) if saving else _one(value, unit)}")
    return found


def _saving(value: Amount | float) -> str:
    """A difference in words: never a negative saving."""
    return amounts.difference(value.p50 if isinstance(value, Amount) else value)


def _one(value: Any, unit: str) -> str:
    if value is None:
        return "none"
    if isinstance(value, Amount):
        return amounts.quantity_spread(value.p50, value.p10, value.p90, safe(value.unit))
    if isinstance(value, ExitCriterionPart):
        return safe(f"{value.metric}: {value.condition} ({value.why})")
    if isinstance(value, Part):
        key = next((getattr(value, each) for each in KEYS if each in type(value).model_fields), None)
        return short(str(key), 80) if key else "; ".join(_part_lines(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return amounts.quantity(value, unit) if unit else amounts.number(value)
    return safe(str(value))


def _fact(fact: AssumptionPart) -> str:
    value = amounts.quantity_spread(fact.typical, fact.low, fact.high, safe(fact.unit))
    source = (
        f"[{safe(fact.source.grade)}] {short(fact.source.title, 100)}, read {amounts.date_text(safe(fact.source.read))}"
    )
    return f"{short(fact.name, 80)}: {value}; {source}"
