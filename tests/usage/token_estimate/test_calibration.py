"""Calibration: the median ratio of one's own calls, and a band that holds four of five new ones."""

from __future__ import annotations

import random
from statistics import mean

import pytest

from breakeven.usage.token_estimate.calibration import (
    SAMPLES_KEPT_MAX_COUNT,
    SAMPLES_MIN_COUNT,
    Calibration,
    Sample,
    estimate,
)
from breakeven.usage.token_estimate.class_mix import CLASS_MIX_ERROR_FRACTION, class_mix_tokens

PROSE = "Please answer the customer politely and in two sentences. " * 4
CODE = "def f(x): return {'a': [x[0], x[1]]}\n" * 6


def samples(calibration: Calibration, text: str, ratio: float, count: int, model: str | None = "m") -> None:
    for _ in range(count):
        calibration.add(Sample(model, "input", text, round(class_mix_tokens(text) * ratio)))


def test_ratio_of_the_model_and_the_kind() -> None:
    calibration = Calibration()
    samples(calibration, PROSE, 1.3, SAMPLES_MIN_COUNT)
    samples(calibration, CODE, 0.8, SAMPLES_MIN_COUNT)
    found = [calibration.correction("m", "input", kind).factor_ratio for kind in ("prose", "code")]
    assert found == pytest.approx([1.3, 0.8], rel=0.02)


def test_other_models_and_kinds_stand_in_where_there_are_few_samples() -> None:
    calibration = Calibration()
    assert calibration.correction("m", "input", "prose").error_fraction == CLASS_MIX_ERROR_FRACTION
    samples(calibration, PROSE, 1.3, SAMPLES_MIN_COUNT - 1)
    assert calibration.correction("m", "input", "prose").factor_ratio == 1.0
    samples(calibration, PROSE, 1.5, 60, "other")
    assert calibration.correction("m", "input", "prose").factor_ratio == pytest.approx(1.5, rel=0.02)
    assert calibration.correction("new", "input", "cjk").factor_ratio == pytest.approx(1.5, rel=0.02)
    assert calibration.correction("m", "output", "prose").samples_count == 0


def test_memory_is_bounded_and_samples_without_tokens_tell_nothing() -> None:
    calibration = Calibration()
    samples(calibration, PROSE, 1.0, SAMPLES_KEPT_MAX_COUNT + 10)
    samples(calibration, PROSE, 0.0, 10, "zero")
    assert calibration.correction("m", "input", "prose").samples_count == SAMPLES_KEPT_MAX_COUNT
    assert calibration.correction("zero", "input", "prose").samples_count == SAMPLES_KEPT_MAX_COUNT


def test_the_band_holds_four_of_five_new_calls() -> None:
    chance = random.Random(3)
    made = class_mix_tokens(PROSE)
    held = []
    for _ in range(60):
        calibration = Calibration()
        for _ in range(40):
            calibration.add(Sample("m", "input", PROSE, round(made * chance.lognormvariate(0.1, 0.2))))
        found = calibration.correction("m", "input", "prose")
        fresh = [made * chance.lognormvariate(0.1, 0.2) for _ in range(50)]
        held.append(mean(abs(made * found.factor_ratio / each - 1) <= found.error_fraction for each in fresh))
    assert 0.75 <= mean(held) <= 0.85


def test_an_estimate_knows_its_kind() -> None:
    made = estimate(CODE, "unknown-model", "output")
    assert (made.kind, made.side, made.tokens) == ("code", "output", class_mix_tokens(CODE))
