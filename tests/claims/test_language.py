# ruff: noqa: E501 (one case on a line)
"""Claims that nobody bundled: each figure against arithmetic written out by hand."""

from __future__ import annotations

import math

import pytest

from breakeven.errors import ClaimError
from claims.claiming import checked, figure, row_of


@pytest.mark.parametrize(
    ("given", "name", "wanted"),
    [
        # token bills
        ("{input_tokens: 2.0e+6, output_tokens: 1.0e+6, input_usd_per_mtok: 3, output_usd_per_mtok: 15}", "api_usd", 21.0),
        (
            "{prompt_tokens: 1.0e+6, cached_input_fraction: 0.9, output_tokens: 0, input_usd_per_mtok: 2,"
            " cache_read_usd_per_mtok: 0.2, output_usd_per_mtok: 8}",
            "api_usd",
            0.1 * 2 + 0.9 * 0.2,
        ),
        (
            "{requests_per_day: 10000, days_per_month: 30, input_tokens_per_request: 1000, output_tokens_per_request: 500,"
            " input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}",
            "api_usd_per_month",
            300_000 * (2.5e-3 + 5e-3),
        ),
        (
            "{requests_per_month: 1000, input_tokens_per_request: 100, input_usd_per_ktok: 0.002}",
            "api_usd_per_year",
            12 * 1000 * 0.1 * 0.002,
        ),
        ("{api_usd_per_month: 900, tokens_per_month: 3.0e+8}", "api_usd_per_mtok", 3.0),
        ("{api_usd: 10, batch_fraction: 1.0, batch_discount_fraction: 0.5}", "batched_api_usd", 5.0),
        ("{input_output_ratio: 3, input_usd_per_mtok: 1, output_usd_per_mtok: 5}", "api_usd_per_mtok", 2.0),
        # rents and fleets
        ("{nodes_count: 4, node_rent_usd_per_hour: 30, hours_per_month: 720}", "gpu_rent_usd_per_month", 86_400.0),
        ("{gpus_count: 8, gpu_rent_usd_per_gpu_hour: 2, hours_per_month: 730}", "gpu_rent_usd_per_year", 12 * 11_680.0),
        ("{gpus_count: 8, gpu_rent_usd_per_gpu_hour: 2}", "gpu_rent_usd_per_day", 384.0),
        (
            "{gpus_count: 2, gpu_rent_usd_per_gpu_hour: 3, hours_per_day: 10, days_per_month: 22}",
            "gpu_rent_usd_per_month",
            1320.0,
        ),
        (
            "{reserved_gpus_count: 2, reserved_usd_per_gpu_hour: 0.6, hours: 8, overflow_gpu_hours: 7,"
            " on_demand_usd_per_gpu_hour: 1}",
            "committed_usd",
            16.6,
        ),
        # capital
        ("{capex_usd: 30000, resale_usd: 0, gpu_lifetime_months: 36, cost_of_capital_fraction_per_year: 0.1}",
         "host_usd_per_month", 961.9560),
        ("{capex_usd: 30000, resale_usd: 9000, gpu_lifetime_months: 36, cost_of_capital_fraction_per_year: 0.1}",
         "capital_usd_per_month", 745.1364),
        ("{capex_usd: 36000, resale_usd: 6000, gpu_lifetime_months: 30}", "capital_usd_per_month", 1000.0),
        (
            "{power_kw: 0.7, pue_ratio: 1.3, hours: 1, electricity_usd_per_kwh: 0.12}",
            "electricity_usd",
            0.1092,
        ),
        (
            "{capex_usd: 24000, api_usd_per_month: 5000, engineering_fte_count: 0.1, engineer_usd_per_year: 120000,"
            " power_kw: 2, hours_per_month: 730, electricity_usd_per_kwh: 0.1, colocation_usd_per_month: 54}",
            "payback_months",
            24_000 / (5000 - 1000 - 146 - 54),
        ),
        ("{capex_usd: 1000, saving_usd_per_month: 100}", "payback_years", 10 / 12),
        ("{capex_usd: 1000, api_usd_per_month: 300, host_usd_per_month: 200}", "payback_months", 10.0),
        (
            "{capex_usd: 60000, running_saving_usd_per_month: 4000, horizon_months: 36, discount_fraction_per_year: 0.1}",
            "npv_usd",
            64_745.83376887,
        ),
        (
            "{capex_usd: 60000, running_saving_usd_per_month: 4000, saving_growth_fraction_per_month: -0.08,"
            " horizon_months: 36, discount_fraction_per_year: 0.1}",
            "npv_usd",
            -19_731.50969513,
        ),
        (
            "{mtok_per_month: 40000, api_usd_per_mtok: 0.8, volume_growth_fraction_per_month: 0.04,"
            " monthly_price_decline_fraction: 0.04, horizon_months: 36, discount_fraction_per_year: 0.1}",
            "bill_npv_usd",
            979_603.91267812,
        ),
        # throughput
        ("{gpu_rent_usd_per_hour: 2, fleet_tok_per_s: 1000, busy_fraction: 0.25}", "host_usd_per_mtok", 2 / 0.9),
        ("{gpus_count: 4, gpu_tok_per_s: 250, gpu_rent_usd_per_gpu_hour: 0.5}", "host_usd_per_mtok", 2 / 3.6),
        ("{host_usd_per_month: 7200, tokens_per_day: 1.0e+9, days_per_month: 30}", "host_usd_per_mtok", 0.24),
        # break-even
        ("{host_usd_per_month: 5000, api_usd_per_mtok: 0.3, marginal_usd_per_mtok: 0.05}",
         "breakeven_tokens_per_month", 2e10),
        (
            "{gpu_rent_usd_per_month: 900, engineering_labour_usd_per_month: 100, api_usd_per_request: 0.01,"
            " days_per_month: 30}",
            "breakeven_requests_per_day",
            100_000 / 30,
        ),
        # shares, ratios, mixes
        ("{before_usd_per_month: 47000, after_usd_per_month: 8000}", "saving_fraction", 1 - 8 / 47),
        ("{before_usd_per_month: 47000, after_usd_per_month: 8000}", "saving_usd_per_year", 468_000.0),
        ("{cheap_usd_per_request: 0.001, frontier_usd_per_request: 0.02, cheap_fraction: 0.6}",
         "routed_usd_per_request", 0.0086),
        ("{cheap_usd_per_mtok: 0.1, frontier_usd_per_mtok: 15, cheap_fraction: 0.8}", "routing_saving_fraction", 1 - 3.08 / 15),
        ("{params_count: 70.0e+9, weight_bytes_per_param: 0.5}", "weights_gb", 35.0),
        ("{api_usd_per_request: 0.01, success_fraction: 0.9}", "cost_usd_per_success", 0.0111111111),
        # other currencies
        ("{capex_gbp: 100, usd_per_gbp: 1.25}", "capex_usd", 125.0),
        ("{api_cny_per_month: 700, usd_per_cny: 0.14}", "api_cny_per_year", 8400.0),
    ],
)  # fmt: skip
def test_figures_by_hand(given: str, name: str, wanted: float) -> None:
    text = f"given: {given}\nrecomputed: {{{name}: }}\n"
    assert figure(text, name) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("{capex_usd: 30000, api_usd_per_month: 15000, running_usd_per_month: 15000}", "payback_months"),
        ("{capex_usd: 30000, api_usd_per_month: 15000, running_usd_per_month: 16000}", "payback_months"),
        ("{capex_usd: 30000, cloud_usd_per_hour: 1, running_usd_per_hour: 2}", "payback_hours"),
        ("{host_usd_per_month: 1, api_usd_per_mtok: 0.1, marginal_usd_per_mtok: 0.2}", "breakeven_mtok_per_month"),
        (
            "{host_usd_per_month: 1, api_usd_per_request: 0.1, marginal_usd_per_request: 0.1}",
            "breakeven_requests_per_month",
        ),
    ],
)
def test_never_is_an_answer(given: str, name: str) -> None:
    found = checked(f"given: {given}\npublished: {{{name}: never}}\n")
    assert row_of(found, name).is_never
    assert found.is_reproduced


def test_both_conventions_of_cached_tokens_give_the_same_bill() -> None:
    prices = "input_usd_per_mtok: 3, cache_read_usd_per_mtok: 0.3, output_usd_per_mtok: 15, output_tokens: 40"
    openai = figure(
        f"given: {{prompt_tokens: 1000, cache_read_tokens: 900, {prices}}}\nrecomputed: {{api_usd: }}", "api_usd"
    )
    anthropic = figure(
        f"given: {{uncached_input_tokens: 100, cache_read_tokens: 900, {prices}}}\nrecomputed: {{api_usd: }}", "api_usd"
    )
    assert openai == pytest.approx(anthropic) == pytest.approx((100 * 3 + 900 * 0.3 + 40 * 15) / 1e6)


def test_a_share_of_the_hours_busy_changes_no_rent() -> None:
    common = "gpus_count: 1, gpu_rent_usd_per_gpu_hour: 1.5, hours_per_month: 730"
    busy = figure(
        f"given: {{{common}, busy_fraction: 0.3}}\nrecomputed: {{gpu_rent_usd_per_month: }}", "gpu_rent_usd_per_month"
    )
    billed = figure(
        f"given: {{{common}, billed_fraction: 0.3}}\nrecomputed: {{gpu_rent_usd_per_month: }}", "gpu_rent_usd_per_month"
    )
    assert (busy, billed) == (pytest.approx(1095.0), pytest.approx(328.5))


def test_parts_add_up_and_common_facts_count_once() -> None:
    text = """
    given: {hours_per_month: 730, storage_usd_per_month: 10}
    parts:
      a: {gpu_rent_usd_per_hour: 1}
      b: {gpu_rent_usd_per_hour: 2}
    recomputed: {gpu_rent_usd_per_month: , running_usd_per_month: , b.running_usd_per_month: }
    """
    assert figure(text, "gpu_rent_usd_per_month") == pytest.approx(3 * 730)
    assert figure(text, "running_usd_per_month") == pytest.approx(3 * 730 + 10)
    assert figure(text, "b.running_usd_per_month") == pytest.approx(2 * 730 + 10)


def test_a_stated_volume_goes_before_a_fleet_at_full_speed() -> None:
    text = """
    given:
      {requests_per_day: 10, days_per_month: 30, input_tokens_per_request: 3, output_tokens_per_request: 1,
       fleet_tok_per_s: 900, hours_per_month: 730, busy_fraction: 0.5}
    recomputed: {tokens_per_month: }
    """
    assert figure(text, "tokens_per_month") == pytest.approx(1200.0)


def test_hours_that_are_not_billed_are_not_paid_however_the_rent_is_given() -> None:
    common = "hours_per_month: 100, billed_fraction: 0.5"
    for rent in ("gpu_rent_usd_per_hour: 2", "gpus_count: 2, gpu_rent_usd_per_gpu_hour: 1"):
        text = f"given: {{{common}, {rent}}}\nrecomputed: {{gpu_rent_usd_per_month: }}"
        assert figure(text, "gpu_rent_usd_per_month") == pytest.approx(100.0)


def test_a_saving_that_is_a_loss_says_so() -> None:
    from breakeven.reports.claim_wording import verdict_sentence

    text = "given: {before_usd: 100, after_usd: 123}\npublished: {saving_fraction: 0.7}\n"
    assert verdict_sentence(checked(text)) == "Off: it costs 23 % more; the claim says saving_fraction is 70 %."


def test_what_a_claim_states_as_a_whole_is_not_added_to() -> None:
    text = """
    given: {running_usd_per_hour: 2, engineering_labour_usd_per_month: 500, hours_per_month: 730}
    recomputed: {running_usd_per_month: }
    """
    assert figure(text, "running_usd_per_month") == pytest.approx(1460.0)


def test_own_arithmetic_converts_units() -> None:
    text = """
    given: {gpu_rent_usd_per_hour: 1.5, fleet_tok_per_s: 2000, a_usd_per_year: 120, b_usd_per_month: 5}
    define:
      own_usd_per_mtok: gpu_rent_usd_per_hour / fleet_tok_per_s
      both_usd_per_month: max(a_usd_per_year + b_usd_per_month, 0)
    recomputed: {own_usd_per_mtok: , both_usd_per_month: }
    """
    assert figure(text, "own_usd_per_mtok") == pytest.approx(1.5 / 7.2)
    assert figure(text, "both_usd_per_month") == pytest.approx(15.0)


def test_ranges_give_ranges() -> None:
    text = """
    given: {gpus_count: 1, gpu_rent_usd_per_gpu_hour: {low: 1, typical: 2, high: 4}, hours_per_month: 730}
    published: {gpu_rent_usd_per_month: {low: 1400, high: 1500}}
    """
    row = row_of(checked(text), "gpu_rent_usd_per_month")
    assert row.value == pytest.approx(1460.0)
    assert row.low == pytest.approx(730.0, rel=0.01) and row.high == pytest.approx(2920.0, rel=0.01)
    assert row.outcome == "inside"


def test_the_factor_is_named_with_what_it_may_be() -> None:
    cases = {
        "{gpus_count: 4, gpu_rent_usd_per_gpu_hour: 2, hours_per_month: 730}|gpu_rent_usd_per_month: 1460": "gpus_count",
        "{gpus_count: 1, gpu_rent_usd_per_gpu_hour: 1, hours_per_month: 720}|gpu_rent_usd_per_month: 730": "month of 730",
        "{cheap_usd_per_mtok: 5, frontier_usd_per_mtok: 15, cheap_fraction: 0.8}|cascade_usd_per_mtok: 7": "routed_usd",
        "{host_usd_per_month: 320, api_usd_per_mtok: 3}|breakeven_mtok_per_month: 0.1067": "thousands and millions",
        "{gpus_count: 1, gpu_rent_usd_per_gpu_hour: 1, hours_per_month: 730, busy_fraction: 0.25}"
        "|gpu_rent_usd_per_month: 182.5": "scales to zero",
    }
    for case, words in cases.items():
        given, _, published = case.partition("|")
        found = checked(f"given: {given}\npublished: {{{published}}}\n")
        assert found.verdict == "off"
        assert any(words in each.text for row in found.rows for each in row.suspects), case


def test_a_fleet_that_cannot_serve_its_break_even_is_flagged() -> None:
    text = """
    given: {gpus_count: 4, gpu_rent_usd_per_gpu_hour: 2.5, hours_per_month: 730, api_usd_per_mtok: 0.13, fleet_tok_per_s: 10000}
    published: {breakeven_mtok_per_month: 56154}
    """
    assert any("cannot serve it" in each for each in checked(text).flags)


def test_given_figures_that_contradict_the_others_are_flagged() -> None:
    text = """
    given: {api_usd_per_month: 100, host_usd_per_month: 50, input_mtok_per_month: 10, input_usd_per_mtok: 3}
    published: {saving_usd_per_month: 50}
    """
    assert any("api_usd_per_month 100; its other facts make 30" in each for each in checked(text).flags)


def test_missing_inputs_are_named() -> None:
    with pytest.raises(
        ClaimError, match=r"claim.yaml:4: published.payback_months: to recompute payback_months I need capex_usd"
    ):
        checked("given: {api_usd_per_month: 5, running_usd_per_month: 2}\npublished: {payback_months: 3}\n")
    with pytest.raises(ClaimError, match="cache_read_usd_per_mtok"):
        checked(
            "given: {prompt_tokens: 9, cache_read_tokens: 4, input_usd_per_mtok: 1, output_tokens: 0}\n"
            "published: {api_usd: 3}\n"
        )


def test_hours_of_a_month_are_never_assumed() -> None:
    with pytest.raises(ClaimError, match="hours_per_month"):
        checked("given: {gpus_count: 1, gpu_rent_usd_per_gpu_hour: 2}\npublished: {gpu_rent_usd_per_month: 1460}\n")


def test_lines_that_are_included_are_not_missing() -> None:
    text = """
    given: {gpus_count: 1, capex_usd: 4000, api_usd_per_month: 280, running_usd_per_month: 95}
    published: {payback_months: 21.6}
    """
    names = {each.line.name for each in checked(text).left_out[""].lines}
    assert {"engineering_labour", "electricity", "hardware_decay", "cost_of_capital"} <= names
    fewer = {
        each.line.name for each in checked(text + "includes: [electricity, engineering_labour]\n").left_out[""].lines
    }
    assert names - fewer == {"electricity", "engineering_labour"}


def test_the_headline_with_the_missing_lines_is_the_sum() -> None:
    text = """
    given: {gpus_count: 1, gpu_rent_usd_per_month: 1000, api_usd_per_request: 0.01}
    published: {breakeven_requests_per_month: 100000}
    """
    found = checked(text)
    row = row_of(found, "breakeven_requests_per_month")
    low, typical, high = (float(each.value[0]) for each in found.left_out[""].added())
    assert row.with_lines is not None
    assert row.with_lines.typical == pytest.approx((1000 + typical) / 0.01)
    assert (row.with_lines.low, row.with_lines.high) == (
        pytest.approx((1000 + low) / 0.01),
        pytest.approx((1000 + high) / 0.01),
    )
    assert 0 < low < typical < high and math.isfinite(high)


def test_a_claim_about_an_api_has_no_lines_to_miss() -> None:
    found = checked("given: {input_tokens: 5, input_usd_per_mtok: 2, output_tokens: 0}\nrecomputed: {api_usd: }\n")
    assert not found.left_out
    assert found.verdict == "reproduced"
