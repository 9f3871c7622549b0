"""Bound names: facts that no catalogue has, which a scenario may set all the same."""

from __future__ import annotations

from breakeven.options.assembly.offers import GPU_RENT_RATIO

BOUND_BY_OPTIONS = frozenset(
    {
        "success_fraction",
        "engineering_fte_count",
        "monitoring_usd_per_month",
        "incident_events_per_month",
        "incident_hours_per_event",
        "breach_exposure_ratio",
        "hourly_peak_to_mean_ratio",
        "volume_over_observed_ratio",
        "replica_capacity_req_per_s",
        "capacity_measured_over_model_ratio",
        "downtime_hours_per_month",
        "gpus_already_owned_count",
        "carbon_price_usd_per_tonne",
        "failure_usd_per_request",
        "tries_max_count",
        "check_usd_per_request",
        "verifier_usd_per_request",
        "big_success_after_failure_fraction",
        "fine_tune_campaigns_events_per_year",
    }
)
"""Names that each Option binds for itself unless the scenario sets them (then for every Option alike)."""
ONLY_FROM_A_SCENARIO = frozenset(
    {
        "provisioned_usd_per_unit_hour",
        "provisioned_unit_tok_per_s",
        "provisioned_units_min_count",
        GPU_RENT_RATIO,
        "verifier_sensitivity_fraction",
        "verifier_false_alarm_fraction",
    }
)
"""Names of a user's own quote, verifier or rents: no catalogue has them, and an Option that needs them is unpriced
without."""
