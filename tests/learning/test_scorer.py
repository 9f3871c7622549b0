"""Scorer: one answer offline and online, before and after the policy file; no row sees its own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.learning import heads
from breakeven.learning.group_rates import fit_group_rates, paths_of
from breakeven.learning.scorer import cross_fitted, fit_scorer
from breakeven.learning.splits import mixed_folds
from breakeven.routing.features import prompt_features
from breakeven.routing.scorer_arrays import scorer_of

from .planted import nothing_decides, table_of, words_decide


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the trees: enough for what is tested here."""
    monkeypatch.setattr(heads, "TREES_COUNT", 20)


@pytest.mark.parametrize("keeps_rows", [False, True])
def test_offline_online_and_reloaded_agree(keeps_rows: bool) -> None:
    table = nothing_decides(120, 1, tasks=4)
    asked = words_decide(25, 2)
    fitted = fit_scorer(table, fit_group_rates(table), 0, keeps_rows)
    reloaded = scorer_of(fitted.to_policy_arrays(), table.models)
    many = fitted.predict(asked)
    assert fitted.scorer.holds_training_rows is keeps_rows
    for row, prompt in enumerate(asked.prompts):
        rates = fitted.group_rates.rates([asked.path(row)])[0]
        assert fitted.scorer.predicted_success(prompt, rates) == pytest.approx(many[row], abs=1e-5)
        assert (reloaded.predicted_success(prompt, rates) == fitted.scorer.predicted_success(prompt, rates)).all()


def test_learns_what_words_decide() -> None:
    table, new = words_decide(500, 3), words_decide(300, 4)
    found = fit_scorer(table, fit_group_rates(table), 0).predict(new)
    easy = np.array([each.startswith("easy") for each in new.prompts])
    assert found[easy, 0].mean() > 0.75
    assert found[~easy, 0].mean() < 0.35
    assert np.abs(found[:, 1] - 0.92).mean() < 0.06


def test_out_of_fold_predictions_never_see_their_own_outcomes() -> None:
    table = words_decide(160, 5)
    fold_of = mixed_folds(table, 4, 0)
    mine = np.flatnonzero(fold_of == 0)
    turned = table.success.copy()
    turned[mine] = 1 - turned[mine]
    for what in ("groups", "scorer"):
        before = cross_fitted(table, fold_of, 0, what)
        after = cross_fitted(replace(table, success=turned), fold_of, 0, what)
        assert (before[mine] == after[mine]).all()
        assert (before[fold_of != 0] != after[fold_of != 0]).any()


def test_a_number_of_folds_deals_them_and_a_seed_decides() -> None:
    table = words_decide(120, 6)
    dealt = cross_fitted(table, mixed_folds(table, 3, 9), 9, "scorer")
    assert (cross_fitted(table, 3, 9, "scorer") == dealt).all()
    assert (cross_fitted(table, 3, 8, "scorer") != dealt).any()


def test_prompts_unlike_any_are_novel_and_usual_ones_are_not() -> None:
    table, new = words_decide(300, 7), words_decide(100, 8)
    fitted = fit_scorer(table, fit_group_rates(table), 0)
    rates = fitted.group_rates.rates([("t",)])[0]
    usual = [fitted.scorer.judge(each, rates).novel for each in new.prompts]
    assert usual.count("") >= 95
    assert fitted.scorer.judge("quantum zebras juggle violet hypotenuses beyond Reykjavik", rates).novel
    assert fitted.scorer.judge("easy lake stone " * 500, rates).novel


def test_odd_tables_are_fitted_too() -> None:
    """All successes, empty prompts, a model hardly tried, no group column, other scripts, a megabyte."""
    prompts = ("", "日本語の質問です", "x" * 1_000_000, "?") * 10
    success = np.ones((40, 2))
    success[3:, 1] = np.nan
    table = table_of(success, prompts)
    fitted = fit_scorer(table, fit_group_rates(table), 0)
    found = fitted.predict(table)
    assert np.isfinite(found).all()
    assert ((found >= 0.001) & (found <= 0.999)).all()
    assert found[:, 0].min() > 0.9
    online = fitted.scorer.predict([prompt_features(each) for each in prompts[:4]], np.full((4, 2), 0.5))
    assert np.isfinite(online).all()
    assert paths_of(table) == ((),) * 40
