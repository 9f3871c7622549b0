"""Fleet wording: what a fleet plan means, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from breakeven.reports.amounts import counted, fraction, hours, money, money_range, number
from breakeven.reports.fleet_answer import FleetAnswer, reservations_of
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.workload.arrivals import Arrivals
from breakeven.workload.observation import MONTH_FROM_DAYS

INCLUDED: Final = (
    "rent of the GPUs, from asking for a replica until it has ended what it had",
    "idle hours, spares, cold starts and what an interruption makes begin again",
)
EXCLUDED: Final = (
    "staff, storage, networking and taxes (breakeven compare counts them)",
    "what the model answers: whether it is good enough is another question",
    "growth: the log is taken as it is",
)
TERM_NAMES: Final = {
    "on_demand": "on demand",
    "spot": "spot",
    "one_year": "one-year",
    "three_years": "three-year",
}


def verdict(answer: FleetAnswer) -> str:
    """One sentence: replicas, service, money."""
    plan, gpus = answer.plan, answer.deployment.gpus_count
    board = f"{gpus} x {answer.deployment.gpu.name}"
    fleet = f"{counted(plan.replicas_most_count, 'replica')} of {board}"
    if plan.policy.scales_to_zero or (plan.policy.is_autoscaled and plan.replicas_most_count > 1):
        fleet = f"up to {fleet}"
    served = f"{fraction(plan.attained_fraction)} of the simulated requests {targets(plan.policy)}"
    if not has_target(plan.policy):
        served += f" (no target given; 95 % see the first token within {number(plan.latencies.ttft_p95_s * 1e3)} ms)"
    cost = answer.usual_usd_per_month()
    term = "on spot" if answer.usual_term == "spot" else "on demand"
    price = "" if cost is None else f", for about {money(cost)} a month {term}"
    beyond = beyond_context(answer)
    wanted = f"{fraction(plan.policy.target.quantile_fraction)} were asked for"
    if beyond and (plan.meets_target or plan.carries_the_rest):
        short_of = "" if plan.meets_target or not has_target(plan.policy) else f"; {wanted}"
        carried = f"{fleet} {_carry(plan.replicas_most_count)} the others{_need(answer)}"
        return f"{beyond} and are not served; {carried}: {served}{short_of}{price}."
    if plan.meets_target:
        carried = f"{fleet[0].upper()}{fleet[1:]} {_carry(plan.replicas_most_count)} this log{_need(answer)}"
        return f"{carried}: {served}{price}."
    longer = f". {beyond} and are not served" if beyond else ""
    return f"Not enough: with {fleet} only {served}; {wanted}{price}{longer}."


def has_target(policy: FleetPolicy) -> bool:
    """Whether a latency was asked for: without one, nothing can be called met."""
    return policy.target.ttft_s is not None or policy.target.tpot_s is not None


def beyond_context(answer: FleetAnswer) -> str:
    """How much of the log is longer than the model's context; empty where nothing is."""
    plan, model = answer.plan, answer.deployment.model
    if answer.beyond_context_count:
        what = f"{answer.beyond_context_count:,} of {plan.requests_count:,.0f} calls"
    elif plan.beyond_context_count:
        what = f"{fraction(plan.beyond_context_count / plan.simulated_count)} of the simulated requests"
    else:
        return ""
    return f"{what} are longer than the context of {model.name} ({model.context_tokens:,} tokens)"


def targets(policy: FleetPolicy) -> str:
    """The latency targets in words."""
    target = policy.target
    parts = [
        f"{name} at most {number(value * 1e3)} ms"
        for name, value in (("TTFT", target.ttft_s), ("TPOT", target.tpot_s))
        if value is not None
    ]
    return f"see {' and '.join(parts)}" if parts else "are served, with no queue that grows"


def peak_range(answer: FleetAnswer) -> str:
    """What the error of the prediction does to the replicas at the peak.

    The range is for true speeds within the factor that covers 80 % of the errors.
    """
    if answer.peak_fewest_count == answer.peak_most_count:
        return f"as many if speeds are off by a factor of {answer.error_ratio:.2f} either way"
    most = "none meets the targets" if answer.peak_most_count is None else f"{answer.peak_most_count}"
    return f"{answer.peak_fewest_count} to {most} if speeds are off by a factor of {answer.error_ratio:.2f} either way"


def way(policy: FleetPolicy) -> str:
    """How the fleet is run."""
    parts = ["autoscaled" if policy.is_autoscaled else "always on"]
    if policy.spare_count:
        parts.append(f"{policy.spare_count} spare")
    if policy.scales_to_zero:
        parts.append("to zero when idle")
    if policy.interruption_events_per_replica_month:
        parts.append("on spot")
    return ", ".join(parts)


def cost_lines(answer: FleetAnswer) -> Iterator[str]:
    """What the paid hours cost."""
    typical, low, high = (answer.usual_usd_per_month(which) for which in ("typical", "low", "high"))
    if typical is None or low is None or high is None:
        yield (
            f"UNPRICED: nobody names an on-demand rent of {answer.deployment.gpu.name}; "
            f"{number(answer.paid_gpu_hours_per_month)} GPU hours a month wait for a price (--rent on_demand=USD)"
        )
        return
    term = answer.usual_term
    how = "on spot" if term == "spot" else "on demand"
    yield f"All {how}: {money_range(typical, low, high)} a month, {_rent_text(answer, term)}"
    mix, usd = answer.mix, answer.mix_usd_per_month
    if mix is not None and usd is not None:
        bought = [
            f"{counted(count, 'GPU')} reserved {TERM_NAMES[name]}"
            for name, count in zip(reservations_of(answer), mix.reserved_counts, strict=True)
            if count
        ]
        bought += [
            f"{_gpus(used / answer.plan.hourly_replicas_count.size)} {name} on average"
            for name, used in (("on demand", mix.on_demand_hours), ("on spot", mix.spot_hours))
            if used
        ]
        dearer = usd >= typical * (1 - 1e-9)
        yield (
            f"No mix by whole hours is cheaper: the best costs {money(usd)} a month ({', '.join(bought) or 'nothing'})"
            if dearer
            else f"Cheapest mix by whole hours over {number(answer.question.horizon_months)} months: "
            f"{money(usd)} a month: {', '.join(bought) or 'nothing'}"
        )
    for name in answer.unpriced:
        yield f"Unpriced and left out of the mix: {TERM_NAMES[name]} (--rent {name}=USD)"


def remarks(answer: FleetAnswer, arrivals: Arrivals) -> Iterator[str]:
    """What to change, and what to know before believing it."""
    plan = answer.plan
    yield from _better_way(answer)
    if plan.observed_hours < MONTH_FROM_DAYS * 24:
        unseen = "a week" if plan.observed_hours < 168 else "a month"
        yield f"The log covers {hours(plan.observed_hours)}, not {unseen}: figures per month stretch it."
    if plan.drawn_fraction:
        yield (
            f"{fraction(plan.drawn_fraction)} of the simulated requests were drawn from buckets (Poisson arrivals, "
            "exponential lengths): the log names no single requests there."
        )
    if plan.simulated_count < 0.99 * plan.requests_count:
        yield (
            f"Only {plan.simulated_count:,} requests around the peak were simulated; {fraction(plan.covered_fraction)} "
            "of all requests fall into minutes with enough replicas by the fluid model."
        )
    if plan.refused_count:
        yield f"{counted(plan.refused_count, 'request')} are longer than a replica's cache and are never served."
    if plan.redone_count:
        yield (
            f"{counted(plan.interruptions_count, 'interruption')} made {counted(plan.redone_count, 'request')} begin "
            "again on another replica."
        )
    if plan.peak_needed_count != plan.fluid_needed_count:
        yield (
            f"The fluid model alone says {plan.fluid_needed_count}; the simulation of the busiest stretch says "
            f"{plan.peak_needed_count}."
        )
    if beyond_context(answer):
        yield f"{beyond_context(answer)}: they count as not served, by any number of replicas; take a longer context."
    if arrivals.raised_count:
        yield f"{counted(arrivals.raised_count, 'call')} name no output or no input token; one was taken."
    if answer.question.policy.scales_to_zero and plan.cold_starts_count:
        yield (
            f"{counted(plan.cold_starts_count, 'cold start')} of {number(plan.policy.cold_start_s)} s in the log: "
            "who finds nobody awake waits that long."
        )
    if answer.is_measured:
        yield (
            "Iteration times are corrected by what was measured on your endpoint: 80 % of such speeds lie within a "
            f"factor of {answer.error_ratio:.2f}."
        )
        return
    if answer.question.measured is not None:
        yield f"The measurement is of {answer.question.measured.key}, not of this deployment: it was not used."
    yield (
        f"Iteration times are predicted ({answer.regime}: 80 % of such speeds lie within a factor of "
        f"{answer.error_ratio:.2f}), not measured: run `breakeven bench` and `breakeven calibrate` on your own."
    )


def _better_way(answer: FleetAnswer) -> Iterator[str]:
    """The way with fewest paid hours that meets the targets, when it is not the one asked for."""
    plan = answer.plan
    good = [(other.paid_hours, name, other) for name, other in answer.others if other.meets_target]
    if not good:
        if not plan.meets_target and answer.others and not plan.carries_the_rest:
            yield "None of the other ways to run it meets the targets either: ask for a spare, or relax a target."
        return
    hours_paid, name, other = min(good, key=lambda each: each[0])
    if not plan.meets_target:
        yield (
            f"Run {name}, {fraction(other.attained_fraction)} meet the targets with {number(hours_paid)} paid replica "
            f"hours instead of {number(plan.paid_hours)}."
        )
    elif hours_paid < 0.95 * plan.paid_hours:
        yield (f"Run {name}, the targets are met with {fraction(1 - hours_paid / plan.paid_hours)} fewer paid hours.")


def _need(answer: FleetAnswer) -> str:
    """The range of the need, with its odds."""
    fewest, most = answer.peak_fewest_count, answer.peak_most_count
    if most is None:
        return f" (needs {fewest} or more; at the slow end of the 80 % range no number will do)"
    return "" if fewest == most else f" (80 % odds that the peak needs {fewest} to {most})"


def footer(document: dict[str, Any]) -> str:
    """What reproduces the plan."""
    foot = document["footer"]
    return (
        f"breakeven {foot['breakeven_version']}, rents and facts of {foot['as_of']}, catalogue "
        f"{foot['catalog_hash'][:8]}, calls {foot['calls_hash'][:8]}, seed {foot['seed']}, "
        f"{foot['hours_per_month']:g} hours a month"
    )


def _carry(count: int) -> str:
    return "carries" if count == 1 else "carry"


def _rent_text(answer: FleetAnswer, term: str) -> str:
    rent = answer.rent(term)
    if rent is None:
        return ""
    return f"at {money(rent.typical)} per GPU hour ({rent.basis})"


def _gpus(mean_count: float) -> str:
    """A mean of GPUs.

    >>> _gpus(1.0), _gpus(0.5), _gpus(12.25)
    ('1 GPU', '0.5 GPUs', '12.2 GPUs')
    """
    told = number(mean_count)
    return f"{told} GPU{'' if told == '1' else 's'}"
