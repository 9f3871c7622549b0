"""The correction against other formulas, against planted truths, and against an outlier."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.errors import CalibrationError
from breakeven.serving.calibrate import (
    Correction,
    CorrectionPrior,
    DeploymentKey,
    fit_correction,
    leave_one_out,
    screen,
)

KEY = DeploymentKey("Llama-3.1-8B", "H100 SXM", 1, "bf16", "vllm")
PLAIN = CorrectionPrior(tail_degrees_count=math.inf, noise_weight_count=math.inf)
"""No weights and a known noise: the closed form alone."""


def fit(concurrency: Any, measured: Any, predicted: Any, prior: CorrectionPrior | None = None) -> Correction:
    return fit_correction(
        concurrency,
        measured,
        predicted,
        key=KEY,
        measured_on=date(2026, 11, 25),
        source_title="test",
        prior=prior,
    )


def ratios(level: float, slope: float, concurrency: Any, noise: Any = 0.0) -> NDArray[np.float64]:
    """measured / predicted of a planted truth at the default centre."""
    x = np.log(np.asarray(concurrency, dtype=float) / 16.0)
    return np.exp(level + slope * x + noise)


positive = st.floats(0.05, 20.0)


@given(st.lists(st.tuples(st.floats(1, 1024), positive), min_size=1, max_size=12))
def test_the_closed_form_is_least_squares_with_the_prior_as_two_more_rows(rows: list[tuple[float, float]]) -> None:
    """numpy's lstsq on rows scaled by 1/noise, with rows (1/sd_level, 0) and (0, 1/sd_slope) that want 0."""
    concurrency, ratio = (np.array(column) for column in zip(*rows, strict=True))
    found = fit(concurrency, ratio, np.ones_like(ratio), PLAIN)
    x = np.log(concurrency / PLAIN.centre_concurrency_count)
    design = np.vstack(
        (
            np.column_stack((np.ones_like(x), x)) / PLAIN.noise_sd_ratio,
            np.diag((1 / PLAIN.level_sd_ratio, 1 / PLAIN.slope_sd_ratio)),
        )
    )
    wanted = np.concatenate((np.log(ratio) / PLAIN.noise_sd_ratio, (0.0, 0.0)))
    (level, slope), *_ = np.linalg.lstsq(design, wanted, rcond=None)
    covariance = np.linalg.inv(design.T @ design)
    for at in (1.0, 16.0, 100.0):
        row = np.array((1.0, math.log(at / PLAIN.centre_concurrency_count)))
        assert math.log(found.factor(at)) == pytest.approx(level + slope * row[1], abs=1e-9)
        assert found.line_sd_ratio(at) == pytest.approx(math.sqrt(row @ covariance @ row), rel=1e-9)


def test_against_scipys_multivariate_normal() -> None:
    """Conditioning the joint Gaussian of measurements and a new one: a Gaussian process with a linear kernel."""
    concurrency, ratio = np.array([2.0, 8.0, 64.0]), np.array([1.2, 1.1, 1.3])
    found = fit(concurrency, ratio, [1.0, 1.0, 1.0], PLAIN)
    x = np.log(np.append(concurrency, 30.0) / 16.0)
    kernel = PLAIN.level_sd_ratio**2 + PLAIN.slope_sd_ratio**2 * np.outer(x, x)
    seen = kernel[:3, :3] + PLAIN.noise_sd_ratio**2 * np.eye(3)
    gain = kernel[3, :3] @ np.linalg.inv(seen)
    assert math.log(found.factor(30.0)) == pytest.approx(gain @ np.log(ratio))
    variance = kernel[3, 3] - gain @ kernel[:3, 3] + PLAIN.noise_sd_ratio**2
    found_range = found.interval(30.0, 0.8)
    assert math.log(found_range.high / found_range.typical) == pytest.approx(1.2815515655 * math.sqrt(variance))
    assert found_range.high * found_range.low == pytest.approx(found_range.typical**2)


def test_no_point_is_the_prior() -> None:
    found = fit([], [], [])
    assert found.points_count == 0
    assert found.factor(4.0) == 1.0
    assert found.interval(16.0).high == pytest.approx(math.exp(1.2815515655 * math.hypot(0.18, 0.06)))


def test_few_points_move_little_and_many_win() -> None:
    """A deployment at 1.6 times its prediction: one point goes most of the way, thirty all of it."""
    errors, widths = [], []
    for count in (0, 1, 3, 30):
        concurrency = np.geomspace(1, 256, count) if count > 1 else np.full(count, 16.0)
        found = fit(concurrency, ratios(math.log(1.6), 0.0, concurrency), np.ones(count))
        errors.append(math.log(1.6) - math.log(found.factor(16.0)))
        widths.append(found.line_sd_ratio(16.0))
    assert errors == sorted(errors, reverse=True)
    assert widths == sorted(widths, reverse=True)
    assert errors[1] > 0.02
    assert errors[-1] < 0.01


@given(positive, st.floats(1, 512))
def test_one_point_never_overshoots(ratio: float, concurrency: float) -> None:
    factor = fit([concurrency], [ratio], [1.0]).factor(concurrency)
    assert min(1.0, ratio) <= factor * (1 + 1e-9)
    assert factor <= max(1.0, ratio) * (1 + 1e-9)


@given(st.lists(st.tuples(st.floats(1, 512), positive), min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_units_do_not_matter(rows: list[tuple[float, float]], scale: float) -> None:
    concurrency, ratio = (list(column) for column in zip(*rows, strict=True))
    one = fit(concurrency, ratio, [1.0] * len(ratio))
    other = fit(concurrency, [scale * each for each in ratio], [scale] * len(ratio))
    assert one.factor(7.0) == pytest.approx(other.factor(7.0), rel=1e-6)


def test_the_slope_is_found() -> None:
    concurrency = [1, 4, 16, 64, 256] * 4
    found = fit(concurrency, ratios(0.2, -0.08, concurrency), np.ones(20))
    assert found.slope_ratio == pytest.approx(-0.08, abs=0.01)
    assert found.factor(256) / found.factor(1) == pytest.approx(math.exp(-0.08 * math.log(256)), rel=0.04)


def test_one_outlier_hardly_counts() -> None:
    """Five points at 1.25, one of them 0.4 (a noisy neighbour): the plain form follows it."""
    concurrency = [1, 4, 16, 64, 256]
    measured = ratios(math.log(1.25), 0.0, concurrency, np.array([0.01, -0.02, 0.0, 0.02, -0.01]))
    clean = fit(concurrency, measured, np.ones(5)).factor(16)
    measured[2] = 0.4
    robust, plain = (fit(concurrency, measured, np.ones(5), prior) for prior in (None, PLAIN))
    assert abs(math.log(plain.factor(16) / clean)) > 0.15
    assert abs(math.log(robust.factor(16) / clean)) < 0.03
    assert robust.weights[2] < 0.1
    assert min(robust.weights[:2] + robust.weights[3:]) > 0.7


def test_points_that_agree_are_no_outliers_however_far_off() -> None:
    """Five points at three times the prediction, six prior standard deviations away: they win."""
    concurrency = [1, 4, 16, 64, 256]
    found = fit(concurrency, ratios(math.log(3.0), 0.0, concurrency), np.ones(5))
    assert found.factor(16) == pytest.approx(3.0, rel=0.05)
    assert min(found.weights) > 0.7


def test_scatter_widens_the_interval() -> None:
    concurrency = [1, 2, 4, 8, 16, 32, 64, 128]
    noise = 0.25 * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    wide = fit(concurrency, ratios(0.0, 0.0, concurrency, noise), np.ones(8))
    narrow = fit(concurrency, ratios(0.0, 0.0, concurrency), np.ones(8))
    assert wide.noise_sd_ratio > 2 * narrow.noise_sd_ratio
    assert wide.interval(16).high > narrow.interval(16).high


def test_intervals_cover_as_often_as_they_claim() -> None:
    """Deployments drawn from the prior, four noisy points each, a fifth to be predicted."""
    rng = np.random.default_rng(11)
    prior = CorrectionPrior()
    inside = 0
    trials = 600
    for _ in range(trials):
        concurrency = np.exp(rng.uniform(0, math.log(256), 5))
        level, slope = rng.normal(0, prior.level_sd_ratio), rng.normal(0, prior.slope_sd_ratio)
        measured = ratios(level, slope, concurrency, rng.normal(0, prior.noise_sd_ratio, 5))
        found = fit(concurrency[:4], measured[:4], np.ones(4)).interval(concurrency[4], 0.8)
        inside += found.low <= measured[4] <= found.high
    assert 0.75 <= inside / trials <= 0.85  # standard error 1.6 %


@pytest.mark.parametrize("noise", [0.03, 0.06, 0.2])
def test_many_points_tell_the_noise(noise: float) -> None:
    """The weights take from the tails of normal scatter too; the estimate gives that back."""
    rng = np.random.default_rng(5)
    concurrency = np.exp(rng.uniform(0, math.log(256), 2000))
    found = fit(concurrency, ratios(0.1, 0.0, concurrency, rng.normal(0, noise, 2000)), np.ones(2000))
    assert found.noise_sd_ratio == pytest.approx(noise, rel=0.06)  # standard error 1.6 % of a plain estimate


def test_outside_the_measured_range_the_interval_widens() -> None:
    found = fit([4, 8, 16], [1.1, 1.2, 1.1], [1.0] * 3)
    assert found.covers(8)
    assert not found.covers(64)
    inside, outside = found.interval(8), found.interval(512)
    assert outside.high / outside.low > inside.high / inside.low


def test_leave_one_out_leaves_the_point_out() -> None:
    concurrency, measured = [1.0, 8.0, 64.0], [1.3, 1.25, 1.35]
    factors = leave_one_out(concurrency, measured, [1.0] * 3)
    for index in range(3):
        others = [place for place in range(3) if place != index]
        alone = fit([concurrency[each] for each in others], [measured[each] for each in others], [1.0, 1.0])
        assert factors[index] == alone.interval(concurrency[index])
    assert leave_one_out([4.0], [9.0], [1.0])[0].typical == 1.0


@pytest.mark.parametrize(
    ("concurrency", "measured", "predicted", "said"),
    [
        ([0.0], [1.0], [1.0], "concurrency holds 0"),
        ([1.0], [-1.0], [1.0], "measured holds -1"),
        ([1.0], [1.0], [0.0], "predicted holds 0"),
        ([1.0], [math.nan], [1.0], "measured holds nan"),
        ([1.0], [1.0], [math.inf], "predicted holds inf"),
        ([1.0, 2.0], [1.0], [1.0], "2 concurrency, 1 measured, 1 predicted"),
    ],
)
def test_impossible_points(concurrency: list[float], measured: list[float], predicted: list[float], said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        fit(concurrency, measured, predicted)


def test_impossible_priors_and_concurrencies() -> None:
    with pytest.raises(CalibrationError, match="level_sd_ratio is 0"):
        CorrectionPrior(level_sd_ratio=0.0)
    with pytest.raises(CalibrationError, match="concurrency 0"):
        fit([1.0], [1.0], [1.0]).factor(0.0)


@pytest.mark.parametrize(
    ("tok_per_s", "requests", "failures", "light", "refused", "said"),
    [
        (900.0, 100, 0, 1000.0, False, ""),
        (1001.0, 100, 0, 1000.0, True, "more than this hardware can read"),
        (1001.0, 100, 0, None, False, ""),
        (900.0, 99, 1, None, False, "1 of 100 requests failed"),
        (900.0, 98, 2, None, True, "2 of 100 requests failed"),
        (math.nan, 100, 0, None, True, "is no measurement"),
        (0.0, 100, 0, None, True, "is no measurement"),
    ],
)
def test_screening(
    tok_per_s: float, requests: int, failures: int, light: float | None, refused: bool, said: str
) -> None:
    found = screen(tok_per_s, requests, failures, light)
    assert found.is_refused is refused
    assert said in found.reason
    assert bool(found.reason) == bool(said)
