"""Terminal fleet: verdict, what is needed, what the requests see, what it costs, what would be otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from breakeven.reports import fleet_wording as wording
from breakeven.reports.amounts import counted, fraction, hours, number
from breakeven.reports.fleet_answer import FleetAnswer
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, next_step, print_parts, section
from breakeven.serving.traffic.fleet_plan import FleetPlan


def render_fleet(answer: FleetAnswer, document: dict[str, Any], console: Console) -> None:
    """Print a fleet plan, verdict first."""
    print_parts(
        console,
        (
            Paragraph(document["verdict"], "bold"),
            section("The fleet", bullets([*_fleet(answer, document["traffic"]["label"])])),
            section("What the requests see, simulated one by one", bullets([*_service(answer.plan)])),
            section("What it costs", bullets([*wording.cost_lines(answer)])),
            section("The same log, run otherwise", _others(answer) if answer.others else None),
            section("Worth knowing", bullets(document["remarks"])),
            Paragraph(f"Included: {'; '.join(wording.INCLUDED)}.", "dim"),
            Paragraph(f"Excluded: {'; '.join(wording.EXCLUDED)}.", "dim"),
            next_step(_next(answer)),
            Paragraph(wording.footer(document), "dim"),
        ),
    )


def _fleet(answer: FleetAnswer, label: str) -> Iterator[str]:
    plan = answer.plan
    rate = plan.requests_count / (plan.observed_hours * 3600)
    yield f"{answer.deployment.label}; {wording.way(plan.policy)}"
    yield (
        f"{label}: {counted(plan.requests_count, 'request')} in {hours(plan.observed_hours)}, {number(rate)} a second "
        f"on average, {number(float(plan.bins.arrival_req_per_s.max()))} in the busiest "
        f"{number(plan.policy.decision_s / 60)} minutes"
    )
    yield (
        f"The peak needs {counted(plan.peak_needed_count, 'replica')} ({wording.peak_range(answer)}); "
        f"{plan.replicas_most_count} run at most"
    )
    yield (
        f"Paid {number(plan.paid_hours)} replica hours, busy {number(plan.busy_hours)}: idle "
        f"{fraction(plan.idle_fraction)} of the time, filled to {fraction(plan.load_fraction)} of what it could serve"
    )
    if plan.reused_fraction:
        yield f"{fraction(plan.reused_fraction)} of the input tokens are found in the prefix cache"


def _service(plan: FleetPlan) -> Iterator[str]:
    seen = plan.latencies
    yield (
        f"{fraction(plan.attained_fraction)} of {counted(plan.simulated_count, 'request')} "
        f"{wording.targets(plan.policy)}; in the busiest stretch {fraction(plan.peak_attained_fraction)} with "
        f"{counted(plan.peak_needed_count, 'replica')} all there"
    )
    yield f"TTFT median {number(seen.ttft_p50_s * 1e3)} ms, 95 % below {number(seen.ttft_p95_s * 1e3)} ms"
    if seen.tpot_p50_s == seen.tpot_p50_s:
        yield f"TPOT median {number(seen.tpot_p50_s * 1e3)} ms, 95 % below {number(seen.tpot_p95_s * 1e3)} ms"


def _others(answer: FleetAnswer) -> Table:
    table = plain_table()
    table.add_column("")
    met = "met the targets" if wording.has_target(answer.plan.policy) else "served"
    for heading in ("replicas at most", "paid hours", "idle", met):
        table.add_column(heading, justify="right")
    for name, plan in ((wording.way(answer.plan.policy) + " (asked)", answer.plan), *answer.others):
        table.add_row(
            name,
            f"{plan.replicas_most_count:,}",
            number(plan.paid_hours),
            fraction(plan.idle_fraction),
            fraction(plan.attained_fraction),
        )
    return table


def _next(answer: FleetAnswer) -> str:
    return f"breakeven compare --set replicas_min_count={answer.plan.replicas_most_count}"
