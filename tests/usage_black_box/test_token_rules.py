"""Tokens of a Call are inclusive, whatever the rule of the source."""

from __future__ import annotations

from usage_black_box.logs import calls, counts, jsonl, reject_rows, row

WHEN = {"start_time": "2026-11-01T00:00:00Z", "model": "m"}


def tokens(call):
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
    return tuple(call[name] for name in (*names, "reasoning_tokens"))


def test_openai_counts_cached_tokens_inside_the_prompt(take, store):
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "prompt_tokens_details": {"cached_tokens": 800},
        "completion_tokens_details": {"reasoning_tokens": 200},
    }
    assert counts(take(jsonl({**WHEN, "usage": usage}))) == (1, 1, 0, 0)
    assert tokens(calls(store)[0]) == (1000, 800, 0, 0, 300, 200)


def test_openai_responses_count_cached_tokens_inside_the_input(take, store):
    usage = {"input_tokens": 1000, "output_tokens": 300, "input_tokens_details": {"cached_tokens": 800}}
    take(jsonl({**WHEN, "usage": usage}))
    assert tokens(calls(store)[0]) == (1000, 800, 0, 0, 300, 0)


def test_anthropic_counts_cached_tokens_beside_the_input(take, store):
    usage = {"input_tokens": 100, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 50, "output_tokens": 9}
    take(jsonl({**WHEN, "usage": usage}))
    assert tokens(calls(store)[0]) == (950, 800, 50, 0, 9, 0)


def test_anthropic_cache_lifetimes(take, store):
    both = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20}
    usage = {"input_tokens": 100, "cache_read_input_tokens": 800, "output_tokens": 9, "cache_creation": both}
    take(jsonl({**WHEN, "usage": usage}, {**WHEN, "usage": {**usage, "cache_creation_input_tokens": 50}}))
    assert [tokens(each) for each in calls(store)] == [(950, 800, 50, 20, 9, 0)] * 2


def test_anthropic_and_openai_rows_in_one_file(take, store):
    anthropic = {"input_tokens": 100, "cache_read_input_tokens": 800, "output_tokens": 9}
    openai = {"prompt_tokens": 1000, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 800}}
    lines = [{**WHEN, "id": "a", "usage": anthropic}, {**WHEN, "id": "b", "usage": openai}]
    assert counts(take(jsonl(*lines))) == (2, 2, 0, 0)
    assert [tokens(each)[:2] for each in calls(store)] == [(900, 800), (1000, 800)]


def test_opentelemetry_flat_and_nested(take, store):
    flat = {**WHEN, "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 5}
    flat["gen_ai.usage.cache_read.input_tokens"] = 800
    usage = {"input_tokens": 1000, "output_tokens": 5, "cache_read": {"input_tokens": 800}}
    nested = {**WHEN, "gen_ai": {"usage": usage}}
    assert counts(take(jsonl(flat, nested))) == (2, 2, 0, 0)
    assert [tokens(each) for each in calls(store)] == [(1000, 800, 0, 0, 5, 0)] * 2


def test_relations_that_cannot_be(take, store):
    bad = [
        row(1, cache_read_tokens=102),
        row(2, cache_write_tokens=103),
        row(3, cache_read_tokens=60, cache_write_tokens=60),
        row(4, cache_write_tokens=5, cache_write_1h_tokens=6),
        row(5, reasoning_tokens=16),
    ]
    fine = [row(6, cache_read_tokens=106), row(7, reasoning_tokens=17, cache_write_tokens=7, cache_write_1h_tokens=7)]
    assert counts(take(jsonl(row(0), *bad, *fine))) == (8, 3, 0, 5)
    assert reject_rows(store) == [2, 3, 4, 5, 6]


def test_a_sum_beside_the_input_may_not_leave_the_limit(take, store):
    """Each count is within the limit of a request, their sum is not."""
    usage = {"input_tokens": 100_000_000, "cache_read_input_tokens": 100_000_000, "output_tokens": 1}
    assert counts(take(jsonl(row(0), {**WHEN, "usage": usage}))) == (2, 1, 0, 1)


def test_every_call_of_odd_combinations_keeps_the_invariants(take, store):
    names = ("input_tokens", "prompt_tokens", "cache_read_tokens", "cached_tokens", "cache_read_input_tokens")
    names += ("cache_creation_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    lines = [
        {**WHEN, **{name: (number * 7 + place * 31) % 97 for place, name in enumerate(names) if number >> place & 1}}
        for number in range(1 << len(names))
    ]
    report = take(jsonl(row(0), *lines))
    assert report.rows_in == 513 and 1 < report.calls < 513
    for call in calls(store):
        assert 0 <= call["cache_read_tokens"] + call["cache_write_tokens"] <= call["input_tokens"]
        assert 0 <= call["cache_write_1h_tokens"] <= call["cache_write_tokens"]
        assert 0 <= call["reasoning_tokens"] <= call["output_tokens"]
