"""Spending: what would not have been spent without the pilot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import canary, design, shadow

from breakeven.pilot.observations import CANDIDATE
from breakeven.pilot.spending import spend


def test_a_shadow_costs_its_copies() -> None:
    rows = shadow(np.random.default_rng(1), 100, 1.0)
    assert spend(design(), rows).usd == pytest.approx(1.0)


def test_a_canary_costs_what_is_dearer() -> None:
    rows = canary(np.random.default_rng(2), 1_000, 1.0)
    is_candidate = rows.arm == CANDIDATE
    dearer = replace(rows, cost_usd=np.where(is_candidate, 0.03, 0.01))
    assert spend(design("canary"), dearer).usd == pytest.approx(0.02 * is_candidate.sum())
    cheaper = replace(rows, cost_usd=np.where(is_candidate, 0.001, 0.01))
    assert spend(design("canary"), cheaper).usd == pytest.approx(-0.009 * is_candidate.sum())


def test_labels_cost_and_calls_without_a_price_are_said() -> None:
    rows = shadow(np.random.default_rng(3), 100, 1.0)
    drawn = replace(rows, is_audited=np.arange(200) < 10)
    assert spend(design(label_usd=2.0), drawn).usd == pytest.approx(21.0)
    assert "at a cost nobody stated" in spend(design(), drawn).words
    unpriced = replace(rows, cost_usd=np.where(np.arange(200) < 4, np.nan, rows.cost_usd))
    told = spend(design(), unpriced)
    assert told.usd == pytest.approx(0.98)
    assert "2 calls without a price" in told.words
