"""Sums of a cell times its prices are what its calls cost, whatever edges the prices have."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import load_catalog
from breakeven.reports.focus_csv import focus_row
from breakeven.usage.call import CALL_COLUMNS, Call
from breakeven.usage.store.schema import call_schema
from breakeven.workload.billed_use import billed_use
from breakeven.workload.price_cells import price_cells
from breakeven.workload.token_charges import FREE, token_charges

MODELS = [
    ("deepseek", "deepseek-chat"),  # cheaper from 16:30 to 00:30 for a part of 2025
    ("google", "gemini-2.5-pro"),  # dearer above 200,000 tokens
    ("anthropic", "claude-sonnet-4-0"),
    ("google", "gemini-2.5-flash"),
    ("openai", "gpt-audio"),
    ("acme", "acme-7b"),
    ("openai", None),
]


def random_calls(seed: int) -> list[Call]:
    draw = random.Random(seed)
    calls = []
    for number in range(400):
        provider, model = draw.choice(MODELS)
        size = draw.choice([10, 1000, 199_999, 200_000, 200_001, 900_000])
        read = draw.randrange(size // 2)
        write = draw.randrange(size // 2)
        time = datetime(2025, 8, 31, tzinfo=UTC) + timedelta(minutes=draw.randrange(10 * 24 * 60))
        calls.append(
            Call(
                f"c{number}",
                "log",
                time,
                weight=draw.choice([1.0, 4.0]),
                provider=provider,
                request_model=model,
                input_tokens=size,
                cache_read_tokens=read,
                cache_write_tokens=write,
                cache_write_1h_tokens=write // 3,
                output_tokens=50,
                audio_input_tokens=size // 3 if model in ("gemini-2.5-flash", "gpt-audio") and number % 2 else 0,
                audio_output_tokens=30 if model == "gpt-audio" and number % 3 else 0,
                reasoning_tokens=20,
                is_batch=draw.random() < 0.3,
                status="cache_hit" if draw.random() < 0.2 else "ok",
            )
        )
    return calls


def table(calls: list[Call]) -> ibis.Table:
    rows = [{column.name: getattr(call, column.name) for column in CALL_COLUMNS} for call in calls]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=call_schema()))


@pytest.mark.parametrize("seed", [1, 2])
def test_each_cell_has_one_price(seed: int) -> None:
    calls = random_calls(seed)
    found = price_cells(table(calls), load_catalog(date(2026, 11, 25)))
    assert sum(each.requests_count for each in found.cells) == sum(each.weight for each in calls)
    for each in found.cells:
        usd = each.usd_at(found.book.row(each.key, each.time, each.size_tokens))
        assert (usd is None) == bool(each.unpriced_tokens)
        assert usd is None or usd == pytest.approx(each.spend_usd, rel=1e-9, abs=1e-9)
    charges = token_charges(table(calls), load_catalog(date(2026, 11, 25)))
    assert sum(each.paid_usd or 0.0 for each in charges) == pytest.approx(sum(each.spend_usd for each in found.cells))
    assert sum(each.consumed_tokens for each in charges) == sum(
        each.weight * (each.input_tokens + each.output_tokens) for each in calls
    )


def test_contract_prices_are_paid_and_list_prices_listed() -> None:
    catalog = load_catalog(date(2026, 11, 25))
    agreed = ContractPrice(provider="openai", model="gpt-5", input_usd_per_mtok=1.0, output_usd_per_mtok=8.0)
    call = Call(
        "c",
        "log",
        datetime(2026, 11, 2, tzinfo=UTC),
        provider="openai",
        request_model="gpt-5",
        input_tokens=10**6,
        output_tokens=10**6,
    )
    charges = token_charges(table([call]), catalog, [agreed])
    assert [(each.key.meter, each.list_usd, each.paid_usd) for each in charges] == [
        ("input", 1.25, 1.0),
        ("output", 10.0, 8.0),
    ]


def test_an_answer_from_the_callers_own_cache_is_listed_at_nothing() -> None:
    seen = {"provider": "openai", "request_model": "gpt-5", "input_tokens": 10**6}
    start = datetime(2026, 11, 2, tzinfo=UTC)
    calls = table([Call("c", "log", start, status="cache_hit", **seen), Call("d", "log", start, **seen)])
    catalog = load_catalog(date(2026, 11, 25))
    charges = token_charges(calls, catalog)
    assert sorted((each.paid_usd, each.consumed_tokens, each.key.reason) for each in charges) == [
        (0.0, 10**6, FREE),
        (1.25, 10**6, ""),
    ]
    assert {focus_row(each, "a")["BilledCost"] for each in charges} == {"0", "1.25"}
    billed = billed_use(calls, catalog)
    assert billed.spend_usd == 1.25 and billed.readings.all_batch_usd == 0.625
    assert (billed.rows[0].requests_count, billed.rows[0].input_tokens) == (2, 2 * 10**6)


def test_audio_has_its_own_meter_and_never_the_price_of_text() -> None:
    """Gemini lists audio input; the price of gpt-4o-audio-preview's audio is not listed, so it has none."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    heard = {"input_tokens": 3 * 10**6, "audio_input_tokens": 10**6}
    calls = table(
        [
            Call("c", "log", start, provider="google", request_model="gemini-2.5-flash", **heard),
            Call("d", "log", start, provider="openai", request_model="gpt-4o-audio-preview", **heard),
        ]
    )
    charges = token_charges(calls, load_catalog(date(2026, 11, 25)))
    assert [(each.key.meter, each.paid_usd, each.key.reason) for each in charges if each.key.meter != "input"] == [
        ("audio input", 1.0, ""),
        ("audio input", None, "no price of audio input tokens"),
    ]
    assert focus_row(charges[-1], "a")["x_Unpriced"] == "true"
    assert [each.unpriced_tokens for each in billed_use(calls, load_catalog(date(2026, 11, 25))).rows] == [0, 3 * 10**6]
