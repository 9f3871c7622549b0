"""Judged: outcomes after every source has been heard, and what each of them is worth.

Validators first (what fails them fails), then feedback, then gold labels, which also correct the judge, whoever it was:
a judge model, agreement, validators or the log itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError
from breakeven.outcomes.agreement import agreement
from breakeven.outcomes.canaries import CanaryResult, without_canaries
from breakeven.outcomes.item_success import ItemSuccess, fit_item_success
from breakeven.outcomes.judging import GOLD_MIN_COUNT, Confusion, CorrectedRate, prediction_powered, rogan_gladen
from breakeven.outcomes.labels import read_labels, with_labels
from breakeven.outcomes.outcome import SOURCES, Floats
from breakeven.outcomes.reading import ReadOutcomes, read_outcomes
from breakeven.outcomes.validation import Declaration, Validated, validated
from breakeven.usage.ingest_report import Reject

Mask = npt.NDArray[np.bool_]

REPEATED_MIN_COUNT: Final = 10
"""Requests that were tried twice or more, to say how alike tries are."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Who else is to be heard."""

    declaration: Declaration | None = None
    feedback: Path | None = None
    gold: Path | None = None
    reference: str | None = None
    """Model whose answers others are compared with, or `majority`; judges answers that nobody else judged."""
    judge_errors: Confusion | None = None
    """Of the judge, on another sample."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """Outcomes, and what was found out about who judged them."""

    outcomes: ReadOutcomes
    others: ReadOutcomes | None = None
    """What others than gold say of the same answers, at the same places."""
    canaries: tuple[CanaryResult, ...] = ()
    corrected: Mapping[str, CorrectedRate] = field(default_factory=dict)
    """Model -> its rate with the judge's errors taken out."""
    confusions: Mapping[str, Confusion] = field(default_factory=dict)
    """Model -> the judge's word against gold."""
    repeated: Mapping[str, ItemSuccess] = field(default_factory=dict)
    """Model -> how alike its tries of one request are, where enough were repeated."""
    checks: Validated | None = None
    notes: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()


def judged(read: ReadOutcomes, sources: Sources, unlabelled: ReadOutcomes | None = None) -> Judged:
    """Hear every source; `unlabelled` is what others than gold say, where `read` holds gold labels itself."""
    read, canaries = without_canaries(read)
    notes, rejects = list(read.notes), list(read.rejects)
    checks = validated(read, sources.declaration) if sources.declaration is not None else None
    read = checks.outcomes if checks is not None else read
    if sources.reference is not None:
        agreed = _where_unjudged(read, agreement(read.table, sources.reference))
        count = int(np.sum(~np.isnan(agreed)))
        notes.append(f"Agreement with {sources.reference} judges {count:,} answers that nobody else judged.")
        read = with_labels(read, agreed, "agreement")
    if sources.feedback is not None:
        said = read_labels(sources.feedback, read)
        read, notes, rejects = (
            with_labels(read, said.success, said.source_codes),
            [*notes, *said.notes],
            [*rejects, *said.rejects],
        )
    others = without_canaries(unlabelled)[0] if unlabelled is not None else read
    if sources.gold is not None:
        said = read_labels(sources.gold, read, "gold")
        read, notes, rejects = with_labels(read, said.success, "gold"), [*notes, *said.notes], [*rejects, *said.rejects]
        if not said.count:
            raise OutcomeError(f"{sources.gold}: none of its labels is of an answer in the outcomes")
    corrected, confusions, said_of_gold = _corrected(read, others.table.success, sources.seed)
    if sources.judge_errors is not None:
        corrected = {**_by_errors(read, others.table.success, sources), **corrected}
    repeated, said_of_tries = _repeated(read)
    return Judged(
        replace(read, notes=tuple(notes), rejects=tuple(rejects)),
        others,
        canaries,
        corrected,
        confusions,
        repeated,
        checks,
        (*notes, *said_of_gold, *said_of_tries),
        tuple(rejects),
    )


def read_and_judge(paths: Sequence[Path], sources: Sources) -> Judged:
    """Read files, hear every source; gold labels in the files themselves correct what else the files say."""
    read = read_outcomes(paths)
    if "gold" not in read.table.source.split("+"):
        return judged(read, sources)
    others = [each for each in SOURCES if each != "gold"]
    return judged(read, sources, read_outcomes(paths, only_sources=others))


def rate_of_rows(found: Judged, model: str, rows: Mask, seed: int = 0) -> CorrectedRate | None:
    """A model's corrected rate on some requests (`rows`: one flag each); None where too few of them have gold."""
    assert found.others is not None
    at, proxy = found.outcomes.table.models.index(model), found.others.table.success
    is_gold, known = gold_places(found.outcomes)[:, at] & rows, ~np.isnan(proxy[:, at]) & rows
    both, alone = is_gold & known, known & ~is_gold
    if both.sum() < GOLD_MIN_COUNT:
        return None
    return prediction_powered(found.outcomes.table.success[both, at], proxy[both, at], proxy[alone, at], seed)


def gold_places(read: ReadOutcomes) -> Mask:
    """Where a careful label stands, shape (requests, models)."""
    return np.asarray(read.source_codes == SOURCES.index("gold"))


@dataclass(frozen=True, slots=True)
class JudgeAlone:
    """Answers of models whose judge nothing corrects."""

    alone_count: int
    """Judged by a judge model, or by agreement, and by nobody else."""
    answers_count: int
    gold_count: int
    """Of these answers; too few of them, or none, have the judge's own word too."""

    @property
    def is_most(self) -> bool:
        """True where most of what is said of them is a judge's word."""
        return 2 * self.alone_count > self.answers_count


def judge_alone(found: Judged, sources: Sequence[str] = ("judge", "agreement")) -> JudgeAlone:
    """How many answers rest on the word of `sources` alone, of the models that gold labels do not correct."""
    table = found.outcomes.table
    columns = [at for at, name in enumerate(table.models) if name not in found.corrected]
    codes = found.outcomes.source_codes[:, columns][~np.isnan(table.success[:, columns])]
    theirs = np.isin(codes, [SOURCES.index(each) for each in sources])
    return JudgeAlone(int(theirs.sum()), len(codes), int(np.sum(codes == SOURCES.index("gold"))))


def _where_unjudged(read: ReadOutcomes, values: Floats) -> Floats:
    return np.where(np.isnan(read.table.success), values, np.nan)


def _corrected(
    read: ReadOutcomes, proxy: Floats, seed: int
) -> tuple[dict[str, CorrectedRate], dict[str, Confusion], list[str]]:
    """By model, where a judge's word stands beside enough gold labels."""
    from breakeven.outcomes.judging import confusion_of

    is_gold = gold_places(read)
    found: dict[str, CorrectedRate] = {}
    confusions: dict[str, Confusion] = {}
    notes = []
    for at, name in enumerate(read.table.models):
        both = is_gold[:, at] & ~np.isnan(proxy[:, at])
        alone = ~is_gold[:, at] & ~np.isnan(proxy[:, at])
        if not both.any():
            continue
        if both.sum() < GOLD_MIN_COUNT:
            notes.append(
                f"{name} has {int(both.sum())} gold labels beside the judge's word; its judge is corrected from "
                f"{GOLD_MIN_COUNT} on."
            )
            continue
        gold, said = read.table.success[both, at], proxy[both, at]
        found[name] = prediction_powered(gold, said, proxy[alone, at], seed)
        confusions[name] = confusion_of(gold, said)
    return found, confusions, notes


def _by_errors(read: ReadOutcomes, proxy: Floats, sources: Sources) -> dict[str, CorrectedRate]:
    assert sources.judge_errors is not None
    found = {}
    for at, name in enumerate(read.table.models):
        known = proxy[~np.isnan(proxy[:, at]), at]
        if len(known):
            found[name] = rogan_gladen(float(np.sum(known >= 0.5)), len(known), sources.judge_errors, sources.seed)
    return found


def _repeated(read: ReadOutcomes) -> tuple[dict[str, ItemSuccess], list[str]]:
    """By model, how alike its tries of one request are; where too few were repeated, that in words."""
    found: dict[str, ItemSuccess] = {}
    notes = []
    for at, name in enumerate(read.table.models):
        tries, won = read.every_try.counts(at, read.table.success[:, at])
        again = int(np.sum(tries > 1))
        if again >= REPEATED_MIN_COUNT:
            found[name] = fit_item_success(tries, won)
        elif again:
            notes.append(
                f"{name} was asked more than once for {again} {'request' if again == 1 else 'requests'}; how alike its "
                f"tries are is told from {REPEATED_MIN_COUNT} on."
            )
    return found, notes
