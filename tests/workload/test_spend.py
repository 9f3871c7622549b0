"""Money: cached tokens, tiers, contracts, unpriced models; each against a calculation by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import load_catalog
from breakeven.catalog.token_prices import price_table
from breakeven.usage.call import Call
from breakeven.workload.spend import price_keys, priced

from .typed_calls import MONDAY, call, table

CATALOG = load_catalog(date(2026, 11, 23))

pytestmark = pytest.mark.usefixtures("each_engine")


def spend(calls: list[Call], contract: tuple[ContractPrice, ...] = ()) -> list[float | None]:
    """Spend of each call, in the order given."""
    expression = table(calls)
    rows = price_table(price_keys(expression), MONDAY, MONDAY + timedelta(days=30), contract, CATALOG)
    found = priced(expression, rows).select("record_id", "spend_usd").to_pyarrow().to_pylist()
    assert len(found) == len(calls)
    by_id = {row["record_id"]: row["spend_usd"] for row in found}
    return [by_id[each.record_id] for each in calls]


def test_worked_example_16_openai_counts_cached_tokens_inside_the_prompt() -> None:
    contract = ContractPrice("m", 1.25, 10.0, "openai", cache_read_usd_per_mtok=0.125)
    calls = [call(1, 0, request_model="m", input_tokens=9126, cache_read_tokens=4864, output_tokens=3197)]
    assert spend(calls, (contract,)) == [pytest.approx(0.0379055, abs=1e-12)]


def test_worked_example_16_anthropic_counts_them_outside() -> None:
    """450 in, 14,000,000 read and 293,700 written outside of it: stored inclusive as 14,294,150."""
    contract = (
        ContractPrice("sonnet", 3.0, 15.0, "anthropic", cache_read_usd_per_mtok=0.30, cache_write_usd_per_mtok=3.75),
        ContractPrice("haiku", 0.8, 4.0, "anthropic"),
    )
    calls = [
        call(
            1,
            0,
            provider="anthropic",
            request_model="sonnet",
            input_tokens=450 + 14_000_000 + 293_700,
            cache_read_tokens=14_000_000,
            cache_write_tokens=293_700,
            output_tokens=36_100,
        ),
        call(2, 1, provider="anthropic", request_model="haiku", input_tokens=105_400, output_tokens=3_600),
    ]
    assert sum(each or 0 for each in spend(calls, contract)) == pytest.approx(5.942945, abs=1e-12)


def test_an_unknown_model_is_null_never_zero() -> None:
    assert spend([call(1, 0, request_model="acme-private-7b"), call(2, 1)]) == [None, pytest.approx(0.00225)]


def test_an_answer_from_the_callers_own_cache_costs_nothing() -> None:
    calls = [call(1, 0, status="cache_hit"), call(2, 1, status="cache_hit", request_model="acme-7b"), call(3, 2)]
    assert spend(calls) == [0.0, 0.0, pytest.approx(0.00225)]


def test_a_call_that_names_no_model_is_null() -> None:
    assert spend([call(1, 0, request_model=None, provider=None)]) == [None]


def test_each_call_is_priced_once_at_its_own_day() -> None:
    contract = (
        ContractPrice("m", 1.0, 0.0, "p", until=date(2026, 10, 6)),
        ContractPrice("m", 3.0, 0.0, "p", since=date(2026, 10, 6)),
    )
    calls = [call(n, hours, provider="p", request_model="m") for n, hours in enumerate((23.999, 24.0, 30.0))]
    assert spend(calls, contract) == [pytest.approx(0.001), pytest.approx(0.003), pytest.approx(0.003)]


def test_tiers_go_by_the_size_of_each_call() -> None:
    contract = (
        ContractPrice("m", 1.0, 2.0, "p", input_tokens_until=1001),
        ContractPrice("m", 10.0, 20.0, "p", input_tokens_from=1001),
    )
    calls = [call(n, n, provider="p", request_model="m", input_tokens=size) for n, size in enumerate((1000, 1001))]
    assert spend(calls, contract) == [pytest.approx(0.0012), pytest.approx(0.01201)]


def test_a_sampled_call_stands_for_several() -> None:
    assert spend([call(1, 0, weight=10.0)]) == [pytest.approx(0.0225)]


def test_the_response_model_is_what_is_billed() -> None:
    expression = table([call(1, 0, request_model="my-deployment", response_model="gpt-5")])
    assert [key.model for key in price_keys(expression)] == ["gpt-5"]


def test_distinct_keys_only() -> None:
    calls = [call(n, n % 7, request_model=("gpt-5", "gpt-5-mini")[n % 2]) for n in range(50)]
    assert [key.model for key in price_keys(table(calls))] == ["gpt-5", "gpt-5-mini"]


def test_real_list_prices_agree_with_genai_prices_call_by_call() -> None:
    """Oracle: genai-prices computes each of these calls itself."""
    from genai_prices import Usage, calc_price

    when = datetime(2026, 10, 7, 12, tzinfo=UTC)
    hours = (when - MONDAY).total_seconds() / 3600
    cases = [
        ("openai", "gpt-5", 9126, 4864, 0, 3197),
        ("openai", "gpt-4o-mini", 500, 0, 0, 20),
        ("anthropic", "claude-sonnet-4-5", 30_000, 20_000, 5_000, 700),
        ("google", "gemini-2.5-pro", 250_000, 0, 0, 900),
        ("google", "gemini-2.5-pro", 150_000, 50_000, 0, 900),
    ]
    calls = [
        call(
            number,
            hours,
            provider=provider,
            request_model=model,
            input_tokens=total,
            cache_read_tokens=read,
            cache_write_tokens=write,
            output_tokens=output,
        )
        for number, (provider, model, total, read, write, output) in enumerate(cases)
    ]
    wanted = [
        float(
            calc_price(
                Usage(input_tokens=total, cache_read_tokens=read, cache_write_tokens=write, output_tokens=output),
                model,
                provider_id=provider,
                genai_request_timestamp=when,
            ).total_price
        )
        for provider, model, total, read, write, output in cases
    ]
    assert spend(calls) == [pytest.approx(each, rel=1e-12) for each in wanted]


def test_audio_costs_what_genai_prices_says_it_does() -> None:
    """Oracle: genai-prices computes each of these calls itself."""
    from genai_prices import Usage, calc_price

    cases = [("google", "gemini-2.5-flash", 5000, 0), ("openai", "gpt-audio", 3000, 700), ("openai", "gpt-audio", 0, 9)]
    calls = [
        call(
            number,
            number,
            provider=provider,
            request_model=model,
            input_tokens=8000,
            audio_input_tokens=heard,
            output_tokens=1000,
            audio_output_tokens=spoken,
        )
        for number, (provider, model, heard, spoken) in enumerate(cases)
    ]
    wanted = [
        calc_price(
            Usage(input_tokens=8000, input_audio_tokens=heard, output_tokens=1000, output_audio_tokens=spoken),
            model,
            provider_id=provider,
            genai_request_timestamp=MONDAY,
        ).total_price
        for provider, model, heard, spoken in cases
    ]
    assert spend(calls) == [pytest.approx(float(each), rel=1e-12) for each in wanted]


def test_audio_without_a_listed_price_is_null_never_text() -> None:
    heard = {"audio_input_tokens": 100}
    calls = [
        call(1, 0, request_model="gpt-4o-audio-preview", **heard),
        call(2, 1, request_model="gpt-4o-audio-preview", audio_output_tokens=1),
        call(3, 2, request_model="gpt-4o-audio-preview"),
        call(4, 3, request_model="gpt-4o-audio-preview", cache_read_tokens=1000, **heard),
    ]
    assert [each is None for each in spend(calls)] == [True, True, False, True]


def test_audio_that_can_only_have_been_cached_is_cached_input() -> None:
    seen = {"provider": "google", "request_model": "gemini-2.5-flash", "output_tokens": 0}
    calls = [call(1, 0, input_tokens=10**6, cache_read_tokens=400_000, audio_input_tokens=10**6, **seen)]
    assert spend(calls) == [pytest.approx(0.6 * 1.0 + 0.4 * 0.03)]
