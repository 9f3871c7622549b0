"""Recalibration: assumptions of a scenario that a pilot has measured, as overrides graded `measured`.

The file is a scenario of its own: `breakeven compare --scenario FILE` reads it, or its `overrides` go into another.
Scenarios take low and high as 5 % and 95 % quantiles; the pilot's ends hold 95 % however often one looks, so they are
on the wide side of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from breakeven.facts.source import Grade
from breakeven.pilot.design import Design
from breakeven.pilot.forecast_check import VOLUME_ASSUMPTION
from breakeven.pilot.verdict import ForecastLine, Range

SMALLEST_FRACTION: Final = 1e-6
"""Scenarios divide by success."""
DIGITS: Final = 6


def recalibrated(design: Design, lines: Iterable[ForecastLine], as_of: date) -> str:
    """The file: YAML of a scenario with what was measured, and nothing else."""
    import yaml

    entries = measured_overrides(design, lines, as_of)
    said = f"# Measured by the pilot {_plain(design.name)}, {as_of.isoformat()}."
    if not entries:
        return f"{said} Nothing that an assumption stands for has an interval yet.\noverrides: {{}}\n"
    body = yaml.safe_dump({"overrides": dict(entries)}, sort_keys=False, allow_unicode=True, width=120)
    notes = [said, "# breakeven compare --scenario FILE reads it; or copy the overrides into your own scenario."]
    if VOLUME_ASSUMPTION in entries:
        notes.append(f"# {VOLUME_ASSUMPTION}: over the log that the comparison read ({_plain(design.promised_from)}).")
    return "\n".join([*notes, body])


def measured_overrides(design: Design, lines: Iterable[ForecastLine], as_of: date) -> Mapping[str, Mapping[str, Any]]:
    """Assumption -> range with its source, as scenarios write overrides."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        happened = _in_its_unit(line)
        if line.assumption and happened is not None:
            found[line.assumption] = _entry(design, happened, as_of)
    return found


def _in_its_unit(line: ForecastLine) -> Range | None:
    """The range of the assumption, from what happened; None without an interval."""
    ends = (line.happened.low, line.happened.value, line.happened.high)
    scale = 1.0
    if line.assumption == VOLUME_ASSUMPTION:
        if not line.promised.value:
            return None
        scale = 1.0 / line.promised.value
    if any(each is None for each in ends):
        return None
    low, value, high = (max(float(each) * scale, SMALLEST_FRACTION) for each in ends if each is not None)
    return Range(value, low, high)


def _entry(design: Design, happened: Range, as_of: date) -> Mapping[str, Any]:
    tasks = ", ".join(each.task or "all requests" for each in design.tasks)
    values = {"low": happened.low, "typical": happened.value, "high": happened.high}
    rounded = {name: round(float(each), DIGITS) for name, each in values.items() if each is not None}
    return {
        **rounded,
        "source": f"pilot {design.name} ({tasks}), measured until {as_of.isoformat()}",
        "grade": Grade.MEASURED.value,
    }


def _plain(text: str) -> str:
    """One line, whatever somebody called it: a comment ends with its line."""
    return " ".join(text.split())
