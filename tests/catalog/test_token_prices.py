"""Token prices: our rows give what genai-prices itself computes; what nobody lists is unpriced, never 0."""

from __future__ import annotations

import itertools
import random
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot

from breakeven.catalog.files import DATA
from breakeven.catalog.load import load_catalog, read_catalog
from breakeven.catalog.token_prices import (
    ContractPrice,
    PriceKey,
    TokenPriceRow,
    offer_prices,
    price_table,
    usage_usd,
)

DAY = date(2026, 11, 23)
CATALOG = load_catalog(DAY)
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)

PAIRS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5.2"),
    ("openai", "o3"),
    ("openai", "gpt-3.5-turbo"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("anthropic", "claude-opus-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("google", "claude-sonnet-4-5"),
    ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("azure", "gpt-4o"),
    ("deepseek", "deepseek-chat"),
    ("deepseek", "deepseek-v4-flash"),
    ("groq", "llama-3.3-70b-versatile"),
    ("groq", "openai/gpt-oss-120b"),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("fireworks", "accounts/fireworks/models/gpt-oss-120b"),
    ("mistral", "mistral-large-latest"),
    ("x-ai", "grok-4"),
    ("openrouter", "meta-llama/llama-3.1-8b-instruct"),
]


def _row_at(rows: list[TokenPriceRow], moment: datetime, input_tokens: int) -> TokenPriceRow:
    """The one row that a join would find."""
    (row,) = [
        row
        for row in rows
        if (row.since is None or row.since <= moment)
        and (row.until is None or moment < row.until)
        and row.input_tokens_from <= input_tokens
        and (row.input_tokens_until is None or input_tokens < row.input_tokens_until)
    ]
    return row


def _usage(rng: random.Random) -> dict[str, int]:
    total = rng.choice([0, 1, 900, 50_000, 199_999, 200_000, 200_001, 272_000, 272_001, 900_000])
    read = rng.randint(0, total)
    write = rng.randint(0, total - read)
    return {
        "input_tokens": total,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": rng.randint(0, write),
        "output_tokens": rng.randint(0, 20_000),
    }


@pytest.mark.parametrize(("provider", "model"), PAIRS)
@pytest.mark.parametrize("is_batch", [False, True])
@pytest.mark.parametrize("tier", ["", "flex", "priority"])
def test_rows_give_what_genai_prices_computes(provider: str, model: str, is_batch: bool, tier: str) -> None:
    rng = random.Random(f"{provider} {model} {is_batch} {tier}")
    first, last = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    rows = price_table([PriceKey(provider, model, tier, is_batch)], first, last, catalog=CATALOG)
    context = {**({"processing": "batch"} if is_batch else {}), **({"service_tier": tier} if tier else {})}
    for _ in range(20):
        moment = first + (last - first) * rng.random()
        usage = _usage(rng)
        oracle = calc_price(
            Usage(**usage), model, provider_id=provider, genai_request_timestamp=moment, price_context=context or None
        )
        ours = usage_usd(_row_at(rows, moment, usage["input_tokens"]), **usage)
        assert ours == pytest.approx(float(oracle.total_price), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("is_batch", [False, True])
def test_every_model_of_the_price_list_is_priced_alike_or_unpriced_for_a_reason(is_batch: bool) -> None:
    usage = {
        "input_tokens": 300_001,
        "cache_read_tokens": 100_000,
        "cache_write_tokens": 50_000,
        "cache_write_1h_tokens": 20_000,
        "output_tokens": 4_000,
    }
    context = {"processing": "batch"} if is_batch else None
    priced = unpriced = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            rows = price_table([PriceKey(provider.id, model.id, "", is_batch)], NOON, NOON, catalog=CATALOG)
            row = _row_at(rows, NOON, usage["input_tokens"])
            ours = usage_usd(row, **usage)
            if ours is None:
                assert row.reason or row.output_usd_per_mtok is None
                unpriced += 1
                continue
            oracle = calc_price(
                Usage(**usage), model.id, provider_id=provider.id, genai_request_timestamp=NOON, price_context=context
            )
            assert ours == pytest.approx(float(oracle.total_price), rel=1e-12), f"{provider.id}/{model.id}"
            priced += 1
    assert priced > 1500
    assert unpriced > 0


def test_worked_example_16_openai_style() -> None:
    """9,126 prompt tokens of which 4,864 cached, 3,197 completion, at 1.25 / 0.125 / 10."""
    contract = [ContractPrice("m", 1.25, 10.0, cache_read_usd_per_mtok=0.125)]
    (row,) = price_table([PriceKey("p", "m")], NOON, NOON, contract, CATALOG)
    assert usage_usd(row, 9_126, 3_197, cache_read_tokens=4_864) == pytest.approx(0.0379055, abs=1e-12)


def test_worked_example_16_anthropic_style() -> None:
    """Cached tokens beside the input: the inclusive input is their sum."""
    contract = [ContractPrice("big", 3.0, 15.0, None, 0.30, 3.75), ContractPrice("small", 0.8, 4.0)]
    keys = [PriceKey("anthropic", "big"), PriceKey("anthropic", "small")]
    big, small = price_table(keys, NOON, NOON, contract, CATALOG)
    dear = usage_usd(big, 450 + 14_000_000 + 293_700, 36_100, 14_000_000, 293_700)
    cheap = usage_usd(small, 105_400, 3_600)
    assert dear is not None
    assert cheap is not None
    assert dear + cheap == pytest.approx(5.942945, abs=1e-12)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (PriceKey("openai", "gpt-99"), "openai lists no model 'gpt-99'"),
        (PriceKey("openai", "claude-sonnet-4-5"), "openai lists no model"),
        (PriceKey("openai", "ft:gpt-4o-mini:acme::7"), "openai lists no model"),
        (PriceKey("inhouse", "gpt-4o"), "no price list knows the provider 'inhouse'"),
        (PriceKey(None, "house-model"), "no maker's price list knows"),
        (PriceKey("", ""), "the log names no model"),
        (PriceKey("openai", None), "the log names no model"),
        (PriceKey(None, "gpt-oss-120b"), "many sell 'gpt-oss-120b': name the provider"),
        (PriceKey(None, "meta-llama/Llama-3.3-70B-Instruct"), "name the provider"),
        (PriceKey("perplexity", "sonar"), "not modelled (requests_kcount)"),
        (PriceKey("siliconflow", "Qwen/Qwen3-8B"), "free tier"),
        (PriceKey("openai", "whisper-1"), "without a price per input token"),
    ],
)
def test_what_nobody_prices_is_unpriced_with_a_reason_and_never_zero(key: PriceKey, reason: str) -> None:
    (row,) = price_table([key], NOON, NOON, catalog=CATALOG)
    assert row.status == "unpriced"
    assert reason in row.reason
    assert row.input_usd_per_mtok is None
    assert row.output_usd_per_mtok is None
    assert row.cache_read_usd_per_mtok is None
    assert usage_usd(row, 1000, 1000) is None


@pytest.mark.parametrize(
    ("key", "matched"),
    [
        (PriceKey("azure.ai.openai", "gpt-4o"), "azure/gpt-4o"),
        (PriceKey("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"), "aws/"),
        (PriceKey("gcp.vertex_ai", "gemini-2.5-flash"), "google/gemini-2.5-flash"),
        (PriceKey("x_ai", "grok-4"), "x-ai/grok-4-0709"),
        (PriceKey("fireworks_ai", "accounts/fireworks/models/gpt-oss-120b"), "fireworks/gpt-oss-120b"),
        (PriceKey("OpenAI", "GPT-4o"), "openai/gpt-4o"),
        (PriceKey("openai", "openai/gpt-4o"), "openai/gpt-4o"),
        (PriceKey("litellm", "anthropic/claude-haiku-4-5"), "anthropic/claude-haiku-4-5"),
        (PriceKey(None, "openai/gpt-4o-mini"), "openai/gpt-4o-mini"),
        (PriceKey("openai", "gpt-5.2-20251211"), "openai/gpt-5.2"),
        (PriceKey(None, "claude-haiku-4-5"), "anthropic/claude-haiku-4-5"),
    ],
)
def test_names_of_logs_find_the_list(key: PriceKey, matched: str) -> None:
    row = price_table([key], NOON, NOON, catalog=CATALOG)[0]
    assert row.status == "priced"
    assert row.matched_model.startswith(matched)
    assert (row.provider, row.model) == (key.provider, key.model), "a row joins on what the log says"


def test_a_maker_taken_by_name_is_said() -> None:
    (row,) = price_table([PriceKey(None, "gpt-4o")], NOON, NOON, catalog=CATALOG)
    assert row.reason == "the log names no provider: price of openai taken"


def test_a_batch_price_that_is_not_listed_is_the_standard_price_and_said() -> None:
    rows = price_table([PriceKey("groq", "llama-3.3-70b-versatile", None, True)], NOON, NOON, catalog=CATALOG)
    assert "no batch price listed for this time: standard price used" in rows[0].reason


def test_batch_prices_start_when_the_list_says() -> None:
    first, last = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
    before, after = price_table([PriceKey("openai", "gpt-5", None, True)], first, last, catalog=CATALOG)
    assert before.until == after.since == datetime(2026, 10, 14, tzinfo=UTC)
    assert (before.input_usd_per_mtok, after.input_usd_per_mtok) == (1.25, 0.625)
    assert before.reason
    assert not after.reason


def test_tiers_go_by_the_whole_input() -> None:
    low, high = price_table([PriceKey("google", "gemini-2.5-pro")], NOON, NOON, catalog=CATALOG)
    assert (low.input_tokens_from, low.input_tokens_until) == (0, 200_001)
    assert (high.input_tokens_from, high.input_tokens_until) == (200_001, None)
    assert (low.input_usd_per_mtok, high.input_usd_per_mtok) == (1.25, 2.5)


def test_prices_by_the_hour_of_the_day_are_split_into_windows() -> None:
    first, last = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, 23, 59, 59, tzinfo=UTC)
    rows = price_table([PriceKey("deepseek", "deepseek-chat")], first, last, catalog=CATALOG)
    by_day = [row for row in rows if row.input_usd_per_mtok == 0.27]
    assert [(row.since, row.until) for row in by_day] == [
        (datetime(2026, 10, day, 0, 30, tzinfo=UTC), datetime(2026, 10, day, 16, 30, tzinfo=UTC)) for day in (1, 2)
    ]
    assert all(one.until == other.since for one, other in itertools.pairwise(rows))
    assert rows[0].since is not None
    assert rows[0].since <= first
    assert rows[-1].until is not None
    assert rows[-1].until > last


def test_the_catalogue_wins_over_the_list_and_knows_when_it_starts() -> None:
    first, last = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
    key = PriceKey("deepinfra", "meta-llama/Llama-3.3-70B-Instruct-Turbo")
    before, after = price_table([key], first, last, catalog=CATALOG)
    assert before.status == "unpriced"
    assert before.reason == "the first known price starts 2026-11-01"
    assert (after.input_usd_per_mtok, after.output_usd_per_mtok) == (0.10, 0.32)


def test_foreign_prices_are_converted_at_the_dated_rate_and_say_so() -> None:
    (row,) = offer_prices(CATALOG.token_offers["siliconflow-deepseek-v3"], CATALOG)
    rate = CATALOG.fx["cny"].typical
    assert (row.input_usd_per_mtok, row.output_usd_per_mtok) == (2.0 * rate, 8.0 * rate)
    assert f"CNY at {rate:g} USD (0.139 to 0.147, read 2026-01-08)" in row.reason


def test_without_a_rate_a_foreign_price_is_unpriced(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    (tmp_path / "data" / "fx.yaml").unlink()
    catalog = read_catalog(tmp_path / "data", DAY)
    (row,) = offer_prices(catalog.token_offers["siliconflow-deepseek-v3"], catalog)
    assert row.status == "unpriced"
    assert "quoted in CNY, for which the catalogue has no rate" in row.reason


def test_an_offer_before_its_first_price_names_that_day() -> None:
    early = load_catalog(date(2026, 1, 20))
    (row,) = offer_prices(early.token_offers["siliconflow-deepseek-v3"], early)
    assert row.status == "unpriced"
    assert row.reason == "the first known price starts 2026-02-08"


def test_an_offer_is_priced_on_the_catalogues_day() -> None:
    old, new = load_catalog(date(2026, 10, 1)), load_catalog(date(2026, 11, 1))
    name = "openrouter-llama-3.1-8b"
    assert offer_prices(old.token_offers[name], old)[0].input_usd_per_mtok == 0.02
    assert offer_prices(new.token_offers[name], new)[0].input_usd_per_mtok == 0.05


def test_a_contract_prices_an_offer_too() -> None:
    (row,) = offer_prices(CATALOG.token_offers["openai-gpt-5"], CATALOG, [ContractPrice("gpt-5", 1.0, 8.0)])
    assert row.input_usd_per_mtok == 1.0


def test_each_distinct_key_is_resolved_once_and_gives_the_same_rows_in_any_order() -> None:
    keys = [PriceKey("openai", "gpt-4o"), PriceKey("google", "gemini-2.5-pro")]
    once = price_table(keys, NOON, NOON, catalog=CATALOG)
    assert price_table([*keys, *keys], NOON, NOON, catalog=CATALOG) == once
    assert sorted(price_table(keys[::-1], NOON, NOON, catalog=CATALOG), key=str) == sorted(once, key=str)


def test_naive_and_foreign_times_are_taken_to_utc() -> None:
    naive = datetime(2026, 10, 20, 12)  # noqa: DTZ001
    key = [PriceKey("deepseek", "deepseek-chat")]
    assert price_table(key, naive, naive, catalog=CATALOG) == price_table(key, NOON, NOON, catalog=CATALOG)


def test_output_without_a_price_cannot_be_billed() -> None:
    (row,) = price_table([PriceKey("openai", "text-embedding-3-small")], NOON, NOON, catalog=CATALOG)
    assert row.output_usd_per_mtok is None
    assert usage_usd(row, 1_000_000, 0) == pytest.approx(0.02)
    assert usage_usd(row, 1_000_000, 1) is None


def test_the_source_says_which_release_and_when_it_was_checked(tmp_path: Path) -> None:
    (row,) = price_table([PriceKey("openai", "gpt-4o")], NOON, NOON, catalog=CATALOG)
    assert row.source.title == f"genai-prices {CATALOG.genai_prices_version}: openai/gpt-4o"
    assert row.source.read == CATALOG.genai_prices_read == DAY
    shutil.copytree(DATA, tmp_path / "data")
    path = tmp_path / "data" / "catalogue.yaml"
    path.write_text(path.read_text("utf-8").replace("version: 0.2.3", "version: 0.2.0"), "utf-8")
    unchecked = read_catalog(tmp_path / "data", DAY)
    (row,) = price_table([PriceKey("openai", "gpt-4o")], NOON, NOON, catalog=unchecked)
    assert NOON.date() - timedelta(days=30) < row.source.read <= NOON.date(), "the latest change it contains"


def test_without_a_catalogue_the_day_of_the_last_call_decides() -> None:
    assert price_table([PriceKey("openai", "gpt-4o")], NOON, NOON)[0].status == "priced"
