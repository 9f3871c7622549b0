"""Context facts: rows that no cost line reads. They are there to compare with, so overriding one changes nothing."""

from __future__ import annotations

from typing import Final

CONTEXT_FACTS: Final = frozenset(
    {
        "a100_80_on_demand_index_usd_per_gpu_hour",
        "api_uptime_anthropic_fraction",
        "api_uptime_google_fraction",
        "api_uptime_mistral_fraction",
        "api_uptime_openai_fraction",
        "b200_on_demand_index_usd_per_gpu_hour",
        "b200_sxm_board_price_usd",
        "benefit_load_ratio",
        "breach_shadow_ai_uplift_usd",
        "breach_survey_mean_financial_usd",
        "breach_survey_mean_healthcare_usd",
        "breach_survey_mean_india_usd",
        "breach_survey_mean_industrial_usd",
        "breach_survey_mean_technology_usd",
        "breach_survey_mean_us_usd",
        "breach_survey_mean_usd",
        "electricity_us_industrial_usd_per_kwh",
        "engineer_base_us_usd_per_year",
        "engineering_fte_first_year_count",
        "gpu_residual_year1_fraction",
        "gpu_residual_year2_fraction",
        "gpu_utilisation_enterprise_fraction",
        "h100_on_demand_index_usd_per_gpu_hour",
        "h100_rent_yearly_change_ratio",
        "h100_spot_index_usd_per_gpu_hour",
        "h200_on_demand_index_usd_per_gpu_hour",
        "h200_sxm_board_price_usd",
        "incident_share_of_engineering_fraction",
        "l40s_card_price_usd",
        "l40s_on_demand_index_usd_per_gpu_hour",
        "non_gpu_uplift_fraction",
        "outage_cost_enterprise_usd_per_hour",
        "outage_cost_high_impact_usd_per_hour",
        "rtx_4090_card_price_usd",
        "rtx_5090_card_price_usd",
        "rtx_pro_6000_card_price_usd",
        "spare_capacity_three_nines_fraction",
    }
)
