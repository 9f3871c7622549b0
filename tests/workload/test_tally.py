"""The tally against each call priced by hand in exact fractions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from breakeven.catalog.token_prices import TokenPriceRow
from breakeven.facts.source import Grade, Source
from breakeven.usage.call import Call
from breakeven.workload.hourly import cells
from breakeven.workload.tally import Tally, classes_of, tally_of

from .typed_calls import MONDAY, call, table

SOURCE = Source("typed", "here", date(2026, 10, 1), Grade.GUESS)
HALF_PAST_TEN = MONDAY + timedelta(hours=10.5)
CHEAP = TokenPriceRow(
    "p", "m", None, False, None, HALF_PAST_TEN, 0, 1000, 1.1, 0.1, 1.3, 2.2, 9.7, "priced", "", SOURCE, "p/m", 30.5
)
LONG = replace(CHEAP, input_tokens_from=1000, input_tokens_until=None, input_usd_per_mtok=2.2)
LATER = replace(CHEAP, since=HALF_PAST_TEN, until=None, input_tokens_until=None, output_usd_per_mtok=None)
ROWS = (CHEAP, LONG, LATER)


def random_calls(count: int = 500) -> list[Call]:
    rng = np.random.default_rng(5)
    found = []
    for number in range(count):
        heard, spoken = (int(each) for each in rng.integers(0, 200, 2) * (rng.random(2) < 0.2))
        read, write, hour_write = (int(each) for each in rng.integers(0, 300, 3))
        found.append(
            call(
                number,
                float(rng.uniform(9.5, 11.5)),
                provider="p",
                request_model=("m", "unknown")[int(rng.random() < 0.1)],
                grain=("request", "bucket")[int(rng.random() < 0.1)],
                weight=(1.0, 3.7)[rng.integers(2)],
                input_tokens=int(rng.integers(0, 2000)) + read + write + hour_write + heard // 2,
                cache_read_tokens=read,
                cache_write_tokens=write + hour_write,
                cache_write_1h_tokens=hour_write,
                output_tokens=int(rng.integers(0, 2) * rng.integers(1, 900)) + spoken,
                audio_input_tokens=heard,
                audio_output_tokens=spoken,
            )
        )
    return found


def by_hand(each: Call) -> Fraction | None:
    """What one call costs: None when that is unknown. A bucket is priced as small calls."""
    if each.request_model != "m":
        return None
    size = each.input_tokens if each.grain == "request" else 0
    row = LATER if each.start_time >= HALF_PAST_TEN else CHEAP if size < 1000 else LONG
    if row.output_usd_per_mtok is None and each.output_tokens:
        return None
    if each.audio_output_tokens:
        return None
    plain = each.input_tokens - each.cache_read_tokens - each.cache_write_tokens
    heard = min(each.audio_input_tokens, plain)
    kinds = (
        (plain - heard, row.input_usd_per_mtok),
        (heard, row.audio_input_usd_per_mtok),
        (each.cache_read_tokens, row.cache_read_usd_per_mtok),
        (each.cache_write_tokens - each.cache_write_1h_tokens, row.cache_write_usd_per_mtok),
        (each.cache_write_1h_tokens, row.cache_write_1h_usd_per_mtok),
        (each.output_tokens, row.output_usd_per_mtok or 0),
    )
    return sum(Fraction(tokens) * Fraction(str(usd)) for tokens, usd in kinds) / 10**6 * Fraction(str(each.weight))


def tally(calls: list[Call]) -> Tally:
    classes = classes_of(ROWS)
    return tally_of(cells(table(calls), classes).to_pyarrow(), ROWS, classes)


def test_the_edges_of_prices_are_found() -> None:
    assert classes_of(ROWS).sizes_tokens == (1000,)
    assert classes_of(ROWS).offsets_s == (1800,)
    assert classes_of([]).key == "2;;"


def test_spend_is_the_exact_sum_of_the_calls() -> None:
    """A price changes at half past, another with the size of the input, some calls have no price at all."""
    calls = random_calls()
    found = tally(calls)
    costs = [by_hand(each) for each in calls]
    assert any(each is None for each in costs)
    assert found.spend_usd(np.zeros(found.hours.size, np.int64), 1) == [float(sum(each or 0 for each in costs))]
    models = dict(zip(found.names, found.spend_usd(found.models, 2), strict=True))
    assert models[("p", "unknown")] is None
    assert models[("p", "m")] == float(sum(each or 0 for each in costs))
    unpriced = sum(Fraction(str(each.weight)) for each, usd in zip(calls, costs, strict=True) if usd is None)
    assert found.total("requests", found.is_unpriced) == float(unpriced)


def test_sums_are_weighted_and_grouped() -> None:
    calls = random_calls()
    found = tally(calls)
    slots = found.hours - found.hours.min()
    wanted = [Fraction(0)] * (int(slots.max()) + 1)
    for each in calls:
        wanted[each.start_time.hour - 9] += each.input_tokens * Fraction(str(each.weight))
    assert found.by(slots, len(wanted), "input_tokens") == [float(each) for each in wanted]


def test_the_order_and_the_parts_do_not_matter() -> None:
    calls = random_calls()
    zero = np.zeros(tally(calls).hours.size, np.int64)
    assert tally(calls).spend_usd(zero, 1) == tally(calls[::-1]).spend_usd(zero, 1)


@pytest.mark.parametrize("price", [0.1, 1.25, 0.0375])
def test_a_price_is_the_decimal_number_it_is_printed_as(price: float) -> None:
    row = replace(CHEAP, until=None, input_tokens_until=None, input_usd_per_mtok=price, output_usd_per_mtok=0.0)
    calls = [call(n, n, provider="p", request_model="m", input_tokens=1_000_000, output_tokens=0) for n in range(3)]
    found = tally_of(cells(table(calls), classes_of([row])).to_pyarrow(), [row], classes_of([row]))
    assert found.spend_usd(np.zeros(3, np.int64), 1) == [float(Fraction(str(price)) * 3)]


@pytest.mark.parametrize("model", ["m", "unknown"])
def test_an_answer_from_the_callers_own_cache_costs_nothing_and_keeps_its_tokens(model: str) -> None:
    found = tally([call(1, 10, provider="p", request_model=model, status="cache_hit")])
    assert found.spend_usd(np.zeros(1, np.int64), 1) == [0.0]
    assert found.total("input_tokens") == 1000 and not found.is_unpriced.any()
