"""The Call record: names, order, types, invariants."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from breakeven.units import UNIT_BY_SUFFIX, unit_of
from breakeven.usage.call import CALL_COLUMNS, INVARIANTS, Call, broken_invariant

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def call(**fields: object) -> Call:
    return Call("a", "test", NOON, **fields)  # type: ignore[arg-type]


def test_the_columns_are_the_fields_of_the_record() -> None:
    assert [
        column.name for column in CALL_COLUMNS if column.name not in ("source_file", "source_line", "start_time")
    ] == [
        field.name
        for field in dataclasses.fields(Call)
        if field.name not in ("source_file", "source_line", "start_time")
    ]
    assert {column.name for column in CALL_COLUMNS} == {field.name for field in dataclasses.fields(Call)}


def test_every_column_says_what_it_is() -> None:
    assert all(column.meaning for column in CALL_COLUMNS)
    assert len({column.name for column in CALL_COLUMNS}) == len(CALL_COLUMNS)


def test_the_unit_of_a_column_is_that_of_its_name() -> None:
    for column in CALL_COLUMNS:
        if unit_of(column.name) and not column.name.endswith("1h_tokens"):
            wanted = {"second": "s"}.get(str(unit_of(column.name)), unit_of(column.name))
            assert column.unit in (wanted, "request"), column.name
    assert "tokens" in UNIT_BY_SUFFIX


def test_token_columns_carry_the_open_telemetry_names() -> None:
    otel = {column.name: column.otel for column in CALL_COLUMNS}
    assert otel["input_tokens"] == "gen_ai.usage.input_tokens"
    assert otel["cache_read_tokens"] == "gen_ai.usage.cache_read.input_tokens"
    assert otel["output_tokens"] == "gen_ai.usage.output_tokens"


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"input_tokens": -1}, 0),
        ({"input_tokens": 10**9}, 0),
        ({"input_tokens": 5, "cache_read_tokens": 3, "cache_write_tokens": 3}, 1),
        ({"input_tokens": 5, "cache_write_tokens": 2, "cache_write_1h_tokens": 3}, 2),
        ({"output_tokens": 5, "reasoning_tokens": 6}, 3),
        ({"input_tokens": 5, "audio_input_tokens": 3, "image_input_tokens": 3}, 4),
        ({"output_tokens": 5, "audio_output_tokens": 6}, 5),
        ({"end_time": NOON - timedelta(seconds=1)}, 6),
        ({"weight": 0.0}, 7),
        ({"request_count": -1}, 7),
        ({"outcome": 1.5}, 8),
    ],
)
def test_a_broken_invariant_is_named(fields: dict[str, object], broken: int) -> None:
    assert broken_invariant(call(**fields)) == INVARIANTS[broken]


def test_a_good_call_breaks_none() -> None:
    good = call(input_tokens=10, cache_read_tokens=4, cache_write_tokens=6, output_tokens=3, reasoning_tokens=3)
    assert broken_invariant(good) is None
    assert broken_invariant(call(grain="bucket", input_tokens=10**10, request_count=None)) is None
