"""Colours that everybody can tell apart, labels that do not collide, ticks that are round."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.reports.chart_style import (
    DARK,
    INK,
    LINES,
    PAPER,
    SERIES,
    TODAY,
    decades,
    letter_of,
    round_ticks,
    series_of,
    spread,
)
from reports.sample_document import sample_document

SEEN = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Full-strength matrices of Machado, Oliveira and Fernandes (2009), on linear RGB."""


def linear(colour: str) -> NDArray[np.float64]:
    """sRGB hex to linear RGB."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b*, in which distance is about what an eye sees."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ rgb / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(np.clip(xyz, 0, None)), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """WCAG contrast."""
    light = sorted(float(linear(each) @ np.array([0.2126, 0.7152, 0.0722])) for each in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


LIGHT_SERIES = (TODAY, *SERIES)
DARK_SERIES = tuple(DARK[each] for each in LIGHT_SERIES)


@pytest.mark.parametrize("sight", SEEN)
@pytest.mark.parametrize("palette", [LIGHT_SERIES, DARK_SERIES])
def test_options_are_told_apart_with_any_eyes(sight: str, palette: tuple[str, ...]) -> None:
    seen = [lab(np.clip(SEEN[sight] @ linear(each), 0, 1)) for each in palette]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 20


def test_lines_stand_out_from_the_paper() -> None:
    assert min(contrast(each, PAPER) for each in LIGHT_SERIES) >= 3
    assert min(contrast(each, DARK[PAPER]) for each in DARK_SERIES) >= 3
    assert contrast(INK, PAPER) > 7
    assert contrast(DARK[INK], DARK[PAPER]) > 7
    assert min(contrast("#10141c", each) for each in LINES) > 4.5


def test_every_option_has_its_own_letter_colour_and_dash() -> None:
    series = series_of(sample_document())
    assert [each.letter for each in series] == list("ABCDE")
    charted = [each for each in series if each.charted]
    assert len({each.colour for each in charted}) == len({each.dash for each in charted}) == len(charted)
    assert [each.name for each in series if each.today] == ["frontier_api"]
    assert letter_of(25) == "Z"


@given(st.lists(st.floats(min_value=-50, max_value=450), max_size=20))
def test_labels_never_collide(places: list[float]) -> None:
    placed = spread(places, 15.0, 0.0, 400.0)
    assert all(0 - 1e-9 <= each <= 400 + 1e-9 for each in placed)
    assert all(b - a >= 15 - 1e-6 for a, b in zip(sorted(placed), sorted(placed)[1:], strict=False))
    assert [placed[i] for i in np.argsort(places, kind="stable")] == sorted(placed)


def test_more_labels_than_fit_stay_inside() -> None:
    placed = spread([200.0] * 60, 15.0, 0.0, 400.0)
    assert min(placed) >= -1e-9
    assert max(placed) <= 400 + 1e-9


@given(st.floats(min_value=1e-6, max_value=1e9), st.integers(min_value=3, max_value=9))
def test_ticks_are_few_and_inside(high: float, most: int) -> None:
    ticks = round_ticks(high, most)
    assert 2 <= len(ticks) <= most + 1
    assert ticks[0] == 0
    assert ticks[-1] <= high * (1 + 1e-9)


@given(st.floats(min_value=1e-3, max_value=1e3), st.floats(min_value=20, max_value=1e9), st.integers(2, 9))
def test_decades_are_few_and_inside(low: float, factor: float, most: int) -> None:
    ticks = decades(low, low * factor, most)
    assert 1 <= len(ticks) <= most
    assert all(low * (1 - 1e-6) <= each <= low * factor * (1 + 1e-6) for each in ticks)
