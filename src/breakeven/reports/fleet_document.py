"""Fleet document: the one JSON about a fleet; the terminal shows it and nothing else."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

import numpy as np

from breakeven import __version__
from breakeven.reports import fleet_wording as wording
from breakeven.reports.fleet_answer import FleetAnswer, mean_lengths, reservations_of
from breakeven.serving.traffic.fleet_plan import FleetPlan
from breakeven.workload.arrivals import Arrivals

SCHEMA_VERSION: Final = "1.0"
Part = dict[str, Any]


def fleet_document(
    answer: FleetAnswer,
    arrivals: Arrivals,
    *,
    label: str,
    as_of: str,
    calls_hash: str,
    catalog_hash: str,
    warnings: tuple[str, ...] = (),
) -> Part:
    """Everything that is known about the fleet."""
    plan = answer.plan
    document: Part = _finite(
        {
            "schema_version": SCHEMA_VERSION,
            "kind": "fleet",
            "verdict": wording.verdict(answer),
            "deployment": _deployment(answer),
            "target": _target(plan),
            "policy": _policy(plan),
            "traffic": {
                "label": label,
                "first_time": arrivals.first_time.isoformat(),
                "observed_hours": plan.observed_hours,
                "requests_count": plan.requests_count,
                "left_out_count": arrivals.left_out_count,
                "reused_fraction": plan.reused_fraction,
                **_lengths(arrivals),
            },
            "fleet": {
                **_fleet(plan),
                "peak_fewest_count": answer.peak_fewest_count,
                "peak_most_count": answer.peak_most_count,
                "regime": answer.regime,
                "is_measured": answer.is_measured,
                "error_ratio": answer.error_ratio,
                **_peak_load(plan),
            },
            "service": _service(plan),
            "hours": _hours(answer),
            "cost": _cost(answer),
            "otherwise": [
                {
                    "name": name,
                    **_fleet(each),
                    **_service(each),
                    "paid_replica_hours": each.paid_hours,
                    "idle_fraction": each.idle_fraction,
                }
                for name, each in answer.others
            ],
            "bins": _bins(plan),
            "remarks": [*warnings, *wording.remarks(answer, arrivals)],
            "included": wording.INCLUDED,
            "excluded": wording.EXCLUDED,
            "footer": {
                "breakeven_version": __version__,
                "as_of": as_of,
                "calls_hash": calls_hash,
                "catalog_hash": catalog_hash,
                "seed": plan.policy.seed,
                "hours_per_month": answer.question.hours_per_month,
            },
        }
    )
    return document


def to_json(document: Part) -> str:
    """As text; a figure that is not known is null."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _deployment(answer: FleetAnswer) -> Part:
    deployment = answer.deployment
    return {
        "model": deployment.model.name,
        "gpu": deployment.gpu.name,
        "gpus_per_replica_count": deployment.gpus_count,
        "precision": deployment.precision,
        "engine": deployment.engine,
        "label": deployment.label,
    }


def _target(plan: FleetPlan) -> Part:
    target = plan.policy.target
    return {"ttft_s": target.ttft_s, "tpot_s": target.tpot_s, "quantile_fraction": target.quantile_fraction}


def _policy(plan: FleetPlan) -> Part:
    names = (
        "replicas_min_count",
        "spare_count",
        "is_autoscaled",
        "decision_s",
        "headroom_fraction",
        "hold_s",
        "cold_start_s",
        "scales_to_zero",
        "idle_timeout_s",
        "interruption_events_per_replica_month",
        "reuse_fraction",
    )
    return {name: getattr(plan.policy, name) for name in names}


def _fleet(plan: FleetPlan) -> Part:
    return {
        "peak_needed_count": plan.peak_needed_count,
        "fluid_needed_count": plan.fluid_needed_count,
        "replicas_most_count": plan.replicas_most_count,
        "peak_from_s": plan.peak_s[0],
        "peak_to_s": plan.peak_s[1],
    }


def _lengths(arrivals: Arrivals) -> Part:
    inputs, outputs = mean_lengths(arrivals)
    return {"mean_input_tokens": inputs, "mean_output_tokens": outputs}


def _peak_load(plan: FleetPlan) -> Part:
    """What comes in the busiest stretch, on average."""
    bins = plan.bins
    starts_s = np.arange(bins.requests_count.size) * bins.bin_s
    inside = (starts_s >= plan.peak_s[0]) & (starts_s < plan.peak_s[1])
    seconds_s = plan.peak_s[1] - plan.peak_s[0]
    tokens = np.nan_to_num(bins.requests_count * bins.output_tokens)
    return {
        "peak_req_per_s": float(bins.requests_count[inside].sum() / seconds_s),
        "peak_output_tok_per_s": float(tokens[inside].sum() / seconds_s),
    }


def _service(plan: FleetPlan) -> Part:
    seen = plan.latencies
    return {
        "meets_target": plan.meets_target,
        "attained_fraction": plan.attained_fraction,
        "peak_attained_fraction": plan.peak_attained_fraction,
        "covered_fraction": plan.covered_fraction,
        "simulated_count": plan.simulated_count,
        "drawn_fraction": plan.drawn_fraction,
        "ttft_p50_s": seen.ttft_p50_s,
        "ttft_p95_s": seen.ttft_p95_s,
        "tpot_p50_s": seen.tpot_p50_s,
        "tpot_p95_s": seen.tpot_p95_s,
        "refused_count": plan.refused_count,
        "beyond_context_count": plan.beyond_context_count,
        "redone_count": plan.redone_count,
        "preempted_count": plan.preempted_count,
        "cold_starts_count": plan.cold_starts_count,
        "interruptions_count": plan.interruptions_count,
    }


def _hours(answer: FleetAnswer) -> Part:
    plan = answer.plan
    return {
        "paid_replica_hours": plan.paid_hours,
        "busy_replica_hours": plan.busy_hours,
        "idle_fraction": plan.idle_fraction,
        "load_fraction": plan.load_fraction,
        "paid_gpu_hours_per_month": answer.paid_gpu_hours_per_month,
        "hourly_replicas_count": plan.hourly_replicas_count.tolist(),
    }


def _cost(answer: FleetAnswer) -> Part:
    mix = answer.mix
    return {
        "rents": [
            {
                "term": each.term,
                "low_usd_per_gpu_hour": each.low,
                "typical_usd_per_gpu_hour": each.typical,
                "high_usd_per_gpu_hour": each.high,
                "basis": each.basis,
                "source": None if each.source is None else each.source.title,
                "link": None if each.source is None else each.source.link,
            }
            for each in answer.rents
        ],
        "unpriced": list(answer.unpriced),
        "usual_term": answer.usual_term,
        "usual_usd_per_month": {which: answer.usual_usd_per_month(which) for which in ("low", "typical", "high")},
        "idle_usd_per_month": {which: answer.idle_usd_per_month(which) for which in ("low", "typical", "high")},
        "breakeven_fraction": {term: answer.breakeven_fraction(term) for term in reservations_of(answer)},
        "mix": None
        if mix is None
        else {
            "usd_per_month": answer.mix_usd_per_month,
            "horizon_months": answer.question.horizon_months,
            "reserved_gpus_count": dict(zip(reservations_of(answer), mix.reserved_counts, strict=True)),
            "on_demand_gpu_hours": mix.on_demand_hours,
            "spot_gpu_hours": mix.spot_hours,
            "reserved_gpu_hours": mix.reserved_hours,
            "reserved_idle_gpu_hours": mix.reserved_idle_hours,
        },
    }


def _bins(plan: FleetPlan) -> list[Part]:
    bins = plan.bins
    columns = zip(
        bins.arrival_req_per_s,
        bins.burst_ratio,
        plan.bin_needed_count,
        plan.bin_mean_count,
        plan.bin_serving_count,
        plan.bin_paid_count,
        strict=True,
    )
    return [
        {
            "start_s": index * bins.bin_s,
            "arrival_req_per_s": float(rate),
            "burst_ratio": float(burst),
            "needed_count": int(needed),
            "mean_count": float(mean),
            "serving_count": float(serving),
            "paid_count": float(paid),
        }
        for index, (rate, burst, needed, mean, serving, paid) in enumerate(columns)
    ]


def _finite(part: Any) -> Any:
    """The same with null for what is no number."""
    if isinstance(part, dict):
        return {name: _finite(each) for name, each in part.items()}
    if isinstance(part, list | tuple):
        return [_finite(each) for each in part]
    return None if isinstance(part, float) and not isfinite(part) else part
