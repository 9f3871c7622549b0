"""Outcomes file: which answers of which models succeeded, as a scenario names the file that says it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from breakeven.catalog.model_names import HOW_TO_SAY
from breakeven.decision.last_few import LastFew
from breakeven.errors import BreakevenError, ScenarioError
from breakeven.options.assembly.log_models import offer_of
from breakeven.options.assembly.measured_retries import unmeasured_tries
from breakeven.options.assembly.measured_success import MeasuredSuccess, measured_success
from breakeven.options.assembly.mix import shortened
from breakeven.options.assembly.situation import Situation

if TYPE_CHECKING:
    from breakeven.outcomes.judged import JudgeAlone

DIGEST_SHOWN_COUNT: Final = 8
"""Characters of the hash that reports show."""


@dataclass(frozen=True, slots=True)
class OutcomesFile:
    """One file, as it was read."""

    name: str
    """As the scenario names it."""
    digest: str
    """SHA-256 of its content: a report depends on what the file said, not on where it lay."""
    success: MeasuredSuccess
    rejects_count: int
    """Rows that are no outcomes."""
    notes: tuple[str, ...]
    """What was left out, merged or assumed while reading."""
    alone: JudgeAlone
    """Answers that nobody but a judge model, or agreement, judged, and that nothing corrects."""


_kept: Final = LastFew[OutcomesFile](4)
"""Files as they were read, by their content: a dashboard asks for the same one with every page."""


def read_outcomes_file(name: str, folder: Path, aliases: Mapping[str, str], place: str = "") -> OutcomesFile:
    """The file `name`, relative to `folder`; raises ScenarioError, after the `place` in the scenario that names it."""
    path = folder / name
    try:
        digest = _digest(path)
        known = (str(path), name, digest, tuple(sorted(aliases.items())))
        if (kept := _kept.get(known)) is not None:
            return kept
        found = _read(path, name, digest, aliases)
        return _kept.keep(known, found) if _digest(path) == digest else found
    except OSError as error:
        raise ScenarioError(f"{place}outcomes: {path}: {error.strerror}; wanted a file of outcomes") from None
    except BreakevenError as error:
        raise ScenarioError(f"{place}outcomes: {error}") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path, name: str, digest: str, aliases: Mapping[str, str]) -> OutcomesFile:
    from breakeven.outcomes.judged import Sources, judge_alone, read_and_judge

    found = read_and_judge([path], Sources())
    label = f"{path.name}, sha256 {digest[:DIGEST_SHOWN_COUNT]}"
    success = measured_success(found.outcomes.table, label, aliases, found)
    return OutcomesFile(name, digest, success, len(found.rejects), found.notes, judge_alone(found))


def outcomes_warnings(file: OutcomesFile | None, situation: Situation) -> list[str]:
    """What of the file was not used, and what its rates do not tell."""
    if file is None:
        return []
    found = []
    if file.rejects_count:
        found.append(f"rows of {file.name} that are no outcomes were left out: {file.rejects_count:,}")
    unmatched = file.success.unmatched(situation.catalog, _labels(situation))
    if unmatched:
        found.append(
            f"models of {file.name} that are none of the log's, of their cheaper tiers or of the catalogue's open ones "
            f"were left out: {shortened(unmatched)}; {HOW_TO_SAY}"
        )
    if file.alone.is_most:
        found.append(_judged_alone(file))
    found += [f"{file.name}: {each}" for each in unmeasured_tries(file.success, situation)]
    return [*found, *(f"{file.name}: {each}" for each in file.notes)]


def _judged_alone(file: OutcomesFile) -> str:
    """Whose word most of the answers rest on, and what would take its errors out."""
    alone, judges = file.alone, [each for each in file.success.judged_by.split("+") if each in ("judge", "agreement")]
    is_all = alone.alone_count == alone.answers_count
    part = "" if is_all else f" for {alone.alone_count:,} of {alone.answers_count:,} answers"
    unused = (
        f"; its {alone.gold_count:,} careful labels are too few, or stand without the judge's own word, to correct it"
        if alone.gold_count
        else ""
    )
    return (
        f"the outcomes of {file.name} were judged by {' and '.join(judges)} alone{part}, which overstates quality more "
        f"often than not: check some by hand{unused}"
    )


def _labels(situation: Situation) -> list[str]:
    """Models of the log, and those that their calls may move to at their own provider."""
    labels = [each.label for each in situation.demand.models]
    offers = [offer_of(situation.catalog, each) for each in labels]
    tiers = [situation.catalog.token_offers[each.cheaper_tier] for each in offers if each and each.cheaper_tier]
    chosen = [situation.choices.tier_model] if situation.choices.tier_model else []
    return [*labels, *(f"{each.provider}/{each.model_ids[0]}" for each in tiers), *chosen]
