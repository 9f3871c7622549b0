"""Scorer: one answer offline and online, before and after the policy file; no row sees its own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.learning import heads
from breakeven.learning.group_rates import fit_group_rates, paths_of
from breakeven.learning.loss_gain import loss_gain
from breakeven.learning.scorer import cross_fitted, cross_fitted_left_out, fit_scorer
from breakeven.learning.splits import mixed_folds, task_folds
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.features import prompt_features
from breakeven.routing.policies.threshold import policy_of
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.request import RouteRequest
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
        online = fitted.scorer.predicted_success(prompt, rates, is_new=True)
        assert online == pytest.approx(many[row], abs=1e-5)
        assert (reloaded.predicted_success(prompt, rates, is_new=True) == online).all()


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


def hard_within(rows: int, seed: int, tasks: range = range(12), step: float = 0.3) -> OutcomeTable:
    """Whatever the task, the weak model succeeds at "easy" prompts by so much more, and at others by so much less."""
    rng = np.random.default_rng(seed)
    easy, of_row = rng.random(rows) < 0.5, rng.integers(tasks.start, tasks.stop, rows)
    filler = rng.choice(np.array(["lake", "stone", "river", "cloud", "sand", "wood", "iron", "salt"]), (rows, 6))
    prompts = tuple(
        f"{'easy' if each else 'hard'} {' '.join(words)} {row}?"
        for row, (each, words) in enumerate(zip(easy, filler, strict=True))
    )
    weak = rng.random(rows) < 0.5 + np.where(easy, step, -step)
    success = np.column_stack([weak, rng.random(rows) < 0.9]).astype(float)
    return table_of(success, prompts, ("weak", "strong"), task=tuple(f"t{each}" for each in of_row))


def test_a_residual_counts_for_new_groups_alone_offline_online_and_read_back() -> None:
    table, new = hard_within(800, 6, range(6)), hard_within(200, 7, range(6, 8))
    rates = fit_group_rates(table)
    fitted, plain = (fit_scorer(table, rates, 0, for_new=each) for each in (True, False))
    assert plain.scorer.residual is None
    assert (fitted.predict(table) == plain.predict(table)).all()
    many, before = fitted.predict(new), plain.predict(new)
    easy = np.array([each.startswith("easy") for each in new.prompts])
    assert (many[easy, 0] > before[easy, 0]).all()
    assert (many[~easy, 0] < before[~easy, 0]).all()
    reloaded = replace(scorer_of(fitted.to_policy_arrays(), table.models), novelty=None)
    of_path = {path: rates.rates([path])[0].tolist() for path in rates.node_of}
    groups = tuple(
        GroupChoice(path, "strong", dict(zip(table.models, each, strict=True))) for path, each in of_path.items()
    )
    models = (PricedModel("weak", usd_per_request=1.0), PricedModel("strong", usd_per_request=10.0))
    policy = policy_of(
        PolicyDocument("threshold", models, "strong", groups=groups, value_usd_per_success=20.0, scorer=reloaded)
    )
    for row, prompt in enumerate(new.prompts[:30]):
        rate = rates.rates([new.path(row)])[0]
        assert fitted.scorer.judge(prompt, rate, is_new=True).success == pytest.approx(many[row], abs=1e-5)
        assert fitted.scorer.judge(prompt, rate).success == pytest.approx(before[row], abs=1e-5)
        for task, expected in (("t7", many), ("t0", None)):
            told = policy.decide(RouteRequest(prompt, {"task": task})).success_fractions
            if expected is not None:
                assert list(told.values()) == pytest.approx(expected[row], abs=1e-5)
            else:
                known = plain.scorer.predicted_success(prompt, rates.rates([("t0",)])[0])
                assert list(told.values()) == pytest.approx(known, abs=1e-5)


def test_a_residual_must_prove_itself_on_tasks_that_were_left_out() -> None:
    """Of few requests the scorer alone is too timid; of many it says all there is, and a residual says it twice."""
    paid = []
    for rows in (400, 2_400):
        table = hard_within(rows, 1, step=0.4)
        found = cross_fitted_left_out(table, task_folds(table, 4, 0), 0)
        paid.append(loss_gain(found.plain, found.with_residual, table.success).pays)
    assert paid == [True, False]
    success = np.array([[1.0, 0.0], [0.0, np.nan]] * 200)
    timid, surer = np.full((400, 2), 0.5), np.where(np.nan_to_num(success) > 0, 0.6, 0.4)
    assert loss_gain(timid, surer, success).pays
    assert not loss_gain(surer, timid, success).pays
    assert not loss_gain(timid, timid, success).pays


def test_one_group_alone_has_nothing_to_compare_with() -> None:
    table = words_decide(200, 8)
    assert fit_scorer(table, fit_group_rates(table), 0).scorer.residual is None


def test_an_unknown_group_is_what_a_policy_takes_for_one() -> None:
    rates = fit_group_rates(nothing_decides(60, 9, tasks=3))
    assert rates.unknown([("t0",), ("t9",), ("",)]).tolist() == [False, True, False]
