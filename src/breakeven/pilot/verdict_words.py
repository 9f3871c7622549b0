"""Verdict words: the sentence that a CFO reads, and the sentences of what nobody may read into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final, Literal

from breakeven.pilot.design import Design
from breakeven.pilot.observations import Problem
from breakeven.pilot.standing import Standing, whole_days
from breakeven.pilot.verdict import Answer, GuardState, Quality, Range, Savings

EVEN_ENDS_RATIO: Final = 0.15
"""Ends whose distances from the figure differ by less are told as plus or minus."""
Why = Literal[
    "proven",
    "stopped",
    "costs_more",
    "time_over_quality",
    "time_over_money",
    "design_changed",
    "no_money",
    "no_proof_of_money",
    "no_proof_of_quality",
    "nothing_seen",
]
"""What decided a verdict."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the words are made of."""

    design: Design
    answer: Answer
    why: Why
    stands: Standing
    tasks: Sequence[Quality]
    guards: Sequence[GuardState]
    savings: Savings
    """Of the accepted tasks; where there is none, of the open ones, else of all."""
    points: Range
    """Success of the candidate less that of the baseline, a fraction, of the same tasks."""
    more_days: float | None
    days_left_days: float | None
    problems: Sequence[Problem]


def sentence_of(said: Said) -> str:
    """The verdict in a sentence or two."""
    if said.answer == "yes":
        words = _yes(said)
    elif said.answer == "no":
        words = f"No: {_NO[said.why](said)}"
    else:
        words = _not_yet(said)
    return " ".join([words, *(each.limits for each in said.problems if each.code == OTHER_MODEL)])


RULE_OF_THREE: Final = 3
"""What was not seen in n requests comes in less than 3/n of them, with 95 % confidence (Hanley 1983, JAMA 249)."""
OTHER_MODEL: Final = "model_unknown"
"""The candidate's arm was answered by a model of another name: whatever is said is said of that one."""
NOTHING_SEEN: Final = "no request of this pilot was seen; is a gateway serving its policy folder?"


def _yes(said: Said) -> str:
    is_part = len(said.stands.accepted) < len(said.design.tasks)
    where = f", for {_named(said.stands.accepted, said.design)} of {len(said.design.tasks)} tasks" if is_part else ""
    floor = f"floor held (at least {_percent(said.design.margin_ratio)} of today's success)"
    who = f"{_candidate(said, said.stands.accepted)} in place of {_baseline(said, said.stands.accepted)}"
    parts = [f"Yes{where}: {who} {money_words(said.savings)}, {points_words(said.points)}, {floor}."]
    if payback := _payback(said.savings.payback_months):
        parts.append(payback)
    if said.stands.stopped:
        parts.append(f"Ruled out: {_named(said.stands.stopped, said.design)}.")
    if said.stands.open:
        parts.append(f"Not decided: {_named(said.stands.open, said.design)}.")
    return " ".join(parts)


def _stopped(said: Said) -> str:
    """The success that was lost, task by task; other guards in their own words."""
    worse = {each.task for each in said.guards if each.has_fired and each.name == "inferior"}
    worse |= {each.task for each in said.tasks if each.is_inferior}
    lost = "; ".join(_lost(each, said) for each in said.tasks if each.task in worse)
    others = list(dict.fromkeys(each.words for each in said.guards if each.has_fired and each.name != "inferior"))
    if lost:
        return " ".join([f"{lost}.", *map(_sentence, others)])
    words = "; ".join(each.removesuffix(".") for each in others)
    return f"{_candidate(said, said.stands.stopped)} is ruled out: {words}."


def _lost(quality: Quality, said: Said) -> str:
    """What a task kept of today's success, where it was too little."""
    on = f" on {task_name(quality.task, said.design)}" if len(said.design.tasks) > 1 else ""
    candidate, baseline = _candidate(said, (quality.task,)), _baseline(said, (quality.task,))
    ratio, wanted = quality.ratio, _percent(said.design.margin_ratio)
    kept = f"loses more of {baseline}'s success{on} than it may (it must keep {wanted})"
    if ratio.value is not None and ratio.value < said.design.margin_ratio:
        ends = "" if ratio.low is None or ratio.high is None else f" [{ratio.low * 100:.0f}, {ratio.high * 100:.0f}]"
        kept = f"keeps only {_percent(ratio.value)}{ends} of {baseline}'s success{on}, where {wanted} is wanted"
    return f"{candidate} {kept}, so it is ruled out ({quality.outcomes_count:,} outcomes)"


def _costs_more(said: Said) -> str:
    tasks = said.stands.accepted or said.stands.open
    who = f"{_candidate(said, tasks)} in place of {_baseline(said, tasks)}"
    return f"{who} {money_words(said.savings)}; {points_words(said.points)}."


def _time_over_quality(said: Said) -> str:
    found = f"the {said.design.days_max_days:g} days are over, and that {_keeps(said)} is not proven"
    rests = "; ".join(_evidence(each) for each in said.tasks if each.task in said.stands.open)
    return f"{found}. {_so_far(said)}{f' Seen: {rests}.' if rests else ''}"


def _time_over_money(said: Said) -> str:
    who = _candidate(said, said.stands.accepted)
    found = f"the {said.design.days_max_days:g} days are over: the success holds, that {who} saves is not proven"
    return f"{found}. {_so_far(said)}"


def _keeps(said: Said) -> str:
    tasks = said.stands.open or said.stands.accepted
    return f"{_candidate(said, tasks)} keeps {_baseline(said, tasks)}'s success"


def _candidate(said: Said, tasks: Sequence[str]) -> str:
    return _models([each.candidate_model for each in said.design.tasks if each.task in tasks])


def _baseline(said: Said, tasks: Sequence[str]) -> str:
    return _models([each.baseline_model for each in said.design.tasks if each.task in tasks])


def _models(names: Sequence[str]) -> str:
    """Each once.

    >>> _models(["a", "b", "a"]), _models(["a", "b", "c"])
    ('a and b', 'a, b and c')
    """
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last


def _nothing_seen(said: Said) -> str:
    return f"the {said.design.days_max_days:g} days are over, and {NOTHING_SEEN}"


_NO: Final[Mapping[str, Callable[[Said], str]]] = {
    "nothing_seen": _nothing_seen,
    "stopped": _stopped,
    "costs_more": _costs_more,
    "time_over_quality": _time_over_quality,
    "time_over_money": _time_over_money,
}


def _not_yet(said: Said) -> str:
    if said.why == "design_changed":
        changed = "Not claimed: the design was changed after the pilot had started, so nothing is proven under it."
        return f"{changed} {_so_far(said)}"
    if said.why == "nothing_seen":
        return f"Not yet: {NOTHING_SEEN}"
    if said.why == "no_money":
        reason = said.savings.saved_usd_per_success.why_not
        return f"Not yet: the success holds ({points_words(said.points)}), but what it saves cannot be told: {reason}."
    lacking = f"that {_keeps(said)} is not proven yet"
    if said.why == "no_proof_of_money":
        lacking = f"the success holds, that {_candidate(said, said.stands.accepted)} saves is not proven yet"
    return f"Not yet: {_more(said)}{lacking}. {_so_far(said)}{_progress(said)}"


def _more(said: Said) -> str:
    days = said.more_days
    if days is None or not isfinite(days) or said.design.mode == "offline":  # files bring no days
        counts = [each.more_outcomes_count for each in said.tasks if each.task in said.stands.open]
        known = [each for each in counts if each is not None]
        if said.why == "no_proof_of_quality" and known:
            return f"about {min(known):,} more outcome{'s' if min(known) > 1 else ''}; "
        return ""
    more = whole_days(days)
    found = f"about {more:,} more day{'s' if more > 1 else ''}"
    left = said.days_left_days
    if left is not None and days > left:
        found += f" at this pace, and {max(left, 0.0):.0f} are left"
    return f"{found}; "


def _progress(said: Said) -> str:
    rests = [_evidence(each) for each in said.tasks if each.task in said.stands.open]
    return f" Seen: {'; '.join(rests)}." if rests and said.why == "no_proof_of_quality" else ""


def _evidence(quality: Quality) -> str:
    """How far the evidence of a task has come, on the scale on which it grows evenly."""
    share = max(quality.ln_e_ratio, 0.0) / quality.ln_boundary_ratio if quality.ln_boundary_ratio > 0 else 0.0
    name = "" if not quality.task else f"{quality.task}: "
    if not quality.outcomes_count:
        return f"{name}no outcomes yet"
    outcomes = f"{quality.outcomes_count:,} outcome{'s' if quality.outcomes_count > 1 else ''}"
    return f"{name}{_percent(min(share, 1.0))} of the evidence after {outcomes}"


def _so_far(said: Said) -> str:
    if said.savings.saved_usd_per_success.value is None and said.points.value is None:
        return "So far: nothing that can be told."
    return f"So far: {money_words(said.savings)}, {points_words(said.points)}."


def money_words(savings: Savings) -> str:
    """What is saved by the month, else by the success, else by the request.

    >>> from breakeven.pilot.verdict import Savings
    >>> month = Range(18_400.0, 16_300.0, 20_500.0)
    >>> money_words(Savings(month, month, month, month, month, month))
    'saves $18.4k ± 2.1k a month (95 %)'
    """
    for found, per in (
        (savings.saved_usd_per_month, "a month"),
        (savings.saved_usd_per_success, "per successful outcome"),
        (savings.saved_usd_per_request, "per request"),
    ):
        if found.value is not None:
            return _saved(found, per)
    return f"what it saves cannot be told ({savings.saved_usd_per_request.why_not})"


def _saved(found: Range, per: str) -> str:
    value = found.value or 0.0
    verb, more = ("saves", "") if value >= 0 else ("costs", " more")
    size = usd_words(abs(value))
    if found.low is None or found.high is None:
        return f"{verb} {size}{more} {per} (no interval yet: {found.why_not})"
    odds = f"({_percent(found.confidence_fraction)})"
    below, above = value - found.low, found.high - value
    if max(below, above) == 0 or abs(above - below) <= EVEN_ENDS_RATIO * max(below, above):
        return f"{verb} {size} ± {usd_words(max(below, above), 2).removeprefix('$')}{more} {per} {odds}"
    low, high = (_signed_usd(each) for each in sorted((found.low, found.high)))
    return f"{verb} {size}{more} {per} [saved: {low} to {high}] {odds}"


def points_words(points: Range) -> str:
    """Quality in points of success, with its interval.

    >>> points_words(Range(-0.003, -0.009, 0.002)), points_words(Range(None, None, None))
    ('quality -0.3 pt [-0.9, +0.2]', 'quality not known')
    """
    if points.value is None:
        return f"quality not known ({points.why_not})" if points.why_not else "quality not known"
    value = f"quality {points.value * 100:+.1f} pt"
    if points.low is None or points.high is None:
        return value
    return f"{value} [{points.low * 100:+.1f}, {points.high * 100:+.1f}]"


def usd_words(usd: float, digits: int = 3) -> str:
    """US dollars with so many digits that count.

    >>> usd_words(18_432.0), usd_words(634.2), usd_words(0.00341), usd_words(2.1e6), usd_words(0.0), usd_words(12.5)
    ('$18.4k', '$634', '$0.00341', '$2.10M', '$0', '$12.5')
    >>> usd_words(2_104.0, 2), usd_words(51.4, 2), usd_words(999_960.0)
    ('$2.1k', '$51', '$1.00M')
    """
    size = abs(usd)
    if not isfinite(size):
        return "$ without end"
    rounded = float(f"{size:.{digits}g}")
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if rounded >= scale:
            whole = len(f"{rounded / scale:.0f}")
            return f"${size / scale:,.{max(digits - whole, 0)}f}{letter}"
    if rounded >= 1.0:
        return f"${rounded:g}"
    return "$" + (f"{rounded:.{_DIGITS_MAX}f}".rstrip("0").rstrip(".") or "0")


_DIGITS_MAX: Final = 9


def _signed_usd(usd: float) -> str:
    return f"{'-' if usd < 0 else ''}{usd_words(usd)}"


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.0f} %"


def _payback(months: Range) -> str:
    if months.value is None:
        return ""
    if months.value == inf:
        return "The switch never pays back."
    high = "never" if months.high == inf else f"{months.high:.1f}" if months.high is not None else "?"
    low = f"{months.low:.1f}" if months.low is not None else "?"
    return f"Pays back in {months.value:.1f} months [{low}, {high}]."


def _named(tasks: Sequence[str], design: Design) -> str:
    return ", ".join(task_name(each, design) for each in tasks)


def task_name(task: str, design: Design) -> str:
    """How a task is spoken of."""
    return task or ("all requests" if len(design.tasks) == 1 else "all other requests")


def not_claimed(said: Said) -> tuple[str, ...]:
    """What nobody may read into the verdict."""
    found = [each.limits for each in said.problems if each.limits]
    if said.answer == "yes" and said.stands.stopped:
        found.append(
            f"Nothing is claimed for {_named(said.stands.stopped, said.design)}: the candidate is ruled out there."
        )
    if said.answer == "yes" and said.stands.open:
        found.append(f"Nothing is claimed for {_named(said.stands.open, said.design)}: not decided.")
    if said.savings.not_stated:
        found.append(f"Not counted, because nobody stated it: {'; '.join(said.savings.not_stated)}.")
    found.append("Savings are of calls, servers and corrections as listed, not of salaries, monitoring or incidents.")
    found += _OF_MODE[said.design.mode]
    if said.savings.saved_usd_per_month.value is not None:
        found.append(
            "A month is as many requests as the design states, for as many successful outcomes as today, at the prices "
            "of the pilot's days."
        )
    counted = said.stands.accepted or said.stands.open or [each.task for each in said.tasks]
    count = sum(each.outcomes_count for each in said.tasks if each.task in counted)
    if said.savings.saved_usd_per_request.value is not None and count:
        found.append(
            f"A dear call that comes once in {max(count // RULE_OF_THREE, 1):,} requests or less often may not have "
            "been seen; one that costs what so many requests save would eat the saving."
        )
    found.append(
        "All of it holds for these models, prompts and prices, on this traffic; a change of any is a new pilot."
    )
    return tuple(dict.fromkeys(_sentence(each) for each in found))


_OF_MODE: Final[Mapping[str, tuple[str, ...]]] = {
    "shadow": ("Nobody saw the candidate's answers in the shadow: what users would do after them is not measured.",),
    "canary": (
        "Both arms stand for the same requests only as far as the lot dealt them; users who talk are not seen.",
    ),
    "offline": ("The outcomes are those of the files: that they are like today's traffic is supposed.",),
}


def _sentence(words: str) -> str:
    """With a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}" if words.endswith(".") else f"{words[:1].upper()}{words[1:]}."
