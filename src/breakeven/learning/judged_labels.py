"""Judged labels: what the word of a judge model, or of agreement, is worth to a policy, by a random sample with gold.

A judge who is kinder to one model than to another shows a floor that is not there. So where judges speak, requests on
which every model has a careful label (gold) do two things. A part of them corrects the judge on the requests learnt
from: his word becomes the share of such answers that gold calls right, by model, so that the mean of what is learnt
from is the rate without his errors. All others are the calibration: the floor is proven on careful labels alone, none
of which anything was learnt from. Without enough of them nothing is promised, and nothing leaves the reference model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.quality_floor import FloorChoice
from breakeven.learning.splits import Split, splits
from breakeven.outcomes.judging import GOLD_MIN_COUNT, CorrectedRate, prediction_powered
from breakeven.outcomes.outcome import SOURCES, Floats, Indexes, OutcomeTable
from breakeven.outcomes.reading import ReadOutcomes

Mask = npt.NDArray[np.bool_]

GOLD_REQUESTS_MIN_COUNT: Final = 40
"""Requests with careful labels of every model, below which no floor is promised where a judge speaks."""
CORRECTING_FRACTION: Final = 0.25
"""Of these requests: they correct the judge instead of proving the floor."""
JUDGES: Final = ("judge", "agreement")
_JUDGE_CODES: Final = [SOURCES.index(each) for each in JUDGES]
_GOLD: Final = SOURCES.index("gold")
_PRIOR_COUNT: Final = 0.5


@dataclass(frozen=True, slots=True)
class JudgeAccount:
    """What became of a judge's labels."""

    gold_requests_count: int
    """With a careful label of every model."""
    judged_answers_count: int
    """Of which a judge alone says whether they succeeded."""
    answers_count: int
    corrected: Mapping[str, CorrectedRate]
    """Model -> its rate with the judge's errors taken out, by all its gold labels; only models that have enough."""
    corrected_in_training: tuple[str, ...]
    """Models whose labels were corrected on the requests learnt from."""
    partly_gold_requests_count: int = 0
    """With a careful label of some models only: they correct the judge, but compare no two models."""

    @property
    def is_alone(self) -> bool:
        """True: too few careful labels, so no floor can be promised."""
        return self.gold_requests_count < GOLD_REQUESTS_MIN_COUNT

    @property
    def why_alone(self) -> str:
        """Why nothing is promised, in words."""
        partly = self.partly_gold_requests_count
        some = f" ({partly:,} more of some models only, which compares none)" if partly else ""
        return (
            f"a judge alone says of {self.judged_answers_count:,} of {self.answers_count:,} answers whether they "
            f"succeeded, and {self.gold_requests_count:,} requests have a careful label of every model{some}; no "
            f"floor is promised below {GOLD_REQUESTS_MIN_COUNT}, taken by lot"
        )


@dataclass(frozen=True, slots=True)
class JudgedParts:
    """Requests to learn from, with corrected labels, and requests to calibrate on."""

    train: OutcomeTable
    calibration: OutcomeTable
    account: JudgeAccount


def with_judges(read: ReadOutcomes, others: ReadOutcomes | None) -> OutcomeTable:
    """The table of `read` with who says so, and what others than gold say of the same answers."""
    judged = read.table.success if others is None else others.table.success
    return replace(read.table, source_codes=read.source_codes, judged_success=judged)


def judge_account(table: OutcomeTable, seed: int) -> JudgeAccount | None:
    """What is to be made of a judge's labels; None where no judge speaks, or nobody knows who does."""
    if table.source_codes is None or not np.isin(table.source_codes, _JUDGE_CODES).any():
        return None
    by_judge = np.isin(table.source_codes, _JUDGE_CODES) & np.isfinite(table.success)
    corrected = {}
    for at, name in enumerate(table.models):
        both, alone = _both(table, at), by_judge[:, at]
        if both.sum() >= GOLD_MIN_COUNT and alone.any():
            assert table.judged_success is not None
            said = table.judged_success[:, at]
            corrected[name] = prediction_powered(table.success[both, at], said[both], said[alone], seed)
    whole, some = _gold_rows(table), (table.source_codes == _GOLD).any(axis=1)
    return JudgeAccount(
        int(whole.sum()),
        int(by_judge.sum()),
        int(np.isfinite(table.success).sum()),
        corrected,
        (),
        int((some & ~whole).sum()),
    )


def judged_parts(table: OutcomeTable, account: JudgeAccount, calibration_max_count: int, seed: int) -> JudgedParts:
    """Split a table of which a judge said a part, where it has careful labels enough."""
    gold = np.random.default_rng([seed, 19]).permutation(np.flatnonzero(_gold_rows(table)))
    correcting = max(round(CORRECTING_FRACTION * len(gold)), GOLD_MIN_COUNT, len(gold) - calibration_max_count)
    fold = np.zeros(table.requests_count, dtype=np.intp)
    fold[gold[correcting:]] = 1
    split = _second(table, fold)
    train, names = _without_errors(table.rows(split.train))
    return JudgedParts(train, table.rows(split.test), replace(account, corrected_in_training=names))


def not_promised(floor: FloorChoice, judge: JudgeAccount) -> FloorChoice:
    """The same without a promise, because a judge alone says what succeeds; how many careful labels might do."""
    wanted = floor.calibration_requests_count + (floor.missing_requests_count or 0)
    missing = round(wanted / (1 - CORRECTING_FRACTION)) - judge.gold_requests_count
    return replace(
        floor,
        at=None,
        moved_fraction=0.0,
        success_ratio=None,
        missing_requests_count=max(missing, GOLD_REQUESTS_MIN_COUNT - judge.gold_requests_count),
        why=judge.why_alone,
    )


def _second(table: OutcomeTable, fold: Indexes) -> Split:
    """The split that judges by fold 1; copies of its texts are not learnt from."""
    return list(splits(table, fold))[1]


def _gold_rows(table: OutcomeTable) -> Mask:
    assert table.source_codes is not None
    return np.asarray((table.source_codes == _GOLD).all(axis=1))


def _both(table: OutcomeTable, at: int) -> Mask:
    """Requests of which gold and somebody else speak, of one model."""
    if table.source_codes is None or table.judged_success is None:
        return np.zeros(table.requests_count, dtype=bool)
    return np.asarray((table.source_codes[:, at] == _GOLD) & np.isfinite(table.judged_success[:, at]))


def _without_errors(train: OutcomeTable) -> tuple[OutcomeTable, tuple[str, ...]]:
    """A judge's word as the share of such answers that gold calls right; models with enough gold for that."""
    assert train.source_codes is not None
    assert train.judged_success is not None
    success, names = train.success.copy(), []
    for at, name in enumerate(train.models):
        both = _both(train, at)
        if both.sum() < GOLD_MIN_COUNT:
            continue
        passes = train.judged_success[:, at] >= 0.5
        alone = np.isin(train.source_codes[:, at], _JUDGE_CODES)
        for word in (True, False):
            success[alone & (passes == word), at] = _right(train.success[both & (passes == word), at])
        names.append(name)
    return replace(train, success=success), tuple(names)


def _right(gold: Floats) -> float:
    return float((gold.sum() + _PRIOR_COUNT) / (len(gold) + 2 * _PRIOR_COUNT))
