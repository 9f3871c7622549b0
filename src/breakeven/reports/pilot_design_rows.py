"""Pilot design rows: what a pilot promises before it starts, as lines a person reads, and how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_parts import PilotPart
from breakeven.reports.safe_text import safe

MODES: Final = {
    "shadow": "shadow: both models answer the same requests, clients see the baseline's answers",
    "canary": "canary: each unit is dealt to one of the models by lot",
    "offline": "offline: outcomes of both models from files",
}
NO_DAYS: Final = "not known"
POWER_RATIOS: Final = (1.0, 0.98, 0.96, 0.95, 0.92)


@dataclass(frozen=True, slots=True)
class Line:
    """One promise: what it is about, and what is promised."""

    label: str
    words: str


def design_lines(design: PilotPart) -> tuple[Line, ...]:
    """The promises, most important first."""
    found = [
        Line(
            "Asked",
            f"at least {amounts.fraction(design.margin_ratio)} of the baseline's success; {_risk(design)}",
        ),
        Line("How", f"{MODES[design.mode]}; {_share(design)}; {_unit(design)}"),
        Line("Success is judged by", _judges(design)),
        *(() if design.mode == "offline" else _limits(design)),
        Line("Costs counted", _costs(design)),
    ]
    if design.promised_from:
        found.append(Line("Promises checked", safe(design.promised_from)))
    if design.created:
        found.append(Line("Designed", amounts.date_text(safe(design.created))))
    return tuple(found)


def _limits(design: PilotPart) -> tuple[Line, ...]:
    """What ends a pilot that sends requests."""
    days, wait = amounts.counted(design.days_max_days, "day"), amounts.hours(design.outcome_wait_hours)
    return (
        Line("Stops early", _guards(design)),
        Line("At most", f"{days}; an outcome that has not come after {wait} counts as missing"),
    )


def _risk(design: PilotPart) -> str:
    """What is promised of a yes: of one task, of any of several (Bonferroni), or of those accepted (e-BH)."""
    risk, count = amounts.fraction(design.alpha_fraction), len(design.plans)
    if count == 1:
        return f"risk of a wrong yes at most {risk}"
    if design.multiplicity == "bonferroni":
        return f"risk of any wrong yes at most {risk} over all {count} tasks (Bonferroni)"
    return f"of the tasks that get a yes, {risk} at most are expected to be wrong ({count} tasks, e-BH)"


def _share(design: PilotPart) -> str:
    if design.mode == "canary":
        steps = ", ".join(amounts.fraction(each.share_fraction).removesuffix(" %") for each in design.ramp)
        return f"steps of {steps} % of the traffic"
    if design.mode == "shadow":
        return f"{amounts.fraction(design.share_fraction)} of the requests are copied"
    return "nothing is sent anywhere"


def _unit(design: PilotPart) -> str:
    return f"one {safe(design.unit)} is one unit of the statistics"


def _judges(design: PilotPart) -> str:
    checks = ", ".join(told.task_name(each) for each in design.judged_by_checks)
    found = [f"declared checks ({checks})"] if checks else []
    found.append("feedback and labels by people")
    audited = amounts.fraction(design.audit_fraction)
    found.append(f"a judge model may help, audited by people on {audited}, and never promotes alone")
    return "; ".join(found)


def _guards(design: PilotPart) -> str:
    found = [f"proven worse than the margin (false stop in at most {amounts.fraction(design.inferior_alpha_fraction)})"]
    if design.error_rate_max_fraction is not None:
        found.append(f"more than {amounts.fraction(design.error_rate_max_fraction)} failed requests")
    if design.latency_p95_max_s is not None:
        found.append(f"95th percentile above {amounts.number(design.latency_p95_max_s)} s")
    if design.latency_p95_max_ratio is not None:
        found.append(f"95th percentile above {amounts.ratio(design.latency_p95_max_ratio)} the baseline's")
    if design.spend_max_usd is not None:
        found.append(f"the pilot's own cost above {amounts.money(design.spend_max_usd)}")
    return "; ".join(found)


def _costs(design: PilotPart) -> str:
    stated = {
        "the switch": (design.migration_usd, ""),
        "own servers": (design.idle_usd_per_month, " a month"),
        "a failed answer put right": (design.human_correction_usd, ""),
        "a label": (design.label_usd, ""),
    }
    told_of = [f"{name} {amounts.money(usd)}{per}" for name, (usd, per) in stated.items() if usd is not None]
    missing = [name for name, (usd, _) in stated.items() if usd is None]
    found = ["every call with its retries and escalations", *told_of]
    return "; ".join(found) + (f" (not stated: {', '.join(missing)})" if missing else "")


@dataclass(frozen=True, slots=True)
class SizeRow:
    """How long one task will probably take."""

    task: str
    outcomes: str
    outcomes_p80: str
    days: str
    days_p80: str
    fixed: str
    """Outcomes of a test that is looked at once."""
    within: str
    """Chance of a yes within the longest time, where the plan holds."""


def size_rows(design: PilotPart) -> tuple[SizeRow, ...]:
    """Every task of the design, as `pilot/sizes.py` has played it through; empty where nothing was."""
    return tuple(_size_row(each, len(design.plans) == 1) for each in _tasks(design))


def expected_lines(design: PilotPart) -> list[str]:
    """What else was computed when it was designed: power, own cost, what a wrong plan costs; of the first task."""
    tasks = _tasks(design)
    if not tasks:
        return []
    first = tasks[0]
    of = f" ({told.task_name(str(first.get('task', '')))})" if len(design.plans) > 1 else ""
    found = [_power(first, of), _own_cost(design), *_wrong_plans(first, of), _fixed_looks(first, of)]
    notes = [told.sentence(safe(str(each))) + "." for each in _list(design.expects, "notes")]
    return [each for each in (*found, *notes) if each]


def _size_row(task: dict[str, Any], alone: bool) -> SizeRow:
    outcomes, days = _part(task, "outcomes"), _part(task, "days")
    within = _figure(_part(task, "within_limit"), "accepted_fraction")
    return SizeRow(
        task=told.task_name(str(task.get("task", "")), alone=alone),
        outcomes=_count(_figure(outcomes, "mean_count")),
        outcomes_p80=_count(_figure(outcomes, "p80_count")),
        days=told.days_words(_figure(days, "mean_days")) or NO_DAYS,
        days_p80=told.days_words(_figure(days, "p80_days")) or NO_DAYS,
        fixed=_count(_figure(task, "fixed_sample_count")),
        within=NO_DAYS if within is None else amounts.fraction(within),
    )


def _power(task: dict[str, Any], of: str) -> str:
    """What becomes of candidates that are better or worse than planned."""
    points = {_figure(each, "ratio"): each for each in _list(_part(task, "power_curve"), "points")}
    shown = [(ratio, points[ratio]) for ratio in POWER_RATIOS if ratio in points]
    if not shown:
        return ""
    words = [
        f"{amounts.fraction(ratio)}: {amounts.fraction(_figure(each, 'accepted_fraction') or 0.0)}"
        for ratio, each in shown
    ]
    return f"Chance of a yes in time{of}, by the part of the success that it truly keeps: {'; '.join(words)}."


def _own_cost(design: PilotPart) -> str:
    cost = _part(_part(design.expects, "overall"), "own_cost")
    mean, low, high = (_figure(cost, name) for name in ("mean_usd", "low_usd", "high_usd"))
    if design.mode == "offline":
        return ""
    if mean is None:
        missing = {str(name) for task in _tasks(design) for name in _list(_part(task, "own_cost"), "not_stated")}
        why = f": nobody stated {', '.join(sorted(map(safe, missing)))}" if missing else ""
        return f"What the pilot itself costs is not known{why}."
    span = f" ({amounts.money(low)} to {amounts.money(high)})" if low is not None and high is not None else ""
    return f"The pilot itself costs about {amounts.money(mean)}{span}."


def _wrong_plans(task: dict[str, Any], of: str) -> list[str]:
    found = []
    for each in _list(task, "wrong_plans"):
        mean, p80 = _figure(each, "mean_count"), _figure(each, "p80_count")
        if mean is None:
            continue
        late = f", 4 of 5 pilots within {told.about(round(p80))}" if p80 is not None else ""
        ratio = _figure(each, "cost_ratio")
        extra = (
            f"; {amounts.fraction(ratio - 1)} more than had it been planned" if ratio is not None and ratio > 1 else ""
        )
        words = safe(str(each.get("words", "")))
        found.append(f"If the plan is wrong{of}: {words}: about {told.about(round(mean))} outcomes{late}{extra}.")
    return found


def _fixed_looks(task: dict[str, Any], of: str) -> str:
    looks = _part(task, "fixed_looks")
    pairs = [each for each in _list(looks, "pairs_at_looks") if isinstance(each, int | float)]
    if not pairs:
        return ""
    places = ", ".join(f"{each:,.0f}" for each in pairs)
    rule = safe(str(looks.get("rule", "")))
    return f"For meetings at fixed numbers instead{of}: {rule} at {places} pairs, and nobody may look in between."


def _tasks(design: PilotPart) -> list[dict[str, Any]]:
    return [each for each in _list(design.expects, "tasks") if isinstance(each, dict)]


def _part(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of what was expected; a design may have been written by another version."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _list(whole: Mapping[str, Any], name: str) -> list[Any]:
    found = whole.get(name)
    return found if isinstance(found, list) else []


def _figure(whole: Mapping[str, Any], name: str) -> float | None:
    found = whole.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _count(value: float | None) -> str:
    return "never" if value is None else f"{told.about(round(value))}"
