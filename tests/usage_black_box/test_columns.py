"""Columns: unknown, renamed, missing, mapped, and named by an enemy."""

from __future__ import annotations

import pytest

from breakeven.errors import UsageError
from usage_black_box.logs import calls, counts, csv_text, jsonl, row, rows

HEADER = ("start_time", "input_tokens", "output_tokens")
LINES = [("2026-11-01T00:00:00Z", "1", "2")]
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b[31mred",
    "'; DROP TABLE calls; --",
    '"quoted"',
    "a\nb",
    "{{7*7}}",
    "%s%n",
    "../../etc/passwd",
    "‮override",
    "$(touch x)",
    "{fields}",
)


def test_unknown_columns_do_not_matter(take):
    assert counts(take(jsonl(row(0, foo=1, bar={"x": [1, 2]}), row(1)))) == (2, 2, 0, 0)
    assert counts(take(csv_text((*HEADER, "foo", ""), [(*LINES[0], "x", "y")]), "log.csv")) == (1, 1, 0, 0)


def test_columns_may_be_in_any_order_and_any_case_in_a_table(take, store):
    take(csv_text(("Output_Tokens", "INPUT_TOKENS", " Start_Time "), [("2", "1", "2026-11-01T00:00:00Z")]), "log.csv")
    assert (calls(store)[0]["input_tokens"], calls(store)[0]["output_tokens"]) == (1, 2)


def test_a_column_that_comes_twice_is_refused_or_read_as_one_of_the_two(take, store):
    try:
        take(csv_text((*HEADER, "input_tokens"), [(*LINES[0], "7")]), "log.csv")
    except UsageError:
        return
    assert calls(store)[0]["input_tokens"] in (1, 7)


def test_a_missing_column_is_named_with_what_was_seen(take):
    with pytest.raises(UsageError) as caught:
        take(csv_text(("start_time", "prompt_len", "output_tokens"), LINES), "log.csv", format="breakeven")
    assert "prompt_len" in str(caught.value) and "input_tokens" in str(caught.value)
    assert "--map" in str(caught.value)


def test_an_unknown_log_names_what_was_seen_and_where_the_formats_are(take):
    with pytest.raises(UsageError) as caught:
        take(jsonl({"a": 1, "b": 2}))
    for word in ("'a'", "'b'", "start_time", "`breakeven formats`", "--map"):
        assert word in str(caught.value)


def test_a_mapping_makes_any_log_readable(take, store):
    line = {"when": 1793536245, "n": {"in": 5, "out": 6}, "who": "m"}
    mapping = {"start_time": "when", "input_tokens": "n.in", "output_tokens": "n.out", "request_model": "who"}
    assert counts(take(jsonl(line), **mapping)) == (1, 1, 0, 0)
    assert (calls(store)[0]["input_tokens"], calls(store)[0]["request_model"]) == (5, "m")


def test_a_mapping_wins_over_a_known_name(take, store):
    take(jsonl(row(0, real_input=7)), input_tokens="real_input")
    assert calls(store)[0]["input_tokens"] == 7


@pytest.mark.parametrize("name", [*HOSTILE, "a..b", ".", "a.", "", " ", "🙂"])
def test_a_column_named_by_an_enemy_can_be_mapped(take, store, name):
    if not name:
        pytest.skip("an empty name means: this log has no such field")
    line = row(0)
    del line["input_tokens"]
    assert counts(take(jsonl({**line, name: 41}), input_tokens=name)) == (1, 1, 0, 0)
    assert calls(store)[0]["input_tokens"] == 41


def test_a_mapping_to_a_column_that_is_not_there(take):
    with pytest.raises(UsageError, match="real_input"):
        take(jsonl(row(0, real_input=7)), input_tokens="rael_input")


def test_a_mapping_of_a_field_that_is_not_there(take):
    with pytest.raises(UsageError, match="input_tokens"):
        take(jsonl(row(0)), input_token="x")


def test_an_unknown_format_names_the_nearest(take):
    with pytest.raises(UsageError, match="mooncake_trace"):
        take(jsonl(row(0)), format="mooncake_trce")


def test_the_wrong_format_for_a_file(take):
    for name in ("azure_llm_trace", "mooncake_trace"):
        with pytest.raises(UsageError, match="input_tokens"):
            take(jsonl(*rows(3)), format=name)


def test_mapping_two_fields_to_one_column(take, store):
    take(jsonl(row(0, both=9)), input_tokens="both", output_tokens="both")
    assert (calls(store)[0]["input_tokens"], calls(store)[0]["output_tokens"]) == (9, 9)


def test_names_from_an_enemy_are_kept_as_they_are(take, store):
    lines = [row(n, request_model=name, provider=name, finish_reason=name) for n, name in enumerate(HOSTILE)]
    assert counts(take(jsonl(*lines))) == (len(HOSTILE), len(HOSTILE), 0, 0)
    assert [each["request_model"].strip() for each in calls(store)] == [name.strip() for name in HOSTILE]
    assert [each["provider"].strip() for each in calls(store)] == [name.strip() for name in HOSTILE]


def test_file_names_from_an_enemy(take):
    for number, name in enumerate(
        ("it's.jsonl", "a;b --.jsonl", "ünï «x».jsonl", "new\nline.jsonl", "*.jsonl", "%s{}.jsonl")
    ):
        assert counts(take(jsonl(row(number)), name)) == (1, 1, 0, 0)


def test_a_thousand_columns(take):
    wide = {f"column_{n}": n for n in range(1000)}
    assert counts(take(jsonl(row(0, **wide)))) == (1, 1, 0, 0)
    table = csv_text((*HEADER, *wide), [(*LINES[0], *(str(n) for n in range(1000)))])
    assert counts(take(table, "wide.csv")) == (1, 1, 0, 0)


def test_secrets_do_not_reach_the_store(take, store):
    secrets = ("ann@example.com", "sk-abcdefghijklmnopqrstuvwx", "10.1.2.3")
    texts = {"user": secrets[0], "api_key_id": secrets[1], "prompt": "my diary", "task": secrets[0], "app": secrets[2]}
    take(jsonl(row(0, **texts)))
    stored = b"".join(path.read_bytes() for path in store.path.rglob("*") if path.is_file())
    for secret in (*secrets, "my diary"):
        assert secret.encode() not in stored
        assert secret not in str(calls(store))


def test_an_email_address_in_any_label_does_not_reach_the_store(take, store):
    labels = ("trace_id", "parent_id", "arm", "session_id", "application", "template_id", "error_type")
    take(jsonl(*(row(n, **{label: f"{label}@example.com"}) for n, label in enumerate(labels))))
    assert [label for label in labels if f"{label}@example.com" in str(calls(store))] == []
