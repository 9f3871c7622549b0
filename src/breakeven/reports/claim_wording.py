"""Claim wording: figures of a checked claim as text, and the verdict on it as a sentence."""

from __future__ import annotations

import math
from typing import Final

from breakeven.claims.check import CheckedClaim, Row, WithLines
from breakeven.claims.dimensions import CURRENCIES
from breakeven.claims.file import FigureEntry, SpanEntry
from breakeven.reports import amounts

NEVER: Final = "never"
UNPRICED: Final = "UNPRICED"
_DIGITS: Final = 4
_SAME: Final = 0.0005
_IN_PERCENT_UP_TO: Final = 1.5
"""Up to this factor a difference is said in per cent."""


def figure_text(value: float, unit: str) -> str:
    """A figure with its unit; infinity is never.

    >>> figure_text(34.0229, "month"), figure_text(float("inf"), "month"), figure_text(95, "eur/month")
    ('34.02 months', 'never', '95 EUR/month')
    >>> figure_text(0.00275, "usd/request"), figure_text(1452.3, "mtok/month"), figure_text(5.4556, "ratio")
    ('$0.00275 per request', '1.452 B tokens/month', '5.456')
    """
    if math.isinf(value):
        return NEVER
    head, _, per = unit.partition("/")
    if head in CURRENCIES:
        return f"{amounts.number(value, _DIGITS)} {head.upper()}{'/' + per if per else ''}"
    if head in ("mtok", "token", "request") and abs(value) >= 1:
        tokens = value * (1e6 if head == "mtok" else 1.0)
        words = "requests" if head == "request" else "tokens"
        plain = f"{tokens:,.0f}" if tokens < 1e6 else amounts.magnitude(tokens, _DIGITS)
        return f"{plain} {words}{'/' + per if per else ''}"
    if unit in ("ratio", "count"):
        return amounts.number(value, _DIGITS)
    if unit in ("month", "hour", "year"):
        number = amounts.number(value, _DIGITS)
        return f"{number} {unit}{'' if number == '1' else 's'}"
    return amounts.quantity(value, unit)


def unit_text(unit: str) -> str:
    """The unit for a column of its own.

    >>> unit_text("usd/mtok"), unit_text("mtok/month"), unit_text("ratio"), unit_text("eur/year"), unit_text("month")
    ('USD/Mtok', 'tokens/month', '', 'EUR/year', 'months')
    """
    head, _, per = unit.partition("/")
    words = {"mtok": "tokens", "token": "tokens", "ratio": "", "count": "", "fraction": ""}.get(head, f"{head}s")
    words = head.upper() if head == "usd" or head in CURRENCIES else words
    return f"{words}/{'Mtok' if per == 'mtok' else per}" if per else words


def plain_figure(value: float, unit: str) -> str:
    """A figure for a column whose unit stands beside it.

    >>> plain_figure(264_363.6, "request/month"), plain_figure(1452.3, "mtok/month"), plain_figure(0.901, "fraction")
    ('264,364', '1.452 B', '90.1 %')
    >>> plain_figure(833_806.4, "usd"), plain_figure(0.19930, "usd/mtok"), plain_figure(float("inf"), "month")
    ('833,806', '0.1993', 'never')
    """
    if math.isinf(value):
        return NEVER
    head = unit.partition("/")[0]
    number = value * 1e6 if head == "mtok" else value
    if unit == "fraction":
        return amounts.fraction(value)
    if head in ("mtok", "token", "request", "usd", *CURRENCIES) and 1e3 <= abs(number) < 1e6:
        return f"{number:,.0f}"
    return amounts.magnitude(number, _DIGITS) if abs(number) >= 1e6 else amounts.number(number, _DIGITS)


def wanted_text(wanted: FigureEntry | None, unit: str) -> str:
    """A published figure for its column; a dash where the claim has none."""
    if wanted is None:
        return "-"
    if isinstance(wanted, SpanEntry):
        return f"{plain_figure(wanted.low, unit)} to {plain_figure(wanted.high, unit)}"
    if isinstance(wanted, str):
        return UNPRICED if wanted == "unpriced" else wanted
    return plain_figure(float(wanted), unit)


def recomputed_text(row: Row) -> str:
    """The recomputed figure for its column, with its range where the claim gives ranges."""
    if row.value is None:
        return UNPRICED if row.problem.startswith(UNPRICED) else "not recomputed"
    text = plain_figure(row.value, row.unit)
    if row.low is None or row.high is None:
        return text
    low, high = plain_figure(row.low, row.unit), plain_figure(row.high, row.unit)
    return text if low == high else f"{text} ({low} to {high})"


def factor_text(row: Row) -> str:
    """How far apart published and recomputed are."""
    if row.factor_ratio is None:
        return "-" if row.outcome in ("shown", "inside", "not_recomputed") else "no factor"
    if row.factor_ratio - 1 < _SAME:
        return "1x"
    return f"{row.factor_ratio:.3f}x" if row.factor_ratio < _IN_PERCENT_UP_TO else amounts.ratio(row.factor_ratio)


def with_lines_text(row: Row) -> str:
    """The figure with the missing lines in, and its range, for its column."""
    found = row.with_lines
    if found is None:
        return ""
    low, typical, high = (plain_figure(each, row.unit) for each in _ordered(found))
    return typical if low == typical == high else f"{typical} ({low} to {high})"


def headline(checked: CheckedClaim) -> Row | None:
    """The figure that the missing lines change and that people decide by."""
    touched = [row for row in checked.rows if row.with_lines is not None and row.value is not None]
    ranked = sorted(touched, key=lambda row: (row.published is None, _rank(row.name)))
    return ranked[0] if ranked else None


def verdict_sentence(checked: CheckedClaim) -> str:
    """The answer in one sentence."""
    if checked.verdict == "off":
        return _off(checked)
    if checked.verdict == "not_recomputed":
        open_rows = [row for row in checked.rows if row.outcome == "not_recomputed"]
        return f"Not reproduced: {open_rows[0].name}: {open_rows[0].problem}."
    if checked.verdict == "trap":
        return f"A trap: the arithmetic holds, the figure does not. {_first_sentence(checked.file.entry.why_wrong)}"
    if checked.verdict == "lines_missing":
        return _lines_missing(checked)
    count = sum(row.published is not None for row in checked.rows)
    figures = f"all {count} published figures follow" if count > 1 else "the published figure follows"
    return f"Reproduced: {figures} from the claim's own inputs."


def missing_names(checked: CheckedClaim) -> tuple[str, ...]:
    """Names of the lines that some part of the claim leaves out; expected losses stand apart and are not among them."""
    found = [each for part in checked.left_out.values() for each in part.lines]
    return tuple(dict.fromkeys(each.line.name for each in found if not (each.is_thin or each.line.apart)))


def _off(checked: CheckedClaim) -> str:
    off = [row for row in checked.rows if row.outcome == "off"]
    worst = max(off, key=lambda row: row.factor_ratio if row.factor_ratio is not None else math.inf)
    wanted = worst.published if worst.published is not None else worst.expected
    assert worst.value is not None
    says = f"{worst.name} is {figure_text(worst.value, worst.unit)}, not {_wanted_in_words(wanted, worst.unit)}"
    if worst.value < 0 and worst.name.rpartition(".")[2].startswith("saving"):
        more_dear = figure_text(-worst.value, worst.unit)
        says = f"it costs {more_dear} more; the claim says {worst.name} is {_wanted_in_words(wanted, worst.unit)}"
    more = f" ({len(off)} of {len(checked.rows)} figures are off)" if len(off) > 1 else ""
    if worst.factor_ratio is None:
        return f"{'Never' if worst.is_never else 'Off'}: {says}{more}."
    how = (
        f"{100 * (worst.factor_ratio - 1):.1f} %"
        if worst.factor_ratio < _IN_PERCENT_UP_TO
        else amounts.ratio(worst.factor_ratio)
    )
    return f"Off by {how}: {says}{more}."


def _lines_missing(checked: CheckedClaim) -> str:
    count = len(missing_names(checked))
    lead = f"Right arithmetic, {amounts.counted(count, 'line')} missing"
    if not count:
        lead = "Right arithmetic, with lines that are too thin"
    row = headline(checked)
    if row is None or row.value is None or row.with_lines is None:
        unsized = any(found.gpus_count is None for found in checked.left_out.values())
        return f"{lead}{' (give gpus_count to size them)' if unsized else ''}."
    low, typical, high = (figure_text(each, row.unit) for each in _ordered(row.with_lines))
    span = "" if low == typical == high else f" ({low} to {high})"
    return f"{lead}: with them {row.name} goes from {figure_text(row.value, row.unit)} to {typical}{span}."


def _wanted_in_words(wanted: FigureEntry | None, unit: str) -> str:
    if isinstance(wanted, SpanEntry):
        return f"{figure_text(wanted.low, unit)} to {figure_text(wanted.high, unit)}"
    return figure_text(float(wanted), unit) if isinstance(wanted, float | int) else str(wanted)


def _rank(name: str) -> int:
    """Break-even and payback before prices, prices before sums."""
    order = ("breakeven", "payback", "saving", "npv", "_per_mtok", "_per_request")
    return next((index for index, word in enumerate(order) if word in name.rpartition(".")[2]), len(order))


def _ordered(found: WithLines) -> tuple[float, float, float]:
    low, high = sorted((found.low, found.high))
    return low, found.typical, high


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."
