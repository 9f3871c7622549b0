"""Scenario examples: what `breakeven init` shows below a key that is empty by default."""

from __future__ import annotations

from typing import Final

EMPTY: Final = {
    "overrides": "{}",
    "correlations": "[]",
    "contract_prices": "[]",
    "model_aliases": "{}",
    "failure_usd_per_request": "{}",
    "require": "{}",
    "providers": "{}",
    "measured": "[]",
    "answers": "{}",
}
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "overrides": (
        "engineer_usd_per_year: 180000",
        "gpu_rent_usd_per_gpu_hour: {low: 1.65, typical: 2.35, high: 2.95, source: our quote of 3 Nov}",
        "batch_share_fraction: 0.3            # calls that can wait a day",
        "provisioned_usd_per_unit_hour: 2.0   # your quote of provisioned throughput, all three together",
        "provisioned_unit_tok_per_s: 800      # input and output tokens that one unit carries for hours",
        "provisioned_units_min_count: 1",
    ),
    "correlations": ("- {between: [engineer_usd_per_year, correction_usd_per_hour], rank: 0.7}",),
    "contract_prices": ("- {provider: openai, model: gpt-5, input_usd_per_mtok: 1.0, output_usd_per_mtok: 8.0}",),
    "model_aliases": ("chat-prod: azure/gpt-5   # a deployment; provider/deployment works too, quoted ARNs as well",),
    "failure_usd_per_request": ("contract-review: 12   # a wrong answer that nobody corrects", "other: 0.05"),
    "require": (
        "jurisdictions: [EU, US]",
        "processing_regions: [EU]",
        "retention_max_days: 30",
        "no_training: true",
        "certifications: [SOC 2 Type 2]",
    ),
    "answers": ("data_sensitive: yes", "fine_tuning: no", "mlops_team: no", "accuracy: yes"),
    "measured": ("- measured/llama-70b-on-our-h100.yaml   # its capacity is then yours, and every report says so",),
    "providers": ("openai: {processing_regions: [EU], retention_days: 0}   # as our contract says",),
}
