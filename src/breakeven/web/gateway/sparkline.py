"""Sparkline: a small chart of the last minutes as SVG, drawn here, since one is wanted every two seconds.

Colours are the style sheet's; a second line is dashed and named at its end, so that colour says nothing alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from breakeven.web.gateway.series import Point

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH_PX: Final = 280.0
HEIGHT_PX: Final = 96.0
LEFT_PX: Final = 4.0
RIGHT_PX: Final = 36.0
TOP_PX: Final = 16.0
BOTTOM_PX: Final = 16.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a small chart."""

    points: tuple[Point, ...]
    name: str = ""
    """Written at its end; "" where there is one line only."""


def sparkline(
    lines: Sequence[Line], label: str, shown_s: float, words: Callable[[float], str], *, since: str
) -> Markup:
    """The chart; `shown_s` is its length, `words` says a value, `since` the beginning of the axis."""
    from markupsafe import Markup

    known = [each.value for line in lines for each in line.points if each.value is not None]
    top = max(known, default=0.0)
    scale = top or 1.0
    right, bottom = WIDTH_PX - (RIGHT_PX if len(lines) > 1 else LEFT_PX), HEIGHT_PX - BOTTOM_PX

    def place(point: Point, value: float) -> tuple[float, float]:
        x = right - (right - LEFT_PX) * min(point.ago_s / shown_s, 1.0)
        return round(x, 1), round(bottom - (bottom - TOP_PX) * value / scale, 1)

    drawn = [
        f'<svg class="chart spark" viewBox="0 0 {WIDTH_PX:.0f} {HEIGHT_PX:.0f}" role="img" '
        f'aria-label="{escape(label, quote=True)}">',
        f'<line class="base" x1="{LEFT_PX}" x2="{right}" y1="{bottom}" y2="{bottom}"/>',
        f'<line class="top" x1="{LEFT_PX}" x2="{right}" y1="{TOP_PX}" y2="{TOP_PX}"/>',
        f'<text class="most" x="{LEFT_PX}" y="{TOP_PX - 4}">{escape(words(top)) if known else ""}</text>',
        f'<text class="when" x="{LEFT_PX}" y="{HEIGHT_PX - 3}">{escape(since)}</text>',
        f'<text class="when" x="{right}" y="{HEIGHT_PX - 3}" text-anchor="end">now</text>',
    ]
    for number, line in enumerate(lines):
        drawn += _line(line, number, place)
    return Markup("".join([*drawn, "</svg>"]))  # noqa: S704 numbers, and texts that were escaped


def _line(line: Line, number: int, place: Callable[[Point, float], tuple[float, float]]) -> list[str]:
    """The line in pieces between gaps, a dot at its end, and its name there."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for each in line.points:
        if each.value is None:
            pieces.append([])
        else:
            pieces[-1].append(place(each, each.value))
    found = []
    for piece in filter(None, pieces):
        at = " ".join(f"{x},{y}" for x, y in piece)
        if len(piece) == 1:
            found.append(f'<circle class="dot d{number}" cx="{piece[0][0]}" cy="{piece[0][1]}" r="1.6"/>')
            continue
        if number == 0:
            floor = HEIGHT_PX - BOTTOM_PX
            found.append(f'<polygon class="area" points="{piece[0][0]},{floor} {at} {piece[-1][0]},{floor}"/>')
        found.append(f'<polyline class="line l{number}" points="{at}"/>')
    if pieces[-1]:
        x, y = pieces[-1][-1]
        found.append(f'<circle class="dot d{number}" cx="{x}" cy="{y}" r="2.6"/>')
        if line.name:
            found.append(f'<text class="name" x="{x + 6}" y="{y + 4}">{escape(line.name)}</text>')
    return found
