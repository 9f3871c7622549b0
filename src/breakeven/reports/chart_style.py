"""Chart style: colours, dashes, letters, canvases and tick positions that all charts share.

A colour in a spec is the light one; the report's style sheet swaps it for the dark one by attribute selector, so one
drawing serves both. Every series also has a dash and a letter: colour never says anything alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final, Literal

from breakeven.reports import amounts
from breakeven.reports.document import Document
from breakeven.reports.findings import TITLE_MAX_COUNT
from breakeven.reports.safe_text import short
from breakeven.reports.shortlist import charted_options, status_quo

INK, MUTED, GRID, PAPER = "#1b2130", "#5c6675", "#dfe3ea", "#ffffff"
TODAY = "#2f3542"
"""Colour of the option that is in use today."""
SERIES: Final = ("#2b57e0", "#93300f", "#12965a", "#a09809", "#d9509f", "#82149a")
"""Distinct under protanopia, deuteranopia and tritanopia (tested), at least 3:1 on paper."""
LINES: Final = (
    "#6d9bf0", "#f0a355", "#7cc6a6", "#cdb84f", "#e2857a", "#b593dc", "#93a5b8", "#dd93b8", "#6fbccd", "#a8c76a",
)  # fmt: skip
"""Cost lines of the breakdown; dark text is readable on each."""
OTHER = "#8b95a5"
"""Options without a colour of their own, and cost lines too small for one."""
HEAT: Final = ("#eef1f8", "#c9d6f7", "#9bb4f1", "#6a8ce6", "#3d63cf", "#20409c")
"""Load of an hour, from little to much."""
LOSS: Final = "#ece4f6"
"""Expected loss, beside the total: hatched where the style sheet can."""
TURNS, HOLDS = "#c24a12", "#8a97a8"
"""A lever that turns the answer, and one that does not."""

DARK: Final = {
    INK: "#e8ebf2", MUTED: "#9aa5b5", GRID: "#2a313d", PAPER: "#14181f", TODAY: "#f2f4f8",
    **dict(zip(SERIES, ("#86a9ff", "#f4503c", "#2fe39a", "#fdc61b", "#d85692", "#ac63ff"), strict=True)),
    **dict(zip(HEAT, ("#1d2430", "#22335f", "#2b4a94", "#3f69c8", "#6d93ee", "#b4cbff"), strict=True)),
    OTHER: "#77839a", LOSS: "#3b3350", TURNS: "#ff8a4c", HOLDS: "#7b8798",
}  # fmt: skip
"""Light colour -> dark colour."""

DASHES: Final = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 2), (12, 4), (1, 3))
FONT: Final = "Arial"
"""A font that vl-convert carries, so that no layout depends on the machine; the style sheet replaces it."""
FONT_SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class Series:
    """How one option looks in every chart and table."""

    name: str
    title: str
    letter: str
    colour: str
    dash: tuple[int, ...]
    today: bool
    charted: bool
    """Whether the charts have a line of it; the others share one grey and are told apart by letter and title."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The plot area in pixels and the room around it."""

    kind: Literal["wide", "narrow"]
    width_px: float
    height_px: float
    left_px: float
    right_px: float
    top_px: float
    bottom_px: float

    @property
    def narrow(self) -> bool:
        """Drawn for a phone."""
        return self.kind == "narrow"


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale, from data to pixels."""

    low: float
    high: float
    start_px: float
    end_px: float
    log: bool = False

    def px(self, value: float) -> float:
        """Pixel of `value`.

        >>> Axis(1, 100, 0, 200, log=True).px(10), Axis(0, 10, 100, 0).px(5)
        (100.0, 50.0)
        """
        if self.log:
            share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start_px + share * (self.end_px - self.start_px)

    def holds(self, value: float) -> bool:
        """True when `value` lies on the axis."""
        return self.low <= value <= self.high

    def scale(self) -> dict[str, object]:
        """The same scale for Vega-Lite."""
        return {
            "type": "log" if self.log else "linear",
            "domain": [self.low, self.high],
            "range": [self.start_px, self.end_px],
            "zero": False,
            "nice": False,
        }


def series_of(document: Document) -> tuple[Series, ...]:
    """One Series per option, in the document's order.

    Today's is in ink and solid, the others of a chart in colour and dashed; those without a line there are grey.
    """
    today = status_quo(document)
    charted = {each.name for each in charted_options(document)}
    looks = _looks()
    found = []
    for index, option in enumerate(document.options):
        is_today, drawn = option.name == today, option.name in charted
        colour, dash = (TODAY, DASHES[0]) if is_today else next(looks) if drawn else (OTHER, DASHES[-1])
        title = short(option.title, TITLE_MAX_COUNT) or option.name
        found.append(Series(option.name, title, letter_of(index), colour, dash, is_today, drawn))
    return tuple(found)


def letter_of(index: int) -> str:
    """A, B, ... Z, A2, B2, ...

    >>> letter_of(0), letter_of(26)
    ('A', 'A2')
    """
    turn, place = divmod(index, 26)
    return chr(ord("A") + place) + (str(turn + 1) if turn else "")


def _looks() -> Iterator[tuple[str, tuple[int, ...]]]:
    index = 0
    while True:
        yield SERIES[index % len(SERIES)], DASHES[1 + index % (len(DASHES) - 1)]
        index += 1


def spread(places_px: Sequence[float], gap_px: float, low_px: float, high_px: float) -> list[float]:
    """Move labels apart until `gap_px` lies between neighbours, keeping their order and staying inside.

    >>> spread([50.0, 51.0, 10.0], 12.0, 0.0, 100.0)
    [44.5, 56.5, 10.0]
    """
    gap_px = min(gap_px, (high_px - low_px) / max(len(places_px) - 1, 1))
    order = sorted(range(len(places_px)), key=lambda index: places_px[index])
    groups: list[list[float]] = []  # [centre, count]
    for index in order:
        groups.append([places_px[index], 1])
        while len(groups) > 1 and _end(groups[-2], gap_px) > _start(groups[-1], gap_px):
            centre, count = groups.pop()
            last = groups[-1]
            groups[-1] = [(last[0] * last[1] + centre * count) / (last[1] + count), last[1] + count]
    placed = [_start(group, gap_px) + gap_px / 2 + k * gap_px for group in groups for k in range(int(group[1]))]
    for k in range(len(placed)):
        placed[k] = max(placed[k], low_px + k * gap_px)
    for k in reversed(range(len(placed))):
        placed[k] = min(placed[k], high_px - (len(placed) - 1 - k) * gap_px)
    found = [0.0] * len(places_px)
    for index, place in zip(order, placed, strict=True):
        found[index] = place
    return found


def _start(group: Sequence[float], gap_px: float) -> float:
    return group[0] - group[1] * gap_px / 2


def _end(group: Sequence[float], gap_px: float) -> float:
    return group[0] + group[1] * gap_px / 2


def decades(low: float, high: float, most_count: int) -> list[float]:
    """Powers of ten from `low` to `high`, thinned to at most `most_count`.

    >>> decades(5, 20_000, 9), decades(1, 1e6, 4)
    ([10.0, 100.0, 1000.0, 10000.0], [1.0, 100.0, 10000.0, 1000000.0])
    """
    first, last = ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9)
    step = max(1, ceil((last - first + 1) / most_count))
    return [10.0**power for power in range(first, last + 1, step)]


def log_ticks(low: float, high: float, most_count: int) -> list[float]:
    """Round values for a logarithmic axis of any length: 1, 2 and 5 times powers of ten, or fewer of them.

    >>> log_ticks(3_300, 107_000, 8), log_ticks(1, 1e6, 4), log_ticks(310, 390, 4)
    ([5000.0, 10000.0, 20000.0, 50000.0, 100000.0], [1.0, 100.0, 10000.0, 1000000.0], [320.0, 340.0, 360.0, 380.0])
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 5), (1,)):
        found = [step * 10.0**power for power in powers for step in steps]
        found = [each for each in found if low <= each <= high]
        if len(found) <= most_count:
            return found if len(found) > 1 else round_ticks(high, most_count, low)
    return decades(low, high, most_count)


def round_ticks(high: float, most_count: int, low: float = 0.0) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) from `low` to `high`.

    >>> round_ticks(6_300, 5), round_ticks(1, 4, low=-1)
    ([0.0, 2000.0, 4000.0, 6000.0], [-1.0, -0.5, 0.0, 0.5, 1.0])
    """
    width = high - low
    if width <= 0:
        return [low]
    size = 10 ** floor(log10(width / most_count))
    step = next(size * each for each in (1, 2, 5, 10) if width / (size * each) <= most_count)
    return [float(step * k) for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def volume_tick(mtok: float) -> str:
    """Tokens on an axis.

    >>> volume_tick(10), volume_tick(2_500)
    ('10 M', '2.5 B')
    """
    return amounts.magnitude(mtok * 1e6)


def money_tick(usd: float) -> str:
    """Dollars on an axis: no needless zeros.

    >>> money_tick(1_000), money_tick(12_500), money_tick(1e6), money_tick(0.1), money_tick(-2_000)
    ('$1k', '$12.5k', '$1M', '$0.1', '-$2k')
    """
    return ("-" if usd < 0 else "") + "$" + amounts.magnitude(abs(usd)).replace(" ", "")
