"""Fleet documents made by hand, small enough to know every number."""

from __future__ import annotations

from typing import Any

FIRST_TIME = "2026-10-05T22:00:00+00:00"
STEP_S = 3600.0


def fleet(**changed: Any) -> dict[str, Any]:
    """Six hours over midnight, three replicas needed in the fourth, one reserved; `changed` replaces whole parts."""
    needed = [1, 1, 2, 3, 1, 0]
    paid = [1.0, 1.0, 2.5, 3.5, 2.0, 1.0]
    document: dict[str, Any] = {
        "verdict": "Up to 3 replicas of 1 x L4 carry this log.",
        "deployment": {
            "model": "Llama-3.1-8B", "gpu": "L4", "gpus_per_replica_count": 1, "precision": "fp8", "engine": "vllm",
            "label": "Llama-3.1-8B fp8 on 1 x L4, vllm",
        },
        "target": {"ttft_s": 1.0, "tpot_s": 0.05, "quantile_fraction": 0.95},
        "policy": {
            "replicas_min_count": 1, "spare_count": 0, "is_autoscaled": True, "decision_s": STEP_S,
            "headroom_fraction": 0.2, "hold_s": 600.0, "cold_start_s": 180.0, "scales_to_zero": False,
            "idle_timeout_s": 900.0, "interruption_events_per_replica_month": 0.0, "reuse_fraction": 0.5,
        },
        "traffic": {
            "label": "calls", "first_time": FIRST_TIME, "observed_hours": 6.0, "requests_count": 2160.0,
            "left_out_count": 0, "reused_fraction": 0.0, "mean_input_tokens": 900.0, "mean_output_tokens": 120.0,
        },
        "fleet": {
            "peak_needed_count": 3, "fluid_needed_count": 3, "replicas_most_count": 3, "peak_from_s": 3 * STEP_S,
            "peak_to_s": 4 * STEP_S, "peak_fewest_count": 2, "peak_most_count": 4, "regime": "known deployment",
            "is_measured": False, "error_ratio": 1.25, "peak_req_per_s": 0.4, "peak_output_tok_per_s": 48.0,
        },
        "service": {
            "meets_target": True, "attained_fraction": 0.97, "peak_attained_fraction": 0.96, "covered_fraction": 1.0,
            "simulated_count": 2160, "drawn_fraction": 0.0, "ttft_p50_s": 0.2, "ttft_p95_s": 0.8, "tpot_p50_s": 0.02,
            "tpot_p95_s": None, "refused_count": 0, "beyond_context_count": 0,
            "redone_count": 0, "preempted_count": 0, "cold_starts_count": 2,
            "interruptions_count": 0,
        },
        "hours": {
            "paid_replica_hours": 11.0, "busy_replica_hours": 8.0, "idle_fraction": 0.27, "load_fraction": 0.4,
            "paid_gpu_hours_per_month": 1338.0, "hourly_replicas_count": [1, 1, 2, 3, 2, 1],
        },
        "cost": {
            "rents": [
                {"term": "on_demand", "low_usd_per_gpu_hour": 0.5, "typical_usd_per_gpu_hour": 0.8,
                 "high_usd_per_gpu_hour": 1.2, "basis": "l4-on-demand, 2026-10-10", "source": "A price list",
                 "link": "https://example.org"},
                {"term": "one_year", "low_usd_per_gpu_hour": 0.4, "typical_usd_per_gpu_hour": 0.4,
                 "high_usd_per_gpu_hour": 0.4, "basis": "yours", "source": None, "link": None},
            ],
            "unpriced": ["spot", "three_years"],
            "usual_term": "on_demand",
            "usual_usd_per_month": {"low": 669.0, "typical": 1070.4, "high": 1605.6},
            "idle_usd_per_month": {"low": 180.6, "typical": 289.0, "high": 433.5},
            "breakeven_fraction": {"one_year": 0.5},
            "mix": {
                "usd_per_month": 876.0, "horizon_months": 12.0, "reserved_gpus_count": {"one_year": 1},
                "on_demand_gpu_hours": 4.0, "spot_gpu_hours": 0.0, "reserved_gpu_hours": 6.0,
                "reserved_idle_gpu_hours": 0.0,
            },
        },
        "otherwise": [
            {"name": "always on", "replicas_most_count": 3, "paid_replica_hours": 18.0, "idle_fraction": 0.5,
             "attained_fraction": 0.9, "meets_target": False},
        ],
        "bins": [
            {"start_s": at * STEP_S, "arrival_req_per_s": 0.1, "burst_ratio": 1.0, "needed_count": count,
             "mean_count": float(count), "serving_count": float(count), "paid_count": spent}
            for at, (count, spent) in enumerate(zip(needed, paid, strict=True))
        ],
        "remarks": ["The log covers 6 hours."],
        "included": ["rent"],
        "excluded": ["staff"],
        "footer": {
            "breakeven_version": "0.1.0", "as_of": "2026-11-26", "calls_hash": "c" * 64, "catalog_hash": "d" * 64,
            "seed": 0, "hours_per_month": 730.0,
        },
    }  # fmt: skip
    return document | changed
