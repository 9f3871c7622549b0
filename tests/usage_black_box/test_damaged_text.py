"""Text that is cut, mixed, padded or not text at all: good rows stay, bad ones are counted at their line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from usage_black_box.logs import calls, counts, jsonl, reject_rows, rejected, row, rows

CSV_HEADER = "start_time,input_tokens,output_tokens,request_model\n"
CSV_ROWS = "2026-11-01T00:00:00Z,100,10,gpt-4o\n2026-11-01T00:01:00Z,101,11,gpt-4o\n"


def test_half_a_last_line_is_one_reject(take, store):
    report = take(jsonl(*rows(3)) + json.dumps(row(3))[:40])
    assert counts(report) == (4, 3, 0, 1)
    assert reject_rows(store) == [4]


def test_a_last_line_without_line_end_counts(take):
    assert counts(take(jsonl(*rows(3)).rstrip("\n"))) == (3, 3, 0, 0)


def test_half_a_last_line_of_csv_is_one_reject(take, store):
    report = take(CSV_HEADER + CSV_ROWS + "2026-11-01T00:02:00Z,10", "log.csv")
    assert counts(report) == (3, 2, 0, 1)
    assert reject_rows(store) == [4]


def test_a_number_cut_short_at_the_end_of_a_csv_cannot_be_told_from_a_good_one_but_the_rest_is_intact(take, store):
    report = take(
        "start_time,input_tokens,output_tokens\n2026-11-01T00:00:00Z,100,10\n2026-11-01T00:01:00Z,100,1", "l.csv"
    )
    assert report.calls == 2
    assert calls(store)[0]["output_tokens"] == 10


def test_blank_lines_are_no_rows_and_keep_their_numbers(take, store):
    report = take("\n  \n" + jsonl(row(0)) + "\n\t\n" + jsonl("nonsense", row(1)) + "\n\n")
    assert counts(report) == (3, 2, 0, 1)
    assert reject_rows(store) == [6]


def test_long_blank_lines_are_no_rows_either(take):
    assert counts(take(jsonl(row(0), " " * 64, " " * 65, " " * 200, row(1)))) == (2, 2, 0, 0)


def test_byte_order_mark(take, store):
    assert counts(take(b"\xef\xbb\xbf" + jsonl(*rows(2)).encode())) == (2, 2, 0, 0)
    assert calls(store)[0]["input_tokens"] == 100


def test_byte_order_mark_before_a_csv_header(take):
    assert counts(take(b"\xef\xbb\xbf" + (CSV_HEADER + CSV_ROWS).encode(), "log.csv")) == (2, 2, 0, 0)


def test_crlf(take, store):
    report = take(jsonl(*rows(2), "junk").replace("\n", "\r\n"))
    assert counts(report) == (3, 2, 0, 1)
    assert reject_rows(store) == [3]


def test_crlf_csv_keeps_the_last_column_clean(take, store):
    assert counts(take((CSV_HEADER + CSV_ROWS).replace("\n", "\r\n"), "log.csv")) == (2, 2, 0, 0)
    assert {each["request_model"] for each in calls(store)} == {"gpt-4o"}


def test_line_ends_do_not_change_what_the_calls_say(take, store, tmp_path):
    take(jsonl(*rows(3)), "log.jsonl")
    before = store.digest()
    assert counts(take(jsonl(*rows(3)).replace("\n", "\r\n"), "log.jsonl")) == (3, 0, 3, 0)
    assert store.digest() == before


def test_lone_carriage_returns(take):
    assert counts(take((CSV_HEADER + CSV_ROWS).replace("\n", "\r"), "log.csv")) == (2, 2, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_csv_as_a_spreadsheet_writes_it(take, store, encoding):
    text = (CSV_HEADER + CSV_ROWS).replace(",", "\t").replace("gpt-4o", "模型")
    assert counts(take(text.encode(encoding), "log.csv")) == (2, 2, 0, 0)
    assert {each["request_model"] for each in calls(store)} == {"模型"}


def test_utf16_cut_in_the_middle_of_a_character(take):
    report = take((CSV_HEADER + CSV_ROWS).encode("utf-16")[:-1], "log.csv")
    assert report.calls >= 1


def test_invalid_utf8_costs_its_own_line_only(take, store):
    bad = jsonl(row(1, application="X")).encode().replace(b"X", b"caf\xe9")
    report = take(jsonl(row(0)).encode() + bad + jsonl(row(2)).encode())
    assert counts(report) == (3, 2, 0, 1)
    assert reject_rows(store) == [2]
    assert "UTF-8" in rejected(store)[0]["reason"]


def test_mixed_encodings_line_by_line(take, store):
    lines = [jsonl(row(number, application="é")).encode("utf-8") for number in (0, 1)]
    text = json.dumps(row(2, application="é"), ensure_ascii=False) + "\n"
    report = take(lines[0] + text.encode("latin-1") + text.replace("102", "103").encode() + lines[1])
    assert counts(report) == (4, 3, 0, 1)
    assert reject_rows(store) == [2]


def test_nul_bytes(take, store):
    report = take(jsonl(row(0)).encode() + b"\0\0\0\0\n" + jsonl(row(1)).encode() + b'{"a":"\0"}\n')
    assert report.calls == 2
    assert report.rejects_count == report.rows_in - 2


def test_a_nul_inside_a_name(take, store):
    assert counts(take(jsonl(row(0, application="a\0b"), row(1)))) == (2, 2, 0, 0)


def test_lone_surrogate_escapes(take, store):
    report = take(jsonl(row(0), json.dumps(row(1))[:-1] + r', "application": "\ud800"}', row(2)))
    assert report.calls >= 2 and report.rows_in == 3


def test_a_pretty_printed_array_is_read(take):
    assert counts(take(json.dumps(rows(3), indent=2), "log.json")) == (3, 3, 0, 0)


def test_an_array_on_one_line_is_read(take):
    assert counts(take(json.dumps(rows(3)), "log.json")) == (3, 3, 0, 0)


def test_concatenated_json_is_read(take):
    assert counts(take("".join(json.dumps(each) for each in rows(3)))) == (3, 3, 0, 0)


def test_two_objects_on_a_line_among_good_ones_are_a_reject(take, store):
    report = take(jsonl(row(0), json.dumps(row(1)) + json.dumps(row(2)), row(3)))
    assert counts(report) == (3, 2, 0, 1)
    assert reject_rows(store) == [2]


def test_lines_that_are_no_rows(take, store):
    odd = ("[1, 2]", "null", "3", '"text"', "true", "{}", "{", "}", "[{}]", "NaN", "{'a': 1}", "\ufeffx", "x\u2028x")
    lines = [each for number, line in enumerate(odd) for each in (row(number), line)]
    report = take(jsonl(*lines, *rows(20)))
    assert report.rejects_count == len(odd)
    assert reject_rows(store) == list(range(2, 2 * len(odd) + 1, 2))


def test_duplicate_keys_never_mix_two_rows(take, store):
    twice = json.dumps(row(1))[:-1] + ', "input_tokens": 777}'
    report = take(jsonl(row(0), twice, row(2)))
    assert report.rows_in == 3
    assert [each["input_tokens"] for each in calls(store)] in ([100, 101, 102], [100, 777, 102], [100, 102])


def test_deeply_nested_json(take, store):
    deep = json.dumps(row(1))[:-1] + ', "x": ' + "[" * 20_000 + "]" * 20_000 + "}"
    report = take(jsonl(row(0), deep, row(2)))
    assert report.rows_in == 3 and report.calls >= 2


def test_a_key_that_differs_in_case_only(take, store):
    take(jsonl(row(0, INPUT_TOKENS=5, Input_Tokens=6), row(1)))
    assert [each["input_tokens"] for each in calls(store)] == [100, 101]


def test_json_inside_json(take, store):
    report = take(jsonl(row(0, metadata=json.dumps({"input_tokens": 5})), row(1, metadata={"input_tokens": {"a": 1}})))
    assert counts(report) == (2, 2, 0, 0)
    assert [each["input_tokens"] for each in calls(store)] == [100, 101]


def test_token_counts_of_a_wrong_json_type(take, store):
    values: list[Any] = [{"a": 1}, [1], [100], {}, [], True, False]
    lines = [each for n, value in enumerate(values) for each in (row(2 * n), row(2 * n + 1, input_tokens=value))]
    report = take(jsonl(*lines))
    assert counts(report) == (14, 7, 0, 7)
    assert reject_rows(store) == [2, 4, 6, 8, 10, 12, 14]


def test_quoted_line_feeds_in_csv_and_the_line_numbers_behind_them(take, store):
    header = "start_time,input_tokens,output_tokens,prompt\n"
    report = take(
        header
        + '2026-11-01T00:00:00Z,1,1,"one\ntwo\n\nthree, and ""more"""\n'
        + "2026-11-01T00:01:00Z,x,1,bad\n"
        + "2026-11-01T00:02:00Z,3,1,good\n"
        + "2026-11-01T00:03:00Z,-3,1,bad\n",
        "log.csv",
    )
    assert counts(report) == (4, 2, 0, 2)
    assert reject_rows(store) == [6, 8]


def test_a_stray_quote_does_not_swallow_the_file(take, store):
    lines = [f"2026-11-01T00:{number:02d}:00Z,{number},1,ok\n" for number in range(30)]
    lines[3] = '2026-11-01T00:03:00Z,3,1,"stray\n'
    report = take("start_time,input_tokens,output_tokens,note\n" + "".join(lines), "log.csv")
    assert report.rows_in == 30 and report.calls >= 29
    assert {each["input_tokens"] for each in calls(store)} >= set(range(30)) - {3}


def test_two_stray_quotes_cost_two_rows(take, store):
    lines = [f"2026-11-01T00:{number:02d}:00Z,{number},1,ok\n" for number in range(30)]
    lines[3] = '2026-11-01T00:03:00Z,3,1,"stray\n'
    lines[9] = '2026-11-01T00:09:00Z,9,1,str"ay\n'
    report = take("start_time,input_tokens,output_tokens,note\n" + "".join(lines), "log.csv")
    assert report.rows_in == 30
    assert report.calls >= 28


def test_rows_with_too_few_and_too_many_fields(take, store):
    report = take(CSV_HEADER + CSV_ROWS + "2026-11-01T00:02:00Z,1,1\n2026-11-01T00:03:00Z,1,1,m,extra\n", "log.csv")
    assert counts(report) == (4, 2, 0, 2)
    assert reject_rows(store) == [4, 5]


def test_a_repeated_header_is_one_reject(take, store):
    report = take(CSV_HEADER + CSV_ROWS + CSV_HEADER + "2026-11-01T00:05:00Z,1,1,m\n", "log.csv")
    assert counts(report) == (4, 3, 0, 1)
    assert reject_rows(store) == [4]


def test_a_twenty_megabyte_line_is_read(take, store):
    report = take(jsonl(row(0), row(1, prompt="A" * 20_000_000), row(2)))
    assert counts(report) == (3, 3, 0, 0)


def test_a_hundred_megabyte_line_is_read_or_rejected_alone(take, store):
    report = take(jsonl(row(0), row(1, blob="A" * 100_000_000), row(2), "junk"))
    assert report.rows_in == 4 and report.calls in (2, 3)
    assert reject_rows(store)[-1] == 4


def test_reject_rows_are_physical_lines_across_blocks(take, store):
    bad = {7, 20_000, 45_000, 60_000}
    lines = [("bad" if number in bad else jsonl(row(number)).rstrip()) for number in range(1, 60_001)]
    lines[99] = ""
    report = take("\n".join(lines) + "\n")
    assert counts(report) == (59_999, 59_995, 0, 4)
    assert reject_rows(store) == sorted(bad)


def test_source_line_is_the_physical_line(take, store):
    take("\n\n" + jsonl(row(0)) + "\n" + jsonl(row(1)))
    assert [each["source_line"] for each in calls(store)] == [3, 5]
