"""Problems: what is wrong with a pilot's input, in sentences: what was seen, how often, where, what is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from breakeven.outcomes.reading import BAD_SUCCESS as BAD_FILE_SUCCESS
from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, Observations, Problem
from breakeven.pilot.reading.said_applied import Applied, Strange
from breakeven.pilot.reading.said_lines import BAD_SUCCESS
from breakeven.pilot.reading.sources import KNOWN
from breakeven.pilot.reading.trial_rows import TrialRows
from breakeven.pilot.reading.window import Sorted
from breakeven.usage.ingest_report import Reject

COPIES_MISSING_MAX_FRACTION: Final = 0.02
_HASH_SHOWN_COUNT: Final = 12


def design_problem(changes: Sequence[str]) -> tuple[Problem, ...]:
    """The design was changed after the start."""
    if not changes:
        return ()
    words = f"The design was changed after the pilot had started: {' '.join(changes)} Judged is what was promised."
    limits = "A switch is not proven under a design that was changed on the way; nothing is claimed for the new one."
    return (Problem("design_changed", words, len(changes), limits),)


def reject_problems(rejects: Sequence[Reject], place: str) -> tuple[Problem, ...]:
    """Lines and rows that say nothing."""
    found = []
    bad = [each for each in rejects if each.reason in (BAD_SUCCESS, BAD_FILE_SUCCESS)]
    other = [each for each in rejects if each.reason not in (BAD_SUCCESS, BAD_FILE_SUCCESS)]
    if bad:
        rows = counted(len(bad), "row has", "rows have")
        words = (
            f"{rows} a success outside 0 to 1, or none, that counts for nothing; the first is {bad[0]}. All: {place}."
        )
        found.append(Problem("success_out_of_range", words, len(bad), _reject_limits(len(bad))))
    if other:
        lines = counted(len(other), "line that cannot be read counts", "lines that cannot be read count")
        words = f"{lines} for nothing; the first is {other[0]}. All: {place}."
        found.append(Problem("unreadable_line", words, len(other), _reject_limits(len(other))))
    return tuple(found)


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "call"), counted(1200, "call"), counted(2, "is", "are")
    ('1 call', '1,200 calls', '2 are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _reject_limits(count: int) -> str:
    return f"What {counted(count, 'rejected row', 'rejected rows')} would have said is not known."


def window_problems(found: Sorted) -> tuple[Problem, ...]:
    """Versions of the policy that are not the pilot's, and clocks that differ."""
    return (*_swapped(found), *_skewed(found))


def _swapped(found: Sorted) -> tuple[Problem, ...]:
    problems = []
    if found.swapped_count:
        named = ", ".join(each[:_HASH_SHOWN_COUNT] for each in found.swapped_hashes[:3])
        words = (
            f"A policy that this pilot did not write ({named}) served {counted(found.swapped_count, 'call')}: somebody "
            "swapped the policy, or went a version back. None of that counts."
        )
        limits = f"Nothing is claimed of {counted(found.swapped_count, 'call')} that another policy served."
        problems.append(Problem("policy_swapped", words, found.swapped_count, limits))
    if found.before_count:
        words = (
            f"The trial did not reach {counted(found.before_count, 'call')} that came after it was written: the "
            "gateway reads another policy folder, refuses this one (see its log), or serves without a policy."
        )
        limits = f"Nothing is claimed of {counted(found.before_count, 'call')} that the trial did not reach."
        problems.append(Problem("policy_not_in_force", words, found.before_count, limits))
    return tuple(problems)


def _skewed(found: Sorted) -> tuple[Problem, ...]:
    parts = [
        f"{count:,} {words}"
        for count, words in (
            (found.early_count, "before the pilot began"),
            (found.future_count, "in the future"),
            (found.backwards_count, "ended before the beginning"),
        )
        if count
    ]
    if not parts:
        return ()
    count = found.early_count + found.future_count + found.backwards_count
    words = (
        f"Clocks differ: of the pilot's calls {', '.join(parts)}. All count (the tests do not depend on the order), "
        "with their times moved into the pilot; a latency below 0 counts as not known."
    )
    return (
        Problem("clock_skew", words, count, "How many days it took, and latencies, are only as good as the clocks."),
    )


def said_problems(said: Applied) -> tuple[Problem, ...]:
    """Outcomes that nobody can place, or that were told twice."""
    unsure = "Whoever judges these answers is not sure: the success of both arms is only as good as that."
    shown: tuple[tuple[str, Strange, str, str, str], ...] = (
        ("unknown_request", said.unknown, "names a request that no call has, and counts for nothing", _UNKNOWN, ""),
        ("unclear_outcome", said.unclear, "is of a model or an arm that did not answer its request here", _UNCLEAR, ""),
        ("duplicated_feedback", said.repeated, "repeats an earlier one, and counts once", _REPEATED, ""),
        ("contradicting_feedback", said.contradicting, "contradicts an earlier one, which counts", _OTHERWISE, unsure),
    )
    return source_problem(said.unknown_sources.count, said.unknown_sources.first) + tuple(
        Problem(
            code,
            f"{counted(each.count, f'outcome {one}', f'outcomes {many}')}; the first is {each.first}.",
            each.count,
            limits,
        )
        for code, each, one, many, limits in shown
        if each.count
    )


def source_problem(count: int, first: str) -> tuple[Problem, ...]:
    """Outcomes by somebody whom nobody knows."""
    if not count:
        return ()
    words = (
        f"{counted(count, 'outcome names a source', 'outcomes name sources')} that nobody knows, the first {first}: "
        f"counted as a judge model's, which never promotes. Wanted one of {KNOWN}."
    )
    return (Problem("unknown_source", words, count),)


_UNKNOWN: Final = "name requests that no call has, and count for nothing"
_UNCLEAR: Final = "are of models or arms that did not answer their requests here"
_REPEATED: Final = "repeat earlier ones, and count once"
_OTHERWISE: Final = "contradict earlier ones, which count"


def observation_problems(seen: Observations, design: Design) -> tuple[Problem, ...]:
    """What the observations themselves lack: an arm, prices, people's labels."""
    return (*_empty(seen, design), *_unpriced(seen), *_judge_only(seen, design))


def _empty(seen: Observations, design: Design) -> tuple[Problem, ...]:
    found = []
    for i, task in enumerate(seen.tasks):
        mine = seen.task == i
        counts = [int((mine & (seen.arm == arm)).sum()) for arm in (BASELINE, CANDIDATE)]
        if min(counts) == 0 < max(counts):
            name, plan = ("baseline", "candidate")[counts.index(0)], design.tasks[i]
            model = plan.baseline_model if counts[0] == 0 else plan.candidate_model
            words = (
                f"{_named(task)}: the {name} ({model}) has no request, the other arm {max(counts):,}. "
                f"Is {model} among the gateway's models, and up?"
            )
            found.append(
                Problem("one_arm_empty", words, max(counts), f"Nothing is claimed of {_named(task, inside=True)}.")
            )
    return tuple(found)


def _unpriced(seen: Observations) -> tuple[Problem, ...]:
    parts = []
    for arm, name in ((BASELINE, "baseline"), (CANDIDATE, "candidate")):
        mine = seen.arm == arm
        if count := int((mine & np.isnan(seen.cost_usd)).sum()):
            parts.append(f"{count:,} of {int(mine.sum()):,} requests of the {name}")
    if not parts:
        return ()
    count = int(np.isnan(seen.cost_usd).sum())
    words = f"{' and '.join(parts)} have a call without a price; they are never taken as free."
    return (
        Problem(
            "unpriced",
            words,
            count,
            "No savings are claimed as long as calls have no price; give it with --price MODEL=IN/OUT.",
        ),
    )


def _judge_only(seen: Observations, design: Design) -> tuple[Problem, ...]:
    judged, true = ~np.isnan(seen.judged), ~np.isnan(seen.success) & ~seen.is_error
    if not judged.any() or true.any():
        return ()
    answers = counted(int(judged.sum()), "answer was", "answers were")
    words = (
        f"{answers} judged by a model (or by agreement) and none by people, checks or facts; "
        f"label the audit's share ({100 * design.audit_fraction:.0f} %) with `breakeven pilot label`."
    )
    limits = "A judge model alone can never promote a model: no success is claimed."
    return (Problem("judge_only", words, int(judged.sum()), limits),)


def model_problem(rows: TrialRows, design: Design) -> tuple[Problem, ...]:
    """A candidate whose answers all came from models of other names."""
    found = []
    for i, plan in enumerate(design.tasks):
        mine = (rows.arm == CANDIDATE) & (rows.task == i)
        names = sorted(set(rows.model[mine].tolist()) - {plan.baseline_model, ""})
        if names and plan.candidate_model not in names:
            shown = ", ".join(names[:3])
            words = (
                f"{_named(plan.task)}: the design's candidate is {plan.candidate_model}, and its arm was answered by "
                f"{shown}; taken for the same under another name."
            )
            limits = f"Claimed of {shown}, which may or may not be {plan.candidate_model}."
            found.append(Problem("model_unknown", words, int(mine.sum()), limits))
    return tuple(found)


def copies_problem(missing_count: int, drawn_count: int, orphans_count: int) -> tuple[Problem, ...]:
    """Requests drawn for a copy that have none, and copies whose request is not there."""
    found = []
    if missing_count > COPIES_MISSING_MAX_FRACTION * drawn_count:
        words = (
            f"Of {counted(drawn_count, 'request')} drawn for a copy {missing_count:,} have none: too many were under "
            "way, the candidate was taken out after failures, or the gateway ended. Each counts as a missing outcome."
        )
        limits = "Nothing is claimed of how the candidate does at the busiest moments, or while it was not there."
        found.append(Problem("copies_missing", words, missing_count, limits))
    if orphans_count:
        copies = counted(orphans_count, "copy", "copies")
        words = f"{copies} whose request's own call is not there: a missing outcome of the baseline."
        found.append(Problem("copies_alone", words, orphans_count))
    return tuple(found)


def both_arms_problem(names: Sequence[str]) -> tuple[Problem, ...]:
    """Requests of a canary that were answered in either arm, so that nobody can say which one they were dealt to."""
    if not names:
        return ()
    words = (
        f"{counted(len(names), 'request has', 'requests have')} calls in both arms of the canary, the first is "
        f"{names[0]}: ids that are used again, or two gateways that deal the same requests; they count for nothing."
    )
    limits = f"Nothing is claimed of {counted(len(names), 'request')} with calls in both arms."
    return (Problem("duplicated_request", words, len(names), limits),)


def reused_problem(names: Sequence[str]) -> tuple[Problem, ...]:
    """Ids that several different calls have."""
    if not names:
        return ()
    words = (
        f"{counted(len(names), 'id is that', 'ids are those')} of several different calls, the first is "
        f"{names[0][:80]}: nobody can say which outcome is whose, so none of these calls counts."
    )
    limits = f"Nothing is claimed of the calls of {counted(len(names), 'id that was', 'ids that were')} used again."
    return (Problem("duplicated_request", words, len(names), limits),)


def damaged_problem(damaged: Sequence[str]) -> tuple[Problem, ...]:
    """Files that cannot be read."""
    if not damaged:
        return ()
    places = counted(len(damaged), "file or folder that cannot be read is", "files or folders that cannot be read are")
    words = f"{places} left out; the first: {damaged[0]}."
    return (Problem("damaged_file", words, len(damaged), "Nothing is claimed of the calls in damaged files."),)


def _named(task: str, *, inside: bool = False) -> str:
    words = f"Task {task}" if task else "All requests"
    return words[0].lower() + words[1:] if inside else words
