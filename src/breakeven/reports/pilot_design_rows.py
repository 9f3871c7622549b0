"""Pilot design rows: what a pilot promises before it starts, as lines a person reads, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_parts import PilotPart
from breakeven.reports.safe_text import safe


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
            f"at least {amounts.fraction(design.margin_ratio)} of the baseline's success, with at most "
            f"{amounts.fraction(design.alpha_fraction)} risk of a wrong yes{_over_tasks(design)}",
        ),
        Line("How", f"{told.MODES[design.mode]}; {_share(design)}; {_unit(design)}"),
        Line("Success is judged by", _judges(design)),
        Line("Stops early", _guards(design)),
        Line(
            "At most",
            f"{amounts.counted(design.days_max_days, 'day')}; an outcome that has not come after "
            f"{amounts.hours(design.outcome_wait_hours)} counts as missing",
        ),
        Line("Costs counted", _costs(design)),
    ]
    if design.promised_from:
        found.append(Line("Promises checked", safe(design.promised_from)))
    if design.created:
        found.append(Line("Designed", amounts.date_text(safe(design.created))))
    return tuple(found)


def _over_tasks(design: PilotPart) -> str:
    names = {"e-bh": "e-BH", "bonferroni": "Bonferroni"}
    count = len(design.plans)
    return f" over all {count} tasks ({names[design.multiplicity]})" if count > 1 else ""


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


def size_rows(design: PilotPart) -> list[list[str]]:
    """Task, outcomes (mean, and of four pilots in five), days of both, and what a fixed sample would need."""
    return []


def expected_lines(design: PilotPart) -> list[str]:
    """What else was computed when it was designed: power, own cost, what a wrong plan costs."""
    return []
