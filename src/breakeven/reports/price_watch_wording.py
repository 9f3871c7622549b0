"""Price watch wording: what changed between two comparisons as short sentences, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.price_watch import moved_words
from breakeven.reports.price_watch_part import (
    CausePart,
    FactChangePart,
    MedianPart,
    MovePart,
    PriceWatchPart,
    RangePart,
)
from breakeven.reports.safe_text import safe, short

ROWS_MAX_COUNT: Final = 12
CAUSES_MAX_COUNT: Final = 8
CHANGES_MAX_COUNT: Final = 15
WORTH_A_ROW_FRACTION: Final = 0.0005
"""A cost that moved by less is not listed."""
WORTH_A_LINE_FRACTION: Final = 0.01
"""Of a move; a smaller cause is counted, not named."""
EXIT_CODES: Final = (
    "Exit code: 0 within the bound, 2 moved. An error has code 2 too; it prints to stderr and nothing to stdout."
)


def since(watch: PriceWatchPart) -> str:
    """The two dates."""
    before, after = amounts.date_text(safe(watch.before_as_of)), amounts.date_text(safe(watch.after_as_of))
    dates = f"{before} to {after}" if before != after else after
    return f"What changed since the baseline ({dates}; bound {amounts.fraction(watch.bound_fraction)})"


def difference_lines(watch: PriceWatchPart) -> list[str]:
    """What else differs, and which options came or went."""
    found = list(watch.differences)
    if watch.appeared:
        found.append(f"Options only in the new comparison: {_some(watch.appeared)}.")
    if watch.disappeared:
        found.append(f"Options only in the baseline: {_some(watch.disappeared)}.")
    return found


def moves_shown(watch: PriceWatchPart) -> tuple[MovePart, ...]:
    """The costs that moved, largest first; those beyond the bound are never left out."""
    moved = [
        each for each in watch.moves if each.moved_fraction is None or abs(each.moved_fraction) >= WORTH_A_ROW_FRACTION
    ]
    return tuple(each for index, each in enumerate(moved) if each.beyond or index < ROWS_MAX_COUNT)


def move_cells(move: MovePart) -> tuple[str, str, str, str]:
    """Before, after, the largest move, and the verdict on it."""
    return (
        amounts.money(move.equal_success_before_usd_per_month),
        amounts.money(move.equal_success_after_usd_per_month),
        moved_words(move),
        "BEYOND" if move.beyond else "within",
    )


def moves_note(watch: PriceWatchPart) -> str:
    """What the columns are."""
    still = len(watch.moves) - len(moves_shown(watch))
    rest = f" {amounts.counted(still, 'more option')} moved less." if still else ""
    return (
        "USD a month for as many successful outcomes as today, medians; the move is the largest of this, the monthly "
        f"bill, and the typical present cost where both documents have it.{rest}"
    )


def causes_title(watch: PriceWatchPart, title: str) -> str:
    """Which move is explained."""
    move = watch.explained_move_usd_per_month
    way = "did not move" if not watch.causes and not move else f"{_signed(move)} a month"
    return f"What explains the bill of {title}: {way}"


def cause_lines(watch: PriceWatchPart) -> list[str]:
    """The causes, largest first, and what they leave."""
    least = WORTH_A_LINE_FRACTION * abs(watch.explained_move_usd_per_month)
    told = [each for each in watch.causes[:CAUSES_MAX_COUNT] if abs(each.effect_usd_per_month) >= least]
    lines, hidden = [cause_line(each) for each in told], watch.causes[len(told) :]
    if hidden:
        together = sum(each.effect_usd_per_month for each in hidden)
        lines.append(f"{amounts.counted(len(hidden), 'smaller cause')}: {_signed(together)} a month together.")
    if watch.causes and amounts.money(abs(watch.rest_usd_per_month)) != "$0":
        rest = _signed(watch.rest_usd_per_month)
        lines.append(f"The rest, {rest} a month: from the ranges around the medians.")
    return lines


def cause_line(cause: CausePart) -> str:
    """One cause: what it was, what it is, what it adds, and where it is from."""
    unit = safe(cause.unit)
    before, after = amounts.quantity(cause.before.value, unit), amounts.quantity(cause.after.value, unit)
    return (
        f"{_signed(cause.effect_usd_per_month)} a month: {short(amounts.fact_title(cause.name), 60)}, "
        f"{before} to {after}{_origin(cause.after)}"
    )


def change_lines(watch: PriceWatchPart) -> list[str]:
    """Prices and facts that changed."""
    lines = [change_line(each) for each in watch.changes[:CHANGES_MAX_COUNT]]
    hidden = len(watch.changes) - CHANGES_MAX_COUNT
    return [*lines, *([f"{hidden} more: in the JSON document."] if hidden > 0 else [])]


def change_line(change: FactChangePart) -> str:
    """One fact before and after, with the date and source of the new value."""
    unit, title = safe(change.unit), short(amounts.fact_title(change.name), 60)
    before, after = _spread(change.before, unit), _spread(change.after, unit)
    users = f"; read by {_some(change.used_by)}" if change.used_by else ""
    if change.before is None:
        return f"{change.kind}: {title}, {after}, not read before{_origin(change.after)}{users}"
    if change.after is None:
        return f"{change.kind}: {title}, was {before}, no longer read{_origin(change.before)}{users}"
    return f"{change.kind}: {title}, {before} to {after}{_origin(change.after)}{users}"


def _spread(fact: RangePart | None, unit: str) -> str:
    return amounts.quantity_spread(fact.typical, fact.low, fact.high, unit) if fact else ""


def _origin(value: RangePart | MedianPart | None) -> str:
    if value is None or not value.source:
        return ""
    return f" ({short(value.source, 120)}, read {amounts.date_text(safe(value.read))})"


def _signed(usd: float) -> str:
    return f"+{amounts.money(usd)}" if usd > 0 else amounts.money(usd)


def _some(names: Sequence[str], shown_count: int = 4) -> str:
    more = f" and {len(names) - shown_count} more" if len(names) > shown_count else ""
    return ", ".join(short(each, 40) for each in names[:shown_count]) + more
