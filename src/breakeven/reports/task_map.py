"""Task map: every task of an audit as a box as large as its spend, darker where a small model can do more of it.

A squarified treemap (Bruls, Huizing and van Wijk 2000): boxes as square as their sizes allow, the largest first. Six
steps of one colour from light to dark (from dark to light at night) survive black and white and colour blindness, and
every box that has room says its share in words; a dashed edge marks a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from breakeven.audit.task import Audit, AuditedTask
from breakeven.reports import amounts
from breakeven.reports import audit_wording as wording
from breakeven.reports.chart_style import letter_of
from breakeven.reports.safe_text import short

BOXES_COUNT: Final = 24
"""Tasks with a box of their own; what is smaller shares one."""
STEPS: Final = (0.2, 0.4, 0.6, 0.75, 0.9)
"""From each of these shares on, a box is one step darker."""
LETTER_PX: Final = 6.9
"""Width of a letter of 12 px that is hardly ever exceeded on average."""
LINE_PX: Final = 16.0
BOLD_FRACTION: Final = 0.92
"""So many letters of a name, which is bold, take the room of the others."""
PAD_PX: Final = 8.0
GAP_PX: Final = 2.0
Kind = Literal["wide", "narrow"]
SIZES: Final[dict[Kind, tuple[float, float]]] = {"wide": (1000.0, 400.0), "narrow": (328.0, 520.0)}


@dataclass(frozen=True, slots=True)
class Box:
    """One task in the map."""

    name: str
    """As the audit has it; empty for the smaller ones together."""
    letter: str
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    step_count: int
    """0, little, to 5, nearly all: how dark it is."""
    is_guess: bool
    lines: tuple[str, ...]
    """Words that fit."""
    name_lines_count: int
    """So many of them are its name."""
    spoken: str
    """All of it in one sentence."""


@dataclass(frozen=True, slots=True)
class TaskMap:
    """The boxes for one width."""

    kind: Kind
    width_px: float
    height_px: float
    boxes: tuple[Box, ...]
    is_of_spend: bool
    """False: nothing has a price, and boxes are as large as the number of calls."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box is."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float


def task_map(audit: Audit, kind: Kind) -> TaskMap:
    """Lay out the tasks of an audit."""
    width, height = SIZES[kind]
    priced = audit.spend_usd > 0
    sized = sorted(((each, _size(each, priced=priced)) for each in audit.tasks), key=lambda pair: -pair[1])
    sized = [(each, size) for each, size in sized if size > 0]
    alone = sized if len(sized) <= BOXES_COUNT else sized[: BOXES_COUNT - 1]
    rest = sized[len(alone) :]
    sizes = [size for _, size in alone] + ([sum(size for _, size in rest)] if rest else [])
    places = squarified(sizes, width, height)
    boxes = [
        _box(each, letter_of(at), place, priced=priced)
        for at, ((each, _), place) in enumerate(zip(alone, places, strict=False))
    ]
    if rest:
        boxes.append(_rest([each for each, _ in rest], places[-1], priced=priced))
    return TaskMap(kind, width, height, tuple(boxes), priced)


def squarified(sizes: Sequence[float], width_px: float, height_px: float) -> list[Place]:
    """Places of boxes with these sizes, given largest first, that fill the whole.

    >>> [(round(p.width_px), round(p.height_px)) for p in squarified([6, 6, 4, 3, 2, 2, 1], 6, 4)]
    [(3, 2), (3, 2), (2, 2), (1, 2), (1, 2), (1, 2), (1, 2)]
    """
    total = sum(sizes)
    areas = [each / total * width_px * height_px for each in sizes]
    free = Place(0.0, 0.0, width_px, height_px)
    found: list[Place] = []
    at = 0
    while at < len(areas):
        side = min(free.width_px, free.height_px)
        end = at + 1
        while end < len(areas) and _worst(areas[at : end + 1], side) <= _worst(areas[at:end], side):
            end += 1
        row, free = _row(areas[at:end], free, is_last=end == len(areas))
        found += row
        at = end
    return found


def step_of(share_fraction: float) -> int:
    """How dark a share is.

    >>> [step_of(each) for each in (0.0, 0.2, 0.7, 0.95)]
    [0, 1, 3, 5]
    """
    return sum(share_fraction >= each for each in STEPS)


def step_words() -> tuple[str, ...]:
    """What each step means.

    >>> step_words()[0], step_words()[3], step_words()[-1]
    ('below 20 %', '60 to 75 %', '90 % or more')
    """
    edges = [round(each * 100) for each in STEPS]
    middle = [f"{low} to {high} %" for low, high in pairwise(edges)]
    return (f"below {edges[0]} %", *middle, f"{edges[-1]} % or more")


def _worst(areas: Sequence[float], side_px: float) -> float:
    """Largest ratio of sides in a row along `side_px`."""
    whole = sum(areas)
    return max(max(side_px**2 * each / whole**2, whole**2 / (side_px**2 * each)) for each in areas)


def _row(areas: Sequence[float], free: Place, *, is_last: bool) -> tuple[list[Place], Place]:
    """Lay a row along the shorter side; what is left of the free place."""
    whole = sum(areas)
    upright = free.width_px >= free.height_px
    side = free.height_px if upright else free.width_px
    depth = (free.width_px if upright else free.height_px) if is_last else whole / side
    found, at = [], 0.0
    for each in areas:
        length = each / whole * side
        if upright:
            found.append(Place(free.x_px, free.y_px + at, depth, length))
        else:
            found.append(Place(free.x_px + at, free.y_px, length, depth))
        at += length
    if upright:
        return found, Place(free.x_px + depth, free.y_px, free.width_px - depth, free.height_px)
    return found, Place(free.x_px, free.y_px + depth, free.width_px, free.height_px - depth)


def _size(task: AuditedTask, *, priced: bool) -> float:
    return task.spend_usd or 0.0 if priced else float(task.calls_count)


def _box(task: AuditedTask, letter: str, place: Place, *, priced: bool) -> Box:
    can = task.suitability.can_do
    share = task.spend_fraction if priced else task.calls_fraction
    what = "of spend" if priced else "of calls"
    is_guess = task.suitability.evidence[0] == "prior"
    basis = "a guess" if is_guess else wording.evidence_words(task)
    spend = f", {amounts.money(task.spend_usd)}" if task.spend_usd is not None and priced else ""
    spoken = (
        f"{letter} {short(task.name, 80)}: {amounts.fraction(share)} {what}{spend}; a small model can do "
        f"{wording.share_range(can)} of it, {basis}"
    )
    told = amounts.fraction(share)
    words = (
        (f"{told} {what}{spend}", f"{told} {what}", told),
        (f"{wording.share_range(can)}{', GUESS' if is_guess else ''}", wording.share_range(can)),
    )
    lines, name_lines_count = _fitting(short(task.name, 80), words, place)
    step = step_of(can.typical)
    return Box(
        task.name, letter, *_inset(place), step, is_guess, lines or _letter(letter, place), name_lines_count, spoken
    )


def _rest(tasks: Sequence[AuditedTask], place: Place, *, priced: bool) -> Box:
    share = sum(each.spend_fraction if priced else each.calls_fraction for each in tasks)
    weights = [max(_size(each, priced=priced), 1e-300) for each in tasks]
    can = sum(
        each.suitability.can_do.typical * weight for each, weight in zip(tasks, weights, strict=True)
    ) / sum(weights)  # fmt: skip
    words = f"{len(tasks)} smaller tasks"
    told = f"{amounts.fraction(share)} {'of spend' if priced else 'of calls'}"
    is_guess = all(each.suitability.evidence[0] == "prior" for each in tasks)
    lines, name_lines_count = _fitting(words, ((told,),), place)
    return Box("", "", *_inset(place), step_of(can), is_guess, lines, name_lines_count, f"{words}: {told}")


def _inset(place: Place) -> tuple[float, float, float, float]:
    """With a gap between neighbours."""
    width, height = max(place.width_px - GAP_PX, 0.5), max(place.height_px - GAP_PX, 0.5)
    return round(place.x_px, 1), round(place.y_px, 1), round(width, 1), round(height, 1)


def _fitting(name: str, words: Sequence[Sequence[str]], place: Place) -> tuple[tuple[str, ...], int]:
    """As many lines as fit and how many of them are the name; of each other line the longest wording that fits.

    None where not even a short name has room.
    """
    letters = int((place.width_px - 2 * PAD_PX) / LETTER_PX)
    rows = int((place.height_px - PAD_PX) / LINE_PX)
    if letters < 7 or rows < 1:
        return (), 1
    bold = int(letters * BOLD_FRACTION)
    names = _halves(name, bold) if len(name) > bold and rows > len(words) + 1 else (short(name, bold),)
    fitting = [next((each for each in wordings if len(each) <= letters), "") for wordings in words]
    kept = [*names, *(each for each in fitting if each)]
    return tuple(kept[:rows]), min(len(names), rows)


def _halves(name: str, letters_count: int) -> tuple[str, str]:
    """A name on two lines, broken at a space where there is one."""
    cut = name.rfind(" ", 0, letters_count + 1)
    cut = cut if cut > letters_count // 3 else letters_count
    return name[:cut].strip(), short(name[cut:].strip(), letters_count)


def _letter(letter: str, place: Place) -> tuple[str, ...]:
    return (letter,) if place.width_px >= 20 and place.height_px >= 18 else ()
